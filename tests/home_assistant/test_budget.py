"""The monthly budget: the notices, the event entity and the refusal."""

import asyncio
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
)
from syrupy.assertion import SnapshotAssertion

from custom_components.cosyvoice.const import DOMAIN, settings_signal
from custom_components.cosyvoice.usage.ledger import OverBudgetError
from homeassistant.const import EVENT_STATE_CHANGED, Platform
from homeassistant.core import Event, HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.translation import async_load_integrations
from tests.emulator import Emulator

from .entities import snapshot_platform
from .ledgers import FLASH, PLUS, account, loaded, spoken
from .speaking import speak, spoken as spoken_tasks

TOKENS = "qwen-audio-3.1-tts-flash"
pytestmark = pytest.mark.freeze_time("2026-11-20 12:00:00+00:00")


@pytest.fixture
async def loaded_account(
    hass: HomeAssistant, entry: MockConfigEntry
) -> MockConfigEntry:
    """An account at the emulated service."""
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    return entry


def issues(hass: HomeAssistant) -> list[str]:
    """Return what the repairs page shows of the budget."""
    return sorted(
        issue.translation_key or ""
        for (domain, _), issue in ir.async_get(hass).issues.items()
        if domain == DOMAIN
    )


def set_option(hass: HomeAssistant, entry: MockConfigEntry, **options: Any) -> None:
    """Change options as the number entity and the options flow do."""
    hass.config_entries.async_update_entry(entry, options={**entry.options, **options})
    async_dispatcher_send(hass, settings_signal(entry.entry_id))


def notices(changes: list[Event]) -> list[dict[str, Any]]:
    """Return what the event entity has announced."""
    return [
        dict(state.attributes)
        for change in changes
        if (state := change.data["new_state"]).attributes.get("event_type")
    ]


async def test_warns_at_80_and_100_percent_once(hass: HomeAssistant) -> None:
    changes = async_capture_events(hass, EVENT_STATE_CHANGED)
    entry = account(monthly_budget=1000)
    async with loaded(hass, entry, Platform.EVENT) as ledger:
        ledger.record(spoken(799), "living_room")
        assert issues(hass) == []
        ledger.record(spoken(1), "living_room")
        ledger.record(spoken(100), "living_room")
        assert issues(hass) == ["budget_80"]
        ledger.record(spoken(100), "living_room")
        ledger.record(spoken(100), "living_room")
        assert issues(hass) == ["budget_100"]
        await hass.async_block_till_done()
    assert notices(changes) == [
        {
            "event_types": ["budget_80", "budget_100"],
            "event_type": f"budget_{percent}",
            "friendly_name": "Home Budget",
            "month": "2026-11",
            "percent": percent,
            "used": used,
            "budget": 1000.0,
            "unit": "characters",
        }
        for percent, used in ((80, 800.0), (100, 1000.0))
    ]


async def test_money_budget_counts_money(hass: HomeAssistant) -> None:
    entry = account(monthly_budget=0.5, budget_unit="money", refuse_over_budget=True)
    async with loaded(hass, entry) as ledger:
        ledger.record(spoken(4000), "living_room")
        assert issues(hass) == ["budget_80_money"]
        ledger.check_budget()
        ledger.record(spoken(1000), "living_room")
        with pytest.raises(ServiceValidationError) as error:
            ledger.check_budget()
    assert error.value.translation_key == "over_budget_money"


async def test_speech_goes_on_unless_refusal_is_wanted(hass: HomeAssistant) -> None:
    entry = account(monthly_budget=10)
    async with loaded(hass, entry) as ledger:
        ledger.record(spoken(10), "living_room")
        ledger.check_budget()
        set_option(hass, entry, refuse_over_budget=True)
        with pytest.raises(ServiceValidationError) as error:
            ledger.check_budget()
        assert error.value.translation_key == "over_budget"
        set_option(hass, entry, monthly_budget=0)
        ledger.check_budget()


