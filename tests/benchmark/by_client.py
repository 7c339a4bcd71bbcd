"""From text to the first byte of audio, without Home Assistant: ours and the vendor's."""

import asyncio
from collections.abc import Callable
import time
from typing import Any

import aiohttp

from custom_components.cosyvoice.client import (
    CosyVoiceClient,
    Endpoint,
    SynthesisOptions,
    Timing,
)
from tests.demo.home import API_KEY

from .costs import cpu_seconds, memory, reset_peak, until
from .network import LONG_TEXT, NETWORKS, OURS, TEXTS, Services

REGION = "cn-beijing"
SECOND = 48_000
"""Bytes of a second of audio: 16-bit samples at 24 kHz, from all clients alike."""


async def ours(row: str, services: Services, repetitions: int) -> dict[str, Any]:
    """Return the times of our client in seconds by network, and its cost."""
    before = memory()
    async with aiohttp.ClientSession() as session:
        names = [network.name for network in NETWORKS]
        results = await asyncio.gather(
            *(
                _latency_of_ours(session, services.emulators[name], row, repetitions)
                for name in names
            )
        )
        client = _client(session, services.fast)
        _, voice = OURS[row]
        shares = []
        for _ in range(3):
            reset_peak()
            used = cpu_seconds()
            size = sum(
                [len(chunk) async for chunk in client.speak(LONG_TEXT, _options(voice))]
            )
            shares.append((cpu_seconds() - used) / (size / SECOND) * 60)
        await client.close()
    return {
        "row": row,
        "latency": dict(zip(names, results, strict=True)),
        "cpu": shares,
        "memory": memory("VmHWM") - before,
    }


async def _latency_of_ours(
    session: aiohttp.ClientSession, url: str, row: str, repetitions: int
) -> list[float]:
    state, voice = OURS[row]
    timing = Timing(keep_warm=0) if state == "warm" else Timing()
    client = _client(session, url, timing)
    # The first time nothing is ready.
    await _first_audio(client, voice, TEXTS[-1])
    seconds = []
    for number in range(repetitions):
        if state == "cold":
            await client.close()
            client = _client(session, url, timing)
        else:
            await _ready(client, state)
        seconds.append(await _first_audio(client, voice, TEXTS[number % len(TEXTS)]))
    await client.close()
    return seconds


async def _ready(client: CosyVoiceClient, state: str) -> None:
    figure = "prestarted" if state == "pre-started" else "idle"
    await until(lambda: getattr(client.statistics, figure) > 0)


async def _first_audio(client: CosyVoiceClient, voice: str, text: str) -> float:
    """Speak, and return the seconds until the first audio."""
    begun = time.perf_counter()
    first = None
    async for _ in client.speak(text, _options(voice)):
        first = first or time.perf_counter()
    assert first
    return first - begun


def _client(
    session: aiohttp.ClientSession, url: str, timing: Timing | None = None
) -> CosyVoiceClient:
    return CosyVoiceClient(
        session, API_KEY, Endpoint.create(REGION, url), timing=timing
    )


def _options(voice: str) -> SynthesisOptions:
    return SynthesisOptions(voice=voice, format="pcm").resolve(REGION)


def vendors(
    mode: str, network: str, services: Services, repetitions: int
) -> dict[str, Any]:
    """Return the times of the vendor's SDK in seconds, and its cost.

    Its object pool is one per process, so a process can measure only one network.

    Args:
        mode: ``call``, ``callback`` or ``pool``.
        network: The name of the network.
        services: Where the services are.
        repetitions: How often.
    """
    before = memory()
    reset_peak()
    speak = {"call": _call, "callback": _callback, "pool": _pool}[mode]
    spoken = speak(services.emulators[network], list(TEXTS), repetitions)
    shares = []
    for _ in range(3):
        used = cpu_seconds()
        _, size = _once(mode, services.fast)
        shares.append((cpu_seconds() - used) / (size / SECOND) * 60)
    return {
        "row": mode,
        "latency": {network: [seconds for seconds, _ in spoken]},
        "audio": [size / SECOND for _, size in spoken],
        "cpu": shares,
        "memory": memory("VmHWM") - before,
    }


type _Spoken = list[tuple[float, int]]
"""Seconds to the first audio, and bytes of audio."""


def _call(url: str, texts: list[str], repetitions: int) -> _Spoken:
    from .vendor import call

    def speak(text: str) -> tuple[float, int]:
        begun = time.perf_counter()
        audio = call(url, text)
        return time.perf_counter() - begun, len(audio)

    return _repeat(speak, texts, repetitions)


def _callback(
    url: str, texts: list[str], repetitions: int, pool: Any = None
) -> _Spoken:
    from .vendor import VendorSpeaker

    def speak(text: str) -> tuple[float, int]:
        arrivals: list[tuple[float, int]] = []
        speaker = VendorSpeaker(
            url,
            "pcm",
            lambda data: (
                arrivals.append((time.perf_counter(), len(data))) if data else None
            ),
            pool,
        )
        begun = time.perf_counter()
        speaker.speak(text)
        return arrivals[0][0] - begun, sum(size for _, size in arrivals)

    return _repeat(speak, texts, repetitions)


def _pool(url: str, texts: list[str], repetitions: int) -> _Spoken:
    from .vendor import object_pool

    pool = object_pool(url)
    try:
        return _callback(url, texts, repetitions, pool)
    finally:
        pool.shutdown()  # type: ignore[no-untyped-call]


def _repeat(
    speak: Callable[[str], tuple[float, int]], texts: list[str], repetitions: int
) -> _Spoken:
    speak(texts[-1])
    return [speak(texts[number % len(texts)]) for number in range(repetitions)]


def _once(mode: str, url: str) -> tuple[float, int]:
    speak = _call if mode == "call" else _callback
    return speak(url, [LONG_TEXT], 1)[0]
