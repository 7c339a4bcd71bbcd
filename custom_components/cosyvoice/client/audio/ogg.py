"""Opus in Ogg: the packets of all tasks in one logical stream.

Sources: RFC 3533 (Ogg), RFC 6716 section 3.1 (length of a packet) and RFC 7845
(Opus in Ogg).
"""

from collections.abc import Iterable
import struct
from typing import Final
import zlib

from ..errors import ProtocolError
from .writer import AudioWriter

GRANULE_RATE: Final = 48000
"""Positions are counted at this rate whatever the sample rate, in Hz."""

_CAPTURE: Final = b"OggS"
_PAGE: Final = struct.Struct("<4sBBqIIIB")
_CHECKSUM_AT: Final = 22
_CONTINUED: Final = 1
_FIRST: Final = 2
_LAST: Final = 4
_FULL_SEGMENT: Final = 255
_MOST_SEGMENTS: Final = 255
# Bytes of a packet of 120 ms. Source: RFC 7845, section 3.
_LONGEST_PACKET: Final = 61440

_HEAD: Final = b"OpusHead"
_HEAD_BYTES: Final = 19
_TAGS: Final = b"OpusTags"
_NO_TAGS: Final = struct.pack("<8sI9sI", _TAGS, 9, b"CosyVoice", 0)
_SERIAL_NUMBER: Final = 0x436F7379

# Samples of a frame at GRANULE_RATE by the packet's configuration number.
_FRAME_SAMPLES: Final = (
    *(480, 960, 1920, 2880) * 3,
    *(480, 960) * 2,
    *(120, 240, 480, 960) * 4,
)
_REVERSED_BITS: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


class OggOpusWriter(AudioWriter):
    """Moves the packets of the service's pages into pages of one stream.

    The pages stay as long as the service made them, and get one serial number, one
    count and one continuous position. The headers of later streams are left out.
    """

    lags = True

    def __init__(self, sample_rate: int) -> None:
        super().__init__(sample_rate)
        self._rest = b""
        self._pages = 0
        self._position = 0
        self._pre_skip = 0
        self._begin_stream()

    @property
    def seconds(self) -> float:
        """Seconds of audio returned so far."""
        return max(0, self._position - self._pre_skip) / GRANULE_RATE

    def feed(self, data: bytes) -> bytes:
        """Return the pages that are complete with this data."""
        before = self._pages, self._position
        try:
            return self._take_pages(self._rest + data)
        except ProtocolError:
            self._pages, self._position = before
            raise

    def end_task(self) -> None:
        """Drop an incomplete page or packet."""
        self._begin_stream()

    def finish(self) -> bytes:
        """Return an empty page that ends the stream, if one has begun."""
        return self._page((), _LAST) if self._pages else b""

    def _begin_stream(self) -> None:
        self._rest = b""
        self._packet = bytearray()  # begun in an earlier page

    def _take_pages(self, data: bytes) -> bytes:
        pages = bytearray()
        at = 0
        while len(data) >= at + _PAGE.size:
            if not data.startswith(_CAPTURE, at):
                raise ProtocolError("The service sent damaged Ogg")
            body_at = at + _PAGE.size + data[at + _PAGE.size - 1]
            segments = data[at + _PAGE.size : body_at]
            end = body_at + sum(segments)
            if len(data) < max(body_at, end):
                break
            page = data[at:end]
            if _with_checksum(page) != page:
                raise ProtocolError("The service sent a damaged Ogg page")
            packets = self._packets(page, segments, data[body_at:end])
            pages += self._rewritten(packets)
            at = end
        self._rest = data[at:]
        return bytes(pages)

    def _packets(self, page: bytes, segments: bytes, body: bytes) -> list[bytes]:
        """Return the packets that end in a page."""
        if bool(page[5] & _CONTINUED) != bool(self._packet):
            raise ProtocolError("The service left out an Ogg page")
        packets = []
        at = 0
        for size in segments:
            self._packet += body[at : at + size]
            at += size
            if size < _FULL_SEGMENT:
                packets.append(bytes(self._packet))
                self._packet.clear()
        if len(self._packet) > _LONGEST_PACKET:
            raise ProtocolError("The service sent an Opus packet without an end")
        return packets

    def _rewritten(self, packets: Iterable[bytes]) -> bytes:
        """Return the packets in pages of this stream."""
        pages = bytearray()
        audio: list[bytes] = []
        segments = 0
        for packet in packets:
            if packet.startswith(_HEAD):
                pages += self._start(packet)
                continue
            if packet.startswith(_TAGS):
                continue
            samples = _samples(packet)
            if not self._pages or not samples:
                raise ProtocolError("The service sent a damaged Opus packet")
            needed = len(packet) // _FULL_SEGMENT + 1
            if segments + needed > _MOST_SEGMENTS:
                pages += self._page(audio)
                audio, segments = [], 0
            audio.append(packet)
            segments += needed
            self._position += samples
        return bytes(pages + self._page(audio)) if audio else bytes(pages)

    def _start(self, head: bytes) -> bytes:
        """Return the headers of the stream, or nothing once it has begun."""
        if len(head) < _HEAD_BYTES:
            raise ProtocolError("The service sent a damaged Opus header")
        if self._pages:
            return b""
        self._pre_skip = int.from_bytes(head[10:12], "little")
        return self._page((head,), _FIRST) + self._page((_NO_TAGS,))

    def _page(self, packets: Iterable[bytes], flags: int = 0) -> bytes:
        """Return the stream's next page."""
        segments, body = bytearray(), bytearray()
        for packet in packets:
            full, last = divmod(len(packet), _FULL_SEGMENT)
            segments += bytes([_FULL_SEGMENT] * full + [last])
            body += packet
        header = _PAGE.pack(
            _CAPTURE,
            0,  # version
            flags,
            self._position,
            _SERIAL_NUMBER,
            self._pages,
            0,  # checksum
            len(segments),
        )
        self._pages += 1
        return _with_checksum(header + segments + body)


def _with_checksum(page: bytes) -> bytes:
    """Return a page with its checksum filled in.

    CRC-32 of polynomial 04C11DB7: Ogg takes the most significant bit first and
    begins with 0, zlib takes the least significant one and begins with all bits set.
    """
    end = _CHECKSUM_AT + 4
    page = page[:_CHECKSUM_AT] + bytes(4) + page[end:]
    reflected = zlib.crc32(page.translate(_REVERSED_BITS), 0xFFFFFFFF) ^ 0xFFFFFFFF
    checksum = int(f"{reflected:032b}"[::-1], 2)
    return page[:_CHECKSUM_AT] + checksum.to_bytes(4, "little") + page[end:]


def _samples(packet: bytes) -> int:
    """Return the samples at GRANULE_RATE in an Opus packet, 0 if damaged."""
    if not packet or len(packet) > _LONGEST_PACKET:
        return 0
    configuration, code = packet[0] >> 3, packet[0] & 3
    if code == 3:
        frames = packet[1] & 0x3F if len(packet) > 1 else 0
    else:
        frames = 1 if code == 0 else 2
    return frames * _FRAME_SAMPLES[configuration]
