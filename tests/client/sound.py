"""Tones as the service would send them."""

import functools
import io

import av
from av.audio.stream import AudioStream
import numpy as np

from custom_components.cosyvoice.client.audio import AudioWriter

CODECS = {"mp3": ("mp3", "libmp3lame"), "opus": ("ogg", "libopus")}


@functools.cache
def encoded(
    audio_format: str, rate: int, seconds: float, frequency: int = 440
) -> bytes:
    """Return a tone as the service would send it."""
    container_format, codec = CODECS[audio_format]
    file = io.BytesIO()
    times = np.arange(round(rate * seconds)) / rate
    samples = (np.sin(2 * np.pi * frequency * times) * 12000).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
    frame.sample_rate = rate
    options = {"page_duration": "200000"} if audio_format == "opus" else {}
    with av.open(file, "w", format=container_format, options=options) as container:
        stream = container.add_stream(codec, rate=rate, layout="mono")
        assert isinstance(stream, AudioStream)
        for part in (frame, None):
            container.mux(stream.encode(part))
    return file.getvalue()


def fed(writer: AudioWriter, data: bytes, size: int = 1000) -> bytes:
    """Return what comes out if the data comes in pieces of this size."""
    return b"".join(
        writer.feed(data[at : at + size]) for at in range(0, len(data), size)
    )
