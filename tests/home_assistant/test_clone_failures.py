"""Recordings and services that fail in the dialog that clones a voice."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.cosyvoice.const import CONF_VOICE_NAMES
from homeassistant.components.file_upload import FileUploadData
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from tests.emulator import Emulator
from tests.emulator.recordings import speech, wav

from .creating import clone_form as form, create, start
from .flows import submit_voice as submit
from .uploads import upload

OTHER = str(UUID(int=2))

pytestmark = pytest.mark.usefixtures("ffmpeg", "quick_service")


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"consent": False}, {"consent": "consent_required"}),
        ({"name": "  "}, {"name": "name_required"}),
        (
            {"model": "cosyvoice-v3-plus", "language": "th"},
            {"language": "clone_language"},
        ),
    ],
)
async def test_a_form_that_is_not_complete_sends_nothing(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    files: FileUploadData,
    fields: dict[str, Any],
    errors: dict[str, str],
) -> None:
    """The file is read once the form is complete."""
    result = await start(hass, loaded, "clone")
    result = await create(hass, result, form(**fields))
    assert (result["type"], result["errors"]) == (FlowResultType.FORM, errors)
    assert emulator.storage.uploads == []
    result = await create(hass, result, form())
    assert result["step_id"] == "listen"


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (lambda: wav(speech(200, 4)), "recording_too_short"),
        (lambda: wav(speech(200, 70)), "recording_too_long"),
        (lambda: wav(speech(200, 12) // 3000), "recording_silent"),
        (lambda: b"<html>" * 100, "recording_unreadable"),
        (lambda: bytes(51 * 2**20), "recording_too_large"),
    ],
)
async def test_a_bad_recording_is_explained_and_another_one_taken(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    files: FileUploadData,
    content: Any,
    error: str,
) -> None:
    upload(files, content(), OTHER)
    result = await start(hass, loaded, "clone")
    for _ in range(2):
        result = await create(hass, result, form(recording=OTHER))
        assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "clone")
        assert result["errors"] == {"recording": error}
    assert emulator.storage.uploads == []
    result = await create(hass, result, form())
    assert result["step_id"] == "listen"
    assert not list(files.temp_dir.iterdir())


@pytest.mark.parametrize(
    ("fault", "errors"),
    [
        ("http_403@http,request=policy", {"base": "unknown"}),
        ("http_401@http,request=policy", {"base": "invalid_auth"}),
        ("reset@http,request=policy", {"base": "cannot_connect"}),
        ("garbage_json@http,request=policy", {"base": "cannot_connect"}),
        ("http_404@http,request=policy", {"base": "voice_refused"}),
        ("http_503@http,request=upload", {"recording": "upload_failed"}),
        ("http_403@http,request=upload", {"recording": "upload_failed"}),
        ("reset@http,request=upload", {"recording": "upload_failed"}),
        ("hang@http,request=upload", {"recording": "upload_failed"}),
        ("redirect@http,request=upload", {"recording": "upload_failed"}),
        ("http_500@http,request=create_voice", {"base": "cannot_connect"}),
        ("hang@http,request=create_voice", {"base": "cannot_connect"}),
        ("reset@http,request=create_voice", {"base": "cannot_connect"}),
        ("garbage_text@http,request=create_voice", {"base": "cannot_connect"}),
        ("http_403@http,request=create_voice", {"base": "unknown"}),
        (
            "error@http,request=create_voice,code=Audio.AudioShortError",
            {"recording": "recording_too_short"},
        ),
        (
            "error@http,request=create_voice,code=BadRequest.InputDownloadFailed",
            {"recording": "upload_failed"},
        ),
        (
            "error@http,request=create_voice,code=Throttling.AllocationQuota",
            {"base": "too_many_voices"},
        ),
        (
            "error@http,request=create_voice,code=DataInspectionFailed",
            {"base": "voice_refused"},
        ),
        (
            "error@http,request=create_voice,code=InvalidParameter",
            {"base": "voice_refused"},
        ),
        (
            "error@http,request=create_voice,code=AllocationQuota.FreeTierOnly,status=403",
            {"base": "unknown"},
        ),
    ],
)
async def test_a_failure_is_explained_and_the_same_file_taken_again(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    files: FileUploadData,
    fault: str,
    errors: dict[str, str],
) -> None:
    """And one voice is made in all."""
    emulator.script(f"{fault},times=always")
    result = await create(hass, await start(hass, loaded, "clone"), form())
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "clone")
    assert result["errors"] == errors
    assert result["description_placeholders"]["reason"]
    assert emulator.created_voices == {}
    emulator.clear_faults()
    result = await create(hass, result, form())
    assert result["step_id"] == "listen"
    assert len(emulator.created_voices) == 1
    assert list(loaded.runtime_data.voices.names.values()) == ["Grandma"]
    assert len(loaded.options[CONF_VOICE_NAMES]) == 1
    assert emulator.astray == 0


async def test_a_refused_recording_is_called_a_recording(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    files: FileUploadData,
) -> None:
    """The service has the same code for texts."""
    emulator.script("error@http,request=create_voice,code=DataInspectionFailed")
    result = await create(hass, await start(hass, loaded, "clone"), form())
    assert result["errors"] == {"base": "voice_refused"}
    reason = result["description_placeholders"]["reason"]
    assert reason.startswith("The recording was blocked")


async def test_a_voice_whose_creation_was_not_confirmed_is_not_made_again(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    files: FileUploadData,
) -> None:
    emulator.script(
        "reset@answer,request=create_voice",
        "http_500@http,request=list_voice,times=always",
    )
    result = await create(hass, await start(hass, loaded, "clone"), form())
    assert result["errors"] == {"base": "cannot_connect"}
    emulator.clear_faults()
    await loaded.runtime_data.voices.async_refresh()
    assert list(loaded.runtime_data.voices.names.values()) == ["Grandma"]
    result = await create(hass, result, form())
    assert result["step_id"] == "listen"
    assert len(emulator.created_voices) == 1


async def test_another_recording_makes_another_voice(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    files: FileUploadData,
) -> None:
    upload(files, wav(speech(100, 12)), OTHER)
    emulator.script(
        "reset@answer,request=create_voice",
        "http_500@http,request=list_voice,times=always",
    )
    result = await create(hass, await start(hass, loaded, "clone"), form())
    emulator.clear_faults()
    result = await create(hass, result, form(recording=OTHER, name="Grandpa"))
    pitches = [voice.pitch for voice in emulator.created_voices.values()]
    assert pitches == pytest.approx([200, 100], rel=0.1)
    names = set(loaded.runtime_data.voices.names.values())
    assert names == {"Grandma", "Grandpa"}


async def test_a_recording_that_the_service_lost_is_sent_again(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    files: FileUploadData,
) -> None:
    emulator.script(
        "error@http,request=create_voice,code=BadRequest.InputDownloadFailed"
    )
    result = await create(hass, await start(hass, loaded, "clone"), form())
    assert result["step_id"] == "listen"
    assert len(emulator.storage.uploads) == 2


async def test_a_voice_that_is_not_approved_is_gone(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    files: FileUploadData,
) -> None:
    emulator.config.review = "refuses"
    result = await create(hass, await start(hass, loaded, "clone"), form())
    assert result["errors"] == {"base": "voice_refused"}
    assert "did not approve" in result["description_placeholders"]["reason"]
    assert emulator.created_voices == {}
    assert loaded.options[CONF_VOICE_NAMES] == {}


async def test_a_voice_that_takes_long_can_be_waited_for(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    files: FileUploadData,
) -> None:
    emulator.config.deploy_seconds = 600
    named = form(name="Grandma *2*")
    result = await create(hass, await start(hass, loaded, "clone"), named)
    assert result["description_placeholders"] == {"voice": r"Grandma \*2\*"}
    assert (result["type"], result["step_id"]) == (FlowResultType.MENU, "not_ready")
    assert result["menu_options"] == ["look_again", "use", "discard"]
    assert len(emulator.created_voices) == 1
    emulator.config.deploy_seconds = 0
    result = await create(hass, result, {"next_step_id": "look_again"})
    assert result["step_id"] == "listen"
    assert len(emulator.created_voices) == 1


async def test_a_voice_that_is_being_discarded_is_not_waited_for(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    files: FileUploadData,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The dialog is open twice, and both ways are taken."""
    emulator.config.deploy_seconds = 600
    result = await create(hass, await start(hass, loaded, "clone"), form())
    emulator.script("slow@answer,request=delete_voice,seconds=0.3")
    discarding = asyncio.create_task(submit(hass, result, {"next_step_id": "discard"}))
    await emulator.until(lambda: not emulator.created_voices)
    await submit(hass, result, {"next_step_id": "look_again"})
    result = await discarding
    assert result["reason"] == "voice_discarded"
    await hass.async_block_till_done(wait_background_tasks=True)
    assert "Unexpected" not in caplog.text


async def test_a_voice_whose_state_is_unknown_is_kept(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    files: FileUploadData,
) -> None:
    emulator.script("http_401@http,request=query_voice,times=always")
    result = await create(hass, await start(hass, loaded, "clone"), form())
    assert result["step_id"] == "not_ready"
    result = await submit(hass, result, {"next_step_id": "use"})
    assert result["title"] == "Grandma"
    await hass.async_block_till_done(wait_background_tasks=True)
