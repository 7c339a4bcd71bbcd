"""What is heard in audio, and how it is packed."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..emulator.audio import Samples
from ..emulator.recording import pitch_of

_QUIET = 100
"""Level, of 32767, below which nothing is heard."""
_OGG_RATE = 48_000
_MP3_BIT_RATES = {
    1: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0),
}
_MP3_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000)}
_MP3_SLOW = (11_025, 12_000, 8_000)


def loudness(samples: Samples) -> float:
    """Return the mean level of what is audible, of 32767."""
    loud = samples[np.abs(samples) > _QUIET].astype(float)
    return float(np.sqrt((loud**2).mean())) if len(loud) else 0.0


def pitch(samples: Samples, rate: int) -> float:
    """Return the pitch of the voice in Hz, 0 if there is none."""
    return float(pitch_of(samples, rate) or 0.0)


def longest_pause(samples: Samples, rate: int) -> float:
    """Return the seconds of the longest pause between two sounds."""
    loud = np.flatnonzero(np.abs(samples) > _QUIET)
    return float(np.diff(loud).max() / rate) if len(loud) > 1 else 0.0


@dataclass(frozen=True)
class Wav:
    """The header of a WAV file.

    Attributes:
        size: The size that the audio has by its word.
        rate: In Hz.
        length: Bytes of the header.
    """

    size: int
    rate: int
    length: int


def wav_header(audio: bytes) -> Wav | None:
    """Return the header of 16-bit mono, or None if it is not one."""
    place = audio.find(b"data")
    if audio[:4] != b"RIFF" or audio[8:16] != b"WAVEfmt " or place < 0:
        return None
    channels, bits = audio[22] + 256 * audio[23], audio[34] + 256 * audio[35]
    if (channels, bits) != (1, 16):
        return None
    size = int.from_bytes(audio[place + 4 : place + 8], "little")
    return Wav(size, int.from_bytes(audio[24:28], "little"), place + 8)


def ogg_pages(audio: bytes) -> list[float]:
    """Return the seconds of audio in each page that has some, but the last."""
    positions = []
    place = audio.find(b"OggS")
    while place >= 0:
        granule = int.from_bytes(audio[place + 6 : place + 14], "little", signed=True)
        if granule > 0:
            positions.append(granule / _OGG_RATE)
        place = audio.find(b"OggS", place + 4)
    lengths = np.diff([0.0, *positions])
    return [float(length) for length in lengths[:-1]]


@dataclass(frozen=True)
class Mp3:
    """The frames of an MP3 file.

    Attributes:
        tag: Bytes of the ID3 tag at its beginning.
        kilobits: The bit rate of each frame in kbit/s.
        rates: The sample rates of the frames in Hz.
        stray: Bytes between frames that belong to none.
    """

    tag: int
    kilobits: list[int]
    rates: set[int]
    stray: int


def mp3_frames(audio: bytes) -> Mp3:
    """Return the frames of an MP3 file."""
    tag = 0
    if audio[:3] == b"ID3" and len(audio) >= 10:
        tag = 10
        for power, byte in enumerate(reversed(audio[6:10])):
            tag += byte << (7 * power)
    found = [*_mp3_headers(audio, tag)]
    used = sum(length for length, _, _ in found)
    return Mp3(
        tag,
        [kilobits for _, kilobits, _ in found],
        {rate for _, _, rate in found},
        len(audio) - tag - used,
    )


def _mp3_headers(audio: bytes, place: int) -> Iterator[tuple[int, int, int]]:
    """Yield length, bit rate and sample rate of each whole frame."""
    while place + 4 <= len(audio):
        second, third = audio[place + 1], audio[place + 2]
        version, code = second >> 3 & 3, third >> 2 & 3
        is_frame = audio[place] == 0xFF and second & 0xE6 == 0xE2
        if not is_frame or version == 1 or code == 3:
            place += 1
            continue
        kilobits = _MP3_BIT_RATES[1 if version == 3 else 2][third >> 4]
        rate = (_MP3_RATES.get(version) or _MP3_SLOW)[code]
        length = (144 if version == 3 else 72) * kilobits * 1000 // rate
        length += third >> 1 & 1
        if not kilobits or place + length > len(audio):
            place += 1
            continue
        yield length, kilobits, rate
        place += length
