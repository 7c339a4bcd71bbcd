"""What can go wrong, where, and whether trying again would help."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from enum import StrEnum


class GoneError(Exception):
    """A fault has ended the connection, or the task at hand."""


class Nature(StrEnum):
    """What a client should make of a fault."""

    TRANSIENT = "transient"
    """The attempt is lost; another one on a new connection may succeed."""
    PERMANENT = "permanent"
    """The same request will fail again."""
    HARMLESS = "harmless"
    """Odd, but all audio comes and the task finishes."""


class Point(StrEnum):
    """The moment at which a fault happens."""

    HTTP = "http"
    """A request to the HTTP interface (temporary keys, cloned voices)."""
    HANDSHAKE = "handshake"
    """The WebSocket upgrade request."""
    BEFORE_STARTED = "before_started"
    """run-task was received; task-started is due."""
    BEFORE_AUDIO = "before_audio"
    """A sentence has begun; its first audio is due."""
    MID_SENTENCE = "mid_sentence"
    """About half of a sentence's audio was sent."""
    BETWEEN_SENTENCES = "between_sentences"
    """A sentence has ended; the next one is due."""
    BEFORE_FINISHED = "before_finished"
    """All audio was sent; task-finished is due."""
    IDLE = "idle"
    """task-finished was sent and no other task has begun."""


_TASK_POINTS = frozenset(
    {
        Point.BEFORE_STARTED,
        Point.BEFORE_AUDIO,
        Point.MID_SENTENCE,
        Point.BETWEEN_SENTENCES,
        Point.BEFORE_FINISHED,
    }
)
_AUDIO_POINTS = frozenset({Point.BEFORE_AUDIO, Point.MID_SENTENCE})
_SOCKET_POINTS = _TASK_POINTS | {Point.IDLE}
_REFUSAL_POINTS = frozenset({Point.HTTP, Point.HANDSHAKE})


class FaultKind(StrEnum):
    """A fault. ``nature`` says what it means, ``points`` where it makes sense."""

    RESET = "reset"
    """The TCP connection is reset."""
    CLOSE = "close"
    """A WebSocket close frame; at the handshake right after the upgrade."""
    DROP = "drop"
    """The TCP connection is closed without a close frame."""
    HANG = "hang"
    """The service says nothing more and answers no ping."""
    HTTP_401 = "http_401"
    HTTP_403 = "http_403"
    HTTP_404 = "http_404"
    HTTP_429 = "http_429"
    HTTP_500 = "http_500"
    HTTP_503 = "http_503"
    THROTTLED = "throttled"
    """task-failed: too many requests."""
    INTERNAL_ERROR = "internal_error"
    """task-failed: the service's own failure."""
    ARREARS = "arrears"
    """task-failed: the account is in arrears."""
    FREE_QUOTA = "free_quota"
    """task-failed: the free quota is used up."""
    ACCESS_DENIED = "access_denied"
    """task-failed: the model is not activated for this account."""
    INVALID_PARAMETER = "invalid_parameter"
    """task-failed: a parameter is refused."""
    VOICE_418 = "voice_418"
    """task-failed: the voice does not fit the model or is not ready."""
    CONTENT = "content"
    """task-failed: the content inspection refused the text."""
    MODEL_NOT_FOUND = "model_not_found"
    """task-failed: there is no such model."""
    GARBAGE_TEXT = "garbage_text"
    """An additional text frame that is not JSON."""
    GARBAGE_JSON = "garbage_json"
    """An additional text frame whose JSON has the wrong shape."""
    TEXT_FOR_BINARY = "text_for_binary"
    """A piece of audio comes as a text frame: it is lost."""
    OVERSIZED_FRAME = "oversized_frame"
    """A binary frame of 16 MiB."""
    BAD_FRAME = "bad_frame"
    """Bytes that are no WebSocket frame."""
    EARLY_FINISH = "early_finish"
    """task-finished though the rest of the text was not spoken."""
    UNKNOWN_EVENT = "unknown_event"
    """An additional event of an unknown name."""
    WRONG_TASK_ID = "wrong_task_id"
    """Additional events, a task-finished among them, of another task."""
    FINISH_WITHOUT_USAGE = "finish_without_usage"
    """task-finished does not say what was billed."""
    MISSING_FIELDS = "missing_fields"
    """The next event comes without attributes and with an empty payload."""
    DUPLICATE_EVENT = "duplicate_event"
    """The next event comes twice."""
    SLOW = "slow"
    """The service pauses for the fault's ``seconds``."""

    @property
    def nature(self) -> Nature:
        """What a client should make of it."""
        if self in _PERMANENT:
            return Nature.PERMANENT
        return Nature.HARMLESS if self in _HARMLESS else Nature.TRANSIENT

    @property
    def points(self) -> frozenset[Point]:
        """The moments at which this fault can happen."""
        return _POINTS.get(self, _TASK_POINTS)

    @property
    def http_status(self) -> int | None:
        """The status with which a request is refused, for the ``HTTP_…`` kinds."""
        name, _, status = self.partition("_")
        return int(status) if name == "http" else None


