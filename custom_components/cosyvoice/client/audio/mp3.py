"""MP3 frames of several tasks, joined into one stream."""

from collections import deque
from functools import lru_cache
from typing import Final, NamedTuple

from ..errors import ProtocolError
from .writer import AudioWriter

HEADER_BYTES: Final = 4
_ID3_HEADER_BYTES: Final = 10
_ID3_FOOTER_FLAG: Final = 0x10
_ID3V1_BYTES: Final = 128

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

_MONO_HEADERS: Final = {
    sample_rate: bytes((0xFF, 0xE3 | version << 3, rate << 2, _MONO << 6))
    for version, sample_rates in enumerate(_SAMPLE_RATES)
    for rate, sample_rate in enumerate(sample_rates)
}
_NO_CHECKSUM: Final = 1
_CHECKSUM_BYTES: Final = 2
_HIGHEST_BIT_RATE: Final = 14 << 4
_RATE_BITS: Final = 0x0C
_KEPT_FRAMES: Final = 16
"""Frames that the next one may refer to; it reaches back 511 bytes at most.

Source: ISO 11172-3, main_data_begin.
"""


def samples_per_frame(sample_rate: int) -> int:
    """Return the samples per channel of a frame: half as many below 32 kHz."""
    return 1152 if sample_rate >= 32_000 else 576


class FrameHeader(NamedTuple):
    """The header of an MPEG audio layer III frame.

    Attributes:
        kind: Version and sample rate, which are the same in all frames of a stream.
        seconds: Duration.
        size: Bytes of the frame, the header included.
        side_bytes: Bytes of the side information, which follows the header.
    """

    kind: tuple[int, int]
    seconds: float
    size: int
    side_bytes: int


@lru_cache(maxsize=64)
def parse_header(data: bytes) -> FrameHeader | None:
    """Return the header in these four bytes, or None if they are not one.

    Frames of free format, which no encoder of speech writes, are rejected.
    """
    first, second, third, fourth = data
    version, layer = second >> 3 & 3, second >> 1 & 3
    kbits, rate, padding = third >> 4, third >> 2 & 3, third >> 1 & 1
    if (
        first != 0xFF
        or second >> 5 != 7
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
    return FrameHeader(
        kind=(version, rate),
        seconds=samples / sample_rate,
        size=samples // 8 * bits // sample_rate + padding,
        side_bytes=(17 if mono else 32) if mpeg_1 else (9 if mono else 17),
    )


class Mp3Writer(AudioWriter):
    """Passes whole MP3 frames on.

    Tags (ID3) and the encoder's information frame (Xing, Info) are left out: they
    describe the stream of one task.
    """

    def __init__(self, sample_rate: int) -> None:
        super().__init__(sample_rate)
        self._rest = b""
        self._seconds = 0.0
        self._recent: deque[bytes] = deque(maxlen=_KEPT_FRAMES)
        self._begin_stream()

    @property
    def seconds(self) -> float:
        """Seconds of audio returned so far."""
        return self._seconds

    def feed(self, data: bytes) -> bytes:
        """Return the frames that are complete with this data."""
        data = self._rest + data
        frames: list[bytes] = []
        at, seconds = 0, self._seconds
        while len(data) >= at + HEADER_BYTES:
            header = parse_header(data[at : at + HEADER_BYTES])
            size = _tag_size(data, at) if header is None else header.size
            if len(data) < at + size:
                break
            if header is not None:
                frame = data[at : at + size]
                if header.kind == self._kind or self._is_first(header, frame):
                    frames.append(frame)
                    seconds += header.seconds
            at += size
        self._rest = data[at:]
        self._seconds = seconds
        self._recent.extend(frames)
        return b"".join(frames)

    def end_task(self) -> None:
        """Drop an incomplete frame."""
        self._begin_stream()

    def silence(self, seconds: float) -> bytes:
        """Return silence of about this length, one frame at least.

        The frames have the highest bit rate, because browsers begin to play after
        a number of bytes. They carry the data of the frames before, which the next
        frame of the service may still refer to.
        """
        frame = self._silent_frame()
        duration = _header_of(frame).seconds
        count = max(1, round(seconds / duration)) if seconds else 0
        self._seconds += count * duration
        return frame * count

    def _begin_stream(self) -> None:
        self._rest = b""
        self._kind: tuple[int, int] | None = None  # of the stream's frames

    def _is_first(self, header: FrameHeader, frame: bytes) -> bool:
        """Return whether the first frame of a stream is audio, not information.

        Raises:
            ProtocolError: The stream began with another kind of frames.
        """
        if self._kind is not None:
            raise ProtocolError("The service changed the kind of its MP3 frames")
        self._kind = header.kind
        tag = HEADER_BYTES + header.side_bytes
        return not (
            frame.startswith((b"Xing", b"Info"), tag) or frame.startswith(b"VBRI", 36)
        )

    def _silent_frame(self) -> bytes:
        last = self._recent[-1] if self._recent else _MONO_HEADERS[self.sample_rate]
        _, second, third, fourth = last[:HEADER_BYTES]
        third = _HIGHEST_BIT_RATE | third & _RATE_BITS
        start = bytes((0xFF, second | _NO_CHECKSUM, third, fourth))
        header = _header_of(start)
        start += bytes(header.side_bytes)
        space = header.size - len(start)
        carried = b"".join(map(_main_data, self._recent))[-space:]
        return start + carried.rjust(space, b"\0")


def _header_of(frame: bytes) -> FrameHeader:
    header = parse_header(frame[:HEADER_BYTES])
    assert header is not None
    return header


def _main_data(frame: bytes) -> bytes:
    """Return a frame without its header, checksum and side information."""
    start = HEADER_BYTES + _header_of(frame).side_bytes
    return frame[start + (0 if frame[1] & _NO_CHECKSUM else _CHECKSUM_BYTES) :]


def _tag_size(data: bytes, at: int) -> int:
    """Return the size of a tag in bytes.

    While its header is incomplete, the size of the header.

    Raises:
        ProtocolError: It is not a tag.
    """
    if data.startswith(b"TAG", at):
        return _ID3V1_BYTES
    if not data.startswith(b"ID3", at):
        raise ProtocolError("The service sent damaged MP3")
    if len(data) < at + _ID3_HEADER_BYTES:
        return _ID3_HEADER_BYTES
    size = 0
    for part in data[at + 6 : at + _ID3_HEADER_BYTES]:
        size = size << 7 | part & 0x7F
    has_footer = data[at + 5] & _ID3_FOOTER_FLAG
    return size + _ID3_HEADER_BYTES * (2 if has_footer else 1)
