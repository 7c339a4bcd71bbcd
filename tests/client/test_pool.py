"""Which connection is used, and which is closed."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, cast

import pytest

from custom_components.cosyvoice.client.errors import (
    AuthenticationError,
    ClientClosedError,
    CosyVoiceConnectionError,
    CosyVoiceError,
    CosyVoiceTimeoutError,
    ThrottledError,
    error_for,
)
from custom_components.cosyvoice.client.timing import Timing
from custom_components.cosyvoice.client.wire.connection import Connection
from custom_components.cosyvoice.client.wire.pool import Pool
from custom_components.cosyvoice.client.wire.protocol import TaskState
from custom_components.cosyvoice.client.wire.task import TaskSettings
from tests.clock import run

TASK = TaskSettings("cosyvoice-v3-flash", {"voice": "longanyang"}, 3, cancellable=True)
OTHER_TASK = replace(TASK, parameters={"voice": "longanhuan"})
THIRD_TASK = replace(TASK, parameters={"voice": "longhuhu_v3"})
OTHER_MODEL = TaskSettings("cosyvoice-v2", {"voice": "longanli"}, 3)
LASTING = replace(TASK, cancellable=False)
OTHER_LASTING = replace(OTHER_TASK, cancellable=False)
TIMING = Timing()


class FakeConnection:
    """A connection that does what a test says."""

    def __init__(self) -> None:
        """Be open, idle and willing."""
        self.name = "connection"
        self.closed = False
        self.silent = False
        self.state = TaskState.IDLE
        self.cancelled = 0
        self.probes: list[float] = []
        self.starts: list[float] = []
        self.started: list[TaskSettings] = []
        self.start_error: CosyVoiceError | None = None
        self.hangs = False
        self.round_trip = 0.02
        self.cancel_error: CosyVoiceError | None = None
        self.dies_when_claimed = False
        self.closing_hangs = False
        self.news: asyncio.Queue[TaskState | None] = asyncio.Queue()

    async def start(self, model: str, parameters: dict[str, Any]) -> None:
        """Start a task, or not."""
        assert self.state is TaskState.IDLE
        self.starts.append(asyncio.get_running_loop().time())
        if self.hangs:
            await asyncio.Event().wait()
        await asyncio.sleep(self.round_trip)
        if self.closed:
            raise CosyVoiceConnectionError("closed")
        if self.start_error is not None:
            raise self.start_error
        self.started.append(replace(TASK, model=model, parameters=parameters))
        self.state = TaskState.RUNNING

    async def probe(self, limit: float) -> None:
        """Note it."""
        if self.closed:
            raise CosyVoiceConnectionError("closed")
        self.probes.append(limit)

    async def receive(self) -> list[object]:
        """Wait until the service sends something or closes the connection."""
        try:
            state = await self.news.get()
        except asyncio.CancelledError:
            self.closed = self.dies_when_claimed
            raise
        if state is not None:
            self.state = state
            return []
        self.closed = True
        raise CosyVoiceConnectionError("closed")

    async def cancel(self) -> None:
        """End the task, or not."""
        self.cancelled += 1
        await asyncio.sleep(self.round_trip)
        if self.cancel_error is not None:
            raise self.cancel_error
        self.state = TaskState.IDLE

    async def close(self) -> None:
        """Note it."""
        if self.closing_hangs:
            await asyncio.Event().wait()
        self.closed = True


class FakeService:
    """Opens connections as a test says."""

    def __init__(self) -> None:
        """Have opened none."""
        self.connections: list[FakeConnection] = []
        self.prepare: Callable[[FakeConnection], None] = lambda connection: None
        self.error: CosyVoiceError | None = None
        self.hangs: set[int] | bool = False
        self.takes = 0.1
        self.attempts = 0
        self.on_attempt: Callable[[], None] = lambda: None

    async def open(self) -> Connection:
        """Open a connection."""
        self.attempts += 1
        self.on_attempt()
        if self.hangs is True or (self.hangs and self.attempts in self.hangs):
            await asyncio.Event().wait()
        await asyncio.sleep(self.takes)
        if self.error is not None:
            raise self.error
        connection = FakeConnection()
        self.prepare(connection)
        self.connections.append(connection)
        return cast("Connection", connection)


def pooled(
    test: Callable[[FakeService, Pool], Coroutine[Any, Any, None]],
) -> Callable[[], None]:
    """Run a test with a service and a pool, by a clock that does not wait."""

    def run_test() -> None:
        async def scenario() -> None:
            service = FakeService()
            pool = Pool(service.open, TIMING)
            await test(service, pool)
            await pool.close()

        run(scenario())

    run_test.__name__ = test.__name__
    run_test.__doc__ = test.__doc__
    return run_test


async def acquire(pool: Pool, task: TaskSettings = TASK) -> FakeConnection:
    """Return an acquired connection."""
    return cast("FakeConnection", await pool.acquire(task, lambda: None))


def release(pool: Pool, connection: FakeConnection) -> None:
    """Finish a connection's task and give it back."""
    connection.state = TaskState.IDLE
    pool.release(cast("Connection", connection))


