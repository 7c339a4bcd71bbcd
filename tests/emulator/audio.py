"""Audio in and out of its containers, with FFmpeg's libraries (PyAV)."""

from collections.abc import Iterator
from dataclasses import dataclass
import io
import struct
from typing import Literal
import weakref

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
import numpy as np
import numpy.typing as npt

type Samples = npt.NDArray[np.int16]

# What Opus can code; the service documents no other rates for it.
_OPUS_RATES = (8000, 12000, 16000, 24000, 48000)
_OPUS_FRAME = 0.02
# Samples in a frame, up to 24 kHz and above.
_MP3_FRAME = (576, 1152)
# The lowest bit rate in kbit/s, the service's choice and the highest, for the same.
_MP3_BITS = ((8, 64, 160), (32, 128, 320))

# Enough of a file to recognise it by; FFmpeg would read five megabytes of a WAV.
_PROBED = "4096"


@dataclass(frozen=True)
class Shape:
    """The form of encoded audio where the service has a choice.

    Attributes:
        wav_size: The size that WAV claims to have.
        id3: True if MP3 begins with an ID3 tag.
        mp3_varies: True if the frames of MP3 have bit rates of their own.
        opus_page: The length of a page of Opus in microseconds.
    """

    wav_size: int = 0xFFFFFFFF
    id3: bool = True
    mp3_varies: bool = False
    opus_page: int = 100_000


class Encoder:
    """Encodes the audio of one task as one stream, as early as the format allows.

    Joined together, everything it returns is one file.
    """

    def __init__(
        self,
        audio_format: str,
        sample_rate: int,
        bit_rate: int,
        mp3_bit_rate: int | None = None,
        shape: Shape | None = None,
    ) -> None:
        """Begin a stream of 16-bit mono.

        Args:
            audio_format: ``pcm``, ``wav`` (of unknown length), ``mp3`` or ``opus`` (Ogg).
            sample_rate: In Hz. Opus takes the next rate that it can code.
            bit_rate: In kbit/s, for Opus.
            mp3_bit_rate: In kbit/s, for MP3; None for the service's choice.
            shape: Its form; None for the usual.
        """
        shape = shape or Shape()
        self._out = _Sink()
        self._sample_rate = sample_rate
        self._position = self._held_back = 0
        self._delay = 0.0
        self._coder: tuple[OutputContainer, AudioStream] | None = None
        if audio_format == "wav":
            self._out.write(_wav_header(sample_rate, shape.wav_size))
        if audio_format in ("pcm", "wav"):
            return
        codec: Literal["libmp3lame", "libopus"]
        if audio_format == "mp3":
            codec, container, rate = "libmp3lame", "mp3", sample_rate
            lowest, usual, highest = _MP3_BITS[sample_rate > 24_000]
            wanted = usual if mp3_bit_rate is None else mp3_bit_rate
            bits = min(max(wanted, lowest), highest) * 1000
            tag = "4" if shape.id3 else "0"
            options = {"write_xing": "0", "id3v2_version": tag}
            # The quickest, as nobody listens for quality
            coding = {"compression_level": "9"}
            coding |= {"abr": "1"} if shape.mp3_varies else {}
            self._delay = 3 * _MP3_FRAME[sample_rate > 24_000] / sample_rate
        else:
            codec, container, bits = "libopus", "ogg", bit_rate * 1000
            rate = next(rate for rate in _OPUS_RATES if rate >= sample_rate)
            # Low delay also keeps the coder from changing its mode, which would
            # smear the tones of signals.
            # FFmpeg writes a page once the one after it is complete.
            options = {"page_duration": str(shape.opus_page)}
            coding = {"application": "lowdelay"}
            self._delay = 2 * (shape.opus_page / 1_000_000 + _OPUS_FRAME)
        output = av.open(self._out, "w", format=container, options=options)
        stream = output.add_stream(codec, rate=rate, options=coding, layout="mono")
        stream.bit_rate = bits
        output.start_encoding()
        self._coder = output, stream
        # PyAV 16 crashes when the garbage collector finds an open container.
        weakref.finalize(self, output.close)
        # Headers alone are no audio: they go out with the first of it.
        self._held_back = len(self._out.data)

    @property
    def lead(self) -> float:
        """Seconds of audio to add to the first piece, so that it comes out complete."""
        return 0.0 if self._position else self._delay

    def encode(self, samples: Samples) -> bytes:
        """Return what can be sent once these samples are known."""
        if self._coder is None:
            self._out.write(samples.tobytes())
            return self._out.take()
        frame = AudioFrame.from_ndarray(
            samples.reshape(1, -1), format="s16", layout="mono"
        )
        frame.sample_rate = self._sample_rate
        frame.pts = self._position
        self._position += len(samples)
        output, stream = self._coder
        output.mux(stream.encode(frame))
        if len(self._out.data) == self._held_back:
            return b""
        self._held_back = 0
        return self._out.take()

    def finish(self) -> bytes:
        """Return what was held back; a second call returns nothing."""
        if self._coder is not None and self._position:
            output, stream = self._coder
            output.mux(stream.encode(None))
            output.close()
            self._coder = None
        return self._out.take()


def decode(
    audio: bytes, audio_format: str | None = None, sample_rate: int | None = None
) -> tuple[Samples, int]:
    """Return the mono samples of some audio, and their rate in Hz.

    Damaged and cut-off audio gives what can be heard of it.

    Args:
        audio: The audio.
        audio_format: ``pcm`` for bare 16-bit mono samples; None to recognise it.
        sample_rate: The rate of ``pcm`` in Hz.
    """
    if audio_format == "pcm":
        whole = audio[: len(audio) // 2 * 2]
        return np.frombuffer(whole, np.int16), sample_rate or 24_000
    try:
        container = av.open(
            io.BytesIO(audio), "r", audio_format, options={"probesize": _PROBED}
        )
    except av.error.FFmpegError:
        return np.zeros(0, np.int16), sample_rate or 24_000
    with container:
        rate = container.streams.audio[0].rate
        resampler = AudioResampler(format="s16", layout="mono", rate=rate)
        blocks = [
            block.to_ndarray()[0]
            for frame in (*_frames(container), None)
            for block in resampler.resample(frame)
        ]
    return np.concatenate([np.zeros(0, np.int16), *blocks]), rate


def _frames(container: InputContainer) -> Iterator[AudioFrame]:
    packets = container.demux(audio=0)
    while True:
        try:
            frames = next(packets).decode()
        except StopIteration:
            return
        except av.error.FFmpegError:
            continue
        for frame in frames:
            if isinstance(frame, AudioFrame):
                # Time stamps jump where streams were joined.
                frame.pts = None
                yield frame


def resample(samples: Samples, rate: int, new_rate: int) -> Samples:
    """Return mono samples at another rate."""
    if rate == new_rate or not len(samples):
        return samples
    frame = AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate = rate
    resampler = AudioResampler(format="s16", layout="mono", rate=new_rate)
    blocks = [*resampler.resample(frame), *resampler.resample(None)]
    return np.concatenate([block.to_ndarray()[0] for block in blocks])


class _Sink(io.RawIOBase):
    """Keeps what is written until it is taken; like a socket, it cannot seek."""

    def __init__(self) -> None:
        super().__init__()
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.data += data
        return len(data)

    def take(self) -> bytes:
        data = bytes(self.data)
        self.data.clear()
        return data


def _wav_header(sample_rate: int, size: int) -> bytes:
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        size,
        b"WAVE",
        b"fmt ",
        16,
        1,
        1,
        sample_rate,
        sample_rate * 2,
        2,
        16,
        b"data",
        size,
    )
