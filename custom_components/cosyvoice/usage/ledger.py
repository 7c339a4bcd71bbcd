"""The ledger: billed usage of one account, and how its requests ended."""

import asyncio
import calendar
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_REGION
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.event import async_track_utc_time_change
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from ..client import CATALOGUE, UtteranceReport
from ..const import CHARACTERS, DOMAIN, settings_signal
from ..localization import common_text, localized, pattern_of
from .budget import Budget, BudgetNotice
from .figures import Figures, Row, Rows, Totals, UsageRecord, in_currency
from .store import UsageStore

LAST_RECORDS = 2.0
"""Seconds that unloading waits for the records of utterances under way."""

OUTPUT_TOKENS = 2
"""Tokens of audio for which a message in flight counts, per character.

They apply to models that bill tokens, 12.5 a second."""

type NoticeListener = Callable[[BudgetNotice], None]

_LEDGERS: HassKey[dict[str, UsageLedger]] = HassKey(f"{DOMAIN}_ledgers")


@dataclass(frozen=True, eq=False)
class _InFlight:
    """An utterance that is not recorded yet."""

    model: str
    counted: Callable[[], int]


class OverBudgetError(ServiceValidationError):
    """The month's budget is used up and the account refuses speech then."""


@callback
def async_get_ledger(hass: HomeAssistant, entry: ConfigEntry[Any]) -> UsageLedger:
    """Return the ledger of an account.

    It outlives a reload, so that an utterance that ends later is recorded where the
    next one is, and no two ledgers write the same file.
    """
    ledgers = hass.data.setdefault(_LEDGERS, {})
    if entry.entry_id not in ledgers:
        ledgers[entry.entry_id] = UsageLedger(hass, entry)
    return ledgers[entry.entry_id]


