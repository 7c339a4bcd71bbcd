"""What each parameter changes, and which values are taken."""

from typing import Any

from ..probe import (
    BEIJING,
    PLUS,
    QWEN_31,
    QWEN_31_VOICE,
    UntoldError,
    characters,
    expect,
    probe,
    tokens,
)
from ..service import Service
from ..sound import loudness, pitch
from ..talk import Spoken, refusal, speak, taken

_OPTIONS = "client/options.py"
_CATALOGUE = "client/catalogue.json"
_TEXT = "今天很好。"
_TWICE = characters(18)


async def _two(
    service: Service, first: dict[str, Any], second: dict[str, Any], text: str = _TEXT
) -> tuple[Spoken, Spoken]:
    return await speak(service, text, **first), await speak(service, text, **second)


@probe("7", "docs", _OPTIONS, "volume-unused", cost=_TWICE)
async def volume_is_heard(service: Service) -> str:
    """At volume 80 speech is louder than at 20."""
    low, high = await _two(service, {"volume": 20}, {"volume": 80})
    share = loudness(high.samples) / max(loudness(low.samples), 1.0)
    return expect(share > 1.5, f"{share:.1f} times")


@probe("7", "docs", _OPTIONS, "rate-unused", cost=_TWICE)
async def rate_is_heard(service: Service) -> str:
    """At rate 2 speech takes about half as long as at 1."""
    normal, fast = await _two(service, {}, {"rate": 2.0})
    share = fast.seconds / normal.seconds
    return expect(0.35 < share < 0.75, f"{share:.2f} of the time")


@probe("7", "docs", _OPTIONS, "pitch-unused", cost=characters(50))
async def pitch_is_heard(service: Service) -> str:
    """At pitch 1.5 the voice is higher than at 0.7."""
    text = "今天很好，明天更好。"
    low, high = await _two(service, {"pitch": 0.7}, {"pitch": 1.5}, text)
    pitches = [pitch(*spoken.decoded()) for spoken in (low, high)]
    if not all(pitches):
        raise UntoldError("no pitch was found")
    seen = f"{pitches[0]:.0f} Hz and {pitches[1]:.0f} Hz"
    return expect(pitches[1] > 1.15 * pitches[0], seen)


@probe("7", "docs", _OPTIONS, "sample-rate-unused", cost=_TWICE)
async def sample_rate_is_heard(service: Service) -> str:
    """At 8 kHz there is a third of the bytes of 24 kHz."""
    usual, low = await _two(service, {}, {"sample_rate": 8000})
    share = len(low.audio) / len(usual.audio)
    return expect(0.25 < share < 0.45, f"{share:.2f} of the bytes")


async def _effect(
    service: Service, text: str, first: dict[str, Any], second: dict[str, Any]
) -> str:
    """Check that a change makes other audio, which chance does not."""
    first, second = {"seed": 5, **first}, {"seed": 5, **second}
    one, same = await _two(service, first, first, text)
    other = (await speak(service, text, **second)).audio
    if one.audio != same.audio:
        raise UntoldError("the same task gives other audio each time")
    return expect(other != one.audio, "other audio" if other != one.audio else "none")


@probe("7", "docs", _OPTIONS, "seed-unused", cost=characters(9))
async def seed_is_heard(service: Service) -> str:
    """The same seed gives the same audio, another one other audio."""
    return await _effect(service, "好。", {"seed": 5}, {"seed": 900})


@probe("7", "docs", "client/catalogue.py", "instruction-unused", cost=characters(9))
async def style_is_heard(service: Service) -> str:
    """A style's phrase changes the audio."""
    phrase = "你说话的情感是angry。"
    return await _effect(service, "好。", {}, {"instruction": phrase})


@probe("7", "docs", _OPTIONS, "hints-unused", cost=characters(30))
async def hint_is_heard(service: Service) -> str:
    """The first language hint changes the audio of letters."""
    first, second = {"language_hints": ["en"]}, {"language_hints": ["fr"]}
    return await _effect(service, "Six table.", first, second)


@probe("7", "docs", _OPTIONS, "hot-fix-unused", cost=characters(14))
async def replacement_is_heard(service: Service) -> str:
    """A replacement of hot_fix is spoken instead."""
    rules = {"replace": [{"今天": "今天明天后天昨天前天"}]}
    plain, longer = await _two(service, {}, {"hot_fix": rules}, "今天。")
    share = longer.seconds / plain.seconds
    return expect(share > 1.5, f"{share:.1f} times as long")


@probe("7", "docs", _OPTIONS, "bit-rate-unused", cost=_TWICE)
async def bit_rate_of_opus(service: Service) -> str:
    """bit_rate makes Opus larger."""
    small, large = await _two(
        service,
        {"format": "opus", "bit_rate": 16},
        {"format": "opus", "bit_rate": 64},
    )
    share = len(large.audio) / len(small.audio)
    return expect(share > 1.3, f"{share:.1f} times the bytes")


@probe("7", "guess", _CATALOGUE, "mp3-bit-rate", cost=_TWICE)
async def bit_rate_of_mp3(service: Service) -> str:
    """bit_rate changes nothing for MP3 of CosyVoice."""
    small, large = await _two(
        service, {"format": "mp3", "bit_rate": 16}, {"format": "mp3"}
    )
    share = len(large.audio) / len(small.audio)
    return expect(share < 1.4, f"{share:.1f} times the bytes")