async def kept(pool: Pool) -> FakeConnection:
    """Return a connection whose task is finished, and which the pool keeps."""
    connection = await acquire(pool)
    release(pool, connection)
    return connection


@pooled
async def test_a_connection_is_reused_after_its_task(
    service: FakeService, pool: Pool
) -> None:
    """A second utterance opens no second connection."""
    first = await acquire(pool)
    assert pool.statistics.connections == 1
    release(pool, first)
    assert pool.statistics.idle == 1
    second = await acquire(pool, OTHER_MODEL)
    assert second is first
    assert pool.statistics.opened == 1
    assert pool.statistics.reused == 1
    pool.discard(cast("Connection", second))
    await pool.close()
    assert first.closed
    assert pool.statistics.connections == 0


@pooled
async def test_utterances_at_once_have_a_connection_each(
    service: FakeService, pool: Pool
) -> None:
    """Audio carries no task id, so a connection is never shared."""
    used = await asyncio.gather(*(acquire(pool) for _ in range(5)))
    assert len({id(connection) for connection in used}) == 5
    await pool.close()
    assert all(connection.closed for connection in used)


@pooled
async def test_an_idle_connection_is_dropped_in_time(
    service: FakeService, pool: Pool
) -> None:
    """Before the service closes it, and without anyone asking."""
    connection = await kept(pool)
    await asyncio.sleep(TIMING.idle_limit + 0.1)
    assert connection.closed
    assert pool.statistics.connections == 0


@pooled
async def test_a_connection_that_the_service_closes_is_forgotten(
    service: FakeService, pool: Pool
) -> None:
    """It is noticed at once and costs the next utterance nothing."""
    connection = await kept(pool)
    connection.news.put_nowait(None)
    await asyncio.sleep(0.1)
    assert pool.statistics.connections == 0
    assert await acquire(pool) is not connection


@pooled
async def test_a_connection_that_died_a_moment_ago_is_replaced(
    service: FakeService, pool: Pool
) -> None:
    """The news of its end and the next utterance may come together."""
    connection = await kept(pool)
    await asyncio.sleep(0)
    connection.news.put_nowait(None)
    await asyncio.sleep(0)
    assert await acquire(pool) is not connection


@pooled
async def test_a_connection_that_dies_as_it_is_claimed_is_replaced(
    service: FakeService, pool: Pool
) -> None:
    """Nobody gets a closed connection."""
    connection = await kept(pool)
    await asyncio.sleep(0)
    connection.dies_when_claimed = True
    assert await acquire(pool) is not connection


