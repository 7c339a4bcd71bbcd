"""Walking through the dialogs that clone and design voices."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.cosyvoice import account
from custom_components.cosyvoice.client import CosyVoiceClient, Timing
from custom_components.cosyvoice.client.wire import upload
from homeassistant.config_entries import SOURCE_USER, SubentryFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from tests.emulator import Emulator

from .flows import submit_voice as submit

MODEL = "cosyvoice-v3-flash"
FAST = replace(
    Timing(), backoff=0.01, poll=0.02, upload=1.0, create=2.0, look_up=0.3, ready=3.0
)


@asynccontextmanager
async def hurrying(emulator: Emulator) -> AsyncIterator[None]:
    """Let the service make a voice in no time, and the client be in a hurry."""
    emulator.config.deploy_seconds = 0.1
    emulator.config.enrollments_per_second = 0

    def hurried(*args: Any, **kwargs: Any) -> CosyVoiceClient:
        return CosyVoiceClient(*args, **{**kwargs, "timing": FAST})

    with (
        patch.object(account, "CosyVoiceClient", hurried),
        patch.object(upload, "SLOWEST_LINE", 1_000_000),
    ):
        yield


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
