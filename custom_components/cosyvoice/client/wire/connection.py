"""One WebSocket connection to the service, and the frames that pass over it."""

from collections.abc import Mapping
from typing import Any, Self

import aiohttp

from ..errors import (
    CosyVoiceConnectionError,
    CosyVoiceTimeoutError,
    ProtocolError,
    error_for_status,
)
from .protocol import Event, TaskFailed, TaskProtocol, TaskStarted, TaskState

MAX_MESSAGE_SIZE = 8 * 1024 * 1024
"""Bytes of the largest message that is accepted; audio comes in far smaller ones."""


class Connection:
    """A connection that runs one task at a time.

    Every failure is raised as a :class:`CosyVoiceError`. Waits are bounded by the
    caller.
    """

    def __init__(self, websocket: aiohttp.ClientWebSocketResponse) -> None:
        """Take over an open WebSocket."""
        self._websocket = websocket
        self._protocol = TaskProtocol()

    @classmethod
    async def open(
        cls,
        session: aiohttp.ClientSession,
        url: str,
        headers: Mapping[str, str],
        close_timeout: float,
    ) -> Self:
        """Connect and authenticate.

        Raises:
            AuthenticationError: The service refuses the key.
            CosyVoiceConnectionError: The service cannot be reached.
            CosyVoiceError: Any other refusal.
        """
        try:
            websocket = await session.ws_connect(
                url,
                headers=headers,
                timeout=aiohttp.ClientWSTimeout(ws_close=close_timeout),
                max_msg_size=MAX_MESSAGE_SIZE,
            )
        except aiohttp.WSServerHandshakeError as err:
            raise error_for_status(
                err.status, None, f"The service refused the connection: {err.status}"
            ) from err
        except TimeoutError as err:
            raise CosyVoiceTimeoutError("The service did not answer in time") from err
        except (aiohttp.ClientError, OSError) as err:
            raise CosyVoiceConnectionError(
                f"The service cannot be reached: {err}"
            ) from err
        return cls(websocket)

    @property
    def task_id(self) -> str:
        """Id of the current or last task."""
        return self._protocol.task_id

    @property
    def state(self) -> TaskState:
        """Where the current task stands."""
        return self._protocol.state

    @property
    def closed(self) -> bool:
        """True if nothing can be sent any more."""
        return self._websocket.closed

    @property
    def busy(self) -> bool:
        """True if a task is running, as far as is known here."""
        return not self.closed and self.state in (
            TaskState.STARTING,
            TaskState.RUNNING,
            TaskState.FINISHING,
        )

    async def start(self, model: str, parameters: Mapping[str, Any]) -> None:
        """Start a task and wait until it takes text.

        Raises:
            CosyVoiceError: The service refuses the task or the connection is lost.
        """
        await self._send(self._protocol.run_task(model, parameters))
        while not any(isinstance(event, TaskStarted) for event in await self.receive()):
            pass

    async def send_text(self, text: str) -> None:
        """Add text to the task."""
        await self._send(self._protocol.continue_task(text))

    async def flush(self) -> None:
        """Have all text spoken that was sent so far."""
        await self._send(self._protocol.flush())

    async def finish(self) -> None:
        """Say that no more text follows."""
        await self._send(self._protocol.finish_task())

    async def cancel(self) -> None:
        """End the task; what was not delivered is dropped."""
        await self._send(self._protocol.cancel_task())

    async def receive(self) -> list[Event]:
        """Wait for the next frame and return what it says.

        Raises:
            CosyVoiceError: The task failed, in the class that fits the cause.
            CosyVoiceConnectionError: The connection is lost.
            ProtocolError: The frame makes no sense.
        """
        message = await self._websocket.receive()
        if message.type is aiohttp.WSMsgType.TEXT:
            events = self._protocol.receive_text(message.data)
        elif message.type is aiohttp.WSMsgType.BINARY:
            events = self._protocol.receive_binary(message.data)
        elif isinstance(message.data, aiohttp.WebSocketError):
            raise ProtocolError(f"The service sent a malformed frame: {message.data}")
        else:
            raise CosyVoiceConnectionError("The connection to the service was lost")
        for event in events:
            if isinstance(event, TaskFailed):
                raise event.error
        return events

    async def close(self) -> None:
        """Close the connection; a running task ends with it."""
        await self._websocket.close()

    async def _send(self, message: str) -> None:
        try:
            await self._websocket.send_str(message)
        except (aiohttp.ClientError, OSError) as err:
            raise CosyVoiceConnectionError(
                "The connection to the service was lost"
            ) from err
