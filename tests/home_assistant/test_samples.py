"""The sentences that voices are heard with, and what they cost."""

import re

import pytest

from custom_components.cosyvoice.client import CATALOGUE, SynthesisOptions
from custom_components.cosyvoice.settings import DEFAULT_SETTINGS
from custom_components.cosyvoice.speech.sample import highest_cost, sample_options
from custom_components.cosyvoice.voices.kinds import KINDS, kinds_of
from custom_components.cosyvoice.voices.samples import SENTENCES, sample_text

NO_SPACES = {"zh", "northeastern", "shaanxi", "yue", "nan", "ja", "th"}


@pytest.mark.parametrize("code", SENTENCES)
def test_a_sample_is_one_sentence_of_some_seconds(code: str) -> None:
    """Of 10 to 20 words; of 20 to 40 characters where there are no spaces."""
    sentence = SENTENCES[code]
    letters = re.sub(r"[^\w\s]", "", sentence)
    if code == "th":
        assert len(letters) <= 100
    elif code in NO_SPACES:
        assert 20 <= len(letters) <= 40
    else:
        assert 10 <= len(letters.split()) <= 20
    assert not re.search(r"[.!?。！？].", sentence)


@pytest.mark.parametrize("language", ["en", "zh-Hans", "zh-Hant", "de", "ja", "nl"])
def test_every_voice_and_clone_has_a_sample(language: str) -> None:
    clones = [f"{model}-myhome-7c1e" for model in CATALOGUE.models]
    for voice in [*CATALOGUE.voices, *clones]:
        assert sample_text(voice, language, None).text in SENTENCES.values()


@pytest.mark.parametrize(
    ("voice", "language", "country", "code", "tag"),
    [
        ("longanyang", "en", "GB", "en", "en-GB"),
        ("longanyang", "zh-Hans", "CN", "zh", "zh-CN"),
        ("longanyang", "zh-Hant", "TW", "zh", "zh-TW"),
        ("longanyang", "fr", "FR", "zh", "zh-CN"),
        ("longlaotie_v3", "zh-Hans", "CN", "northeastern", None),
        ("longlaotie_v3", "en", "US", "en", "en-US"),
        ("longshange_v3", "de", "DE", "shaanxi", None),
        ("longjiaxin_v3", "de", "DE", "yue", "zh-HK"),
        ("longanmin_v3", "de", "DE", "nan", "nan"),
        ("longanhuan_v3.1", "fr", "FR", "fr", "fr"),
        ("cosyvoice-v3-flash-myhome-7c1e", "ru", "RU", "ru", "ru"),
        ("cosyvoice-v1-myhome-7c1e", "ru", "RU", "zh", "zh-CN"),
    ],
)
def test_the_listener_s_language_comes_first(
    voice: str, language: str, country: str, code: str, tag: str | None
) -> None:
    """Then the voice's own; a dialect takes the place of Chinese."""
    sample = sample_text(voice, language, country)
    assert sample.text == SENTENCES[code]
    assert tag in {None, sample.tag}


@pytest.mark.parametrize(
    ("voice", "region", "rate", "cost"),
    [
        # 97 characters, at 1 CNY and at 0.13 USD for 10,000 of them
        ("longanyang", "cn-beijing", 1.0, "0.0099 CNY"),
        ("longanyang", "ap-southeast-1", 1.0, "0.0013 USD"),
        # Tokens: more of them the slower it is
        ("longanyang_v3.1", "cn-beijing", 1.0, "0.0039 CNY"),
        ("longanyang_v3.1", "cn-beijing", 0.5, "0.0076 CNY"),
    ],
)
def test_the_highest_cost(voice: str, region: str, rate: float, cost: str) -> None:
    options = SynthesisOptions(voice=voice, speech_rate=rate).resolve(region)
    assert highest_cost(options, SENTENCES["en"], region) == cost


def test_a_sample_has_the_settings_of_the_voice_but_is_mp3() -> None:
    """A browser plays that; silence and the rate of a player are left out."""
    settings = {
        **DEFAULT_SETTINGS,
        "format": "opus",
        "sample_rate": 8000,
        "lead_in": 500,
        "pitch_rate": 1.1,
    }
    options = sample_options(settings, "en-US", "cn-beijing")
    assert (options.format, options.sample_rate) == ("mp3", 24000)
    assert options.pitch_rate == 1.1


def test_every_kind_is_known() -> None:
    """A voice of several kinds is on all their lists."""
    for voice in CATALOGUE.voices:
        assert kinds_of(voice)
        assert kinds_of(voice) <= set(KINDS)
    assert kinds_of("longanyue") == {"men", "dialects", "characters"}
    assert kinds_of("cosyvoice-v3-flash-myhome-7c1e") == {"yours"}
    assert kinds_of("longtong") == {"others"}
