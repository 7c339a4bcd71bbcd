"""What READMEs and docs/ show works: examples, entity ids, answers of actions."""

from pathlib import Path
import re
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_mock_service,
)

from custom_components.cosyvoice.const import DOMAIN
from homeassistant.core import Context, HomeAssistant
from homeassistant.helpers import (
    condition,
    config_validation as cv,
    entity_registry as er,
    trigger,
)
from homeassistant.helpers.script import Script
from homeassistant.setup import async_setup_component
from tests.documents import GUIDES, code, examples, read, rows, section
from tests.emulator import Emulator

from .speaking import spoken
from .test_every_language import ENGINE, add_account

PLATFORMS = "button|event|number|select|sensor|tts"
ENTITY_ID = re.compile(rf"(?:{PLATFORMS})\.(?:cosyvoice|longanyang)_\w+")
WITH_EXAMPLES = [path for path in GUIDES if examples(path)]


@pytest.fixture(autouse=True)
async def media(hass: HomeAssistant, tmp_path: Path) -> None:
    """A media folder for what is synthesized."""
    hass.config.media_dirs = {"local": str(tmp_path)}
    for component in ("media_source", "persistent_notification"):
        assert await async_setup_component(hass, component, {})


@pytest.mark.parametrize("language", ["en", "zh-Hans", "de"])
@pytest.mark.parametrize("page", WITH_EXAMPLES, ids=lambda path: path.name)
async def test_the_examples_work(
    hass: HomeAssistant,
    emulator: Emulator,
    tmp_path: Path,
    language: str,
    page: Path,
) -> None:
    entry = await add_account(hass, emulator, language)
    play = async_mock_service(hass, "media_player", "play_media")
    answers: dict[str, Any] = {}
    for example in examples(page):
        triggers = await trigger.async_validate_trigger_config(
            hass, cv.TRIGGER_SCHEMA(example.get("triggers", []))
        )
        assert len(triggers) == len(example.get("triggers", []))
        for item in example.get("conditions", []):
            await condition.async_validate_condition_config(
                hass, cv.CONDITION_SCHEMA(item)
            )
        script = Script(hass, cv.SCRIPT_SCHEMA(example["actions"]), "Example", DOMAIN)
        result = await script.async_run(context=Context())
        assert result is not None
        answers |= result.variables
    await hass.async_block_till_done(wait_background_tasks=True)
    assert play[0].data["entity_id"] == ["media_player.bedroom"]
    if page.name.startswith("README"):
        return
    (subentry,) = entry.subentries.values()
    assert subentry.data["voice"] == "longanhuan"
    assert answers["usage"]["by_model"] == {}
    assert answers["story"][ENGINE]["duration"] > 0
    assert any("ja" in voice["languages"] for voice in answers["japanese"]["voices"])
    assert spoken(emulator)[-1].parameters["voice"] == "longanhuan"
    assert saved(tmp_path) == {"story.mp3", "story.srt"}


def saved(folder: Path) -> set[str]:
    """Return the names of the files in a folder and those within."""
    return {path.name for path in folder.rglob("*") if path.is_file()}


async def test_entity_ids_exist_and_are_all_explained(
    hass: HomeAssistant, emulator: Emulator
) -> None:
    entry = await add_account(hass, emulator, "en")
    registry = er.async_get(hass)
    existing = {
        entity.entity_id
        for entity in er.async_entries_for_config_entry(registry, entry.entry_id)
    }
    for page in GUIDES:
        named = set(ENTITY_ID.findall(read(page)))
        assert named <= existing, page.name
        if page.name.startswith("entities"):
            assert named == existing


@pytest.mark.parametrize(
    "page",
    [page for page in GUIDES if page.name.startswith("actions")],
    ids=lambda path: path.name,
)
async def test_answers_have_the_fields_that_are_explained(
    hass: HomeAssistant, loaded: MockConfigEntry, page: Path
) -> None:
    def explained(action: str) -> set[str]:
        table = rows(section(read(page), f"cosyvoice.{action}"))
        return {name for row in table if len(row) == 2 for name in code(row[0])}

    async def call(action: str, **data: Any) -> Any:
        return await hass.services.async_call(
            DOMAIN, action, data, blocking=True, return_response=True
        )

    (story,) = (
        await call(
            "synthesize",
            entity_id=ENGINE,
            message="Good evening.",
            word_timestamps=True,
            subtitles=True,
        )
    ).values()
    assert explained("synthesize") == story.keys()
    for voice in (await call("list_voices"))["voices"]:
        assert explained("list_voices") == voice.keys()
    usage = await call("get_usage")
    assert explained("get_usage") == usage.keys()
    (by_model,) = usage["by_model"].values()
    assert by_model.keys() <= usage.keys()
