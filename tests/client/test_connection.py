"""One connection, with a WebSocket or a server that does what a test says."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
import logging
from typing import Any, cast

import aiohttp
from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestServer
import pytest

from custom_components.cosyvoice.client.errors import (
    AuthenticationError,
    CosyVoiceConnectionError,
    CosyVoiceError,
    CosyVoiceTimeoutError,
    ProtocolError,
    ProxyError,
    RequestError,
)
from custom_components.cosyvoice.client.wire.connection import Connection
from custom_components.cosyvoice.client.wire.protocol import Audio
from tests.clock import run


class FakeWebSocket:
    """Sends nothing, receives one message."""

    closed = False
    close_code = None

    def __init__(self, kind: aiohttp.WSMsgType, data: Any) -> None:
        """Have this to say."""
        self.message = aiohttp.WSMessage(kind, data, None)

    async def send_str(self, _message: str) -> None:
        """Be unable to."""
        raise aiohttp.ClientConnectionResetError("Cannot write to closing transport")

    async def ping(self) -> None:
        """Be unable to."""
        raise aiohttp.ClientConnectionResetError("Cannot write to closing transport")

    async def pong(self, _data: bytes) -> None:
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
        (aiohttp.WSMsgType.CLOSE, 1007, RequestError),
        (aiohttp.WSMsgType.PING, b"", CosyVoiceConnectionError),
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
    with pytest.raises(CosyVoiceConnectionError, match="lost"):
        await connection_that(aiohttp.WSMsgType.CLOSED).probe(1)


type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

HEADERS = {"Authorization": "Bearer sk-secret", "X-DashScope-WorkSpace": "ws-secret"}


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[BaseTestServer]:
    """Serve every request with the handler."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    async with TestServer(app) as server:
        yield server


async def opened(
    server: BaseTestServer, session: aiohttp.ClientSession, timeout: float = 1.0
) -> Connection:
    """Return a connection to a server."""
    return await Connection.open(session, str(server.make_url("/")), HEADERS, timeout)


def speaking(*frames: str) -> Handler:
    """Return a handler of a WebSocket that sends these frames and then listens."""

    async def handler(request: web.Request) -> web.StreamResponse:
        websocket = web.WebSocketResponse()
        await websocket.prepare(request)
        for frame in frames:
            await websocket.send_str(frame)
        async for _ in websocket:
            pass
        return websocket

    return handler


