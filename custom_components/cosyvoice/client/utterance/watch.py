"""Detect a service that stops answering."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from ..errors import CosyVoiceTimeoutError


class Watch:
    """Limits the wait for each message of the service.

    Messages are many, so each only notes the time, which a timer checks when it fires.
    """

    def __init__(self, patience: float) -> None:
        """Start the clock.

        Args:
            patience: Longest wait, in seconds.
        """
        self._last = asyncio.get_running_loop().time()
        self._patience = patience
        self._suspended = False

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

    def suspend(self) -> None:
        """Stop the clock until the next restart."""
        self._suspended = True

    @asynccontextmanager
    async def guard(self, is_due: Callable[[], bool]) -> AsyncGenerator[None]:
        """Interrupt the block when the service does not answer in time.

        Args:
            is_due: Returns whether a message of the service is due.

        Raises:
            CosyVoiceTimeoutError: It sent nothing for too long.
        """
        loop = asyncio.get_running_loop()
        timer: asyncio.TimerHandle

        def check() -> None:
            nonlocal timer
            waiting_since = self.last if is_due() else loop.time()
            if (due := waiting_since + self._patience) <= loop.time():
                limit.reschedule(loop.time())
            else:
                timer = loop.call_at(due, check)

        self.restart()
        timer = loop.call_later(self._patience, check)
        try:
            async with asyncio.timeout(None) as limit:
                yield
        except TimeoutError:
            raise CosyVoiceTimeoutError("The service fell silent") from None
        finally:
            timer.cancel()