@pooled
async def test_only_the_connection_that_ended_is_dropped(
    service: FakeService, pool: Pool
) -> None:
    """Others stay; one that closed unnoticed is dropped when another is wanted."""
    used = [await acquire(pool) for _ in range(3)]
    for connection in used:
        release(pool, connection)
    await asyncio.sleep(0)
    used[1].news.put_nowait(None)
    await asyncio.sleep(0.1)
    assert pool.statistics.idle == 2
    used[0].closed = True
    assert await acquire(pool) is used[2]
    assert pool.statistics.idle == 0


@pytest.mark.parametrize("hangs", [True, False])
def test_a_dead_connection_is_replaced_unnoticed(*, hangs: bool) -> None:
    """Whether it answers nothing or an error."""

    async def scenario() -> None:
        service = FakeService()
        pool = Pool(service.open, TIMING)
        dead = await kept(pool)
        dead.hangs = hangs
        dead.start_error = CosyVoiceConnectionError("reset")
        loop = asyncio.get_running_loop()
        begun = loop.time()
        assert await acquire(pool) is not dead
        assert loop.time() - begun < TIMING.reuse + 0.2
        await pool.close()
        assert dead.closed

    run(scenario())


@pooled
async def test_a_refusal_on_a_kept_connection_is_final(
    service: FakeService, pool: Pool
) -> None:
    """An error that no other connection would mend is raised as it is."""
    connection = await kept(pool)
    connection.start_error = AuthenticationError("no")
    with pytest.raises(AuthenticationError):
        await acquire(pool)
    assert service.attempts == 1
    assert pool.statistics.failures == 1


@pooled
async def test_an_attempt_has_a_time_limit(service: FakeService, pool: Pool) -> None:
    """A service that never answers costs one attempt's time and no more."""
    service.hangs = True
    loop = asyncio.get_running_loop()
    begun = loop.time()
    with pytest.raises(CosyVoiceTimeoutError):
        await acquire(pool)
    assert loop.time() - begun == pytest.approx(TIMING.connect, abs=0.1)


@pooled
async def test_a_burst_starts_at_the_permitted_rate_and_in_order(
    service: FakeService, pool: Pool
) -> None:
    """Nobody fails, and few connections are opened."""
    order: list[int] = []

    async def speak(number: int) -> None:
        connection = await pool.acquire(TASK, lambda: order.append(number))
        await asyncio.sleep(0.5)
        release(pool, cast("FakeConnection", connection))

    await asyncio.gather(*map(speak, range(60)))
    assert list(dict.fromkeys(order)) == list(range(60))
    starts = sorted(
        start for connection in service.connections for start in connection.starts
    )
    assert all(b - a >= 1 for a, b in zip(starts, starts[3:], strict=False))
    assert starts[-1] - starts[0] < 57 / 3 * 1.1
    assert len(service.connections) <= 9
    assert pool.statistics.failures == 0


@pooled
async def test_the_permitted_rate_is_known_to_delay(
    service: FakeService, pool: Pool
) -> None:
    """For a model of which no task may be started now."""
    for _ in range(3):
        assert not pool.is_limited(TASK)
        await acquire(pool)
    assert pool.is_limited(TASK)
    assert not pool.is_limited(OTHER_MODEL)
    await asyncio.sleep(TIMING.start_window)
    assert not pool.is_limited(TASK)


@pooled
async def test_models_do_not_wait_for_each_other(
    service: FakeService, pool: Pool
) -> None:
    """The rate is counted for each model."""
    burst = [asyncio.create_task(acquire(pool)) for _ in range(10)]
    await asyncio.sleep(0.5)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    await acquire(pool, OTHER_MODEL)
    assert loop.time() - begun < 0.2
    for task in burst:
        task.cancel()
    await asyncio.wait(burst)


@pooled
async def test_every_step_is_reported(service: FakeService, pool: Pool) -> None:
    """So that whoever waits can tell slowness from silence."""
    loop = asyncio.get_running_loop()
    steps: list[float] = []
    await pool.acquire(TASK, lambda: steps.append(loop.time()))
    assert steps == pytest.approx([0.1, 0.12], abs=0.001)


