"""Cloning a voice in the dialog, from the recording to the voice."""

import asyncio
from pathlib import Path
from typing import Any
from unittest.mock import patch

from aiohttp import FormData
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.cosyvoice.client import CATALOGUE
from custom_components.cosyvoice.const import CONF_VOICE_NAMES
from custom_components.cosyvoice.voices.reading import READING_TEXTS
from homeassistant.components.file_upload import FileUploadData
from homeassistant.config_entries import SOURCE_USER
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, UnknownFlow
from homeassistant.setup import async_setup_component
from tests.emulator import Emulator
from tests.emulator.audio import decode
from tests.emulator.recording import pitch_of
from tests.emulator.recordings import speech, wav

from .creating import clone_form as form, create, start
from .flows import submit_voice as submit

pytestmark = pytest.mark.usefixtures("ffmpeg", "quick_service")


async def test_a_voice_is_cloned_heard_and_used(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    files: FileUploadData,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    """The clone sounds like the recording, and has its name in every list."""
    emulator.config.speech = "voice"
    result = await create(hass, await start(hass, loaded, "clone"), form())
    assert (result["type"], result["step_id"]) == (FlowResultType.MENU, "listen")
    assert result["menu_options"] == ["use", "discard"]
    placeholders = result["description_placeholders"]
    assert placeholders is not None
    assert placeholders["voice"] == "Grandma"
    ((voice, made),) = emulator.created_voices.items()
    assert made.pitch == pytest.approx(200, rel=0.1)
    client = await hass_client_no_auth()
    response = await client.get(placeholders["sample_url"])
    heard = pitch_of(*decode(await response.read(), "mp3"))
    assert heard == pytest.approx(200, rel=0.15)
    assert not list(files.temp_dir.iterdir())

    result = await submit(hass, result, {"next_step_id": "use"})
    assert (result["type"], result["title"]) == (FlowResultType.CREATE_ENTRY, "Grandma")
    await hass.async_block_till_done(wait_background_tasks=True)
    assert {sub.data["voice"] for sub in loaded.subentries.values()} == {
        "longanyang",
        voice,
    }
    assert loaded.runtime_data.voices.names == {voice: "Grandma"}
    state = hass.states.get("select.grandma_voice")
    assert state is not None
    assert state.state == "Grandma"
    assert loaded.runtime_data.usage.figures.total.characters > 0


async def test_a_recording_of_the_media_folder_is_taken_and_kept(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    files: FileUploadData,
    tmp_path: Path,
) -> None:
    hass.config.media_dirs = {"local": str(tmp_path)}
    assert await async_setup_component(hass, "media_source", {})
    path = tmp_path / "grandma.wav"
    await hass.async_add_executor_job(path.write_bytes, wav(speech(150, 12)))
    result = await start(hass, loaded, "clone")
    for name, error in (
        ("gone.wav", "recording_unreadable"),
        ("../grandma.wav", "recording_unreadable"),
        ("grandma.wav", None),
    ):
        fields = form(media=media(f"media-source://media_source/local/{name}"))
        del fields["recording"]
        result = await create(hass, result, fields)
        assert (result.get("errors") or {}).get("recording") == error
    assert result["step_id"] == "listen"
    (voice,) = emulator.created_voices.values()
    assert voice.pitch == pytest.approx(150, rel=0.1)
    assert path.exists()


async def test_other_media_are_no_recordings(
    hass: HomeAssistant, loaded: MockConfigEntry, files: FileUploadData
) -> None:
    assert await async_setup_component(hass, "media_source", {})
    fields = form(media=media("media-source://tts/tts.longanyang_speech?message=Hi"))
    del fields["recording"]
    result = await create(hass, await start(hass, loaded, "clone"), fields)
    assert result["errors"] == {"recording": "recording_unreadable"}


def media(content_id: str) -> dict[str, str]:
    """Return what the media selector gives."""
    return {"media_content_id": content_id, "media_content_type": "audio/wav"}


async def test_the_dialog_works_over_http(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    hass_client: ClientSessionGenerator,
) -> None:
    """The whole way of a browser, from the upload of the file on."""
    assert await async_setup_component(hass, "config", {})
    client = await hass_client()
    data = FormData()
    data.add_field("file", wav(speech(200, 12)), filename="memo.wav")
    response = await client.post("/api/file_upload", data=data)
    upload_id = (await response.json())["file_id"]
    flows = "/api/config/config_entries/subentries/flow"

    async def ask(path: str = "", **body: Any) -> Any:
        send = client.post if body else client.get
        response = await send(f"{flows}{path}", **({"json": body} if body else {}))
        assert response.status == 200, await response.text()
        return await response.json()

    result = await ask(handler=[loaded.entry_id, "voice"])
    flow = f"/{result['flow_id']}"
    result = await ask(flow, next_step_id="clone")
    fields = {field["name"]: field for field in result["data_schema"]}
    assert list(fields) == [
        *("name", "language", "recording", "media", "model", "consent")
    ]
    result = await ask(flow, **form(recording=upload_id))
    actions = []
    async with asyncio.timeout(30):
        while result["type"] == "progress":
            actions.append(result["progress_action"])
            await asyncio.sleep(0.01)
            result = await ask(flow)
    assert (
        {"checking", "preparing"} <= {*actions} <= {"checking", "sending", "preparing"}
    )
    assert (result["type"], result["step_id"]) == ("menu", "listen")
    result = await ask(flow, next_step_id="use")
    assert (result["type"], result["title"]) == ("create_entry", "Grandma")
    await hass.async_block_till_done(wait_background_tasks=True)


async def test_a_clone_that_is_discarded_is_deleted(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    files: FileUploadData,
) -> None:
    result = await create(hass, await start(hass, loaded, "clone"), form())
    result = await submit(hass, result, {"next_step_id": "discard"})
    assert (result["type"], result["reason"]) == (
        FlowResultType.ABORT,
        "voice_discarded",
    )
    assert emulator.created_voices == {}
    assert loaded.options[CONF_VOICE_NAMES] == {}
    assert loaded.runtime_data.voices.data == {}


async def test_a_clone_that_cannot_be_deleted_stays_in_the_list(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    files: FileUploadData,
) -> None:
    named = form(name="Grandma *2*")
    result = await create(hass, await start(hass, loaded, "clone"), named)
    emulator.script("http_500@http,request=delete_voice,times=always")
    result = await submit(hass, result, {"next_step_id": "discard"})
    assert result["reason"] == "discard_failed"
    # The dialog reads Markdown
    assert result["description_placeholders"]["voice"] == r"Grandma \*2\*"
    assert list(loaded.runtime_data.voices.names.values()) == ["Grandma *2*"]


async def test_the_text_to_read_follows_the_language(
    hass: HomeAssistant, loaded: MockConfigEntry, files: FileUploadData
) -> None:
    result = await start(hass, loaded, "clone")
    placeholders = result["description_placeholders"]
    assert placeholders is not None
    assert "This morning" in placeholders["text"]
    assert placeholders["region"] == "China (Beijing)"
    fields = form(language="ja", consent=False)
    del fields["recording"]
    result = await submit(hass, result, fields)
    assert result["errors"] == {}
    assert "今朝" in result["description_placeholders"]["text"]
    result = await submit(hass, result, fields)
    assert result["errors"] == {
        "recording": "recording_required",
        "consent": "consent_required",
    }


@pytest.mark.parametrize("stage", ["checking", "sending", "preparing"])
async def test_a_dialog_that_is_closed_leaves_a_whole_voice_or_none(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    files: FileUploadData,
    stage: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    if stage == "sending":
        emulator.script("slow@http,request=upload,seconds=60")
    if stage == "preparing":
        emulator.script("slow@answer,request=create_voice,seconds=0.5")
    result = await submit(hass, await start(hass, loaded, "clone"), form())
    flow = result["flow_id"]
    async with asyncio.timeout(30):
        while result["progress_action"] != stage:
            await asyncio.sleep(0.01)
            result = await hass.config_entries.subentries.async_configure(flow)
        if stage == "preparing":
            await emulator.until(lambda: bool(emulator.created_voices))
    hass.config_entries.subentries.async_abort(flow)
    await hass.async_block_till_done(wait_background_tasks=True)
    with pytest.raises(UnknownFlow):
        hass.config_entries.subentries.async_get(flow)
    assert "Unexpected" not in caplog.text
    names = list(loaded.runtime_data.voices.names.values())
    made = int(stage == "preparing")
    assert (len(emulator.created_voices), names) == (made, ["Grandma"] * made)
    assert not list(files.temp_dir.iterdir())


async def test_a_file_that_was_not_read_is_deleted_with_the_dialog(
    hass: HomeAssistant, loaded: MockConfigEntry, files: FileUploadData
) -> None:
    result = await submit(hass, await start(hass, loaded, "clone"), form(consent=False))
    assert list(files.temp_dir.iterdir())
    hass.config_entries.subentries.async_abort(result["flow_id"])
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not list(files.temp_dir.iterdir())


async def test_what_nobody_expects_is_logged(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    files: FileUploadData,
    caplog: pytest.LogCaptureFixture,
) -> None:
    module = "custom_components.cosyvoice.flows.clone.async_read_upload"
    with patch(module, side_effect=RuntimeError("never")):
        result = await create(hass, await start(hass, loaded, "clone"), form())
    assert result["errors"] == {"base": "unknown"}
    assert "See the log" in result["description_placeholders"]["reason"]
    assert "Unexpected error while creating a voice" in caplog.text


async def test_a_stage_is_shown_long_enough_to_be_seen_ending(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    files: FileUploadData,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = "custom_components.cosyvoice.flows"
    monkeypatch.setattr(f"{module}.creation.SHORTEST_STAGE", 0.3)
    begun = hass.loop.time()
    with patch(f"{module}.clone.async_read_upload", side_effect=RuntimeError):
        result = await create(hass, await start(hass, loaded, "clone"), form())
    assert result["errors"] == {"base": "unknown"}
    assert hass.loop.time() - begun >= 0.3


async def test_a_voice_is_known_after_a_reload_during_its_creation(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    files: FileUploadData,
) -> None:
    emulator.script("slow@answer,request=create_voice,seconds=0.5")
    result = await submit(hass, await start(hass, loaded, "clone"), form())
    flow = hass.config_entries.subentries.async_configure
    while not emulator.created_voices:
        await asyncio.sleep(0.01)
        result = await flow(result["flow_id"])
    assert await hass.config_entries.async_reload(loaded.entry_id)
    while result["type"] is not FlowResultType.MENU:
        await asyncio.sleep(0.01)
        result = await flow(result["flow_id"])
    (voice,) = emulator.created_voices
    assert loaded.runtime_data.voices.names == {voice: "Grandma"}
    assert loaded.runtime_data.voices.problem(voice) is None


async def test_a_dialog_ends_with_its_account(
    hass: HomeAssistant, loaded: MockConfigEntry, files: FileUploadData
) -> None:
    result = await start(hass, loaded, "clone")
    await hass.config_entries.async_unload(loaded.entry_id)
    result = await submit(hass, result, form())
    assert (result["type"], result["reason"]) == (
        FlowResultType.ABORT,
        "entry_not_loaded",
    )


@pytest.mark.parametrize(
    ("region", "key", "options"),
    [
        ("cn-beijing", "sk-test", ["choose", "clone", "design"]),
        ("ap-southeast-1", "sk-test", ["choose", "clone"]),
        ("cn-beijing", "sk-sp-test", ["choose"]),
    ],
)
async def test_only_what_the_account_can_do_is_offered(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    emulator: Emulator,
    region: str,
    key: str,
    options: list[str],
) -> None:
    emulator.config.region, emulator.config.api_keys = region, {key}
    data = {**entry.data, "region": region, "api_key": key}
    hass.config_entries.async_update_entry(entry, data=data)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    result = await hass.config_entries.subentries.async_init(
        (entry.entry_id, "voice"), context={"source": SOURCE_USER}
    )
    assert result["menu_options"] == options


def test_there_is_a_text_for_every_language() -> None:
    hints = {code for model in CATALOGUE.models.values() for code in model.clone_hints}
    assert set(READING_TEXTS) == hints
    for language, text in READING_TEXTS.items():
        length = len(text) if language in {"zh", "ja", "ko"} else len(text) / 3
        assert 60 < length < 140, language
