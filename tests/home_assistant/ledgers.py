"""An account with a ledger alone: no client, no service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.cosyvoice.client import UtteranceReport
from custom_components.cosyvoice.const import DOMAIN
from custom_components.cosyvoice.entity import async_update_devices
from custom_components.cosyvoice.issues import update_budget_issues
from custom_components.cosyvoice.usage.ledger import UsageLedger
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant

from .conftest import voice_subentry

VOICE = "longanyang"
FLASH = "cosyvoice-v3-flash"
PLUS = "cosyvoice-v3-plus"


def account(region: str = "cn-beijing", **options: Any) -> MockConfigEntry:
    """Return an account with one voice, whose subentry id is `living_room`."""
    return MockConfigEntry(
        domain=DOMAIN,
        title="Home",
        entry_id=f"account_{region}",
        data={"api_key": "sk-test", "region": region},
        options=options,
        subentries_data=[voice_subentry("living_room", "Living room")],
    )


@asynccontextmanager
async def loaded(
    hass: HomeAssistant, entry: MockConfigEntry, *platforms: Platform
) -> AsyncIterator[UsageLedger]:
    """Load an account's ledger and platforms; afterwards unload without saving."""
    if hass.config_entries.async_get_entry(entry.entry_id) is None:
        entry.add_to_hass(hass)
    ledger = UsageLedger(hass, entry)
    entry.runtime_data = SimpleNamespace(usage=ledger, voices=Mock())
    remove = ledger.async_add_listener(partial(update_budget_issues, hass, entry))
    await ledger.async_load()
    async_update_devices(hass, entry)
    # As if set up, so that the platforms do not set it up first
    hass.config.components.add(DOMAIN)
    entry.mock_state(hass, ConfigEntryState.LOADED)
    await hass.config_entries.async_forward_entry_setups(entry, platforms)
    ledger.async_follow()
    await hass.async_block_till_done()
    try:
        yield ledger
    finally:
        remove()
        await hass.config_entries.async_unload_platforms(entry, platforms)
        await entry._async_process_on_unload(hass)


def spoken(characters: int = 100, **details: Any) -> UtteranceReport:
    """Return the report of an utterance that went well."""
    return UtteranceReport(
        **{
            "voice": VOICE,
            "model": FLASH,
            "characters": characters,
            "audio_seconds": characters / 10,
            "first_packet_latency": 0.3,
            "real_time_factor": 0.2,
            "request_ids": ["request-1"],
            "tasks": 1,
            "outcome": "finished",
            **details,
        }
    )