async def test_notice_goes_when_the_budget_is_raised_and_comes_again(
    hass: HomeAssistant,
) -> None:
    changes = async_capture_events(hass, EVENT_STATE_CHANGED)
    entry = account(monthly_budget=100)
    async with loaded(hass, entry, Platform.EVENT) as ledger:
        ledger.record(spoken(90), "living_room")
        set_option(hass, entry, monthly_budget=0)
        assert issues(hass) == []
        set_option(hass, entry, monthly_budget=100)
        assert issues(hass) == ["budget_80"]
        set_option(hass, entry, monthly_budget=200)
        assert issues(hass) == []
        ledger.record(spoken(90), "living_room")
        assert issues(hass) == ["budget_80"]
        await hass.async_block_till_done()
    # For the first amount once, although it was switched off and on
    assert [notice["budget"] for notice in notices(changes)] == [100.0, 200.0]


async def test_new_month_begins_anew(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    await hass.config.async_set_time_zone("Asia/Shanghai")
    changes = async_capture_events(hass, EVENT_STATE_CHANGED)
    entry = account(monthly_budget=100, refuse_over_budget=True)
    async with loaded(hass, entry, Platform.EVENT) as ledger:
        ledger.record(spoken(100), "living_room")
        freezer.move_to("2026-11-30 15:59:59+00:00")
        async_fire_time_changed(hass)
        await hass.async_block_till_done()
        assert issues(hass) == ["budget_100"]
        freezer.move_to("2026-11-30 16:00:00+00:00")
        async_fire_time_changed(hass)
        await hass.async_block_till_done()
        assert issues(hass) == []
        ledger.check_budget()
        ledger.record(spoken(80), "living_room")
        await hass.async_block_till_done()
    announced = notices(changes)
    assert [(notice["month"], notice["percent"]) for notice in announced] == [
        ("2026-11", 80),
        ("2026-11", 100),
        ("2026-12", 80),
    ]


@pytest.mark.parametrize(
    "wrong", ["1970-01-01 00:10:00+00:00", "2026-12-01 00:00:05+00:00"]
)
async def test_a_clock_that_is_set_announces_nothing_again(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, wrong: str
) -> None:
    """It was wrong after a restart, or a few seconds fast at the end of a month."""
    await hass.config.async_set_time_zone("UTC")
    changes = async_capture_events(hass, EVENT_STATE_CHANGED)
    entry = account(monthly_budget=100)
    async with loaded(hass, entry, Platform.EVENT) as ledger:
        ledger.record(spoken(85), "living_room")
        for time, open_issues in (
            (wrong, []),
            ("2026-11-30 23:59:58+00:00", ["budget_80"]),
            ("2026-12-01 00:00:00+00:00", []),
        ):
            freezer.move_to(time)
            async_dispatcher_send(hass, settings_signal(entry.entry_id))
            await hass.async_block_till_done()
            assert issues(hass) == open_issues
        ledger.record(spoken(80), "living_room")
        await hass.async_block_till_done()
    announced = notices(changes)
    months = [(notice["month"], notice["percent"]) for notice in announced]
    assert months == [("2026-11", 80), ("2026-12", 80)]


async def test_restart_shows_the_notice_and_does_not_announce_again(
    hass: HomeAssistant,
) -> None:
    entry = account(monthly_budget=100)
    async with loaded(hass, entry, Platform.EVENT) as ledger:
        ledger.record(spoken(85), "living_room")
        await ledger.async_save()
    ir.async_get(hass).issues.clear()
    async with loaded(hass, entry, Platform.EVENT) as ledger:
        changes = async_capture_events(hass, EVENT_STATE_CHANGED)
        assert issues(hass) == ["budget_80"]
        ledger.record(spoken(1), "living_room")
        await hass.async_block_till_done()
        assert notices(changes) == []


async def test_threshold_reached_before_the_event_entity_exists_is_announced(
    hass: HomeAssistant,
) -> None:
    changes = async_capture_events(hass, EVENT_STATE_CHANGED)
    entry = account(monthly_budget=100)
    async with loaded(hass, entry) as ledger:
        ledger.record(spoken(85), "living_room")
        await ledger.async_save()
    async with loaded(hass, entry, Platform.EVENT):
        assert [notice["percent"] for notice in notices(changes)] == [80]


@pytest.mark.parametrize(
    ("options", "model", "characters"),
    [
        ({"monthly_budget": 100}, PLUS, 100),
        ({"monthly_budget": 100}, TOKENS, 100),
        ({"monthly_budget": 0.02, "budget_unit": "money"}, PLUS, 100),
        ({"monthly_budget": 0.02, "budget_unit": "money"}, FLASH, 200),
        ({"monthly_budget": 0.02, "budget_unit": "money"}, TOKENS, 785),
    ],
)
async def test_messages_in_flight_count_towards_a_refusing_budget(
    hass: HomeAssistant, options: dict[str, Any], model: str, characters: int
) -> None:
    """For money, with the price of their model; for tokens, with a rough one."""
    entry = account(refuse_over_budget=True, **options)
    async with loaded(hass, entry) as ledger:
        counted = [0, 0]
        with (
            ledger.in_flight(model, lambda: counted[0]),
            ledger.in_flight(model, lambda: counted[1]),
        ):
            counted[:] = [40, characters - 41]
            ledger.check_budget()
            counted[1] += 1
            with pytest.raises(OverBudgetError):
                ledger.check_budget()
        ledger.check_budget()


@pytest.mark.parametrize(
    ("options", "issue_key", "error_key", "budget"),
    [
        ({"monthly_budget": 15_000}, "budget_100", "over_budget", "15,000"),
        (
            {"monthly_budget": 0.5, "budget_unit": "money"},
            "budget_100_money",
            "over_budget_money",
            "0.5 CNY",
        ),
    ],
)
async def test_texts_name_the_unit(
    hass: HomeAssistant,
    options: dict[str, Any],
    issue_key: str,
    error_key: str,
    budget: str,
) -> None:
    """In the language of the person who reads them."""
    async with loaded(hass, account(refuse_over_budget=True, **options)) as ledger:
        ledger.record(spoken(100_000), "living_room")
        (issue,) = ir.async_get(hass).issues.values()
        with pytest.raises(OverBudgetError) as error:
            ledger.check_budget()
    assert issue.translation_key == issue_key
    assert error.value.translation_key == error_key
    placeholders = {"account": "Home", "budget": budget}
    assert issue.translation_placeholders == placeholders
    assert error.value.translation_placeholders == placeholders


@pytest.mark.parametrize(
    ("language", "unit"), [("en", "characters"), ("zh-Hans", "字符")]
)
async def test_unit_of_the_number_is_translated(
    hass: HomeAssistant, language: str, unit: str
) -> None:
    hass.config.language = language
    await async_load_integrations(hass, {DOMAIN})
    async with loaded(hass, account()) as ledger:
        assert ledger.budget_unit_name == unit


async def test_eight_messages_at_once_spend_a_budget_once(
    hass: HomeAssistant, emulator: Emulator, loaded_account: MockConfigEntry
) -> None:
    """The first one is in flight when the others ask."""
    set_option(hass, loaded_account, monthly_budget=20, refuse_over_budget=True)
    results = await asyncio.gather(
        *(speak(hass, f"今天天气不错，第 {number} 次。") for number in range(8)),
        return_exceptions=True,
    )
    refused = [result for result in results if isinstance(result, OverBudgetError)]
    assert len(refused) == 7
    assert len(spoken_tasks(emulator)) == 1


async def test_event_entity(
    hass: HomeAssistant, entry: MockConfigEntry, snapshot: SnapshotAssertion
) -> None:
    await snapshot_platform(hass, entry, Platform.EVENT, snapshot)
