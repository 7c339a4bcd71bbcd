"""From Home Assistant's options to the request, without speaking."""

from typing import Any

import pytest

from custom_components.cosyvoice.client import (
    ClonedVoice,
    OptionError,
    TextTooLongError,
)
from custom_components.cosyvoice.settings import DEFAULT_SETTINGS
from custom_components.cosyvoice.speech.options import LiveSettings
from custom_components.cosyvoice.speech.request import SpeechRequest, create_request

BEIJING = "cn-beijing"
CLONE = ClonedVoice(
    id="cosyvoice-v3.5-flash-home-1", model="cosyvoice-v3.5-flash", status="OK"
)
DOCUMENT = "<speak>Hello.</speak>"
V1, NO_SSML = "longwan", "loongava_v3"


def request(
    call: dict[str, Any] | None = None,
    settings: dict[str, Any] | None = None,
    language: str = "zh-CN",
) -> SpeechRequest:
    options = {"settings": DEFAULT_SETTINGS | (settings or {})} | (call or {})
    return create_request(options, language, BEIJING, [CLONE])


def refusal(
    call: dict[str, Any], settings: dict[str, Any] | None = None
) -> OptionError:
    with pytest.raises(OptionError) as caught:
        request(call, settings)
    return caught.value


@pytest.mark.parametrize(
    ("call", "settings", "extension"),
    [
        ({}, {}, "mp3"),
        ({"format": "auto"}, {}, "mp3"),
        ({"format": "wav"}, {}, "wav"),
        ({"format": "opus"}, {}, "opus"),
        ({"format": "mp3"}, {}, "mp3"),
        # Home Assistant adds the format of the voice's setting to every call
        ({"format": "wav", "preferred_format": "opus"}, {"format": "opus"}, "wav"),
        ({"format": "auto", "preferred_format": "opus"}, {"format": "opus"}, "mp3"),
        # A player's wish comes first
        ({"format": "mp3", "preferred_format": "wav"}, {}, "wav"),
        ({"preferred_format": "wav"}, {"format": "opus"}, "wav"),
        ({"format": "opus", "preferred_sample_rate": 16000}, {}, "caf"),
    ],
)
def test_the_option_format_stands_for_a_preferred_format(
    call: dict[str, Any], settings: dict[str, Any], extension: str
) -> None:
    assert request(call, settings).extension == extension


@pytest.mark.parametrize(
    ("call", "settings"),
    [
        ({}, {"lead_in": 500}),
        ({}, {"trailing": 500}),
        ({"preferred_sample_rate": 16000}, {}),
        ({"voice": V1}, {}),
    ],
)
def test_a_bit_rate_is_possible_where_opus_is_made_from_samples(
    call: dict[str, Any], settings: dict[str, Any]
) -> None:
    opus = {"format": "opus", "bit_rate": 32}
    assert request(opus).synthesis.bit_rate == 32
    made = request(opus | call, settings)
    assert (made.extension, made.synthesis.bit_rate) == ("caf", None)
    error = refusal(opus | call | {"bit_rate": 5}, settings)
    assert (error.option, error.allowed) == ("bit_rate", "6–510")


@pytest.mark.parametrize("settings", [{"lead_in": 500}, {}])
def test_a_bit_rate_of_mp3_is_possible_where_the_model_permits_it(
    settings: dict[str, Any],
) -> None:
    mp3 = {"format": "mp3", "bit_rate": 64, "voice": "longanhuan_v3.1"}
    made = request(mp3, settings)
    expected = ("caf", None) if settings else ("mp3", 64)
    assert (made.extension, made.synthesis.bit_rate) == expected


@pytest.mark.parametrize("call", [{"format": "mp3"}, {"format": "wav"}, {}])
def test_a_bit_rate_is_refused_for_other_formats(call: dict[str, Any]) -> None:
    error = refusal(call | {"bit_rate": 32})
    assert (error.option, error.allowed) == ("bit_rate", "format: opus")


@pytest.mark.parametrize("settings", [{}, {"voice": "longanyang"}, None, 5, "x"])
def test_a_caller_cannot_replace_the_settings(settings: Any) -> None:
    error = refusal({"settings": settings})
    assert (error.option, error.reason) == ("settings", "unknown_option")
    assert error.value is settings
    assert "voice" in error.allowed


def test_an_unknown_option_is_named_as_unknown() -> None:
    error = refusal({"speed": "1.5"})
    assert (error.option, error.reason) == ("speed", "unknown_option")


