"""The state of a pool: its connections and the requests for one."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
import math
from typing import Self

from ..errors import CosyVoiceConnectionError, CosyVoiceError, RequestError
from ..timing import Timing
from .connection import Connection
from .learned import Learned
from .task import TaskSettings

NEW = 0.1
"""Seconds for which a connection counts as new."""


class SlotState(Enum):
    """The state of a connection of the pool."""

    OPENING = auto()
    IDLE = auto()
    WARMING = auto()
    """A task is being started in advance."""
    WARM = auto()
    """A task was started in advance."""
    CLEARING = auto()
    """A task that was started in advance is being cancelled."""
    IN_USE = auto()


@dataclass(slots=True, eq=False)
class Slot:
    """A connection from its opening to its end.

    Attributes:
        state: What it is doing.
        since: When that began, in the loop's time.
        connection: None while it is opening.
        task: Settings of the task that was started in advance.
        used: True once a task has run on it, or it has waited for its first task.
        busy: True while a task runs on it, or is about to.
        work: Opens, watches or clears it in the background.
    """

    state: SlotState
    since: float
    connection: Connection | None = None
    task: TaskSettings | None = None
    used: bool = False
    busy: bool = False
    work: asyncio.Task[None] = field(init=False)

    @property
    def opened(self) -> Connection:
        """The connection, of a slot that is not opening."""
        assert self.connection is not None
        return self.connection

    @property
    def model(self) -> str:
        """Model of the task that was started in advance, empty without one."""
        return self.task.model if self.task else ""

    def clears(self, cancelling: Learned) -> bool:
        """Return whether a task was started in advance that can be cancelled."""
        cancellable = self.task is not None and self.task.cancellable
        return cancellable and cancelling.works(self.model)

    def suits(self, request: Request, now: float) -> bool:
        """Return whether a request that needs a new connection could take it."""
        return not request.new or (not self.used and now - self.since < NEW)

    def limit(self, timing: Timing) -> float:
        """Return for how many seconds the service keeps the connection or its task."""
        return timing.idle_limit if self.task is None else timing.task_limit


class Slots(list[Slot]):
    """The connections of a pool."""

    def in_state(self, *states: SlotState) -> list[Slot]:
        """Return the slots in these states, in the order of their last change."""
        found = [slot for slot in self if slot.state in states]
        return sorted(found, key=lambda slot: slot.since)

    @property
    def busy(self) -> int:
        """Connections on which a task runs, or is about to."""
        return sum(slot.busy for slot in self)

    def counts(self) -> dict[str, int]:
        """Return the figures of the statistics that are not counted."""
        return {
            "connections": sum(slot.connection is not None for slot in self),
            "idle": len(self.in_state(SlotState.IDLE)),
            "prestarted": len(self.in_state(SlotState.WARM)),
        }

    def of(self, connection: Connection) -> list[Slot]:
        """Return a connection's slot, or nothing once the pool is closed."""
        return [slot for slot in self if slot.connection is connection]

    def is_warm(self, task: TaskSettings) -> bool:
        """Return whether such a task was started in advance."""
        return any(slot.task == task for slot in self.in_state(SlotState.WARM))

    def ready_until(self, timing: Timing) -> float:
        """Return how long a connection is ready, one in use for ever."""
        kept = (SlotState.IDLE, SlotState.WARM)
        return max(
            (
                slot.since + slot.limit(timing) if slot.state in kept else math.inf
                for slot in self
            ),
            default=-math.inf,
        )


@dataclass(slots=True, order=True)
class Request:
    """A task that has to be started.

    Attributes:
        warm: True if it is started in advance: all others are served first.
        number: Place in the order of arrival.
        task: Settings of the task.
        new: True if the connection may have run no task before, nor waited for one.
        unserved: True if there is no connection for it yet.
        repeated: True if the start was repeated after a sporadic error.
        throttled: True if the start was repeated after the service refused it.
        turn_by: When its wait for another task to end is over, in the loop's time.
        granted: Gets the connection when the task may be started.
    """

    warm: bool
    number: int
    task: TaskSettings = field(compare=False)
    new: bool = field(default=False, compare=False)
    unserved: bool = field(default=False, compare=False)
    repeated: bool = field(default=False, compare=False)
    throttled: bool = field(default=False, compare=False)
    turn_by: float | None = field(default=None, compare=False)
    granted: asyncio.Future[Slot] = field(init=False, compare=False)

    def may_repeat(self, slot: Slot, error: CosyVoiceError) -> bool:
        """Decide whether a start that failed is repeated on another connection."""
        if slot.used and isinstance(error, CosyVoiceConnectionError):
            self.new = slot.task is None
            return True
        # The service may refuse to change the parameters of a connection.
        is_reuse = slot.used and type(error) is RequestError
        if self.warm or not (error.retry_once or is_reuse):
            return False
        error.retry_once = False
        self.new, repeated = True, self.repeated
        self.repeated = True
        return not repeated


@dataclass(slots=True)
class PoolStatistics:
    """Counts since the pool was made, and connections at this moment.

    Attributes:
        opened: Connections opened.
        reused: Tasks run on a connection that was kept.
        warm_ups: Tasks started in advance.
        hits: Utterances that found their task started.
        wasted: Tasks started in advance that were never used.
        failures: Attempts that failed.
        connections: Connections open now.
        idle: Connections open now and waiting for a task.
        prestarted: Tasks started in advance now.
    """

    opened: int = 0
    reused: int = 0
    warm_ups: int = 0
    hits: int = 0
    wasted: int = 0
    failures: int = 0
    connections: int = 0
    idle: int = 0
    prestarted: int = 0


@dataclass(slots=True)
class Supply:
    """The connections left for the next in the queue, during a decision.

    Attributes:
        idle: Connections without a task, the one used last at the end.
        warm: Connections whose task was started in advance.
        warming: Connections whose task is about to have been started in advance.
        coming: Connections that will be idle soon.
        prepared: Connections that are being opened or cleared, the late ones included.
        warm_ups: Starts in advance that no other request relies on.
        busy: Connections on which a task runs, or is about to.
        unserved: Requests so far for which there is no connection.
        starts: Requests so far that need a task start, by model.
    """

    idle: list[Slot]
    warm: list[Slot]
    warming: list[Slot]
    coming: list[Slot]
    prepared: int
    warm_ups: list[Request]
    busy: int
    unserved: int = 0
    starts: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, slots: Slots, requests: list[Request]) -> Self:
        """Return the supply before the first in the queue, late connections included."""
        prepared = slots.in_state(SlotState.OPENING, SlotState.CLEARING)
        return cls(
            idle=slots.in_state(SlotState.IDLE),
            warm=slots.in_state(SlotState.WARM),
            warming=slots.in_state(SlotState.WARMING),
            coming=prepared,
            prepared=len(prepared),
            warm_ups=[request for request in requests if request.warm],
            busy=slots.busy,
        )


def take[T](things: list[T], fits: Callable[[T], bool]) -> T | None:
    """Remove and return the last thing that fits."""
    for thing in reversed(things):
        if fits(thing):
            things.remove(thing)
            return thing
    return None
