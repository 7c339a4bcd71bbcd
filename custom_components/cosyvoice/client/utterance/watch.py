"""Notice when the service falls silent."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from ..errors import CosyVoiceTimeoutError


class Watch:
    """Bounds the wait for each sign of life of the service."""

    def __init__(self, patience: float) -> None:
        """Begin to wait.

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
        """When the last one came or something was asked for, in the loop's time.

        While the listener takes nothing, that is now.
        """
        return asyncio.get_running_loop().time() if self._suspended else self._last

    @property
    def silent_for(self) -> float:
        """Seconds since the last sign of life."""
        return asyncio.get_running_loop().time() - self.last

    def restart(self) -> None:
        """Note a sign of life, or that the service has something new to answer."""
        self._last = asyncio.get_running_loop().time()
        self._suspended = False
        if self._limit is not None and not self._limit.expired():
            due = self._last + self._patience if self._is_due() else None
            self._limit.reschedule(due)

    def suspend(self) -> None:
        """Wait without a bound until the next restart."""
        self._suspended = True
        if self._limit is not None and not self._limit.expired():
            self._limit.reschedule(None)

    @asynccontextmanager
    async def guard(self, is_due: Callable[[], bool]) -> AsyncGenerator[None]:
        """Interrupt what is done inside when the service falls silent.

        Args:
            is_due: Tells whether the service has to show a sign of life.

        Raises:
            CosyVoiceTimeoutError: It showed none for too long.
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
