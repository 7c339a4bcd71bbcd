"""How often a task may start."""

import asyncio

import pytest

from custom_components.cosyvoice.client.wire.limiter import StartLimiter
from tests.clock import run

MODEL = "cosyvoice-v3-flash"


def test_no_more_starts_than_permitted_within_any_window() -> None:
    """Ten starts, each as soon as it may, take three windows."""

    async def scenario() -> None:
        limiter = StartLimiter(1.0)
        loop = asyncio.get_running_loop()
        starts: list[float] = []
        while len(starts) < 10:
            await asyncio.sleep(limiter.delay(MODEL, 3))
            if limiter.delay(MODEL, 3) == 0:
                limiter.count(MODEL)
                starts.append(loop.time())
        assert all(b - a >= 1.0 for a, b in zip(starts, starts[3:], strict=False))
        assert starts[-1] - starts[0] < 3.1
        assert limiter.delay("cosyvoice-v2", 3) == 0

    run(scenario())


def test_a_smaller_share_is_used_up_sooner() -> None:
    """A start in advance leaves room for another; one start is always permitted."""

    async def scenario() -> None:
        limiter = StartLimiter(1.0)
        limiter.count(MODEL, 2)
        assert limiter.delay(MODEL, 2) == 1.0
        assert limiter.delay(MODEL, 3) == 0
        limiter.count(MODEL)
        await asyncio.sleep(1.0)
        assert limiter.delay(MODEL, 0) == 0
        limiter.count(MODEL)
        assert limiter.delay(MODEL, 0) == pytest.approx(1.0)

    run(scenario())
