"""The HTTP side of an account: temporary keys, cloned and designed voices."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
import json
from typing import Any, Final

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout

from .catalogue import CATALOGUE
from .errors import (
    CosyVoiceConnectionError,
    CosyVoiceError,
    CosyVoiceTimeoutError,
    ProtocolError,
    error_for_status,
)
from .wire.endpoint import Endpoint, request_headers

CONNECT_TIMEOUT: Final = 5
"""Seconds to reach the server, TLS included."""

REQUEST_TIMEOUT: Final = 10
"""Seconds for a whole request, its answer included."""

LARGEST_ANSWER: Final = 4 * 1024 * 1024
"""Bytes of an answer that are read at most."""

VOICES_PER_PAGE: Final = 100
DEFAULT_PAGE: Final = 10
"""Voices on a page if the service does not heed how many were asked for."""

MOST_PAGES: Final = 100
"""Pages read at most: an account keeps at most 1,000 voices. Source: Model Studio's
page on cloning."""

READY: Final = "OK"
"""Status of a voice that can speak."""

_TIMEOUT: Final = ClientTimeout(total=REQUEST_TIMEOUT, connect=CONNECT_TIMEOUT)


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
        answer = await self._post(
            "/tokens", params={"expire_in_seconds": expire_in_seconds}
        )
        token, expires_at = answer.get("token"), answer.get("expires_at")
        if not isinstance(token, str) or not isinstance(expires_at, int | float):
            raise ProtocolError("The answer holds no temporary key")
        return TemporaryKey(token, expires_at)

    async def list_voices(self) -> tuple[ClonedVoice, ...]:
        """Return the voices that the account has cloned or designed.

        Raises:
            AuthenticationError: The API key is not valid in this region.
            CosyVoiceError: The request failed otherwise.
        """
        voices: dict[str, ClonedVoice] = {}
        for page in range(MOST_PAGES):
            known = len(voices)
            listed = await self._voices_of_page(page)
            voices |= {voice.id: voice for voice in listed}
            # A service that makes pages shorter than asked for is asked once more.
            if len(listed) < DEFAULT_PAGE or len(voices) == known:
                break
        return tuple(voices.values())

    async def _voices_of_page(self, page: int) -> list[ClonedVoice]:
        answer = await self._post(
            "/services/audio/tts/customization",
            body={
                "model": "voice-enrollment",
                "input": {
                    "action": "list_voice",
                    "page_index": page,
                    "page_size": VOICES_PER_PAGE,
                },
            },
        )
        output = answer.get("output")
        voices = output.get("voice_list") if isinstance(output, dict) else None
        if not isinstance(voices, list):
            raise ProtocolError("The answer holds no list of voices")
        return [found for voice in voices if (found := _cloned_voice(voice))]

    async def _post(
        self,
        path: str,
        *,
        params: Mapping[str, int] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the JSON object that a request is answered with."""
        headers = request_headers(self._api_key, self._workspace_id)
        failure: CosyVoiceError
        try:
            async with self._session.post(
                f"{self._endpoint.http_url}{path}",
                params=params,
                json=body,
                headers=headers,
                allow_redirects=False,  # the key is for this host only
                timeout=_TIMEOUT,
            ) as response:
                return self._checked(response.status, await _read(response))
        except TimeoutError:
            failure = CosyVoiceTimeoutError("The service did not answer in time")
        except (ClientError, OSError, ValueError) as error:
            failure = CosyVoiceConnectionError(
                f"The service could not be reached ({type(error).__name__})"
            )
        # Raised out here because aiohttp's errors hold the headers, and so the key.
        raise failure

    def _checked(self, status: int, body: bytes) -> dict[str, Any]:
        """Return the JSON object of a successful answer."""
        try:
            answer = json.loads(body)
        except ValueError, RecursionError:
            answer = None
        if status == HTTPStatus.OK and isinstance(answer, dict):
            return answer
        if status == HTTPStatus.OK:
            raise ProtocolError("The answer is not a JSON object")
        details = answer if isinstance(answer, dict) else {}
        message = str(details.get("message") or f"HTTP status {status}")
        raise error_for_status(
            status,
            _text(details.get("code")),
            message.replace(self._api_key, "***"),
            _text(details.get("request_id")),
        )


async def _read(response: ClientResponse) -> bytes:
    body = bytearray()
    async for part in response.content.iter_any():
        body += part
        if len(body) > LARGEST_ANSWER:
            raise ProtocolError("The answer is too long")
    return bytes(body)


def _cloned_voice(row: Any) -> ClonedVoice | None:
    """Return the voice of a row; None if the row does not name one."""
    if not isinstance(row, dict) or not (voice_id := _text(row.get("voice_id"))):
        return None
    return ClonedVoice(
        id=voice_id,
        model=CATALOGUE.model_of_clone(voice_id),
        status=_text(row.get("status")) or READY,
        created=_text(row.get("gmt_create")),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
