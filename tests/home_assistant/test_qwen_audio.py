"""Qwen-Audio through Home Assistant: the bill, tags, instructions, closed models."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing
from dataclasses import replace
import re
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.cosyvoice.client import CATALOGUE
from custom_components.cosyvoice.flows.voice_form import VoiceForm
from custom_components.cosyvoice.text.tags import TAGS
from custom_components.cosyvoice.usage import ledger as ledger_module
from custom_components.cosyvoice.voices.names import Words
from homeassistant.components.tts import DATA_COMPONENT, TextToSpeechEntity
from homeassistant.components.tts.entity import TTSAudioRequest
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import issue_registry as ir
from tests.emulator import Emulator, EmulatorConfig, FaultKind
from tests.emulator.faults import TASK_ERRORS
from tests.texts import LANGUAGES

from .conftest import API_KEY
from .speaking import change, entity_id, pieces, speak, spoken, text_of

TOKENS = "qwen-audio-3.1-tts-flash"
VOICES = {
    "cosyvoice-v3-flash": "longanyang",
    "cosyvoice-v3-plus": "longanhuan",
    TOKENS: "longanhuan_v3.1",
    "qwen-audio-3.0-tts-flash": "loongjohn",
    "qwen-audio-3.0-tts-plus": "longanlingxin",
}
QWEN = {model: voice for model, voice in VOICES.items() if model.startswith("qwen")}
BASIC = "qwen-audio-3.0-tts-flash-longyunfuhong"
TEXTS = (
    "今天天气不错。明天也不错。",
    "The kettle is boiling. Please turn it off.",
    "混合 text，with 数字 123。[laughing]好的！",
    "好。",
)


@pytest.fixture(name="region")
def region_of_the_account() -> str:
    """The account's region, unless a test is about another one."""
    return "cn-beijing"


@pytest.fixture
async def emulator(region: str) -> AsyncIterator[Emulator]:
    """The service of the account's region."""
    config = EmulatorConfig(
        api_keys={API_KEY}, speech="silence", starts_per_second=0, region=region
    )
    async with Emulator(config) as emulator:
        yield emulator


@pytest.fixture
def entry(entry: MockConfigEntry, hass: HomeAssistant, region: str) -> MockConfigEntry:
    """An account in the region."""
    hass.config_entries.async_update_entry(entry, data={**entry.data, "region": region})
    return entry


@pytest.mark.parametrize("region", CATALOGUE.regions)
@pytest.mark.usefixtures("hurry", "hass_storage")
@pytest.mark.timeout(120)
async def test_the_books_equal_the_bill_whatever_happens(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    region: str,
) -> None:
    """100 messages in each region.

    Connections are lost, listeners leave, the account is reloaded in mid-sentence,
    Home Assistant is killed.
    """
    asyncio.get_running_loop().set_debug(False)
    emulator.config.real_time_factor = 0.02
    models = [model for model in VOICES if region in CATALOGUE.models[model].regions]
    outcomes: Counter[str] = Counter()
    for batch in range(10):
        if batch % 3 == 1:
            emulator.script("reset@mid_sentence,after_sentences=1,times=2")
        chosen = [models[(batch + number) % len(models)] for number in range(10)]
        messages = [
            speak(
                hass,
                f"{TEXTS[number % len(TEXTS)]}{batch} {number}.",
                asked(chosen[number]),
            )
            for number in range(8)
        ]
        await asyncio.gather(*messages)
        if batch % 4 == 2:
            await reload_in_mid_sentence(hass, loaded, emulator, chosen[8:])
        else:
            await asyncio.gather(*(leave(hass, model) for model in chosen[8:]))
        if batch % 4 == 3:
            outcomes.update(r.outcome for r in loaded.runtime_data.usage.recent)
            await crash(hass, loaded)
    total = loaded.runtime_data.usage.figures.total
    outcomes.update(r.outcome for r in loaded.runtime_data.usage.recent)
    assert {"finished", "failed", "cancelled"} <= outcomes.keys()
    assert any(record.resumed for record in loaded.runtime_data.usage.recent)
    assert total.requests == 100
    assert total.characters == sum(emulator.bill.values())
    assert total.tokens == emulator.bill.tokens
    assert total.cost == emulator.bill.money(CATALOGUE.regions[region].currency)
    assert any(entry.tokens for entry in emulator.bill.entries) == (TOKENS in models)
    assert len({entry.model for entry in emulator.bill.entries}) == len(models)


