"""The catalogue: complete, consistent, and extended by its file alone."""

from collections.abc import Callable
from decimal import Decimal
from itertools import product
import json
from pathlib import Path
import re
from typing import Any

import pytest

from custom_components.cosyvoice.client import catalogue as module
from custom_components.cosyvoice.client.catalogue import (
    CATALOGUE,
    Catalogue,
    Price,
    Voice,
)
from custom_components.cosyvoice.client.counting import count_characters
from custom_components.cosyvoice.client.options import PARAMETERS, SynthesisOptions
from tests.emulator import rules
from tests.emulator.catalogue import models
from tests.emulator.facts import Facts

type Extend = Callable[..., Catalogue]

FILE = Path(module.__file__).with_name("catalogue.json")
BEIJING, SINGAPORE = "cn-beijing", "ap-southeast-1"
HAN = re.compile("[\u4e00-\u9fff]")
VOICES = list(CATALOGUE.voices.values())


def test_the_version_is_a_day() -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", CATALOGUE.version)


def test_it_has_every_voice_and_model_of_the_service() -> None:
    by_model = {
        model: sum(model in voice.models for voice in VOICES)
        for model in CATALOGUE.models
    }
    assert len(VOICES) == 215 + 82
    assert by_model == {
        "cosyvoice-v3-flash": 88,
        "cosyvoice-v3-plus": 2,
        "cosyvoice-v3.5-flash": 0,
        "cosyvoice-v3.5-plus": 0,
        "cosyvoice-v2": 107,
        "cosyvoice-v1": 20,
        "qwen-audio-3.1-tts-flash": 68,
        "qwen-audio-3.0-tts-flash": 12,
        "qwen-audio-3.0-tts-plus": 2 + 1,  # One belongs to both.
    }
    assert len(CATALOGUE.voices_in(BEIJING)) == 215 + 82
    assert len(CATALOGUE.voices_in(SINGAPORE)) == 66 + 14


def test_no_id_is_listed_twice() -> None:
    data = json.loads(FILE.read_text(encoding="utf-8"))
    for kind in ("regions", "models", "voices"):
        ids = [item["id"] for item in data[kind]]
        assert len(ids) == len(set(ids))


def test_every_voice_is_described_completely() -> None:
    for voice in VOICES:
        check_voice(voice)


def check_voice(voice: Voice) -> None:
    for english in (voice.name, voice.description, voice.scenario):
        assert english
        assert not HAN.search(english)
    for chinese in (voice.description_zh, voice.scenario_zh):
        assert HAN.search(chinese)
    assert voice.name_zh
    assert voice.gender in ("female", "male", None)
    assert voice.models
    assert set(voice.models) <= set(CATALOGUE.models)
    assert voice.regions
    assert set(voice.regions) <= set(CATALOGUE.regions)
    assert voice.languages
    assert all(
        re.fullmatch(r"[a-z]{2,3}(-[A-Z]{2})?", language)
        for language in voice.languages
    )
    # The voice is no better than its models.
    models = [CATALOGUE.models[model] for model in voice.models]
    assert all(voice.features <= model.features for model in models)
    assert not voice.styles or all(model.instruction != "none" for model in models)


def test_features_are_those_that_the_options_ask_for() -> None:
    by_needs = {
        needs: {name for name, item in PARAMETERS.items() if item.needs == needs}
        for needs in ("model", "voice")
    }
    for model in CATALOGUE.models.values():
        assert model.features <= by_needs["model"] | by_needs["voice"]
    for voice in VOICES:
        assert voice.features <= by_needs["voice"]


def test_auto_finds_a_model_wherever_a_voice_is_offered() -> None:
    for voice, region in product(VOICES, CATALOGUE.regions):
        models = CATALOGUE.models_of(voice.id, region)
        if region in voice.regions:
            assert models
        if models:
            resolved = SynthesisOptions(voice=voice.id).resolve(region)
            assert resolved.model == models[0]


def test_the_recommended_model_comes_first() -> None:
    expected = ("cosyvoice-v3-flash", "cosyvoice-v3-plus")
    assert CATALOGUE.models_of("longanyang", BEIJING) == expected
    assert CATALOGUE.models_of("longanyang", SINGAPORE) == expected
    assert CATALOGUE.models_of("longwan_v2", BEIJING) == ("cosyvoice-v2",)
    assert CATALOGUE.models_of("longwan_v2", SINGAPORE) == ()
    assert CATALOGUE.models_of("nobody", BEIJING) == ()


