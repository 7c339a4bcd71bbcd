"""An account behind a proxy, and a network in which something else answers."""

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.cosyvoice.const import DOMAIN
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.translation import async_get_translations
from tests.emulator import Emulator
from tests.proxy import proxy

from .conftest import API_KEY, voice_subentry
from .flows import account, start_account, submit_account
from .speaking import speak

PROXY = ("proxy_403", "proxy_407", "proxy_426", "proxy_502", "proxy_200")


async def test_an_account_behind_a_proxy_is_added_and_speaks(
    hass: HomeAssistant, emulator: Emulator
) -> None:
    async with proxy(emulator.url) as url:
        result = await submit_account(
            hass,
            await start_account(hass),
            account(emulator, advanced={"base_url": f"{url}/"}),
        )
        assert result["step_id"] == "voice"
        hass.config_entries.flow.async_abort(result["flow_id"])
        entry = MockConfigEntry(
            domain=DOMAIN,
            data={"api_key": API_KEY, "region": "cn-beijing", "base_url": url},
            subentries_data=[
                voice_subentry("living_room", "Longanyang", voice="longanyang")
            ],
        )
        entry.add_to_hass(hass)
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done(wait_background_tasks=True)
        assert await speak(hass, "你好。")
        assert await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.parametrize("kind", PROXY)
async def test_the_form_does_not_blame_the_key(
    hass: HomeAssistant, emulator: Emulator, kind: str
) -> None:
    emulator.script(f"{kind}@handshake,times=always")
    result = await submit_account(hass, await start_account(hass), account(emulator))
    assert result["errors"] == {"base": "cannot_connect"}
    assert "proxy" in (result["description_placeholders"] or {})["reason"]


@pytest.mark.parametrize("kind", ["proxy_403", "proxy_200"])
async def test_speech_behind_a_firewall_asks_for_no_other_key(
    hass: HomeAssistant, emulator: Emulator, loaded: MockConfigEntry, kind: str
) -> None:
    emulator.cut()
    emulator.script(f"{kind}@handshake,times=always")
    with pytest.raises(HomeAssistantError) as caught:
        await speak(hass, "你好。")
    assert caught.value.translation_key == "proxy_answered"
    assert not hass.config_entries.flow.async_progress()
    assert loaded.state is ConfigEntryState.LOADED
    texts = await async_get_translations(hass, "en", "exceptions", {DOMAIN})
    assert "firewall" in texts[f"component.{DOMAIN}.exceptions.proxy_answered.message"]
