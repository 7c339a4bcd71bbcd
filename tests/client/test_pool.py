"""Which connection is used, and which is closed."""

import asyncio
from typing import cast

import pytest

from custom_components.cosyvoice.client.errors import (
    AuthenticationError,
    CosyVoiceConnectionError,
    CosyVoiceError,
    CosyVoiceTimeoutError,
    ThrottledError,
    error_for,
)
from custom_components.cosyvoice.client.wire.connection import Connection
from custom_components.cosyvoice.client.wire.pool import Pool
from tests.clock import run

from .pooling import (
    OTHER_MODEL,
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
    """It is noticed immediately and costs the next utterance nothing."""
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
    """An error that no other connection would mend is raised unchanged."""
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
