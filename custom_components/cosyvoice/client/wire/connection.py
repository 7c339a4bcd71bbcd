"""One WebSocket connection to the service, and its frames."""

import asyncio
from collections.abc import Mapping
from itertools import count
import logging
from types import SimpleNamespace
from typing import Any, Final, Self

import aiohttp

from ..errors import (
    CosyVoiceConnectionError,
    CosyVoiceError,
    CosyVoiceTimeoutError,
    ProtocolError,
    ProxyError,
    RequestError,
    error_for_status,
)
from .endpoint import is_html
from .protocol import (
    Event,
    TaskFailed,
    TaskFinished,
    TaskProtocol,
    TaskStarted,
    TaskState,
)

_LOGGER = logging.getLogger(__name__)

MAX_MESSAGE_SIZE: Final = 8 * 1024 * 1024
"""Bytes of the largest message that is accepted; audio comes in far smaller ones."""

_numbers = count(1)


class Connection:
    """A connection that runs one task at a time.

    Every failure is raised as a :class:`CosyVoiceError`. Waits are bounded by the
    caller.

    Attributes:
        name: What the log calls it.
        silent: True once a probe was not answered in time.
    """

    def __init__(self, websocket: aiohttp.ClientWebSocketResponse) -> None:
        """Take over an open WebSocket, which must leave pings to this class."""
        self.name = f"connection {next(_numbers)}"
        self.silent = False
        self._websocket = websocket
        self._protocol = TaskProtocol(self.name)
        self._answer_by: float | None = None

    @classmethod
    async def open(
        cls,
        session: aiohttp.ClientSession,
        url: str,
        headers: Mapping[str, str],
        close_timeout: float,
    ) -> Self:
        """Connect and authenticate, without following redirects.

        Raises:
            AuthenticationError: The service refuses the key.
            CosyVoiceConnectionError: The service cannot be reached.
            CosyVoiceError: Any other refusal.
        """
        failure: CosyVoiceError
        begun = asyncio.get_running_loop().time()
        try:
            websocket = await _connect(session, url, headers, close_timeout)
        except aiohttp.WSServerHandshakeError as error:
            failure = _refusal(error.status, error.headers)
        except aiohttp.ClientHttpProxyError as error:
            failure = ProxyError(f"The proxy refused the connection: {error.status}")
        except TimeoutError:
            failure = CosyVoiceTimeoutError("The service did not answer in time")
        except (aiohttp.ClientError, OSError, ValueError, RuntimeError) as error:
            # RuntimeError: the session is closed. ValueError: no such host can be.
            failure = CosyVoiceConnectionError(
                f"The service cannot be reached: {error}"
            )
        else:
            connection = cls(websocket)
            seconds = asyncio.get_running_loop().time() - begun
            _LOGGER.debug("%s: opened in %.3f s", connection.name, seconds)
            return connection
        # Raised out here because aiohttp's errors hold the headers, and so the key.
        raise failure

    @property
    def task_id(self) -> str:
        """Id of the current or last task."""
        return self._protocol.task_id

    @property
    def state(self) -> TaskState:
        """State of the current task."""
        return self._protocol.state

    @property
    def closed(self) -> bool:
        """True if nothing can be sent any more."""
        return self._websocket.closed

    async def start(self, model: str, parameters: Mapping[str, Any]) -> None:
        """Start a task and wait until it takes text.

        Raises:
            CosyVoiceError: The service refuses the task or the connection is lost.
        """
        await self._send(self._protocol.run_task(model, parameters))
        await self._wait_for(TaskStarted)

    async def send_text(self, text: str) -> None:
        """Add text to the task."""
        await self._send(self._protocol.continue_task(text))

    async def flush(self) -> None:
        """Have all text spoken that was sent so far."""
        await self._send(self._protocol.flush())

    async def finish(self) -> None:
        """End the text of the task."""
        await self._send(self._protocol.finish_task())

    async def cancel(self) -> list[Event]:
        """End the task, drop its undelivered audio and wait for the confirmation.

        Returns:
            The events up to the confirmation.
        """
        await self._send(self._protocol.cancel_task())
        return await self._wait_for(TaskFinished)

    async def probe(self, limit: float) -> None:
        """Make :meth:`receive` fail unless something comes in time.

        The service answers the ping of a living connection within a round trip.

        Args:
            limit: Seconds to wait for it.
        """
        self._answer_by = asyncio.get_running_loop().time() + limit
        try:
            await self._websocket.ping()
        except aiohttp.ClientError, OSError:
            self._answer_by = None
            raise CosyVoiceConnectionError(_LOST) from None

    async def receive(self) -> list[Event]:
        """Wait for a frame with events and return them.

        Raises:
            CosyVoiceError: The task failed, in the class that fits the cause.
            CosyVoiceConnectionError: The connection is lost.
            CosyVoiceTimeoutError: A probe was not answered in time.
            ProtocolError: The frame makes no sense.
        """
        events: list[Event] = []
        while not events:
            message = await self._next_message()
            match message.type:
                case aiohttp.WSMsgType.BINARY:
                    events = self._protocol.receive_binary(message.data)
                case aiohttp.WSMsgType.TEXT:
                    events = self._protocol.receive_text(message.data)
                case aiohttp.WSMsgType.PING:
                    await self._pong(message.data)
                case aiohttp.WSMsgType.PONG:
                    pass
                case _:
                    raise _end(message)
        for event in events:
            if isinstance(event, TaskFailed):
                raise event.error
        return events

    async def close(self) -> None:
        """Close the connection, which ends a running task."""
        await self._websocket.close()
        _LOGGER.debug("%s: closed with code %s", self.name, self._websocket.close_code)

    async def _wait_for(self, kind: type[Event]) -> list[Event]:
        events: list[Event] = []
        while not any(isinstance(event, kind) for event in events):
            events += await self.receive()
        return events

    async def _next_message(self) -> aiohttp.WSMessage:
        if self._answer_by is None:
            return await self._websocket.receive()
        try:
            async with asyncio.timeout_at(self._answer_by):
                message = await self._websocket.receive()
        except TimeoutError:
            self.silent = True
            raise CosyVoiceTimeoutError("The connection died unnoticed") from None
        self._answer_by = None
        return message

    async def _pong(self, data: bytes) -> None:
        try:
            await self._websocket.pong(data)
        except aiohttp.ClientError, OSError:
            raise CosyVoiceConnectionError(_LOST) from None

    async def _send(self, message: str) -> None:
        try:
            await self._websocket.send_str(message)
        except aiohttp.ClientError, OSError:
            raise CosyVoiceConnectionError(_LOST) from None


