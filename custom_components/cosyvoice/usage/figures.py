"""Sums of billed usage by day, month, model and voice."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date, datetime
from decimal import Decimal
import math
from typing import Any, NamedTuple, Self, cast

from ..client import UtteranceReport

DAYS_KEPT = 400
"""Days with speech that keep daily figures; older ones are added up by month."""


@dataclass(slots=True, kw_only=True)
class Totals:
    """Sums over utterances.

    Attributes:
        requests: Utterances sent to the service.
        failures: Utterances that failed.
        characters: Billed characters.
        input_tokens: Billed tokens of text.
        output_tokens: Billed tokens of audio.
        estimated: Characters counted locally because the service reported none.
        audio_seconds: Seconds of audio received, to the millisecond.
        cost: In the currency of the row or of the account, exact.
    """

    requests: int = 0
    failures: int = 0
    characters: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    estimated: int = 0
    audio_seconds: Decimal = field(default_factory=Decimal)
    cost: Decimal = field(default_factory=Decimal)

    @property
    def tokens(self) -> int:
        """All billed tokens."""
        return self.input_tokens + self.output_tokens

    @classmethod
    def of(cls, report: UtteranceReport, cost: Decimal) -> Self:
        """Return the totals of one utterance."""
        return cls(
            requests=1,
            failures=int(report.outcome == "failed"),
            characters=report.characters,
            input_tokens=report.input_tokens,
            output_tokens=report.output_tokens,
            estimated=report.characters if report.estimated else 0,
            audio_seconds=round(Decimal(report.audio_seconds), 3),
            cost=cost,
        )

    def add(self, other: Totals) -> None:
        """Add the totals of other utterances."""
        self.requests += other.requests
        self.failures += other.failures
        self.characters += other.characters
        self.input_tokens += other.input_tokens
        self.output_tokens += other.output_tokens
        self.estimated += other.estimated
        self.audio_seconds += other.audio_seconds
        self.cost += other.cost


class Row(NamedTuple):
    """Key of the totals within a day or month."""

    model: str
    voice: str
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Usage of an account in the currency of its region."""

    day: date
    today: Totals
    month: Totals
    total: Totals


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRecord:
    """One utterance, without its text.

    Attributes:
        time: End of the utterance in UTC, ISO 8601.
        subentry_id: The voice subentry that spoke it.
        first_packet_latency: Seconds; None if there was no audio.
        real_time_factor: Seconds of synthesis per second of audio.
        error: Name of the error class if it failed.
        error_code: The service's code of that error.
        request_id: The service's id of its first task.
        tasks: Tasks started at the service.
        resumed: Lost tasks that another task continued.
        input_tokens: Billed tokens of text.
        output_tokens: Billed tokens of audio.
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
    tasks: int = 0
    resumed: int = 0
    input_tokens: int = 0
    output_tokens: int = 0

    @classmethod
    def of(cls, report: UtteranceReport, subentry_id: str, time: datetime) -> Self:
        """Return the record of an utterance that ended at a time."""
        return cls(
            time=time.isoformat(timespec="milliseconds"),
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
            tasks=report.tasks,
            resumed=report.resumed,
            input_tokens=report.input_tokens,
            output_tokens=report.output_tokens,
        )

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return a stored record.

        Newer fields may be missing.

        Raises:
            TypeError: A field is missing, unknown or of another type.
            ValueError: A number is impossible.
        """
        record = cls(**data)
        for field_ in fields(cls):
            value = getattr(record, field_.name)
            if not isinstance(value, cast(type, field_.type) | int):
                raise TypeError(f"{field_.name} cannot be {type(value).__name__}")
            if isinstance(value, int | float):
                plausible(value)
        return record


type Rows = dict[Row, Totals]


class Periods(dict[str, Rows]):
    """Usage by day ("2026-11-22") or, for the past, by month ("2026-11")."""

    def add(self, day: date, row: Row, totals: Totals) -> None:
        """Add usage of a day."""
        add_rows(self.setdefault(day.isoformat(), {}), {row: totals})

    def between(self, first: date = date.min, last: date = date.max) -> Rows:
        """Return the usage from the first to the last day, both included.

        A month without daily figures counts on its 1st.
        """
        result: Rows = {}
        for period, rows in self.items():
            if first <= _first_day(period) <= last:
                add_rows(result, rows)
        return result

    def fold(self, keep: Collection[str]) -> None:
        """Add days beyond the newest `DAYS_KEPT` up by month, except some days."""
        days = sorted(period for period in self if len(period) > _MONTH)
        for day in days[:-DAYS_KEPT]:
            if day not in keep:
                add_rows(self.setdefault(day[:_MONTH], {}), self.pop(day))

    def as_dict(self, periods: Iterable[str]) -> dict[str, Any]:
        """Return some of the periods in the form of their file."""
        return {
            period: [
                row._asdict()
                | asdict(totals)
                | {"audio_seconds": str(totals.audio_seconds), "cost": str(totals.cost)}
                for row, totals in self.get(period, {}).items()
            ]
            for period in periods
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the periods of a file.

        Raises:
            Exception: The file is damaged, or of another version.
        """
        periods = cls()
        for period, stored in data.items():
            _first_day(period)
            rows = periods[period] = {}
            for item in stored:
                values = dict(item)
                row = Row(*(str(values.pop(name)) for name in Row._fields))
                rows[row] = _totals(values)
        return periods


def in_currency(currency: str, rows: Mapping[Row, Totals]) -> Totals:
    """Return the sum of rows, leaving out costs in other currencies."""
    result = Totals()
    for row, totals in rows.items():
        same = row.currency == currency
        result.add(totals if same else replace(totals, cost=Decimal()))
    return result


def add_rows(target: Rows, rows: Mapping[Row, Totals]) -> None:
    """Add rows to others."""
    for row, totals in rows.items():
        target.setdefault(row, Totals()).add(totals)


_MONTH = len("2026-11")


def _first_day(period: str) -> date:
    return date.fromisoformat(period if len(period) > _MONTH else f"{period}-01")


def plausible[N: (int, float, Decimal)](number: N) -> N:
    """Return a stored number.

    Raises:
        ValueError: It is negative, absurdly large or long, or no number.
    """
    possible = math.isfinite(number) and 0 <= number <= _LARGEST
    if not possible or len(str(number)) > _LONGEST:
        raise ValueError("A number in the file is impossible")
    return number


_LARGEST = 10**15
_LONGEST = 60  # As text, all digits of an exact sum included


def _totals(values: dict[str, Any]) -> Totals:
    sums = {
        name: plausible(Decimal(values.pop(name))) for name in ("audio_seconds", "cost")
    }
    counts = {name: plausible(int(value)) for name, value in values.items()}
    return Totals(**cast(dict[str, Any], counts | sums))