@probe(
    "Q",
    "docs",
    _CATALOGUE,
    "qwen-mp3-bit-rate-unused",
    cost=tokens(20, 8),
    regions=(BEIJING,),
)
async def qwen_bit_rate_of_mp3(service: Service) -> str:
    """bit_rate makes MP3 of Qwen-Audio larger."""
    common = {"model": QWEN_31, "voice": QWEN_31_VOICE, "format": "mp3"}
    small, large = await _two(
        service, {**common, "bit_rate": 16}, {**common, "bit_rate": 128}
    )
    share = len(large.audio) / len(small.audio)
    return expect(share > 1.5, f"{share:.1f} times the bytes")


async def _refused(service: Service, **parameters: Any) -> str:
    error = await refusal(service, **parameters)
    return expect(error, str(error) if error else f"{parameters} was taken")


@probe("7", "guess", _OPTIONS, "volume-limit-200", cost=characters(3))
async def volume_to_100(service: Service) -> str:
    """Volume 101 is refused."""
    return await _refused(service, volume=101)


@probe("7", "guess", _OPTIONS, "rate-limit-3", cost=characters(3))
async def rate_to_2(service: Service) -> str:
    """Rate 2.1 is refused."""
    return await _refused(service, rate=2.1)


@probe("7", "guess", _OPTIONS, "pitch-limit-3", cost=characters(3))
async def pitch_to_2(service: Service) -> str:
    """Pitch 2.1 is refused."""
    return await _refused(service, pitch=2.1)


@probe("7", "guess", _OPTIONS, "seed-limit-32-bits", cost=characters(3))
async def seed_to_65535(service: Service) -> str:
    """Seed 65536 is refused."""
    return await _refused(service, seed=65536)


@probe("7", "guess", _OPTIONS, "bit-rate-limit-1000", cost=characters(3))
async def bit_rate_to_510(service: Service) -> str:
    """A bit_rate of 511 is refused."""
    return await _refused(service, format="opus", bit_rate=511)


@probe("7", "guess", "tests/emulator", "out-of-range-taken", cost=characters(3))
async def out_of_range_is_refused(service: Service) -> str:
    """A value out of range is not taken as the nearest in range."""
    return await _refused(service, rate=20.0)


@probe("7", "docs", _OPTIONS, "rate-from-0.8", cost=characters(6))
async def ends_of_ranges(service: Service) -> str:
    """The lowest and the highest values are taken."""
    low = {"volume": 0, "rate": 0.5, "pitch": 0.5, "seed": 0}
    high = {"volume": 100, "rate": 2.0, "pitch": 2.0, "seed": 65535}
    await taken(service, **low)
    return await taken(service, **high)


@probe("7", "docs", "tests/emulator", "unknown-refused", cost=characters(3))
async def unknown_parameter(service: Service) -> str:
    """An unknown parameter is ignored."""
    return await taken(service, nothing_known=1)


@probe("7", "sdk", "tests/emulator", "plain-type-only", cost=characters(3))
async def other_text_type(service: Service) -> str:
    """text_type may be SSML."""
    return await taken(service, text_type="SSML")


@probe("7", "docs", _CATALOGUE, "hints-seven", cost=characters(8))
async def hint_of_vietnamese(service: Service) -> str:
    """The language hint vi is taken, as are pt, th and id."""
    for language in ("vi", "pt", "th", "id"):
        await taken(service, "Oh", language_hints=[language])
    return "all four were taken"


@probe(
    "Q",
    "docs",
    _CATALOGUE,
    "qwen-hints-eleven",
    cost=tokens(20, 10),
    regions=(BEIJING,),
)
async def qwen_hint_of_spanish(service: Service) -> str:
    """Qwen-Audio takes es, it and ar as language hints as well."""
    for language in ("es", "it", "ar"):
        common = {"model": QWEN_31, "voice": QWEN_31_VOICE}
        await taken(service, "Oh.", language_hints=[language], **common)
    return "all three were taken"


@probe("7", "docs", "client/catalogue.py", "instruction-never", cost=characters(3))
async def style_is_taken(service: Service) -> str:
    """The voice longanyang takes the phrase of a style."""
    return await taken(service, instruction="你说话的情感是happy。")


@probe(
    "7", "docs", "client/catalogue.json", "instruction-never", cost=characters(3, PLUS)
)
async def style_of_v3_plus(service: Service) -> str:
    """cosyvoice-v3-plus takes the phrase of a style with longanyang."""
    return await taken(service, model=PLUS, instruction="你说话的情感是happy。")


@probe("7", "docs", "client/catalogue.json", "instruction-never", cost=characters(3))
async def dialect_of_longanhuan_v3(service: Service) -> str:
    """The voice longanhuan_v3 takes the phrase of a dialect."""
    phrase = "请用四川话表达。"
    return await taken(service, voice="longanhuan_v3", instruction=phrase)


@probe("7", "docs", _OPTIONS, "instruction-free", cost=characters(3))
async def free_instruction_is_refused(service: Service) -> str:
    """The voice longanyang takes no free instruction: 428."""
    error = await refusal(service, instruction="开心一点")
    return expect("428" in str(error), str(error or "it was taken"))


@probe(
    "Q",
    "docs",
    _CATALOGUE,
    "qwen-no-instructions",
    cost=tokens(5, 3),
    regions=(BEIJING,),
)
async def qwen_free_instruction(service: Service) -> str:
    """System voices of Qwen-Audio take a free instruction."""
    common = {"model": QWEN_31, "voice": QWEN_31_VOICE}
    return await taken(service, instruction="请用四川话表达。", **common)


@probe(
    "7",
    "docs",
    _OPTIONS,
    "instruction-limit-128",
    cost=tokens(5, 3),
    regions=(BEIJING,),
)
async def instruction_to_100(service: Service) -> str:
    """An instruction of 102 characters is refused."""
    common = {"model": QWEN_31, "voice": QWEN_31_VOICE}
    return await _refused(service, instruction="慢" * 51, **common)
