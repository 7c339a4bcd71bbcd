"""Every entity of an account and a voice, as it is registered and shown."""

from typing import Any
from unittest.mock import patch

import pytest
from syrupy.assertion import SnapshotAssertion

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from tests.emulator import Emulator

from .ledgers import account

REGISTERED = (
    "config_subentry_id",
    "disabled_by",
    "entity_category",
    "original_device_class",
    "original_name",
    "translation_key",
    "unique_id",
    "unit_of_measurement",
)


def shown(hass: HomeAssistant, entry_id: str) -> dict[str, Any]:
    """Return an account's entities, in a form that is the same in every release.

    The test plugin's `snapshot_platform` has fields that only its Home Assistant has.
    """
    result: dict[str, Any] = {}
    for entity in er.async_entries_for_config_entry(er.async_get(hass), entry_id):
        registered = {name: getattr(entity, name) for name in REGISTERED}
        result[entity.entity_id] = {
            name: None if value is None else str(value)
            for name, value in registered.items()
        }
        if state := hass.states.get(entity.entity_id):
            result[entity.entity_id] |= {
                "state": state.state,
                "attributes": {
                    str(name): value if isinstance(value, list | int) else str(value)
                    for name, value in sorted(state.attributes.items())
                },
            }
    return dict(sorted(result.items()))


@pytest.mark.freeze_time("2026-11-20 12:00:00+00:00")
@pytest.mark.parametrize("language", ["en", "zh-Hans"])
@pytest.mark.parametrize(
    "platform", [Platform.BUTTON, Platform.EVENT, Platform.NUMBER, Platform.SENSOR]
)
async def test_entities(
    hass: HomeAssistant,
    emulator: Emulator,
    snapshot: SnapshotAssertion,
    platform: Platform,
    language: str,
) -> None:
    hass.config.language = language
    entry = account(base_url=emulator.url)
    entry.add_to_hass(hass)
    with patch("custom_components.cosyvoice.PLATFORMS", (platform,)):
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        assert shown(hass, entry.entry_id) == snapshot
        assert await hass.config_entries.async_unload(entry.entry_id)
