"""How much work something is, counted and not timed."""

from collections.abc import Callable
from pathlib import Path
import sys
from types import FrameType
from typing import Any

import custom_components.cosyvoice

_INTEGRATION = str(Path(custom_components.cosyvoice.__file__).parent)


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