@pytest.mark.parametrize(
    ("settings", "call", "sent"),
    [
        ({"seed": 7}, {"voice": V1}, {}),
        ({"seed": 7}, {"voice": "longanhuan"}, {"seed": 7}),
        ({"sample_rate": 44100}, {"format": "opus"}, {"sample_rate": 24000}),
        ({"sample_rate": 44100}, {}, {"sample_rate": 44100}),
        ({"instruction": "Softly."}, {}, {}),
        ({"instruction": "Softly."}, {"voice": CLONE.id}, {"instruction": "Softly."}),
        (
            {"instruction": "Softly."},
            {"voice": "longanhuan_v3.1"},
            {"instruction": "Softly."},
        ),
        (
            {"instruction": "Softly.", "style": "happy"},
            {"voice": "longanhuan_v3.1"},
            {"instruction": "Softly."},
        ),
        (
            {"style": "happy"},
            {"voice": "longanhuan_v3.1"},
            {"instruction": "请用开心的语气表达。"},
        ),
        (
            {"style": "ningbo"},
            {"voice": "longanhuan_v3.1"},
            {"instruction": "请用宁波话表达。"},
        ),
        ({"style": "ningbo"}, {"voice": "Emily_v3.1"}, {}),
        ({"style": "news_happy"}, {"voice": "Emily_v3.1"}, {}),
        (
            {"style": "whisper"},
            {"voice": "qwen-audio-3.0-tts-plus-longyunfuhong"},
            {"instruction": "请用耳语般的声音，轻轻地表达。"},
        ),
        (
            {"style": "happy", "instruction": "Softly."},
            {"voice": CLONE.id},
            {"instruction": "Softly."},
        ),
        ({"style": "happy"}, {"voice": CLONE.id}, {}),
        ({"style": "happy"}, {}, {"instruction": "你说话的情感是happy。"}),
        ({"style": "happy"}, {"voice": NO_SSML}, {}),
        (
            {"style": "happy", "instruction": "你说话的情感是sad。"},
            {},
            {"instruction": "你说话的情感是happy。"},
        ),
        (
            {"instruction": "你说话的情感是sad。"},
            {},
            {"instruction": "你说话的情感是sad。"},
        ),
        ({"model": "cosyvoice-v3-plus"}, {"voice": V1}, {}),
        (
            {"pronunciations": {"天气": "tian1 qi4", "NAS": "storage"}},
            {},
            {"hot_fix": {"pronunciation": [{"天气": "tian1 qi4"}]}},
        ),
        ({"pronunciations": {"天气": "tian1 qi4"}}, {"voice": V1}, {}),
    ],
)
def test_a_setting_that_does_not_suit_the_voice_is_dropped(
    settings: dict[str, Any], call: dict[str, Any], sent: dict[str, Any]
) -> None:
    parameters = request(call, settings).synthesis.parameters()
    optional = {"seed", "instruction", "hot_fix"}
    assert {
        name: value
        for name, value in parameters.items()
        if name in optional | sent.keys()
    } == sent


def test_ssml_and_word_timestamps_are_checked_where_they_are_asked_for() -> None:
    plain = request()
    assert plain.as_ssml(DOCUMENT, BEIJING, [CLONE]).synthesis.ssml
    assert plain.with_word_timestamps(BEIJING, [CLONE]).synthesis.word_timestamps
    for voice in (NO_SSML, V1):
        with pytest.raises(OptionError) as caught:
            request({"voice": voice}).as_ssml(DOCUMENT, BEIJING, [CLONE])
        assert (caught.value.option, caught.value.reason) == ("ssml", "not_supported")
    with pytest.raises(TextTooLongError):
        plain.as_ssml(f"<speak>{'好' * 10_000}。</speak>", BEIJING, [CLONE])
    assert plain.as_ssml(f"<speak>{'好' * 10_000}</speak>", BEIJING, [CLONE])
    with pytest.raises(OptionError) as caught:
        request({"voice": V1}).with_word_timestamps(BEIJING, [CLONE])
    assert caught.value.option == "word_timestamps"


def test_live_settings_are_read_once() -> None:
    """When they are used, and are a mapping like any other."""
    read = iter(({"volume": 10, "voice": "a"}, {"volume": 20}))
    live = LiveSettings(lambda: next(read))
    assert len(live) == len([*live]) == 2
    assert live == {"voice": "a", "volume": 10}
    assert str(live).startswith("{'voice': 'a', 'volume': 10} ")
