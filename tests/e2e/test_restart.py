"""What is still there when Home Assistant is killed and starts again."""

import asyncio
import json

import pytest

from tests.demo.home import Home
from tests.demo.programs import eventually
from tests.demo.service import EmulatedService
from tests.demo.speech import speak

from .conftest import House

# One process for all of these tests, as they share one house
pytestmark = [pytest.mark.xdist_group("e2e"), pytest.mark.timeout(300)]
TEXT = "The kettle is boiling."
LAST = "The door is open."


async def test_a_power_cut_costs_no_setting_and_no_figure(
    house: House, home: Home, emulator: EmulatedService, engine: str
) -> None:
    api = home.api
    await speak(home, engine, TEXT)
    select, rate = await api.entity_id("voice"), await api.entity_id("speech_rate")
    chosen = (await api.state(select))["attributes"]["options"][1]
    await api.action("select.select_option", entity_id=select, option=chosen)
    await api.action("number.set_value", entity_id=rate, value=1.3)
    await speak(home, engine, TEXT)
    before = (await emulator.tasks())[-2:]
    billed = 2 * len(TEXT)

    async def is_kept() -> bool:
        settings, kept = await asyncio.to_thread(_stored, home)
        return '"speech_rate":1.3' in settings and kept == billed

    await eventually(is_kept)
    await speak(home, engine, LAST)
    await asyncio.sleep(0.5)  # In this time the last message is written
    await house.start_again("kill")

    entries = await api.get("/api/config/config_entries/entry?domain=demo_home")
    assert len(entries) == 1
    # Home Assistant itself may not yet have kept the names of new entities
    keys = ("voice", "speech_rate", "characters", "speech")
    found = {key: await api.entity_id(key) for key in keys}
    shown = {key: (await api.state(entity))["state"] for key, entity in found.items()}
    assert (shown["voice"], shown["speech_rate"]) == (chosen, "1.3")
    assert int(shown["characters"]) == billed + len(LAST)
    await speak(home, found["speech"], TEXT)
    after = (await emulator.tasks())[-1]
    assert after.parameters["voice"] == before[1].parameters["voice"]
    assert after.parameters["voice"] != before[0].parameters["voice"]
    assert [task.parameters["rate"] for task in (*before, after)] == [1.0, 1.3, 1.3]


def _stored(home: Home) -> tuple[str, int]:
    """Return the settings and the billed characters that are on disk so far."""
    folder = home.directory / ".storage"
    settings = "".join(file.read_text() for file in folder.glob("core.config_entries"))
    usage = (json.loads(file.read_text()) for file in folder.glob("cosyvoice.usage.*"))
    return (
        "".join(settings.split()),
        # The file of past days has no such sums
        sum(sum(one["data"].get("voice_characters", {}).values()) for one in usage),
    )
