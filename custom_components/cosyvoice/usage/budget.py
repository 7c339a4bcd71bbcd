"""The monthly budget of an account: warn at 80 %, warn at 100 %, refuse if wanted."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ServiceValidationError

from ..const import (
    CONF_BUDGET_UNIT,
    CONF_MONTHLY_BUDGET,
    CONF_REFUSE_OVER_BUDGET,
    DEFAULT_OPTIONS,
    DOMAIN,
)
from ..issues import close_issue, open_issue

if TYPE_CHECKING:
    from .ledger import Figures

EVENT_BUDGET = f"{DOMAIN}_budget"
"""Fired when a threshold is reached: once a month for each amount of the budget.

Its data: ``config_entry_id``, ``account`` (the entry's title), ``month``
("2026-11"), ``percent`` (80 or 100), ``used``, ``budget`` (numbers) and ``unit``
("characters" or the currency).
"""
CHARACTERS = "characters"
THRESHOLDS = (80, 100)
"""In percent of the budget."""


class Budget:
    """Compares what an account has used this month with what it may use."""

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry[Any], currency: str
    ) -> None:
        """Read the budget from the entry's options whenever it is needed."""
        self._hass = hass
        self._entry = entry
        self._currency = currency
        # What the announced thresholds are of: month, amount and unit
        self._announced_for = ""
        self._announced: list[int] = []

    @property
    def amount(self) -> Decimal:
        """The budget of a month; 0 if there is none."""
        return Decimal(str(self._option(CONF_MONTHLY_BUDGET)))

    @property
    def unit(self) -> str:
        """``characters``, or the account's currency."""
        if self._option(CONF_BUDGET_UNIT) == "money":
            return self._currency
        return CHARACTERS

    def check(self, figures: Figures) -> None:
        """Refuse if the budget is used up and the account is set to refuse then.

        Raises:
            ServiceValidationError: ``over_budget``.
        """
        amount = self.amount
        if (
            amount
            and self._option(CONF_REFUSE_OVER_BUDGET)
            and self._used(figures) >= amount
        ):
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="over_budget",
                translation_placeholders={
                    "account": self._entry.title,
                    "budget": shown_amount(self.amount, self.unit),
                },
            )

    @callback
    def async_update(self, figures: Figures) -> bool:
        """Keep the repair issue and fire the event; return whether one was fired."""
        amount, used = self.amount, self._used(figures)
        reached = [
            percent
            for percent in THRESHOLDS
            if amount and used * 100 >= amount * percent
        ]
        self._show_issue(reached)
        month = f"{figures.day:%Y-%m}"
        subject = f"{month} {amount} {self.unit}"
        if subject != self._announced_for and amount:
            self._announced_for, self._announced = subject, []
        new = [percent for percent in reached if percent not in self._announced]
        for percent in new:
            self._hass.bus.async_fire(
                EVENT_BUDGET,
                {
                    "config_entry_id": self._entry.entry_id,
                    "account": self._entry.title,
                    "month": month,
                    "percent": percent,
                    "used": float(used),
                    "budget": float(amount),
                    "unit": self.unit,
                },
            )
        self._announced += new
        return bool(new)

    def as_dict(self) -> dict[str, Any]:
        """Return what has to survive a restart."""
        return {"announced_for": self._announced_for, "announced": self._announced}

    def restore(self, data: dict[str, Any]) -> None:
        """Take back what `as_dict` returned."""
        self._announced_for = data["announced_for"]
        self._announced = data["announced"]

    def _option(self, name: str) -> Any:
        return self._entry.options.get(name, DEFAULT_OPTIONS[name])

    def _used(self, figures: Figures) -> Decimal:
        if self.unit == CHARACTERS:
            return Decimal(figures.month.characters)
        return figures.month.cost

    @callback
    def _show_issue(self, reached: list[int]) -> None:
        """Show the issue of the highest threshold alone."""
        for percent in THRESHOLDS:
            if reached[-1:] == [percent]:
                open_issue(
                    self._hass,
                    self._entry,
                    f"budget_{percent}",
                    {"budget": shown_amount(self.amount, self.unit)},
                )
            else:
                close_issue(self._hass, self._entry, f"budget_{percent}")


def shown_amount(amount: float | Decimal, unit: str) -> str:
    """Return a budget as a person reads it; characters need no unit."""
    shown = f"{float(amount):,.10g}"
    return shown if unit == CHARACTERS else f"{shown} {unit}"
