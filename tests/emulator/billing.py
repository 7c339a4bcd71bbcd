"""What the service charges, to the last digit.

Characters are billed when their sentence begins. Tokens are billed as they are reported:
with each sentence-end and at the end of the task, so what a connection was lost with is
not billed. The tokens of audio are 12.5 a second; those of text follow a rule made up
here that gives the two measured values (16 for 16 characters of Chinese, 60 for 56):
one for each character of Chinese, Japanese or Korean and each mark, one for each four
letters or digits of a word, none for white space, and one more for every ten from the
17th on.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
import math
import re

from .catalogue import models
from .records import TaskRecord

_WIDE = "\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U000323af"
_UNIT = re.compile(rf"[{_WIDE}]|[^\W{_WIDE}]{{1,4}}|[^\w\s]")
_FREE, _STEP = 16, 10
_CHARACTERS, _MILLION = Decimal(10_000), Decimal(1_000_000)


def input_tokens(text: str) -> int:
    """Return the tokens of a text."""
    units = len(_UNIT.findall(text))
    return units + max(0, units - _FREE) // _STEP


def output_tokens(seconds: float, per_second: float = 12.5) -> int:
    """Return the tokens of some audio."""
    return math.floor(per_second * seconds + 0.5)


@dataclass(frozen=True)
class BillEntry:
    """What one task cost.

    Attributes:
        task: The task's number.
        model: Its model.
        voice: Its voice.
        characters: Billed characters; 0 for a model that bills tokens.
        input_tokens: Billed tokens of text; 0 for a model that bills characters.
        output_tokens: Billed tokens of audio.
        cost: Money by currency, for each that the service has a price in.
    """

    task: int
    model: str
    voice: str
    characters: int
    input_tokens: int
    output_tokens: int
    cost: Mapping[str, Decimal]

    @property
    def tokens(self) -> int:
        """All billed tokens."""
        return self.input_tokens + self.output_tokens


class Bill(dict[str, int]):
    """The billed characters of each model, and more.

    Attributes:
        entries: Each task that cost something.
    """

    def __init__(self, tasks: Iterable[TaskRecord], region: str) -> None:
        """Add up what tasks cost in a region."""
        entries = [_entry(task, region) for task in tasks]
        self.entries = [one for one in entries if one.characters or one.tokens]
        characters: Counter[str] = Counter()
        for entry in self.entries:
            characters[entry.model] += entry.characters
        super().__init__({model: n for model, n in characters.items() if n})

    @property
    def tokens(self) -> int:
        """All billed tokens."""
        return sum(entry.tokens for entry in self.entries)

    def money(self, currency: str = "CNY") -> Decimal:
        """Return what all tasks cost.

        Raises:
            KeyError: If a task's model has no price in the currency.
        """
        return sum((entry.cost[currency] for entry in self.entries), Decimal(0))


def _entry(task: TaskRecord, region: str) -> BillEntry:
    model = models().get(task.model)
    prices = model.prices.get(region, {}) if model else {}
    cost = {}
    for currency, price in prices.items():
        if isinstance(price, str):
            cost[currency] = task.characters * Decimal(price) / _CHARACTERS
        else:
            of_text, of_audio = map(Decimal, price)
            money = task.input_tokens * of_text + task.output_tokens * of_audio
            cost[currency] = money / _MILLION
    voice = str(task.parameters.get("voice"))
    return BillEntry(
        task.number,
        task.model,
        voice,
        task.characters,
        task.input_tokens,
        task.output_tokens,
        cost,
    )
