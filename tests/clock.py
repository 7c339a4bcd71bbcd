"""An event loop whose clock jumps: waiting costs no time.

Whenever nothing is left to do but wait, the clock jumps to the next timer. Sockets
between tasks of the same loop work as ever, as the kernel delivers immediately over the
loopback interface.
"""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
import selectors
from typing import Any

_OVERSHOOT = 1e-6
"""Seconds by which a timer is late, as every real one is a little."""


class _JumpingSelector(selectors.DefaultSelector):
    """Advances a clock instead of sleeping."""

    now = 0.0
    threads = 0
    """Calls under way in other threads, which are waited for in real time."""

    def select(
        self, timeout: float | None = None
    ) -> list[tuple[selectors.SelectorKey, int]]:
        """Return the ready sockets, or jump if only time can make one ready."""
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        if self.threads:
            return super().select()
        if not (ready := super().select(0)):
            self.now += timeout + _OVERSHOOT
        return ready


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop that does not wait for time to pass."""

    def __init__(self) -> None:
        """Begin at zero."""
        self._jumping_selector = _JumpingSelector()
        super().__init__(self._jumping_selector)

    def run_in_executor[*Ts, T](
        self,
        executor: Executor | None,
        func: Callable[[*Ts], T],
        *args: *Ts,
    ) -> asyncio.Future[T]:
        """Call a function in another thread, while the clock stands still."""
        future = super().run_in_executor(executor, func, *args)
        self._jumping_selector.threads += 1
        future.add_done_callback(self._thread_done)
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Wait for the threads to end, while the clock stands still."""
        self._jumping_selector.threads += 1
        try:
            await super().shutdown_default_executor(timeout)
        finally:
            self._jumping_selector.threads -= 1

    def _thread_done(self, _future: asyncio.Future[Any]) -> None:
        self._jumping_selector.threads -= 1

    def time(self) -> float:
        """Return the jumping clock's time in seconds."""
        return self._jumping_selector.now


def run[T](coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a jumping loop.

    No task may be left behind, and no task's exception unread.
    """
    unread: list[str] = []

    async def checked() -> T:
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: unread.append(f"{context['message']}: {context}")
        )
        try:
            return await coroutine
        finally:
            await asyncio.sleep(0)
            others = asyncio.all_tasks() - {asyncio.current_task()}
            assert not others, f"tasks left behind: {others}"

    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        result = runner.run(checked())
    assert not unread
    return result
