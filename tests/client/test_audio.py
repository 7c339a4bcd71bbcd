"""Audio: the streams of several tasks become one that players can read."""

from collections.abc import Iterator
from contextlib import suppress
import io
from itertools import cycle
import subprocess

import av
from hypothesis import assume, given, strategies as st
import imageio_ffmpeg
import numpy as np
import numpy.typing as npt
import pytest

from custom_components.cosyvoice.client.audio import audio_writer
from custom_components.cosyvoice.client.audio.mp3 import parse_header
from custom_components.cosyvoice.client.errors import ProtocolError
from tests.emulator.audio import Encoder

from .sound import encoded, fed

RATES = (8000, 16000, 22050, 24000, 44100, 48000)
OPUS_RATES = (8000, 16000, 24000, 48000)
ENCODED = [
    *(("mp3", rate) for rate in RATES),
    *(("opus", rate) for rate in OPUS_RATES),
]


def padding(audio_format: str, rate: int) -> float:
    """Return how much longer than the sound an encoder's stream may be, in seconds."""
    return 3 * 1152 / max(rate, 16000) if audio_format == "mp3" else 0.03


def decoded(audio: bytes) -> tuple[npt.NDArray[np.int16], int]:
    """Return the samples, as 16-bit ones, and their rate."""
    with av.open(io.BytesIO(audio)) as container:
        rate = container.streams.audio[0].rate
        resampler = av.AudioResampler(format="s16", layout="mono", rate=rate)
        frames = [
            resampled.to_ndarray()[0]
            for frame in container.decode(audio=0)
            for resampled in resampler.resample(frame)
        ]
    return np.concatenate([np.zeros(0, np.int16), *frames]), rate


