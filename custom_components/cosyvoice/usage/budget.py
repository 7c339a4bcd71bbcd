"""The monthly budget of an account."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Self

from ..const import (
    CHARACTERS,
    CONF_BUDGET_UNIT,
    CONF_MONTHLY_BUDGET,
    CONF_REFUSE_OVER_BUDGET,
    DEFAULT_OPTIONS,
    MONEY,
)
from .figures import Figures, plausible

THRESHOLDS = (80, 100)
"""Percentages of the budget that are announced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Amount that an account may use in a calendar month.

    Attributes:
        amount: 0 if there is no budget.
        unit: ``characters``, or the account's currency.
        refuses: Whether speech is refused once the budget is used up.
    """

    amount: Decimal
    unit: str
    refuses: bool

    @property
    def is_money(self) -> bool:
        """Whether the budget limits the cost, not the characters."""
        return self.unit != CHARACTERS

    @property
    def shown(self) -> str:
        """The amount for a text, in English.

        The text names the unit of characters.
        """
        amount = f"{float(self.amount):,.10g}"
        return f"{amount} {self.unit}" if self.is_money else amount

    @classmethod
    def of(cls, options: Mapping[str, Any], currency: str) -> Self:
        """Return the budget that an account's options describe.

        A damaged amount counts as none.
        """
        options = {**DEFAULT_OPTIONS, **options}
        money = options[CONF_BUDGET_UNIT] == MONEY
        try:
            amount = plausible(Decimal(str(options[CONF_MONTHLY_BUDGET])))
        except ValueError, ArithmeticError:
            amount = Decimal()
        return cls(
            amount=amount,
            unit=currency if money else CHARACTERS,
            refuses=options[CONF_REFUSE_OVER_BUDGET],
        )

    def used(self, figures: Figures) -> Decimal:
        """Return this month's usage in the unit of the budget."""
        if self.is_money:
            return figures.month.cost
        return Decimal(figures.month.characters)

    def reached(self, figures: Figures) -> list[int]:
        """Return the thresholds reached this month, in percent."""
        used = self.used(figures)
        return [
            percent
            for percent in THRESHOLDS
            if self.amount and used * 100 >= self.amount * percent
        ]

    def refuses_more(self, figures: Figures, pending: Decimal) -> bool:
        """Return whether another message is refused.

        Args:
            figures: Usage recorded so far.
            pending: Usage of messages that are not recorded yet, in the budget's unit.
        """
        expected = self.used(figures) + pending
        return self.refuses and self.amount > 0 and expected >= self.amount


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetNotice:
    """Announcement that a threshold was reached.

    Attributes:
        month: Such as "2026-11".
        percent: The threshold.
    """

    month: str
    percent: int
    used: float
    budget: float
    unit: str


@dataclass(slots=True, kw_only=True)
class Announcements:
    """Announces each threshold once per month and budget.

    A month in which none is reached changes nothing: the clock may be wrong for a while.

    Attributes:
        subject: Month, amount and unit that the thresholds belong to.
        percents: Thresholds announced.
    """

    subject: str = ""
    percents: list[int] = field(default_factory=list)

    def update(self, budget: Budget, figures: Figures) -> list[BudgetNotice]:
        """Return the notices that are due, and note them as announced."""
        month = f"{figures.day:%Y-%m}"
        subject = f"{month} {budget.amount} {budget.unit}"
        reached = budget.reached(figures)
        if reached and subject != self.subject:
            self.subject, self.percents = subject, []
        due = [percent for percent in reached if percent not in self.percents]
        self.percents += due
        return [
            BudgetNotice(
                month=month,
                percent=percent,
                used=float(budget.used(figures)),
                budget=float(budget.amount),
                unit=budget.unit,
            )
            for percent in due
        ]
