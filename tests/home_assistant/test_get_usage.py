"""The action that returns usage, and the bill that it equals."""

import asyncio
from pathlib import Path
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from tests.emulator import Emulator, Fault, FaultKind, Point

from .ledgers import FLASH, PLUS, VOICE, spoken
from .speaking import call_action, entity_id, synthesize


async def test_usage_by_model_and_voice(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    ledger = loaded.runtime_data.usage
    ledger.record(spoken(100), "living_room")
    ledger.record(spoken(50, model=PLUS, estimated=True), "living_room")
    ledger.record(spoken(0, voice="longanhuan", outcome="failed"), "living_room")
    usage = await call_action(hass, "get_usage")
    assert usage["config_entry_id"] == loaded.entry_id
    assert usage["characters"] == 150
    assert usage["estimated"] == 50
    assert usage["requests"] == 3
    assert usage["failures"] == 1
    assert usage["currency"] == "CNY"
    assert usage["cost"] == 0.02
    assert usage["by_model"][PLUS]["cost"] == 0.01
    assert usage["by_model"][FLASH]["requests"] == 2
    assert usage["by_voice"][VOICE]["characters"] == 150
    assert usage["by_voice"]["longanhuan"]["failures"] == 1


@pytest.mark.parametrize(
    ("data", "characters", "start", "end"),
    [
        ({"period": "day"}, 4, "2026-11-20", "2026-11-20"),
        ({}, 6, "2026-11-01", "2026-11-20"),
        ({"period": "total"}, 7, None, None),
        ({"start": "2026-10-01", "end": "2026-10-31"}, 1, "2026-10-01", "2026-10-31"),
        ({"start": "2026-11-19"}, 6, "2026-11-19", None),
        ({"end": "2026-11-19"}, 3, None, "2026-11-19"),
        ({"start": "2027-01-01"}, 0, "2027-01-01", None),
    ],
)
async def test_usage_of_a_period(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    data: dict[str, str],
    characters: int,
    start: str | None,
    end: str | None,
) -> None:
    for day, said in (("2026-10-05", 1), ("2026-11-19", 2), ("2026-11-20", 4)):
        freezer.move_to(f"{day} 20:00:00+00:00")
        loaded.runtime_data.usage.record(spoken(said), "living_room")
    usage = await call_action(
        hass, "get_usage", config_entry_id=loaded.entry_id, **data
    )
    assert usage["characters"] == characters
    assert (usage["start"], usage["end"]) == (start, end)


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize(
    "data",
    [{"config_entry_id": "unknown"}, {"start": "2026-11-02", "end": "2026-11-01"}],
)
async def test_usage_refuses_what_makes_no_sense(
    hass: HomeAssistant, data: dict[str, str]
) -> None:
    with pytest.raises(ServiceValidationError):
        await call_action(hass, "get_usage", **data)


async def test_usage_needs_an_account_to_ask(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    await hass.config_entries.async_unload(loaded.entry_id)
    with pytest.raises(ServiceValidationError, match="There are 0 loaded"):
        await call_action(hass, "get_usage")
    with pytest.raises(ServiceValidationError):
        await call_action(hass, "get_usage", config_entry_id=loaded.entry_id)


async def test_speech_that_a_reload_ends_is_in_the_books(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator, media: Path
) -> None:
    """It was billed, although the ledger it began with is gone."""
    emulator.script(Fault(FaultKind.HANG, Point.MID_SENTENCE))
    speech = hass.async_create_task(synthesize(hass))
    await emulator.until(lambda: bool(emulator.happened))
    await hass.config_entries.async_reload(loaded.entry_id)
    with pytest.raises(HomeAssistantError):
        await speech
    total = loaded.runtime_data.usage.figures.total
    assert (total.requests, total.failures) == (1, 1)
    assert total.characters > 0


@pytest.mark.usefixtures("hurry", "media")
async def test_sensors_and_action_equal_the_bill(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator
) -> None:
    """200 utterances, mixed in language, model and in how the service reports."""
    texts = [
        "今天天气不错。",
        "The kettle is boiling.",
        "日本語でお知らせします。",
        "안녕하세요, 반갑습니다.",
        "混合 text，with 数字 123。",
    ]
    usages: tuple[Any, ...] = ("sentence", "finished", "both", "none", "old")
    # Home Assistant's tests note the stack of every callback: too slow for this number
    asyncio.get_running_loop().set_debug(False)
    emulator.config.chunk = 1.0
    for batch in range(20):
        emulator.config.usage = usages[batch % len(usages)]
        options = {"model": (FLASH, PLUS)[batch // 5 % 2]}
        await asyncio.gather(
            *(
                synthesize(hass, f"{texts[number % 5]} {batch}.", options=options)
                for number in range(10)
            )
        )
    usage = await call_action(hass, "get_usage", period="total")
    assert {
        model: figures["characters"] for model, figures in usage["by_model"].items()
    } == emulator.bill
    assert usage["cost"] == pytest.approx(
        (emulator.bill[FLASH] * 1 + emulator.bill[PLUS] * 2) / 10_000, abs=1e-12
    )
    assert usage["requests"] == 200
    state = hass.states.get(entity_id(hass, "sensor", "characters", loaded.entry_id))
    assert state and int(state.state) == sum(emulator.bill.values())
    by_count = loaded.runtime_data.usage.figures.total
    assert 0 < by_count.estimated < by_count.characters / 4