def ffmpeg(audio: bytes, *output: str) -> subprocess.CompletedProcess[bytes]:
    """Return what ffmpeg makes of audio that it reads from a pipe."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", "-", *output, "-"]
    return subprocess.run(  # noqa: S603
        command, input=audio, capture_output=True, check=False
    )


def complaints(audio: bytes) -> bytes:
    """Return what ffmpeg has to say against the audio."""
    return ffmpeg(audio, "-f", "null").stderr


def cut(data: bytes, sizes: list[int]) -> Iterator[bytes]:
    """Yield pieces of these sizes, over and over."""
    at = 0
    for size in cycle(sizes):
        if at >= len(data):
            return
        yield data[at : at + size]
        at += size


def loudest_frequency(samples: npt.NDArray[np.int16], rate: int) -> float:
    spectrum = np.abs(np.fft.rfft(samples))
    return float(np.argmax(spectrum)) * rate / len(samples)


@pytest.mark.parametrize(("audio_format", "rate"), ENCODED)
def test_one_task_is_heard_as_it_was_sent(audio_format: str, rate: int) -> None:
    sent = encoded(audio_format, rate, 1.5)
    writer = audio_writer(audio_format, rate)
    assert writer.header() == b""
    audio = fed(writer, sent, 7)
    writer.end_task()
    audio += writer.finish()
    heard, heard_rate = decoded(audio)
    assert len(heard) / heard_rate == pytest.approx(
        1.5, abs=padding(audio_format, rate)
    )
    assert writer.seconds == pytest.approx(len(heard) / heard_rate, abs=0.001)
    assert loudest_frequency(heard, heard_rate) == pytest.approx(440, abs=3)
    assert complaints(audio) == b""


@pytest.mark.parametrize(("audio_format", "rate"), ENCODED)
def test_tasks_are_joined_one_of_them_lost_in_the_middle(
    audio_format: str, rate: int
) -> None:
    first = encoded(audio_format, rate, 1.0, 300)
    lost = encoded(audio_format, rate, 2.0, 600)
    third = encoded(audio_format, rate, 1.2, 900)
    writer = audio_writer(audio_format, rate)
    parts = [fed(writer, first)]
    writer.end_task()
    ends = [writer.seconds]
    parts.append(fed(writer, lost[: len(lost) * 2 // 3]))
    writer.end_task()
    ends.append(writer.seconds)
    parts.append(fed(writer, third))
    writer.end_task()
    ends.append(writer.seconds)
    audio = b"".join(parts) + writer.finish()

    heard, heard_rate = decoded(audio)
    tolerance = padding(audio_format, rate)
    assert ends[0] == pytest.approx(1.0, abs=tolerance)
    assert 0.5 < ends[1] - ends[0] < 1.5
    assert ends[2] - ends[1] == pytest.approx(1.2, abs=tolerance)
    assert len(heard) / heard_rate == pytest.approx(ends[2], abs=0.001)
    for begin, end, frequency in zip([0, *ends], ends, (300, 600, 900), strict=False):
        middle = heard[int((begin + 0.1) * heard_rate) : int((end - 0.1) * heard_rate)]
        assert loudest_frequency(middle, heard_rate) == pytest.approx(frequency, abs=5)
    assert complaints(audio) == b""


CUTS = st.lists(st.integers(1, 400), min_size=1, max_size=20)


@given(st.sampled_from(ENCODED), CUTS, st.integers(0, 4000))
def test_any_fragmentation_gives_the_same(
    encoding: tuple[str, int], cuts: list[int], lost_at: int
) -> None:
    """Also when a task before was lost anywhere in its stream."""
    audio_format, rate = encoding
    data = encoded(audio_format, rate, 0.5)
    in_pieces, at_once = (audio_writer(audio_format, rate) for _ in range(2))
    audio = b"".join(map(in_pieces.feed, cut(data[:lost_at], cuts)))
    in_pieces.end_task()
    audio += b"".join(map(in_pieces.feed, cut(data, cuts)))
    in_pieces.end_task()
    expected = at_once.feed(data[:lost_at])
    at_once.end_task()
    expected += at_once.feed(data)
    at_once.end_task()
    if audio_format == "mp3":
        assert audio == expected
    # Pages are as long as what is complete together; the sound is the same.
    assert in_pieces.seconds == at_once.seconds
    assert decoded(audio + in_pieces.finish())[0].tolist() == (
        decoded(expected + at_once.finish())[0].tolist()
    )


@given(
    st.sampled_from(["mp3", "opus"]),
    st.integers(0, 3000),
    st.binary(max_size=300),
    st.integers(0, 300),
    CUTS,
)
def test_damage_is_an_error_and_the_next_task_is_heard(
    audio_format: str, place: int, garbage: bytes, removed: int, cuts: list[int]
) -> None:
    data = encoded(audio_format, 24000, 1.0)
    whole = audio_writer(audio_format, 24000)
    expected = whole.feed(data)
    damaged = data[:place] + garbage + data[place + removed :]
    assume(damaged != data)
    writer = audio_writer(audio_format, 24000)
    audio = b""
    try:
        for piece in cut(damaged, cuts):
            audio += writer.feed(piece)
    except ProtocolError:
        pass
    else:
        # Only an end that is missing, and an MP3 whose frames are as long as before,
        # show no damage.
        assert audio_format == "mp3" or len(audio) < len(expected)
    writer.end_task()
    # But for headers, a frame, and what came together with the damage
    untouched = place - 500 - max(cuts)
    if audio_format == "mp3" and untouched > 0:
        assert audio[:untouched] == expected[:untouched]
    before = writer.seconds
    audio += writer.feed(data)
    writer.end_task()
    assert writer.seconds == pytest.approx(before + whole.seconds, abs=0.01)
    if audio_format == "mp3":
        assert audio.endswith(expected)
    else:
        heard, heard_rate = decoded(audio + writer.finish())
        assert len(heard) / heard_rate == pytest.approx(writer.seconds, abs=0.001)


@given(st.sampled_from(["mp3", "opus"]), st.lists(st.binary(max_size=200)))
def test_garbage_is_never_passed_on(audio_format: str, pieces: list[bytes]) -> None:
    writer = audio_writer(audio_format, 24000)
    audio = b""
    with suppress(ProtocolError):
        for piece in pieces:
            audio += writer.feed(piece)
    writer.end_task()
    assert (audio, writer.seconds) == (b"", 0)


def test_mp3_leaves_tags_and_information_frames_out() -> None:
    plain = encoded("mp3", 24000, 0.5)
    plain = audio_writer("mp3", 24000).feed(plain)
    header = parse_header(plain[:4])
    assert header
    information = bytearray(plain[:4] + bytes(header.size - 4))
    tag = b"ID3\x04\x00\x00\x00\x00\x01\x05" + bytes([0xFF, 0xFB, 0x90] * 44 + [0])
    tag_with_footer = b"ID3\x04\x00\x10\x00\x00\x00\x04" + bytes(4) + b"3DI" + bytes(7)
    last_tag = b"TAG" + b"\xff\xfb" * 62 + b"x"
    for offset, name in ((13, b"Info"), (13, b"Xing"), (36, b"VBRI")):
        frame = information.copy()
        frame[offset : offset + 4] = name
        for tags in (b"", tag, tag_with_footer, tag + tag_with_footer):
            for size in (1, 7, 10_000):
                writer = audio_writer("mp3", 24000)
                data = tags + bytes(frame) + plain + last_tag
                audio = b""
                for _ in range(2):
                    audio += fed(writer, data, size)
                    writer.end_task()
                assert audio == plain * 2


@pytest.mark.parametrize("audio_format", ["mp3", "opus"])
def test_an_end_that_is_cut_off_is_dropped(audio_format: str) -> None:
    data = encoded(audio_format, 24000, 0.5)
    whole, writer = (audio_writer(audio_format, 24000) for _ in range(2))
    whole.feed(data)
    audio = writer.feed(data[:-1])
    writer.end_task()
    audio += writer.feed(data)
    assert whole.seconds < writer.seconds < 2 * whole.seconds
    heard, heard_rate = decoded(audio + writer.finish())
    assert len(heard) / heard_rate == pytest.approx(writer.seconds, abs=0.05)


def test_an_mp3_stream_has_one_kind_of_frames() -> None:
    writer = audio_writer("mp3", 24000)
    writer.feed(encoded("mp3", 24000, 0.5))
    with pytest.raises(ProtocolError, match="kind"):
        writer.feed(encoded("mp3", 48000, 0.5))


@pytest.mark.parametrize(
    ("header", "size", "seconds"),
    [
        (b"\xff\xfb\x90\x00", 417, 1152 / 44100),  # MPEG 1, 128 kbit/s, 44.1 kHz
        (b"\xff\xfb\x92\xc0", 418, 1152 / 44100),  # padded, mono
        (b"\xff\xf3\x84\xc0", 192, 576 / 24000),  # MPEG 2, 64 kbit/s, 24 kHz
        (b"\xff\xe3\x48\xc0", 288, 576 / 8000),  # MPEG 2.5, 32 kbit/s, 8 kHz
    ],
)
def test_mp3_headers_are_read(header: bytes, size: int, seconds: float) -> None:
    found = parse_header(header)
    assert found
    assert found.size == size
    assert found.seconds == pytest.approx(seconds)


@pytest.mark.parametrize(
    "data",
    [
        b"\xfe\xfb\x90\x00",
        b"\xff\x1b\x90\x00",  # no sync
        b"\xff\xeb\x90\x00",  # reserved version
        b"\xff\xfd\x90\x00",  # layer II
        b"\xff\xfb\x00\x00",  # free format
        b"\xff\xfb\xf0\x00",  # bad bit rate
        b"\xff\xfb\x9c\x00",  # reserved sample rate
    ],
)
def test_what_is_no_mp3_header(data: bytes) -> None:
    assert parse_header(data) is None


# --- Samples ---

SAMPLES = np.random.default_rng(1).integers(-32768, 32767, 24000, np.int16).tobytes()


@pytest.mark.parametrize("audio_format", ["wav", "caf"])
@pytest.mark.parametrize("rate", RATES)
def test_containers_hold_the_very_samples(audio_format: str, rate: int) -> None:
    writer = audio_writer(audio_format, rate)
    audio = writer.header() + fed(writer, SAMPLES, 333)
    writer.end_task()
    assert writer.finish() == b""
    heard, heard_rate = decoded(audio)
    assert heard_rate == rate
    assert heard.tobytes() == SAMPLES
    assert writer.seconds == pytest.approx(12000 * 2 / rate)
    # ffmpeg reads both from a pipe and gives the samples back.
    assert ffmpeg(audio, "-f", "s16le").stdout == SAMPLES


def test_the_wav_header_says_until_the_end() -> None:
    header = audio_writer("wav", 16000).header()
    assert len(header) == 44
    assert header[4:8] == header[40:44] == b"\xff\xff\xff\xff"
    assert header[20:36] == b"\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0"


def test_the_caf_header_says_until_the_end() -> None:
    header = audio_writer("caf", 48000).header()
    assert len(header) == 68
    assert header.endswith(b"data" + b"\xff" * 8 + bytes(4))


@given(st.lists(st.binary(max_size=9)))
def test_samples_are_never_torn(pieces: list[bytes]) -> None:
    writer = audio_writer("pcm", 8000)
    assert writer.header() == b""
    given_out = b""
    for piece in pieces:
        given_out += writer.feed(piece)
        assert len(given_out) % 2 == 0
    data = b"".join(pieces)
    assert given_out == data[: len(data) // 2 * 2]
    assert writer.seconds == len(data) // 2 / 8000
    writer.end_task()
    assert writer.feed(b"ab") == b"ab"


@pytest.mark.parametrize("audio_format", ["pcm", "wav", "caf"])
def test_silence_is_exact_and_counts(audio_format: str) -> None:
    writer = audio_writer(audio_format, 22050)
    assert writer.silence(0.25) == bytes(round(0.25 * 22050) * 2)
    assert writer.seconds == pytest.approx(0.25, abs=1 / 22050)
    assert writer.silence(0) == b""


def test_opus_has_no_silence() -> None:
    writer = audio_writer("opus", 24000)
    assert writer.silence(1) == b""
    assert writer.seconds == 0


def bursts(rate: int) -> list[bytes]:
    """Return 4 s of MP3 in chunks of 0.1 s, of frames that borrow from each other."""
    times = np.arange(rate * 4) / rate
    noise = np.random.default_rng(1).standard_normal(len(times))
    samples = 12_000 * np.sin(2 * np.pi * 440 * times) * (np.sin(20 * times) > 0)
    samples += 3000 * noise * (np.sin(11 * times) > 0.6)
    samples[int(1.8 * rate) : int(2.2 * rate)] = 0
    encoder, step = Encoder("mp3", rate, 0), rate // 10
    return [
        *(
            encoder.encode(samples[at : at + step].astype(np.int16))
            for at in range(0, len(samples), step)
        ),
        encoder.finish(),
    ]


@pytest.mark.parametrize("rate", [*RATES, 32000])
@pytest.mark.parametrize("cut_at", [7, 21], ids=["in a sound", "in a pause"])
def test_silence_between_mp3_frames_changes_no_other_sound(
    rate: int, cut_at: int
) -> None:
    """The data that later frames borrow from earlier ones is still there."""
    chunks = bursts(rate)
    plain = decoded(b"".join(map(audio_writer("mp3", rate).feed, chunks)))[0]
    writer = audio_writer("mp3", rate)
    audio = b"".join(map(writer.feed, chunks[:cut_at]))
    begin = round(writer.seconds * rate)
    audio += writer.silence(0.7)
    end = round(writer.seconds * rate)
    audio += b"".join(map(writer.feed, chunks[cut_at:]))
    writer.end_task()
    heard = decoded(audio)[0]
    frame = 1152 if rate >= 32000 else 576
    assert (end - begin) / rate == pytest.approx(0.7, abs=frame / rate / 2)
    assert not heard[begin + 2 * frame : end].any()
    assert heard[:begin].tolist() == plain[:begin].tolist()
    assert heard[end + 2 * frame :].tolist() == plain[begin + 2 * frame :].tolist()
    if cut_at == 21 and rate > 8000:
        assert np.abs(heard[begin : end + 2 * frame]).max() < 500
    assert complaints(audio) == b""


@pytest.mark.parametrize("rate", RATES)
def test_mp3_may_begin_with_silence(rate: int) -> None:
    writer = audio_writer("mp3", rate)
    audio = writer.silence(0.5)
    assert writer.seconds == pytest.approx(0.5, abs=0.04)
    audio += writer.feed(encoded("mp3", rate, 1.0))
    heard, heard_rate = decoded(audio)
    assert heard_rate == rate
    assert len(heard) / rate == pytest.approx(writer.seconds, abs=0.001)
    assert not heard[: int(rate * 0.4)].any()
    assert loudest_frequency(heard[int(rate * 0.7) :], rate) == pytest.approx(
        440, abs=5
    )
    assert complaints(audio) == b""


def test_mp3_silence_is_a_frame_at_least_and_none_if_none_is_wanted() -> None:
    writer = audio_writer("mp3", 8000)
    assert writer.silence(0) == b""
    assert writer.seconds == 0
    assert writer.silence(0.001)
    assert writer.seconds == pytest.approx(0.072)


def test_mp3_frames_with_a_checksum_give_their_data_to_silence() -> None:
    data = b"d" * (96 - 4 - 2 - 9)
    writer = audio_writer("mp3", 24000)
    writer.feed(b"\xff\xf2\x44\xc0" + b"cs" + bytes(9) + data)
    silence = writer.silence(0.024)
    assert silence[1] == 0xF3
    assert silence.endswith(bytes(10) + data)


def test_an_unknown_format_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        audio_writer("flac", 24000)
