"""Audio at secret addresses of Home Assistant, for the player in a dialog."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from http import HTTPStatus
import secrets
from typing import Final, Protocol

from aiohttp import hdrs, web

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.http import KEY_HASS, HomeAssistantView
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN, LOGGER
from ..errors import async_text_of
from ..usage.ledger import OverBudgetError

PATH: Final = f"/api/{DOMAIN}/sample/"
MOST: Final = 16
"""Audio that can be served at a time. Publishing more closes the oldest."""
HEADERS: Final = {hdrs.CACHE_CONTROL: "no-store"}


class ServedAudio(Protocol):
    """Audio that the view can serve."""

    @property
    def content_type(self) -> str:
        """Its MIME type."""

    @property
    def complete(self) -> bytes | None:
        """The whole audio, None until there is all of it."""

    @property
    def problem(self) -> HomeAssistantError | None:
        """Why it could not be played, or cannot."""

    def chunks(self) -> AsyncGenerator[bytes]:
        """Yield the audio, or raise a HomeAssistantError."""

    def allow_retry(self) -> None:
        """Let audio that failed be requested again."""

    def close(self) -> None:
        """Stop making the audio."""


@dataclass(frozen=True)
class FinishedAudio:
    """Audio that exists already."""

    complete: bytes
    content_type: str
    problem: None = None

    async def chunks(self) -> AsyncGenerator[bytes]:
        """Yield the audio."""
        yield self.complete

    def allow_retry(self) -> None:
        """Do nothing: it cannot fail."""

    def close(self) -> None:
        """Do nothing: it is complete."""


_SERVED: HassKey[dict[str, ServedAudio]] = HassKey(f"{DOMAIN}_served_audio")


@callback
def register_view(hass: HomeAssistant) -> None:
    """Serve the audio that is published, unless that was done."""
    if _SERVED not in hass.data:
        hass.data[_SERVED] = {}
        hass.http.register_view(AudioView)


@callback
def publish(hass: HomeAssistant, audio: ServedAudio) -> str:
    """Serve audio, and return its path."""
    # The first account's flow runs before the integration is set up
    register_view(hass)
    served = hass.data[_SERVED]
    while len(served) >= MOST:
        served.pop(next(iter(served))).close()
    token = secrets.token_urlsafe()
    served[token] = audio
    return f"{PATH}{token}"


@callback
def is_published(hass: HomeAssistant, path: str) -> bool:
    """Return whether audio is served at a path."""
    return path.removeprefix(PATH) in hass.data.get(_SERVED, {})


@callback
def withdraw(hass: HomeAssistant, path: str) -> None:
    """Close the audio at a path, if it is served, and forget it."""
    if audio := hass.data.get(_SERVED, {}).pop(path.removeprefix(PATH), None):
        audio.close()


class AudioView(HomeAssistantView):
    """Serves published audio to everyone who knows its address.

    A player in a page sends no token.
    """

    url = f"{PATH}{{token}}"
    name = f"api:{DOMAIN}:sample"
    requires_auth = False

    async def get(self, request: web.Request, token: str) -> web.StreamResponse:
        """Return the audio, while it is made if need be."""
        hass = request.app[KEY_HASS]
        if (audio := hass.data[_SERVED].get(token)) is None:
            raise web.HTTPNotFound
        try:
            if audio.complete is None and _wants_all(request):
                return await _streamed(request, audio)
            if audio.complete is None:
                await _wait_for(audio)
        except HomeAssistantError as err:
            status = HTTPStatus.BAD_GATEWAY
            if isinstance(err, OverBudgetError):
                status = HTTPStatus.FORBIDDEN
            text = await async_text_of(hass, err)
            return web.Response(status=status, text=text, headers=HEADERS)
        return _whole_or_part(request, audio)

    async def head(self, request: web.Request, token: str) -> web.StreamResponse:
        """Return the headers without making the audio."""
        audio = request.app[KEY_HASS].data[_SERVED].get(token)
        if audio is None:
            raise web.HTTPNotFound
        if audio.complete is None:
            return web.Response(content_type=audio.content_type, headers=HEADERS)
        return _whole_or_part(request, audio)


def _wants_all(request: web.Request) -> bool:
    """Return whether a request is for all audio, as Chromium's first one is."""
    return request.headers.get(hdrs.RANGE, "bytes=0-") == "bytes=0-"


async def _wait_for(audio: ServedAudio) -> None:
    async with aclosing(audio.chunks()) as chunks:
        async for _ in chunks:
            pass


async def _streamed(request: web.Request, audio: ServedAudio) -> web.StreamResponse:
    """Send audio while it is synthesized.

    Raises:
        HomeAssistantError: There is no audio. Audio that ends too early ends the
            connection, so that the player knows.
    """
    response = web.StreamResponse(headers=HEADERS)
    response.content_type = audio.content_type
    async with aclosing(audio.chunks()) as chunks:
        first = await anext(chunks)
        try:
            await response.prepare(request)
            await response.write(first)
            async for chunk in chunks:
                await response.write(chunk)
            await response.write_eof()
        except HomeAssistantError, ConnectionError:
            LOGGER.debug("A sample was not played to its end")
            if request.transport:
                request.transport.abort()
    return response


def _whole_or_part(request: web.Request, audio: ServedAudio) -> web.Response:
    """Return audio that is complete, or the range that a player requests."""
    data = audio.complete or b""
    headers = {**HEADERS, hdrs.ACCEPT_RANGES: "bytes"}
    status, part = HTTPStatus.OK, range(len(data))
    try:
        wanted = request.http_range
    except ValueError:
        wanted = slice(None)
    if wanted.start is not None:
        part = range(*wanted.indices(len(data)))
        status = HTTPStatus.PARTIAL_CONTENT
        headers[hdrs.CONTENT_RANGE] = f"bytes {part.start}-{part.stop - 1}/{len(data)}"
    if not part:
        headers[hdrs.CONTENT_RANGE] = f"bytes */{len(data)}"
        status = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
    return web.Response(
        body=data[part.start : part.stop],
        status=status,
        content_type=audio.content_type,
        headers=headers,
    )
