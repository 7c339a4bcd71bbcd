"""A connection that is kept ready between utterances."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from itertools import pairwise
import math
from typing import Any, cast

import pytest

from custom_components.cosyvoice.client import CosyVoiceClient, Timing
from custom_components.cosyvoice.client.errors import (
    ArrearsError,
    AuthenticationError,
    CosyVoiceConnectionError,
    CosyVoiceError,
)
from custom_components.cosyvoice.client.wire.pool import Pool
from tests.clock import run
from tests.emulator import Emulator, EmulatorConfig

from .pooling import FakeService, acquire, kept, pooled, release
from .speaking import options, service

TEXT = "今天天气不错。"
ROUND_TRIP = 0.2
FIRST_PACKET = 0.3
TIMING = Timing()
AFTER_SPEECH = 600.0


async def first_audio(client: CosyVoiceClient, voice: str = "longanyang") -> float:
    """Speak; return the seconds until there was audio."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    taken = math.inf
    async for _ in client.speak(TEXT, options(voice)):
        taken = min(taken, loop.time() - begun)
    return taken


def far(
    test: Callable[[Emulator, CosyVoiceClient], Coroutine[Any, Any, None]],
    **settings: Any,
) -> None:
    """Run a test with a service on another continent, by a clock that does not wait."""

    async def scenario() -> None:
        config = EmulatorConfig(
            speech="signal",
            round_trip=ROUND_TRIP,
            first_packet=FIRST_PACKET,
            **settings,
        )
        async with service(config) as (emulator, client):
            await test(emulator, client)

    run(scenario())


def openings(emulator: Emulator) -> list[float]:
    """Return when connections were opened."""
    return [record.opened for record in emulator.connections]


WARM = 2 * ROUND_TRIP + FIRST_PACKET


@pytest.mark.parametrize("differ", ["cancel-unanswered", "idle-code-1001", None])
@pytest.mark.parametrize("seconds", [AFTER_SPEECH, math.inf])
def test_speech_after_some_minutes_does_not_pay_for_the_connection(
    seconds: float, differ: str | None
) -> None:
    """However the pause falls between two connections."""

    async def scenario(emulator: Emulator, client: CosyVoiceClient) -> None:
        client.keep_ready(seconds)
        await first_audio(client)
        for pause in (90, 117, 118.3, 119, 120, 121.1, 150, 178.2, 300, 580):
            await asyncio.sleep(pause)
            assert await first_audio(client) <= 1.15 * WARM, pause
        assert not [task for task in emulator.tasks if task.outcome == "failed"]

    far(scenario, differ={differ} if differ else ())


def test_without_it_the_connection_is_paid_again() -> None:
    async def scenario(_: Emulator, client: CosyVoiceClient) -> None:
        await first_audio(client)
        await asyncio.sleep(300)
        assert await first_audio(client) > 1.5 * WARM

    far(scenario)


def test_after_speech_it_ends() -> None:
    """Ten minutes later, nothing is opened any more."""

    async def scenario(emulator: Emulator, client: CosyVoiceClient) -> None:
        client.keep_ready(AFTER_SPEECH)
        await first_audio(client)
        await asyncio.sleep(AFTER_SPEECH + TIMING.kept_limit)
        opened = len(emulator.connections)
        assert emulator.open_connections == 0
        assert 9 <= opened <= 13
        await asyncio.sleep(3600)
        assert len(emulator.connections) == opened

    far(scenario)


def test_no_more_than_one_connection_a_minute_is_opened_ahead() -> None:
    """And none carries a task: nothing can be billed."""

    async def scenario(emulator: Emulator, client: CosyVoiceClient) -> None:
        client.keep_ready(math.inf)
        await client.check_key()
        await asyncio.sleep(3600)
        opened = openings(emulator)
        assert len(opened) <= 61
        assert all(b - a >= 59 for a, b in pairwise(opened))
        assert emulator.tasks == []
        assert emulator.open_connections <= 2
        assert await first_audio(client) <= 1.15 * WARM

    far(scenario)


@pytest.mark.parametrize("idle", [10.0, 30.0])
def test_a_service_that_closes_sooner_gets_no_more_connections(idle: float) -> None:
    async def scenario(emulator: Emulator, client: CosyVoiceClient) -> None:
        client.keep_ready(math.inf)
        await client.check_key()
        await asyncio.sleep(3600)
        assert len(emulator.connections) <= 61

    far(scenario, idle=idle)


def test_the_checked_connection_is_the_first_that_is_kept() -> None:
    async def scenario(emulator: Emulator, client: CosyVoiceClient) -> None:
        client.keep_ready(math.inf)
        await asyncio.sleep(10)
        assert emulator.connections == []
        await client.check_key()
        await asyncio.sleep(10)
        assert len(emulator.connections) == 1
        assert await first_audio(client) <= 1.15 * WARM
        assert len(emulator.connections) == 1
        # Another check keeps none: one is ready.
        await client.check_key()
        assert len(emulator.connections) == 2
        await asyncio.sleep(2)
        assert emulator.open_connections == 1

    far(scenario)


