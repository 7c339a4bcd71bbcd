"""Decide when to open a connection that no request waits for."""

import math

from ..errors import CosyVoiceError
from ..timing import Timing
from .backoff import Backoff


class Keeper:
    """Decides when a connection is opened to be ready for the next utterance.

    It does no I/O: the pool reports what happens, in the loop's time.

    Attributes:
        seconds: Time after speech for which a connection is kept ready; 0 for never,
            ``math.inf`` for always.
    """

    def __init__(self, timing: Timing) -> None:
        """Keep nothing ready."""
        self.seconds = 0.0
        self._timing = timing
        self._accepted = False
        self._used = -math.inf
        self._not_before = -math.inf
        self._backoff = Backoff(timing.renew, timing.warm_backoff_limit)

    def accepted(self) -> None:
        """Take note that the service accepts the account."""
        self._accepted = True
        self._backoff.reset()

    def refused(self) -> None:
        """Take note that the service refuses the account."""
        self._accepted = False

    def used(self, now: float) -> None:
        """Take note of speech."""
        self.accepted()
        self._used = now

    def opening(self, now: float) -> None:
        """Take note that a connection is being opened to be kept ready."""
        self._not_before = now + self._timing.renew

    def failed(self, error: Exception, now: float) -> None:
        """Take note that a connection could not be opened.

        After a refusal, none is opened until the service accepts the account again.
        """
        if not (isinstance(error, CosyVoiceError) and error.retryable):
            self.refused()
        self._not_before = max(self._not_before, now + self._backoff.pause())

    def keeps(self, now: float) -> bool:
        """Return whether a connection is to be ready now."""
        return self._accepted and now < self._used_until

    def due(self, ready_until: float) -> float:
        """Return when to open the next connection, ``math.inf`` for never.

        Args:
            ready_until: When the last connection that is ready may be gone.
        """
        due = max(ready_until, self._not_before)
        return due if self.keeps(due) else math.inf

    @property
    def _used_until(self) -> float:
        return math.inf if math.isinf(self.seconds) else self._used + self.seconds
