"""What a person does first, in a real browser and in several languages.

With the environment variable PICTURES, which names a folder, the pictures of the
documentation are taken on the way. LANGUAGES names other languages, with blanks between.
"""

import os
from pathlib import Path
from typing import Any

from playwright.async_api import expect
import pytest

from tests.demo.api import HomeAssistantApi
from tests.demo.home import Home
from tests.demo.service import EmulatedService
from tests.demo.speech import converse

from .browser import UserInterface, needs_chromium, user_interface

pytestmark = [
    # One process for all of these tests, as they share one house
    pytest.mark.xdist_group("e2e browser"),
    pytest.mark.timeout(300),
    needs_chromium,
]
SECOND_VOICE = "Longanhuan 龙安欢"
SECOND_OPTION = f"{SECOND_VOICE} (longanhuan)"
SPOKEN = ("en", "zh-Hans")
"""Languages that both voices speak."""


@pytest.mark.parametrize(
    "language", os.environ.get("LANGUAGES", " ".join(SPOKEN)).split()
)
async def test_first_day(
    home: Home,
    emulator: EmulatedService,
    language: str,
    pictures: Path | None,
    tmp_path: Path,
) -> None:
    async with user_interface(home, language, pictures) as interface:
        await _add_account(interface, emulator, f"sk-browser-{language}")
        entry_id = (await home.api.entities())[0]["config_entry_id"]
        await interface.add_voice("longanhuan", SECOND_VOICE)
        first, _ = await _voices(home.api, entry_id)
        if language in SPOKEN:
            await _assistant_follows_the_select(
                home, interface, emulator, first, SECOND_OPTION, tmp_path
            )
        await _look_at_devices(home.api, interface, entry_id)
        await interface.play_in_gallery("Longyingxiao")
        voices = {task.parameters["voice"] for task in await emulator.tasks()}
        assert "longyingxiao_v3" in voices


async def _add_account(
    interface: UserInterface, emulator: EmulatedService, api_key: str
) -> None:
    """Type a wrong key, read the message, type the right one."""
    flow = interface.text["config"]
    await interface.begin_account("sk-wrong", emulator.url)
    await expect(interface.error).to_contain_text(flow["error"]["invalid_auth"])
    await interface.picture("wrong-key")
    await interface.enter_key(api_key)
    await interface.expect_title(flow["step"]["voice"]["title"])
    await interface.picture("first-voice")
    await interface.finish_account()
    await interface.open("/config/integrations/integration/cosyvoice")


async def _voices(api: HomeAssistantApi, entry_id: str) -> list[dict[str, Any]]:
    """Return the entities of each voice by translation key."""
    voices: dict[str, dict[str, Any]] = {}
    for entity in await api.entities():
        if entity["config_entry_id"] == entry_id and entity["config_subentry_id"]:
            voice = voices.setdefault(entity["config_subentry_id"], {})
            voice[entity["translation_key"]] = entity
    return list(voices.values())


async def _look_at_devices(
    api: HomeAssistantApi, interface: UserInterface, entry_id: str
) -> None:
    """Open the page of every device: all names are there."""
    await interface.open("/config/integrations/integration/cosyvoice")
    rows = interface.page.locator("ha-config-entry-device-row")
    await expect(rows).to_have_count(3)
    await interface.picture("integration")
    devices = await api.command(type="config/device_registry/list")
    entities = await api.entities()
    for device in devices:
        if device["primary_config_entry"] != entry_id:
            continue
        await interface.open_device(device["id"])
        page = interface.page.locator("ha-config-device-page")
        own = [entity for entity in entities if entity["device_id"] == device["id"]]
        for entity in own:
            if not entity["disabled_by"]:
                await expect(page).to_contain_text(entity["original_name"])
        is_voice = any(entity["translation_key"] == "speech" for entity in own)
        await interface.picture("voice-device" if is_voice else "account-device")


async def _assistant_follows_the_select(
    home: Home,
    interface: UserInterface,
    emulator: EmulatedService,
    voice: dict[str, Any],
    other: str,
    folder: Path,
) -> None:
    """An assistant made in the browser speaks with what the select says."""
    engine = voice["speech"]["entity_id"]
    name = (await home.api.state(engine))["attributes"]["friendly_name"]
    await interface.add_assistant("Home voice", name)
    pipelines = (await home.api.command(type="assist_pipeline/pipeline/list"))[
        "pipelines"
    ]
    pipeline = next(each for each in pipelines if each["name"] == "Home voice")
    # Home Assistant 2026.3 shows this voice and saves none: the select decides too
    assert pipeline["tts_voice"] in {"follow", None}

    select = voice["voice"]["entity_id"]
    before = (await home.api.state(select))["state"]
    for chosen in (other, before):
        await home.api.action("select.select_option", entity_id=select, option=chosen)
        await converse(home, pipeline["id"], "Is anybody there?", folder / "answer")
    spoken = (await emulator.tasks())[-2:]
    assert [task.parameters["voice"] for task in spoken] == ["longanhuan", "longanyang"]

    # A voice of its own is kept, whatever the select says
    changes = {key: value for key, value in pipeline.items() if key != "id"}
    await home.api.command(
        type="assist_pipeline/pipeline/update",
        pipeline_id=pipeline["id"],
        **{**changes, "tts_voice": "longanhuan"},
    )
    await converse(home, pipeline["id"], "Who is speaking?", folder / "answer")
    assert (await emulator.tasks())[-1].parameters["voice"] == "longanhuan"
    await home.api.command(
        type="assist_pipeline/pipeline/delete", pipeline_id=pipeline["id"]
    )
