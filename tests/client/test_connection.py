"""One connection, with a WebSocket that does what a test says."""

from typing import Any, cast

import aiohttp
import pytest

from custom_components.cosyvoice.client.errors import (
    CosyVoiceConnectionError,
    ProtocolError,
)
from custom_components.cosyvoice.client.wire.connection import Connection


class FakeWebSocket:
    """Sends nothing, receives one message."""

    closed = False

    def __init__(self, kind: aiohttp.WSMsgType, data: Any) -> None:
        """Have this to say."""
        self.message = aiohttp.WSMessage(kind, data, None)

    async def send_str(self, _message: str) -> None:
        """Be unable to."""
        raise aiohttp.ClientConnectionResetError("Cannot write to closing transport")

    async def receive(self) -> aiohttp.WSMessage:
        """Say it."""
        return self.message


def connection_that(kind: aiohttp.WSMsgType, data: Any = None) -> Connection:
    """Return a connection on which this comes."""
    websocket = FakeWebSocket(kind, data)
    return Connection(cast("aiohttp.ClientWebSocketResponse", websocket))


@pytest.mark.parametrize(
    ("kind", "data", "error"),
    [
        (aiohttp.WSMsgType.CLOSE, 1000, CosyVoiceConnectionError),
        (aiohttp.WSMsgType.CLOSED, None, CosyVoiceConnectionError),
        (aiohttp.WSMsgType.CLOSING, None, CosyVoiceConnectionError),
        (aiohttp.WSMsgType.ERROR, OSError("reset"), CosyVoiceConnectionError),
        (aiohttp.WSMsgType.ERROR, aiohttp.WebSocketError(1002, "?"), ProtocolError),
        (aiohttp.WSMsgType.TEXT, "?", ProtocolError),
        (aiohttp.WSMsgType.BINARY, b"?", ProtocolError),
    ],
)
async def test_an_end_has_its_error(
    kind: aiohttp.WSMsgType, data: Any, error: type[Exception]
) -> None:
    """Whatever ends a connection, a classed error says so."""
    with pytest.raises(error) as caught:
        await connection_that(kind, data).receive()
    assert type(caught.value) is error


async def test_a_connection_that_cannot_send_is_lost() -> None:
    """It may have been closed a moment ago."""
    with pytest.raises(CosyVoiceConnectionError, match="lost"):
        await connection_that(aiohttp.WSMsgType.CLOSED).start("model", {})
