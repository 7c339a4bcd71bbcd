"""What the service finds in a recording that a voice is to be cloned from.

It really listens: type, size, rate, length, loudness, the longest stretch of speech, and
the pitch of the voice, which the cloned voice then has.
"""

from dataclasses import dataclass
import io

import av
from av.audio.stream import AudioStream
import numpy as np
import numpy.typing as npt

from .audio import Samples, decode, resample
from .errors import MESSAGES, ServiceError

_LARGEST = 10 * 2**20
_LONGEST = 60.0
_LOWEST_RATE = 16_000
_SHORTEST_SPEECH = 5.0
_LONGEST_PAUSE = 2.0
_QUIET = 0.003
"""Level, with full scale as 1, below which nothing is heard (-50 dBFS)."""
_RATE = 8000
"""Where pitch is measured, in Hz."""
_FRAME, _HOP = 512, 256
_LOWEST_PITCH, _HIGHEST_PITCH = 60, 400
_VOICED = 0.6
"""Likeness of a frame to itself one period later, from which on it has a pitch."""
_LEAST_VOICED = 0.1
"""Share of the audible frames that have a pitch in speech; fewer are noise."""

# These come with the HTTP status 430, which no standard knows.
_STATUS_430 = {
    "Audio.AudioSilentError",
    "Audio.DecoderError",
    "Audio.AudioRateError",
    "Audio.FileSizeExceed",
}
_CODECS = {"wav": {"pcm_s16le"}, "mp3": {"mp3", "mp3float"}, "mov": {"aac", "alac"}}
"""What is supported: FFmpeg's names of the container and of what is in it."""


@dataclass(frozen=True)
class Recording:
    """A recording that the service takes.

    Attributes:
        seconds: How long it is.
        pitch: The median pitch of its voice in Hz.
    """

    seconds: float
    pitch: float


def examine(data: bytes) -> Recording:
    """Return what is found in a recording.

    Raises:
        ServiceError: If the service refuses it.
    """
    if len(data) > _LARGEST:
        raise _refusal("Audio.FileSizeExceed")
    _check_type(data)
    samples, rate = decode(data)
    if not len(samples):
        raise _refusal("Audio.DecoderError")
    if rate < _LOWEST_RATE:
        raise _refusal("Audio.AudioRateError")
    seconds = len(samples) / rate
    if seconds > _LONGEST:
        raise _refusal("Audio.DurationLimitError")
    frames = _frames(resample(samples, rate, _RATE))
    audible = frames.std(axis=1) > _QUIET
    if not audible.any():
        raise _refusal("Audio.AudioSilentError")
    if _longest_speech(audible) < _SHORTEST_SPEECH:
        raise _refusal("Audio.AudioShortError")
    pitches = _pitches(frames[audible])
    if len(pitches) < _LEAST_VOICED * audible.sum():
        raise _refusal("InternalError")
    return Recording(seconds, float(np.median(pitches)))


def pitch_of(samples: Samples, rate: int) -> float:
    """Return the median pitch of a voice in Hz, 0 if none is heard."""
    frames = _frames(resample(samples, rate, _RATE))
    pitches = _pitches(frames[frames.std(axis=1) > _QUIET])
    return float(np.median(pitches)) if len(pitches) else 0.0


def _refusal(code: str) -> ServiceError:
    status = 430 if code in _STATUS_430 else 0
    return ServiceError(code, MESSAGES.get(code, "request asr failed"), status)


def _check_type(data: bytes) -> None:
    try:
        container = av.open(io.BytesIO(data), "r")
    except av.error.FFmpegError:
        raise _refusal("Audio.DecoderError") from None
    with container:
        streams: list[AudioStream] = list(container.streams.audio)
        kind = container.format.name.partition(",")[0]
        if not streams or streams[0].codec_context.name not in _CODECS.get(kind, ()):
            raise _refusal("BadRequest.UnsupportedFileFormat")


def _frames(samples: Samples) -> npt.NDArray[np.float64]:
    padded = np.pad(samples / 32768, (0, max(0, _FRAME - len(samples))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FRAME)[::_HOP]
    without_offset: npt.NDArray[np.float64] = frames - frames.mean(1, keepdims=True)
    return without_offset


def _longest_speech(audible: npt.NDArray[np.bool_]) -> float:
    """Return the seconds of the longest stretch without a long pause."""
    places = np.flatnonzero(audible)
    breaks = np.flatnonzero(np.diff(places) * _HOP > _LONGEST_PAUSE * _RATE)
    firsts = places[np.concatenate([[0], breaks + 1])]
    lasts = places[np.concatenate([breaks, [len(places) - 1]])]
    return float((lasts - firsts + 1).max() * _HOP / _RATE)


def _pitches(frames: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the pitch of each frame that has one."""
    if not len(frames):
        return np.zeros(0)
    power = np.abs(np.fft.rfft(frames, 2 * _FRAME)) ** 2
    likeness = np.fft.irfft(power)[:, :_FRAME]
    likeness /= likeness[:, :1] * (1 - np.arange(_FRAME) / _FRAME)
    shortest, longest = _RATE // _HIGHEST_PITCH, _RATE // _LOWEST_PITCH
    window = likeness[:, shortest:longest]
    best = window.max(axis=1)
    # Of periods that are alike, the shortest: the others are its multiples.
    inner = window[:, 1:-1]
    peaks = (inner >= window[:, :-2]) & (inner >= window[:, 2:])
    good = peaks & (inner > 0.9 * best[:, None])
    clear = (best > _VOICED) & good.any(axis=1)
    periods = good[clear].argmax(axis=1) + 1 + shortest
    found: npt.NDArray[np.float64] = _RATE / periods
    return found
