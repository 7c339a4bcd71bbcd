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


async def test_a_power_cut_costs_no_setting_and_no_figure(
    house: House, home: Home, emulator: EmulatedService, engine: str
) -> None:
    select = await home.api.entity_id("voice")
    rate = await home.api.entity_id("speech_rate")
    characters = await home.api.entity_id("characters")
    await speak(home, engine, TEXT)
    chosen = (await home.api.state(select))["attributes"]["options"][1]
    await home.api.action("select.select_option", entity_id=select, option=chosen)
    await home.api.action("number.set_value", entity_id=rate, value=1.3)
    await speak(home, engine, TEXT)
    before = (await emulator.tasks())[-2:]
    billed = await _figure(home, characters)
    assert billed == 2 * len(TEXT)

    async def is_kept() -> bool:
        settings, kept = await asyncio.to_thread(_stored, home)
        return '"speech_rate":1.3' in settings and kept == billed

    await eventually(is_kept)
    await speak(home, engine, TEXT)  # perhaps too late to be kept
    await house.cut_power()

    assert (await home.api.state(select))["state"] == chosen
    assert float((await home.api.state(rate))["state"]) == 1.3
    assert await _figure(home, characters) in {billed, billed + len(TEXT)}
    await speak(home, engine, TEXT)
    after = (await emulator.tasks())[-1]
    assert after.parameters["voice"] == before[1].parameters["voice"]
    assert after.parameters["voice"] != before[0].parameters["voice"]
    assert [task.parameters["rate"] for task in (*before, after)] == [1.0, 1.3, 1.3]


async def _figure(home: Home, sensor: str) -> int:
    return int((await home.api.state(sensor))["state"])


def _stored(home: Home) -> tuple[str, int]:
    """Return the settings and the billed characters that are on disk so far."""
    folder = home.directory / ".storage"
    settings = "".join(file.read_text() for file in folder.glob("core.config_entries"))
    usage = (json.loads(file.read_text()) for file in folder.glob("cosyvoice.usage.*"))
    return (
        "".join(settings.split()),
        sum(sum(one["data"]["voice_characters"].values()) for one in usage),
    )
