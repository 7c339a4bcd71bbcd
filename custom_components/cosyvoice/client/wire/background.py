"""Tasks that run in the background."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class Background:
    """The tasks that something has started, until they end."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def run(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Return the task that does some work."""
        task = asyncio.create_task(work, name=f"cosyvoice {name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def ended(self) -> None:
        """Wait until there are no tasks left."""
        while self._tasks:
            await asyncio.wait(self._tasks)
