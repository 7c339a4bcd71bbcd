"""An outage is logged once, and its end once."""

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from tests.emulator import Emulator, Fault, FaultKind, Point

from .speaking import speak

LOGGER = "custom_components.cosyvoice"


async def test_an_outage_is_logged_once_whoever_notices_it(
    hass: HomeAssistant,
    emulator: Emulator,
    entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The check of the key and a message fail; a message finds the service back."""
    caplog.set_level("INFO", LOGGER)
    emulator.script(Fault(FaultKind.HTTP_503, Point.HANDSHAKE, times=None))
    assert await hass.config_entries.async_setup(entry.entry_id)
    for number in range(2):
        with pytest.raises(HomeAssistantError):
            await speak(hass, f"你好。{number}")
    emulator.clear_faults()
    assert await speak(hass, "你好。")
    emulator.script(Fault(FaultKind.HTTP_503, Point.HANDSHAKE, times=None))
    levels = [
        record.levelname
        for record in caplog.records
        if record.name == LOGGER and "available" in record.getMessage()
    ]
    assert levels == ["WARNING", "INFO"]
