"""Re-authenticating and reconfiguring accounts through their forms."""

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.cosyvoice.const import DOMAIN
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from tests.emulator import Emulator

from .conftest import API_KEY, SUBENTRY_ID
from .flows import account, submit_account as submit
from .test_config_flow import suggested


async def test_reauthentication(
    hass: HomeAssistant, emulator: Emulator, entry: MockConfigEntry
) -> None:
    """A rejected key starts it; a new key is checked and the account comes back."""
    emulator.config.api_keys = {"sk-new"}
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["step_id"] == "reauth_confirm"
    result = await submit(hass, flow, {"api_key": "sk-wrong"})
    assert result["errors"] == {"base": "invalid_auth"}
    result = await submit(hass, result, {"api_key": "sk-new"})
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reauth_successful"
    await hass.async_block_till_done(wait_background_tasks=True)
    assert entry.state is ConfigEntryState.LOADED
    assert entry.runtime_data.voices.last_update_success
    assert entry.data["api_key"] == "sk-new"
    assert entry.data["base_url"] == emulator.url
    assert set(entry.subentries) == {SUBENTRY_ID}


async def test_reauthentication_while_loaded_reloads_once(
    hass: HomeAssistant, emulator: Emulator, loaded: MockConfigEntry
) -> None:
    """The update listener does it."""
    client = loaded.runtime_data.client
    emulator.config.api_keys = {"sk-new"}
    result = await loaded.start_reauth_flow(hass)
    await submit(hass, result, {"api_key": "sk-new"})
    await hass.async_block_till_done()
    assert loaded.state is ConfigEntryState.LOADED
    assert loaded.runtime_data.client is not client


@pytest.mark.usefixtures("international_key")
async def test_reauthentication_with_a_key_of_the_other_region(
    hass: HomeAssistant,
) -> None:
    """That region is offered there as well."""
    entry = MockConfigEntry(
        domain=DOMAIN, data={"api_key": "sk-old", "region": "cn-beijing"}
    )
    entry.add_to_hass(hass)
    result = await entry.start_reauth_flow(hass)
    result = await submit(hass, result, {"api_key": API_KEY})
    assert result["errors"] == {"base": "wrong_region"}
    result = await submit(
        hass, result, {"api_key": API_KEY, "region": suggested(result, "region")}
    )
    assert result["reason"] == "reauth_successful"
    assert entry.data == {"api_key": API_KEY, "region": "ap-southeast-1"}
    await hass.async_block_till_done()
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_reconfiguring_keeps_the_voices(
    hass: HomeAssistant, emulator: Emulator, loaded: MockConfigEntry
) -> None:
    """The address changes; the key is not shown, and kept when left empty."""
    result = await loaded.start_reconfigure_flow(hass)
    assert result["step_id"] == "reconfigure"
    assert API_KEY not in str(result["data_schema"].schema)
    new = account(emulator, advanced={"base_url": emulator.url, "workspace_id": "ws1"})
    result = await submit(hass, result, new | {"api_key": "sk-wrong"})
    assert result["errors"] == {"base": "invalid_auth"}
    del new["api_key"]
    result = await submit(hass, result, new)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert loaded.state is ConfigEntryState.LOADED
    assert loaded.data["workspace_id"] == "ws1"
    assert loaded.data["api_key"] == API_KEY
    assert set(loaded.subentries) == {SUBENTRY_ID}


async def test_reconfiguring_without_the_section_keeps_the_address(
    hass: HomeAssistant, emulator: Emulator, loaded: MockConfigEntry
) -> None:
    """A section that was sent empty removes it."""
    hass.config_entries.async_update_entry(
        loaded, data={**loaded.data, "workspace_id": "ws1"}
    )
    await hass.async_block_till_done()
    before = dict(loaded.data)
    result = await loaded.start_reconfigure_flow(hass)
    result = await submit(hass, result, {"region": "cn-beijing"})
    assert result["reason"] == "reconfigure_successful"
    assert loaded.data == before
    await hass.async_block_till_done()
    result = await loaded.start_reconfigure_flow(hass)
    address = {"base_url": emulator.url}
    await submit(hass, result, {"region": "cn-beijing", "advanced": address})
    await hass.async_block_till_done()
    assert "workspace_id" not in loaded.data


async def test_a_stored_key_never_comes_back_to_the_form(
    hass: HomeAssistant, emulator: Emulator, loaded: MockConfigEntry
) -> None:
    """Not even when the check with it fails."""
    result = await loaded.start_reconfigure_flow(hass)
    result = await submit(
        hass,
        result,
        {"region": "cn-beijing", "advanced": {"base_url": "http://127.0.0.1:1"}},
    )
    assert result["errors"] == {"base": "cannot_connect"}
    assert not suggested(result, "api_key")


async def test_reconfiguring_to_the_key_of_another_account(
    hass: HomeAssistant, emulator: Emulator, loaded: MockConfigEntry
) -> None:
    """It is refused."""
    other = MockConfigEntry(domain=DOMAIN, data={"api_key": "sk-other"})
    other.add_to_hass(hass)
    result = await loaded.start_reconfigure_flow(hass)
    result = await submit(hass, result, account(emulator, "sk-other"))
    assert result["reason"] == "already_configured"
