"""Decide how long to retry."""

import asyncio

from ..timing import Timing


class Retries:
    """Failures since the last progress.

    The deadline counts only the time without an answer, so that a slow service gets
    more time than a silent one.

    Attributes:
        repeated: True if an error that is not retryable was retried.
        lost_flushes: How often a flush was the last thing that was sent.
    """

    def __init__(self, timing: Timing) -> None:
        """Start without a failure."""
        self.repeated = False
        self.lost_flushes = 0
        self._timing = timing
        self._reset()

    def pause_after_failure(
        self, silent_for: float, *, begun: bool, cut_short: bool
    ) -> float | None:
        """Return the seconds until the next attempt, or None to give up.

        Args:
            silent_for: Seconds without an answer before the attempt failed.
            begun: True if the attempt delivered a sentence.
            cut_short: True if the service finished before all was spoken, as it would
                again: the player hears the same sentence twice at most.
        """
        now = asyncio.get_running_loop().time()
        if begun:
            self._reset()
        if cut_short and self._was_cut_short:
            return None
        self._was_cut_short |= cut_short
        if not self._failures:
            self._since = now
        timing = self._timing
        pause = min(timing.backoff * 2.0**self._failures, timing.backoff_limit)
        self._failures += 1
        self._silent += silent_for + pause
        if self._silent > timing.deadline or now + pause > self._since + timing.limit:
            return None
        return pause

    def _reset(self) -> None:
        self._was_cut_short = False
        self._failures = 0
        self._silent = 0.0
        self._since = 0.0
