"""The ledger: what was billed to an account, and how its requests went."""

import asyncio
import calendar
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple, Self

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_REGION
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.event import async_track_utc_time_change
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util

from ..client import CATALOGUE, CosyVoiceError, UtteranceReport
from ..const import DOMAIN, settings_signal
from .budget import Budget

DAYS_KEPT = 400
"""Days with speech that keep figures of their own; older ones become months."""
RECENT_KEPT = 50
"""The last utterances, kept one by one."""
SAVE_DELAY = 2.0
"""Seconds from the first unsaved utterance to the write."""
LAST_RECORDS = 2.0
"""Seconds that unloading waits for the records of utterances under way."""
STORAGE_VERSION = 1


@dataclass(slots=True, kw_only=True)
class Totals:
    """What some utterances come to.

    Attributes:
        requests: Utterances sent to the service.
        failures: Those of them that failed.
        characters: Billed characters.
        estimated: Those of them that were counted here, for want of the service's
            figure.
        audio_seconds: Seconds of audio received, to the millisecond.
        cost: In the currency of the row or of the account; exact.
    """

    requests: int = 0
    failures: int = 0
    characters: int = 0
    estimated: int = 0
    audio_seconds: Decimal = field(default_factory=Decimal)
    cost: Decimal = field(default_factory=Decimal)

    def add(self, other: Self) -> None:
        """Add other utterances to these."""
        self.requests += other.requests
        self.failures += other.failures
        self.characters += other.characters
        self.estimated += other.estimated
        self.audio_seconds += other.audio_seconds
        self.cost += other.cost


