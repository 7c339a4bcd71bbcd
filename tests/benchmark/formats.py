"""Which form of audio gets through Home Assistant's converter soonest.

``PYTHON -m tests.benchmark.formats [--ffmpeg PROGRAM]``, with the Python of any Home
Assistant that has ``av`` beside it. An engine hands over each form as the service's
audio comes in: the header immediately, then the first 100 ms of audio, and so on at a
real-time factor of 0.3. Printed is what passes from there until the listener can play
50 ms, as median of the repetitions.
"""

import argparse
import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
import struct
import subprocess
import time
from typing import Any, override

import numpy as np

from custom_components.cosyvoice.client.audio import audio_writer
from homeassistant.components.tts import TextToSpeechEntity, TTSAudioResponse
from homeassistant.components.tts.entity import TTSAudioRequest
from homeassistant.const import __version__
from tests.demo.home import ffmpeg
from tests.emulator.audio import Encoder, Samples, decode

from .figures import markdown, median
from .home import FORMATS, add_engine, home_assistant, say
from .network import FIRST_PACKET, REAL_TIME_FACTOR
from .player import Heard

CHUNK = 0.1
SECONDS = 3.0
TONE = 440.0
"""Hz of what is played, by which it is recognised."""

LISTENERS: dict[str, dict[str, Any]] = {
    "wav 16 kHz": FORMATS["wav 16 kHz"],
    "wav 22.05 kHz": FORMATS["wav 16 kHz"] | {"preferred_sample_rate": 22050},
    "flac 48 kHz": FORMATS["flac 48 kHz"],
}

type Coder = Callable[[Samples], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form of audio that an engine may hand over.

    Attributes:
        name: What the table calls it.
        extension: The extension that Home Assistant receives.
        rate: Hz.
        coder: Makes the function that codes a piece; of no samples, the header.
    """

    name: str
    extension: str
    rate: int
    coder: Callable[[int], Coder]


def _own(audio_format: str) -> Callable[[int], Coder]:
    """Return the coder of the integration's own client."""

    def create(rate: int) -> Coder:
        writer = audio_writer(audio_format, rate)
        return lambda samples: (
            writer.feed(samples.tobytes()) if len(samples) else writer.header()
        )

    return create


def _compressed(audio_format: str) -> Callable[[int], Coder]:
    """Return the coder of the emulated service."""

    def create(rate: int) -> Coder:
        encoder = Encoder(audio_format, rate, 64)
        return lambda samples: encoder.encode(samples) if len(samples) else b""

    return create


def _float_wav(rate: int) -> Coder:
    fields = (b"RIFF", 0xFFFFFFFF, b"WAVE", b"fmt ", 16, 3, 1, rate, rate * 4, 4, 32)
    header = struct.pack("<4sI4s4sIHHIIHH4sI", *fields, b"data", 0xFFFFFFFF)

    def code(samples: Samples) -> bytes:
        if not len(samples):
            return header
        return (samples / 32768).astype(np.float32).tobytes()

    return code


FORMS = (
    Form(name="16-bit CAF, 48 kHz", extension="caf", rate=48000, coder=_own("caf")),
    Form(name="16-bit CAF, 24 kHz", extension="caf", rate=24000, coder=_own("caf")),
    Form(name="16-bit CAF, 16 kHz", extension="caf", rate=16000, coder=_own("caf")),
    Form(name="16-bit WAV, 24 kHz", extension="wav", rate=24000, coder=_own("wav")),
    Form(name="16-bit WAV, 16 kHz", extension="wav", rate=16000, coder=_own("wav")),
    Form(name="float WAV, 24 kHz", extension="wav", rate=24000, coder=_float_wav),
    Form(
        name="Ogg Opus, pages of 200 ms",
        extension="ogg",
        rate=24000,
        coder=_compressed("opus"),
    ),
    Form(name="MP3, 24 kHz", extension="mp3", rate=24000, coder=_compressed("mp3")),
)


class FormEngine(TextToSpeechEntity):
    """An engine that hands over a tone in one form.

    Attributes:
        begun: When the service's first audio was there, by `time.perf_counter`.
    """

    _attr_default_language = "zh"
    _attr_supported_languages = ["zh"]
    # All, as only then is an engine told what the listener wants.
    _attr_supported_options = [*FORMATS["wav 16 kHz"], "preferred_bitrate"]

    def __init__(self, form: Form) -> None:
        """Speak in this form."""
        self._attr_name = form.name
        self._form = form
        self.begun = 0.0

    @override
    async def async_stream_tts_audio(
        self, request: TTSAudioRequest
    ) -> TTSAudioResponse:
        """Return the audio immediately."""
        return TTSAudioResponse(self._form.extension, self._audio())

    async def _audio(self) -> AsyncGenerator[bytes]:
        rate = self._form.rate
        code = self._form.coder(rate)
        angles = 2 * np.pi * TONE / rate * np.arange(round(SECONDS * rate))
        samples = (np.sin(angles) * 8000).astype(np.int16)
        if header := code(samples[:0]):
            yield header
        await asyncio.sleep(FIRST_PACKET)
        self.begun = time.perf_counter()
        step = round(CHUNK * rate)
        for number, start in enumerate(range(0, len(samples), step)):
            due = self.begun + number * CHUNK * REAL_TIME_FACTOR
            await asyncio.sleep(due - time.perf_counter())
            if chunk := code(samples[start : start + step]):
                yield chunk


def is_right(audio: bytes, preferred: dict[str, Any]) -> bool:
    """Return whether it is the tone, at the rate that was asked for."""
    samples, rate = decode(audio)
    if rate != preferred["preferred_sample_rate"] or len(samples) < rate:
        return False
    spectrum = np.abs(np.fft.rfft(samples[:rate].astype(np.float64)))
    return abs(int(np.argmax(spectrum)) - TONE) <= 2


async def measure(program: str, repetitions: int) -> list[list[str]]:
    """Return the table's rows: per form, ms until each listener can play."""
    rows = []
    async with home_assistant(program) as hass:
        for form in FORMS:
            engine = FormEngine(form)
            entity = await add_engine(hass, engine)
            row = [form.name]
            for preferred in LISTENERS.values():
                seconds, right = [], True
                for number in range(repetitions + 1):
                    heard = Heard()
                    await heard.listen(say(hass, entity, f"{number}", preferred))
                    audio = b"".join(chunk for _, chunk in heard.chunks)
                    right = right and is_right(audio, preferred)
                    if right and number:
                        seconds.append(heard.playable() - engine.begun)
                row.append(f"{median(seconds) * 1000:.0f}" if right else "**wrong**")
            rows.append(row)
    return rows


def main() -> None:
    """Print the table of this Home Assistant and an ffmpeg."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ffmpeg", default=ffmpeg(), help="the program")
    parser.add_argument("--repetitions", type=int, default=5)
    options = parser.parse_args()
    version = subprocess.run(  # noqa: S603 - the user names it
        [options.ffmpeg, "-version"], capture_output=True, text=True, check=True
    ).stdout.split()[2]
    rows = asyncio.run(measure(options.ffmpeg, options.repetitions))
    print(f"Home Assistant {__version__}, ffmpeg {version}\n")
    print(markdown(["form", *LISTENERS], rows))


if __name__ == "__main__":
    main()