@pytest.mark.parametrize(
    "fault",
    [
        "invalid_action@before_started",
        "reset@before_started",
        "drop@before_started",
        "close@before_started",
    ],
)
def test_a_kept_connection_that_fails_is_replaced_without_a_pause(fault: str) -> None:
    async def scenario(emulator: Emulator, client: CosyVoiceClient) -> None:
        client.keep_ready(math.inf)
        await client.check_key()
        await asyncio.sleep(200)
        emulator.script(fault)
        assert await first_audio(client) <= WARM + 5.2 * ROUND_TRIP
        assert emulator.happened

    far(scenario)


def test_it_acts_from_now_on() -> None:
    """Switched on, a connection is opened; switched off, the last one falls away."""

    async def scenario(emulator: Emulator, client: CosyVoiceClient) -> None:
        await client.check_key()
        await asyncio.sleep(10)
        assert emulator.open_connections == 0
        client.keep_ready(math.inf)
        await asyncio.sleep(2)
        assert emulator.open_connections == 1
        client.keep_ready(0.0)
        await asyncio.sleep(70)
        assert emulator.open_connections == 0
        assert len(emulator.connections) == 2

    far(scenario)


def test_nothing_is_opened_once_the_client_is_closed() -> None:
    async def scenario(emulator: Emulator, client: CosyVoiceClient) -> None:
        client.keep_ready(math.inf)
        await first_audio(client)
        await client.close()
        client.keep_ready(math.inf)
        opened = len(emulator.connections)
        await asyncio.sleep(3600)
        assert len(emulator.connections) == opened
        assert emulator.open_connections == 0

    far(scenario)


# What goes wrong


def ready(
    test: Callable[[FakeService, Pool], Coroutine[Any, Any, None]],
) -> Callable[[], None]:
    """Run a test with a pool that has spoken and keeps a connection ready."""

    @wraps(test)
    async def prepared(service: FakeService, pool: Pool) -> None:
        pool.keep_ready(math.inf)
        await kept(pool)
        await test(service, pool)

    return pooled(prepared)


async def end_connections(service: FakeService) -> None:
    """Let the service close what is open."""
    for connection in service.connections:
        connection.news.put_nowait(None)
    await asyncio.sleep(0.01)


@ready
async def test_a_service_that_is_away_is_asked_ever_more_seldom(
    service: FakeService, pool: Pool
) -> None:
    loop = asyncio.get_running_loop()
    times: list[float] = []
    service.error = CosyVoiceConnectionError("away")
    service.on_attempt = lambda: times.append(loop.time())
    await end_connections(service)
    await asyncio.sleep(3000)
    pauses = [b - a for a, b in pairwise(times)]
    assert [round(pause) for pause in pauses[:5]] == [60, 120, 240, 300, 300]
    service.error = None
    await asyncio.sleep(310)
    assert pool.statistics.idle == 1
    # It is back: one a minute again.
    attempts = len(times)
    await asyncio.sleep(600)
    assert 9 <= len(times) - attempts <= 10


@pytest.mark.parametrize("kind", [AuthenticationError, RuntimeError])
def test_a_refused_account_is_left_alone(kind: type[Exception]) -> None:
    """Until the service accepts it again."""

    @ready
    async def test(service: FakeService, pool: Pool) -> None:
        service.error = cast("CosyVoiceError", kind("refused"))
        await end_connections(service)
        await asyncio.sleep(TIMING.renew)
        attempts = service.attempts
        await asyncio.sleep(3600)
        assert service.attempts == attempts == 2
        service.error = None
        await kept(pool)
        await end_connections(service)
        await asyncio.sleep(TIMING.renew)
        assert pool.statistics.idle == 1

    test()


@pytest.mark.parametrize("kind", [AuthenticationError, ArrearsError])
def test_so_is_one_whose_task_is_refused(kind: type[CosyVoiceError]) -> None:
    @ready
    async def test(service: FakeService, pool: Pool) -> None:
        service.connections[0].start_error = kind("refused")
        with pytest.raises(kind):
            await acquire(pool)
        attempts = service.attempts
        await asyncio.sleep(3600)
        assert service.attempts == attempts

    test()


@ready
async def test_nothing_is_opened_ahead_during_speech(
    service: FakeService, pool: Pool
) -> None:
    connection = await acquire(pool)
    await asyncio.sleep(300)
    assert service.attempts == 1
    release(pool, connection)
    await asyncio.sleep(300)
    assert 5 <= service.attempts <= 7