def asked(model: str) -> dict[str, Any]:
    """Return the options for a voice of a model."""
    return {"voice": VOICES[model], "model": model}


async def leave(hass: HomeAssistant, model: str) -> None:
    """Listen to the beginning of a message, as a stopped satellite does."""
    engine = hass.data[DATA_COMPONENT].get_entity(entity_id(hass, "tts", "speech"))
    assert isinstance(engine, TextToSpeechEntity)
    defaults = engine.default_options or {}
    options = {**defaults, **asked(model), "preferred_format": "wav"}
    request = TTSAudioRequest("zh-CN", options, pieces("".join(TEXTS) * 3, 5))
    response = await engine.async_stream_tts_audio(request)
    async with aclosing(response.data_gen) as audio:
        for _ in range(4):
            await anext(audio)


async def reload_in_mid_sentence(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    emulator: Emulator,
    models: list[str],
) -> None:
    """Reload the account while it speaks."""
    emulator.script("hang@mid_sentence,times=2")
    before = len(emulator.happened)
    text = "".join(TEXTS)
    speaking = [
        hass.async_create_task(speak(hass, f"{text}{before}.", asked(model)))
        for model in models
    ]
    await emulator.until(lambda: len(emulator.happened) == before + 2)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    await asyncio.gather(*speaking, return_exceptions=True)


