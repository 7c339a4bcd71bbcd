"""Walking through the dialogs that add accounts and voices."""

from typing import Any

from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.cosyvoice.const import DOMAIN
from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    ConfigFlowResult,
    SubentryFlowContext,
    SubentryFlowResult,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from tests.emulator import Emulator

from .conftest import API_KEY


def account(emulator: Emulator, key: str = API_KEY, **fields: Any) -> dict[str, Any]:
    """Return the input for an account at the emulator."""
    return {
        "api_key": key,
        "region": "cn-beijing",
        "advanced": {"base_url": emulator.url},
        **fields,
    }


async def start_account(hass: HomeAssistant) -> ConfigFlowResult:
    """Open the form for a new account."""
    return await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )


async def submit_account(
    hass: HomeAssistant, result: ConfigFlowResult, user_input: dict[str, Any]
) -> ConfigFlowResult:
    """Submit a form, or select an option of a menu, in the flow of an account."""
    return await hass.config_entries.flow.async_configure(result["flow_id"], user_input)


async def use_first(
    hass: HomeAssistant, result: ConfigFlowResult, voice: dict[str, Any]
) -> ConfigFlowResult:
    """Choose the first voice of an account without listening to it."""
    result = await submit_account(hass, result, voice)
    assert (result["type"], result["step_id"]) == (FlowResultType.MENU, "listen")
    return await submit_account(hass, result, {"next_step_id": "use"})


async def start_voice(
    hass: HomeAssistant, entry: MockConfigEntry, subentry_id: str | None = None
) -> SubentryFlowResult:
    """Open the form for a new voice or for an existing one."""
    context = SubentryFlowContext(source=SOURCE_USER)
    if subentry_id:
        context = SubentryFlowContext(
            source=SOURCE_RECONFIGURE, subentry_id=subentry_id
        )
    result = await hass.config_entries.subentries.async_init(
        (entry.entry_id, "voice"), context=context
    )
    if result["type"] is FlowResultType.MENU:
        result = await submit_voice(hass, result, {"next_step_id": "choose"})
    return result


async def submit_voice(
    hass: HomeAssistant, result: SubentryFlowResult, user_input: dict[str, Any]
) -> SubentryFlowResult:
    """Submit a form, or select an option of a menu, in the flow of a voice."""
    return await hass.config_entries.subentries.async_configure(
        result["flow_id"], user_input
    )


async def use_voice(
    hass: HomeAssistant, result: SubentryFlowResult, settings: dict[str, Any]
) -> SubentryFlowResult:
    """Submit the settings of a voice, and use it without listening to it."""
    result = await submit_voice(hass, result, settings)
    assert (result["type"], result["step_id"]) == (FlowResultType.MENU, "listen")
    return await submit_voice(hass, result, {"next_step_id": "use"})


def suggested_values(result: SubentryFlowResult) -> dict[str, Any]:
    """Return the values that the shown form comes with, sections included."""
    values = {}
    for marker, field in result["data_schema"].schema.items():
        if hasattr(field, "schema") and hasattr(field, "options"):
            values[str(marker)] = {
                str(inner): inner.description["suggested_value"]
                for inner in field.schema.schema
                if inner.description
            }
        elif marker.description:
            values[str(marker)] = marker.description["suggested_value"]
    return values


def listed_voices(result: SubentryFlowResult) -> list[str]:
    """Return the ids in the shown list of voices."""
    options = result["data_schema"].schema["voice"].config["options"]
    return [option["value"] for option in options]
