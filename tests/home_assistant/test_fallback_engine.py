"""The engine that a voice falls back on: renamed, missing, not there yet."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import entity_registry as er, issue_registry as ir

from .conftest import SUBENTRY_ID
from .speaking import change


@pytest.fixture
def registered(hass: HomeAssistant, entry: MockConfigEntry) -> er.RegistryEntry:
    """An engine that Home Assistant knows, and a voice that falls back on it."""
    registered = er.async_get(hass).async_get_or_create(
        "tts", "other", "1", suggested_object_id="other"
    )
    change(hass, entry, fallback_engine=registered.entity_id)
    return registered


async def test_renamed_engine_stays_the_fallback(
    hass: HomeAssistant, registered: er.RegistryEntry, loaded: MockConfigEntry
) -> None:
    er.async_get(hass).async_update_entity(
        registered.entity_id, new_entity_id="tts.renamed"
    )
    await hass.async_block_till_done()
    assert loaded.subentries[SUBENTRY_ID].data["fallback_engine"] == "tts.renamed"
    assert issues(hass) == []


@pytest.mark.parametrize("disabled", [False, True])
async def test_an_engine_renamed_while_the_account_is_not_loaded_stays_the_fallback(
    hass: HomeAssistant,
    registered: er.RegistryEntry,
    loaded: MockConfigEntry,
    disabled: bool,
) -> None:
    if disabled:
        await hass.config_entries.async_set_disabled_by(
            loaded.entry_id, ConfigEntryDisabler.USER
        )
    else:
        assert await hass.config_entries.async_unload(loaded.entry_id)
    registry = er.async_get(hass)
    registry.async_update_entity(registered.entity_id, new_entity_id="tts.renamed")
    registry.async_update_entity("tts.renamed", name="Any change")
    another = registry.async_get_or_create("tts", "other", "2").entity_id
    registry.async_update_entity(another, new_entity_id="tts.another")
    await hass.async_block_till_done()
    if disabled:
        await hass.config_entries.async_set_disabled_by(loaded.entry_id, None)
    else:
        assert await hass.config_entries.async_setup(loaded.entry_id)
    await hass.async_block_till_done()
    assert loaded.subentries[SUBENTRY_ID].data["fallback_engine"] == "tts.renamed"
    assert issues(hass) == []


async def test_missing_engine_opens_an_issue(
    hass: HomeAssistant, registered: er.RegistryEntry, loaded: MockConfigEntry
) -> None:
    assert issues(hass) == []
    er.async_get(hass).async_remove(registered.entity_id)
    await hass.async_block_till_done()
    ((key, placeholders),) = issues(hass)
    assert key == "fallback_gone"
    assert placeholders == {"name": "Longanyang", "engine": "tts.other"}
    change(hass, loaded, fallback_engine="tts.nobody")
    await hass.async_block_till_done()
    ((_, placeholders),) = issues(hass)
    assert placeholders["engine"] == "tts.nobody"
    settings = dict(loaded.subentries[SUBENTRY_ID].data)
    del settings["fallback_engine"]
    hass.config_entries.async_update_subentry(
        loaded, loaded.subentries[SUBENTRY_ID], data=settings
    )
    await hass.async_block_till_done()
    assert issues(hass) == []


async def test_engine_may_come_until_home_assistant_has_started(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    hass.set_state(CoreState.starting)
    change(hass, entry, fallback_engine="tts.other")
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert issues(hass) == []
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await hass.async_block_till_done()
    assert [key for key, _ in issues(hass)] == ["fallback_gone"]


def issues(hass: HomeAssistant) -> list[tuple[str | None, Any]]:
    return [
        (issue.translation_key, issue.translation_placeholders)
        for issue in ir.async_get(hass).issues.values()
    ]
