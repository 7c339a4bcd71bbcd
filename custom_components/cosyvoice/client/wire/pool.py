"""Connections that are kept ready, and the decision which one to use.

Opening a connection costs about four round trips and starting a task one more, so
connections are reused, and one task is started in advance while speech is likely.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
import logging
from typing import Any

from ..errors import (
    ClientClosedError,
    CosyVoiceConnectionError,
    CosyVoiceError,
    CosyVoiceTimeoutError,
)
from ..timing import Timing
from .connection import Connection

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TaskSettings:
    """What a task is started with.

    Attributes:
        model: The model's id.
        parameters: The parameters on the wire.
        starts_per_second: Task starts that the service permits for the model.
    """

    model: str
    parameters: Mapping[str, Any]
    starts_per_second: int


@dataclass(slots=True)
class PoolStatistics:
    """Counts since the pool was made, and connections at this moment.

    Attributes:
        opened: Connections opened.
        reused: Tasks run on a connection that was kept.
        warm_ups: Tasks started in advance.
        hits: Utterances that found their task started.
        wasted: Tasks started in advance that nothing was said with.
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


@dataclass(slots=True, eq=False)
class Spare:
    """A connection that waits to be used.

    Attributes:
        connection: The connection.
        since: When it fell idle or its task was started, in the loop's time.
        task: What its task was started with; None if it has no task.
        watch: Notices when the service closes the connection.
    """

    connection: Connection
    since: float
    task: TaskSettings | None
    watch: asyncio.Task[None]


def choose(
    spares: Iterable[Spare], task: TaskSettings, now: float, timing: Timing
) -> tuple[Spare | None, list[Spare]]:
    """Return the spare connection to use, and those to close.

    1. One whose task was started with the same settings serves at once.
    2. Else the one used last, which is the least likely to have died. A task that
       it has with other settings is replaced: it has said nothing.
    3. Else none: a connection has to be opened.

    Those that the service is about to close are of no use.
    """
    usable: list[Spare] = []
    expired: list[Spare] = []
    for spare in spares:
        limit = timing.idle_limit if spare.task is None else timing.task_limit
        if spare.connection.closed or now - spare.since >= limit:
            expired.append(spare)
        else:
            usable.append(spare)
    best = max(
        usable, key=lambda spare: (spare.task == task, spare.since), default=None
    )
    return best, expired


class StartLimiter:
    """Keeps the task starts of a model within the permitted rate, first come first."""

    def __init__(self, window: float) -> None:
        """Count over a window, in seconds."""
        self._window = window
        self._starts: dict[str, deque[float]] = {}
        self._queues: dict[str, asyncio.Lock] = {}

    async def wait(self, task: TaskSettings) -> None:
        """Wait for this start's turn."""
        async with self._queues.setdefault(task.model, asyncio.Lock()):
            if (delay := self._delay(task)) > 0:
                await asyncio.sleep(delay)
            self._note(task)

    def take(self, task: TaskSettings) -> bool:
        """Start now if nobody has to wait for it."""
        queue = self._queues.get(task.model)
        if (queue is not None and queue.locked()) or self._delay(task, spare=1) > 0:
            return False
        self._note(task)
        return True

    def _delay(self, task: TaskSettings, spare: int = 0) -> float:
        """Return the seconds until a start is permitted that leaves `spare` others."""
        starts = self._starts.setdefault(task.model, deque())
        now = asyncio.get_running_loop().time()
        while starts and now - starts[0] >= self._window:
            starts.popleft()
        excess = len(starts) - max(1, task.starts_per_second - spare)
        return 0 if excess < 0 else starts[excess] + self._window - now

    def _note(self, task: TaskSettings) -> None:
        self._starts[task.model].append(asyncio.get_running_loop().time())