@pooled
async def test_a_throttled_start_keeps_its_place(
    service: FakeService, pool: Pool
) -> None:
    """It is repeated once, before those who came later."""
    order: list[int] = []

    async def speak(number: int) -> None:
        await acquire(pool)
        order.append(number)

    def refuse_the_first(connection: FakeConnection) -> None:
        if service.attempts == 6 and not service.connections:
            connection.start_error = ThrottledError("too many")

    service.prepare = refuse_the_first
    await asyncio.gather(*map(speak, range(6)))
    assert order[:3] == [1, 2, 0]
    assert pool.statistics.failures == 0


@pooled
async def test_connections_that_the_service_ends_fail_whoever_waits_for_a_turn(
    service: FakeService, pool: Pool
) -> None:
    """They are not opened one after the other until the turn comes."""

    def end_at_once(connection: FakeConnection) -> None:
        connection.news.put_nowait(None)

    starts = [await pool.acquire(TASK, lambda: None) for _ in range(3)]
    service.prepare = end_at_once
    service.takes = 0.001
    with pytest.raises(CosyVoiceConnectionError):
        await pool.acquire(TASK, lambda: None)
    assert len(service.connections) == len(starts) + 1


@pooled
async def test_a_service_that_keeps_throttling_is_an_error(
    service: FakeService, pool: Pool
) -> None:
    """Whoever wanted the task decides what to do."""

    def refuse(connection: FakeConnection) -> None:
        connection.start_error = ThrottledError("too many")

    service.prepare = refuse
    with pytest.raises(ThrottledError):
        await acquire(pool)
    assert len(service.connections) == 2


@pytest.mark.parametrize("lasts", [False, True])
@pytest.mark.parametrize("reused", [False, True])
@pytest.mark.parametrize(
    "message", ["Invalid action('run-task')!", "[tts:]Engine return error code: 418"]
)
def test_a_sporadic_refusal_is_repeated_once_on_a_new_connection(
    message: str, *, reused: bool, lasts: bool
) -> None:
    """If it comes again, it is meant."""

    async def scenario() -> None:
        service = FakeService()
        pool = Pool(service.open, TIMING)
        if reused:
            await kept(pool)

        def refuse(connection: FakeConnection) -> None:
            connection.start_error = error_for("InvalidParameter", message)

        if reused:
            refuse(service.connections[0])
        if lasts or not reused:
            service.prepare = refuse
        acquiring = asyncio.create_task(acquire(pool))
        await asyncio.sleep(0.11)
        if not lasts:
            service.prepare = lambda connection: None
            assert await acquiring is service.connections[1]
        else:
            with pytest.raises(CosyVoiceError) as caught:
                await acquiring
            assert not caught.value.retry_once
        assert len(service.connections) == 2
        await pool.close()

    run(scenario())


@pooled
async def test_giving_up_as_the_connection_comes_leaves_nothing_behind(
    service: FakeService, pool: Pool
) -> None:
    """Neither when it comes nor when it cannot be had."""
    for error in (None, CosyVoiceConnectionError("no")):
        service.error = error
        waiting = asyncio.create_task(acquire(pool))
        await asyncio.sleep(0.05)
        asyncio.get_running_loop().call_later(0.05, waiting.cancel)
        await asyncio.wait({waiting})
        await asyncio.sleep(1)
        in_use = pool.statistics.connections - pool.statistics.idle
        assert in_use == 0


def test_giving_up_leaves_nothing_behind() -> None:
    """At whatever moment an utterance is given up, its connection is closed."""

    async def scenario(moment: float) -> None:
        service = FakeService()
        pool = Pool(service.open, TIMING)
        release(pool, await acquire(pool))
        await asyncio.sleep(0)
        waiting = asyncio.create_task(acquire(pool))
        for _ in range(2):
            await asyncio.sleep(moment)
        waiting.cancel()
        await asyncio.wait({waiting})
        assert pool.statistics.connections - pool.statistics.idle <= 1
        await pool.close()
        assert all(connection.closed for connection in service.connections)

    for moment in (0, 0.001, 0.01):
        run(scenario(moment))


