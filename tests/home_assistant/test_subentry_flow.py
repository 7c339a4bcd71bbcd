"""Adding voices to an account and changing their settings through the form."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.cosyvoice.flows.voice_form import as_shown, as_stored
from custom_components.cosyvoice.settings import DEFAULT_SETTINGS
from custom_components.cosyvoice.speech.request import create_request
from custom_components.cosyvoice.voices.names import voice_name
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from tests.emulator import Emulator

from .conftest import CLONE, SUBENTRY_ID
from .flows import (
    listed_voices as listed,
    start_voice as start,
    submit_voice as submit,
    suggested_values as suggested,
    use_voice as use,
)

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


async def test_the_shown_voice_has_a_name(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """The field itself shows only its id."""
    result = await start(hass, loaded)
    shown = result["description_placeholders"]["shown_voice"]
    assert shown.startswith("longanyang · Longanyang 龙安洋 · Sunny young man")
    result = await submit(hass, result, {"language": "ja", "voice": "longanyang"})
    voice = suggested(result)["voice"]
    shown = result["description_placeholders"]["shown_voice"]
    assert shown.startswith(f"{voice} · {voice_name(voice)}")


async def test_a_narrowed_list_is_told_of(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Also where the shown voice is one of the list."""
    result = await start(hass, loaded)
    result = await submit(hass, result, {"language": "zh", "voice": "longanyang"})
    assert result["errors"] == {"voice": "voice_language"}
    assert suggested(result)["voice"] == "longanyang"
    result = await submit(hass, result, {"language": "zh", "voice": "longanyang"})
    assert result["step_id"] == "listen"


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
    """The settings of the entities apply immediately, also from the form."""
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
