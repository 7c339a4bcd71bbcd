"""How often a task may start."""

import asyncio

from custom_components.cosyvoice.client.wire.pool import StartLimiter, TaskSettings
from tests.clock import run

TASK = TaskSettings("cosyvoice-v3-flash", {"voice": "longanyang"}, 3)
OTHER_MODEL = TaskSettings("cosyvoice-v2", {"voice": "longanli"}, 3)


def test_no_more_starts_than_permitted_and_first_come_first_served() -> None:
    """Ten starts at once take three windows, in the order they came."""

    async def scenario() -> None:
        limiter = StartLimiter(1.0)
        loop = asyncio.get_running_loop()
        starts: list[tuple[int, float]] = []

        async def start(number: int) -> None:
            await limiter.wait(TASK)
            starts.append((number, loop.time()))

        await asyncio.gather(*map(start, range(10)))
        assert [number for number, _ in starts] == list(range(10))
        times = [time for _, time in starts]
        assert all(
            later - earlier >= 1.0
            for earlier, later in zip(times, times[3:], strict=False)
        )
        assert times[-1] - times[0] < 3.1
        begun = loop.time()
        await limiter.wait(OTHER_MODEL)
        assert loop.time() == begun

    run(scenario())


def test_a_start_in_advance_leaves_room_for_another() -> None:
    """It is refused where it could delay what somebody waits for."""

    async def scenario() -> None:
        limiter = StartLimiter(1.0)
        assert limiter.take(TASK)
        assert limiter.take(TASK)
        assert not limiter.take(TASK)
        await limiter.wait(TASK)
        waiting = asyncio.create_task(limiter.wait(TASK))
        await asyncio.sleep(0.9)
        assert not limiter.take(TASK)
        await waiting
        await asyncio.sleep(1.0)
        assert limiter.take(TaskSettings(TASK.model, {}, 1))
        assert not limiter.take(TaskSettings(TASK.model, {}, 1))

    run(scenario())
