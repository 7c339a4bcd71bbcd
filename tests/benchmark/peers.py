"""How today's integrations speak, as small engines inside Home Assistant.

Each has the pattern of its model and nothing else, so that it is at its best.
"""

from abc import ABC, abstractmethod
import asyncio
from collections.abc import AsyncGenerator, AsyncIterable
from typing import override

import aiohttp

from custom_components.cosyvoice.client import (
    CosyVoiceClient,
    Endpoint,
    SynthesisOptions,
    Timing,
)
from custom_components.cosyvoice.text.sentences import Piece, PieceSplitter
from homeassistant.components.tts import TextToSpeechEntity, TTSAudioResponse
from homeassistant.components.tts.entity import TTSAudioRequest
from tests.demo.home import API_KEY

from .network import VOICE
from .vendor import VendorSpeaker


class PeerEngine(TextToSpeechEntity, ABC):
    """An engine that speaks Chinese.

    Attributes:
        extension: Of the audio.
    """

    extension = "mp3"
    _attr_default_language = "zh"
    _attr_supported_languages = ["zh"]

    def __init__(self, name: str, url: str) -> None:
        """Name the engine, and say where its service is."""
        self._attr_name = name
        self._url = url

    @override
    async def async_stream_tts_audio(
        self, request: TTSAudioRequest
    ) -> TTSAudioResponse:
        """Return the audio immediately, as each pattern makes it."""
        return TTSAudioResponse(self.extension, self.audio(request.message_gen))

    @abstractmethod
    def audio(self, text: AsyncIterable[str]) -> AsyncGenerator[bytes]:
        """Yield the audio."""


class JoinedEngine(PeerEngine):
    """Joins the whole text, then has the vendor's SDK open a connection; MP3.

    The pattern of itning/hass-aliyun_bailian_tts, the one integration for this
    service so far.
    """

    @override
    async def audio(self, text: AsyncIterable[str]) -> AsyncGenerator[bytes]:
        """Yield what the SDK calls back with."""
        whole = "".join([piece async for piece in text])
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        speaker = VendorSpeaker(
            self._url,
            "mp3",
            lambda data: loop.call_soon_threadsafe(queue.put_nowait, data),
        )
        speaking = loop.run_in_executor(None, speaker.speak, whole)
        while (chunk := await queue.get()) is not None:
            yield chunk
        await speaking


class SentenceEngine(PeerEngine):
    """Asks for sentence after sentence over HTTPS; MP3.

    The pattern of ElevenLabs and Home Assistant Cloud. The connection is kept within
    one reply, and new for the next one, as a pool closes it after a few seconds.
    """

    @override
    async def audio(self, text: AsyncIterable[str]) -> AsyncGenerator[bytes]:
        """Yield the audio of each sentence; the next one is asked for after it."""
        async with aiohttp.ClientSession() as session:
            async for sentence in _sentences(text):
                async with session.post(
                    f"{self._url}/speech", data=sentence.encode()
                ) as response:
                    async for chunk in response.content.iter_any():
                        yield chunk


class TrickleEngine(PeerEngine):
    """Sends all text as it comes over a new connection; WAV of 16 bits.

    The pattern of Wyoming and Piper.
    """

    extension = "wav"

    @override
    async def audio(self, text: AsyncIterable[str]) -> AsyncGenerator[bytes]:
        """Yield the audio as it comes."""
        async with aiohttp.ClientSession() as session:
            client = CosyVoiceClient(
                session,
                API_KEY,
                Endpoint.create("cn-beijing", self._url),
                timing=Timing(keep_warm=0),
            )
            options = SynthesisOptions(voice=VOICE, format="wav")
            async for chunk in client.speak(
                _pieces(text), options.resolve("cn-beijing")
            ):
                yield chunk
            await client.close()


async def _sentences(text: AsyncIterable[str]) -> AsyncGenerator[str]:
    sentence = ""
    async for piece in _pieces(text):
        sentence += piece.text
        if piece.end == "sentence":
            yield sentence
            sentence = ""


async def _pieces(text: AsyncIterable[str]) -> AsyncGenerator[Piece]:
    splitter = PieceSplitter()
    async for chunk in text:
        for piece in splitter.push(chunk):
            yield piece
    for piece in splitter.finish():
        yield piece


PEERS: dict[str, type[PeerEngine]] = {
    "all text, new socket, MP3": JoinedEngine,
    "sentence by sentence, MP3": SentenceEngine,
    "trickled WAV, new socket": TrickleEngine,
}


def peer(name: str, url: str, http_url: str) -> PeerEngine:
    """Return the engine of a pattern.

    Args:
        name: Of the pattern.
        url: The emulated service.
        http_url: The service that speaks over HTTPS.
    """
    kind = PEERS[name]
    return kind(name, http_url if kind is SentenceEngine else url)


def floor_round_trips(name: str) -> int:
    """Return the round trips that a pattern cannot do without.

    A WebSocket takes its upgrade and run-task on top of what HTTPS takes.
    """
    return 3 if PEERS[name] is SentenceEngine else 5
