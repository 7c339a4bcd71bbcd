"""The ledger: what it adds up, what survives, what it calls today and this month."""

import asyncio
from collections import Counter
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
import json
from pathlib import Path
import random
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.cosyvoice.client import CATALOGUE, ServiceError, ThrottledError
from custom_components.cosyvoice.usage.figures import Row, Totals
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers.storage import Store

from .ledgers import FLASH, PLUS, VOICE, account, loaded, spoken

# Before the test plugin keeps all storage in memory
WRITE_FOR_REAL = Store._async_write_data


async def test_counts_what_the_service_billed(hass: HomeAssistant) -> None:
    async with loaded(hass, account()) as ledger:
        ledger.record(spoken(12), "living_room")
        ledger.record(spoken(30, estimated=True), "kitchen")
        ledger.record(
            spoken(
                0,
                outcome="failed",
                error=ThrottledError("slow down", code="Throttling"),
                first_packet_latency=None,
            ),
            "living_room",
        )
        ledger.record(spoken(8, outcome="cancelled"), "living_room")

        assert asdict(ledger.figures.total) == {
            "requests": 4,
            "failures": 1,
            "characters": 50,
            "input_tokens": 0,
            "output_tokens": 0,
            "estimated": 30,
            "audio_seconds": Decimal(5),
            "cost": Decimal("0.005"),
        }
        assert ledger.characters_of("living_room") == 20
        assert ledger.characters_of("kitchen") == 30
        assert ledger.characters_of("never_used") == 0
        assert ledger.errors == {"ThrottledError": 1}


@pytest.mark.parametrize("region", CATALOGUE.regions)
async def test_cost_is_the_price_list_to_the_last_digit(
    hass: HomeAssistant, region: str
) -> None:
    async with loaded(hass, account(region)) as ledger:
        expected = Decimal()
        for model in CATALOGUE.models_in(region):
            for characters in (1, 3, 7, 10_001):
                for _ in range(100):
                    ledger.record(spoken(characters, model=model.id), "living_room")
                price = model.prices[region].per_10k_characters
                expected += price / 10_000 * characters * 100
        assert ledger.figures.total.cost == expected
        assert ledger.currency == CATALOGUE.regions[region].currency


async def test_tokens_are_counted_and_cost_what_the_price_list_says(
    hass: HomeAssistant,
) -> None:
    async with loaded(hass, account()) as ledger:
        tokens = {"input_tokens": 16, "output_tokens": 36}
        for _ in range(100):
            report = spoken(0, model="qwen-audio-3.1-tts-flash", **tokens)
            ledger.record(report, "living_room")
        for totals in (
            ledger.figures.today,
            ledger.figures.month,
            ledger.figures.total,
        ):
            assert totals.cost == Decimal("0.0456")
            assert totals.tokens == 5200
            assert totals.characters == 0
        assert ledger.recent[-1].output_tokens == 36


async def test_model_without_a_price_costs_nothing_and_still_counts(
    hass: HomeAssistant,
) -> None:
    async with loaded(hass, account()) as ledger:
        ledger.record(spoken(10, model="cosyvoice-v9"), "living_room")
        assert ledger.figures.total.characters == 10
        assert ledger.figures.total.cost == 0


async def test_money_of_another_currency_is_not_added(hass: HomeAssistant) -> None:
    entry = account("cn-beijing")
    async with loaded(hass, entry) as ledger:
        ledger.record(spoken(10_000), "living_room")
        await ledger.async_save()
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, "region": "ap-southeast-1"}
    )
    async with loaded(hass, entry) as ledger:
        ledger.record(spoken(10_000), "living_room")
        price = CATALOGUE.models[FLASH].prices["ap-southeast-1"].per_10k_characters
        assert ledger.figures.total.cost == price
        assert ledger.figures.total.characters == 20_000


async def test_keeps_the_last_utterances_without_text(hass: HomeAssistant) -> None:
    async with loaded(hass, account()) as ledger:
        for number in range(60):
            ledger.record(spoken(number), "living_room")
        error = ServiceError("broken", code="InternalError")
        report = spoken(0, outcome="failed", error=error, tasks=2, resumed=1)
        ledger.record(report, "living_room")

        assert len(ledger.recent) == 50
        assert ledger.recent[0].characters == 11
        last = asdict(ledger.recent[-1])
        assert last.pop("time")
        assert last == {
            "subentry_id": "living_room",
            "voice": VOICE,
            "model": FLASH,
            "characters": 0,
            "estimated": False,
            "audio_seconds": 0.0,
            "first_packet_latency": 0.3,
            "real_time_factor": 0.2,
            "outcome": "failed",
            "error": "ServiceError",
            "error_code": "InternalError",
            "request_id": "request-1",
            "tasks": 2,
            "resumed": 1,
            "input_tokens": 0,
            "output_tokens": 0,
        }