class Pool:
    """The connections of one account."""

    def __init__(
        self, open_connection: Callable[[], Awaitable[Connection]], timing: Timing
    ) -> None:
        """Prepare; nothing is opened before it is needed.

        Args:
            open_connection: Opens and authenticates a connection, or raises a
                CosyVoiceError.
            timing: The limits to keep.
        """
        self._open_connection = open_connection
        self._timing = timing
        self._limiter = StartLimiter(timing.start_window)
        self._spares: list[Spare] = []
        self._in_use: set[Connection] = set()
        self._background: set[asyncio.Task[None]] = set()
        self._warmer: asyncio.Task[None] | None = None
        self._warm_task: TaskSettings | None = None
        self._warm_until = 0.0
        self._warming: asyncio.Future[None] | None = None
        self._warm_failures = 0
        self._warm_not_before = 0.0
        self._statistics = PoolStatistics()
        self._closed = False

    @property
    def statistics(self) -> PoolStatistics:
        """The pool's figures at this moment."""
        idle = sum(spare.task is None for spare in self._spares)
        return replace(
            self._statistics,
            idle=idle,
            prestarted=len(self._spares) - idle,
            connections=len(self._spares) + len(self._in_use),
        )

    async def acquire(
        self, task: TaskSettings, on_turn: Callable[[], None]
    ) -> Connection:
        """Return a connection whose task takes text.

        Waits for the service's permitted rate of task starts, and beside that no
        longer than one attempt.

        Args:
            task: What to start the task with.
            on_turn: Called when the wait for the permitted rate is over.

        Raises:
            ClientClosedError: The pool is closed.
            CosyVoiceError: No task could be started.
        """
        if self._closed:
            raise ClientClosedError("The client is closed")
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout_at(began + self._timing.attempt) as limit:
                if self._warming is not None and self._warm_task == task:
                    await asyncio.wait({self._warming})
                if (ready := await self._claim(task, started=True)) is not None:
                    self._statistics.hits += 1
                    return ready
                limit.reschedule(None)
                waiting_since = loop.time()
                await self._limiter.wait(task)
                on_turn()
                began += loop.time() - waiting_since
                limit.reschedule(began + self._timing.attempt)
                return await self._started(task)
        except TimeoutError as err:
            self._statistics.failures += 1
            raise CosyVoiceTimeoutError("The service did not answer in time") from err
        except CosyVoiceError:
            self._statistics.failures += 1
            raise

    def release(self, connection: Connection) -> None:
        """Take back a connection whose task is finished."""
        self._in_use.discard(connection)
        if self._closed or connection.closed:
            self.discard(connection)
            return
        self._warm_failures = 0
        self._warm_not_before = 0.0
        self._keep(connection, None)

    def discard(self, connection: Connection) -> None:
        """Close a connection; a task that still runs is cancelled."""
        self._in_use.discard(connection)
        self._in_background(self._dispose(connection))

    def warm_up(self, task: TaskSettings) -> None:
        """Have a task started in advance, and kept ready for a while.

        Costs no characters. Does nothing for a while after warm-ups that failed.
        """
        if self._closed:
            return
        self._warm_task = task
        self._warm_until = asyncio.get_running_loop().time() + self._timing.keep_warm
        if self._warmer is None or self._warmer.done():
            self._warmer = asyncio.create_task(self._keep_warm())
        elif self._warming is None:
            self._warmer.cancel()
            self._warmer = asyncio.create_task(self._keep_warm())

    async def close(self) -> None:
        """Close all connections and end all tasks of the pool."""
        self._closed = True
        if self._warmer is not None:
            self._warmer.cancel()
            await asyncio.wait({self._warmer})
        for spare in tuple(self._spares):
            self._drop(spare)
        for connection in tuple(self._in_use):
            self.discard(connection)
        while self._background:
            await asyncio.wait(self._background)

    async def _started(self, task: TaskSettings) -> Connection:
        """Start a task, on a kept connection if one still answers."""
        if (kept := await self._claim(task)) is not None:
            try:
                async with asyncio.timeout(self._timing.reuse):
                    await self._start(kept, task)
            except CosyVoiceConnectionError, TimeoutError:
                _LOGGER.debug("A kept connection is dead, opening another one")
            else:
                self._statistics.reused += 1
                return kept
        connection = await self._open_connection()
        self._statistics.opened += 1
        self._in_use.add(connection)
        await self._start(connection, task)
        return connection

    async def _start(self, connection: Connection, task: TaskSettings) -> None:
        try:
            await connection.start(task.model, task.parameters)
        except BaseException:
            self.discard(connection)
            raise

    # Spare connections

    def _keep(self, connection: Connection, task: TaskSettings | None) -> None:
        now = asyncio.get_running_loop().time()
        watch = asyncio.create_task(self._watch(connection, task))
        self._in_use.discard(connection)
        self._spares.append(Spare(connection, now, task, watch))

    async def _claim(
        self, task: TaskSettings, *, started: bool = False
    ) -> Connection | None:
        """Take the best spare connection; only one with this task if `started`."""
        while True:
            now = asyncio.get_running_loop().time()
            best, expired = choose(self._spares, task, now, self._timing)
            for spare in expired:
                self._drop(spare)
            if best is None or (started and best.task != task):
                return None
            if best.task is not None and not started:
                self._statistics.wasted += 1
            self._spares.remove(best)
            self._in_use.add(best.connection)
            if await self._unwatched(best):
                return best.connection
            self.discard(best.connection)

    async def _unwatched(self, spare: Spare) -> bool:
        """End the watch, as a WebSocket has one reader; False if it died meanwhile."""
        spare.watch.cancel()
        try:
            await asyncio.wait({spare.watch})
        except asyncio.CancelledError:
            self.discard(spare.connection)
            raise
        return not spare.connection.closed

    def _drop(self, spare: Spare) -> None:
        self._spares.remove(spare)
        spare.watch.cancel()
        if spare.task is not None:
            self._statistics.wasted += 1
        self.discard(spare.connection)

    async def _watch(self, connection: Connection, task: TaskSettings | None) -> None:
        """Drop a spare connection when its time is up or the service speaks up."""
        limit = self._timing.idle_limit if task is None else self._timing.task_limit
        try:
            async with asyncio.timeout(limit):
                await connection.receive()
        except (CosyVoiceError, TimeoutError) as err:
            _LOGGER.debug("A kept connection ends: %r", err)
        for spare in tuple(self._spares):
            if spare.connection is connection:
                self._drop(spare)

    async def _dispose(self, connection: Connection) -> None:
        if connection.busy:
            try:
                async with asyncio.timeout(self._timing.close):
                    await connection.cancel()
            except CosyVoiceError, TimeoutError:
                pass
        await connection.close()

    def _in_background(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    # Warm-up

    async def _keep_warm(self) -> None:
        """Hold one task started in advance until the time for it is over."""
        loop = asyncio.get_running_loop()
        while (now := loop.time()) < self._warm_until:
            task = self._warm_task
            fresh_until = max(
                (
                    spare.since + self._timing.task_limit * 0.9
                    for spare in self._spares
                    if spare.task == task
                ),
                default=now,
            )
            if (pause := max(fresh_until, self._warm_not_before) - now) > 0:
                await asyncio.sleep(min(pause, self._warm_until - now))
            elif task is not None and self._limiter.take(task):
                await self._prestart(task)
            else:
                await asyncio.sleep(self._timing.start_window)

    async def _prestart(self, task: TaskSettings) -> None:
        self._warming = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(self._timing.attempt):
                connection = await self._started(task)
        except (CosyVoiceError, TimeoutError) as err:
            _LOGGER.debug("Warm-up failed: %r", err)
            self._statistics.failures += 1
            pause = self._timing.warm_backoff * 2**self._warm_failures
            pause = min(pause, self._timing.warm_backoff_limit)
            self._warm_not_before = asyncio.get_running_loop().time() + pause
            self._warm_failures = min(self._warm_failures + 1, 10)
        else:
            self._statistics.warm_ups += 1
            self._keep(connection, task)
        finally:
            self._warming.set_result(None)
            self._warming = None
