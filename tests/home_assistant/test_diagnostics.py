"""Diagnostics tell how things are and nothing personal."""

import json
from typing import Any

from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from syrupy.assertion import SnapshotAssertion
from syrupy.filters import props

from custom_components.cosyvoice.client import ArrearsError, UtteranceReport
from custom_components.cosyvoice.settings import DEFAULT_SETTINGS
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from tests.emulator import Emulator

from .conftest import API_KEY, CLONE, SUBENTRY_ID

PERSONAL = (API_KEY, "ws-family", "myhome", "Grandma", "gently", "127.0.0.1")


async def test_an_account_that_has_spoken(
    hass: HomeAssistant,
    hass_client: Any,
    emulator: Emulator,
    entry: MockConfigEntry,
    snapshot: SnapshotAssertion,
) -> None:
    """Keys, addresses, texts and names people gave are left out."""
    emulator.config.cloned_voices = {CLONE: "OK"}
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, "workspace_id": "ws-family"}
    )
    hass.config_entries.async_update_subentry(
        entry,
        entry.subentries[SUBENTRY_ID],
        data={
            **DEFAULT_SETTINGS,
            "voice": CLONE,
            "language_voices": {"ja": CLONE, "en": "longanyang"},
            "pronunciations": {"Grandma": "Granny"},
            "instruction": "gently",
        },
    )
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    usage = entry.runtime_data.usage
    usage.record(
        UtteranceReport(
            voice=CLONE,
            model="cosyvoice-v3-flash",
            characters=12,
            audio_seconds=1.5,
            first_packet_latency=0.3,
            real_time_factor=0.2,
            request_ids=["request-1"],
            tasks=1,
            outcome="finished",
        ),
        SUBENTRY_ID,
    )
    usage.record(
        UtteranceReport(
            voice="longanyang",
            model="cosyvoice-v3-flash",
            outcome="failed",
            error=ArrearsError("Please pay", code="Arrearage"),
        ),
        SUBENTRY_ID,
    )
    diagnostics = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    assert diagnostics == snapshot(exclude=props("time", "catalogue"))
    assert not [secret for secret in PERSONAL if secret in json.dumps(diagnostics)]


async def test_an_account_that_is_not_loaded(
    hass: HomeAssistant,
    hass_client: Any,
    loaded: MockConfigEntry,
    snapshot: SnapshotAssertion,
) -> None:
    """Its settings are included."""
    await hass.config_entries.async_unload(loaded.entry_id)
    diagnostics = await get_diagnostics_for_config_entry(hass, hass_client, loaded)
    assert diagnostics == snapshot(exclude=props("catalogue"))


async def test_the_ids_of_issues_name_no_cloned_voice(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Home Assistant adds them to the diagnostics."""
    for voice in (CLONE, f"{CLONE}-2"):
        hass.config_entries.async_update_subentry(
            loaded,
            loaded.subentries[SUBENTRY_ID],
            data={**DEFAULT_SETTINGS, "voice": voice, "language_voices": {"ja": CLONE}},
        )
        await hass.async_block_till_done()
    issues = list(ir.async_get(hass).issues.values())
    assert len({issue.issue_id for issue in issues}) == 2
    assert not any("myhome" in issue.issue_id for issue in issues)