_PERMANENT = frozenset(
    {
        FaultKind.HTTP_401,
        FaultKind.HTTP_403,
        FaultKind.HTTP_404,
        FaultKind.ARREARS,
        FaultKind.FREE_QUOTA,
        FaultKind.ACCESS_DENIED,
        FaultKind.INVALID_PARAMETER,
        FaultKind.VOICE_418,
        FaultKind.CONTENT,
        FaultKind.MODEL_NOT_FOUND,
    }
)
_HARMLESS = frozenset(
    {
        FaultKind.UNKNOWN_EVENT,
        FaultKind.WRONG_TASK_ID,
        FaultKind.FINISH_WITHOUT_USAGE,
        FaultKind.MISSING_FIELDS,
        FaultKind.DUPLICATE_EVENT,
        FaultKind.SLOW,
    }
)
_POINTS = {
    **dict.fromkeys(
        (FaultKind.RESET, FaultKind.DROP, FaultKind.HANG, FaultKind.SLOW),
        _SOCKET_POINTS | _REFUSAL_POINTS,
    ),
    FaultKind.SLOW: _TASK_POINTS | _REFUSAL_POINTS,
    FaultKind.CLOSE: _SOCKET_POINTS | {Point.HANDSHAKE},
    **{kind: _REFUSAL_POINTS for kind in FaultKind if kind.startswith("http_")},
    FaultKind.GARBAGE_TEXT: _SOCKET_POINTS | {Point.HTTP},
    FaultKind.GARBAGE_JSON: _SOCKET_POINTS | {Point.HTTP},
    FaultKind.UNKNOWN_EVENT: _SOCKET_POINTS,
    FaultKind.WRONG_TASK_ID: _SOCKET_POINTS,
    FaultKind.OVERSIZED_FRAME: _SOCKET_POINTS,
    FaultKind.BAD_FRAME: _SOCKET_POINTS,
    FaultKind.TEXT_FOR_BINARY: _AUDIO_POINTS,
    FaultKind.EARLY_FINISH: _AUDIO_POINTS | {Point.BETWEEN_SENTENCES},
    FaultKind.FINISH_WITHOUT_USAGE: frozenset({Point.BEFORE_FINISHED}),
}


@dataclass
class Fault:
    """One thing that goes wrong, as often as ``times`` says.

    Attributes:
        kind: What happens.
        at: When it happens.
        connection: Only on the n-th connection attempt since the start, from 1.
        task: Only in the n-th task since the start, from 1.
        times: How often; None for always.
        after_sentences: Sentences of the task that are complete before it happens.
            ``BETWEEN_SENTENCES`` needs at least one and takes 0 for 1.
        seconds: How long ``SLOW`` takes.
    """

    kind: FaultKind
    at: Point
    connection: int | None = None
    task: int | None = None
    times: int | None = 1
    after_sentences: int = 0
    seconds: float = 0.2

    def __post_init__(self) -> None:
        """Refuse a fault that could never happen."""
        self.kind = FaultKind(self.kind)
        self.at = Point(self.at)
        if self.at not in self.kind.points:
            raise ValueError(f"{self.kind} cannot happen at {self.at}")

    @classmethod
    def parse(cls, spec: str) -> Fault:
        """Read ``KIND@POINT[,NAME=VALUE]...``, such as ``reset@idle,times=2``.

        ``times=always`` makes it last.

        Raises:
            ValueError: If that is no fault.
        """
        head, *settings = spec.split(",")
        kind, _, point = head.partition("@")
        values: dict[str, float | None] = {}
        names = {field.name for field in fields(cls)} - {"kind", "at"}
        for setting in settings:
            name, _, value = setting.partition("=")
            if name not in names:
                raise ValueError(f"a fault has no {name!r}")
            if name == "seconds":
                values[name] = float(value)
            else:
                values[name] = None if value == "always" else int(value)
        return cls(FaultKind(kind), Point(point), **values)  # type: ignore[arg-type]


class FaultScript:
    """The faults that are still to happen."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        """Begin with these faults."""
        self._faults: list[Fault] = list(faults)
        self.happened: list[Fault] = []

    def add(self, *faults: Fault) -> None:
        """Let these happen as well, after those that are already scripted."""
        self._faults.extend(faults)

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
                and sentences >= after
            ):
                if fault.times is not None:
                    fault.times -= 1
                self.happened.append(fault)
                return fault
        return None


TASK_ERRORS = {
    FaultKind.THROTTLED: (
        "Throttling.RateQuota",
        "Requests rate limit exceeded, please try again later.",
    ),
    FaultKind.INTERNAL_ERROR: ("InternalError", "Inference internal error."),
    FaultKind.ARREARS: (
        "Arrearage",
        "Access denied, please make sure your account is in good standing.",
    ),
    FaultKind.FREE_QUOTA: (
        "AllocationQuota.FreeTierOnly",
        (
            "The free tier of the model has been exhausted. If you wish to continue"
            " access the model on a paid basis, please disable the use free tier only"
            " mode in the management console."
        ),
    ),
    FaultKind.ACCESS_DENIED: ("Model.AccessDenied", "Model access denied."),
    FaultKind.INVALID_PARAMETER: ("InvalidParameter", "Parameter invalid."),
    FaultKind.VOICE_418: (
        "InvalidParameter",
        "[cosyvoice:]Engine return error code: 418",
    ),
    FaultKind.CONTENT: (
        "DataInspectionFailed",
        "Input or output data may contain inappropriate content.",
    ),
    FaultKind.MODEL_NOT_FOUND: ("ModelNotFound", "Model not found"),
}
"""The service's error code and message for each fault that is a task-failed event."""
