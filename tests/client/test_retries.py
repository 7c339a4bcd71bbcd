"""How long a failing service is tried again."""

import asyncio

import pytest

from custom_components.cosyvoice.client import CosyVoiceTimeoutError, Timing
from custom_components.cosyvoice.client.utterance.retries import Retries
from custom_components.cosyvoice.client.utterance.watch import Watch
from tests.clock import run

TIMING = Timing()


def attempts(silent_for: float, taking: float = 0.0, begun: int = 0) -> int:
    """Return how often is tried again, each attempt failing in the same way.

    Args:
        silent_for: Seconds that the service was silent in each.
        taking: Seconds that each takes.
        begun: The attempt that delivers something.
    """

    async def scenario() -> int:
        retries = Retries(TIMING)
        for number in range(1, 100):
            await asyncio.sleep(taking)
            pause = retries.pause_after_failure(
                silent_for, begun=number == begun, cut_short=False
            )
            if pause is None:
                return number
            await asyncio.sleep(pause)
        raise AssertionError

    return run(scenario())


def test_silence_counts() -> None:
    assert attempts(TIMING.attempt, TIMING.attempt) == 2
    assert attempts(TIMING.deadline, TIMING.deadline) == 1


def test_quick_failures_end_as_soon() -> None:
    assert attempts(0.0) == 8


def test_a_slow_service_that_answers_gets_more_time() -> None:
    """But not for ever."""
    assert attempts(1.0, 4.0) == 6
    assert attempts(0.1, 8.0) == 4


def test_progress_begins_the_count_anew() -> None:
    assert attempts(TIMING.attempt, TIMING.attempt, begun=2) == 3


def test_silence_while_the_listener_takes_nothing_does_not_count() -> None:
    async def scenario() -> None:
        watch = Watch(1.0)
        watch.suspend()
        await asyncio.sleep(5)
        assert watch.silent_for == 0
        watch.restart()
        await asyncio.sleep(0.5)
        assert watch.silent_for == pytest.approx(0.5, abs=0.01)
        async with watch.guard(lambda: True):
            watch.suspend()
            await asyncio.sleep(5)
        with pytest.raises(CosyVoiceTimeoutError):
            await fallen_silent(watch)

    async def fallen_silent(watch: Watch) -> None:
        async with watch.guard(lambda: True):
            try:
                await asyncio.sleep(5)
            finally:
                watch.restart()  # Too late.
                watch.suspend()

    run(scenario())


def test_a_service_that_finishes_early_twice_is_given_up() -> None:
    """Unless it has spoken a sentence in between."""
    retries = Retries(Timing())

    async def scenario() -> None:
        def pause(*, begun: bool) -> float | None:
            return retries.pause_after_failure(0.0, begun=begun, cut_short=True)

        assert pause(begun=False) is not None
        assert pause(begun=True) is not None
        assert retries.pause_after_failure(0.0, begun=False, cut_short=False)
        assert pause(begun=False) is None

    run(scenario())
