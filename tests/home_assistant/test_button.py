"""The account's button."""

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from syrupy.assertion import SnapshotAssertion

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from tests.emulator import Emulator, Fault, FaultKind, Point

from .conftest import CLONE
from .entities import snapshot_platform
from .speaking import entity_id


async def press(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    button = entity_id(hass, "button", "refresh_voices", entry.entry_id)
    await hass.services.async_call(
        "button", "press", {"entity_id": button}, blocking=True
    )


async def test_new_voice_is_listed_after_a_press(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator
) -> None:
    voice = entity_id(hass, "select", "voice")
    emulator.config.cloned_voices[CLONE] = "OK"
    assert not any(
        CLONE in name for name in hass.states.get(voice).attributes["options"]
    )
    await press(hass, loaded)
    assert any(CLONE in name for name in hass.states.get(voice).attributes["options"])


async def test_press_says_why_the_voices_cannot_be_read(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator
) -> None:
    emulator.script(*[Fault(FaultKind.HTTP_500, Point.HTTP)] * 10)
    with pytest.raises(HomeAssistantError) as caught:
        await press(hass, loaded)
    assert caught.value.translation_domain == "cosyvoice"
    assert caught.value.translation_key == "service_error"


async def test_buttons(
    hass: HomeAssistant, entry: MockConfigEntry, snapshot: SnapshotAssertion
) -> None:
    await snapshot_platform(hass, entry, Platform.BUTTON, snapshot)
