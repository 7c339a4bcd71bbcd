"""How much work something is, counted and not timed; how late a busy machine is."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
import sys
from types import FrameType
from typing import Any

import custom_components.cosyvoice

_INTEGRATION = str(Path(custom_components.cosyvoice.__file__).parent)
_STEP = 0.05
"""Seconds between two looks at the clock."""


def lines_run(work: Callable[[], object]) -> int:
    """Return how many lines of the integration some work runs.

    What Python does beside it, such as collecting garbage, does not count.
    """
    count = 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal count
        if not frame.f_code.co_filename.startswith(_INTEGRATION):
            return None
        count += 1
        return trace

    previous = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(previous)
    return count


@asynccontextmanager
async def stalls() -> AsyncGenerator[Callable[[], float]]:
    """Yield what tells for how many seconds this machine has held the event loop up.

    Tests that need real time allow for that much.
    """
    loop = asyncio.get_running_loop()
    late = 0.0

    async def watch() -> None:
        nonlocal late
        while True:
            due = loop.time() + _STEP
            await asyncio.sleep(_STEP)
            late += max(0.0, loop.time() - due - _STEP / 5)

    watcher = asyncio.create_task(watch(), name="stalls")
    try:
        yield lambda: late
    finally:
        watcher.cancel()
