"""Makes Home Assistant speak, and listens."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
import json
from pathlib import Path
import time
from typing import Any

from .api import RefusedError
from .audio import Recording
from .home import SPEAKER, Home


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a listener was given.

    Attributes:
        recording: The audio.
        first_audio: Seconds from the request to the first byte of audio.
        streamed: Whether the listener could begin before the text was complete.
    """

    recording: Recording
    first_audio: float
    streamed: bool = False


async def speak(home: Home, engine: str, message: str, **options: Any) -> Heard:
    """Speak through ``tts.speak`` to the loudspeaker and return what it recorded.

    Raises:
        RefusedError: The action failed, or the loudspeaker was given nothing.
    """
    begin = time.time()
    before = await asyncio.to_thread(_plays, home)
    await home.api.action(
        "tts.speak",
        entity_id=engine,
        media_player_entity_id=SPEAKER,
        message=message,
        cache=False,
        options=options,
    )
    new = [play for play in await asyncio.to_thread(_plays, home) if play not in before]
    if len(new) != 1:
        raise RefusedError(f"The loudspeaker recorded {len(new)} times")
    facts = json.loads(await asyncio.to_thread(new[0].read_text, encoding="utf-8"))
    audio = next(path for path in _siblings(new[0]) if path != new[0])
    return Heard(
        recording=await asyncio.to_thread(Recording.read, audio),
        first_audio=facts["first_byte"] - begin,
    )


async def converse(home: Home, pipeline: str, text: str, path: Path) -> Heard:
    """Let a voice assistant answer a typed text; keep the spoken answer as a file.

    The audio is fetched as a satellite does: as soon as Home Assistant says that it
    streams, at the latest when the text is complete.

    Raises:
        RefusedError: The assistant failed, or there was nothing to hear.
    """
    begin = time.time()
    url = ""
    streamed = False
    listening: asyncio.Task[tuple[bytes, float]] | None = None
    async with aclosing(
        home.api.messages(
            type="assist_pipeline/run",
            start_stage="intent",
            end_stage="tts",
            pipeline=pipeline,
            input={"text": text},
        )
    ) as messages:
        async for message in messages:
            if message["type"] != "event":
                continue
            event, data = message["event"]["type"], message["event"]["data"]
            if event == "run-start":
                url = data["tts_output"]["url"]
            elif event == "error":
                raise RefusedError(f"The assistant failed: {data}")
            elif event == "intent-progress" and data.get("tts_start_streaming"):
                streamed = True
            elif event == "run-end":
                break
            if listening is None and (streamed or event == "tts-end"):
                listening = asyncio.create_task(_listen(home, url))
    if listening is None:
        raise RefusedError("The assistant ended without an answer")
    audio, first_byte = await listening
    path = path.with_suffix(Path(url).suffix)
    await asyncio.to_thread(path.write_bytes, audio)
    return Heard(
        recording=await asyncio.to_thread(Recording.read, path),
        first_audio=first_byte - begin,
        streamed=streamed,
    )


def letters(text: str) -> str:
    """Return the letters and digits of a text, which can be heard."""
    return "".join(filter(str.isalnum, text))


async def _listen(home: Home, url: str) -> tuple[bytes, float]:
    audio = bytearray()
    first_byte = None
    async with home.api.session.get(f"{home.api.url}{url}") as response:
        async for chunk in response.content.iter_any():
            first_byte = first_byte or time.time()
            audio += chunk
    if response.status != 200 or first_byte is None:
        raise RefusedError(
            f"Nothing to hear: status {response.status}, {len(audio)} bytes"
        )
    return bytes(audio), first_byte


def _plays(home: Home) -> list[Path]:
    return sorted((home.directory / "played").glob("*.json"))


def _siblings(path: Path) -> list[Path]:
    return list(path.parent.glob(f"{path.stem}.*"))
