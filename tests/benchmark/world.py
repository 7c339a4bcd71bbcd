"""Speech as the world is: poor lines, idle minutes, and a slow processor."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
import math
import os
import subprocess
import sys
import time
from typing import Any

import aiohttp

from custom_components.cosyvoice.client import (
    CosyVoiceClient,
    Endpoint,
    SynthesisOptions,
)
from tests.demo.home import API_KEY
from tests.emulator import Emulator, EmulatorConfig

from .home import FORMATS, add_account, engine_of, home_assistant, say
from .line import FAR, LINES, SlowResolver, relay
from .network import (
    FIRST_PACKET,
    LONG_TEXT,
    NETWORKS,
    REAL_TIME_FACTOR,
    TEXTS,
    VOICE,
    Services,
)
from .player import Heard

IDLE_MINUTES = (1, 5, 30)
STEP = 1.0
"""Seconds by which the clock is put forward at a time."""
SLOWNESS = 5
"""How many times slower the processor is: about a Raspberry Pi 4 to a desktop's."""
SLICE = 0.002
"""Seconds that a slowed program runs at a time."""
# It ends with its input, and never while the other program is stopped.
_HELPER = """
import os, select, signal, sys, time
process, run, pause = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
while not select.select([0], [], [], run)[0]:
    os.kill(process, signal.SIGSTOP)
    time.sleep(pause)
    os.kill(process, signal.SIGCONT)
"""


async def line(services: Services, repetitions: int, chosen: str) -> dict[str, Any]:
    """Return the seconds from text to first audio on a line, and the longest gaps.

    ``cold`` opens a connection, ``ready`` has one.
    """
    network = next(line for line in LINES if line.name == chosen)
    config = EmulatorConfig(
        api_keys={API_KEY},
        first_packet=FIRST_PACKET,
        real_time_factor=REAL_TIME_FACTOR,
        tls_round_trips=-1,  # TCP and TLS are real here.
        starts_per_second=0,
    )
    async with AsyncExitStack() as stack:
        emulator = await stack.enter_async_context(Emulator(config))
        url, trusting = await stack.enter_async_context(relay(network, emulator.url))
        connector = aiohttp.TCPConnector(
            resolver=SlowResolver(network.name_lookup),
            ssl=trusting,
            use_dns_cache=False,
        )
        session = await stack.enter_async_context(
            aiohttp.ClientSession(connector=connector)
        )
        cold, ready, heard = [], [], []
        for number in range(repetitions):
            client = CosyVoiceClient(
                session, API_KEY, Endpoint.create("cn-beijing", url)
            )
            client.keep_ready(math.inf)
            cold.append(await _first_audio(client, TEXTS[number % len(TEXTS)]))
            await client.close()
            client = CosyVoiceClient(
                session, API_KEY, Endpoint.create("cn-beijing", url)
            )
            client.keep_ready(math.inf)
            await client.check_key()  # Its connection is kept.
            ready.append(await _first_audio(client, TEXTS[number % len(TEXTS)]))
            if number % 5 == 0:
                heard.append(Heard())
                await heard[-1].listen(aiter(client.speak(LONG_TEXT, _options())))
            await client.close()
    return {"cold": cold, "ready": ready, "gaps": [_gap(one) for one in heard]}


def _options() -> SynthesisOptions:
    return SynthesisOptions(voice=VOICE, format="mp3").resolve("cn-beijing")


async def _first_audio(client: CosyVoiceClient, text: str) -> float:
    begun, first = time.perf_counter(), 0.0
    async for _ in client.speak(text, _options()):
        first = first or time.perf_counter()
    return first - begun


def _gap(heard: Heard) -> float:
    """Return how long a player of an MP3 had nothing to play."""
    size = sum(len(chunk) for _, chunk in heard.chunks)
    seconds = heard.seconds()
    heard.chunks.insert(0, (heard.chunks[0][0], b""))
    return heard.gap(round(size / seconds))


async def idle(
    services: Services, repetitions: int, option: str
) -> dict[str, list[float]]:
    """Return the seconds from text to player after idle minutes, by minutes.

    The minutes do not pass: the clock of Home Assistant, client and emulated service,
    which share a loop, is put forward by a second at a time.
    """
    loop = asyncio.get_running_loop()
    ahead, real = 0.0, loop.time
    loop.time = lambda: real() + ahead  # type: ignore[method-assign]

    async def pass_minutes(minutes: float) -> None:
        nonlocal ahead
        for _ in range(round(minutes * 60 / STEP)):
            ahead += STEP
            await asyncio.sleep(0.004)

    found: dict[str, list[float]] = {str(minutes): [] for minutes in IDLE_MINUTES}
    config = EmulatorConfig(
        api_keys={API_KEY},
        round_trip=FAR,
        first_packet=FIRST_PACKET,
        real_time_factor=REAL_TIME_FACTOR,
        starts_per_second=0,
    )
    async with Emulator(config) as emulator, home_assistant(services.ffmpeg) as hass:
        entry = await add_account(hass, emulator.url)
        hass.config_entries.async_update_entry(entry, options={"keep_ready": option})
        engine = engine_of(hass, entry)
        number = 0
        for minutes in IDLE_MINUTES:
            for _ in range(repetitions):
                await Heard().listen(say(hass, engine, TEXTS[0], FORMATS["MP3"]))
                await pass_minutes(minutes)
                await asyncio.sleep(1)  # What the jump has begun is done.
                number += 1
                heard, begun = Heard(), time.perf_counter()
                text = TEXTS[number % len(TEXTS)]
                await heard.listen(say(hass, engine, text, FORMATS["MP3"]))
                found[str(minutes)].append(heard.playable() - begun)
        await hass.config_entries.async_unload(entry.entry_id)
    return found


async def slowed(services: Services, repetitions: int) -> dict[str, list[float]]:
    """Return the seconds from text to player on a slow processor, by network.

    Another program stops this one for four fifths of the time.
    """
    found: dict[str, list[float]] = {}
    async with home_assistant(services.ffmpeg) as hass:
        for network in (network.name for network in NETWORKS):
            entry = await add_account(hass, services.emulators[network])
            engine = engine_of(hass, entry)
            await Heard().listen(say(hass, engine, TEXTS[0], FORMATS["MP3"]))
            found[network] = []
            for number in range(repetitions):
                await asyncio.sleep(1)  # A task is started in advance.
                heard, text = Heard(), TEXTS[number % len(TEXTS)]
                with slow_processor():
                    begun = time.perf_counter()
                    await heard.listen(say(hass, engine, text, FORMATS["MP3"]))
                found[network].append(heard.playable() - begun)
            await hass.config_entries.async_unload(entry.entry_id)
    return found


@contextmanager
def slow_processor() -> Iterator[None]:
    """Give this process a share of a processor for the length of a block."""
    pause = SLICE * (SLOWNESS - 1)
    arguments = [
        sys.executable,
        "-c",
        _HELPER,
        f"{os.getpid()}",
        f"{SLICE}",
        f"{pause}",
    ]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE):  # noqa: S603
        yield
