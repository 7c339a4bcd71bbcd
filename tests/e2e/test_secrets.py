"""Where the API key must not be found: anywhere but in the account's configuration."""

import asyncio
from pathlib import Path
import re
from typing import Any

import pytest

from tests.demo.api import RefusedError
from tests.demo.home import API_KEY, Home
from tests.demo.programs import eventually
from tests.demo.service import EmulatedService
from tests.demo.speech import speak

from .conftest import KEYS, House

# One process for all of these tests, as they share one house
pytestmark = [pytest.mark.xdist_group("e2e"), pytest.mark.timeout(300)]
SECRET = re.compile(rf"{API_KEY}|st-[0-9a-f]{{48}}")
"""The account's key, and the temporary ones that the service makes of it."""


async def test_the_key_is_found_nowhere_else(
    house: House, home: Home, emulator: EmulatedService, engine: str
) -> None:
    await home.api.action("logger.set_default_level", level="debug")
    (entry,) = await home.api.get("/api/config/config_entries/entry?domain=cosyvoice")
    account = f"/api/config/config_entries/entry/{entry['entry_id']}"
    await _use_temporary_keys(home, entry["entry_id"])
    await home.api.post(f"{account}/reload", {})
    await speak(home, engine, "The key is under the mat.")
    traces = await _announce(home, engine, "It is not.")
    # A failure, and a key that is rejected
    await emulator.script("invalid_parameter@before_audio,times=always")
    with pytest.raises(RefusedError) as refused:
        await speak(home, engine, "Nobody will hear this.")
    await emulator.script()
    await emulator.set(api_keys=[])
    await home.api.post(f"{account}/reload", {})
    rejected = await home.api.get("/api/config/config_entries/entry?domain=cosyvoice")
    await emulator.set(api_keys=KEYS)
    await home.api.post(f"{account}/reload", {})

    told = [
        refused.value,
        rejected,
        traces,
        await home.api.get("/api/states"),
        await home.api.get(f"/api/diagnostics/config_entry/{entry['entry_id']}"),
        await home.api.command(type="repairs/list_issues"),
    ]
    assert not [what for what in map(str, told) if SECRET.search(what)]
    # Home Assistant writes most of what it keeps when it stops
    await house.start_again("stop")
    assert await asyncio.to_thread(_files_with_secrets, home) == {"core.config_entries"}


async def _use_temporary_keys(home: Home, entry_id: str) -> None:
    flow = "/api/config/config_entries/options/flow"
    form = await home.api.post(flow, {"handler": entry_id})
    options = {field["name"]: _value(field) for field in form["data_schema"]}
    await home.api.post(
        f"{flow}/{form['flow_id']}", {**options, "temporary_keys": True}
    )


def _value(field: dict[str, Any]) -> Any:
    return field["description"]["suggested_value"]


async def _announce(home: Home, engine: str, message: str) -> Any:
    """Speak through an automation, and return its trace."""
    data = {"engine": engine, "message": message}
    await home.api.post("/api/events/announce", data)
    found: list[Any] = []

    async def is_done() -> bool:
        found[:] = await home.api.command(
            type="trace/list", domain="automation", item_id="announce"
        )
        return bool(found) and found[-1]["state"] == "stopped"

    await eventually(is_done)
    return await home.api.command(
        type="trace/get",
        domain="automation",
        item_id="announce",
        run_id=found[-1]["run_id"],
    )


def _files_with_secrets(home: Home) -> set[str]:
    """Search the log and everything that Home Assistant keeps."""
    files = [home.log, *filter(Path.is_file, home.directory.rglob("*"))]
    assert {"trace.saved_traces", "core.restore_state"} <= {one.name for one in files}
    return {one.name for one in files if SECRET.search(one.read_text(errors="replace"))}
