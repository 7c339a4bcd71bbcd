"""The HTTP side of an account: temporary keys, cloned and designed voices."""

from collections.abc import Mapping
from dataclasses import dataclass, field
import json
from typing import Any, Final

from aiohttp import ClientError, ClientSession, ClientTimeout

from .catalogue import CATALOGUE
from .endpoint import Endpoint, request_headers
from .errors import (
    CosyVoiceConnectionError,
    CosyVoiceError,
    CosyVoiceTimeoutError,
    ProtocolError,
    error_for_status,
)

CONNECT_TIMEOUT: Final = 5
"""Seconds to reach the server, TLS included."""

REQUEST_TIMEOUT: Final = 10
"""Seconds for a whole request, its answer included."""

LARGEST_ANSWER: Final = 4 * 1024 * 1024
"""Bytes of an answer that are read at most."""

VOICES_PER_PAGE: Final = 100
MOST_VOICES: Final = 1000
"""An account keeps at most this many voices. Source: Model Studio's page on cloning."""

READY: Final = "OK"
"""Status of a voice that can speak."""


@dataclass(frozen=True, slots=True)
class TemporaryKey:
    """A short-lived key with the rights of the key it was made from.

    Attributes:
        token: Used in place of the API key.
        expires_at: Unix time in seconds, by the service's clock.
    """

    token: str = field(repr=False)
    expires_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ClonedVoice:
    """A voice that was cloned or designed by the account.

    Attributes:
        id: The voice's id.
        model: The one model it speaks with; None if this catalogue does not know it.
        status: ``OK``; ``DEPLOYING`` while it is made; ``UNDEPLOYED`` if it was
            refused.
        created: When it was made, as the service words it; None if it does not say.
    """

    id: str
    model: str | None
    status: str
    created: str | None = None


class AccountApi:
    """Requests about an account, none of which cost anything.

    Every method raises one of the classes of ``errors.py`` and nothing else, within
    :data:`REQUEST_TIMEOUT` for each request it makes.
    """

    def __init__(
        self,
        session: ClientSession,
        endpoint: Endpoint,
        api_key: str,
        workspace_id: str | None = None,
    ) -> None:
        """Keep what requests need; the session stays the caller's."""
        self._session = session
        self._endpoint = endpoint
        self._api_key = api_key
        self._workspace_id = workspace_id

    async def temporary_key(self, expire_in_seconds: int) -> TemporaryKey:
        """Return a key that is valid for 1 to 1,800 seconds.

        Raises:
            AuthenticationError: The API key is not valid in this region.
            CosyVoiceError: The request failed otherwise.
        """
        raise NotImplementedError

    async def list_voices(self) -> tuple[ClonedVoice, ...]:
        """Return the voices that the account has cloned or designed.

        Raises:
            AuthenticationError: The API key is not valid in this region.
            CosyVoiceError: The request failed otherwise.
        """
        raise NotImplementedError