_LOST = "The connection to the service was lost"


async def _connect(
    session: aiohttp.ClientSession,
    url: str,
    headers: Mapping[str, str],
    close_timeout: float,
) -> aiohttp.ClientWebSocketResponse:
    """Open a WebSocket through a session's connector.

    ``ws_connect`` follows redirects and takes the workspace header along. Only a
    trace of a session can refuse them, and the caller's session is not ours to change.
    """
    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(_refuse_redirect)
    if session.closed:
        raise RuntimeError("Session is closed")
    async with aiohttp.ClientSession(
        connector=session.connector,
        connector_owner=False,
        cookie_jar=session.cookie_jar,
        headers=session.headers,
        timeout=session.timeout,
        trust_env=session.trust_env,
        trace_configs=[trace],
    ) as bound:
        return await bound.ws_connect(
            url,
            headers=headers,
            timeout=aiohttp.ClientWSTimeout(ws_close=close_timeout),
            autoping=False,
            max_msg_size=MAX_MESSAGE_SIZE,
        )


async def _refuse_redirect(
    _session: aiohttp.ClientSession,
    _context: SimpleNamespace,
    params: aiohttp.TraceRequestRedirectParams,
) -> None:
    params.response.close()
    raise _refusal(params.response.status, params.response.headers)


def _refusal(status: int, headers: Mapping[str, str] | None) -> CosyVoiceError:
    return error_for_status(
        status, None, f"HTTP status {status}", is_page=is_html(headers or {})
    )


def _end(message: aiohttp.WSMessage) -> CosyVoiceError:
    """Return the error of a frame that ends the connection."""
    if isinstance(message.data, aiohttp.WebSocketError):
        return ProtocolError(f"The service sent a malformed frame: {message.data}")
    if message.data == aiohttp.WSCloseCode.INVALID_TEXT:
        return RequestError(message.extra or "-", code="1007")
    return CosyVoiceConnectionError(_LOST)