class Row(NamedTuple):
    """What the ledger keeps apart within a day or month."""

    model: str
    voice: str
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRecord:
    """One utterance, without its text.

    Attributes:
        time: When it ended, in UTC, ISO 8601.
        subentry_id: The voice subentry that spoke it.
        first_packet_latency: Seconds; None if there was no audio.
        real_time_factor: Seconds of synthesis per second of audio.
        error: The class of the error it failed with.
        error_code: The service's code of that error.
        request_id: The service's id of its first task.
    """

    time: str
    subentry_id: str
    voice: str
    model: str
    characters: int
    estimated: bool
    audio_seconds: float
    first_packet_latency: float | None
    real_time_factor: float | None
    outcome: str
    error: str | None
    error_code: str | None
    request_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What an account has used, in the currency of its region."""

    day: date
    today: Totals
    month: Totals
    total: Totals


class UsageLedger:
    """The utterances of one account, added up by day, model and voice, and kept on disk.

    Days and months are those of Home Assistant's time zone. An utterance counts
    when it ends. Audio that Home Assistant replays from its cache costs nothing
    and never comes here.
    """

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
        """Make an empty ledger; `async_load` fills it."""
        self._region: str = entry.data[CONF_REGION]
        self.currency = CATALOGUE.regions[self._region].currency
        self.recent: deque[UsageRecord] = deque(maxlen=RECENT_KEPT)
        self.errors: Counter[str] = Counter()
        self.budget = Budget(hass, entry, self.currency)
        self._hass = hass
        self._entry = entry
        self._store = Store[dict[str, Any]](
            hass,
            STORAGE_VERSION,
            f"{DOMAIN}.usage.{entry.entry_id}",
            atomic_writes=True,
        )
        # By day ("2026-11-22") or, for the past, by month ("2026-11")
        self._periods: dict[str, dict[Row, Totals]] = {}
        self._voice_characters: Counter[str] = Counter()
        self._voice_fallbacks: Counter[str] = Counter()
        self._figures: Figures | None = None
        self._day_shown: date | None = None
        self._listeners: set[CALLBACK_TYPE] = set()
        self._unsaved = False
        self._expected = 0
        self._recorded = asyncio.Event()

    @property
    def figures(self) -> Figures:
        """What was used today, this month and since the account was added."""
        today = dt_util.now().date()
        if self._figures is None or self._figures.day != today:
            self._figures = self._add_up(today)
        return self._figures

    @property
    def fallbacks(self) -> int:
        """How often another engine had to speak instead."""
        return self._voice_fallbacks.total()

    def cost_of(self, report: UtteranceReport) -> Decimal:
        """Return what an utterance costs, in the account's currency.

        It is 0 for a model that has no price in the account's region.
        """
        model = CATALOGUE.models.get(report.model)
        price = model.prices.get(self._region) if model else None
        if price is None:
            return Decimal()
        return report.characters * Decimal(str(price.per_10k_characters)) / 10_000

    def characters_of(self, subentry_id: str) -> int:
        """Return the characters billed through one voice subentry."""
        return self._voice_characters[subentry_id]

    def between(
        self, first: date = date.min, last: date = date.max
    ) -> dict[Row, Totals]:
        """Return the use from the first to the last day, both included.

        A month older than the days kept counts as a whole on its 1st.
        """
        result: dict[Row, Totals] = {}
        for period, rows in self._periods.items():
            if first <= _first_day(period) <= last:
                _add_rows(result, rows)
        return result

    def in_account_currency(self, rows: Mapping[Row, Totals]) -> Totals:
        """Return the sum of rows; money of another region's currency is left out."""
        result = Totals()
        for row, totals in rows.items():
            in_currency = row.currency == self.currency
            result.add(totals if in_currency else replace(totals, cost=Decimal()))
        return result

    async def async_load(self) -> None:
        """Read what was kept, and follow the clock until the entry is unloaded."""
        if (data := await self._store.async_load()) is not None:
            self._restore(data)
        self._entry.async_on_unload(
            # The change of day is looked for every minute: this is right at midnight,
            # and also after the clock was set or the time zone changed.
            async_track_utc_time_change(self._hass, self._async_follow_clock, second=0)
        )
        self._entry.async_on_unload(
            async_dispatcher_connect(
                self._hass,
                settings_signal(self._entry.entry_id),
                self._async_updated,
            )
        )
        self.budget.async_update(self.figures)

    async def async_all_recorded(self, limit: float) -> None:
        """Wait until nobody speaks and all is recorded, at most `limit` seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(limit):
                while self._expected:
                    self._recorded.clear()
                    await self._recorded.wait()

    async def async_save(self) -> None:
        """Write at once; call it at unloading, when the client is closed."""
        await self.async_all_recorded(LAST_RECORDS)
        # Even if nothing is unsaved: a write may be under way, and this waits for it.
        # Again if something came meanwhile: an utterance that the unloading ended.
        self._unsaved = True
        while self._unsaved:
            await self._store.async_save(self._data_to_save())

    @contextmanager
    def expecting(self) -> Iterator[None]:
        """Have unloading wait for an utterance's record, which comes in here."""
        self._expected += 1
        try:
            yield
        finally:
            self._expected -= 1
            self._recorded.set()

    @callback
    def record(self, report: UtteranceReport, subentry_id: str) -> None:
        """Enter one utterance that has ended; call it once per utterance."""
        row = Row(report.model, report.voice, self.currency)
        totals = Totals(
            requests=1,
            failures=int(report.outcome == "failed"),
            characters=report.characters,
            estimated=report.characters if report.estimated else 0,
            audio_seconds=round(Decimal(report.audio_seconds), 3),
            cost=self.cost_of(report),
        )
        figures = self.figures
        day = self._periods.setdefault(figures.day.isoformat(), {})
        for sums in (
            day.setdefault(row, Totals()),
            figures.today,
            figures.month,
            figures.total,
        ):
            sums.add(totals)
        self._voice_characters[subentry_id] += report.characters
        if report.error is not None:
            self.errors[type(report.error).__name__] += 1
        self.recent.append(_record_of(report, subentry_id))
        self._fold_old_days()
        self._async_save_soon()
        self._async_updated()

    @callback
    def record_fallback(self, subentry_id: str, error: CosyVoiceError) -> None:
        """Count that another engine spoke in place of a voice, and why."""
        self._voice_fallbacks[subentry_id] += 1
        self.errors[f"fallback: {type(error).__name__}"] += 1
        self._async_save_soon()
        self._async_updated()

    def check_budget(self) -> None:
        """Call this before every request that will be billed.

        Raises:
            ServiceValidationError: ``over_budget``: the month's budget is used up and
                the account is set to refuse speech then.
        """
        self.budget.check(self.figures)

    @callback
    def async_add_listener(self, listener: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Call a listener whenever a figure may have changed, until unsubscribed."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    async def async_remove(self) -> None:
        """Delete what was kept; call it when the account is removed."""
        await self._store.async_remove()

    @callback
    def _async_follow_clock(self, _now: datetime) -> None:
        if self._day_shown != self.figures.day:
            self._async_updated()

    @callback
    def _async_updated(self) -> None:
        self._day_shown = self.figures.day
        if self.budget.async_update(self.figures):
            self._async_save_soon()
        for listener in tuple(self._listeners):
            listener()

    @callback
    def _async_save_soon(self) -> None:
        # A further call would put the write off, so that steady use would never
        # be written.
        if not self._unsaved:
            self._unsaved = True
            self._store.async_delay_save(self._data_to_save, SAVE_DELAY)

    def _add_up(self, today: date) -> Figures:
        return Figures(
            day=today,
            today=self.in_account_currency(self.between(today, today)),
            month=self.in_account_currency(
                self.between(today.replace(day=1), _last_of_month(today))
            ),
            total=self.in_account_currency(self.between()),
        )

    def _fold_old_days(self) -> None:
        days = sorted(period for period in self._periods if len(period) > _MONTH)
        for day in days[:-DAYS_KEPT]:
            month = self._periods.setdefault(day[:_MONTH], {})
            _add_rows(month, self._periods.pop(day))

    def _data_to_save(self) -> dict[str, Any]:
        self._unsaved = False
        return {
            "periods": {
                period: [_stored(row, totals) for row, totals in rows.items()]
                for period, rows in self._periods.items()
            },
            "voice_characters": dict(self._voice_characters),
            "voice_fallbacks": dict(self._voice_fallbacks),
            "errors": dict(self.errors),
            "recent": [asdict(record) for record in self.recent],
            "budget": self.budget.as_dict(),
        }

    def _restore(self, data: dict[str, Any]) -> None:
        for period, stored in data["periods"].items():
            rows = self._periods[period] = {}
            for item in stored:
                row = Row(*(item.pop(name) for name in Row._fields))
                exact = {
                    name: Decimal(item[name]) for name in ("audio_seconds", "cost")
                }
                rows[row] = Totals(**item | exact)
        self._voice_characters.update(data["voice_characters"])
        self._voice_fallbacks.update(data["voice_fallbacks"])
        self.errors.update(data["errors"])
        self.recent.extend(UsageRecord(**record) for record in data["recent"])
        self.budget.restore(data["budget"])


_MONTH = len("2026-11")


def _first_day(period: str) -> date:
    return date.fromisoformat(period if len(period) > _MONTH else f"{period}-01")


def _last_of_month(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def _add_rows(target: dict[Row, Totals], rows: Mapping[Row, Totals]) -> None:
    for row, totals in rows.items():
        target.setdefault(row, Totals()).add(totals)


def _stored(row: Row, totals: Totals) -> dict[str, Any]:
    return row._asdict() | {
        "requests": totals.requests,
        "failures": totals.failures,
        "characters": totals.characters,
        "estimated": totals.estimated,
        "audio_seconds": str(totals.audio_seconds),
        "cost": str(totals.cost),
    }


def _record_of(report: UtteranceReport, subentry_id: str) -> UsageRecord:
    return UsageRecord(
        time=dt_util.utcnow().isoformat(timespec="milliseconds"),
        subentry_id=subentry_id,
        voice=report.voice,
        model=report.model,
        characters=report.characters,
        estimated=report.estimated,
        audio_seconds=round(report.audio_seconds, 3),
        first_packet_latency=report.first_packet_latency,
        real_time_factor=report.real_time_factor,
        outcome=report.outcome,
        error=type(report.error).__name__ if report.error else None,
        error_code=report.error.code if report.error else None,
        request_id=report.request_ids[0] if report.request_ids else None,
    )
