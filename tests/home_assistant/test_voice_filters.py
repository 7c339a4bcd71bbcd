"""Narrowing the list of voices in the form of a voice."""

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.cosyvoice.client import CATALOGUE
from custom_components.cosyvoice.voices.kinds import speaks
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from tests.emulator import Emulator

from .conftest import CLONE
from .flows import (
    listed_voices as listed,
    start_voice as start,
    submit_voice as submit,
    suggested_values as suggested,
    use_voice as use,
)


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
    """The shown voice is one of the list, and submitting it then continues."""
    emulator.config.cloned_voices = {CLONE: "OK"}
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    result = await start(hass, entry)
    result = await submit(hass, result, {"kind": kind, "voice": "longanyang"})
    assert result["step_id"] == "voice"
    assert result["errors"] == {"voice": "voice_kind"}
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
    assert result["errors"] == {"voice": "voice_language"}
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