@pytest.mark.parametrize(
    ("time_zone", "start"),
    [
        # The clock goes forward on 2026-03-29 and back on 2026-10-25
        ("Europe/Berlin", date(2026, 3, 1)),
        ("Europe/Berlin", date(2026, 10, 1)),
        ("Asia/Shanghai", date(2026, 2, 1)),
        # Here it is midnight that does not exist, on 2026-09-06
        ("America/Santiago", date(2026, 9, 1)),
    ],
)
async def test_month_of_use(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, time_zone: str, start: date
) -> None:
    """Every half hour something is said; each day and the month add up."""
    await hass.config.async_set_time_zone(time_zone)
    zone = ZoneInfo(time_zone)
    end = (start + timedelta(days=31)).replace(day=1)
    now = datetime.combine(start, datetime.min.time(), zone).astimezone(UTC)
    freezer.move_to(now)
    expected: Counter[date] = Counter()
    heard: list[tuple[int, int]] = []
    async with loaded(hass, account()) as ledger:
        ledger.async_add_listener(
            lambda: heard.append(
                (ledger.figures.today.characters, ledger.figures.month.characters)
            )
        )
        while (day := now.astimezone(zone).date()) < end:
            freezer.move_to(now)
            ledger.record(spoken(10), "living_room")
            expected[day] += 10
            assert ledger.figures.today.characters == expected[day]
            assert ledger.figures.month.characters == expected.total()
            now += timedelta(minutes=30)

        lengths = Counter(expected.values())
        if time_zone != "Asia/Shanghai":
            assert set(lengths) - {480} <= {460, 500} and len(lengths) == 2
        for day, characters in expected.items():
            (totals,) = ledger.between(day, day).values()
            assert totals.characters == characters

        heard.clear()
        freezer.move_to(now)
        async_fire_time_changed(hass, now)
        await hass.async_block_till_done()
        assert heard == [(0, 0)]
        assert ledger.figures.total.characters == expected.total()