async def crash(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Forget what is only in memory, some time after the last message was written."""
    await ledger_module.async_save_ledgers(hass)
    del hass.data[ledger_module._LEDGERS][entry.entry_id]
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("model", VOICES)
async def test_tags_are_sent_to_models_that_know_them(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    model: str,
    streamed: bool,
) -> None:
    text = "Well [laughing] that was funny. [1] Really."
    message = pieces(text, 2) if streamed else text
    await speak(hass, message, {"voice": VOICES[model]}, "en-US")
    sent = text_of(emulator)
    assert ("[laughing]" in sent) == model.startswith("qwen")
    assert "funny" in sent


@pytest.mark.parametrize("model", VOICES)
async def test_each_tag_is_sent_whole_however_it_is_written(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator, model: str
) -> None:
    text = "".join(f"好{tag}的，一。" for tag in TAGS)
    await speak(hass, pieces(text, 1), {"voice": VOICES[model]})
    sent = [piece.text for task in spoken(emulator) for piece in task.pieces]
    found = [tag for piece in sent for tag in re.findall(r"\[[^\[\]]*\]", piece)]
    assert found == ([*TAGS] if model in QWEN else [])
    assert re.sub(r"\[.*?\]", "", "".join(sent)) == "好的，一。" * len(TAGS)


async def test_tags_are_switched_off_in_the_data_of_the_model(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    models = {**CATALOGUE.models, TOKENS: replace(CATALOGUE.models[TOKENS], tags=False)}
    monkeypatch.setattr(
        "custom_components.cosyvoice.speech.request.CATALOGUE",
        replace(CATALOGUE, models=models),
    )
    await speak(hass, "好笑[laughing]。", {"voice": VOICES[TOKENS]})
    assert "laughing" not in text_of(emulator)


@pytest.mark.parametrize("by_option", [True, False])
async def test_any_instruction_is_sent_for_a_system_voice(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    by_option: bool,
) -> None:
    instruction = "请用四川话表达，很累的样子。"
    change(hass, loaded, voice=VOICES[TOKENS])
    if not by_option:
        change(hass, loaded, instruction=instruction)
    await hass.async_block_till_done()
    await speak(hass, "好的。", {"instruction": instruction} if by_option else None)
    assert emulator.tasks[-1].parameters["instruction"] == instruction


@pytest.mark.parametrize("voice", [*QWEN.values(), BASIC])
async def test_a_style_is_a_ready_made_instruction(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator, voice: str
) -> None:
    """Free text comes before it, from the settings as from the call."""
    change(hass, loaded, voice=voice)
    await hass.async_block_till_done(wait_background_tasks=True)
    style = entity_id(hass, "select", "style")
    state = hass.states.get(style)
    assert state
    keys = state.attributes["options"]
    assert (state.state, keys[:2]) == ("none", ["none", "happy"])
    await speak(hass, "好的，一。")
    await hass.services.async_call(
        "select",
        "select_option",
        {"entity_id": style, "option": "whisper"},
        blocking=True,
    )
    await speak(hass, "好的，二。")
    await speak(hass, "好的，三。", {"instruction": "Tired."})
    change(hass, loaded, instruction="很累的样子。")
    await speak(hass, "好的，四。")
    given = [task.parameters.get("instruction") for task in spoken(emulator)]
    written = CATALOGUE.free_styles["whisper"]
    assert given == [None, written, "Tired.", "很累的样子。"]


CLONE = f"{TOKENS}-myhome-7c1e"
WAYS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "the voice of a call": ({}, {"voice": VOICES[TOKENS]}),
    "the voice and model of a call": ({}, {"voice": VOICES[TOKENS], "model": TOKENS}),
    "the clone of a call": ({}, {"voice": CLONE}),
    "the voice of the settings": ({"voice": VOICES[TOKENS]}, {}),
    "the model of the settings": ({"voice": VOICES[TOKENS], "model": TOKENS}, {}),
    "the voice of a language": ({"language_voices": {"yue": VOICES[TOKENS]}}, {}),
}
"""Ways to a model: the voice's settings, and the options of a call."""


def check_is_closed(
    hass: HomeAssistant, entry: MockConfigEntry, error: HomeAssistantError
) -> None:
    """Check that a closed model is named as the cause, and no key is asked for."""
    assert error.translation_key == "access_denied"
    assert "not enabled for this account or region" in str(error)
    assert not any(entry.async_get_active_flows(hass, {"reauth"}))
    issues = ir.async_get(hass).issues
    assert [issue.translation_key for issue in issues.values()] == [
        "model_not_activated"
    ]


@pytest.mark.parametrize("region", ["ap-southeast-1"])
@pytest.mark.parametrize("way", WAYS)
async def test_a_model_may_be_closed_to_the_region(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator, way: str
) -> None:
    """The service decides: it is said to be open to some accounts there."""
    settings, options = WAYS[way]
    change(hass, loaded, **settings)
    await hass.async_block_till_done(wait_background_tasks=True)
    language = "yue" if "language_voices" in settings else None
    with pytest.raises(HomeAssistantError) as caught:
        await speak(hass, "好的。", options, language)
    await hass.async_block_till_done(wait_background_tasks=True)
    check_is_closed(hass, loaded, caught.value)
    assert not spoken(emulator)


@pytest.mark.parametrize("region", ["ap-southeast-1"])
@pytest.mark.parametrize("way", [way for way in WAYS if "clone" not in way])
async def test_a_model_may_be_open_to_an_account_alone(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator, way: str
) -> None:
    emulator.config.opened_models = [TOKENS]
    settings, options = WAYS[way]
    change(hass, loaded, **settings)
    await hass.async_block_till_done(wait_background_tasks=True)
    language = "yue" if "language_voices" in settings else None
    await speak(hass, "好的。", options, language)
    assert spoken(emulator)[-1].model == TOKENS
    total = loaded.runtime_data.usage.figures.total
    assert total.tokens == emulator.bill.tokens > 0
    assert total.cost == emulator.bill.money("USD") > 0
    assert not ir.async_get(hass).issues


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("AccessDenied", "Model access denied."),
        ("Model.AccessDenied", "Model access denied."),
        ("AccessDenied.Unpurchased", "Access to model denied."),
        ("ModelNotFound", "Model can not be found."),
        ("InvalidParameter", "Model not exist."),
    ],
)
@pytest.mark.parametrize("model", VOICES)
async def test_a_model_may_be_closed_to_the_account(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    model: str,
    code: str,
    message: str,
) -> None:
    monkeypatch.setitem(TASK_ERRORS, FaultKind.ACCESS_DENIED, (code, message))
    emulator.script("access_denied@before_started,times=always")
    with pytest.raises(HomeAssistantError) as caught:
        await speak(hass, "好的。", asked(model))
    await hass.async_block_till_done(wait_background_tasks=True)
    check_is_closed(hass, loaded, caught.value)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_form_says_what_a_model_is_good_for_and_what_it_costs(
    hass: HomeAssistant, language: str
) -> None:
    hass.config.language = language
    words = await Words.load(hass)
    for region in CATALOGUE.regions.values():
        form = VoiceForm(words, region.id, ())
        lines = {
            option["value"]: option["label"]
            for option in form.basic_schema().schema["model"].config["options"]
        }
        offered = CATALOGUE.models_in(region.id)
        assert [*lines] == ["auto", *(model.id for model in offered)]
        for model in offered:
            name, price, purpose = lines[model.id].split(" · ")
            assert name == model.id
            assert not purpose.startswith(("cosyvoice", "qwen-audio"))
            cost = model.prices[region.id].of_an_hour
            assert words.number(f"{cost} {region.currency}") in price


