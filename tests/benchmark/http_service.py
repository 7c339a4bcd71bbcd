"""A service that speaks sentences over HTTPS, for the peers that have such a one.

``python -m tests.benchmark.http_service PORT ROUND_TRIP REAL_TIME_FACTOR``: the same
voice and the same latency as the emulated service, in seconds.
"""

import asyncio
import sys
from typing import Any
import weakref

from aiohttp import web

from tests.emulator import EmulatorConfig
from tests.emulator.audio import Encoder
from tests.emulator.rules import Speaker
from tests.emulator.speech import Studio
from tests.emulator.text import Passage

from .network import FIRST_PACKET, VOICE

_CHUNK = 0.1
_HANDSHAKES = 2
_RATE = 24_000


def application(round_trip: float, real_time_factor: float) -> web.Application:
    """Return the service; it takes a sentence at ``/speech`` and answers with MP3."""
    studio = Studio(EmulatorConfig())
    speaker = Speaker(
        voice=VOICE,
        language="zh",
        gender="male",
        format="mp3",
        sample_rate=_RATE,
        bit_rate=64,
        volume=50,
        rate=1.0,
        pitch=1.0,
        seed=0,
        instruction="",
        language_hint=None,
        word_timestamps=False,
        ssml=False,
        knows_ssml=False,
        replacements=(),
    )
    connections: weakref.WeakSet[asyncio.BaseTransport] = weakref.WeakSet()

    @web.middleware
    async def network(request: web.Request, handler: Any) -> Any:
        transport = request.transport
        if transport is not None and transport not in connections:
            connections.add(transport)
            await asyncio.sleep(_HANDSHAKES * round_trip)
        return await handler(request)

    async def speech(request: web.Request) -> web.StreamResponse:
        text = await request.text()
        # Both ways of the request's own round trip.
        await asyncio.sleep(round_trip)
        loop = asyncio.get_running_loop()
        ready = loop.time() + FIRST_PACKET
        encoder = Encoder("mp3", _RATE, 64)
        spoken = await studio.speak(Passage(text), speaker, encoder, final=True)
        response = web.StreamResponse()
        await response.prepare(request)
        for number, chunk in enumerate(spoken.chunks):
            due = ready + number * _CHUNK * real_time_factor
            await asyncio.sleep(due - loop.time())
            await response.write(chunk)
        await response.write_eof()
        return response

    async def state(_: web.Request) -> web.Response:
        return web.Response()

    app = web.Application(middlewares=[network])
    app.router.add_post("/speech", speech)
    app.router.add_get("/", state)
    return app


if __name__ == "__main__":
    port, round_trip, real_time_factor = sys.argv[1:]
    web.run_app(
        application(float(round_trip), float(real_time_factor)),
        host="127.0.0.1",
        port=int(port),
        access_log=None,
        print=None,
    )
