"""Remember which models support flushing."""

import asyncio

FORGET_AFTER = 3600.0
"""Seconds after which an unsupported flush is tried again."""

IGNORED_LIMIT = 3
"""Consecutive ignored flushes after which a model counts as unsupported."""


class Flushing:
    """Results of flushes by model.

    Only the vendor's SDK documents flushing, so it may not work everywhere.
    """

    def __init__(self) -> None:
        self._useless_until: dict[str, float] = {}
        self._ignored: dict[str, int] = {}

    def works(self, model: str) -> bool:
        """Return False if flushing this model failed recently."""
        now = asyncio.get_running_loop().time()
        return now >= self._useless_until.get(model, 0.0)

    def worked(self, model: str) -> None:
        """Record a flush that worked."""
        self._ignored.pop(model, None)

    def ignored(self, model: str) -> None:
        """Record a flush without effect."""
        self._ignored[model] = self._ignored.get(model, 0) + 1
        if self._ignored[model] >= IGNORED_LIMIT:
            self.refused(model)

    def refused(self, model: str) -> None:
        """Record a task that failed with a flush and succeeded without one."""
        self._ignored.pop(model, None)
        now = asyncio.get_running_loop().time()
        self._useless_until[model] = now + FORGET_AFTER
