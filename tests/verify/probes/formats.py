"""Containers and their beginnings."""

from typing import Any

from ..probe import (
    BEIJING,
    QWEN_31,
    QWEN_31_VOICE,
    DiffersError,
    characters,
    expect,
    probe,
    tokens,
)
from ..service import Service
from ..sound import Wav, mp3_frames, ogg_pages, wav_header
from ..talk import Spoken, refusal, speak, taken

_TWO = "你好。再见。"
_COST = characters(10)
_MP3, _OGG = "client/audio/mp3.py", "client/audio/ogg.py"


@probe("8", "sdk", "tests/emulator", "no-default-format", cost=characters(3))
async def sdk_default_format(service: Service) -> str:
    """The SDK's format Default with rate 0 is MP3 at 22.05 kHz."""
    spoken = await speak(service, "好。", format="Default", sample_rate=0)
    rates = mp3_frames(spoken.audio).rates
    return expect(rates == {22050}, f"{rates}")


@probe("7", "docs", "tests/emulator", "default-wav", cost=characters(3))
async def default_format(service: Service) -> str:
    """Without a format it is MP3."""
    spoken = await speak(service, "好。", format=None)
    found = mp3_frames(spoken.audio)
    return expect(found.rates and found.stray < 32, str(spoken.audio[:4]))


@probe("7", "docs", "tests/emulator", "default-24000", cost=characters(3))
async def default_rate(service: Service) -> str:
    """Without a rate it is 22.05 kHz."""
    spoken = await speak(service, "好。", format="mp3", sample_rate=None)
    rates = mp3_frames(spoken.audio).rates
    return expect(rates == {22050}, f"{rates}")


def _header(spoken: Spoken) -> Wav:
    header = wav_header(spoken.audio)
    if header is None:
        raise DiffersError(f"no WAV of 16-bit mono: {spoken.audio[:16]!r}")
    return header


@probe("4", "guess", "tests/emulator", "wav-size-7fffffff", cost=characters(3))
async def wav_of_unknown_size(service: Service) -> str:
    """WAV of CosyVoice claims to have 0xFFFFFFFF bytes."""
    size = _header(await speak(service, "好。", format="wav")).size
    return expect(size == 0xFFFFFFFF, f"0x{size:X}")


@probe(
    "Q",
    "seen",
    "tests/emulator",
    "wav-size-zero",
    cost=tokens(5, 3),
    regions=(BEIJING,),
)
async def qwen_wav_of_unknown_size(service: Service) -> str:
    """WAV of Qwen-Audio claims to have 0x7FFFFFFF bytes."""
    common: dict[str, Any] = {"model": QWEN_31, "voice": QWEN_31_VOICE}
    size = _header(await speak(service, "好。", format="wav", **common)).size
    return expect(size == 0x7FFFFFFF, f"0x{size:X}")


@probe("4", "docs", "client/audio/writer.py", "header-each-sentence", cost=_COST)
async def one_file_for_a_task(service: Service) -> str:
    """All sentences of a task are one file: one header, in the first frame."""
    spoken = await speak(service, _TWO, format="wav")
    first = spoken.of("audio")[0].data
    headers = spoken.audio.count(b"RIFF")
    seen = f"{headers}, {'' if first[:4] == b'RIFF' else 'not '}in the first frame"
    return expect(headers == 1 and first[:4] == b"RIFF", seen)


@probe("8", "seen", _MP3, "mp3-no-id3", cost=characters(3))
async def mp3_begins_with_a_tag(service: Service) -> str:
    """MP3 begins with an ID3 tag."""
    audio = (await speak(service, "好。", format="mp3")).audio
    return expect(mp3_frames(audio).tag, str(audio[:4]))


@probe("8", "docs", _MP3, "header-each-sentence", cost=_COST)
async def mp3_is_nothing_but_frames(service: Service) -> str:
    """After that MP3 is whole frames with nothing between them."""
    found = mp3_frames((await speak(service, _TWO, format="mp3")).audio)
    seen = f"{len(found.kilobits)} frames, {found.stray} other bytes"
    return expect(found.kilobits and found.stray < 32, seen)


@probe("8", "guess", _MP3, "mp3-varies", cost=_COST)
async def mp3_has_one_bit_rate(service: Service) -> str:
    """All frames of an MP3 have the same bit rate."""
    found = mp3_frames((await speak(service, _TWO, format="mp3")).audio)
    rates = sorted({*found.kilobits})
    return expect(len(rates) == 1, f"{rates} kbit/s")


@probe("8", "guess", _OGG, "opus-page-1000", cost=_COST)
async def opus_pages_are_short(service: Service) -> str:
    """A page of Opus lasts at most 200 ms."""
    pages = ogg_pages((await speak(service, _TWO, format="opus")).audio)
    if not pages:
        raise DiffersError("there are less than two pages")
    return expect(max(pages) <= 0.21, f"up to {max(pages):.2f} s")


@probe("8", "guess", "tests/emulator", "opus-page-20", cost=_COST)
async def opus_pages_last_100_ms(service: Service) -> str:
    """A page of Opus lasts about 100 ms."""
    pages = ogg_pages((await speak(service, _TWO, format="opus")).audio)
    mean = sum(pages) / max(len(pages), 1)
    return expect(0.05 < mean < 0.15, f"{mean * 1000:.0f} ms")


@probe("8", "docs", _OGG, "header-each-sentence", cost=_COST)
async def opus_is_one_stream(service: Service) -> str:
    """All sentences of a task are one stream of Ogg."""
    streams = (await speak(service, _TWO, format="opus")).audio.count(b"OpusHead")
    return expect(streams == 1, f"{streams} streams")


@probe("8", "guess", "tests/emulator", "opus-no-22050", cost=characters(3))
async def opus_at_22050(service: Service) -> str:
    """Opus is possible at 22.05 kHz."""
    return await taken(service, format="opus", sample_rate=22050)


@probe(
    "Q",
    "docs",
    "client/catalogue.json",
    "qwen-opus-22050",
    cost=tokens(3, 3),
    regions=(BEIJING,),
)
async def no_opus_at_22050_of_qwen(service: Service) -> str:
    """Opus of Qwen-Audio is refused at 22.05 kHz."""
    common: dict[str, Any] = {
        "model": QWEN_31,
        "voice": QWEN_31_VOICE,
        "format": "opus",
    }
    error = await refusal(service, sample_rate=22050, **common)
    return expect(error, str(error or "it was taken"))


@probe(
    "7",
    "docs",
    "client/catalogue.json",
    "v1-opus",
    regions=(BEIJING,),
    cost=characters(3, "cosyvoice-v1"),
)
async def no_opus_of_v1(service: Service) -> str:
    """cosyvoice-v1 refuses Opus."""
    common: dict[str, Any] = {"model": "cosyvoice-v1", "voice": "longcheng"}
    error = await refusal(service, format="opus", **common)
    return expect(error, str(error or "it was taken"))
