"""The permitted rate of task starts."""

import asyncio
from collections import deque


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
