"""Runs probes beside each other; no probe can hold up the others or leave a voice."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
import time
from typing import Any

import aiohttp

from .probe import DiffersError, Probe, RefusedError, UntoldError
from .service import Service

_AT_ONCE = 12
_CLEANING = 20.0
_PAUSES = (1.5, 3.0, 6.0)
"""Seconds before a probe is tried again that was throttled."""


class Verdict(StrEnum):
    """What a probe has found."""

    HOLDS = "holds"
    DIFFERS = "differs"
    UNTOLD = "could not be told"


@dataclass(frozen=True)
class Result:
    """What came of a probe.

    Attributes:
        probe: The probe.
        verdict: What it has found.
        seen: What was seen, or why it could not be told.
        seconds: How long it took.
    """

    probe: Probe
    verdict: Verdict
    seen: str
    seconds: float = 0.0


async def judge(probe: Probe, service: Service) -> Result:
    """Run one probe to its end or to its time limit."""
    begun = time.monotonic()
    verdict, seen = await _judged(probe, service)
    return Result(probe, verdict, seen, time.monotonic() - begun)


async def _judged(probe: Probe, service: Service) -> tuple[Verdict, str]:
    if service.region not in probe.regions:
        return Verdict.UNTOLD, f"only in {' and '.join(probe.regions)}"
    limit = asyncio.timeout(probe.seconds)
    try:
        async with limit:
            return await _attempts(probe, service)
    except TimeoutError:
        late = f"it took longer than {probe.seconds:g} s"
        return Verdict.UNTOLD, late if limit.expired() else "no answer came in time"
    except UntoldError as error:
        return Verdict.UNTOLD, str(error)
    except aiohttp.WSServerHandshakeError as error:
        return Verdict.UNTOLD, f"the handshake was refused with {error.status}"
    except (aiohttp.ClientError, OSError) as error:
        return Verdict.UNTOLD, f"no connection: {type(error).__name__}"
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        return Verdict.DIFFERS, f"not understood: {type(error).__name__} {error}"
    except Exception as error:  # noqa: BLE001
        # One probe must not end the others, nor keep a cloned voice from its deletion.
        return Verdict.UNTOLD, f"the probe failed: {type(error).__name__} {error}"


async def _attempts(probe: Probe, service: Service) -> tuple[Verdict, str]:
    tried_again = False
    pauses = [*_PAUSES]
    while True:
        try:
            return Verdict.HOLDS, await probe.run(service)
        except RefusedError as error:
            if error.is_of_account or (error.is_throttled and not pauses):
                return Verdict.UNTOLD, str(error)
            if error.is_throttled:
                await asyncio.sleep(pauses.pop(0))
            elif tried_again:
                return Verdict.DIFFERS, str(error)
            else:
                # The service is known to refuse now and then without a reason.
                tried_again = True
        except DiffersError as error:
            return Verdict.DIFFERS, str(error)


async def run(
    probes: Iterable[Probe],
    service_of: Callable[[Probe], Service],
    services: Iterable[Service],
    *,
    seconds: float,
    tell: Callable[[Result], None] = lambda _: None,
) -> tuple[list[Result], list[str]]:
    """Run probes; return their results in order and the voices that were left.

    Args:
        probes: The probes.
        service_of: Where each is done.
        services: All of these places.
        seconds: How long all of it may take.
        tell: Gets each result as it comes.

    Raises:
        InterruptedRunError: If it was cancelled.
    """
    wanted = [*probes]
    results: dict[str, Result] = {}
    turns = asyncio.Semaphore(_AT_ONCE)

    async def one(probe: Probe) -> None:
        async with turns:
            result = await judge(probe, service_of(probe))
        results[probe.name] = result
        tell(result)

    why = f"no time was left of {seconds:g} s"
    interrupted = False
    # What takes longest begins first.
    order = sorted(wanted, key=lambda probe: -probe.seconds)
    try:
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
            for probe in order:
                group.create_task(one(probe), name=f"probe {probe.name}")
    except TimeoutError:
        pass
    except asyncio.CancelledError:
        why, interrupted = "it was interrupted", True
    left = await _to_its_end(_clean_up(services))
    untold = [Result(probe, Verdict.UNTOLD, why) for probe in wanted]
    complete = [results.get(result.probe.name, result) for result in untold]
    if interrupted:
        raise InterruptedRunError(complete, left)
    return complete, left


class InterruptedRunError(Exception):
    """A run was cancelled; everything was cleaned up.

    Attributes:
        results: What was found before.
        left: The voices that are left.
    """

    def __init__(self, results: list[Result], left: list[str]) -> None:
        super().__init__("interrupted")
        self.results = results
        self.left = left


async def _to_its_end[T](work: Coroutine[Any, Any, T]) -> T:
    """Do some work, even if a second Ctrl-C comes meanwhile."""
    task = asyncio.create_task(work, name="cleaning up")
    while not task.done():
        with suppress(asyncio.CancelledError):
            await asyncio.shield(task)
    return task.result()


async def _clean_up(services: Iterable[Service]) -> list[str]:
    left: list[str] = []
    for service in services:
        try:
            async with asyncio.timeout(_CLEANING):
                left += await service.clean_up()
        except TimeoutError:
            left += sorted(service.created) or [f"of the prefix {service.prefix}"]
    return left