def chain(error: BaseException) -> list[BaseException]:
    """Return an error and all that it was raised from or beside."""
    errors = [error]
    while (before := errors[-1].__cause__ or errors[-1].__context__) is not None:
        errors.append(before)
    return errors


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 429, 500, 503])
async def test_a_refused_handshake_keeps_the_key_out_of_the_error(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Also out of what the error was raised from."""
    caplog.set_level(logging.DEBUG)

    async def handler(_request: web.Request) -> web.Response:
        return web.Response(status=status)

    async with serving(handler) as server, aiohttp.ClientSession() as session:
        with pytest.raises(CosyVoiceError) as caught:
            await opened(server, session)
    for error in chain(caught.value):
        assert "secret" not in repr(error) + str(vars(error))
    assert "secret" not in caplog.text
    assert isinstance(caught.value, AuthenticationError) is (status in (401, 403))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(status: int) -> None:
    """Another host gets neither the key nor the workspace."""
    asked: list[str] = []

    async def other(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response()

    async with serving(other) as elsewhere:

        async def handler(_request: web.Request) -> web.Response:
            location = str(elsewhere.make_url("/stolen"))
            return web.Response(status=status, headers={"Location": location})

        async with serving(handler) as server, aiohttp.ClientSession() as session:
            with pytest.raises(ProxyError, match=str(status)):
                await opened(server, session)
    assert asked == []


@pytest.mark.parametrize("url", ["ws://a..b/", "ws://", "ws://[::1", "nonsense"])
async def test_an_address_that_cannot_be_is_a_failed_connection(url: str) -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(CosyVoiceConnectionError):
            await Connection.open(session, url, HEADERS, 1)


async def test_a_session_that_is_closed_is_a_failed_connection() -> None:
    """Home Assistant closes it when it stops."""
    async with serving(speaking()) as server:
        session = aiohttp.ClientSession()
        await session.close()
        with pytest.raises(CosyVoiceConnectionError, match="closed"):
            await opened(server, session)


async def test_connections_have_names_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    async with serving(speaking()) as server, aiohttp.ClientSession() as session:
        first, second = await opened(server, session), await opened(server, session)
        assert first.name != second.name
        await first.close()
        await second.close()
    logged = [record.getMessage() for record in caplog.records]
    for connection in (first, second):
        [opening, closing] = [text for text in logged if f"{connection.name}:" in text]
        assert "opened" in opening
        assert "closed with code 1000" in closing


async def test_pings_are_answered() -> None:
    """Not by aiohttp, which would swallow the answers to our own."""
    answered = asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        websocket = web.WebSocketResponse(autoping=False)
        await websocket.prepare(request)
        await websocket.ping(b"1")
        message = await websocket.receive()
        if (message.type, message.data) == (aiohttp.WSMsgType.PONG, b"1"):
            answered.set()
        return websocket

    async with serving(handler) as server, aiohttp.ClientSession() as session:
        connection = await opened(server, session)
        with pytest.raises(CosyVoiceConnectionError):
            await connection.receive()
        await connection.close()
    assert answered.is_set()


async def test_frames_without_an_event_are_passed_over() -> None:
    """Most text frames are of this kind: each announces a chunk of audio."""

    async def handler(request: web.Request) -> web.StreamResponse:
        websocket = web.WebSocketResponse()
        await websocket.prepare(request)
        header = {"task_id": (await websocket.receive_json())["header"]["task_id"]}
        await websocket.send_json({"header": header | {"event": "task-started"}})
        for _ in range(2):
            await websocket.send_json({"header": header | {"event": "task-progress"}})
            await websocket.send_bytes(b"")
        await websocket.send_bytes(b"audio")
        return websocket

    async with serving(handler) as server, aiohttp.ClientSession() as session:
        connection = await opened(server, session)
        await connection.start("cosyvoice-v3-flash", {})
        assert await connection.receive() == [Audio(b"audio")]
        await connection.close()


def test_a_probe_is_answered_by_a_living_connection_only() -> None:
    """Whoever receives learns about a dead one in time."""

    async def scenario(*, alive: bool) -> None:
        async def handler(request: web.Request) -> web.StreamResponse:
            websocket = web.WebSocketResponse(autoping=alive, timeout=1)
            await websocket.prepare(request)
            async for _ in websocket:
                pass
            return websocket

        loop = asyncio.get_running_loop()
        async with serving(handler) as server, aiohttp.ClientSession() as session:
            connection = await opened(server, session)
            await connection.probe(1.5)
            receiving = asyncio.create_task(connection.receive())
            done, _ = await asyncio.wait({receiving}, timeout=60)
            assert connection.silent is not alive
            if not alive:
                assert loop.time() < 1.6
                assert isinstance(receiving.exception(), CosyVoiceTimeoutError)
            else:
                assert not done
                receiving.cancel()
            await connection.close()

    run(scenario(alive=False))
    run(scenario(alive=True))


async def test_a_cancelled_task_is_confirmed() -> None:
    """The connection is then idle again, whatever comes before the confirmation."""
    answers = {"run-task": "task-started", "finish-task": "task-finished"}
    flushes: list[object] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        websocket = web.WebSocketResponse()
        await websocket.prepare(request)
        async for message in websocket:
            header, payload = message.json()["header"], message.json()["payload"]
            flushes.extend([payload] if "flush" in payload["input"] else [])
            if answer := answers.get(header["action"]):
                for event in ("task-progress", answer):
                    header["event"] = event
                    await websocket.send_json({"header": header, "payload": {}})
        return websocket

    async with serving(handler) as server, aiohttp.ClientSession() as session:
        connection = await opened(server, session)
        for _ in range(2):
            await connection.start("cosyvoice-v3-flash", {})
            await connection.flush()
            await connection.cancel()
        await connection.close()
    assert [flush["input"] for flush in flushes] == [{"flush": True}] * 2
