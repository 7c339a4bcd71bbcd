"""The sensors: their figures, their classes, and what Home Assistant makes of them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
    do_adhoc_statistics,
)
from syrupy.assertion import SnapshotAssertion

from custom_components.cosyvoice.client import ServiceError
from custom_components.cosyvoice.usage.ledger import UsageLedger
from homeassistant.components.recorder.core import Recorder
from homeassistant.components.recorder.statistics import statistics_during_period
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.recorder import get_instance
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util

from .entities import snapshot_platform
from .ledgers import PLUS, account, loaded, spoken


@pytest.fixture
def recorder_db_url() -> str:
    """Keep the recorder's database in memory."""
    return "sqlite://"


def sensor(hass: HomeAssistant, key: str, owner: str = "account_cn-beijing") -> State:
    """Return the state of a sensor of the account, or of a voice."""
    registry = er.async_get(hass)
    entity_id = registry.async_get_entity_id("sensor", "cosyvoice", f"{owner}_{key}")
    assert entity_id
    state = hass.states.get(entity_id)
    assert state, key
    return state


@patch("homeassistant.helpers.entity.Entity.entity_registry_enabled_default", True)
async def test_shows_the_ledger_at_once(hass: HomeAssistant) -> None:
    async with loaded(hass, account(), Platform.SENSOR) as ledger:
        assert sensor(hass, "characters").state == "0"
        assert sensor(hass, "first_packet_latency").state == "unknown"
        ledger.record(spoken(1234), "living_room")
        ledger.record(
            spoken(
                10,
                model=PLUS,
                estimated=True,
                outcome="failed",
                error=ServiceError("broken"),
                first_packet_latency=None,
                real_time_factor=None,
            ),
            "kitchen",
        )
        ledger.record_fallback("kitchen", ServiceError("broken"))
        states = {
            key: sensor(hass, key).state
            for key in (
                "characters",
                "characters_today",
                "characters_month",
                "cost",
                "cost_today",
                "cost_month",
                "requests",
                "failures",
                "fallbacks",
                "estimated_characters",
                "first_packet_latency",
                "real_time_factor",
            )
        }
        states["voice"] = sensor(hass, "characters", "living_room").state
    assert states == {
        "characters": "1244",
        "characters_today": "1244",
        "characters_month": "1244",
        "cost": "0.1254",
        "cost_today": "0.1254",
        "cost_month": "0.1254",
        "requests": "2",
        "failures": "1",
        "fallbacks": "1",
        "estimated_characters": "10",
        "first_packet_latency": "300.0",
        "real_time_factor": "0.2",
        "voice": "1234",
    }


@pytest.mark.parametrize(
    ("region", "currency"), [("cn-beijing", "CNY"), ("ap-southeast-1", "USD")]
)
async def test_money_has_the_currency_of_the_region(
    hass: HomeAssistant, region: str, currency: str
) -> None:
    async with loaded(hass, account(region), Platform.SENSOR):
        attributes = sensor(hass, "cost", f"account_{region}").attributes
    assert attributes["device_class"] == "monetary"
    assert attributes["state_class"] == "total"
    assert attributes["unit_of_measurement"] == currency


async def test_classes_and_what_is_off_by_default(hass: HomeAssistant) -> None:
    async with loaded(hass, account(), Platform.SENSOR):
        characters = sensor(hass, "characters").attributes
        latency = sensor(hass, "first_packet_latency").attributes
        entities = er.async_entries_for_config_entry(
            er.async_get(hass), "account_cn-beijing"
        )
    assert characters["state_class"] == "total_increasing"
    assert characters["unit_of_measurement"] == "characters"
    assert latency["state_class"] == "measurement"
    assert latency["device_class"] == "duration"
    assert latency["unit_of_measurement"] == "ms"
    assert {entity.translation_key for entity in entities if entity.disabled} == {
        "real_time_factor",
        "estimated_characters",
        "tokens",
        "voice_characters",
    }


@pytest.mark.parametrize(
    ("time_zone", "midnight"),
    [
        # Between these midnights the clock goes forward, or back
        ("Europe/Berlin", "2026-03-29 22:00:00+00:00"),
        ("Europe/Berlin", "2026-10-25 23:00:00+00:00"),
        ("Asia/Shanghai", "2026-10-31 16:00:00+00:00"),
    ],
)
async def test_day_and_month_begin_at_local_midnight(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    time_zone: str,
    midnight: str,
) -> None:
    await hass.config.async_set_time_zone(time_zone)
    begin = dt_util.parse_datetime(midnight)
    assert begin
    freezer.move_to(begin - timedelta(hours=2))
    new_month = dt_util.as_local(begin).day == 1
    async with loaded(hass, account(), Platform.SENSOR) as ledger:
        ledger.record(spoken(50), "living_room")
        freezer.move_to(begin - timedelta(seconds=1))
        async_fire_time_changed(hass)
        await hass.async_block_till_done()
        assert sensor(hass, "characters_today").state == "50"

        freezer.move_to(begin)
        async_fire_time_changed(hass)
        await hass.async_block_till_done()
        today = sensor(hass, "characters_today")
        assert today.state == "0"
        assert today.attributes["last_reset"] == dt_util.as_local(begin).isoformat()
        assert sensor(hass, "cost_today").state == "0.0"
        month = sensor(hass, "characters_month")
        assert month.state == ("0" if new_month else "50")
        assert sensor(hass, "characters").state == "50"


