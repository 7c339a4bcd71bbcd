"""The files of the ledger: damaged ones, few bytes a message, one owner."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
import json
from pathlib import Path
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.cosyvoice.usage.figures import Periods, Row, Totals
from custom_components.cosyvoice.usage.ledger import UsageLedger
from homeassistant.components.backup.const import DATA_MANAGER
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.storage import Store
from homeassistant.setup import async_setup_component

from .conftest import SUBENTRY_ID
from .ledgers import PLUS, account, loaded as loaded_ledger, spoken
from .speaking import speak

# Before the test plugin keeps all storage in memory
LOAD = Store._async_load
WRITE = Store._async_write_data
REMOVE = Store.async_remove


@pytest.fixture
def storage(hass: HomeAssistant, tmp_path: Path) -> Iterator[Path]:
    """The folder of real files."""
    (tmp_path / ".storage").mkdir()
    hass.config.config_dir = str(tmp_path)
    with (
        patch.object(Store, "_async_load", LOAD),
        patch.object(Store, "_async_write_data", WRITE),
        patch.object(Store, "async_remove", REMOVE),
    ):
        yield tmp_path / ".storage"


def found(storage: Path, pattern: str) -> list[Path]:
    """Return the files whose names match."""
    return list(storage.glob(pattern))


def first_row(stored: Any) -> Any:
    """Return the first row of a file's first period."""
    return next(iter(stored["data"]["periods"].values()))[0]


DAMAGES: dict[str, Callable[[Any], object]] = {
    "no periods": lambda stored: stored["data"].pop("periods"),
    "periods that are a list": lambda stored: stored["data"].update(periods=[1]),
    "data that is a list": lambda stored: stored.update(data=[]),
    "no data": lambda stored: stored.pop("data"),
    "an impossible sum": lambda stored: first_row(stored).update(cost="much"),
    "an infinite sum": lambda stored: first_row(stored).update(cost="Infinity"),
    "no number": lambda stored: first_row(stored).update(cost="NaN"),
    "a signalling number": lambda stored: first_row(stored).update(cost="sNaN"),
    "an absurd sum": lambda stored: first_row(stored).update(cost="1E+999999"),
    "a long sum": lambda stored: first_row(stored).update(cost="0." + "1" * 9000),
    "a negative sum": lambda stored: first_row(stored).update(cost="-1"),
    "an absurd length": lambda stored: first_row(stored).update(audio_seconds="9E99"),
    "a negative count": lambda stored: first_row(stored).update(characters=-5),
    "an absurd count": lambda stored: first_row(stored).update(characters="9" * 400),
    "a count that is none": lambda stored: first_row(stored).update(characters=None),
    "a missing field": lambda stored: first_row(stored).pop("model"),
    "a field of a newer release": lambda stored: first_row(stored).update(tokens=1),
    "a day that is none": lambda stored: stored["data"]["periods"].update(yesterday=[]),
    "a newer version": lambda stored: stored.update(version=2),
    "an older version": lambda stored: stored.update(version=0),
    "no version": lambda stored: stored.pop("version"),
}
CURRENT_DAMAGES: dict[str, Callable[[Any], object]] = {
    "a negative counter": lambda stored: stored["data"].update(errors={"X": -1}),
    "an absurd counter": lambda stored: stored["data"]["voice_characters"].update(
        x=10**18
    ),
    "an absurd latency": lambda stored: stored["data"]["recent"][0].update(
        first_packet_latency=1e308
    ),
    "a negative latency": lambda stored: stored["data"]["recent"][0].update(
        real_time_factor=-1
    ),
    "a beginning without a time zone": lambda stored: stored["data"].update(
        began={"2026-11": "2026-11-01T00:00:00"}
    ),
    "counts that are a list": lambda stored: stored["data"].update(errors=[1]),
    "a record of another shape": lambda stored: stored["data"]["recent"].append({}),
    "a record with a wrong type": lambda stored: stored["data"]["recent"][0].update(
        first_packet_latency="soon"
    ),
    "a record of a newer release": lambda stored: stored["data"]["recent"][0].update(
        tokens=1
    ),
    "no budget": lambda stored: stored["data"].pop("budget"),
    "a beginning that is none": lambda stored: stored["data"].update(
        began={"2026-11": "then"}
    ),
}


