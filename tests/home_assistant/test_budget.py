"""The monthly budget: the notices, the event, the logbook and the refusal."""

from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
)

from custom_components.cosyvoice.const import DOMAIN, settings_signal
from custom_components.cosyvoice.logbook import async_describe_events
from custom_components.cosyvoice.usage.budget import EVENT_BUDGET
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.translation import async_load_integrations

from .ledgers import account, loaded, spoken

pytestmark = pytest.mark.freeze_time("2026-11-20 12:00:00+00:00")


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


async def test_warns_at_80_and_100_percent_once(hass: HomeAssistant) -> None:
    events = async_capture_events(hass, EVENT_BUDGET)
    async with loaded(hass, account(monthly_budget=1000)) as ledger:
        ledger.record(spoken(799), "living_room")
        assert issues(hass) == []
        ledger.record(spoken(1), "living_room")
        ledger.record(spoken(100), "living_room")
        assert issues(hass) == ["budget_80"]
        ledger.record(spoken(100), "living_room")
        ledger.record(spoken(100), "living_room")
        assert issues(hass) == ["budget_100"]
        await hass.async_block_till_done()
    assert [event.data for event in events] == [
        {
            "config_entry_id": "account_cn-beijing",
            "account": "Home",
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
        assert issues(hass) == ["budget_80"]
        ledger.check_budget()
        ledger.record(spoken(1000), "living_room")
        with pytest.raises(ServiceValidationError) as error:
            ledger.check_budget()
    assert error.value.translation_key == "over_budget"
    assert error.value.translation_placeholders == {
        "account": "Home",
        "budget": "0.5 CNY",
    }


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
    events = async_capture_events(hass, EVENT_BUDGET)
    entry = account(monthly_budget=100)
    async with loaded(hass, entry) as ledger:
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
    assert [event.data["budget"] for event in events] == [100.0, 200.0]


async def test_new_month_begins_anew(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    await hass.config.async_set_time_zone("Asia/Shanghai")
    events = async_capture_events(hass, EVENT_BUDGET)
    entry = account(monthly_budget=100, refuse_over_budget=True)
    async with loaded(hass, entry) as ledger:
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
    assert [(event.data["month"], event.data["percent"]) for event in events] == [
        ("2026-11", 80),
        ("2026-11", 100),
        ("2026-12", 80),
    ]


async def test_restart_shows_the_notice_and_does_not_fire_again(
    hass: HomeAssistant,
) -> None:
    entry = account(monthly_budget=100)
    async with loaded(hass, entry) as ledger:
        ledger.record(spoken(85), "living_room")
        await ledger.async_save()
    ir.async_get(hass).issues.clear()
    events = async_capture_events(hass, EVENT_BUDGET)
    async with loaded(hass, entry) as ledger:
        assert issues(hass) == ["budget_80"]
        ledger.record(spoken(1), "living_room")
        await hass.async_block_till_done()
    assert events == []


@pytest.mark.parametrize(
    ("language", "unit", "message"),
    [
        (
            "en",
            "characters",
            "reached 80% of its monthly budget: 12,000 of 15,000 used",
        ),
        ("zh-Hans", "CNY", "已达到每月预算的 80%：已使用 12,000 CNY，预算 15,000 CNY"),
        (
            "fr",
            "USD",
            "reached 80% of its monthly budget: 12,000 USD of 15,000 USD used",
        ),
    ],
)
async def test_logbook_describes_the_event(
    hass: HomeAssistant, language: str, unit: str, message: str
) -> None:
    hass.config.language = language
    await async_load_integrations(hass, {DOMAIN})
    described = {}
    async_describe_events(
        hass, lambda domain, name, describe: described.update({name: describe})
    )
    events = async_capture_events(hass, EVENT_BUDGET)
    data = {
        "account": "Home",
        "percent": 80,
        "used": 12e3,
        "budget": 15e3,
        "unit": unit,
    }
    hass.bus.async_fire(EVENT_BUDGET, data)
    await hass.async_block_till_done()
    assert described[EVENT_BUDGET](events[0]) == {"name": "Home", "message": message}
