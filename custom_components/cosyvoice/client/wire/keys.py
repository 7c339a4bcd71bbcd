"""Temporary keys, used on the speech socket in place of the account's key."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
import logging
import time
from typing import Final

from ..errors import (
    ClientClosedError,
    CosyVoiceError,
    CosyVoiceTimeoutError,
    NotOfferedError,
    RequestError,
)

_LOGGER = logging.getLogger(__name__)

LIFE: Final = 1800
"""Seconds that a temporary key is requested for; the service's longest (Model Studio,
temporary API keys)."""

SHORT_LIFE: Final = 60
"""Seconds that are requested if the service refuses the longest (an older page)."""

RENEW_BEFORE: Final = 300
"""Seconds before its end at which a key is renewed, in the background; at the earliest
after half its life."""

MARGIN: Final = 30
"""Seconds before its end at which a key is no longer used."""


@dataclass(frozen=True, slots=True)
class TemporaryKey:
    """A short-lived key with the rights of the key it was made from.

    Attributes:
        token: Used in place of the API key.
        expires_at: Unix time in seconds, by the service's clock.
    """

    token: str = field(repr=False)
    expires_at: float


class TemporaryKeys:
    """The current temporary key of an account, renewed before it expires."""

    def __init__(
        self, request: Callable[[int], Awaitable[TemporaryKey]], limit: float
    ) -> None:
        """Prepare without requesting a key.

        Args:
            request: Returns a key that is valid for the given seconds, in bounded time.
            limit: Seconds that a caller waits. A slower request is continued, for the
                next caller.
        """
        self._request = request
        self._limit = limit
        self._life = LIFE
        self._token: str | None = None
        self._ends_at = 0.0
        self._renewal: asyncio.Task[str] | None = None

    async def token(self) -> str:
        """Return a key that can be used now.

        Raises:
            ClientClosedError: `close` was called meanwhile.
            CosyVoiceTimeoutError: None came within the limit.
            CosyVoiceError: The request for one failed.
        """
        left = self._ends_at - asyncio.get_running_loop().time()
        if self._token is None or left <= MARGIN:
            renewal = self._renewed()
            await asyncio.wait({renewal}, timeout=self._limit)
            if not renewal.done():
                raise CosyVoiceTimeoutError("No temporary key came in time")
            if renewal.cancelled():
                raise ClientClosedError("The client is closed")
            return renewal.result()
        if left <= min(RENEW_BEFORE, self._life / 2):
            self._renewed()
        return self._token

    def forget(self, token: str) -> None:
        """Stop using a key that the service refused."""
        if token == self._token:
            self._token = None

    async def close(self) -> None:
        """End a renewal that is under way."""
        if self._renewal is not None:
            self._renewal.cancel()
            await asyncio.wait({self._renewal})

    def _renewed(self) -> asyncio.Task[str]:
        """Return the renewal under way, or begin one."""
        if self._renewal is None or self._renewal.done():
            self._renewal = asyncio.create_task(
                self._renew(), name="cosyvoice temporary key"
            )
            self._renewal.add_done_callback(_log_failure)
        return self._renewal

    async def _renew(self) -> str:
        key = await self._new_key()
        life = key.expires_at - time.time()
        if not 0 < life < self._life:  # The clocks differ.
            life = self._life
        self._token = key.token
        self._ends_at = asyncio.get_running_loop().time() + life
        return key.token

    async def _new_key(self) -> TemporaryKey:
        """Return a key with the longest life that the service grants."""
        try:
            return await self._request(self._life)
        except RequestError as err:
            if isinstance(err, NotOfferedError) or self._life == SHORT_LIFE:
                raise
        key = await self._request(SHORT_LIFE)
        self._life = SHORT_LIFE
        return key


def _log_failure(renewal: asyncio.Task[str]) -> None:
    if not renewal.cancelled() and isinstance(renewal.exception(), CosyVoiceError):
        _LOGGER.debug("No temporary key: %r", renewal.exception())
