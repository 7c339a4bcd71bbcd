"""The blueprints: each is loaded by Home Assistant and does what it says."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
    async_mock_service,
)

from custom_components.cosyvoice.settings import DEFAULT_SETTINGS
from homeassistant.components.blueprint.models import DomainBlueprints
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import load_yaml_dict

from .ledgers import spoken
from .speaking import entity_id

FOLDER = Path(__file__).parents[2] / "blueprints" / "automation"
PLAYER = "media_player.kitchen"


type Automate = Callable[..., Awaitable[None]]


@pytest.fixture
async def automate(hass: HomeAssistant) -> AsyncIterator[Automate]:
    """Make an automation of one of this repository's blueprints."""

    async def make(blueprint: str, **inputs: Any) -> None:
        used = {"path": f"cosyvoice/{blueprint}.yaml", "input": inputs}
        config = {"automation": {"alias": "Ours", "use_blueprint": used}}
        assert await async_setup_component(hass, "automation", config)
        await hass.async_block_till_done()
        state = hass.states.get("automation.ours")
        assert state and state.state == "on"

    with patch.object(DomainBlueprints, "blueprint_folder", FOLDER):
        yield make
    await hass.services.async_call(
        "automation", "turn_off", {"entity_id": "automation.ours"}, blocking=True
    )


@pytest.mark.parametrize(
    ("now", "instruction", "options"),
    [
        ("2026-11-20 12:00:00+00:00", "", None),
        ("2026-11-20 23:30:00+00:00", "", {"volume": 25, "speech_rate": 0.9}),
        (
            "2026-11-21 06:59:00+00:00",
            "你说话的情感是neutral。",
            {
                "volume": 25,
                "speech_rate": 0.9,
                "instruction": "你说话的情感是neutral。",
            },
        ),
    ],
)
async def test_announces_quietly_at_night(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    automate: Automate,
    now: str,
    instruction: str,
    options: dict[str, Any] | None,
) -> None:
    await hass.config.async_set_time_zone("UTC")
    freezer.move_to(now)
    spoke = async_mock_service(hass, "tts", "speak")
    await automate(
        "announce_quietly_at_night",
        trigger=[{"trigger": "event", "event_type": "washed"}],
        message="The {{ trigger.event.data.what }} is clean.",
        voice=entity_id(hass, "tts", "speech"),
        player=PLAYER,
        night_instruction=instruction,
    )
    hass.bus.async_fire("washed", {"what": "laundry"})
    await hass.async_block_till_done()
    (call,) = spoke
    assert call.data["entity_id"] == [entity_id(hass, "tts", "speech")]
    assert call.data["message"] == "The laundry is clean."
    assert call.data.get("options") == options


@pytest.mark.parametrize("day", [1, 15])
async def test_tells_what_last_month_cost(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    automate: Automate,
    day: int,
) -> None:
    """The whole of it, whichever day it is."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    ledger = loaded.runtime_data.usage
    for date, characters in (
        ("2026-09-30 12:00:00", 50_000),
        ("2026-10-01 12:00:00", 2_000),
        ("2026-10-31 12:00:00", 10_345),
        ("2026-11-01 05:00:00", 99),
    ):
        freezer.move_to(f"{date}+00:00")
        ledger.record(spoken(characters), "living_room")
    spoke = async_mock_service(hass, "tts", "speak")
    notified = async_mock_service(hass, "persistent_notification", "create")
    await automate(
        "tell_the_cost",
        account=loaded.entry_id,
        voice=entity_id(hass, "tts", "speech"),
        player=PLAYER,
        day=day,
    )
    for today in (day, day + 1):
        freezer.move_to(f"2026-11-{today:02} 08:00:00+00:00")
        async_fire_time_changed(hass)
        await hass.async_block_till_done()
    (call,) = spoke
    assert call.data["message"] == "Last month, the voices cost 1.23 CNY."
    assert notified[0].data["message"] == call.data["message"]


async def test_changes_the_voice_by_time_of_day(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    automate: Automate,
) -> None:
    await hass.config.async_set_time_zone("Asia/Shanghai")
    select = entity_id(hass, "select", "voice")
    names = voice_names(hass)
    freezer.move_to("2026-11-20 20:00:00+00:00")
    await automate(
        "voice_by_time_of_day",
        voice_select=select,
        morning_voice=names[0],
        evening_voice=names[1],
        night_voice=names[2],
    )
    for hour, name in zip(("23", "10", "14"), names, strict=True):
        day = "20" if hour == "23" else "21"
        freezer.move_to(f"2026-11-{day} {hour}:00:00+00:00")
        async_fire_time_changed(hass)
        await hass.async_block_till_done()
        state = hass.states.get(select)
        assert state and state.state == name
    assert loaded.subentries["living_room"].data["voice"] != DEFAULT_SETTINGS["voice"]


@pytest.mark.parametrize(
    ("time", "index"), [("07:00", 0), ("17:59", 0), ("20:00", 1), ("03:00", 2)]
)
async def test_sets_the_voice_of_the_time_of_day_at_a_start(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    automate: Automate,
    time: str,
    index: int,
) -> None:
    """A time may have passed while Home Assistant was off."""
    await hass.config.async_set_time_zone("UTC")
    names = voice_names(hass)[::-1]
    freezer.move_to(f"2026-11-20 {time}:00+00:00")
    hass.set_state(CoreState.not_running)
    await automate(
        "voice_by_time_of_day",
        voice_select=entity_id(hass, "select", "voice"),
        morning_voice=names[0],
        evening_voice=names[1],
        night_voice=names[2],
    )
    await hass.async_start()
    await hass.async_block_till_done()
    state = hass.states.get(entity_id(hass, "select", "voice"))
    assert state and state.state == names[index]


def voice_names(hass: HomeAssistant) -> list[str]:
    """Return three voices of the list."""
    state = hass.states.get(entity_id(hass, "select", "voice"))
    assert state
    names: list[str] = state.attributes["options"]
    return names[:3]


@pytest.mark.parametrize("path", FOLDER.glob("cosyvoice/*.yaml"), ids=lambda p: p.name)
def test_can_be_imported_from_where_it_says_it_is(path: Path) -> None:
    source = load_yaml_dict(str(path))["blueprint"]["source_url"]
    assert source.endswith(f"/blob/main/blueprints/automation/cosyvoice/{path.name}")