@pooled
async def test_a_task_started_in_advance_serves_at_once(
    service: FakeService, pool: Pool
) -> None:
    """It is a hit, and nothing has to be waited for."""
    pool.warm_up(TASK)
    await asyncio.sleep(1)
    assert pool.statistics.prestarted == 1
    assert pool.statistics.warm_ups == 1
    loop = asyncio.get_running_loop()
    begun = loop.time()
    await acquire(pool)
    assert loop.time() == begun
    assert pool.statistics.hits == 1


@pooled
async def test_a_warm_up_under_way_is_waited_for(
    service: FakeService, pool: Pool
) -> None:
    """It is not done a second time beside it."""
    pool.warm_up(TASK)
    await asyncio.sleep(0.05)
    pool.warm_up(TASK)
    await acquire(pool)
    assert service.attempts == 1
    assert pool.statistics.hits == 1


@pooled
async def test_other_settings_cost_a_fresh_task_on_the_warm_connection(
    service: FakeService, pool: Pool
) -> None:
    """Its task is cancelled first: the service does not let it be replaced."""
    pool.warm_up(TASK)
    await asyncio.sleep(1)
    connection = await acquire(pool, OTHER_TASK)
    assert connection.cancelled == 1
    assert [task.parameters for task in connection.started] == [
        TASK.parameters,
        OTHER_TASK.parameters,
    ]
    assert pool.statistics.wasted == 1
    assert pool.statistics.hits == 0


@pooled
async def test_a_task_that_cannot_be_cancelled_is_left_alone(
    service: FakeService, pool: Pool
) -> None:
    """Other settings open another connection."""
    pool.warm_up(LASTING)
    await asyncio.sleep(1)
    other = await acquire(pool, OTHER_LASTING)
    assert other is service.connections[1]
    assert await acquire(pool, LASTING) is service.connections[0]
    assert pool.statistics.hits == 1


@pooled
async def test_a_cancel_that_fails_costs_the_connection(
    service: FakeService, pool: Pool
) -> None:
    """Another one is opened."""
    pool.warm_up(TASK)
    await asyncio.sleep(1)
    service.connections[0].cancel_error = CosyVoiceConnectionError("gone")
    assert await acquire(pool, OTHER_TASK) is service.connections[1]
    await asyncio.sleep(0)
    assert service.connections[0].closed


@pooled
async def test_a_started_task_is_renewed_and_given_up_in_time(
    service: FakeService, pool: Pool
) -> None:
    """The service would end it; after a while without use it is not renewed."""
    pool.warm_up(TASK)
    await asyncio.sleep(TIMING.task_limit + 1)
    [connection] = service.connections
    assert len(connection.started) == 2
    assert connection.cancelled == 1
    assert pool.statistics.prestarted == 1
    await asyncio.sleep(TIMING.keep_warm + TIMING.task_limit)
    assert pool.statistics.connections == 0
    assert connection.closed
    assert pool.statistics.wasted == pool.statistics.warm_ups


@pooled
async def test_warming_up_again_for_other_settings(
    service: FakeService, pool: Pool
) -> None:
    """The connection stays, its task is cancelled."""
    pool.warm_up(TASK)
    await asyncio.sleep(2)
    pool.warm_up(OTHER_TASK)
    await asyncio.sleep(2)
    [connection] = service.connections
    assert connection.cancelled == 1
    assert connection.started[-1].parameters == OTHER_TASK.parameters
    assert pool.statistics.prestarted == 1


@pooled
async def test_failing_warm_ups_become_rarer(service: FakeService, pool: Pool) -> None:
    """A service that is away is not asked over and over."""
    service.error = CosyVoiceConnectionError("refused")
    for _ in range(300):
        pool.warm_up(TASK)
        await asyncio.sleep(1)
    assert 3 < service.attempts < 8
    service.error = None
    release(pool, await acquire(pool))
    pool.warm_up(TASK)
    await asyncio.sleep(2)
    assert pool.statistics.prestarted == 1


