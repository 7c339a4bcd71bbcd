"""The voices' languages as Home Assistant's."""

import pytest

from custom_components.cosyvoice.client import CATALOGUE
from custom_components.cosyvoice.voices.languages import (
    default_tag,
    fitting_voice,
    language_hint,
    tags_in,
    tags_of,
)
from homeassistant.util.language import matches

BEIJING, SINGAPORE = "cn-beijing", "ap-southeast-1"
CLONE = "cosyvoice-v3-flash-myhome-7c1e"


@pytest.mark.parametrize(
    ("voice", "tags"),
    [
        ("longanyang", {"zh-CN", "zh-TW", "zh", "en-US", "en-GB", "en"}),
        ("longjiayi_v3", {"zh-HK", "yue", "en-US", "en-GB", "en"}),
        (
            "longshange_v3",
            {"zh-CN-shaanxi", "zh-CN", "zh-TW", "zh", "en-US", "en-GB", "en"},
        ),
        ("loongeva_v2", {"en-GB", "en"}),
        ("loongriko_v3", {"ja-JP", "ja"}),
        ("loongindah_v3", {"id-ID", "id"}),
    ],
)
def test_voice_speaks_what_the_catalogue_says(voice: str, tags: set[str]) -> None:
    assert set(tags_of(voice)) == tags


def test_cloned_voice_speaks_what_can_be_hinted_to_its_model() -> None:
    assert {"zh-CN", "en-US", "fr", "de", "ja-JP", "ko-KR", "ru"} <= set(tags_of(CLONE))


@pytest.mark.parametrize(
    ("language", "country", "first"),
    [
        ("zh-Hans", "CN", "zh-CN"),
        ("zh-Hant", "HK", "zh-HK"),
        ("zh-Hant", "TW", "zh-TW"),
        ("en", None, "en-US"),
        ("en-GB", None, "en-GB"),
        ("en", "GB", "en-GB"),
        ("ja", None, "ja"),
        ("ko", "KR", "ko-KR"),
    ],
)
def test_home_assistant_finds_the_user_s_language(
    language: str, country: str | None, first: str
) -> None:
    assert matches(language, tags_in(BEIJING, ()), country)[0] == first


@pytest.mark.parametrize(
    ("voice", "language", "tag"),
    [
        ("longanyang", "zh-Hans", "zh-CN"),
        ("longanyang", "en", "en-US"),
        ("longanyang", "de", "zh-CN"),
        ("loongriko_v3", "zh-Hans", "ja-JP"),
        ("longjiayi_v3", "zh-Hant", "zh-HK"),
    ],
)
def test_default_language_is_the_user_s_if_the_voice_has_it(
    voice: str, language: str, tag: str
) -> None:
    assert default_tag(voice, language, None) == tag


def test_every_voice_of_every_region_has_a_language() -> None:
    for region in CATALOGUE.regions:
        for voice in CATALOGUE.voices_in(region):
            assert tags_of(voice.id)


@pytest.mark.parametrize(
    ("voice", "tag", "fitting"),
    [
        ("longanyang", "en-GB", "longanyang"),
        ("longanyang", "zh-HK", "longanyue_v3"),  # the male one
        ("longanhuan", "zh-HK", "longjiaxin_v3"),  # a female one who always does
        ("longanyang", "ja-JP", "loongtomoya_v3"),
    ],
)
def test_another_voice_speaks_what_the_chosen_one_cannot(
    voice: str, tag: str, fitting: str
) -> None:
    assert fitting_voice(voice, tag, {}, BEIJING) == fitting


@pytest.mark.parametrize("voice", ["loongmary", "loongeva_v3.6", "loongjohn"])
@pytest.mark.parametrize("tag", ["en", "en-US", "en-GB"])
def test_an_accent_does_not_replace_the_chosen_voice(voice: str, tag: str) -> None:
    assert fitting_voice(voice, tag, {}, SINGAPORE) == voice


def test_a_voice_set_for_an_accent_is_used() -> None:
    language_voices = {"en-US": "loongjohn"}
    assert fitting_voice("loongmary", "en-US", language_voices, BEIJING) == "loongjohn"


def test_fitting_voice_prefers_gender_then_model() -> None:
    for chosen in ("longanyang", "longanhuan", "longlaotie_v2"):
        found = CATALOGUE.voices[fitting_voice(chosen, "ko-KR", {}, BEIJING)]
        voice = CATALOGUE.voices[chosen]
        assert found.gender == voice.gender
        assert set(found.models) & set(voice.models)


def test_voice_set_for_a_language_is_used_for_it_alone() -> None:
    language_voices = {"ja": "loongriko_v3"}
    assert (
        fitting_voice("longanyang", "ja-JP", language_voices, BEIJING) == "loongriko_v3"
    )
    assert (
        fitting_voice("longanyang", "zh-CN", language_voices, BEIJING) == "longanyang"
    )


def test_cloned_voice_speaks_what_no_system_voice_can() -> None:
    assert "ru" not in tags_in(BEIJING, ())
    assert "ru" in tags_in(BEIJING, (CLONE,))
    assert fitting_voice("longanyang", "ru", {}, BEIJING, (CLONE,)) == CLONE


@pytest.mark.parametrize(
    ("voice", "fitting"),
    [("longanyang", "xunanchuan_v3.1"), ("longanhuan", "longanhuan_v3.1")],
)
@pytest.mark.parametrize("tag", ["fr", "de", "pt", "it", "vi"])
def test_a_voice_of_qwen_audio_speaks_what_no_voice_of_cosyvoice_can(
    voice: str, fitting: str, tag: str
) -> None:
    assert tag in tags_in(BEIJING, ())
    assert fitting_voice(voice, tag, {}, BEIJING, (CLONE,)) == fitting


def test_a_basic_voice_speaks_chinese() -> None:
    assert "zh-CN" in tags_of("qwen-audio-3.0-tts-plus-longyunfuhong")
    assert "fr" not in tags_of("qwen-audio-3.0-tts-plus-longyunfuhong")


@pytest.mark.parametrize(
    ("voice", "tag", "hint"),
    [
        (CLONE, "ja-JP", ("ja",)),
        (CLONE, "fr", ("fr",)),
        (CLONE, "zh-CN", ()),
        (CLONE, "en-US", ()),
        ("longanyang", "en-US", ()),
        ("longanhuan_v3.1", "ja-JP", ("ja",)),
        ("longanhuan_v3.1", "de", ("de",)),
        ("longanhuan_v3.1", "zh-CN", ()),
        ("longanhuan_v3.1", "ru", ()),
        ("loongriko_v3", "ja-JP", ()),
        ("longanmin_v3", "nan", ()),
        ("qwen-audio-3.1-tts-flash-myhome-7c1e", "ar", ("ar",)),
        ("cosyvoice-v1-myhome-7c1e", "ja-JP", ()),
    ],
)
def test_hint_is_given_where_it_helps(
    voice: str, tag: str, hint: tuple[str, ...]
) -> None:
    assert language_hint(voice, tag) == hint