async def test_day_follows_clock_jumps_and_time_zone(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    await hass.config.async_set_time_zone("Europe/Berlin")
    freezer.move_to("1970-01-01 00:10:00+00:00")
    async with loaded(hass, account()) as ledger:
        ledger.record(spoken(1), "living_room")
        freezer.move_to("2026-11-30 22:30:00+00:00")
        ledger.record(spoken(2), "living_room")
        assert ledger.figures.today.characters == 2

        await hass.config.async_set_time_zone("Asia/Shanghai")
        assert ledger.figures.today.characters == 0
        assert ledger.figures.month.characters == 0

        freezer.move_to("2026-11-29 10:00:00+00:00")
        ledger.record(spoken(4), "living_room")
        assert ledger.figures.today.characters == 4
        assert ledger.figures.month.characters == 6
        assert ledger.figures.total.characters == 7


async def test_who_asks_at_midnight_does_not_keep_it_from_the_others(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    await hass.config.async_set_time_zone("UTC")
    freezer.move_to("2026-11-20 23:59:30+00:00")
    heard: list[int] = []
    async with loaded(hass, account()) as ledger:
        ledger.record(spoken(5), "living_room")
        ledger.async_add_listener(lambda: heard.append(1))
        freezer.move_to("2026-11-21 00:00:00+00:00")
        assert ledger.figures.today.characters == 0
        async_fire_time_changed(hass)
        await hass.async_block_till_done()
        assert heard == [1]


@pytest.mark.timeout(300)
async def test_is_bounded_and_loses_nothing_by_it(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    freezer.move_to("2024-01-15 12:00:00+00:00")
    async with loaded(hass, account()) as ledger:
        for _ in range(800):
            for model in (FLASH, PLUS):
                ledger.record(spoken(10, model=model), "living_room")
            freezer.tick(timedelta(days=1))
            await hass.async_block_till_done()
        periods = ledger._store.books.periods
        assert len([period for period in periods if len(period) == 10]) == 400
        assert len(periods) < 400 + 15
        assert ledger.figures.total.characters == 16_000
        january = ledger.between(date(2024, 1, 1), date(2024, 1, 31))
        assert sum(totals.characters for totals in january.values()) == 17 * 20


async def test_sums_equal_the_records(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    """However utterances fall on days, models and voices, and over restarts."""
    rng = random.Random(6)
    entry = account()
    voices = [VOICE, "longanhuan", "cosyvoice-v3-flash-home-1a2b3c"]
    expected: Counter[tuple[date, str, str]] = Counter()
    freezer.move_to("2026-12-01 08:00:00+00:00")
    for _ in range(10):
        async with loaded(hass, entry) as ledger:
            for _ in range(50):
                freezer.tick(timedelta(minutes=rng.randrange(600)))
                report = spoken(
                    rng.randrange(1000),
                    model=rng.choice([FLASH, PLUS]),
                    voice=rng.choice(voices),
                )
                ledger.record(report, "living_room")
                day = ledger.figures.day
                expected[day, report.model, report.voice] += report.characters
            incremental = ledger.figures
            assert ledger._add_up(ledger.figures.day) == incremental
            await ledger.async_save()
    async with loaded(hass, entry) as ledger:
        for (day, model, voice), characters in expected.items():
            rows = ledger.between(day, day)
            assert rows[Row(model, voice, "CNY")].characters == characters
        assert ledger.figures.total.characters == expected.total()


async def test_restart_keeps_everything(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    entry = account()
    async with loaded(hass, entry) as ledger:
        ledger.record(spoken(10), "living_room")
        ledger.record(
            spoken(5, estimated=True, outcome="failed", error=ServiceError("x")),
            "kitchen",
        )
        ledger.record_fallback("kitchen", ServiceError("x"))
        before = ledger
        await ledger.async_save()
    async with loaded(hass, entry) as ledger:
        assert ledger.figures == before.figures
        assert ledger.recent == before.recent
        assert ledger.errors == before.errors
        assert ledger.fallbacks == 1
        assert ledger.characters_of("kitchen") == 5
        await ledger.async_remove()
    async with loaded(hass, entry) as ledger:
        assert ledger.figures.total == Totals()


async def test_a_message_is_on_disk_when_it_has_ended(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    """The power may fail at any time: nothing is saved on the way out."""
    entry = account()
    async with loaded(hass, entry) as ledger:
        for number in range(1, 51):
            ledger.record(spoken(1), "living_room")
            await asyncio.sleep(0)  # The write begins in the next turn of the loop
            await hass.async_block_till_done()
            stored = hass_storage[f"cosyvoice.usage.{entry.entry_id}"]["data"]
            (rows,) = stored["periods"].values()
            assert sum(row["characters"] for row in rows) == number
    async with loaded(hass, entry) as ledger:
        assert ledger.figures.total.characters == 50


async def test_many_messages_at_once_are_written_together(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    entry = account()
    writes = 0

    async def count(store: Store[Any], data: dict[str, Any]) -> None:
        nonlocal writes
        writes += 1
        await write(store, data)

    write = Store._async_write_data
    async with loaded(hass, entry) as ledger:
        with patch.object(Store, "_async_write_data", count):
            for _ in range(100):
                ledger.record(spoken(1), "living_room")
            await asyncio.sleep(0)
            await hass.async_block_till_done()
    assert writes == 1
    stored = hass_storage[f"cosyvoice.usage.{entry.entry_id}"]["data"]
    assert stored["voice_characters"] == {"living_room": 100}


async def test_shutdown_writes_the_rest(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    entry = account()
    async with loaded(hass, entry) as ledger:
        ledger.record(spoken(7), "living_room")
        hass.set_state(CoreState.final_write)
        hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
        await hass.async_block_till_done()
        assert '"characters": 7' in json.dumps(hass_storage)
    hass.set_state(CoreState.running)


async def test_file_is_never_half_written(hass: HomeAssistant, tmp_path: Path) -> None:
    """The new file replaces the old one in one step."""
    hass.config.config_dir = str(tmp_path)
    real_writes = patch.object(Store, "_async_write_data", WRITE_FOR_REAL)
    async with loaded(hass, account()) as ledger:
        with real_writes:
            ledger.record(spoken(7), "living_room")
            await ledger.async_save()
            (path,) = (tmp_path / ".storage").iterdir()
            first = path.stat().st_ino
            ledger.record(spoken(7), "living_room")
            await ledger.async_save()
            assert path.stat().st_ino != first
            assert json.loads(path.read_text())["data"]["recent"][1]["characters"] == 7


async def test_listener_hears_each_change_until_it_leaves(hass: HomeAssistant) -> None:
    heard = []
    async with loaded(hass, account()) as ledger:
        leave = ledger.async_add_listener(lambda: heard.append(1))
        ledger.record(spoken(), "living_room")
        ledger.record_fallback("living_room", ServiceError("x"))
        assert len(heard) == 2
        leave()
        ledger.record(spoken(), "living_room")
        assert len(heard) == 2
