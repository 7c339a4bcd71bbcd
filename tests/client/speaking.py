"""A client and an emulated service for it, and texts that are being written."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from custom_components.cosyvoice.client import (
    CosyVoiceClient,
    Endpoint,
    SynthesisOptions,
    Utterance,
)
from custom_components.cosyvoice.text.sentences import Piece
from tests.emulator import Emulator, EmulatorConfig

REGION = "cn-beijing"
SENTENCES = ["今天天气不错。", "It is 21 degrees outside.", "客厅的灯已经打开！"]
TEXT = " ".join(SENTENCES)
LONG = "".join(f"今天是第{number}天，天气很好。" for number in "一二三四五六七八九十")


@asynccontextmanager
async def service(
    config: EmulatorConfig | None = None, **settings: Any
) -> AsyncIterator[tuple[Emulator, CosyVoiceClient]]:
    """Run an emulator and a client of it, which must leave no connection.

    Args:
        config: The emulator's; by default it speaks in signals.
        settings: The client's.
    """
    config = config or EmulatorConfig(speech="signal")
    async with Emulator(config) as emulator, aiohttp.ClientSession() as session:
        endpoint = Endpoint.create(config.region, emulator.url)
        client = CosyVoiceClient(session, "sk-test", endpoint, **settings)
        try:
            yield emulator, client
        finally:
            await client.close()
        assert client.statistics.connections == 0


def options(voice: str = "longanyang", **settings: Any) -> SynthesisOptions:
    """Return resolved options."""
    return SynthesisOptions(voice=voice, **settings).resolve(REGION)


def pieces(text: str) -> Iterator[Piece]:
    """Yield a whole text letter by letter, with the ends of sentences and clauses."""
    for number, letter in enumerate(text, start=1):
        following = text[number : number + 1]
        if letter in "。！？!?" or (letter == "." and not following.strip()):
            yield Piece(letter, "sentence")
        elif letter in "，、：" or (letter in ",;:" and not following.strip()):
            yield Piece(letter, "clause")
        else:
            yield Piece(letter, "")


async def written(text: str, pause: float = 0.001) -> AsyncGenerator[Piece]:
    """Yield a text letter by letter, with a pause in seconds after each."""
    for piece in pieces(text):
        yield piece
        await asyncio.sleep(pause)


async def whole(text: str) -> AsyncGenerator[Piece]:
    """Yield a text that is complete."""
    for piece in pieces(text):
        yield piece


async def timed(*pieces: Piece | str | float) -> AsyncGenerator[Piece]:
    """Yield pieces: strings are whole sentences, numbers are pauses in seconds."""
    for piece in pieces:
        if isinstance(piece, Piece):
            yield piece
        elif isinstance(piece, str):
            yield Piece(piece, "sentence")
        else:
            await asyncio.sleep(piece)


async def listen(utterance: Utterance) -> bytes:
    """Return an utterance's whole audio."""
    return b"".join([chunk async for chunk in utterance])


async def collect(utterance: Utterance, audio: bytearray) -> None:
    """Add an utterance's audio to what is there, as it comes."""
    async for chunk in utterance:
        audio += chunk


def heard(emulator: Emulator, audio: bytes) -> list[str]:
    """Return the sentences heard, each from beginning to end."""
    found = emulator.heard(audio)
    assert all(sentence.complete for sentence in found), found
    return [sentence.text.strip() for sentence in found if sentence.text]