@pytest.mark.parametrize(
    ("suffix", "damage"),
    [
        *(("", damage) for damage in (*DAMAGES.values(), *CURRENT_DAMAGES.values())),
        *((".past", damage) for damage in DAMAGES.values()),
    ],
    ids=[*DAMAGES, *CURRENT_DAMAGES, *(f"past: {name}" for name in DAMAGES)],
)
async def test_an_unreadable_file_is_set_aside_and_speech_works(
    hass: HomeAssistant,
    storage: Path,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    suffix: str,
    damage: Callable[[Any], object],
) -> None:
    """Counting begins anew, and an issue tells where the file is."""
    before = UsageLedger(hass, entry)
    await before.async_load()
    for _ in range(2):
        before.record(spoken(), SUBENTRY_ID)
        await hass.async_block_till_done()
        await before.async_save()
        freezer.tick(timedelta(days=1))
    path = storage / f"cosyvoice.usage.{entry.entry_id}{suffix}"
    stored = json.loads(path.read_text())
    damage(stored)
    path.write_text(json.dumps(stored))

    assert await hass.config_entries.async_setup(entry.entry_id)
    assert await speak(hass, "你好。")
    (issue,) = ir.async_get(hass).issues.values()
    assert issue.translation_key == "usage_unreadable"
    assert issue.translation_placeholders
    (aside,) = found(storage, "*.unreadable.*")
    assert issue.translation_placeholders["files"] == aside.name
    assert json.loads(aside.read_text()) == stored
    await hass.config_entries.async_unload(entry.entry_id)

    after = UsageLedger(hass, entry)
    assert await after.async_load() == []
    assert after.figures.today.characters == 5
    # The past file holds both messages of before, the current one the last of them
    assert after.figures.total.requests == (2 if suffix else 3)


async def test_a_file_that_is_cut_off_is_begun_anew(
    hass: HomeAssistant, storage: Path, entry: MockConfigEntry
) -> None:
    """Home Assistant keeps a copy of it and opens an issue."""
    path = storage / f"cosyvoice.usage.{entry.entry_id}"
    path.write_text('{"version": 1, "data": {"peri')
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert await speak(hass, "你好。")
    assert found(storage, "*.corrupt.*")
    assert [issue.translation_key for issue in ir.async_get(hass).issues.values()] == [
        "storage_corruption"
    ]


async def test_a_file_that_cannot_be_set_aside_is_not_overwritten(
    hass: HomeAssistant, storage: Path, entry: MockConfigEntry
) -> None:
    path = storage / f"cosyvoice.usage.{entry.entry_id}"
    content = '{"version": 2, "data": {}}'
    path.write_text(content)
    with patch("os.rename", side_effect=PermissionError("read-only")):
        assert await hass.config_entries.async_setup(entry.entry_id)
    assert await speak(hass, "你好。")
    assert entry.runtime_data.usage.figures.total.characters == 5
    await hass.config_entries.async_unload(entry.entry_id)
    assert path.read_text() == content


async def test_a_file_that_vanishes_does_not_keep_the_usage_from_being_kept(
    hass: HomeAssistant, hass_storage: dict[str, Any], entry: MockConfigEntry
) -> None:
    """It was read, and was gone when it was to be set aside."""
    key = f"cosyvoice.usage.{entry.entry_id}"
    hass_storage[key] = {"version": 1, "minor_version": 1, "key": key, "data": []}
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert await speak(hass, "你好。")
    await hass.config_entries.async_unload(entry.entry_id)
    assert hass_storage[key]["data"]["recent"][0]["characters"] == 5