@pytest.mark.parametrize(
    ("voice_id", "model"),
    [
        ("cosyvoice-v3-flash-myhome-7c1e", "cosyvoice-v3-flash"),
        ("cosyvoice-v3.5-plus-vd-myhome-7c1e", "cosyvoice-v3.5-plus"),
        ("cosyvoice-v3.5-flash-a-1", "cosyvoice-v3.5-flash"),
        ("cosyvoice-v1-a-1", "cosyvoice-v1"),
        ("qwen-audio-3.1-tts-flash-myhome-7c1e", "qwen-audio-3.1-tts-flash"),
        ("qwen-audio-3.0-tts-plus-vd-myhome-7c1e", "qwen-audio-3.0-tts-plus"),
        ("qwen-audio-3.1-tts-flash-longyunfuhong", "qwen-audio-3.1-tts-flash"),
        ("cosyvoice-v3-flash-", None),
        ("cosyvoice-v3-flash", None),
        ("cosyvoice-v9-a-1", None),
        ("nobody", None),
        ("", None),
    ],
)
def test_a_cloned_voice_names_its_model(voice_id: str, model: str | None) -> None:
    assert CATALOGUE.model_of_clone(voice_id) == model
    assert CATALOGUE.models_of(voice_id, BEIJING) == ((model,) if model else ())


def test_a_cloned_voice_needs_its_model_in_the_region() -> None:
    assert CATALOGUE.models_of("cosyvoice-v2-a-1", SINGAPORE) == ()
    assert CATALOGUE.models_of("cosyvoice-v3-plus-a-1", SINGAPORE) == (
        "cosyvoice-v3-plus",
    )


def test_the_longest_model_id_wins(extended: Extend) -> None:
    longer = extended("models", id="cosyvoice-v3-flash-mini")
    assert longer.model_of_clone("cosyvoice-v3-flash-mini-a-1") == (
        "cosyvoice-v3-flash-mini"
    )
    assert longer.model_of_clone("cosyvoice-v3-flash-a-1") == "cosyvoice-v3-flash"


def test_prices_are_in_the_currency_of_the_region() -> None:
    flash = CATALOGUE.models["cosyvoice-v3-flash"]
    assert flash.prices[BEIJING] == Price("CNY", Decimal(1))
    assert flash.prices[SINGAPORE] == Price("USD", Decimal("0.13"))
    assert CATALOGUE.models["cosyvoice-v1"].prices[BEIJING] == Price("CNY", Decimal(2))
    assert all(
        price.currency == CATALOGUE.regions[region].currency
        for model in CATALOGUE.models.values()
        for region, price in model.prices.items()
    )


def test_tokens_cost_what_the_price_says() -> None:
    price = CATALOGUE.models["qwen-audio-3.1-tts-flash"].prices[BEIJING]
    assert price == Price("CNY", Decimal(), Decimal("1.5"), Decimal(12))
    assert price.is_by_tokens
    assert price.cost(0, 16, 36) == Decimal("0.000456")
    assert price.cost(30) == 0
    by_characters = CATALOGUE.models["qwen-audio-3.0-tts-flash"].prices[SINGAPORE]
    assert by_characters == Price("USD", Decimal("0.15"))
    assert not by_characters.is_by_tokens
    assert by_characters.cost(27) == Decimal("0.000405")


@pytest.mark.parametrize(
    ("model", "region", "price"),
    [
        ("cosyvoice-v3-flash", BEIJING, "3.6"),
        ("cosyvoice-v3-flash", SINGAPORE, "0.47"),
        ("qwen-audio-3.0-tts-plus", BEIJING, "5.0"),
        ("qwen-audio-3.1-tts-flash", BEIJING, "0.56"),
        ("qwen-audio-3.1-tts-flash", SINGAPORE, "0.088"),
    ],
)
def test_an_hour_of_speech_has_a_price(model: str, region: str, price: str) -> None:
    assert str(CATALOGUE.models[model].prices[region].of_an_hour) == price


