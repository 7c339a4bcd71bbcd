"""Adding voices to an account and changing their settings through the form."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.cosyvoice.client import CATALOGUE
from custom_components.cosyvoice.flows.voice_form import as_shown, as_stored
from custom_components.cosyvoice.settings import DEFAULT_SETTINGS
from custom_components.cosyvoice.speech.request import create_request
from custom_components.cosyvoice.voices.kinds import speaks
from homeassistant.config_entries import SubentryFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from tests.emulator import Emulator

from .conftest import CLONE, SUBENTRY_ID
from .flows import start_voice as start, submit_voice as submit, use_voice as use

ALL_SETTINGS = {
    "voice": "longanhuan",
    "model": "cosyvoice-v3-plus",
    "format": "wav",
    "sample_rate": "48000",
    "sound": {"speech_rate": 1.2, "pitch_rate": 0.9, "volume": 80, "seed": 7},
    "text": {
        "clean_text": False,
        "pronunciations": [{"word": "HA", "replacement": "Home Assistant"}],
        "language_voices": [{"language": "ja", "voice": "loongtomoka_v3"}],
    },
    "safety": {"fallback_engine": "tts.other", "lead_in": 200, "trailing": 100},
}


def suggested(result: SubentryFlowResult) -> dict[str, Any]:
    """Return the values that the shown form comes with, sections included."""
    values = {}
    for marker, field in result["data_schema"].schema.items():
        if hasattr(field, "schema") and hasattr(field, "options"):
            values[str(marker)] = {
                str(inner): inner.description["suggested_value"]
                for inner in field.schema.schema
                if inner.description
            }
        elif marker.description:
            values[str(marker)] = marker.description["suggested_value"]
    return values


def listed(result: SubentryFlowResult) -> list[str]:
    """Return the ids in the shown list of voices."""
    options = result["data_schema"].schema["voice"].config["options"]
    return [option["value"] for option in options]


async def test_a_voice_needs_no_more_than_its_id(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Everything else has a default."""
    result = await start(hass, loaded)
    assert result["step_id"] == "voice"
    result = await use(hass, result, {"voice": "longxiaochun_v2"})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    voices = {sub.title: sub.data for sub in loaded.subentries.values()}
    assert voices["Longxiaochun"] == DEFAULT_SETTINGS | {"voice": "longxiaochun_v2"}


