"""Remember by model whether the service supports a feature."""

import asyncio
from typing import Final

FORGET_AFTER: Final = 3600.0
"""Seconds after which the feature is tried again."""

LIMIT: Final = 3
"""Signs in a row that the feature does not work after which it is not used."""


class Learned:
    """Results of one feature by model. A single failure does not count."""

    def __init__(self) -> None:
        self._useless_until: dict[str, float] = {}
        self._signs: dict[str, int] = {}

    def works(self, model: str) -> bool:
        """Return False if the feature failed several times in a row."""
        now = asyncio.get_running_loop().time()
        return now >= self._useless_until.get(model, 0.0)

    def worked(self, model: str) -> None:
        """Record that it worked."""
        self._signs.pop(model, None)
        self._useless_until.pop(model, None)

    def failed(self, model: str, signs: int = 1) -> None:
        """Record that it did not work, as this number of signs."""
        count = self._signs.get(model, 0) + signs
        self._signs[model] = count
        if count >= LIMIT:
            now = asyncio.get_running_loop().time()
            self._useless_until[model] = now + FORGET_AFTER
            del self._signs[model]