async def test_a_file_of_the_first_release_is_read(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    """All periods are in one file, and records have fewer fields."""
    entry = account()
    async with loaded_ledger(hass, entry) as ledger:
        ledger.record(spoken(7), "living_room")
        await ledger.async_save()
        before = ledger.figures
    data = hass_storage[f"cosyvoice.usage.{entry.entry_id}"]["data"]
    del data["began"], data["recent"][0]["tasks"], data["recent"][0]["resumed"]
    async with loaded_ledger(hass, entry) as ledger:
        assert ledger.figures == before
        assert ledger.recent[0].tasks == 0


async def test_a_message_rewrites_its_day_only(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, hass_storage: dict[str, Any]
) -> None:
    """Nothing is lost by it, wherever the power fails."""
    entry = account()
    key = f"cosyvoice.usage.{entry.entry_id}"
    files = (key, f"{key}.past")
    freezer.move_to("2025-01-15 12:00:00+00:00")
    async with loaded_ledger(hass, entry) as ledger:
        for _ in range(450):
            for voice in ("longanyang", "longanhuan", "longxiaochun_v2"):
                ledger.record(spoken(10, voice=voice, model=PLUS), "living_room")
            await hass.async_block_till_done()
            freezer.tick(timedelta(days=1))
        await ledger.async_save()
        before = {name: json.dumps(hass_storage[name]) for name in files}

        ledger.record(spoken(10), "living_room")
        await hass.async_block_till_done()
        between = json.dumps(hass_storage[f"{key}.past"])
        await ledger.async_save()
        after = {name: json.dumps(hass_storage[name]) for name in files}
        figures = ledger.figures
    assert figures.total.characters == 450 * 30 + 10
    assert len(after[key]) < 30_000 < len(after[f"{key}.past"])
    crashes = {
        "before anything was written": (before[key], before[f"{key}.past"], 0),
        "between the two files": (before[key], between, 10),
        "after both": (after[key], after[f"{key}.past"], 10),
    }
    for current, past, last in crashes.values():
        hass_storage[key] = json.loads(current)
        hass_storage[f"{key}.past"] = json.loads(past)
        async with loaded_ledger(hass, entry) as ledger:
            assert ledger.figures.total.characters == 450 * 30 + last


def test_days_that_are_being_written_are_not_added_up() -> None:
    """The oldest of 402 days stays, as the clock went back to it."""
    periods = Periods()
    row = Row(PLUS, "longanyang", "CNY")
    days = [date(2024, 1, 1) + timedelta(days=number) for number in range(402)]
    for day in days:
        periods.add(day, row, Totals(characters=1))
    periods.fold(keep=[days[0].isoformat()])
    assert periods.keys() == {"2024-01", *(f"{day}" for day in [days[0], *days[2:]])}
    assert periods.between()[row].characters == 402


async def test_a_reload_keeps_the_ledger(
    hass: HomeAssistant, hass_storage: dict[str, Any], loaded: MockConfigEntry
) -> None:
    """A message that ends after the reload is added, and overwrites nothing."""
    before = loaded.runtime_data.usage
    assert await hass.config_entries.async_unload(loaded.entry_id)
    before.record(spoken(15), SUBENTRY_ID)
    assert await hass.config_entries.async_setup(loaded.entry_id)
    loaded.runtime_data.usage.record(spoken(20), SUBENTRY_ID)
    before.record_fallback(SUBENTRY_ID, ValueError())
    async_fire_time_changed(hass, fire_all=True)
    await hass.async_block_till_done()
    data = hass_storage[f"cosyvoice.usage.{loaded.entry_id}"]["data"]
    assert [record["characters"] for record in data["recent"]] == [15, 20]
    assert data["voice_fallbacks"] == {SUBENTRY_ID: 1}
    assert loaded.runtime_data.usage.figures.total.characters == 35


async def test_the_files_of_a_removed_account_do_not_come_back(
    hass: HomeAssistant,
    storage: Path,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    assert await hass.config_entries.async_setup(entry.entry_id)
    ledger = entry.runtime_data.usage
    ledger.record(spoken(15), SUBENTRY_ID)
    await hass.config_entries.async_remove(entry.entry_id)
    assert found(storage, "cosyvoice*") == []
    freezer.tick(timedelta(days=1))
    ledger.record(spoken(15), SUBENTRY_ID)
    async_fire_time_changed(hass, fire_all=True)
    await hass.async_block_till_done()
    assert found(storage, "cosyvoice*") == []


async def test_a_backup_has_the_last_message(
    hass: HomeAssistant, hass_storage: dict[str, Any], loaded: MockConfigEntry
) -> None:
    """Home Assistant's backup asks for it before it copies the files."""
    assert await async_setup_component(hass, "backup", {})
    await hass.async_block_till_done()
    loaded.runtime_data.usage.record(spoken(15), SUBENTRY_ID)
    manager = hass.data[DATA_MANAGER]
    await manager.async_pre_backup_actions()
    data = hass_storage[f"cosyvoice.usage.{loaded.entry_id}"]["data"]
    assert [record["characters"] for record in data["recent"]] == [15]
    await manager.async_post_backup_actions()
