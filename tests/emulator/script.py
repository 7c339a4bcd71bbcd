"""Faults that a test has scripted: which, when, and how often."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Literal, get_args

from .faults import BEFORE_TEXT, TASK_POINTS, FaultKind, Oddity, Point

type Before = Literal["fresh", "opened_ahead", "idle", "prestarted"]


@dataclass
class Fault:
    """One thing that goes wrong, ``times`` times.

    Attributes:
        kind: What happens.
        at: When it happens.
        connection: Only on the n-th connection attempt since the start, from 1. At
            ``ACCEPT`` it is the number that the next WebSocket will have.
        task: Only in the n-th task since the start, from 1.
        times: How often; None for always.
        after_sentences: Sentences of the task that are complete before it happens.
            ``BETWEEN_SENTENCES`` needs at least one and takes 0 for 1.
        seconds: How long ``SLOW`` and ``FREEZE`` take.
        on: Only in a task on a connection that was new (``fresh``), that had been
            opened long before (``opened_ahead``), that had run another task
            (``idle``), or whose task had been started long before its first text came
            (``prestarted``). Long is more than a round trip and 0.1 s.
        request: Only for this HTTP request, such as ``tokens`` or ``upload``.
        code: The code of an ``ERROR``.
        status: The HTTP status of an ``ERROR``; 0 for the usual one.
    """

    kind: FaultKind | Oddity
    at: Point
    connection: int | None = None
    task: int | None = None
    times: int | None = 1
    after_sentences: int = 0
    seconds: float = 0.2
    on: Before | None = None
    request: str | None = None
    code: str = "InternalError"
    status: int = 0

    def __post_init__(self) -> None:
        """Refuse a fault that could never happen."""
        self.kind = _kind(self.kind)
        self.at = Point(self.at)
        if self.at not in self.kind.points:
            raise ValueError(f"{self.kind} cannot happen at {self.at}")
        if self.on is not None and (
            self.at not in TASK_POINTS
            or self.on not in get_args(Before.__value__)
            or (self.on == "prestarted" and self.at in BEFORE_TEXT)
        ):
            raise ValueError(f"{self.at} has no connection that is {self.on!r}")
        if self.request is not None and self.at not in (Point.HTTP, Point.ANSWER):
            raise ValueError(f"there is no request at {self.at}")

    @classmethod
    def parse(cls, spec: str) -> Fault:
        """Read ``KIND@POINT[,NAME=VALUE]...``, such as ``reset@idle,times=2``.

        ``times=always`` makes it last.

        Raises:
            ValueError: If that is no fault.
        """
        head, *settings = spec.split(",")
        kind, _, point = head.partition("@")
        values: dict[str, float | str | None] = {}
        names = {field.name for field in fields(cls)} - {"kind", "at"}
        for setting in settings:
            name, _, value = setting.partition("=")
            if name not in names:
                raise ValueError(f"a fault has no {name!r}")
            if name == "seconds":
                values[name] = float(value)
            elif name in ("on", "request", "code"):
                values[name] = value
            else:
                values[name] = None if value == "always" else int(value)
        return cls(_kind(kind), Point(point), **values)  # type: ignore[arg-type]


def _kind(name: str) -> FaultKind | Oddity:
    return Oddity(name) if name in Oddity else FaultKind(name)


class FaultScript:
    """The faults that are still to happen."""

    def __init__(self, faults: Iterable[Fault | str] = ()) -> None:
        """Begin with these faults."""
        self._faults: list[Fault] = []
        self.happened: list[Fault] = []
        self.add(*faults)

    def add(self, *faults: Fault | str) -> None:
        """Let these happen as well, after those that are already scripted."""
        self._faults.extend(
            Fault.parse(fault) if isinstance(fault, str) else fault for fault in faults
        )

    def clear(self) -> None:
        """Let nothing more happen."""
        self._faults.clear()

    def take(
        self,
        point: Point,
        *,
        connection: int | None = None,
        task: int | None = None,
        sentences: int = 0,
        before: Before | None = None,
        request: str | None = None,
    ) -> Fault | None:
        """Return the fault that happens now, if any, and use it up once."""
        for fault in self._faults:
            after = fault.after_sentences
            if point is Point.BETWEEN_SENTENCES:
                after = max(after, 1)
            if (
                fault.at is point
                and fault.times != 0
                and fault.connection in (None, connection)
                and fault.task in (None, task)
                and fault.on in (None, before)
                and fault.request in (None, request)
                and sentences >= after
            ):
                if fault.times is not None:
                    fault.times -= 1
                self.happened.append(fault)
                return fault
        return None
