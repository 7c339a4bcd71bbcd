"""The permitted rate of task starts, and of tasks at a time."""

import asyncio
from collections import deque
import math
from typing import Final

FORGET_AFTER: Final = 300.0
"""Seconds after which a limit of tasks at a time is tested again."""


class StartLimiter:
    """Counts the task starts of each model within a window of time.

    It does not wait: the pool decides who starts when a start is permitted.
    """

    def __init__(self, window: float) -> None:
        """Count over a window, in seconds."""
        self._window = window
        self._starts: dict[str, deque[float]] = {}

    def delay(self, model: str, permitted: int) -> float:
        """Return the seconds until the model may start another task.

        Args:
            model: The model's id.
            permitted: Starts within the window; at least 1 is assumed.
        """
        starts = self._starts.setdefault(model, deque())
        now = asyncio.get_running_loop().time()
        while starts and now - starts[0] >= self._window:
            starts.popleft()
        excess = len(starts) - max(1, permitted)
        return 0.0 if excess < 0 else starts[excess] + self._window - now

    def count(self, model: str, starts: int = 1) -> None:
        """Count starts that happen now."""
        now = asyncio.get_running_loop().time()
        self._starts.setdefault(model, deque()).extend([now] * starts)


class TaskLimit:
    """The number of tasks that the service runs at a time, learned from refusals.

    Model Studio publishes none for speech.
    """

    def __init__(self) -> None:
        """Begin without a limit."""
        self._most = math.inf
        self._until = 0.0

    def left(self, tasks: int) -> float:
        """Return how many tasks may start beside some, infinite if that is unknown."""
        if asyncio.get_running_loop().time() >= self._until:
            self._most = math.inf
        return self._most - tasks

    def refused(self, tasks: int) -> bool:
        """Learn from a start that was refused while some tasks were running.

        Returns:
            False without running tasks: another client's take all places then.
        """
        if not tasks:
            return False
        self._most = min(tasks, self.left(0))
        self._until = asyncio.get_running_loop().time() + FORGET_AFTER
        return True