async def test_the_same_voice_twice_has_two_names(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """As may be wanted for two rooms."""
    result = await use(hass, await start(hass, loaded), {"voice": "longanyang"})
    assert result["title"] == "Longanyang 2"
    await hass.async_block_till_done()


async def test_every_setting_is_stored_and_shown_again(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """The reconfigure form comes filled in, and submitting it changes nothing."""
    result = await use(hass, await start(hass, loaded), ALL_SETTINGS)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    subentry = list(loaded.subentries.values())[-1]
    stored = {
        "voice": "longanhuan",
        "model": "cosyvoice-v3-plus",
        "format": "wav",
        "sample_rate": 48000,
        "speech_rate": 1.2,
        "pitch_rate": 0.9,
        "volume": 80,
        "seed": 7,
        "style": "none",
        "clean_text": False,
        "pronunciations": {"HA": "Home Assistant"},
        "language_voices": {"ja": "loongtomoka_v3"},
        "fallback_engine": "tts.other",
        "lead_in": 200,
        "trailing": 100,
    }
    assert subentry.data == stored
    result = await start(hass, loaded, subentry.subentry_id)
    assert result["step_id"] == "voice"
    values = suggested(result)
    assert {name: values[name] for name in ALL_SETTINGS} == ALL_SETTINGS
    result = await use(hass, result, ALL_SETTINGS)
    assert result["reason"] == "reconfigure_successful"
    assert subentry.data == stored


async def test_a_language_narrows_the_list(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """A voice that does not speak it is explained at the field; nothing else is lost."""
    result = await start(hass, loaded)
    everything = listed(result)
    result = await submit(
        hass, result, {"language": "ja", "voice": "longanyang", "format": "wav"}
    )
    assert result["errors"] == {"voice": "voice_language"}
    assert result["description_placeholders"]["language"] == "Japanese"
    japanese = listed(result)
    assert 0 < len(japanese) < len(everything)
    assert all("ja" in CATALOGUE.voices[voice].languages for voice in japanese)
    values = suggested(result)
    assert values["format"] == "wav"
    assert values["voice"] in japanese
    result = await use(
        hass, result, {"language": values["language"], "voice": values["voice"]}
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    assert "language" not in list(loaded.subentries.values())[-1].data


@pytest.mark.parametrize("language", ["en", "zh", "ja", "yue"])
async def test_the_language_filter_never_ends_the_form(
    hass: HomeAssistant, loaded: MockConfigEntry, language: str
) -> None:
    """Not even if the selected voice speaks the language; the next submit does."""
    voices = len(loaded.subentries)
    result = await start(hass, loaded)
    every = listed(result)
    result = await submit(
        hass, result, {"language": language, "voice": "longanyang", "format": "wav"}
    )
    assert result["type"] is FlowResultType.FORM
    assert len(loaded.subentries) == voices
    narrowed = listed(result)
    assert set(narrowed) < set(every)
    assert all(speaks(voice, language) for voice in narrowed)
    values = suggested(result)
    assert (values["language"], values["format"]) == (language, "wav")
    assert values["voice"] in narrowed
    result = await use(hass, result, {"voice": narrowed[-1]})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()


async def test_the_filter_can_be_changed_and_removed(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    result = await start(hass, loaded)
    every = listed(result)
    result = await submit(hass, result, {"language": "ja", "voice": "longanyang"})
    result = await submit(hass, result, {"language": "ko", "voice": "longanyang"})
    assert result["description_placeholders"]["language"] == "Korean"
    voice = suggested(result)["voice"]
    result = await submit(hass, result, {"language": "any", "voice": voice})
    assert not result["errors"]
    assert listed(result) == every
    result = await use(hass, result, {"language": "any", "voice": voice})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()


async def test_english_includes_british_and_american(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    result = await start(hass, loaded)
    result = await submit(hass, result, {"language": "en", "voice": "longanyang"})
    assert {"longanyang", "loongabby_v3", "loongluna_v3"} <= set(listed(result))
    result = await submit(hass, result, {"language": "en-GB", "voice": "longanyang"})
    assert "loongluna_v3" in listed(result)
    assert not {"longanyang", "loongabby_v3"} & set(listed(result))


@pytest.mark.parametrize(
    ("kind", "found", "missing"),
    [
        ("women", "longanhuan", "longanyang"),
        ("men", "longanyang", "longniuniu_v3"),
        ("children", "longniuniu_v3", "longanyang"),
        ("dialects", "longlaotie_v3", "longanyang"),
        ("characters", "longhouge_v3", "longanyang"),
        ("yours", CLONE, "longanyang"),
    ],
)
async def test_a_kind_narrows_the_list(
    hass: HomeAssistant,
    emulator: Emulator,
    entry: MockConfigEntry,
    kind: str,
    found: str,
    missing: str,
) -> None:
    """The shown voice is one of the list, and submitting it then goes on."""
    emulator.config.cloned_voices = {CLONE: "OK"}
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    result = await start(hass, entry)
    result = await submit(hass, result, {"kind": kind, "voice": "longanyang"})
    assert result["step_id"] == "voice"
    fits = kind == "men"
    assert result["errors"] == ({} if fits else {"voice": "voice_kind"})
    assert found in listed(result)
    assert missing not in listed(result)
    shown = suggested(result)
    assert (shown["kind"], shown["voice"] in listed(result)) == (kind, True)
    result = await use(hass, result, {"kind": kind, "voice": shown["voice"]})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    assert "kind" not in list(entry.subentries.values())[-1].data


async def test_there_are_no_custom_voices_to_choose_from(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    result = await start(hass, loaded)
    options = result["data_schema"].schema["kind"].config["options"]
    kinds = [option["value"] for option in options]
    assert kinds[:3] == ["any", "women", "men"]
    assert "yours" not in kinds


async def test_filters_narrow_together(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """The model narrows the list as well; a combination that nothing has is explained."""
    result = await start(hass, loaded)
    filters = {"language": "zh", "kind": "men", "model": "cosyvoice-v1"}
    result = await submit(hass, result, {**filters, "voice": "longanyang"})
    assert result["step_id"] == "voice"
    assert not result["errors"]
    for voice in map(CATALOGUE.voices.__getitem__, listed(result)):
        assert (voice.gender, "cosyvoice-v1" in voice.models) == ("male", True)
    assert suggested(result)["voice"] in listed(result)
    filters["language"] = "ko"
    result = await submit(hass, result, {**filters, "voice": "longanyang"})
    assert result["errors"] == {"voice": "no_voice"}
    assert listed(result) == []
    result = await use(
        hass,
        result,
        {"language": "any", "kind": "any", "model": "auto", "voice": "longanhuan"},
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()


async def test_a_filter_and_a_fitting_voice_go_on(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Whoever chose a voice is not asked for it again."""
    filters = {"language": "ja", "kind": "women"}
    result = await use(
        hass, await start(hass, loaded), {**filters, "voice": "loongtomoka_v3"}
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()


async def test_the_shown_voice_has_a_name(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """The field itself shows only its id."""
    result = await start(hass, loaded)
    shown = result["description_placeholders"]["shown_voice"]
    assert shown.startswith("longanyang: Longanyang 龙安洋 · Sunny young man")
    result = await submit(hass, result, {"language": "ja", "voice": "longanyang"})
    voice = suggested(result)["voice"]
    assert result["description_placeholders"]["shown_voice"].startswith(voice)


async def test_spaces_around_pronunciations_are_removed(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Phone keyboards add them; pinyin is still recognized as pinyin."""
    rows = [
        {"word": "天气 ", "replacement": " tian1 qi4 "},
        {"word": " NAS ", "replacement": "storage"},
    ]
    result = await start(hass, loaded, SUBENTRY_ID)
    await use(hass, result, {"text": {"pronunciations": rows}})
    await hass.async_block_till_done()
    stored = loaded.subentries[SUBENTRY_ID].data
    assert stored["pronunciations"] == {"天气": "tian1 qi4", "NAS": "storage"}
    request = create_request({"settings": stored}, "zh-CN", "cn-beijing", ())
    assert request.synthesis.hot_fix == (("天气", "tian1 qi4"),)


async def test_an_empty_word_is_refused(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    rows = [{"word": " ", "replacement": "tian1 qi4"}]
    result = await start(hass, loaded, SUBENTRY_ID)
    result = await submit(hass, result, {"text": {"pronunciations": rows}})
    assert result["errors"] == {"text": "empty_word"}
    assert suggested(result)["text"]["pronunciations"] == rows
    result = await use(hass, result, {"text": {"pronunciations": []}})
    assert result["reason"] == "reconfigure_successful"


async def test_a_single_row_counts_as_a_list(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    row = {"word": "HA", "replacement": "Home Assistant"}
    result = await start(hass, loaded, SUBENTRY_ID)
    result = await use(hass, result, {"text": {"pronunciations": row}})
    assert result["reason"] == "reconfigure_successful"
    stored = loaded.subentries[SUBENTRY_ID].data
    assert stored["pronunciations"] == {"HA": "Home Assistant"}


async def test_opus_suits_a_voice_whose_model_has_none(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Home Assistant converts it, so the form takes it as the select does."""
    result = await use(
        hass,
        await start(hass, loaded),
        {"voice": "longxiaochun", "format": "opus", "sample_rate": "44100"},
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()


@pytest.mark.parametrize(
    ("user_input", "errors"),
    [
        ({"voice": "nobody"}, {"voice": "unknown_voice"}),
        (
            {"voice": "longanyang", "model": "cosyvoice-v2"},
            {"model": "voice_model_mismatch"},
        ),
        (
            {"voice": "longanyang", "format": "opus", "sample_rate": "44100"},
            {"sample_rate": "invalid_option"},
        ),
        (
            {"voice": "longxiaochun_v2", "instruction": "Whisper."},
            {"instruction": "not_supported"},
        ),
        (
            {
                "voice": "longanyang",
                "text": {"language_voices": [{"language": "ja", "voice": "nobody"}]},
            },
            {"text": "unknown_voice"},
        ),
        (
            {"voice": "longxiaochun", "sound": {"seed": 1}},
            {"sound": "not_supported"},
        ),
    ],
)
async def test_impossible_combinations_are_explained_at_the_field(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    user_input: dict[str, Any],
    errors: dict[str, str],
) -> None:
    """The form keeps what was typed, says what is allowed and can be corrected."""
    result = await submit(hass, await start(hass, loaded), user_input)
    assert result["errors"] == errors
    assert result["description_placeholders"]["allowed"]
    assert suggested(result)["voice"] == user_input["voice"]
    result = await use(hass, result, {"voice": "longanyang"})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()


async def test_numbers_out_of_range_cannot_be_entered(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """The form itself holds them back."""
    with pytest.raises(InvalidData):
        await submit(hass, await start(hass, loaded), {"sound": {"speech_rate": 3}})


async def test_changing_live_settings_reloads_nothing(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """What the entities can change is in force at once, also from the form."""
    client = loaded.runtime_data.client
    result = await start(hass, loaded, SUBENTRY_ID)
    result = await use(hass, result, {"sound": {"speech_rate": 1.5}})
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert loaded.subentries[SUBENTRY_ID].data["speech_rate"] == 1.5
    assert loaded.runtime_data.client is client


async def test_another_voice_renames_a_voice_that_bore_its_name(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Its style, which the other voice may lack, is reset."""
    subentry = loaded.subentries[SUBENTRY_ID]
    hass.config_entries.async_update_subentry(
        loaded, subentry, data={**subentry.data, "style": "happy"}
    )
    result = await start(hass, loaded, SUBENTRY_ID)
    await use(hass, result, {"voice": "longxiaochun_v2"})
    await hass.async_block_till_done()
    assert subentry.title == "Longxiaochun"
    assert subentry.data["style"] == "none"


async def test_style_chosen_while_the_form_is_open_stays(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    subentry = loaded.subentries[SUBENTRY_ID]
    result = await start(hass, loaded, SUBENTRY_ID)
    hass.config_entries.async_update_subentry(
        loaded, subentry, data={**subentry.data, "style": "happy"}
    )
    await use(hass, result, {"voice": "longanyang"})
    assert subentry.data["style"] == "happy"


@pytest.mark.parametrize("title", ["Longanyang 2", "龙安洋", "龙安洋 13"])
async def test_a_numbered_title_follows_the_voice(
    hass: HomeAssistant, loaded: MockConfigEntry, title: str
) -> None:
    """Nobody chose it, whatever the language was when it was made."""
    subentry = loaded.subentries[SUBENTRY_ID]
    hass.config_entries.async_update_subentry(loaded, subentry, title=title)
    await hass.async_block_till_done()
    result = await start(hass, loaded, SUBENTRY_ID)
    await use(hass, result, {"voice": "longanhuan"})
    await hass.async_block_till_done()
    assert subentry.title == "Longanhuan"


@pytest.mark.parametrize("title", ["Kitchen", "Longanyang upstairs", "My Longanyang 2"])
async def test_a_chosen_name_stays(
    hass: HomeAssistant, loaded: MockConfigEntry, title: str
) -> None:
    """A title that a person gave is not replaced."""
    subentry = loaded.subentries[SUBENTRY_ID]
    hass.config_entries.async_update_subentry(loaded, subentry, title=title)
    await hass.async_block_till_done()
    result = await start(hass, loaded, SUBENTRY_ID)
    await use(hass, result, {"voice": "longxiaochun_v2"})
    await hass.async_block_till_done()
    assert subentry.title == title


async def test_a_cloned_voice(
    hass: HomeAssistant, emulator: Emulator, entry: MockConfigEntry
) -> None:
    """It is listed with its state and gets the model it was made for."""
    emulator.config.cloned_voices = {CLONE: "OK"}
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    result = await start(hass, entry)
    assert listed(result)[0] == CLONE
    result = await submit(
        hass, result, {"voice": CLONE, "model": "cosyvoice-v3.5-plus"}
    )
    assert result["errors"] == {"model": "voice_model_mismatch"}
    result = await use(hass, result, {"voice": CLONE, "instruction": "轻声说"})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()


async def test_the_fallback_is_never_the_account_itself(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Its engines would fail for the same reason."""
    result = await start(hass, loaded)
    safety = result["data_schema"].schema["safety"].schema.schema
    excluded = safety["fallback_engine"].config["exclude_entities"]
    assert set(hass.states.async_entity_ids("tts")) <= set(excluded)


async def test_an_account_that_is_not_loaded(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """Its voices cannot be checked, so none is added."""
    result = await start(hass, entry)
    assert result["reason"] == "entry_not_loaded"


def test_emptied_fields_are_removed_and_absent_sections_stay() -> None:
    """Clearing a field and not opening a section are two things."""
    before = as_stored(ALL_SETTINGS | {"instruction": "x"})
    after = as_stored({"voice": "longanyang", "sound": {"volume": 50}}, before)
    assert "sample_rate" not in after
    assert "instruction" not in after
    assert "seed" not in after
    assert after["speech_rate"] == DEFAULT_SETTINGS["speech_rate"]
    assert after["pronunciations"] == before["pronunciations"]
    assert as_stored(as_shown(before), before) == before
