"""Which models take a flush, as far as experience tells."""

import asyncio

FORGET_AFTER = 3600.0
"""Seconds after which a model that took no flush is tried again."""

IGNORED_LIMIT = 3
"""Flushes without an effect, one after the other, that are no accident."""


class Flushing:
    """Experience with flushing, which only the vendor's SDK documents."""

    def __init__(self) -> None:
        self._useless_until: dict[str, float] = {}
        self._ignored: dict[str, int] = {}

    def works(self, model: str) -> bool:
        """Return True unless a flush of this model has failed lately."""
        now = asyncio.get_running_loop().time()
        return now >= self._useless_until.get(model, 0.0)

    def worked(self, model: str) -> None:
        """Note that a flush had its effect."""
        self._ignored.pop(model, None)

    def ignored(self, model: str) -> None:
        """Note that a flush had no effect, which may be chance."""
        self._ignored[model] = self._ignored.get(model, 0) + 1
        if self._ignored[model] >= IGNORED_LIMIT:
            self.refused(model)

    def refused(self, model: str) -> None:
        """Note that a task failed with a flush and succeeded without one."""
        self._ignored.pop(model, None)
        now = asyncio.get_running_loop().time()
        self._useless_until[model] = now + FORGET_AFTER
