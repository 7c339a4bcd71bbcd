"""From text to the player, through Home Assistant: one row of the tables."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable
from math import inf
import time
from typing import Any

from custom_components.cosyvoice.client import CosyVoiceClient, Timing
from homeassistant.core import HomeAssistant

from .costs import cpu_seconds, memory, reset_peak, until
from .home import FORMATS, add_account, add_engine, engine_of, home_assistant, say
from .network import (
    LONG_TEXT,
    NETWORKS,
    OURS,
    PIECE_INTERVAL,
    PIECE_LENGTH,
    STREAMED_LENGTH,
    STREAMED_TEXT,
    TEXTS,
    Services,
)
from .own import OwnClient
from .player import Heard

ENOUGH = 4_000
"""Bytes of a streamed text's audio, half a second, of which the first 50 ms count."""
LANE_STAGGER = 0.13
"""Seconds between the starts of the lanes, which then mostly wait."""
STREAMED_STAGGER = 0.3
"""Seconds between the starts of the streamed texts, which are spoken side by side."""


class Lane:
    """One engine that speaks again and again.

    Attributes:
        engine: Its entity.
        own: Its client, if it is ours.
    """

    def __init__(self, hass: HomeAssistant, row: str) -> None:
        """Prepare for the engine of a row."""
        self.engine = ""
        self.own: OwnClient | None = None
        self._hass = hass
        self._row = row
        # What our client has ready each time
        self._state, self._voice = OURS.get(row, ("", ""))
        self._client: CosyVoiceClient | None = None

    async def open(self, url: str, https: str) -> None:
        """Add the engine."""
        if self._row in OURS:
            entry = await add_account(self._hass, url, voice=self._voice)
            self.own = OwnClient(self._hass, entry)
            self.engine = engine_of(self._hass, entry)
        else:
            from .peers import peer

            self.engine = await add_engine(self._hass, peer(self._row, url, https))

    async def speak(
        self,
        text: str | AsyncGenerator[str],
        preferred: dict[str, Any],
        enough: float = inf,
    ) -> tuple[float, Heard]:
        """Speak with that ready which the state says; return when, and what came.

        Args:
            text: The text.
            preferred: What the listener asks for.
            enough: Bytes after which the listener knows what it wants to know.
        """
        await self._make_ready()
        heard = Heard()
        begun = time.perf_counter()
        await heard.listen(say(self._hass, self.engine, text, preferred), enough)
        return begun, heard

    async def rehearse(self, preferred: dict[str, Any]) -> None:
        """Speak once, so that the first time is like the others."""
        if self.own:
            timing = Timing(keep_warm=0) if self._state == "warm" else None
            self._client = await self.own.renew(timing)
        await Heard().listen(say(self._hass, self.engine, TEXTS[0], preferred))

    async def close(self) -> None:
        """Close the connections."""
        if self.own:
            await self.own.close()

    async def _make_ready(self) -> None:
        if self.own is None or self._client is None:
            return
        if self._state == "cold":
            self._client = await self.own.renew()
            return
        client = self._client
        await until(
            lambda: (
                (
                    client.statistics.prestarted
                    if self._state == "pre-started"
                    else client.statistics.idle
                )
                > 0
            )
        )


async def latency(row: str, services: Services, repetitions: int) -> dict[str, Any]:
    """Return the times of a row by network and format, in seconds.

    ``player`` is from text to what is enough to begin with; ``way`` is how much of it
    passed since our client had as much.
    """

    async def measure(
        lane: Lane, preferred: dict[str, Any], texts: list[str], wait: float
    ) -> list[tuple[float, Heard, Heard]]:
        await lane.rehearse(preferred)
        await asyncio.sleep(wait)
        spoken = []
        for text in texts:
            begun, heard = await lane.speak(text, preferred)
            spoken.append((begun, heard, lane.own.heard if lane.own else heard))
        await lane.close()
        return spoken

    async with home_assistant(services.ffmpeg) as hass:
        cells: list[tuple[str, str]] = []
        works: list[Awaitable[list[tuple[float, Heard, Heard]]]] = []
        texts = [TEXTS[number % len(TEXTS)] for number in range(repetitions)]
        for network in NETWORKS:
            for form, preferred in FORMATS.items():
                for share in (texts[::2], texts[1::2]):
                    lane = Lane(hass, row)
                    await lane.open(
                        services.emulators[network.name],
                        services.https[network.name],
                    )
                    cells.append((network.name, form))
                    wait = len(works) * LANE_STAGGER
                    works.append(measure(lane, preferred, share, wait))
        player: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
        way: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
        for cell, spoken in zip(cells, await asyncio.gather(*works), strict=True):
            for begun, heard, given in spoken:
                playable = heard.playable()
                player[cell].append(playable - begun)
                way[cell].append(playable - given.playable())
        return {
            "row": row,
            "cells": [
                {
                    "network": network_name,
                    "format": form,
                    "player": player[network_name, form],
                    "way": way[network_name, form],
                }
                for network_name, form in player
            ],
        }


async def streamed(row: str, services: Services, repetitions: int) -> dict[str, Any]:
    """Return the seconds from a streamed text's first piece to the player, by network."""
    text = STREAMED_TEXT[:STREAMED_LENGTH]

    async def pieces() -> AsyncGenerator[str]:
        for start in range(0, len(text), PIECE_LENGTH):
            yield text[start : start + PIECE_LENGTH]
            await asyncio.sleep(PIECE_INTERVAL)

    async def measure(lane: Lane, wait: float) -> float:
        await lane.rehearse(FORMATS["MP3"])
        await asyncio.sleep(wait)
        begun, heard = await lane.speak(pieces(), FORMATS["MP3"], ENOUGH)
        return heard.playable() - begun

    async with home_assistant(services.ffmpeg) as hass:
        works: list[Awaitable[float]] = []
        for number in range(repetitions):
            for network in NETWORKS:
                lane = Lane(hass, row)
                await lane.open(
                    services.emulators[network.name], services.https[network.name]
                )
                works.append(measure(lane, number * STREAMED_STAGGER))
        seconds = await asyncio.gather(*works)
    return {
        "row": row,
        "cells": [
            {"network": network.name, "player": seconds[index :: len(NETWORKS)]}
            for index, network in enumerate(NETWORKS)
        ],
    }


async def cost(row: str, services: Services, repetitions: int) -> dict[str, Any]:
    """Return processor seconds per minute of audio, and the peak of memory in MiB.

    The converter's processor time is counted, its memory is not.
    """
    cells = []
    async with home_assistant(services.ffmpeg) as hass:
        before = memory()
        lane = Lane(hass, row)
        await lane.open(services.fast, services.fast_https)
        for form, preferred in FORMATS.items():
            await lane.rehearse(preferred)
            shares = []
            for _ in range(repetitions):
                reset_peak()
                used = cpu_seconds()
                _, heard = await lane.speak(LONG_TEXT, preferred)
                used = cpu_seconds() - used
                peak = memory("VmHWM") - before
                shares.append(used / heard.seconds() * 60)
            cells.append({"format": form, "cpu": shares, "memory": peak})
        await lane.close()
    return {"row": row, "cells": cells}
