"""Many utterances together, a very long one, a repeated one, and the set-up."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
import logging
import time
from typing import Any

import aiohttp

from homeassistant import block_async_io
from homeassistant.components import tts
from homeassistant.components.tts.const import DATA_TTS_MANAGER
from homeassistant.config_entries import ConfigEntry
from tests.demo.home import API_KEY

from .costs import memory, until
from .home import add_account, engine_of, home_assistant, say
from .network import LONG_TEXT, TEXTS, VOICE, Services
from .player import Heard

WAV = {"preferred_format": "wav"}
"""Is passed through unconverted, and can be measured by its length."""
SECOND = 48_000
COUNTS = {1: 3, 5: 2, 20: 3, 50: 1}
"""Utterances together, and how often that is measured."""
HUGE_LENGTH = 200_000
TICK = 0.005


async def many(services: Services) -> list[dict[str, Any]]:
    """Return the loop's delays and the gaps in the audio, by the number of utterances.

    Service and client both permit any number of task starts a second here: at three,
    as the real service does, twenty would never begin together.
    """
    from custom_components.cosyvoice.client import Timing

    from .own import OwnClient

    results = []
    async with home_assistant(services.ffmpeg) as hass:
        entry = await add_account(hass, services.emulators["near"])
        own = OwnClient(hass, entry)
        await own.renew(Timing(start_window=0))
        engine = engine_of(hass, entry)
        await Heard().listen(say(hass, engine, TEXTS[0], WAV))
        for count, repetitions in COUNTS.items():
            delays: list[float] = []
            gaps: list[float] = []
            for _ in range(repetitions):
                heard = [Heard() for _ in range(count)]
                watch = asyncio.create_task(_watch_loop(delays))
                await asyncio.gather(
                    *(
                        one.listen(
                            say(hass, engine, f"{number}。{LONG_TEXT}"[:40], WAV)
                        )
                        for number, one in enumerate(heard)
                    )
                )
                watch.cancel()
                gaps += [one.gap(SECOND) for one in heard]
            results.append({"count": count, "delays": delays, "gaps": gaps})
        await own.close()
    return results


async def _watch_loop(delays: list[float]) -> None:
    """Note how late the event loop is, every few milliseconds."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + TICK
        await asyncio.sleep(TICK)
        delays.append(max(0.0, loop.time() - due))


async def long_text(services: Services) -> list[tuple[float, float]]:
    """Return the memory in MiB at shares of a text of 200,000 characters."""
    from custom_components.cosyvoice.client import (
        CosyVoiceClient,
        Endpoint,
        Piece,
        SynthesisOptions,
    )
    from custom_components.cosyvoice.text.sentences import PieceSplitter

    async def pieces(text: str) -> AsyncGenerator[Piece]:
        splitter = PieceSplitter()
        for piece in (*splitter.push(text), *splitter.finish()):
            yield piece

    text = (LONG_TEXT * (HUGE_LENGTH // len(LONG_TEXT) + 1))[:HUGE_LENGTH]
    options = SynthesisOptions(voice=VOICE, format="pcm").resolve("cn-beijing")
    used = []
    async with aiohttp.ClientSession() as session:
        endpoint = Endpoint.create("cn-beijing", services.silent)
        client = CosyVoiceClient(session, API_KEY, endpoint)
        utterance = client.speak(pieces(text), options)
        received = 0
        used.append((0.0, memory()))
        async for chunk in utterance:
            received += len(chunk)
            if received - used[-1][0] > SECOND * 50:
                used.append((received, memory()))
        await client.close()
    used.append((received, memory()))
    return [(size / received, mebibytes) for size, mebibytes in used]


async def replay(services: Services, repetitions: int) -> dict[str, list[float]]:
    """Return the seconds to the first and to all audio of what was heard before."""
    text = TEXTS[0]

    async def listen() -> Heard:
        stream = tts.async_create_stream(hass, engine)
        stream.async_set_message(text)
        heard = Heard()
        await heard.listen(stream.async_stream_result())
        return heard

    async def timed() -> float:
        begun = time.perf_counter()
        heard = await listen()
        return heard.chunks[0][0] - begun

    async with home_assistant(services.ffmpeg) as hass:
        entry = await add_account(hass, services.fast)
        engine = engine_of(hass, entry)
        manager = hass.data[DATA_TTS_MANAGER]
        await listen()
        await until(lambda: manager.file_cache)
        from_memory = [await timed() for _ in range(repetitions)]
        from_disk = []
        for _ in range(repetitions):
            manager.mem_cache.clear()
            from_disk.append(await timed())
        await entry.runtime_data.client.close()
    return {"memory": from_memory, "disk": from_disk}


async def cleaning(services: Services, repetitions: int) -> dict[str, list[float]]:
    """Return the seconds to the first audio of plain text, cleaned and unchanged."""
    async with home_assistant(services.ffmpeg) as hass:
        entries = {
            name: await add_account(hass, services.fast, clean_text=clean)
            for name, clean in (("cleaned", True), ("as written", False))
        }
        seconds: dict[str, list[float]] = {name: [] for name in entries}
        # The first round is a rehearsal; whoever says a text first waits for the
        # service to make it up, so they take turns in that.
        for number in range(repetitions + 1):
            text = TEXTS[number % len(TEXTS)]
            for name, entry in sorted(entries.items(), reverse=number % 2 == 0):
                heard = Heard()
                begun = time.perf_counter()
                await heard.listen(say(hass, engine_of(hass, entry), text, {}))
                seconds[name].append(heard.chunks[0][0] - begun)
                await until(_is_ready(entry))
        for entry in entries.values():
            await entry.runtime_data.client.close()
    return {name: values[1:] for name, values in seconds.items()}


def _is_ready(entry: ConfigEntry[Any]) -> Callable[[], bool]:
    return lambda: entry.runtime_data.client.statistics.prestarted > 0


async def set_up(services: Services, repetitions: int) -> dict[str, Any]:
    """Return the seconds of the first set-up, of reloads, and what blocked the loop.

    The service is on this machine and answers immediately: the network is not counted.
    """
    reports = _Reports()
    logging.getLogger().addHandler(reports)
    block_async_io.enable()
    async with home_assistant(services.ffmpeg) as hass:
        first, entry = await _timed(lambda: add_account(hass, services.fast))

        async def reload() -> None:
            await hass.config_entries.async_reload(entry.entry_id)
            await hass.async_block_till_done()

        reloads = [(await _timed(reload))[0] for _ in range(repetitions)]
        assert await hass.config_entries.async_unload(entry.entry_id)
    return {"first": first, "reloads": reloads, "blocking": reports.found}


async def _timed[T](work: Callable[[], Awaitable[T]]) -> tuple[float, T]:
    begun = time.perf_counter()
    result = await work()
    return time.perf_counter() - begun, result


class _Reports(logging.Handler):
    """Keeps what Home Assistant says about blocking calls."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if "blocking call" in (message := record.getMessage()):
            self.found.append(message)