@pytest.mark.parametrize(
    ("voice_id", "is_basic"),
    [
        ("qwen-audio-3.0-tts-flash-longyunfuhong", True),
        ("qwen-audio-3.0-tts-plus-longyunfuhong", True),
        ("qwen-audio-3.1-tts-flash-longyunfuhong", False),
        ("qwen-audio-3.0-tts-flash-Longyunfuhong", False),
        ("qwen-audio-3.0-tts-flash-", False),
        ("qwen-audio-3.0-tts-flash-me-7c1e", False),
        ("cosyvoice-v3-flash-longyunfuhong", False),
        ("longyunfuhong", False),
    ],
)
def test_basic_voices_are_known_by_their_id(voice_id: str, is_basic: bool) -> None:
    voice = CATALOGUE.voice(voice_id)
    assert (voice is not None) == is_basic
    if voice:
        assert voice.name == "Longyunfuhong"
        assert CATALOGUE.model_of_clone(voice_id) is None
        model = CATALOGUE.models_of(voice_id, SINGAPORE)
        assert model == CATALOGUE.models_of(voice_id, BEIJING) == voice.models


def test_ids_are_case_sensitive() -> None:
    assert CATALOGUE.models_of("Emily_v3.1", BEIJING) == ("qwen-audio-3.1-tts-flash",)
    assert CATALOGUE.models_of("emily_v3.1", BEIJING) == ()


def test_a_model_may_be_possible_where_it_is_not_offered() -> None:
    """Some accounts may use it; its voices and clones have it, no others."""
    model = "qwen-audio-3.1-tts-flash"
    assert CATALOGUE.models[model].regions == (BEIJING,)
    voices = [voice for voice in VOICES if model in voice.models]
    for voice in voices:
        assert CATALOGUE.models_of(voice.id, SINGAPORE) == (model,)
    assert CATALOGUE.models_of(f"{model}-me-7c1e", SINGAPORE) == (model,)
    assert not {*voices} & {*CATALOGUE.voices_in(SINGAPORE)}
    for voice in VOICES:
        if voice not in voices and SINGAPORE not in voice.regions:
            assert CATALOGUE.models_of(voice.id, SINGAPORE) == ()


def test_every_model_has_a_price_where_it_is_offered() -> None:
    for model in CATALOGUE.models.values():
        assert model.prices.keys() >= {*model.regions}


def test_models_know_their_regions() -> None:
    assert [model.id for model in CATALOGUE.models_in(SINGAPORE)] == [
        "cosyvoice-v3-flash",
        "cosyvoice-v3-plus",
        "qwen-audio-3.0-tts-flash",
        "qwen-audio-3.0-tts-plus",
    ]
    assert CATALOGUE.models["cosyvoice-v2"].regions == (BEIJING,)


def test_styles_hold_the_exact_phrases_of_the_service() -> None:
    phrases = {
        (voice.id, style.key): style.instruction
        for voice in VOICES
        for style in voice.styles
        if CATALOGUE.models[voice.models[0]].instruction != "any"
    }
    assert phrases["longanyang", "happy"] == "你说话的情感是happy。"
    assert (
        phrases["longanyang", "news_sad"] == "你正在进行新闻播报，你说话的情感是sad。"
    )
    assert (
        phrases["longanyang", "narrator_neutral"]
        == "你现在说话的角色是一个旁白，你说话的情感是neutral。"
    )
    assert (
        phrases["longhuhu_v3", "toy_angry"]
        == "你正在以一个儿童玩具的身份说话，你说话的情感是angry。"
    )
    assert (
        phrases["longanhuan", "customer_service_happy"]
        == "你说话的角色是温和客服，你说话的情感是happy。"
    )
    assert phrases["longanhuan_v3", "shandong"] == "请用山东话表达。"
    assert {voice for voice, _ in phrases} == {
        "longanyang",
        "longanhuan",
        "longhuhu_v3",
        "longanhuan_v3",
    }
    assert len(phrases) == 7 * (10 + 11 + 10) + 9


