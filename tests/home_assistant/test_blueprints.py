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
from homeassistant.core import HomeAssistant
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


async def test_tells_what_last_month_cost(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    automate: Automate,
) -> None:
    await hass.config.async_set_time_zone("Europe/Berlin")
    freezer.move_to("2026-10-31 12:00:00+00:00")
    ledger = loaded.runtime_data.usage
    ledger.record(spoken(12_345), "living_room")
    freezer.move_to("2026-11-01 05:00:00+00:00")
    ledger.record(spoken(99), "living_room")
    spoke = async_mock_service(hass, "tts", "speak")
    notified = async_mock_service(hass, "persistent_notification", "create")
    await automate(
        "tell_the_cost",
        account=loaded.entry_id,
        voice=entity_id(hass, "tts", "speech"),
        player=PLAYER,
    )
    for day in ("2026-11-01", "2026-11-02"):
        freezer.move_to(f"{day} 08:00:00+00:00")
        async_fire_time_changed(hass)
        await hass.async_block_till_done()
    (call,) = spoke
    assert call.data["message"] == "For the month, the voice cost 1.23 CNY."
    assert notified[0].data["message"] == call.data["message"]


async def test_changes_the_voice_by_time_of_day(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    automate: Automate,
) -> None:
    await hass.config.async_set_time_zone("Asia/Shanghai")
    select = entity_id(hass, "select", "voice")
    state = hass.states.get(select)
    assert state
    names = state.attributes["options"][:3]
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


@pytest.mark.parametrize("path", FOLDER.glob("cosyvoice/*.yaml"), ids=lambda p: p.name)
def test_can_be_imported_from_where_it_says_it_is(path: Path) -> None:
    source = load_yaml_dict(str(path))["blueprint"]["source_url"]
    assert source.endswith(f"/blob/main/blueprints/automation/cosyvoice/{path.name}")