@pytest.mark.parametrize(
    ("time_zone", "midnight"),
    [
        # The clock goes forward at midnight, which does not exist then
        ("Africa/Cairo", "2026-04-23 22:00:00+00:00"),
        # It goes back to midnight, which comes twice
        ("America/Havana", "2026-11-01 04:00:00+00:00"),
    ],
)
async def test_a_day_begins_once_if_the_clock_changes_at_midnight(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    time_zone: str,
    midnight: str,
) -> None:
    await hass.config.async_set_time_zone(time_zone)
    begin = dt_util.parse_datetime(midnight)
    assert begin
    freezer.move_to(begin - timedelta(minutes=5))
    async with loaded(hass, account(), Platform.SENSOR) as ledger:
        for after, added, shown in ((-1, 50, "50"), (0, 7, "7"), (3600, 1, "8")):
            freezer.move_to(begin + timedelta(seconds=after))
            async_fire_time_changed(hass)
            ledger.record(spoken(added), "living_room")
            await hass.async_block_till_done()
            assert sensor(hass, "characters_today").state == shown
        reset = sensor(hass, "characters_today").attributes["last_reset"]
        assert dt_util.parse_datetime(reset) == begin
        assert sensor(hass, "characters").state == "58"


# The timers of utility_meter end with Home Assistant
@pytest.mark.parametrize("expected_lingering_timers", [True])
async def test_long_term_statistics_and_utility_meter(
    recorder_mock: Recorder, hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    """Their sums equal the bill, also over midnight."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    start = datetime(2026, 11, 20, 20, tzinfo=UTC)
    freezer.move_to(start)
    await async_setup_component(hass, "sensor", {})
    async with loaded(hass, account(), Platform.SENSOR) as ledger:
        keys = ("characters", "characters_today", "characters_month", "cost")
        ids = {key: sensor(hass, key).entity_id for key in keys}
        meter: dict[str, Any] = {
            "month": {"source": ids["characters"], "cycle": "monthly"},
            "money": {"source": ids["cost"], "cycle": "monthly"},
        }
        assert await async_setup_component(
            hass, "utility_meter", {"utility_meter": meter}
        )
        await hass.async_block_till_done()
        for _ in range(6):
            for _ in range(3):
                freezer.tick(timedelta(minutes=20))
                async_fire_time_changed(hass)
                await hass.async_block_till_done()
                ledger.record(spoken(100), "living_room")
                await hass.async_block_till_done()
        await async_wait_recording_done(hass)
        for minutes in range(0, 6 * 60, 5):
            do_adhoc_statistics(hass, start=start + timedelta(minutes=minutes))
        await async_wait_recording_done(hass)
        statistics = await get_instance(hass).async_add_executor_job(
            statistics_during_period,
            hass,
            start,
            None,
            set(ids.values()),
            "5minute",
            None,
            {"sum"},
        )
        meters = {name: hass.states.get(f"sensor.{name}") for name in meter}
    sums = {key: statistics[entity_id][-1]["sum"] for key, entity_id in ids.items()}
    assert sums == {
        "characters": 1700,
        "characters_today": 1700,
        "characters_month": 1700,
        "cost": pytest.approx(0.17),
    }
    assert meters["month"] and float(meters["month"].state) == 1800
    assert meters["money"] and float(meters["money"].state) == pytest.approx(0.18)


async def test_a_change_of_the_time_zone_counts_nothing_twice(
    recorder_mock: Recorder, hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    """In long-term statistics, also if Home Assistant restarts afterwards."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    start = datetime(2026, 11, 20, 8, tzinfo=UTC)
    freezer.move_to(start)
    await async_setup_component(hass, "sensor", {})
    keys = ("characters_today", "characters_month", "cost_today", "cost_month")
    entry = account()

    async def speak(ledger: UsageLedger, times: int) -> None:
        for _ in range(times):
            freezer.tick(timedelta(minutes=5))
            async_fire_time_changed(hass)
            ledger.record(spoken(100), "living_room")
            await hass.async_block_till_done()

    async with loaded(hass, entry, Platform.SENSOR) as ledger:
        ids = {key: sensor(hass, key).entity_id for key in keys}
        await hass.async_block_till_done()
        await speak(ledger, 5)
        await hass.config.async_set_time_zone("Asia/Shanghai")
        await speak(ledger, 4)
        await ledger.async_save()
    async with loaded(hass, entry, Platform.SENSOR) as ledger:
        await speak(ledger, 1)
    await async_wait_recording_done(hass)
    for minutes in range(0, 60, 5):
        do_adhoc_statistics(hass, start=start + timedelta(minutes=minutes))
    await async_wait_recording_done(hass)
    statistics = await get_instance(hass).async_add_executor_job(
        statistics_during_period,
        hass,
        start,
        None,
        set(ids.values()),
        "5minute",
        None,
        {"sum"},
    )
    sums = {key: statistics[entity_id][-1]["sum"] for key, entity_id in ids.items()}
    assert sums == {
        "characters_today": 1000,
        "characters_month": 1000,
        "cost_today": pytest.approx(0.1),
        "cost_month": pytest.approx(0.1),
    }


@pytest.mark.freeze_time("2026-11-25 12:00:00+00:00")
async def test_sensors(
    hass: HomeAssistant, entry: MockConfigEntry, snapshot: SnapshotAssertion
) -> None:
    await snapshot_platform(hass, entry, Platform.SENSOR, snapshot)
