"""The connections of an account, and the decision which request uses which one.

Opening a connection costs about four round trips and starting a task one more, so both
are done in advance while speech is likely.
"""

import asyncio
from bisect import insort
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from itertools import count
import logging
import math

from ..errors import (
    AuthenticationError,
    ClientClosedError,
    CosyVoiceConnectionError,
    CosyVoiceError,
    CosyVoiceTimeoutError,
    QuotaError,
    ThrottledError,
    TooManyTasksError,
)
from ..timing import Timing
from .background import Background
from .connection import Connection
from .keeper import Keeper
from .learned import Learned
from .limiter import StartLimiter, TaskLimit
from .protocol import TaskState
from .slots import PoolStatistics, Request, Slot, Slots, SlotState, Supply, take
from .task import TaskSettings
from .warmer import Warmer

_LOGGER = logging.getLogger(__name__)


class Pool:
    """The connections of one account."""

    def __init__(
        self, open_connection: Callable[[], Awaitable[Connection]], timing: Timing
    ) -> None:
        """Prepare without opening a connection.

        Args:
            open_connection: Opens and authenticates a connection, or raises a
                CosyVoiceError.
            timing: The limits to keep.
        """
        self._open_connection = open_connection
        self._timing = timing
        self._limiter = StartLimiter(timing.start_window)
        self._tasks = TaskLimit()
        # The mutable state is these two lists: the waiting requests, in the order of
        # arrival, and the connections. `_assign` matches them whenever one changes.
        self._requests: list[Request] = []
        self._slots = Slots()
        self._warmer = Warmer(self._start_in_advance, self._slots.is_warm, timing)
        self._keeper = Keeper(timing)
        self._cancelling = Learned()
        self._arrivals = count()
        self._next_decision: asyncio.TimerHandle | None = None
        self._last_opening = 0.0
        self._last_start = 0.0
        self._background = Background()
        self._statistics = PoolStatistics()
        self._closed = False

    @property
    def statistics(self) -> PoolStatistics:
        """The pool's figures at this moment."""
        return replace(self._statistics, **self._slots.counts())

    def is_limited(self, task: TaskSettings) -> bool:
        """Return whether the permitted rate lets no such task start now."""
        return self._limiter.delay(task.model, task.starts_per_second) > 0

    async def acquire(
        self, task: TaskSettings, on_progress: Callable[[], None]
    ) -> Connection:
        """Return a connection whose task takes text.

        Waits for the permitted rate of starts as long as it takes, else within limits.

        Args:
            task: Settings of the task.
            on_progress: Called at every step that succeeds: a connection that may
                start the task, the started task.

        Raises:
            ClientClosedError: The pool is closed.
            CosyVoiceError: No task could be started.
        """
        request = Request(False, next(self._arrivals), task)
        slot = await self._start(request, on_progress)
        self._keeper.used(asyncio.get_running_loop().time())
        return slot.opened

    def release(self, connection: Connection) -> None:
        """Take back a connection whose task is finished."""
        if connection.closed or connection.state is not TaskState.IDLE:
            self.discard(connection)
            return
        for slot in self._slots.of(connection):
            self._warmer.encourage()
            self._keeper.used(asyncio.get_running_loop().time())
            self._keep(slot, SlotState.IDLE)
        self._assign()

    def discard(self, connection: Connection) -> None:
        """Close a connection, which ends a task that still runs."""
        if connection.silent:
            self._drop_spares()
        for slot in self._slots.of(connection):
            self._drop(slot)
        self._assign()

    def warm_up(self, task: TaskSettings) -> None:
        """Have a task started in advance, and kept ready for a while.

        Costs no characters. Does nothing for a while after warm-ups that failed.
        """
        if not self._closed:
            self._warmer.warm_up(task)

    def keep_ready(self, seconds: float) -> None:
        """Keep a connection ready for this number of seconds after speech.

        Costs no characters. Nothing is opened unless the service accepts the account.
        """
        self._keeper.seconds = seconds
        self._assign()

    def accepted(self, connection: Connection) -> bool:
        """Note that the account is accepted, and return whether to keep the connection."""
        self._keeper.accepted()
        now = asyncio.get_running_loop().time()
        if self._closed or self._slots or not self._keeper.keeps(now):
            return False
        slot = Slot(SlotState.IDLE, now, connection, used=True)
        self._slots.append(slot)
        self._keeper.opening(now)
        self._keep(slot, SlotState.IDLE)
        self._assign()
        return True

    async def close(self) -> None:
        """Close all connections and end all tasks of the pool.

        Requests for a connection fail with a ClientClosedError.
        """
        self._closed = True
        self._decide_at(math.inf)
        await self._warmer.close()
        for request in self._requests:
            request.granted.set_exception(ClientClosedError("The client is closed"))
        self._requests.clear()
        for slot in tuple(self._slots):
            self._drop(slot)
        await self._background.ended()

    # The decision

    def _assign(self) -> None:
        """Match the waiting requests with the connections, in the order of arrival.

        Does no I/O. A connection serves the first request in the queue, whichever it
        was opened for, and not before the permitted rate lets a task start on it.
        """
        if self._closed:
            return
        now = asyncio.get_running_loop().time()
        for slot in self._slots.in_state(SlotState.IDLE, SlotState.WARM):
            if slot.opened.closed or now - slot.since >= self._limit(slot):
                self._drop(slot)
        supply = Supply.of(self._slots, self._requests)
        for kind in (supply.warming, supply.coming):
            kind[:] = [slot for slot in kind if now < self._late_at(slot)]
        for request in self._requests:
            request.unserved = False
        times = [self._serve(request, supply) for request in tuple(self._requests)]
        times.append(self._keep_one_ready())
        self._decide_at(min(times))

    def _serve(self, request: Request, supply: Supply) -> float:
        """Serve a request as far as possible.

        Returns:
            When to decide again, in the loop's time.
        """
        task = request.task
        # One start is left to requests that are no warm-ups.
        permitted = task.starts_per_second - request.warm
        if request.warm and request not in supply.warm_ups:
            return math.inf
        places = self._tasks.left(supply.busy + supply.starts.total())
        if not request.warm and not request.new:
            if slot := take(supply.warm, lambda slot: slot.task == task):
                self._grant(request, slot)
                return math.inf
            if slot := take(supply.warming, lambda slot: slot.task == task):
                return self._late_at(slot)
            if places > 1 and (
                warm_up := take(supply.warm_ups, lambda other: other.task == task)
            ):
                request = warm_up  # It is under way: the request gets its task.
        if places <= request.warm:  # One place is left as well.
            return self._make_place(request, supply)
        supply.starts[task.model] += 1
        if supply.starts[task.model] > 2 * task.starts_per_second:
            return math.inf  # By its turn a connection will have become free.
        now = asyncio.get_running_loop().time()
        turn = now + self._limiter.delay(task.model, permitted)
        if request.new and turn - self._last_opening > now:
            return turn - self._last_opening  # It must not wait once it is open.
        if slot := take(supply.idle, lambda slot: slot.suits(request, now)):
            if turn > now:
                return turn
            self._limiter.count(task.model)
            self._grant(request, slot)
            return self._late_at(slot) if request.warm else math.inf
        request.unserved = True
        supply.unserved += 1
        if slot := take(supply.coming, lambda _: True):
            return self._late_at(slot)
        if slot := take(supply.warm, lambda slot: slot.clears(self._cancelling)):
            return self._late_at(self._clear(slot))
        if supply.prepared > supply.unserved:
            return math.inf
        supply.prepared += 1
        return self._late_at(self._open())

    def _make_place(self, request: Request, supply: Supply) -> float:
        """End a spare task or wait for another one, and return when to decide again."""
        if request.warm:
            return math.inf
        now = asyncio.get_running_loop().time()
        if slot := take(supply.warm, lambda _: True):
            self._drop(slot)
            return now
        request.turn_by = request.turn_by or now + self._timing.turn
        if now >= request.turn_by:
            self._fail(TooManyTasksError("No other task has ended in time"), [request])
        return request.turn_by

    def _keep_one_ready(self) -> float:
        """Open the connection to keep ready if it is due, and return when to decide again."""
        now = asyncio.get_running_loop().time()
        ready_until = self._slots.ready_until(self._timing) - 2 * self._last_opening
        due = self._keeper.due(max(now, ready_until, self._warmer.until))
        if due <= now:
            self._keeper.opening(now)
            self._open()
            return math.inf
        return due

    def _grant(self, request: Request, slot: Slot) -> None:
        self._requests.remove(request)
        slot.work.cancel()
        slot.since, slot.busy = asyncio.get_running_loop().time(), True
        if request.warm:
            slot.state, slot.task = SlotState.WARMING, request.task
        else:
            slot.state = SlotState.IN_USE
        request.granted.set_result(slot)

    def _decide_at(self, when: float) -> None:
        """Decide again at this time, in the loop's time."""
        if self._next_decision is not None:
            self._next_decision.cancel()
            self._next_decision = None
        if when < math.inf:
            loop = asyncio.get_running_loop()
            self._next_decision = loop.call_at(when, self._assign)

    def _late_at(self, slot: Slot) -> float:
        """Return from when on a slot that is being prepared is not waited for."""
        return slot.since + max(self._timing.another, 2 * self._last_opening)

    def _limit(self, slot: Slot) -> float:
        """Return for how many seconds a connection is kept."""
        if slot.task or not self._keeper.keeps(asyncio.get_running_loop().time()):
            return slot.limit(self._timing)
        return self._timing.kept_limit

    # Waiting requests

    async def _start(self, request: Request, on_progress: Callable[[], None]) -> Slot:
        """Return a slot whose task is started, after replacing dead connections."""
        try:
            while True:
                slot = await self._granted(request)
                if not request.throttled or request.turn_by:
                    on_progress()
                try:
                    await self._run(slot, request.task)
                except BaseException as err:
                    if isinstance(err, AuthenticationError | QuotaError):
                        self._keeper.refused()
                    self.discard(slot.opened)
                    if not self._may_repeat(request, slot, err):
                        raise
                    _LOGGER.debug("%s: replaced: %r", slot.opened.name, err)
                else:
                    on_progress()
                    return slot
        except CosyVoiceError:
            self._statistics.failures += 1
            raise

    async def _granted(self, request: Request) -> Slot:
        """Wait for a connection and the right to start a task on it."""
        if self._closed:
            raise ClientClosedError("The client is closed")
        request.granted = asyncio.get_running_loop().create_future()
        insort(self._requests, request)
        self._assign()
        try:
            # Being cancelled must not cancel the future, which may be set meanwhile.
            await asyncio.wait({request.granted})
            slot = request.granted.result()
            await asyncio.wait({slot.work})  # A WebSocket has one reader.
        except asyncio.CancelledError:
            self._withdraw(request)
            raise
        return slot

    def _withdraw(self, request: Request) -> None:
        if request in self._requests:
            self._requests.remove(request)
        elif request.granted.exception() is None:
            self._drop(request.granted.result())
        self._assign()

    async def _run(self, slot: Slot, task: TaskSettings) -> None:
        """Start a task, or check a task that was started in advance."""
        connection, loop = slot.opened, asyncio.get_running_loop()
        if slot.state is SlotState.IN_USE and slot.task is not None:
            if connection.state is not TaskState.RUNNING:
                raise CosyVoiceConnectionError("A task started in advance has ended")
            await connection.probe(self._patience())
            self._statistics.hits += 1
            return
        begun = loop.time()
        limit = self._patience() if slot.used else self._timing.attempt
        try:
            async with asyncio.timeout(limit):
                await connection.start(task.model, task.parameters)
        except TimeoutError:
            connection.silent = True
            raise CosyVoiceTimeoutError("The service did not answer in time") from None
        self._last_start = loop.time() - begun
        self._statistics.reused += slot.used
        slot.used = True

    def _may_repeat(self, request: Request, slot: Slot, err: BaseException) -> bool:
        """Decide whether a failed start is repeated on another connection."""
        if not isinstance(err, CosyVoiceError):
            return False
        if self._closed:
            return True  # The next wait for a connection raises ClientClosedError.
        if isinstance(err, TooManyTasksError) and self._tasks.refused(self._slots.busy):
            return not request.warm
        if isinstance(err, ThrottledError) and not (request.warm or request.throttled):
            # Another client uses the account, too. The place in the queue is kept.
            request.throttled, task = True, request.task
            self._limiter.count(task.model, task.starts_per_second)
            return True
        return request.may_repeat(slot, err)

    def _patience(self) -> float:
        """Return how many seconds a kept connection may take to answer."""
        return max(self._timing.reuse, 2 * self._last_start)

    async def _start_in_advance(self, task: TaskSettings) -> None:
        """Start a task that no request waits for, or raise a CosyVoiceError."""
        request = Request(True, next(self._arrivals), task)
        slot = await self._start(request, lambda: None)
        self._statistics.warm_ups += 1
        self._keep(slot, SlotState.WARM)
        self._assign()

    # Connections

    def _open(self) -> Slot:
        slot = Slot(SlotState.OPENING, asyncio.get_running_loop().time())
        self._slots.append(slot)
        slot.work = self._background.run(self._opened(slot), "connecting")
        return slot

    async def _opened(self, slot: Slot) -> None:
        failure: Exception
        try:
            async with asyncio.timeout(self._timing.connect):
                slot.connection = await self._open_connection()
        except TimeoutError:
            failure = CosyVoiceTimeoutError("The service did not answer in time")
        except Exception as err:  # noqa: BLE001 - raised to the waiting request
            failure = err
        else:
            self._last_opening = asyncio.get_running_loop().time() - slot.since
            self._statistics.opened += 1
            self._keeper.accepted()
            # Without a waiting request, the service may close it before its first task.
            slot.used = not self._requests
            self._keep(slot, SlotState.IDLE)
            self._assign()
            return
        self._slots.remove(slot)
        self._keeper.failed(failure, asyncio.get_running_loop().time())
        _LOGGER.debug("No connection could be opened: %r", failure)
        self._fail(failure, [other for other in self._requests if other.unserved])
        self._assign()

    def _fail(self, failure: Exception, requests: list[Request]) -> None:
        """Fail the first of these requests, which may try again."""
        for request in requests[:1]:
            self._requests.remove(request)
            request.granted.set_exception(failure)

    def _clear(self, slot: Slot) -> Slot:
        """Have a task that was started in advance cancelled."""
        slot.work.cancel()
        slot.state, slot.since = SlotState.CLEARING, asyncio.get_running_loop().time()
        self._statistics.wasted += 1
        slot.work = self._background.run(self._cleared(slot, slot.work), "clearing")
        return slot

    async def _cleared(self, slot: Slot, watch: asyncio.Task[None]) -> None:
        await asyncio.wait({watch})
        try:
            async with asyncio.timeout(self._patience()):
                await slot.opened.cancel()
        except (CosyVoiceError, TimeoutError) as err:
            _LOGGER.debug("%s: not cleared: %r", slot.opened.name, err)
            self._cancelling.failed(slot.model, signs=isinstance(err, TimeoutError))
            self._drop(slot)
        else:
            self._cancelling.worked(slot.model)
            self._keep(slot, SlotState.IDLE)
        self._assign()

    def _keep(self, slot: Slot, state: SlotState) -> None:
        """Keep a connection ready, and notice when it ends."""
        slot.state, slot.since = state, asyncio.get_running_loop().time()
        if state is SlotState.IDLE:
            slot.task, slot.busy = None, False
        slot.work = self._background.run(self._watch(slot), "watching")

    async def _watch(self, slot: Slot) -> None:
        """Drop a connection when it expires or the service ends it or its task.

        If a service ends each new connection, the waiting requests fail. Otherwise they
        would open one after the other.
        """
        connection = slot.opened
        kept_in = connection.state
        failure: CosyVoiceError | None = None
        try:
            async with asyncio.timeout(self._limit(slot)):
                while connection.state is kept_in:
                    await connection.receive()
        except TimeoutError:
            _LOGGER.debug("%s: not kept any longer", connection.name)
        except CosyVoiceError as err:
            _LOGGER.debug("%s: not kept any longer: %r", connection.name, err)
            failure = err
        self._drop(slot)
        if failure and not slot.used and not self._slots.in_state(SlotState.IDLE):
            self._fail(failure, self._requests)
        self._assign()

    def _drop_spares(self) -> None:
        """Drop all kept connections: one died unnoticed, so the others may have."""
        for slot in self._slots.in_state(SlotState.IDLE, SlotState.WARM):
            self._drop(slot)

    def _drop(self, slot: Slot) -> None:
        self._slots.remove(slot)
        if slot.work is not asyncio.current_task():
            slot.work.cancel()
        if slot.state is SlotState.WARM:
            self._statistics.wasted += 1
            self._warmer.replace_lost()
        if slot.connection is not None:
            self._background.run(self._close(slot.connection), "closing")

    async def _close(self, connection: Connection) -> None:
        # Sending the close frame may have to wait as well.
        with suppress(TimeoutError):
            async with asyncio.timeout(2 * self._timing.close):
                await connection.close()
