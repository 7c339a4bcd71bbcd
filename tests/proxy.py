"""A proxy in front of the service: its addresses begin with a path."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

PREFIX = "/speech"


@asynccontextmanager
async def proxy(service: str) -> AsyncIterator[str]:
    """Run a proxy in front of a service; yield its root."""
    async with aiohttp.ClientSession() as session:

        async def pass_on(request: web.Request) -> web.StreamResponse:
            path = request.raw_path.removeprefix(PREFIX)
            headers = {
                name: value
                for name, value in request.headers.items()
                if name in ("Authorization", "Content-Type")
                or name.startswith("X-DashScope")
            }
            if request.headers.get("Upgrade") == "websocket":
                return await _join(session, f"{service}{path}", headers, request)
            async with session.request(
                request.method,
                f"{service}{path}",
                headers=headers,
                data=await request.read(),
            ) as answer:
                return web.Response(
                    status=answer.status,
                    body=await answer.read(),
                    headers={"Content-Type": answer.content_type},
                )

        app = web.Application()
        app.router.add_route("*", f"{PREFIX}/{{path:.*}}", pass_on)
        async with TestServer(app) as server:
            yield str(server.make_url(PREFIX))


async def _join(
    session: aiohttp.ClientSession,
    url: str,
    headers: dict[str, str],
    request: web.Request,
) -> web.StreamResponse:
    """Connect the caller's WebSocket with the service's."""
    try:
        service = await session.ws_connect(url, headers=headers)
    except aiohttp.WSServerHandshakeError as err:
        return web.Response(status=err.status)
    caller = web.WebSocketResponse()
    await caller.prepare(request)

    async def copy(
        source: aiohttp.ClientWebSocketResponse | web.WebSocketResponse,
        target: aiohttp.ClientWebSocketResponse | web.WebSocketResponse,
    ) -> None:
        async for message in source:
            if message.type is aiohttp.WSMsgType.TEXT:
                await target.send_str(message.data)
            elif message.type is aiohttp.WSMsgType.BINARY:
                await target.send_bytes(message.data)
        await target.close()

    await asyncio.gather(copy(caller, service), copy(service, caller))
    return caller
