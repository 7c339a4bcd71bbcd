"""Detect a service that stops answering."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from ..errors import CosyVoiceTimeoutError


class Watch:
    """Limits the wait for each message of the service."""

    def __init__(self, patience: float) -> None:
        """Start the clock.

        Args:
            patience: Longest wait, in seconds.
        """
        self._last = asyncio.get_running_loop().time()
        self._patience = patience
        self._suspended = False
        self._limit: asyncio.Timeout | None = None
        self._is_due: Callable[[], bool] = bool

    @property
    def last(self) -> float:
        """Loop time of the last message or of the last request.

        The current time while the player accepts no audio.
        """
        return asyncio.get_running_loop().time() if self._suspended else self._last

    @property
    def silent_for(self) -> float:
        """Seconds since ``last``."""
        return asyncio.get_running_loop().time() - self.last

    def restart(self) -> None:
        """Restart the clock after a message or a request."""
        self._last = asyncio.get_running_loop().time()
        self._suspended = False
        if self._limit is not None and not self._limit.expired():
            due = self._last + self._patience if self._is_due() else None
            self._limit.reschedule(due)

    def suspend(self) -> None:
        """Stop the clock until the next restart."""
        self._suspended = True
        if self._limit is not None and not self._limit.expired():
            self._limit.reschedule(None)

    @asynccontextmanager
    async def guard(self, is_due: Callable[[], bool]) -> AsyncGenerator[None]:
        """Interrupt the block when the service does not answer in time.

        Args:
            is_due: Returns whether the service has to send something.

        Raises:
            CosyVoiceTimeoutError: It sent nothing for too long.
        """
        self._is_due = is_due
        try:
            async with asyncio.timeout(None) as self._limit:
                self.restart()
                yield
        except TimeoutError:
            raise CosyVoiceTimeoutError("The service fell silent") from None
        finally:
            self._limit = None
