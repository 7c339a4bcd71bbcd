"""The files of a ledger, so that each message rewrites little."""

from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime
import os
from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util

from ..const import DOMAIN, LOGGER
from .budget import Announcements
from .figures import Periods, UsageRecord, plausible

RECENT_KEPT = 50
"""Utterances that are kept one by one."""

STORAGE_VERSION = 1


@dataclass(slots=True, kw_only=True)
class Books:
    """Content of a ledger.

    Attributes:
        periods: Usage by day or month.
        changed: Periods that differ from the file of past periods.
        voice_characters: Billed characters by voice subentry.
        voice_fallbacks: Messages spoken by another engine, by voice subentry.
        errors: Failures by error class.
        recent: The last utterances.
        announced: Thresholds of the budget announced so far.
        began: Begin of the current day and month, by period.
    """

    periods: Periods = field(default_factory=Periods)
    changed: set[str] = field(default_factory=set)
    voice_characters: Counter[str] = field(default_factory=Counter)
    voice_fallbacks: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    recent: deque[UsageRecord] = field(
        default_factory=lambda: deque(maxlen=RECENT_KEPT)
    )
    announced: Announcements = field(default_factory=Announcements)
    began: dict[str, datetime] = field(default_factory=dict)

    def as_dict(self, periods: Iterable[str]) -> dict[str, Any]:
        """Return the content in the form of its file, with some of the periods."""
        return {
            "periods": self.periods.as_dict(periods),
            "voice_characters": dict(self.voice_characters),
            "voice_fallbacks": dict(self.voice_fallbacks),
            "errors": dict(self.errors),
            "recent": [asdict(record) for record in self.recent],
            "budget": {
                "announced_for": self.announced.subject,
                "announced": list(self.announced.percents),
            },
            "began": {period: time.isoformat() for period, time in self.began.items()},
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Books:
        """Return the content of a file.

        Raises:
            Exception: The file is damaged, or of another version.
        """
        periods = Periods.from_dict(data["periods"])
        budget = data["budget"]
        began = {
            str(period): _with_time_zone(datetime.fromisoformat(time))
            for period, time in data.get("began", {}).items()
        }
        return cls(
            periods=periods,
            changed=set(periods),
            voice_characters=_counter(data["voice_characters"]),
            voice_fallbacks=_counter(data["voice_fallbacks"]),
            errors=_counter(data["errors"]),
            recent=deque(map(UsageRecord.from_dict, data["recent"]), RECENT_KEPT),
            announced=Announcements(
                subject=str(budget["announced_for"]),
                percents=[int(percent) for percent in budget["announced"]],
            ),
            began=began,
        )


class UsageStore:
    """Reads and writes the books of one account.

    One file holds everything that changes with a message, including the usage of the
    current day. A second file holds past days and is written once a day. A day that
    is in both files counts as in the first one.
    """

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        self.books = Books()
        self._hass = hass
        key = f"{DOMAIN}.usage.{entry_id}"
        self._current = Store[dict[str, Any]](
            hass, STORAGE_VERSION, key, atomic_writes=True
        )
        self._past = Store[dict[str, Any]](
            hass, STORAGE_VERSION, f"{key}.past", atomic_writes=True
        )
        self._unsaved = False
        # Periods that are being written to the file of past periods
        self._moving: set[str] = set()

    async def async_load(self) -> list[str]:
        """Read the files.

        Return the new paths of files that cannot be read.
        """
        set_aside: list[str] = []
        past = await self._async_read(self._past, _past_periods, set_aside)
        self.books = (
            await self._async_read(self._current, Books.from_dict, set_aside) or Books()
        )
        self.books.periods = Periods((past or {}) | self.books.periods)
        return set_aside

    @callback
    def async_save_soon(self, period: str | None = None) -> None:
        """Begin to write, or write again after the write under way.

        A message that has ended is kept if Home Assistant is killed.

        Args:
            period: The day whose usage changed.
        """
        changed = self.books.changed
        if period is not None and period not in changed:
            if changed:
                self._hass.async_create_task(
                    self._async_move_changed(), f"{DOMAIN} past usage"
                )
            self.books.changed.add(period)
        if not self._unsaved:
            self._unsaved = True
            self._current.async_delay_save(self._current_data)

    async def async_save(self) -> None:
        """Write now, and wait for writes under way."""
        # Again if something changed meanwhile
        self._unsaved = True
        while self._unsaved:
            await self._current.async_save(self._current_data())

    async def async_remove(self) -> None:
        """Delete the files.

        Nothing is written any more.
        """
        for store in (self._current, self._past):
            store.make_read_only()
            await store.async_save({})  # Writes nothing, and waits for other writes
            await store.async_remove()

    def _current_data(self) -> dict[str, Any]:
        self._unsaved = False
        return self.books.as_dict(sorted(self.books.changed | self._moving))

    async def _async_move_changed(self) -> None:
        """Write past periods to their file.

        Only then do they leave the other.
        """
        books = self.books
        moving, books.changed = books.changed, set()
        self._moving |= moving
        books.periods.fold(keep=self._moving)
        await self._past.async_save({"periods": books.periods.as_dict(books.periods)})
        self._moving -= moving

    async def _async_read[T](
        self,
        store: Store[dict[str, Any]],
        parse: Callable[[dict[str, Any]], T],
        set_aside: list[str],
    ) -> T | None:
        """Return the content of a file, None if there is none.

        A file that cannot be read is renamed. If that fails, it is not overwritten.
        """
        try:
            data = await store.async_load()
            return None if data is None else parse(data)
        except Exception as err:  # noqa: BLE001 - speech must not depend on a file
            LOGGER.error("The usage in %s cannot be read: %r", store.path, err)
        time = dt_util.utcnow().strftime("%Y%m%dT%H%M%S")
        new_path = f"{store.path}.unreadable.{time}"
        try:
            await self._hass.async_add_executor_job(os.rename, store.path, new_path)
        except OSError as err:
            LOGGER.error("%s cannot be renamed: %s", store.path, err)
            if not isinstance(err, FileNotFoundError):
                store.make_read_only()
        set_aside.append(new_path)
        return None


def _past_periods(data: dict[str, Any]) -> Periods:
    return Periods.from_dict(data["periods"])


def _counter(data: dict[str, Any]) -> Counter[str]:
    return Counter({str(name): plausible(int(n)) for name, n in data.items()})


def _with_time_zone(time: datetime) -> datetime:
    if time.tzinfo is None:
        raise ValueError(f"{time} has no time zone")
    return time