@pooled
async def test_refused_warm_ups_keep_no_other_voice_cold(
    service: FakeService, pool: Pool
) -> None:
    """The pause after failures belongs to the settings that failed."""

    def refuse(connection: FakeConnection) -> None:
        connection.start_error = error_for("InvalidParameter", "no")

    service.prepare = refuse
    for _ in range(100):
        pool.warm_up(TASK)
        await asyncio.sleep(1)
    service.prepare = lambda connection: None
    pool.warm_up(OTHER_TASK)
    await asyncio.sleep(2)
    assert pool.statistics.prestarted == 1


@pooled
async def test_a_harmless_message_does_not_end_a_started_task(
    service: FakeService, pool: Pool
) -> None:
    """Such as an unknown event, or a late one of the task before."""
    pool.warm_up(TASK)
    await asyncio.sleep(1)
    [connection] = service.connections
    connection.news.put_nowait(TaskState.RUNNING)
    await asyncio.sleep(1)
    assert await acquire(pool) is connection
    assert pool.statistics.hits == 1


@pooled
async def test_a_started_task_that_is_lost_is_replaced_soon(
    service: FakeService, pool: Pool
) -> None:
    """Whether the connection is closed or the service ends the task."""
    pool.warm_up(TASK)
    for news in (None, TaskState.IDLE):
        await asyncio.sleep(TIMING.warm_backoff + 1)
        service.connections[-1].news.put_nowait(news)
        await asyncio.sleep(0.5)
        assert pool.statistics.prestarted == 1
    assert len(service.connections) == 3


@pooled
async def test_a_started_task_that_is_lost_at_once_is_not_started_over_and_over(
    service: FakeService, pool: Pool
) -> None:
    def refuse(connection: FakeConnection) -> None:
        connection.news.put_nowait(TaskState.RUNNING)
        connection.news.put_nowait(None)

    service.prepare = refuse
    pool.warm_up(TASK)
    await asyncio.sleep(60)
    assert 10 <= service.attempts <= 13


@pooled
async def test_a_started_task_is_probed_when_it_is_used(
    service: FakeService, pool: Pool
) -> None:
    """By the measure of how long the service usually takes."""
    pool.warm_up(TASK)
    await asyncio.sleep(1)
    connection = await acquire(pool)
    assert connection.probes == [TIMING.reuse]


@pooled
async def test_a_started_task_that_dies_as_it_is_claimed_is_replaced(
    service: FakeService, pool: Pool
) -> None:
    pool.warm_up(TASK)
    await asyncio.sleep(1)
    [first] = service.connections
    first.dies_when_claimed = True
    assert await acquire(pool) is not first
    assert pool.statistics.hits == 0


@pooled
async def test_a_started_task_that_ends_as_it_is_claimed_is_replaced(
    service: FakeService, pool: Pool
) -> None:
    pool.warm_up(TASK)
    await asyncio.sleep(1)
    [first] = service.connections
    first.state = TaskState.FAILED
    assert await acquire(pool) is not first


@pooled
async def test_a_silent_connection_makes_all_kept_ones_suspect(
    service: FakeService, pool: Pool
) -> None:
    """A network that was cut ends them all, and each would cost the time again."""
    used = [await acquire(pool) for _ in range(3)]
    for connection in used:
        connection.hangs = True
        release(pool, connection)
    await asyncio.sleep(TIMING.start_window)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    new = await acquire(pool)
    assert new not in used
    assert loop.time() - begun < TIMING.reuse + 0.2
    assert all(connection.closed for connection in used)
    new.silent = True
    await kept(pool)
    pool.discard(cast("Connection", new))
    assert pool.statistics.connections == 0


