"""Numbers of a voice and of an account."""

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from syrupy.assertion import SnapshotAssertion

from custom_components.cosyvoice.const import CONF_MONTHLY_BUDGET
from homeassistant.const import EntityCategory, Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import entity_registry as er
from tests.emulator import Emulator

from .conftest import SUBENTRY_ID
from .entities import snapshot_platform
from .speaking import entity_id, speak, spoken


async def set_value(hass: HomeAssistant, entity: str, value: float) -> None:
    await hass.services.async_call(
        "number", "set_value", {"entity_id": entity, "value": value}, blocking=True
    )


@pytest.mark.parametrize(
    ("key", "low", "high", "step", "unit", "default"),
    [
        ("speech_rate", 0.5, 2.0, 0.05, None, "1.0"),
        ("pitch_rate", 0.5, 2.0, 0.05, None, "1.0"),
        ("volume", 0, 100, 1, "%", "50"),
    ],
)
async def test_number_of_a_voice(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    key: str,
    low: float,
    high: float,
    step: float,
    unit: str | None,
    default: str,
) -> None:
    number = entity_id(hass, "number", key)
    state = hass.states.get(number)
    assert state is not None
    assert state.state == default
    assert (state.attributes["min"], state.attributes["max"]) == (low, high)
    assert state.attributes["step"] == step
    assert state.attributes.get("unit_of_measurement") == unit
    registered = er.async_get(hass).async_get(number)
    assert registered is not None
    assert registered.entity_category is EntityCategory.CONFIG
    assert registered.translation_key == key
    assert registered.config_subentry_id == SUBENTRY_ID


@pytest.mark.parametrize(
    ("key", "parameter", "value"),
    [
        ("speech_rate", "rate", 1.35),
        ("pitch_rate", "pitch", 0.5),
        ("volume", "volume", 80),
    ],
)
async def test_changed_number_is_saved_and_heard_at_once(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    key: str,
    parameter: str,
    value: float,
) -> None:
    await speak(hass, "你好。")
    await set_value(hass, entity_id(hass, "number", key), value)
    assert loaded.subentries[SUBENTRY_ID].data[key] == value
    assert float(hass.states.get(entity_id(hass, "number", key)).state) == value
    await speak(hass, "你好。")
    assert [task.parameters[parameter] for task in spoken(emulator)][-1] == value


async def test_number_out_of_range_is_refused(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    with pytest.raises(ServiceValidationError):
        await set_value(hass, entity_id(hass, "number", "speech_rate"), 2.5)
    assert loaded.subentries[SUBENTRY_ID].data["speech_rate"] == 1.0


async def test_settings_survive_a_restart(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    await set_value(hass, entity_id(hass, "number", "pitch_rate"), 1.5)
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await hass.async_block_till_done()
    assert hass.states.get(entity_id(hass, "number", "pitch_rate")).state == "1.5"


async def test_monthly_budget_is_an_option_of_the_account(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    number = entity_id(hass, "number", "monthly_budget", loaded.entry_id)
    assert hass.states.get(number).state == "0"
    assert hass.states.get(number).attributes["unit_of_measurement"] == "characters"
    await set_value(hass, number, 20000)
    assert loaded.options[CONF_MONTHLY_BUDGET] == 20000
    assert float(hass.states.get(number).state) == 20000
    hass.config_entries.async_update_entry(
        loaded, options={**loaded.options, "budget_unit": "money"}
    )
    await hass.async_block_till_done()
    assert hass.states.get(number).attributes["unit_of_measurement"] == "CNY"
    assert hass.states.get(number).attributes["device_class"] == "monetary"


async def test_numbers(
    hass: HomeAssistant, entry: MockConfigEntry, snapshot: SnapshotAssertion
) -> None:
    await snapshot_platform(hass, entry, Platform.NUMBER, snapshot)
