"""Walking through the dialogs that clone and design voices."""

from typing import Any

from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import SOURCE_USER, SubentryFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType

from .flows import submit_voice as submit
from .uploads import UPLOAD

MODEL = "cosyvoice-v3-flash"


def clone_form(**fields: Any) -> dict[str, Any]:
    """Return a filled-in form to clone a voice from the uploaded recording."""
    return {
        "name": "Grandma",
        "recording": UPLOAD,
        "model": MODEL,
        "language": "zh",
        "consent": True,
        **fields,
    }


async def start(
    hass: HomeAssistant, entry: MockConfigEntry, step: str
) -> SubentryFlowResult:
    """Open the form to clone or design a voice."""
    result = await hass.config_entries.subentries.async_init(
        (entry.entry_id, "voice"), context={"source": SOURCE_USER}
    )
    assert result["menu_options"] == ["choose", "clone", "design"]
    return await submit(hass, result, {"next_step_id": step})


async def create(
    hass: HomeAssistant, result: SubentryFlowResult, fields: dict[str, Any]
) -> SubentryFlowResult:
    """Submit, wait, and ask twice for what comes next, as the frontend does."""
    result = await submit(hass, result, fields)
    flow = hass.config_entries.subentries.async_configure
    while result["type"] is FlowResultType.SHOW_PROGRESS:
        await hass.async_block_till_done(wait_background_tasks=True)
        result = await flow(result["flow_id"])
    again = await flow(result["flow_id"])
    assert (again["type"], again["step_id"]) == (result["type"], result["step_id"])
    return again