@pytest.mark.parametrize("region", ["ap-southeast-1"])
async def test_voices_of_a_closed_model_are_not_offered(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    voices = await hass.services.async_call(
        "cosyvoice", "list_voices", {}, blocking=True, return_response=True
    )
    assert voices
    found: Any = voices["voices"]
    listed = {voice["voice_id"] for voice in found}
    assert VOICES["qwen-audio-3.0-tts-flash"] in listed
    assert VOICES[TOKENS] not in listed
    state = hass.states.get(entity_id(hass, "select", "voice"))
    assert state
    assert not any("_v3.1" in name for name in state.attributes["options"])


async def test_a_basic_voice_is_not_missed_among_the_clones(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator
) -> None:
    change(hass, loaded, voice=BASIC)
    await hass.async_block_till_done(wait_background_tasks=True)
    await loaded.runtime_data.voices.async_refresh()
    assert loaded.runtime_data.voices.problem(BASIC) is None
    await speak(hass, "好的。")
    assert emulator.tasks[-1].parameters["voice"] == BASIC


@pytest.mark.parametrize("kind", ["myhome", "vd-myhome"])
@pytest.mark.parametrize(
    ("model", "region"),
    [(model, region) for model in QWEN for region in CATALOGUE.models[model].regions],
)
async def test_a_clone_is_listed_and_speaks_with_its_model_alone(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    emulator: Emulator,
    model: str,
    kind: str,
) -> None:
    clone = f"{model}-{kind}-7c1e"
    emulator.config.cloned_voices[clone] = "OK"
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert entry.runtime_data.voices.data[clone].model == model
    instruction = {"instruction": "Tired."}
    await speak(hass, "Hola.", {"voice": clone, **instruction}, "es")
    (task,) = spoken(emulator)
    assert (task.model, task.parameters["voice"]) == (model, clone)
    assert task.parameters["language_hints"] == ["es"]
    assert task.parameters["instruction"] == "Tired."
    change(hass, entry, voice=clone)
    await hass.async_block_till_done(wait_background_tasks=True)
    await speak(hass, "好的。")
    assert spoken(emulator)[-1].parameters["voice"] == clone
    started = len(emulator.tasks)
    for other in CATALOGUE.models_in(emulator.config.region):
        if other.id != model:
            await check_is_refused(hass, {"voice": clone, "model": other.id}, [model])
    assert len(emulator.tasks) == started


@pytest.mark.parametrize("region", CATALOGUE.regions)
async def test_a_wrong_pair_is_refused_before_anything_is_sent(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator, region: str
) -> None:
    voices = {*VOICES.values(), BASIC, "longanyang"}
    for voice in voices:
        right = CATALOGUE.models_of(voice, region)
        for model in VOICES:
            if right and model not in right:
                await check_is_refused(hass, {"voice": voice, "model": model}, right)
    assert not emulator.tasks


async def check_is_refused(
    hass: HomeAssistant, options: dict[str, Any], allowed: Iterable[str]
) -> None:
    """Check that the refusal names the model and those that have the voice."""
    with pytest.raises(ServiceValidationError) as caught:
        await speak(hass, "好的。", options)
    assert caught.value.translation_key == "voice_model_mismatch"
    for name in (options["model"], *allowed):
        assert name in str(caught.value)
