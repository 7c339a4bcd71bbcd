"""Designing a voice in the dialog, from the description to the voice."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.cosyvoice.const import CONF_VOICE_NAMES
from custom_components.cosyvoice.voices import designs
from custom_components.cosyvoice.voices.designs import DESIGNS, SAMPLE_TEXTS
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from tests.emulator import Emulator
from tests.emulator.audio import decode
from tests.emulator.recording import pitch_of
from tests.texts import LANGUAGES

from .creating import MODEL, create, start
from .flows import submit_voice as submit

SAILOR = "An old sailor, warm, slow"
SAMPLE = "Good evening. The lights are on, and the door is locked."


pytestmark = pytest.mark.usefixtures("quick_service")


def form(**fields: Any) -> dict[str, Any]:
    """Return a filled-in form."""
    return {
        "name": "Sailor",
        "description": SAILOR,
        "sample_text": SAMPLE,
        "model": MODEL,
        **fields,
    }


def suggested(result: Any, field: str) -> Any:
    """Return what a field of the form shows."""
    (marker,) = (key for key in result["data_schema"].schema if key == field)
    return (marker.description or {}).get("suggested_value")


async def test_a_voice_is_designed_heard_and_used(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    """The preview of the service is played, which costs nothing."""
    emulator.config.speech = "voice"
    result = await create(hass, await start(hass, loaded, "design"), form())
    assert (result["type"], result["step_id"]) == (FlowResultType.MENU, "listen")
    assert result["menu_options"] == ["use", "again", "discard"]
    placeholders = result["description_placeholders"]
    assert placeholders is not None
    assert (placeholders["voice"], placeholders["text"]) == ("Sailor", SAMPLE)
    assert "costs" not in placeholders["sample"]
    ((voice, made),) = emulator.created_voices.items()
    assert made.prompt == SAILOR
    client = await hass_client_no_auth()
    response = await client.get(placeholders["sample_url"])
    assert response.content_type == "audio/mpeg"
    assert made.pitch is not None
    heard = pitch_of(*decode(await response.read(), "mp3"))
    assert heard == pytest.approx(made.pitch, rel=0.15)
    assert loaded.runtime_data.usage.figures.total.requests == 0

    result = await submit(hass, result, {"next_step_id": "use"})
    assert (result["type"], result["title"]) == (FlowResultType.CREATE_ENTRY, "Sailor")
    await hass.async_block_till_done(wait_background_tasks=True)
    assert loaded.runtime_data.voices.names == {voice: "Sailor"}
    assert loaded.runtime_data.voices.data[voice].status == "OK"
    assert (await client.get(placeholders["sample_url"])).status == 404


async def test_a_name_fits_the_state_of_a_select(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    named = form(name=f" Old\n sailor {'x' * 300} ")
    result = await create(hass, await start(hass, loaded, "design"), named)
    result = await submit(hass, result, {"next_step_id": "use"})
    await hass.async_block_till_done(wait_background_tasks=True)
    name = f"Old sailor {'x' * 89}"
    assert result["title"] == name
    assert name in [state.state for state in hass.states.async_all("select")]


async def test_another_try_replaces_the_voice(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator
) -> None:
    """What was entered is kept, to be changed."""
    result = await create(hass, await start(hass, loaded, "design"), form())
    (first,) = emulator.created_voices
    result = await submit(hass, result, {"next_step_id": "again"})
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "design")
    assert result["errors"] == {}
    for field, value in form().items():
        assert suggested(result, field) == value
    assert emulator.created_voices == {}
    result = await create(hass, result, form(description="A young woman"))
    (second,) = emulator.created_voices
    assert first != second
    assert emulator.created_voices[second].prompt == "A young woman"
    result = await submit(hass, result, {"next_step_id": "discard"})
    assert result["reason"] == "voice_discarded"
    assert emulator.created_voices == {}
    assert loaded.options[CONF_VOICE_NAMES] == {}


async def test_a_voice_that_cannot_be_replaced_stays_in_the_list(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator
) -> None:
    result = await create(hass, await start(hass, loaded, "design"), form())
    emulator.script("http_500@http,request=delete_voice,times=always")
    result = await submit(hass, result, {"next_step_id": "again"})
    assert result["step_id"] == "design"
    emulator.clear_faults()
    result = await create(hass, result, form(name="Captain"))
    assert len(emulator.created_voices) == 2
    names = sorted(loaded.runtime_data.voices.names.values())
    assert names == ["Captain", "Sailor"]


async def test_a_preview_that_was_lost_is_replaced_by_a_sample(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    emulator.script("reset@answer,request=create_voice")
    result = await create(hass, await start(hass, loaded, "design"), form())
    assert result["step_id"] == "listen"
    assert len(emulator.created_voices) == 1
    client = await hass_client_no_auth()
    url = result["description_placeholders"]["sample_url"]
    response = await client.get(url)
    assert len(await response.read()) > 1000
    result = await submit(hass, result, {"next_step_id": "discard"})
    assert result["reason"] == "voice_discarded"
    assert emulator.created_voices == {}


async def test_a_voice_that_is_not_approved_is_not_used(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator
) -> None:
    """The preview comes before the review."""
    emulator.config.review = "refuses"
    result = await create(hass, await start(hass, loaded, "design"), form())
    assert result["step_id"] == "design"
    assert result["errors"] == {"base": "voice_refused"}
    assert emulator.created_voices == {}
    assert loaded.runtime_data.voices.data == {}


@pytest.mark.parametrize("option", [None, "use", "again", "discard"])
async def test_a_voice_that_is_not_approved_while_it_is_heard_is_not_used(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator, option: str | None
) -> None:
    """Whatever is chosen then, and if the step is only shown again."""
    emulator.config.review, emulator.config.deploy_seconds = "refuses", 600
    result = await submit(hass, await start(hass, loaded, "design"), form())
    flow = hass.config_entries.subentries.async_configure
    while result["type"] is FlowResultType.SHOW_PROGRESS:
        await asyncio.sleep(0.01)
        result = await flow(result["flow_id"])
    assert result["step_id"] == "listen"
    assert len(emulator.created_voices) == 1
    emulator.config.deploy_seconds = 0
    await hass.async_block_till_done(wait_background_tasks=True)
    assert emulator.created_voices == {}
    result = await flow(result["flow_id"], {"next_step_id": option} if option else None)
    if option == "discard":
        assert result["reason"] == "voice_discarded"
    else:
        assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "design")
        assert result["errors"] == {"base": "voice_refused"}
    assert len(loaded.subentries) == 1


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"description": " "}, {"description": "description_length"}),
        ({"description": "x" * 501}, {"description": "description_length"}),
        ({"sample_text": "too short"}, {"sample_text": "sample_text_length"}),
        ({"sample_text": "x" * 201}, {"sample_text": "sample_text_length"}),
        ({"name": ""}, {"name": "name_required"}),
    ],
)
async def test_a_form_that_the_service_would_refuse_is_not_sent(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    fields: dict[str, Any],
    errors: dict[str, str],
) -> None:
    result = await submit(hass, await start(hass, loaded, "design"), form(**fields))
    assert (result["type"], result["errors"]) == (FlowResultType.FORM, errors)
    assert emulator.created_voices == {}
    result = await create(hass, result, form())
    assert result["step_id"] == "listen"


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
async def test_an_example_fills_in_the_description(
    hass: HomeAssistant, loaded: MockConfigEntry, language: str
) -> None:
    await hass.config.async_update(language=language)
    result = await start(hass, loaded, "design")
    short = language[:2]
    assert suggested(result, "sample_text") == SAMPLE_TEXTS[short]
    fields = form(example="old_sailor")
    del fields["description"]
    result = await submit(hass, result, fields)
    assert (result["type"], result["errors"]) == (FlowResultType.FORM, {})
    assert suggested(result, "description") == DESIGNS["old_sailor"][short]
    assert suggested(result, "example") is None
    result = await create(hass, result, form(example="robot"))
    assert result["step_id"] == "listen"


@pytest.mark.parametrize(
    ("fault", "errors"),
    [
        ("http_401@http", {"base": "invalid_auth"}),
        ("http_403@http", {"base": "unknown"}),
        ("http_500@http", {"base": "cannot_connect"}),
        ("hang@http", {"base": "cannot_connect"}),
        ("error@http,code=DataInspectionFailed", {"base": "voice_refused"}),
        ("error@http,code=Throttling.AllocationQuota", {"base": "too_many_voices"}),
    ],
)
async def test_a_failure_is_explained_and_the_form_sent_again(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    fault: str,
    errors: dict[str, str],
) -> None:
    """And one voice is made in all."""
    emulator.script(f"{fault},request=create_voice,times=always")
    result = await create(hass, await start(hass, loaded, "design"), form())
    assert (result["type"], result["errors"]) == (FlowResultType.FORM, errors)
    emulator.clear_faults()
    result = await create(hass, result, form())
    assert result["step_id"] == "listen"
    assert len(emulator.created_voices) == 1
    assert len(loaded.options[CONF_VOICE_NAMES]) == 1


async def test_a_dialog_that_is_closed_leaves_a_voice_with_its_name(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator
) -> None:
    emulator.script("slow@answer,request=create_voice,seconds=0.5")
    result = await submit(hass, await start(hass, loaded, "design"), form())
    assert result["progress_action"] == "designing"
    await emulator.until(lambda: bool(emulator.created_voices))
    hass.config_entries.subentries.async_abort(result["flow_id"])
    await hass.async_block_till_done(wait_background_tasks=True)
    assert list(loaded.runtime_data.voices.names.values()) == ["Sailor"]
    assert len(emulator.created_voices) == 1


def test_there_are_a_dozen_examples_in_every_language() -> None:
    assert len(DESIGNS) == 12
    for texts in DESIGNS.values():
        assert set(texts) == {"en", "zh"}
        assert all(20 < len(text) <= 500 for text in texts.values())
    assert all(15 <= len(text) <= 200 for text in SAMPLE_TEXTS.values())
    folder = Path(designs.__file__).parents[1] / "translations"
    for language in LANGUAGES:
        texts = json.loads((folder / f"{language}.json").read_text(encoding="utf-8"))
        assert set(texts["selector"]["design_example"]["options"]) == set(DESIGNS)
