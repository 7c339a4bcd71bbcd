"""How much work something is, counted and not timed."""

from collections.abc import Callable
from pathlib import Path
import sys
from types import FrameType

from custom_components.cosyvoice import client

_CLIENT = str(Path(client.__file__).parent)


def lines_run(work: Callable[[], object]) -> int:
    """Return how many lines of the client's code some work runs.

    What Python does beside it, such as collecting garbage, does not count.
    """
    count = 0

    def trace(frame: FrameType, event: str, argument: object):
        nonlocal count
        if not frame.f_code.co_filename.startswith(_CLIENT):
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
