"""An event loop whose clock jumps: waiting costs no time.

Whenever nothing is left to do but wait, the clock jumps to the next timer. Sockets
between tasks of the same loop work as ever, as the kernel delivers at once over the
loopback interface.
"""

import asyncio
from collections.abc import Coroutine
import selectors
from typing import Any

_GRACE = 0.001
"""Real seconds given to sockets before the clock jumps."""


class _JumpingSelector(selectors.DefaultSelector):
    """Advances a clock instead of sleeping."""

    now = 0.0

    def select(
        self, timeout: float | None = None
    ) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready; jump if only time can bring something."""
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        if not (ready := super().select(min(timeout, _GRACE))):
            self.now += timeout
        return ready


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop that does not wait for time to pass."""

    def __init__(self) -> None:
        """Begin at zero."""
        self._jumping_selector = _JumpingSelector()
        super().__init__(self._jumping_selector)

    def time(self) -> float:
        """Return the jumping clock's time in seconds."""
        return self._jumping_selector.now


def run[T](coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a jumping loop; no task may be left behind."""

    async def checked() -> T:
        try:
            return await coroutine
        finally:
            await asyncio.sleep(0)
            others = asyncio.all_tasks() - {asyncio.current_task()}
            assert not others, f"tasks left behind: {others}"

    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(checked())
