"""What this process and the programs it ended have used; waiting without haste."""

import asyncio
from collections.abc import Callable
from pathlib import Path
import resource


def cpu_seconds() -> float:
    """Return the processor time so far."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + ended.ru_utime + ended.ru_stime


def reset_peak() -> None:
    """Let the peak memory begin at what is used now."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def memory(field: str = "VmRSS") -> float:
    """Return the resident memory in MiB; with ``VmHWM`` its peak."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    raise LookupError(field)


async def until(condition: Callable[[], object]) -> None:
    """Wait for what nobody reports; look every other millisecond."""
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0.002)
