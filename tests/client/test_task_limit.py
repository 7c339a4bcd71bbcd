"""A service that runs few tasks of an account at a time."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from custom_components.cosyvoice.client import ThrottledError, Timing
from custom_components.cosyvoice.client.errors import TooManyTasksError
from custom_components.cosyvoice.client.wire.limiter import FORGET_AFTER, TaskLimit
from custom_components.cosyvoice.client.wire.pool import Pool
from tests.clock import run
from tests.emulator import EmulatorConfig

from .pooling import (
    LASTING,
    OTHER_LASTING,
    OTHER_TASK,
    TASK,
    FakeConnection,
    FakeService,
    acquire,
    pooled,
    release,
)
from .speaking import SENTENCES, heard, listen, options, service, timed

TIMING = Timing()


def limited(**settings: Any) -> EmulatorConfig:
    """Return a service that runs one task at a time."""
    usual: dict[str, Any] = {
        "speech": "signal",
        "round_trip": 0.05,
        "differ": {"one-task"},
    }
    return EmulatorConfig(**usual | settings)


@pytest.mark.parametrize("count", [2, 3, 8])
@pytest.mark.parametrize("warm", [False, True])
def test_messages_at_once_are_spoken_one_after_the_other(
    count: int, *, warm: bool
) -> None:
    """Completely and in order, each billed once."""

    async def scenario() -> None:
        async with service(limited(seconds_per_character=0.1)) as (emulator, client):
            if warm:
                client.warm_up(options())
                await asyncio.sleep(1)
            spoken = [client.speak(SENTENCES[0], options()) for _ in range(count)]
            for audio in await asyncio.gather(*map(listen, spoken)):
                assert heard(emulator, audio) == SENTENCES[:1]
            billed = [utterance.report.characters for utterance in spoken]
            assert len(set(billed)) == 1
            assert sum(task.characters for task in emulator.tasks) == sum(billed)
            refused = [task for task in emulator.tasks if task.error_code]
            assert len(refused) <= 3

    run(scenario())


@pytest.mark.parametrize(("seconds", "works"), [(45, True), (100, False)])
def test_a_long_message_is_waited_for_within_a_limit(
    seconds: int, *, works: bool
) -> None:
    """The waiting one ends in an error that another attempt may mend."""

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        lines = seconds // 5
        line: tuple[str | float, ...] = ("Good morning. ", 5.0)
        text = timed(*line * lines)
        async with service(limited()) as (emulator, client):
            first = asyncio.create_task(listen(client.speak(text, options())))
            await asyncio.sleep(1)
            begun = loop.time()
            second = client.speak("Hi.", options())
            if works:
                assert heard(emulator, await listen(second)) == ["Hi."]
            else:
                with pytest.raises(ThrottledError):
                    await listen(second)
                assert loop.time() - begun < TIMING.turn + 10
                assert second.report.characters == 0
            assert len(heard(emulator, await first)) == lines

    run(scenario())


@pytest.mark.parametrize("region", ["cn-beijing", "ap-southeast-1"])
def test_a_task_started_in_advance_does_not_take_the_only_place(region: str) -> None:
    """Neither one that can be cancelled nor one that cannot."""

    async def scenario() -> None:
        config = limited(region=region)
        async with service(config) as (emulator, client):
            for _ in range(3):
                client.warm_up(options("longanhuan"))
                await asyncio.sleep(1)
                audio = await listen(client.speak(SENTENCES[0], options()))
                assert heard(emulator, audio) == SENTENCES[:1]

    run(scenario())


def refuse_above(service: FakeService, most: int) -> None:
    """Let a service refuse tasks beyond this number."""

    def prepare(connection: FakeConnection) -> None:
        start = connection.start

        async def limited_start(model: str, parameters: dict[str, Any]) -> None:
            others = [
                other
                for other in service.connections
                if other is not connection and other.started and not other.closed
            ]
            full = len([other for other in others if other.state.name != "IDLE"])
            connection.start_error = TooManyTasksError("full") if full >= most else None
            await start(model, parameters)

        connection.start = limited_start  # type: ignore[method-assign]

    service.prepare = prepare


@pooled
async def test_a_task_that_waits_starts_when_another_ends(
    service: FakeService, pool: Pool
) -> None:
    """Of the two that the service permits."""
    refuse_above(service, 2)
    first, second = await acquire(pool), await acquire(pool)
    third = asyncio.create_task(acquire(pool))
    await asyncio.sleep(30)
    assert not third.done()
    refused = sum(bool(connection.start_error) for connection in service.connections)
    assert refused == 1
    release(pool, first)
    await third
    assert second.state.name == "RUNNING"
    pool.warm_up(OTHER_TASK)
    await asyncio.sleep(10)
    assert pool.statistics.prestarted == 0


@pytest.mark.parametrize("other", [OTHER_TASK, OTHER_LASTING])
def test_a_spare_task_ends_for_a_message(other: Any) -> None:
    async def scenario() -> None:
        service = FakeService()
        pool = Pool(service.open, TIMING)
        refuse_above(service, 1)
        pool.warm_up(other)
        await asyncio.sleep(1)
        assert pool.statistics.prestarted == 1
        wanted = TASK if other.cancellable else LASTING
        async with asyncio.timeout(2):
            await acquire(pool, wanted)
        await pool.close()

    run(scenario())


@pooled
async def test_a_limit_is_learned_and_forgotten(
    service: FakeService, pool: Pool
) -> None:
    limit = TaskLimit()
    assert not limit.refused(0)
    assert limit.left(7) > 100
    assert limit.refused(2)
    assert limit.refused(5)
    assert [limit.left(tasks) for tasks in (0, 1, 2)] == [2, 1, 0]
    await asyncio.sleep(FORGET_AFTER)
    assert limit.left(7) > 100


@pooled
async def test_another_client_that_takes_all_places_is_an_error(
    service: FakeService, pool: Pool
) -> None:
    """As its end is not noticed here, the wait is that of any throttled start."""
    refuse_above(service, 0)
    with pytest.raises(ThrottledError):
        await acquire(pool, replace(TASK))
    assert len(service.connections) == 2