async def async_remove_ledger(hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
    """Delete the ledger of an account, and its files."""
    await async_get_ledger(hass, entry).async_remove()
    del hass.data[_LEDGERS][entry.entry_id]


async def async_save_ledgers(hass: HomeAssistant) -> None:
    """Write the unsaved figures of all accounts."""
    for ledger in tuple(hass.data.get(_LEDGERS, {}).values()):
        await ledger.async_save()


class UsageLedger:
    """The utterances of one account, added up by day, model and voice.

    Days and months are those of Home Assistant's time zone. An utterance counts on
    the day when it ends. Audio that Home Assistant replays from its cache costs
    nothing and is not recorded.
    """

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
        self._hass = hass
        self._entry = entry
        self._store = UsageStore(hass, entry.entry_id)
        self._loaded = False
        self._figures: Figures | None = None
        self._day_shown: date | None = None
        self._listeners: set[CALLBACK_TYPE] = set()
        self._notice_listeners: set[NoticeListener] = set()
        self._in_flight: list[_InFlight] = []
        self._recorded = asyncio.Event()

    @property
    def currency(self) -> str:
        """Currency of the account's region."""
        return CATALOGUE.regions[self._region].currency

    @property
    def budget(self) -> Budget:
        """The monthly budget as the account's options have it now."""
        return Budget.of(self._entry.options, self.currency)

    @property
    def budget_unit_name(self) -> str:
        """Unit of the budget in Home Assistant's language."""
        if self.budget.is_money:
            return self.currency
        return common_text(self._hass, CHARACTERS, CHARACTERS)

    @property
    def figures(self) -> Figures:
        """Usage today, this month and since the account was added."""
        today = dt_util.now().date()
        if self._figures is None or self._figures.day != today:
            self._figures = self._add_up(today)
        return self._figures

    @property
    def recent(self) -> deque[UsageRecord]:
        """The last utterances, oldest first."""
        return self._store.books.recent

    @property
    def errors(self) -> Counter[str]:
        """Failures by error class."""
        return self._store.books.errors

    @property
    def fallbacks(self) -> int:
        """Messages that another engine spoke."""
        return self._store.books.voice_fallbacks.total()

    def period_start(self, period: Literal["day", "month"]) -> datetime:
        """Return when the current day or month began.

        A change of the time zone does not move it: statistics would take that for a
        new period and count its usage again.
        """
        day = self.figures.day
        key = f"{day}" if period == "day" else f"{day:%Y-%m}"
        return self._store.books.began[key]

    def cost_of(self, report: UtteranceReport) -> Decimal:
        """Return the cost of an utterance in the account's currency.

        It is 0 for a model that has no price in the account's region.
        """
        return self._cost(
            report.model, report.characters, report.input_tokens, report.output_tokens
        )

    def characters_of(self, subentry_id: str) -> int:
        """Return the characters billed through one voice subentry."""
        return self._store.books.voice_characters[subentry_id]

    def between(self, first: date = date.min, last: date = date.max) -> Rows:
        """Return the usage from the first to the last day, both included.

        A month that is older than the days kept counts on its 1st.
        """
        return self._store.books.periods.between(first, last)

    def in_account_currency(self, rows: Rows) -> Totals:
        """Return the sum of rows, leaving out costs in other currencies."""
        return in_currency(self.currency, rows)

    async def async_load(self) -> list[str]:
        """Read the files unless this was done before.

        Returns:
            New paths of files that were set aside because they cannot be read.
        """
        set_aside: list[str] = []
        if not self._loaded:
            set_aside = await self._store.async_load()
            self._loaded = True
        self._figures = None
        return set_aside

    @callback
    def async_follow(self) -> None:
        """Follow the clock and the options until the account is unloaded."""
        unsubscribe = (
            # Every minute, so that a set clock and another time zone count as well
            async_track_utc_time_change(self._hass, self._async_follow_clock, second=0),
            async_dispatcher_connect(
                self._hass,
                settings_signal(self._entry.entry_id),
                self._async_updated,
            ),
        )
        for remove in unsubscribe:
            self._entry.async_on_unload(remove)
        self._async_updated()

    async def async_save(self) -> None:
        """Write unsaved figures, those of utterances that end within 2 s included."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_RECORDS):
                while self._in_flight:
                    self._recorded.clear()
                    await self._recorded.wait()
        await self._store.async_save()

    async def async_remove(self) -> None:
        """Delete the files.

        Later records are not kept.
        """
        await self._store.async_remove()

    @contextmanager
    def in_flight(self, model: str, counted: Callable[[], int]) -> Iterator[None]:
        """Count an utterance that is not recorded yet.

        A budget that refuses speech counts it, and unloading waits for its record.

        Args:
            model: The model that speaks.
            counted: Returns the characters that the utterance is going to be billed
                for, as far as they are known.
        """
        utterance = _InFlight(model, counted)
        self._in_flight.append(utterance)
        try:
            yield
        finally:
            self._in_flight.remove(utterance)
            self._recorded.set()

    @callback
    def record(self, report: UtteranceReport, subentry_id: str) -> None:
        """Record an utterance that has ended.

        Call it once per utterance.
        """
        books = self._store.books
        totals = Totals.of(report, self.cost_of(report))
        figures = self.figures
        row = Row(report.model, report.voice, self.currency)
        books.periods.add(figures.day, row, totals)
        for sums in (figures.today, figures.month, figures.total):
            sums.add(totals)
        books.voice_characters[subentry_id] += report.characters
        if report.error is not None:
            books.errors[type(report.error).__name__] += 1
        books.recent.append(UsageRecord.of(report, subentry_id, dt_util.utcnow()))
        self._store.async_save_soon(figures.day.isoformat())
        self._async_updated()

    @callback
    def record_fallback(self, subentry_id: str, error: Exception) -> None:
        """Record that another engine spoke in place of a voice, and why."""
        books = self._store.books
        books.voice_fallbacks[subentry_id] += 1
        books.errors[f"fallback: {type(error).__name__}"] += 1
        self._store.async_save_soon()
        self._async_updated()

    def check_budget(self) -> None:
        """Call this before every request that is billed.

        Raises:
            OverBudgetError: The month's budget is used up, by recorded utterances
                and those in flight, and the account refuses speech then.
        """
        budget = self.budget
        pending = sum(
            (self._pending(each, budget) for each in self._in_flight), Decimal()
        )
        if budget.refuses_more(self.figures, pending):
            raise OverBudgetError(
                translation_domain=DOMAIN,
                translation_key="over_budget_money"
                if budget.is_money
                else "over_budget",
                translation_placeholders={
                    "account": self._entry.title,
                    "budget": localized(budget.shown, pattern_of(self._hass)),
                },
            )

    @callback
    def async_add_listener(self, listener: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Call a listener whenever a figure may have changed, until unsubscribed."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    @callback
    def async_add_notice_listener(self, listener: NoticeListener) -> CALLBACK_TYPE:
        """Call a listener when a threshold of the budget is reached.

        A threshold that is reached while nobody listens is announced later.
        """
        self._notice_listeners.add(listener)
        return lambda: self._notice_listeners.discard(listener)

    @property
    def _region(self) -> str:
        region: str = self._entry.data[CONF_REGION]
        return region

    def _cost(self, model_id: str, characters: int, *tokens: int) -> Decimal:
        model = CATALOGUE.models.get(model_id)
        price = model.prices.get(self._region) if model else None
        return price.cost(characters, *tokens) if price else Decimal()

    def _pending(self, utterance: _InFlight, budget: Budget) -> Decimal:
        """Return the part of the budget that an utterance is going to use."""
        characters = utterance.counted()
        if not budget.is_money:
            return Decimal(characters)
        tokens = characters, characters * OUTPUT_TOKENS
        return self._cost(utterance.model, characters, *tokens)

    @callback
    def _async_follow_clock(self, _now: datetime) -> None:
        if self._day_shown != self.figures.day:
            self._async_updated()

    @callback
    def _async_updated(self) -> None:
        self._day_shown = self.figures.day
        self._async_announce()
        for listener in tuple(self._listeners):
            listener()

    @callback
    def _async_announce(self) -> None:
        if not self._notice_listeners:
            return
        for notice in self._store.books.announced.update(self.budget, self.figures):
            self._store.async_save_soon()
            for listener in tuple(self._notice_listeners):
                listener(notice)

    def _add_up(self, today: date) -> Figures:
        first = today.replace(day=1)
        last = today.replace(day=calendar.monthrange(today.year, today.month)[1])
        books = self._store.books
        books.began = {
            period: books.began.get(period) or dt_util.start_of_local_day(begin)
            for period, begin in ((f"{today}", today), (f"{today:%Y-%m}", first))
        }
        return Figures(
            day=today,
            today=self.in_account_currency(self.between(today, today)),
            month=self.in_account_currency(self.between(first, last)),
            total=self.in_account_currency(self.between()),
        )
