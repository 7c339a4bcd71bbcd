"""Ogg Opus, page by page."""

import pytest

from custom_components.cosyvoice.client.audio import audio_writer
from custom_components.cosyvoice.client.errors import ProtocolError

from .sound import encoded


def ogg_pages(audio: bytes) -> list[tuple[int, int, int, int, bytes, bytes]]:
    """Return (flags, position, serial, number, segments, body) of each page."""
    pages, at = [], 0
    while at < len(audio):
        assert audio[at : at + 5] == b"OggS\0"
        position = int.from_bytes(audio[at + 6 : at + 14], "little", signed=True)
        serial, number = (
            int.from_bytes(audio[at + place : at + place + 4], "little")
            for place in (14, 18)
        )
        body = at + 27 + audio[at + 26]
        segments = audio[at + 27 : body]
        end = body + sum(segments)
        pages.append(
            (audio[at + 5], position, serial, number, segments, audio[body:end])
        )
        at = end
    return pages


def ogg_page(packets: list[bytes], *, flags: int = 0, open_end: bool = False) -> bytes:
    """Return a page, its checksum computed bit by bit."""
    segments, body = b"", b""
    for packet in packets:
        full, last = divmod(len(packet), 255)
        segments += b"\xff" * full + bytes([last])
        body += packet
    if open_end:
        segments = segments[:-1]
    page = bytearray(b"OggS\0" + bytes([flags]) + bytes(20) + bytes([len(segments)]))
    page += segments + body
    checksum = 0
    for byte in page:
        checksum ^= byte << 24
        for _ in range(8):
            checksum = checksum << 1 ^ (0x104C11DB7 if checksum >> 31 else 0)
    page[22:26] = checksum.to_bytes(4, "little")
    return bytes(page)


HEAD = b"OpusHead\x01\x01" + (312).to_bytes(2, "little") + bytes(7)
TAGS = b"OpusTags" + bytes(8)
OGG_START = ogg_page([HEAD], flags=2) + ogg_page([TAGS])
PACKET = b"\xf8" + bytes(30)  # 20 ms


def test_ogg_pages_are_one_stream() -> None:
    writer = audio_writer("opus", 24000)
    audio = b""
    for frequency in (300, 600):
        audio += writer.feed(encoded("opus", 24000, 1.0, frequency))
        writer.end_task()
    audio += writer.finish()
    pages = ogg_pages(audio)
    assert [page[3] for page in pages] == list(range(len(pages)))
    assert len({page[2] for page in pages}) == 1
    assert [page[0] for page in pages] == [2, *[0] * (len(pages) - 2), 4]
    positions = [page[1] for page in pages]
    assert positions == sorted(positions)
    assert positions[-1] == positions[-2] == writer.seconds * 48000 + 312
    bodies = [page[5] for page in pages]
    assert [body[:8] for body in bodies[:2]] == [b"OpusHead", b"OpusTags"]
    assert not any(body.startswith((b"OpusHead", b"OpusTags")) for body in bodies[2:])


def test_ogg_has_no_end_without_a_beginning() -> None:
    writer = audio_writer("opus", 24000)
    with pytest.raises(ProtocolError):
        writer.feed(ogg_page([PACKET]))
    writer.end_task()
    assert writer.finish() == b""
    assert writer.seconds == 0


@pytest.mark.parametrize(
    ("packet", "milliseconds"),
    [
        (b"\x00x", 10),  # SILK
        (b"\x18x", 60),
        (b"\x68x", 20),  # hybrid
        (b"\xe0x", 2.5),  # CELT
        (b"\xf9x", 40),  # two frames
        (b"\xfax", 40),
        (b"\xfb\x03x", 60),  # any number of frames
    ],
)
def test_the_length_of_an_opus_packet(packet: bytes, milliseconds: float) -> None:
    writer = audio_writer("opus", 24000)
    writer.feed(OGG_START)
    assert writer.feed(ogg_page([packet]))
    assert writer.seconds == pytest.approx(max(0, milliseconds / 1000 - 312 / 48000))


@pytest.mark.parametrize(
    "packet",
    [b"", b"\xfb", b"\xf8" + bytes(61440)],
    ids=["empty", "cut off", "longer than a packet can be"],
)
def test_a_damaged_opus_packet_is_an_error(packet: bytes) -> None:
    writer = audio_writer("opus", 24000)
    writer.feed(OGG_START + ogg_page([PACKET]))
    seconds = writer.seconds
    with pytest.raises(ProtocolError):
        writer.feed(ogg_page([PACKET]) + ogg_page([packet]))
    writer.end_task()
    assert writer.seconds == seconds


def test_a_packet_over_two_pages_goes_into_one() -> None:
    packet = b"\xf8" + bytes(300)
    writer = audio_writer("opus", 24000)
    writer.feed(OGG_START)
    assert writer.feed(ogg_page([packet[:255]], open_end=True)) == b""
    (page,) = ogg_pages(writer.feed(ogg_page([packet[255:], PACKET], flags=1)))
    assert page[5] == packet + PACKET


LONG_PACKET = b"\xf8" + bytes(300)
BEGIN = ogg_page([LONG_PACKET[:255]], open_end=True)
REST = ogg_page([LONG_PACKET[255:], PACKET], flags=1)


@pytest.mark.parametrize(
    "data",
    [
        BEGIN + ogg_page([PACKET]),
        REST,
        BEGIN + ogg_page([PACKET])[:-1] + b"x" + REST,
        BEGIN + b"Ogg" + REST,
        BEGIN[:-1] + REST,
    ],
    ids=["no rest", "no begin", "a damaged page", "garbage", "a byte is lost"],
)
def test_a_damaged_stream_is_an_error_and_the_pages_stay_in_order(data: bytes) -> None:
    writer = audio_writer("opus", 24000)
    audio = writer.feed(OGG_START)
    with pytest.raises(ProtocolError):
        writer.feed(ogg_page([PACKET]) + data)
    writer.end_task()
    audio += writer.feed(OGG_START + ogg_page([PACKET]))
    pages = ogg_pages(audio)
    assert [page[3] for page in pages] == [0, 1, 2]
    assert pages[2][5] == PACKET
    assert pages[2][1] == 960


def test_a_packet_without_its_end_is_dropped_with_the_task() -> None:
    writer = audio_writer("opus", 24000)
    writer.feed(OGG_START + BEGIN)
    writer.end_task()
    (page,) = ogg_pages(writer.feed(OGG_START + ogg_page([PACKET])))
    assert page[5] == PACKET


def test_a_packet_without_an_end_is_an_error() -> None:
    writer = audio_writer("opus", 24000)
    writer.feed(OGG_START)
    writer.feed(ogg_page([b"x" * 255], open_end=True))
    endless = ogg_page([b"x" * 255 * 250], flags=1, open_end=True)
    with pytest.raises(ProtocolError):
        writer.feed(endless)


def test_more_packets_than_a_page_can_hold_make_two_pages() -> None:
    writer = audio_writer("opus", 24000)
    writer.feed(OGG_START)
    writer.feed(ogg_page([(b"\xf8" + bytes(255))[:255]], open_end=True))
    rest = [b"\xf8" * 254] * 254
    pages = ogg_pages(writer.feed(ogg_page([b"", *rest], flags=1)))
    assert [len(page[4]) for page in pages] == [255, 1]


def test_a_damaged_opus_head_begins_nothing() -> None:
    writer = audio_writer("opus", 24000)
    with pytest.raises(ProtocolError):
        writer.feed(ogg_page([b"OpusHead"], flags=2) + ogg_page([PACKET]))
