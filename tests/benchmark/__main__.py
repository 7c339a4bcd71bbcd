"""Measure everything, print it and draw it: ``python -m tests.benchmark``."""

import argparse
import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict
import datetime as dt
from itertools import batched
import json
import os
from pathlib import Path
import platform
import signal
import sys
import time
from typing import Any

from aiohttp import ClientSession
import imageio_ffmpeg

from tests.demo.home import REPOSITORY
from tests.demo.programs import free_port, running
from tests.demo.service import EmulatedService, running_emulator

from .chart import draw
from .line import LINES
from .network import (
    COST_REAL_TIME_FACTOR,
    FIRST_PACKET,
    NETWORKS,
    OURS,
    QWEN_ROW,
    REAL_TIME_FACTOR,
    STATES,
    Services,
)
from .peers import PEERS
from .report import report

MODES = ("call", "callback", "pool")
"""The vendor's SDK."""
SET_UPS = 6
"""Fresh Home Assistants in which the integration is set up."""
FOLDER = REPOSITORY / ".work" / "benchmark"
# Bytecode is kept as Home Assistant keeps it: a start does not compile everything.
_ENVIRONMENT = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPATH": str(REPOSITORY)}


class Benchmark:
    """A run: workers one after the other, or side by side where they mostly wait."""

    def __init__(self, services: Services, repetitions: int) -> None:
        """Measure at these services, each time so often."""
        self._services = services
        self._repetitions = repetitions

    async def run(self) -> dict[str, Any]:
        """Return all results."""
        often = self._repetitions
        # The first start of all compiles Home Assistant.
        await self._work("set_up", repetitions=1)
        results: dict[str, Any] = {
            "date": dt.datetime.now(dt.UTC).date().isoformat(),
            "machine": f"{os.cpu_count()} cores {platform.machine()}",
            "repetitions": often,
            "set_up": [
                await self._work("set_up", repetitions=2) for _ in range(SET_UPS)
            ],
            "latency": {
                row: await self._work("latency", row=row, repetitions=often)
                for row in (*STATES, QWEN_ROW, *PEERS)
            },
            "clients": await self._clients(),
        }
        engines = ("pre-started", QWEN_ROW, *PEERS)
        # The last two speak through different services.
        results["streamed"] = {
            row: await self._work("streamed", row=row, repetitions=often)
            for row in engines[:-2]
        } | await self._side_by_side("streamed", "row", engines[-2:], repetitions=often)
        # Processor time is the same whoever else has some.
        results["cost"] = await self._side_by_side(
            "cost", "row", engines, repetitions=3
        )
        results["replay"] = await self._work("replay", repetitions=often)
        results["cleaning"] = await self._work("cleaning", repetitions=often)
        results["many"] = await self._work("many")
        results["long_text"] = await self._work("long_text")
        # These mostly wait.
        results["lines"] = await self._side_by_side(
            "line", "chosen", [line.name for line in LINES], repetitions=often // 2
        )
        results["idle"] = await self._side_by_side(
            "idle", "option", ["after_speech", "always"], repetitions=max(1, often // 5)
        )
        results["slowed"] = await self._work("slowed", repetitions=often // 2)
        return results

    async def _clients(self) -> dict[str, Any]:
        often = self._repetitions
        # Two at a time at most, so that each finds a processor.
        clients: dict[str, Any] = {}
        for pair in batched(OURS, 2, strict=True):
            clients |= await self._side_by_side("ours", "row", pair, repetitions=often)
        # These mostly wait.
        runs = iter(
            await asyncio.gather(
                *(
                    self._work(
                        "vendors", mode=mode, network=network.name, repetitions=often
                    )
                    for mode in MODES
                    for network in NETWORKS
                )
            )
        )
        for mode in MODES:
            near, far = next(runs), next(runs)
            clients[mode] = near | {"latency": near["latency"] | far["latency"]}
        return clients

    async def _side_by_side(
        self, name: str, argument: str, values: Sequence[str], **others: Any
    ) -> dict[str, Any]:
        """Return what workers at the same time found, by the argument they differ in."""
        runs = await asyncio.gather(
            *(self._work(name, **{argument: value}, **others) for value in values)
        )
        return dict(zip(values, runs, strict=True))

    async def _work(self, name: str, **arguments: Any) -> Any:
        """Return the result of a worker."""
        begun = time.perf_counter()
        arguments["services"] = asdict(self._services)
        log = FOLDER / "worker.log"
        with log.open("ab") as errors:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "tests.benchmark.worker",
                name,
                json.dumps(arguments),
                cwd=REPOSITORY,
                env=os.environ | _ENVIRONMENT,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
            )
            output, _ = await process.communicate()
        if process.returncode:
            sys.exit(f"FAILED: {name}, see {log}")
        what = " ".join(
            str(value) for key, value in arguments.items() if key != "services"
        )
        seconds = time.perf_counter() - begun
        print(f"{seconds:6.1f} s  {name} {what}", file=sys.stderr, flush=True)
        return json.loads(output)


@asynccontextmanager
async def running_services() -> AsyncGenerator[Services]:
    """Run the services, each in a process of its own, for the length of a block."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(ClientSession())

        async def emulator(
            round_trip: float, factor: float, *more: str, first_packet: float = 0
        ) -> EmulatedService:
            return await stack.enter_async_context(
                running_emulator(
                    session,
                    FOLDER / f"emulator-{round_trip}-{factor}.log",
                    f"--rtt-ms={round_trip * 1000}",
                    f"--first-packet-ms={first_packet * 1000}",
                    f"--real-time-factor={factor}",
                    "--starts-per-second=0",
                    *more,
                )
            )

        async def https(round_trip: float, factor: float) -> str:
            port = free_port()
            program = await stack.enter_async_context(
                running(
                    sys.executable,
                    *("-m", "tests.benchmark.http_service"),
                    *(f"{port}", f"{round_trip}", f"{factor}"),
                    cwd=REPOSITORY,
                    log=FOLDER / f"https-{round_trip}-{factor}.log",
                )
            )
            url = f"http://127.0.0.1:{port}"
            await program.answers(session, f"{url}/")
            return url

        silent = await emulator(0, 0, "--speech=silence")
        await silent.set(seconds_per_character=0.005)
        fast = await emulator(0, COST_REAL_TIME_FACTOR)
        networks = {
            network.name: await emulator(
                network.round_trip, REAL_TIME_FACTOR, first_packet=FIRST_PACKET
            )
            for network in NETWORKS
        }
        yield Services(
            emulators={name: service.url for name, service in networks.items()},
            https={
                network.name: await https(network.round_trip, REAL_TIME_FACTOR)
                for network in NETWORKS
            },
            fast=fast.url,
            fast_https=await https(0, COST_REAL_TIME_FACTOR),
            silent=silent.url,
            # The pinned one: older ones take other times
            ffmpeg=imageio_ffmpeg.get_ffmpeg_exe(),
        )


async def benchmark(repetitions: int) -> dict[str, Any]:
    """Return the results of a run."""
    async with running_services() as services:
        return await Benchmark(services, repetitions).run()


async def _until_terminated(repetitions: int) -> dict[str, Any]:
    running = asyncio.ensure_future(benchmark(repetitions))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    return await running


def _repetitions(text: str) -> int:
    if (number := int(text)) < 2:
        raise argparse.ArgumentTypeError("at least 2 are needed")
    return number


def _picture(text: str) -> Path:
    path = Path(text)
    if path.suffix not in {".png", ".svg"}:
        raise argparse.ArgumentTypeError("the name must end in .svg or .png")
    if not os.access(path.parent, os.W_OK):
        raise argparse.ArgumentTypeError(f"{path.parent} cannot be written")
    return path


def _results(text: str) -> dict[str, Any]:
    try:
        results: dict[str, Any] = json.loads(Path(text).read_text(encoding="utf-8"))
    except (OSError, ValueError) as err:
        raise argparse.ArgumentTypeError(f"no results can be read: {err}") from err
    return results


def main() -> None:
    """Run as the command line says."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    parser = argparse.ArgumentParser(
        prog="scripts/benchmark", usage="%(prog)s [--help] [options]"
    )
    parser.add_argument("--repetitions", type=_repetitions, default=20)
    parser.add_argument("--picture", type=_picture, default=FOLDER / "performance.svg")
    parser.add_argument("--results", type=_results)
    options = parser.parse_args()
    if options.results:
        results = options.results
    else:
        try:
            results = asyncio.run(_until_terminated(options.repetitions))
        except asyncio.CancelledError, KeyboardInterrupt:
            sys.exit("stopped")
        file = FOLDER / "results.json"
        file.write_text(json.dumps(results), encoding="utf-8")
        print(f"results: {file}", file=sys.stderr)
    print(report(results), flush=True)
    draw(results, options.picture)
    print(f"picture: {options.picture}", file=sys.stderr)


if __name__ == "__main__":
    main()
