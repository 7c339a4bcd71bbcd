"""MP3 frames: found in what the service sends and joined over tasks."""

from dataclasses import dataclass
from typing import Final, Self

from .writer import AudioWriter

HEADER_BYTES: Final = 4
_ID3_HEADER_BYTES: Final = 10
_ID3_FOOTER_FLAG: Final = 0x10

# By the version bits of the header: MPEG 2.5, (reserved), MPEG 2, MPEG 1.
_SAMPLE_RATES: Final = (
    (11025, 12000, 8000),
    (),
    (22050, 24000, 16000),
    (44100, 48000, 32000),
)
_MPEG_1: Final = 3
_RESERVED: Final = 1
_LAYER_3: Final = 1
_MONO: Final = 3
_KBITS_MPEG_1: Final = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBITS_MPEG_2: Final = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)


def samples_per_frame(sample_rate: int) -> int:
    """Return the samples per channel of a frame: half as many below 32 kHz."""
    return 1152 if sample_rate >= 32_000 else 576


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """The header of an MPEG audio layer III frame.

    Attributes:
        kind: What is the same for all frames of a stream: version and sample rate.
        sample_rate: Hz.
        samples: Samples per channel.
        size: Bytes, the header included.
        side_information: Offset at which an encoder's information frame has its tag.
    """

    kind: tuple[int, int]
    sample_rate: int
    samples: int
    size: int
    side_information: int

    @classmethod
    def parse(cls, data: bytes | bytearray, at: int = 0) -> Self | None:
        """Return the header at a place of the data, or None if there is none.

        Frames of free format, which no encoder of speech writes, are none.
        """
        if len(data) < at + HEADER_BYTES or data[at] != 0xFF:
            return None
        _, second, third, fourth = data[at : at + HEADER_BYTES]
        version, layer = second >> 3 & 3, second >> 1 & 3
        kbits, rate, padding = third >> 4, third >> 2 & 3, third >> 1 & 1
        if (
            second >> 5 != 7
            or version == _RESERVED
            or layer != _LAYER_3
            or kbits in (0, 15)
            or rate == 3
        ):
            return None
        mpeg_1 = version == _MPEG_1
        mono = fourth >> 6 == _MONO
        sample_rate = _SAMPLE_RATES[version][rate]
        samples = samples_per_frame(sample_rate)
        bits = (_KBITS_MPEG_1 if mpeg_1 else _KBITS_MPEG_2)[kbits - 1] * 1000
        return cls(
            kind=(version, rate),
            sample_rate=sample_rate,
            samples=samples,
            size=samples // 8 * bits // sample_rate + padding,
            side_information=HEADER_BYTES
            + ((17 if mono else 32) if mpeg_1 else (9 if mono else 17)),
        )


class Mp3Writer(AudioWriter):
    """Passes whole MP3 frames on.

    Tags (ID3) and the encoder's information frame (Xing, Info) are left out: they
    describe one task's stream, and would be wrong for the whole.
    """

    def __init__(self, sample_rate: int) -> None:
        """Begin a stream of this sample rate, in Hz."""
        super().__init__(sample_rate)
        self._seconds = 0.0
        self._begin_stream()

    @property
    def seconds(self) -> float:
        """Seconds of audio given out so far."""
        return self._seconds

    def feed(self, data: bytes) -> bytes:
        """Return the whole frames that are complete with this."""
        self._buffer += data
        return self._take_frames(last=False)

    def end_task(self) -> bytes:
        """Return the last frame, if it waited for the next one to confirm it."""
        frames = self._take_frames(last=True)
        self._begin_stream()
        return frames

    def abort_task(self) -> None:
        """Drop a part of a frame."""
        self._begin_stream()

    def _begin_stream(self) -> None:
        self._buffer = bytearray()
        self._skip = 0  # bytes of a tag that are still to come
        self._kind: tuple[int, int] | None = None  # of the frames so far
        self._in_step = True  # the next frame or tag begins where the last one ended

    def _take_frames(self, *, last: bool) -> bytes:
        """Take from the buffer all that is complete, and return its frames."""
        buffer, frames, at = self._buffer, bytearray(), 0
        while True:
            skipped = min(self._skip, len(buffer) - at)
            self._skip -= skipped
            at += skipped
            if len(buffer) - at < HEADER_BYTES:
                break
            if self._in_step and buffer.startswith(b"ID3", at):
                if len(buffer) - at < _ID3_HEADER_BYTES:
                    break
                self._skip = _tag_size(buffer, at)
                continue
            header = FrameHeader.parse(buffer, at)
            if header is None or self._kind not in (None, header.kind):
                self._in_step = False
                at = _next_sync(buffer, at + 1)
                continue
            end = at + header.size
            if len(buffer) < end + (0 if self._in_step or last else HEADER_BYTES):
                break
            if not self._in_step and not _confirmed(header, buffer, end):
                at = _next_sync(buffer, at + 1)
                continue
            if self._kind is not None or not _is_information(header, buffer, at):
                frames += buffer[at:end]
                self._seconds += header.samples / header.sample_rate
            self._kind = header.kind
            self._in_step = True
            at = end
        del buffer[:at]
        return bytes(frames)


def _tag_size(buffer: bytearray, at: int) -> int:
    size = 0
    for part in buffer[at + 6 : at + _ID3_HEADER_BYTES]:
        size = size << 7 | part & 0x7F
    has_footer = buffer[at + 5] & _ID3_FOOTER_FLAG
    return size + _ID3_HEADER_BYTES * (2 if has_footer else 1)


def _next_sync(buffer: bytearray, at: int) -> int:
    found = buffer.find(b"\xff", at)
    return len(buffer) if found < 0 else found


def _confirmed(header: FrameHeader, buffer: bytearray, end: int) -> bool:
    """Return whether the stream goes on after the frame, or ends with it."""
    following = FrameHeader.parse(buffer, end)
    return len(buffer) == end if following is None else following.kind == header.kind


def _is_information(header: FrameHeader, buffer: bytearray, at: int) -> bool:
    tag = at + header.side_information
    return buffer.startswith((b"Xing", b"Info"), tag) or buffer.startswith(
        b"VBRI", at + 36
    )
