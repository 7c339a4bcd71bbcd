"""Tasks started in advance, slow and closing connections."""

import asyncio
from typing import Any, cast

import pytest

from custom_components.cosyvoice.client.errors import (
    ClientClosedError,
    CosyVoiceConnectionError,
    CosyVoiceTimeoutError,
    error_for,
)
from custom_components.cosyvoice.client.wire.connection import Connection
from custom_components.cosyvoice.client.wire.pool import Pool
from custom_components.cosyvoice.client.wire.protocol import TaskState
from tests.clock import run

from .pooling import (
    LASTING,
    OTHER_LASTING,
    OTHER_TASK,
    TASK,
    TIMING,
    FakeConnection,
    FakeService,
    acquire,
    kept,
    pooled,
    release,
)


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
