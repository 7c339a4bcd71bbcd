"""What is learnt about the service while it is used: kept by model, and forgotten."""

import asyncio
from dataclasses import replace
from typing import cast

import pytest

from custom_components.cosyvoice.client.errors import CosyVoiceError, error_for
from custom_components.cosyvoice.client.wire.connection import Connection
from custom_components.cosyvoice.client.wire.learned import FORGET_AFTER, LIMIT, Learned
from custom_components.cosyvoice.client.wire.pool import Pool
from custom_components.cosyvoice.client.wire.task import TaskSettings

from .pooling import (
    OTHER_TASK,
    TASK,
    TIMING,
    FakeConnection,
    FakeService,
    acquire,
    kept,
    pooled,
    release,
)


async def test_one_odd_answer_is_not_believed() -> None:
    learned = Learned()
    for _ in range(LIMIT - 1):
        learned.failed("a")
    assert learned.works("a")
    learned.failed("a")
    assert not learned.works("a")
    assert learned.works("b")


async def test_what_works_again_is_used_again() -> None:
    learned = Learned()
    learned.failed("a", signs=LIMIT)
    assert not learned.works("a")
    learned.worked("a")
    assert learned.works("a")


@pooled
async def test_a_cancellation_that_is_never_answered_is_given_up(
    service: FakeService, pool: Pool
) -> None:
    """Not after one odd answer, and not for ever."""

    def never_answer(connection: FakeConnection) -> None:
        async def cancel() -> None:
            connection.cancelled += 1
            await asyncio.Event().wait()

        connection.cancel = cancel  # type: ignore[method-assign]

    async def switch(task: TaskSettings) -> None:
        """Use another task than the task that was started in advance."""
        pool.warm_up(replace(task, parameters={"voice": "other"}))
        await asyncio.sleep(1)
        connection = await acquire(pool, task)
        pool.discard(cast("Connection", connection))
        await asyncio.sleep(TIMING.keep_warm + TIMING.task_limit)

    def cancelled() -> int:
        return sum(connection.cancelled for connection in service.connections)

    service.prepare = never_answer
    for _ in range(3):
        await switch(TASK)
    assert cancelled() == LIMIT
    await asyncio.sleep(FORGET_AFTER)
    await switch(TASK)
    assert cancelled() > LIMIT


@pooled
async def test_a_used_connection_that_takes_no_other_parameters_is_replaced(
    service: FakeService, pool: Pool
) -> None:
    """An error of the parameters comes on a new connection, too."""
    connection = await kept(pool)
    connection.start_error = error_for("InvalidParameter", "parameters differ")
    other = await acquire(pool, OTHER_TASK)
    assert other is not connection
    release(pool, other)
    other.start_error = error_for("InvalidParameter", "parameters are wrong")
    service.prepare = lambda connection: setattr(
        connection, "start_error", error_for("InvalidParameter", "still wrong")
    )
    with pytest.raises(CosyVoiceError, match="still wrong"):
        await acquire(pool, OTHER_TASK)
    assert service.attempts == 3
