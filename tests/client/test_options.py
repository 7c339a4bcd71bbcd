"""Options: resolved, put into the service's words, refused before anything is sent."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from custom_components.cosyvoice.client.account import ClonedVoice
from custom_components.cosyvoice.client.catalogue import CATALOGUE
from custom_components.cosyvoice.client.errors import OptionError
from custom_components.cosyvoice.client.options import FORMATS, SynthesisOptions

BEIJING, SINGAPORE = "cn-beijing", "ap-southeast-1"
FREE_CLONE = "cosyvoice-v3.5-flash-myhome-1"
FIXED_CLONE = "cosyvoice-v3-plus-myhome-1"


def options(voice: Any = "longanyang", **settings: Any) -> SynthesisOptions:
    return SynthesisOptions(voice=voice, **settings)


def refusal(
    region: str = BEIJING, cloned: Iterable[ClonedVoice] = (), **settings: Any
) -> OptionError:
    with pytest.raises(OptionError) as caught:
        options(**settings).resolve(region, cloned)
    return caught.value


def test_the_defaults_suit_the_default_voice() -> None:
    resolved = options().resolve(BEIJING)
    assert resolved.model == "cosyvoice-v3-flash"
    assert resolved.parameters() == {
        "voice": "longanyang",
        "text_type": "PlainText",
        "format": "mp3",
        "sample_rate": 24000,
        "volume": 50,
        "rate": 1.0,
        "pitch": 1.0,
    }


def test_all_that_is_set_is_sent() -> None:
    resolved = options(
        format="opus",
        sample_rate=16000,
        bit_rate=32,
        volume=0,
        speech_rate=0.5,
        pitch_rate=2,
        seed=7,
        instruction="你说话的情感是happy。",
        language_hints=("zh", "en"),
        ssml=True,
        word_timestamps=True,
        hot_fix=(("天气", "tian1 qi4"), ("重庆", "chong2 qing4")),
    ).resolve(BEIJING)
    assert resolved.parameters() == {
        "voice": "longanyang",
        "text_type": "PlainText",
        "format": "opus",
        "sample_rate": 16000,
        "bit_rate": 32,
        "volume": 0,
        "rate": 0.5,
        "pitch": 2,
        "seed": 7,
        "instruction": "你说话的情感是happy。",
        "language_hints": ["zh", "en"],
        "enable_ssml": True,
        "word_timestamp_enabled": True,
        "hot_fix": {"pronunciation": [{"天气": "tian1 qi4"}, {"重庆": "chong2 qing4"}]},
    }


def test_resolved_options_are_a_key_and_stay_as_they_are() -> None:
    resolved = options(instruction="").resolve(BEIJING)
    assert resolved.resolve(BEIJING) == resolved
    assert hash(resolved) == hash(options().resolve(BEIJING))


def test_whole_numbers_may_come_as_floats() -> None:
    resolved = options(
        format="opus", volume=80.0, seed=3.0, bit_rate=32.0, sample_rate=16000.0
    ).resolve(BEIJING)
    for number in (
        resolved.volume,
        resolved.seed,
        resolved.bit_rate,
        resolved.sample_rate,
    ):
        assert isinstance(number, int)


@pytest.mark.parametrize(
    ("audio_format", "wire", "rate"),
    [
        ("mp3", "mp3", 24000),
        ("wav", "pcm", 24000),
        ("pcm", "pcm", 24000),
        ("opus", "opus", 24000),
        ("caf", "pcm", 48000),
    ],
)
def test_each_format_has_a_rate_and_a_name_on_the_wire(
    audio_format: str, wire: str, rate: int
) -> None:
    parameters = options(format=audio_format).resolve(BEIJING).parameters()
    assert (parameters["format"], parameters["sample_rate"]) == (wire, rate)


@pytest.mark.parametrize("model", CATALOGUE.models)
def test_formats_and_rates_by_model(model: str) -> None:
    for audio_format, rate in product(
        FORMATS, (8000, 16000, 22050, 24000, 44100, 48000, 11025)
    ):
        asked = options(f"{model}-a-1", format=audio_format, sample_rate=rate)
        possible = rate != 11025 and (
            audio_format != "opus"
            or (model != "cosyvoice-v1" and rate not in (22050, 44100))
        )
        if possible:
            assert asked.resolve(BEIJING).sample_rate == rate
            continue
        with pytest.raises(OptionError) as caught:
            asked.resolve(BEIJING)
        assert caught.value.option in ("sample_rate", "format")


@pytest.mark.parametrize(
    ("option", "low", "high"),
    [
        ("volume", 0, 100),
        ("speech_rate", 0.5, 2.0),
        ("pitch_rate", 0.5, 2.0),
        ("seed", 0, 65535),
        ("bit_rate", 6, 510),
    ],
)
def test_ranges_hold_at_both_ends(option: str, low: float, high: float) -> None:
    for limit in (low, high):
        asked = options(format="opus", **{option: limit})
        assert getattr(asked.resolve(BEIJING), option) == limit
    value: Any
    for value in (low - 0.001, high + 0.001, float("nan"), "1", True, None):
        if option == "bit_rate" and value is None:
            continue
        error = refusal(format="opus", **{option: value})
        assert (error.option, error.reason) == (option, "invalid_option")
        assert error.allowed == f"{low}–{high}"
        assert error.value is value


@pytest.mark.parametrize("option", ["volume", "seed", "bit_rate"])
def test_whole_numbers_are_whole(option: str) -> None:
    setting: dict[str, Any] = {option: 10.5}
    assert refusal(format="opus", **setting).option == option


@pytest.mark.parametrize(
    ("settings", "option", "reason", "allowed"),
    [
        ({"format": "flac"}, "format", "invalid_option", "mp3, wav, opus, pcm, caf"),
        ({"format": 3}, "format", "invalid_option", "mp3, wav, opus, pcm, caf"),
        (
            {"voice": "longwan", "format": "opus"},
            "format",
            "not_supported",
            "mp3, wav, pcm, caf",
        ),
        ({"bit_rate": 32}, "bit_rate", "not_supported", "format: opus"),
        ({"voice": "longwan", "seed": 1}, "seed", "not_supported", "0"),
        ({"voice": "longwan", "ssml": True}, "ssml", "not_supported", "false"),
        ({"voice": "loongava_v3", "ssml": True}, "ssml", "not_supported", "false"),
        (
            {"voice": "loongyuuna_v2", "word_timestamps": True},
            "word_timestamps",
            "not_supported",
            "false",
        ),
        (
            {"voice": "longwan", "word_timestamps": True},
            "word_timestamps",
            "not_supported",
            "false",
        ),
        (
            {"voice": "longwan_v2", "hot_fix": (("a", "b"),)},
            "hot_fix",
            "not_supported",
            "-",
        ),
        (
            {"voice": "longwan", "language_hints": ("zh",)},
            "language_hints",
            "not_supported",
            "-",
        ),
        ({"hot_fix": (("a",),)}, "hot_fix", "invalid_option", "(word, pinyin)"),
        ({"hot_fix": ((1, 2),)}, "hot_fix", "invalid_option", "(word, pinyin)"),
        ({"voice": 3}, "voice", "invalid_option", '"…"'),
        ({"voice": ["a"]}, "voice", "invalid_option", '"…"'),
        ({"model": None}, "model", "invalid_option", '"…"'),
        ({"ssml": "yes"}, "ssml", "invalid_option", "true, false"),
        ({"instruction": 3}, "instruction", "invalid_option", '"…"'),
    ],
)
def test_what_does_not_fit_is_refused(
    settings: dict[str, Any], option: str, reason: str, allowed: str
) -> None:
    error = refusal(**settings)
    assert (error.option, error.reason, error.allowed) == (option, reason, allowed)
    assert option in str(error)
    assert allowed in str(error)


def test_unknown_language_hints_are_refused() -> None:
    error = refusal(language_hints=("zh", "tlh"))
    assert (error.option, error.value) == ("language_hints", "tlh")
    assert error.allowed.startswith("zh, en, fr")
    assert refusal(language_hints="zh").option == "language_hints"


@pytest.mark.parametrize("feature", ["ssml", "word_timestamps"])
def test_cloned_voices_have_the_features_of_their_model(feature: str) -> None:
    setting: dict[str, Any] = {feature: True}
    assert getattr(options(FREE_CLONE, **setting).resolve(BEIJING), feature)
    assert refusal(voice="cosyvoice-v1-a-1", **setting).option == feature


def test_every_wrong_model_is_refused_with_the_right_ones() -> None:
    for voice, model in product(CATALOGUE.voices.values(), CATALOGUE.models):
        region = voice.regions[0]
        right = CATALOGUE.models_of(voice.id, region)
        if model in right:
            assert options(voice.id, model=model).resolve(region).model == model
            continue
        error = refusal(region, voice=voice.id, model=model)
        assert (error.option, error.reason) == ("model", "voice_model_mismatch")
        assert error.allowed == ", ".join(right)


def test_a_cloned_voice_speaks_with_its_own_model_only() -> None:
    error = refusal(voice=FREE_CLONE, model="cosyvoice-v3-flash")
    assert (error.reason, error.allowed) == (
        "voice_model_mismatch",
        "cosyvoice-v3.5-flash",
    )


def test_an_unknown_model_is_refused_with_the_voices_own() -> None:
    error = refusal(model="cosyvoice-v9")
    assert (error.reason, error.allowed) == (
        "unknown_model",
        "cosyvoice-v3-flash, cosyvoice-v3-plus",
    )


def test_an_unknown_voice_is_refused_with_voices_of_a_similar_name() -> None:
    error = refusal(voice="Longanyan")
    assert (error.option, error.reason) == ("voice", "unknown_voice")
    assert "longanyang" in error.allowed.split(", ")
    assert len(error.allowed.split(", ")) <= 3
    assert refusal(voice="???").allowed == "longanyang, longanhuan, longanhuan_v3"
    mine = ClonedVoice(id=FREE_CLONE, model="cosyvoice-v3.5-flash", status="OK")
    assert FREE_CLONE in refusal(voice="3.5-flash-myhome-1", cloned=[mine]).allowed


@pytest.mark.parametrize("voice", ["loongava_v3", "longwan_v2", FREE_CLONE])
def test_a_voice_of_another_region_is_refused(voice: Any) -> None:
    options(voice).resolve(BEIJING)
    assert refusal(SINGAPORE, voice=voice).reason == "unknown_voice"


@pytest.mark.parametrize("status", ["DEPLOYING", "UNDEPLOYED"])
def test_a_cloned_voice_must_be_ready(status: Any) -> None:
    cloned = ClonedVoice(id=FREE_CLONE, model="cosyvoice-v3.5-flash", status=status)
    error = refusal(voice=FREE_CLONE, cloned=[cloned])
    assert (error.option, error.reason) == ("voice", "voice_not_ready")
    assert error.allowed == status
    ready = [replace(cloned, status="OK")]
    assert options(FREE_CLONE).resolve(BEIJING, ready).model == cloned.model


def test_a_cloned_voice_that_is_not_listed_is_left_to_the_service() -> None:
    other = ClonedVoice(id=FIXED_CLONE, model="cosyvoice-v3-plus", status="OK")
    assert options(FREE_CLONE).resolve(BEIJING, [other]).voice == FREE_CLONE


def test_a_system_voice_takes_its_own_phrases_only() -> None:
    for voice in CATALOGUE.voices.values():
        for style in voice.styles:
            for model in style.models:
                asked = options(voice.id, model=model, instruction=style.instruction)
                assert asked.resolve(BEIJING).instruction == style.instruction
    for wrong in ("你说话的情感是happy", "be happy", "请用山东话表达。"):
        error = refusal(instruction=wrong)
        assert (error.option, error.reason) == ("instruction", "fixed_phrases")
        assert "你说话的情感是happy。" in error.allowed


def test_a_phrase_must_be_known_to_the_model() -> None:
    phrase = "你正在进行课堂教学，你说话的情感是happy。"
    options("longanhuan", instruction=phrase).resolve(BEIJING)
    error = refusal(voice="longanhuan", model="cosyvoice-v3-plus", instruction=phrase)
    assert phrase not in error.allowed


@pytest.mark.parametrize(
    "voice",
    [
        "longanhuan_v3.1",
        "longanlingxin",
        "qwen-audio-3.0-tts-flash-longyunfuhong",
        "qwen-audio-3.1-tts-flash-me-1",
    ],
)
def test_free_instructions_are_for_every_voice_of_qwen_audio(voice: str) -> None:
    longest = "慢" * 50
    assert options(voice, instruction=longest).resolve(BEIJING).instruction == longest
    error = refusal(voice=voice, instruction=longest + "!")
    assert (error.reason, error.allowed) == ("instruction_too_long", "100")


@pytest.mark.parametrize(
    ("voice", "permitted"),
    [
        ("longanyang", {"opus"}),
        ("longwan", set()),
        ("longanhuan_v3.1", {"mp3", "opus"}),
        ("longanlingxin", {"mp3", "opus"}),
    ],
)
def test_bit_rates_are_for_the_formats_of_the_model(
    voice: str, permitted: set[str]
) -> None:
    for audio_format in set(FORMATS) - ({"opus"} - permitted):
        asked = options(voice, format=audio_format, bit_rate=64)
        if audio_format in permitted:
            assert asked.resolve(BEIJING).parameters()["bit_rate"] == 64
            continue
        with pytest.raises(OptionError) as caught:
            asked.resolve(BEIJING)
        assert (caught.value.option, caught.value.reason) == (
            "bit_rate",
            "not_supported",
        )


def test_markup_is_for_cloned_voices_of_qwen_audio() -> None:
    assert options("qwen-audio-3.1-tts-flash-me-1", ssml=True).resolve(BEIJING).ssml
    for voice in ("longanhuan_v3.1", "qwen-audio-3.0-tts-plus-longyunfuhong"):
        error = refusal(voice=voice, ssml=True)
        assert (error.option, error.reason) == ("ssml", "not_supported")


def test_free_instructions_are_for_cloned_voices_of_some_models() -> None:
    longest = "慢" * 50
    assert options(FREE_CLONE, instruction=longest).resolve(BEIJING)
    error = refusal(voice=FREE_CLONE, instruction=longest + "!")
    assert (error.reason, error.allowed) == ("instruction_too_long", "100")
    for voice in (FIXED_CLONE, "cosyvoice-v2-a-1", "longwan_v2", "longwan"):
        error = refusal(voice=voice, instruction="slowly")
        assert (error.option, error.reason) == ("instruction", "not_supported")
