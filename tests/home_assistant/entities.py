"""Snapshots of a platform's entities that are the same on every Home Assistant.

The test plugin's `snapshot_platform` shows whole registry entries, whose form differs
between the oldest and the newest Home Assistant.
"""

from unittest.mock import patch

from pytest_homeassistant_custom_component.common import MockConfigEntry
from syrupy.assertion import SnapshotAssertion

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.json import json_dumps
from homeassistant.util.json import json_loads

FIELDS = (
    *("config_subentry_id", "disabled_by", "entity_category", "has_entity_name"),
    *("original_device_class", "original_name", "translation_key", "unique_id"),
    "unit_of_measurement",
)


async def snapshot_platform(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    platform: Platform,
    snapshot: SnapshotAssertion,
) -> None:
    """Set up one platform of an account; compare its entities and their states."""
    with patch("custom_components.cosyvoice.PLATFORMS", [platform]):
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
    entities = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    assert entities
    for entity in sorted(entities, key=lambda entity: entity.entity_id):
        state = hass.states.get(entity.entity_id)
        shown = {
            "registry": {name: getattr(entity, name) for name in FIELDS},
            "state": state.state if state else None,
            "attributes": state.attributes if state else None,
        }
        # As JSON, since newer versions have enumerations for names of attributes
        assert json_loads(json_dumps(shown)) == snapshot(name=entity.entity_id)
    await hass.config_entries.async_unload(entry.entry_id)