@pooled
async def test_a_slow_network_is_given_the_time_it_usually_takes(
    service: FakeService, pool: Pool
) -> None:
    """What took long the last time is not taken for dead."""

    def slow(connection: FakeConnection) -> None:
        connection.round_trip = 2.5

    service.prepare = slow
    service.takes = 8.0
    connection = await kept(pool)
    assert await acquire(pool) is connection
    assert pool.statistics.reused == 1


@pooled
async def test_what_is_slow_or_hangs_is_overtaken_by_another_connection(
    service: FakeService, pool: Pool
) -> None:
    """One more than is needed, and no more than that."""
    service.hangs = {1, 3}
    loop = asyncio.get_running_loop()
    await acquire(pool)
    assert loop.time() < TIMING.another + 0.2
    assert service.attempts == 2
    service.hangs = True
    with pytest.raises(CosyVoiceTimeoutError):
        await acquire(pool)
    assert service.attempts == 3


@pooled
async def test_an_unexpected_failure_reaches_whoever_waits(
    service: FakeService, pool: Pool
) -> None:
    """It is a bug, and better than waiting for ever."""
    service.error = cast("Any", RuntimeError("a bug"))
    with pytest.raises(RuntimeError):
        await acquire(pool)


@pooled
async def test_a_connection_that_cannot_be_closed_delays_nothing_for_long(
    service: FakeService, pool: Pool
) -> None:
    connection = await acquire(pool)
    connection.closing_hangs = True
    loop = asyncio.get_running_loop()
    begun = loop.time()
    await pool.close()
    assert loop.time() - begun <= 2 * TIMING.close + 0.1


@pooled
async def test_background_tasks_have_names(service: FakeService, pool: Pool) -> None:
    """A dump of all tasks tells whose they are."""
    pool.warm_up(TASK)
    names = set()
    for _ in range(5):
        names |= {task.get_name() for task in asyncio.all_tasks()}
        await asyncio.sleep(0.05)
    names -= {asyncio.current_task().get_name()}
    assert names == {
        "cosyvoice warm-up",
        "cosyvoice connecting",
        "cosyvoice watching",
    }


@pooled
async def test_warm_ups_do_not_use_up_the_permitted_starts(
    service: FakeService, pool: Pool
) -> None:
    """While speech uses them, the warm-up waits."""
    used = await asyncio.gather(*(acquire(pool) for _ in range(3)))
    pool.warm_up(TASK)
    await asyncio.sleep(0.2)
    assert pool.statistics.warm_ups == 0
    await asyncio.sleep(3)
    assert pool.statistics.warm_ups == 1
    assert len(used) == 3


@pytest.mark.parametrize("moment", [0.0, 0.05, 0.11, 0.5, 3.0])
def test_closing_ends_those_who_wait_and_opens_nothing(moment: float) -> None:
    """Whether they wait for a connection, for their turn or for their task."""

    async def scenario() -> None:
        service = FakeService()
        pool = Pool(service.open, TIMING)
        waiting = [asyncio.create_task(acquire(pool)) for _ in range(20)]
        pool.warm_up(TASK)
        await asyncio.sleep(moment)
        await pool.close()
        ends = await asyncio.gather(*waiting, return_exceptions=True)
        served = [end for end in ends if isinstance(end, FakeConnection)]
        refused = [end for end in ends if isinstance(end, ClientClosedError)]
        assert len(served) + len(refused) == 20
        attempts = service.attempts
        await asyncio.sleep(100)
        assert service.attempts == attempts
        assert all(connection.closed for connection in service.connections)

    run(scenario())


@pooled
async def test_a_closed_pool_does_nothing_more(
    service: FakeService, pool: Pool
) -> None:
    """It starts nothing, keeps nothing, and closes what comes back late."""
    connection = await acquire(pool)
    pool.warm_up(TASK)
    await asyncio.sleep(0.05)
    await pool.close()
    release(pool, connection)
    pool.warm_up(TASK)
    with pytest.raises(ClientClosedError):
        await acquire(pool)
    await pool.close()
    assert connection.closed
    assert all(connection.closed for connection in service.connections)
