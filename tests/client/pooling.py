"""A pool of connections to a service that does what a test says."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, cast

from custom_components.cosyvoice.client.errors import (
    CosyVoiceConnectionError,
    CosyVoiceError,
)
from custom_components.cosyvoice.client.timing import Timing
from custom_components.cosyvoice.client.wire.connection import Connection
from custom_components.cosyvoice.client.wire.pool import Pool
from custom_components.cosyvoice.client.wire.protocol import TaskState
from custom_components.cosyvoice.client.wire.task import TaskSettings
from tests.clock import run

TASK = TaskSettings("cosyvoice-v3-flash", {"voice": "longanyang"}, 3, cancellable=True)
OTHER_TASK = replace(TASK, parameters={"voice": "longanhuan"})
OTHER_MODEL = TaskSettings("cosyvoice-v2", {"voice": "longanli"}, 3)
LASTING = replace(TASK, cancellable=False)
OTHER_LASTING = replace(OTHER_TASK, cancellable=False)
TIMING = Timing()


class FakeConnection:
    """A connection that does what a test says."""

    def __init__(self) -> None:
        """Be open, idle and willing."""
        self.name = "connection"
        self.closed = False
        self.silent = False
        self.state = TaskState.IDLE
        self.cancelled = 0
        self.probes: list[float] = []
        self.starts: list[float] = []
        self.started: list[TaskSettings] = []
        self.start_error: CosyVoiceError | None = None
        self.hangs = False
        self.round_trip = 0.02
        self.cancel_error: CosyVoiceError | None = None
        self.dies_when_claimed = False
        self.closing_hangs = False
        self.news: asyncio.Queue[TaskState | None] = asyncio.Queue()

    async def start(self, model: str, parameters: dict[str, Any]) -> None:
        """Start a task, or not."""
        assert self.state is TaskState.IDLE
        self.starts.append(asyncio.get_running_loop().time())
        if self.hangs:
            await asyncio.Event().wait()
        await asyncio.sleep(self.round_trip)
        if self.closed:
            raise CosyVoiceConnectionError("closed")
        if self.start_error is not None:
            raise self.start_error
        self.started.append(replace(TASK, model=model, parameters=parameters))
        self.state = TaskState.RUNNING

    async def probe(self, limit: float) -> None:
        """Note it."""
        if self.closed:
            raise CosyVoiceConnectionError("closed")
        self.probes.append(limit)

    async def receive(self) -> list[object]:
        """Wait until the service sends something or closes the connection."""
        try:
            state = await self.news.get()
        except asyncio.CancelledError:
            self.closed = self.dies_when_claimed
            raise
        if state is not None:
            self.state = state
            return []
        self.closed = True
        raise CosyVoiceConnectionError("closed")

    async def cancel(self) -> None:
        """End the task, or not."""
        self.cancelled += 1
        await asyncio.sleep(self.round_trip)
        if self.cancel_error is not None:
            raise self.cancel_error
        self.state = TaskState.IDLE

    async def close(self) -> None:
        """Note it."""
        if self.closing_hangs:
            await asyncio.Event().wait()
        self.closed = True


class FakeService:
    """Opens connections as a test says."""

    def __init__(self) -> None:
        """Have opened none."""
        self.connections: list[FakeConnection] = []
        self.prepare: Callable[[FakeConnection], None] = lambda connection: None
        self.error: CosyVoiceError | None = None
        self.hangs: set[int] | bool = False
        self.takes = 0.1
        self.attempts = 0
        self.on_attempt: Callable[[], None] = lambda: None

    async def open(self) -> Connection:
        """Open a connection."""
        self.attempts += 1
        self.on_attempt()
        if self.hangs is True or (self.hangs and self.attempts in self.hangs):
            await asyncio.Event().wait()
        await asyncio.sleep(self.takes)
        if self.error is not None:
            raise self.error
        connection = FakeConnection()
        self.prepare(connection)
        self.connections.append(connection)
        return cast("Connection", connection)


def pooled(
    test: Callable[[FakeService, Pool], Coroutine[Any, Any, None]],
) -> Callable[[], None]:
    """Run a test with a service and a pool, by a clock that does not wait."""

    def run_test() -> None:
        async def scenario() -> None:
            service = FakeService()
            pool = Pool(service.open, TIMING)
            await test(service, pool)
            await pool.close()

        run(scenario())

    run_test.__name__ = test.__name__
    run_test.__doc__ = test.__doc__
    return run_test


async def acquire(pool: Pool, task: TaskSettings = TASK) -> FakeConnection:
    """Return an acquired connection."""
    return cast("FakeConnection", await pool.acquire(task, lambda: None))


def release(pool: Pool, connection: FakeConnection) -> None:
    """Finish a connection's task and give it back."""
    connection.state = TaskState.IDLE
    pool.release(cast("Connection", connection))


async def kept(pool: Pool) -> FakeConnection:
    """Return a connection whose task is finished, and which the pool keeps."""
    connection = await acquire(pool)
    release(pool, connection)
    return connection
