"""Nothing that automations, scripts and pipelines name depends on a language."""

from pathlib import Path
import re
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_mock_service,
)
import yaml

from custom_components.cosyvoice.const import DOMAIN
from homeassistant.config_entries import SOURCE_USER
from homeassistant.core import Context, HomeAssistant
from homeassistant.helpers import config_validation as cv, entity_registry as er
from homeassistant.helpers.script import Script
from homeassistant.helpers.translation import async_load_integrations
from homeassistant.setup import async_setup_component
from tests.emulator import Emulator
from tests.texts import LANGUAGES

from .conftest import API_KEY
from .speaking import speak, spoken

ROOT = Path(__file__).parents[2]
READMES = ("README.md", "README.zh-Hans.md")
ENGINE = "tts.longanyang_speech"


async def add_account(
    hass: HomeAssistant, emulator: Emulator, language: str
) -> MockConfigEntry:
    """Add an account with its first voice, as a person with this language does."""
    await hass.config.async_update(language=language)
    await async_load_integrations(hass, {DOMAIN})
    flow = hass.config_entries.flow
    result: Any = await flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    account = {
        "api_key": API_KEY,
        "region": "cn-beijing",
        "advanced": {"base_url": emulator.url},
    }
    result = await flow.async_configure(result["flow_id"], account)
    result = await flow.async_configure(
        result["flow_id"], {"voice": "longanyang", "model": "auto"}
    )
    result = await flow.async_configure(result["flow_id"], {"next_step_id": "use"})
    await hass.async_block_till_done(wait_background_tasks=True)
    entry: MockConfigEntry = result["result"]
    return entry


async def named(hass: HomeAssistant, emulator: Emulator, language: str) -> Any:
    """Return all that an automation may name, for an account in a language."""
    entry = await add_account(hass, emulator, language)
    registry = er.async_get(hass)
    entities = er.async_entries_for_config_entry(registry, entry.entry_id)
    options = {
        state.entity_id: state.attributes["options"]
        for state in hass.states.async_all("select")
    }
    engine = hass.data["entity_components"]["tts"].get_entity(ENGINE)
    voices = {
        tag: [voice.voice_id for voice in engine.async_get_supported_voices(tag)]
        for tag in engine.supported_languages
    }
    return (
        sorted(entity.entity_id for entity in entities),
        options,
        voices,
        engine.supported_options,
        sorted(hass.services.async_services()[DOMAIN]),
    )


@pytest.mark.parametrize("language", LANGUAGES)
async def test_ids_options_and_actions_are_the_same(
    hass: HomeAssistant, emulator: Emulator, language: str
) -> None:
    found = await named(hass, emulator, language)
    entities, options, voices, *_ = found
    assert {ENGINE, "sensor.cosyvoice_characters"} <= set(entities)
    assert options["select.longanyang_voice"][:2] == [
        "Longanyang 龙安洋 (longanyang)",
        "Longanhuan 龙安欢 (longanhuan)",
    ]
    assert options["select.longanyang_style"][:3] == ["none", "neutral", "happy"]
    assert voices["ja-JP"][0] == "follow"
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert await named(hass, emulator, "en") == found


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("stored", "voice"), [("follow", "longanyang"), ("longxian_v3", "longxian_v3")]
)
async def test_a_pipeline_speaks_after_the_language_changed(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    language: str,
    stored: str,
    voice: str,
) -> None:
    await hass.config.async_update(language=language)
    await async_load_integrations(hass, {DOMAIN})
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert await speak(hass, "你好。", {"voice": stored}, "zh-CN", ENGINE)
    assert [task.parameters["voice"] for task in spoken(emulator)] == [voice]


async def test_entities_of_before_keep_their_ids(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    registry = er.async_get(hass)
    old = registry.async_get_or_create(
        "select",
        DOMAIN,
        "living_room_voice",
        suggested_object_id="long_an_yang_voice",
        config_entry=entry,
    )
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert hass.states.get(old.entity_id)
    assert not hass.states.get("select.longanyang_voice")


@pytest.mark.parametrize("readme", READMES)
@pytest.mark.parametrize("language", ["en", "zh-Hans", "de"])
async def test_the_examples_of_the_readmes_work(
    hass: HomeAssistant,
    emulator: Emulator,
    tmp_path: Path,
    language: str,
    readme: str,
) -> None:
    hass.config.media_dirs = {"local": str(tmp_path)}
    assert await async_setup_component(hass, "media_source", {})
    entry = await add_account(hass, emulator, language)
    play = async_mock_service(hass, "media_player", "play_media")
    answers: dict[str, Any] = {}
    for actions in examples(readme):
        script = Script(hass, cv.SCRIPT_SCHEMA(actions), "Example", DOMAIN)
        result = await script.async_run(context=Context())
        assert result is not None
        answers |= result.variables
    await hass.async_block_till_done(wait_background_tasks=True)
    assert play[0].data["entity_id"] == ["media_player.bedroom"]
    (subentry,) = entry.subentries.values()
    assert subentry.data["voice"] == "longanhuan"
    assert answers["usage"]["by_model"] == {}
    assert answers["story"][ENGINE]["duration"] > 0
    assert spoken(emulator)[-1].parameters["voice"] == "longanhuan"
    assert saved(tmp_path) == {"story.mp3", "story.srt"}


def examples(readme: str) -> list[Any]:
    """Return the actions of each example."""
    text = (ROOT / readme).read_text(encoding="utf-8")
    blocks = re.findall(r"```yaml\n(.+?)```", text, re.DOTALL)
    found = [example["actions"] for example in map(yaml.safe_load, blocks)]
    assert len(found) == 4
    return found


def saved(folder: Path) -> set[str]:
    """Return the names of the files in a folder and those within."""
    return {path.name for path in folder.rglob("*") if path.is_file()}
