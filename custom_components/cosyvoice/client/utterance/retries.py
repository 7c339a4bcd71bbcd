"""How long a failing service is tried again."""

import asyncio

from ..timing import Timing


class Retries:
    """Counts the failures since the last progress.

    The deadline counts silence of the service, so that one that is slow but answers
    is not given up.

    Attributes:
        repeated: True once something was tried again that rarely helps.
    """

    def __init__(self, timing: Timing) -> None:
        """Begin without a failure."""
        self.repeated = False
        self._timing = timing
        self._reset()

    def pause_after_failure(self, silent_for: float, *, begun: bool) -> float | None:
        """Return the seconds to wait before the next attempt; None for no further one.

        Args:
            silent_for: Seconds that the service was silent before the attempt failed.
            begun: True if the attempt delivered something.
        """
        now = asyncio.get_running_loop().time()
        if begun:
            self._reset()
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
        self._failures = 0
        self._silent = 0.0
        self._since = 0.0
