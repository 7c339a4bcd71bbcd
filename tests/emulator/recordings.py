"""Recordings to clone voices from, for tests: made here, as phones make them."""

from dataclasses import replace
import functools
import io
from typing import Any
import wave

import av
from av.audio.frame import AudioFrame
import numpy as np

from .audio import Samples, resample
from .config import EmulatorConfig
from .rules import check_task
from .voice import speak

TEXT = "今天天气很好，我们一起去公园散步，然后回家吃饭。晚上我想看一部电影，早一点睡觉，明天还要上班。"
RATE = 24_000


@functools.cache
def speech(pitch: float, seconds: float = 8.0) -> Samples:
    """Return someone who speaks without a pause, at 24 kHz.

    Args:
        pitch: The pitch of the voice in Hz.
        seconds: How long.
    """
    parameters = {"voice": "longanyang", "sample_rate": RATE}
    payload: dict[str, Any] = {
        "model": "cosyvoice-v3-flash",
        "task_group": "audio",
        "task": "tts",
        "function": "SpeechSynthesizer",
        "input": {},
        "parameters": parameters,
    }
    speaker = replace(check_task(payload, EmulatorConfig()), fundamental=pitch)
    spoken = speak(TEXT, speaker, 1.0, 1.0)
    whole: Samples = np.tile(spoken, int(seconds * RATE / len(spoken)) + 1)
    return whole[: round(seconds * RATE)]


def wav(samples: Samples, rate: int = RATE, channels: int = 1) -> bytes:
    """Return 16-bit WAV at a rate in Hz; all channels but the first are silent."""
    frames = np.zeros((len(samples), channels), np.int16)
    frames[:, 0] = samples
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(frames.tobytes())
    return out.getvalue()


def coded(samples: Samples, container: str, codec: str, rate: int = RATE) -> bytes:
    """Return samples of 24 kHz in any form that FFmpeg knows.

    Args:
        samples: The samples.
        container: FFmpeg's name of the container, such as ``ipod`` for M4A.
        codec: FFmpeg's name of the codec, such as ``aac``.
        rate: The rate in Hz.
    """
    out = io.BytesIO()
    with av.open(out, "w", format=container) as file:
        stream: Any = file.add_stream(codec, rate=rate, layout="mono")
        shaped = resample(samples, RATE, rate).reshape(1, -1)
        frame = AudioFrame.from_ndarray(shaped, format="s16", layout="mono")
        frame.sample_rate, frame.pts = rate, 0
        for packet in (*stream.encode(frame), *stream.encode(None)):
            file.mux(packet)
    return out.getvalue()