@pytest.mark.parametrize("model", CATALOGUE.models)
def test_the_emulated_service_has_the_same_voices_and_phrases(model: str) -> None:
    for region in CATALOGUE.models[model].regions:
        ours = [
            voice.id
            for voice in CATALOGUE.voices_in(region)
            if model in CATALOGUE.models_of(voice.id, region)
        ]
        assert sorted(ours) == sorted(rules.voices(model, region))
    takes_any = models()[model].free_instructions
    assert takes_any == (CATALOGUE.models[model].instruction == "any")
    for voice in VOICES:
        phrases = {style.instruction for style in voice.styles_with(model)}
        if takes_any:
            limit = Facts().instruction_limit
            assert all(count_characters(phrase) <= limit for phrase in phrases)
        else:
            assert phrases <= rules.instructions(voice.id, model)


def test_voices_that_take_any_instruction_have_ready_made_ones() -> None:
    dialects = set()
    free = list(CATALOGUE.free_styles)
    assert {"happy", "whisper", "slow", "news", "story"} <= {*free}
    basic = CATALOGUE.voice("qwen-audio-3.0-tts-flash-longyunfuhong")
    assert basic
    assert [style.key for style in basic.styles_with(basic.models[0])] == free
    for voice in VOICES:
        for name in voice.models:
            if CATALOGUE.models[name].instruction == "any":
                styles = voice.styles_with(name)
                texts = {style.key: style.instruction for style in styles}
                assert [*texts][: len(free)] == free
                assert texts == {**texts, **CATALOGUE.free_styles}
                assert len({*texts.values()}) == len(texts)
                if more := [*texts][len(free) :]:
                    dialects.add(
                        (voice.id, "shanghai" in more, "zh" in voice.languages)
                    )
    assert len(dialects) == 4 + 10
    assert {(shanghai, chinese) for _, shanghai, chinese in dialects} == {(True, True)}


def test_a_voice_has_a_style_once() -> None:
    for voice in VOICES:
        keys = [style.key for style in voice.styles]
        assert len(keys) == len(set(keys))
        for style in voice.styles:
            assert re.fullmatch(r"[a-z0-9_]+", style.key)
            assert set(style.models) <= set(voice.models)


def test_a_model_may_lack_a_style() -> None:
    voice = CATALOGUE.voices["longanhuan"]
    flash = {style.key for style in voice.styles_with("cosyvoice-v3-flash")}
    plus = {style.key for style in voice.styles_with("cosyvoice-v3-plus")}
    assert {key.rpartition("_")[0] for key in flash - plus} == {"classroom", "drama"}
    assert plus < flash


def test_a_voice_may_speak_a_dialect() -> None:
    assert CATALOGUE.voices["longlaotie_v3"].dialect == "northeastern"
    assert CATALOGUE.voices["longanyang"].dialect is None


@pytest.fixture(name="extended")
def extended_catalogue() -> Extend:
    """Return a function that adds an entry like the first of its kind to the file."""

    def extend(kind: str, **changes: Any) -> Catalogue:
        data = json.loads(FILE.read_text(encoding="utf-8"))
        data[kind].append({**data[kind][0], **changes})
        return Catalogue.from_json(json.dumps(data))

    return extend


def test_a_new_voice_is_a_change_of_the_file_alone(
    extended: Extend, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue = extended("voices", id="longnew_v4", models=["cosyvoice-v2"])
    monkeypatch.setattr(
        "custom_components.cosyvoice.client.options.CATALOGUE", catalogue
    )
    options = SynthesisOptions(voice="longnew_v4").resolve(BEIJING)
    assert options.model == "cosyvoice-v2"
    assert "longnew_v4" in [voice.id for voice in catalogue.voices_in(BEIJING)]


def test_a_new_model_is_a_change_of_the_file_alone(
    extended: Extend, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue = extended("models", id="cosyvoice-v4", prices={BEIJING: 3})
    monkeypatch.setattr(
        "custom_components.cosyvoice.client.options.CATALOGUE", catalogue
    )
    options = SynthesisOptions(voice="cosyvoice-v4-a-1").resolve(BEIJING)
    assert options.model == "cosyvoice-v4"
    assert catalogue.models["cosyvoice-v4"].prices[BEIJING] == Price("CNY", Decimal(3))


@pytest.mark.parametrize(
    ("kind", "changes", "error"),
    [
        ("voices", {"id": "v", "colour": "red"}, TypeError),
        ("models", {"id": "m", "prices": {"mars": 1}}, KeyError),
    ],
)
def test_a_mistake_in_the_file_is_noticed(
    extended: Extend, kind: str, changes: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        extended(kind, **changes)
