"""The warm-up: a task started in advance while speech is likely."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
import logging
import math

from ..errors import CosyVoiceError
from ..timing import Timing
from .background import Background
from .backoff import Backoff
from .task import TaskSettings

_LOGGER = logging.getLogger(__name__)


class Warmer:
    """Keeps one task started in advance for a while after each request for it.

    Attributes:
        until: When that ends, in the loop's time.
    """

    def __init__(
        self,
        start: Callable[[TaskSettings], Awaitable[None]],
        is_warm: Callable[[TaskSettings], bool],
        timing: Timing,
    ) -> None:
        """Prepare without starting anything.

        Args:
            start: Starts a task and keeps it, or raises a CosyVoiceError.
            is_warm: Returns True if a task with these settings is kept now.
            timing: The limits to keep.
        """
        self._start = start
        self._is_warm = is_warm
        self._timing = timing
        self._task: TaskSettings | None = None
        self.until = 0.0
        self._due = -math.inf
        self._backoff = Backoff(timing.warm_backoff, timing.warm_backoff_limit)
        self._not_before = -math.inf
        self._started_at = -math.inf
        self._changed = asyncio.Event()
        self._background = Background()
        self._work: asyncio.Task[None] | None = None

    def warm_up(self, task: TaskSettings) -> None:
        """Have a task with these settings ready for a while, instead of any other."""
        self.until = asyncio.get_running_loop().time() + self._timing.keep_warm
        if task != self._task:
            self._task = task
            self.encourage()
            self._cancel()
        self._look_again()
        work = self._work
        if work is None or work.done() or work.cancelling():
            self._work = self._background.run(self._run(task), "warm-up")

    def replace_lost(self) -> None:
        """Start another task for one that was lost, but not over and over."""
        self._not_before = max(
            self._not_before, self._started_at + self._timing.warm_backoff
        )
        self._look_again()

    def encourage(self) -> None:
        """Forget earlier failures, as the service works."""
        self._backoff.reset()
        self._not_before = -math.inf

    async def close(self) -> None:
        """Stop."""
        self._cancel()
        await self._background.ended()

    def _look_again(self) -> None:
        if self._task is not None and not self._is_warm(self._task):
            self._due = -math.inf
            self._changed.set()

    def _cancel(self) -> None:
        if self._work:
            self._work.cancel()

    async def _run(self, task: TaskSettings) -> None:
        loop = asyncio.get_running_loop()
        while (now := loop.time()) < self.until:
            self._changed.clear()
            due = max(self._due, self._not_before)
            if due <= now:
                await self._try(task)
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout_at(min(due, self.until)):
                    await self._changed.wait()

    async def _try(self, task: TaskSettings) -> None:
        loop = asyncio.get_running_loop()
        try:
            await self._start(task)
            self._started_at = loop.time()
            # A margin for the time that starting the next one takes.
            self._due = self._started_at + self._timing.task_limit * 0.9
        except CosyVoiceError as err:
            pause = self._backoff.pause()
            self._not_before = loop.time() + pause
            _LOGGER.debug("Warm-up failed, next one in %.0f s: %r", pause, err)
