"""``scripts/verify``: runs the probes, tells what they found, writes the report."""

import argparse
import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from importlib import import_module
import os
from pathlib import Path
import signal
import sys
import time

import aiohttp

from ..emulator.transcript import Recorder
from .emulated import emulated
from .probe import BEIJING, PROBES, SINGAPORE, Probe
from .report import line, report, summary, table
from .runner import InterruptedRunError, Result, Verdict, run
from .service import Service

import_module(f"{__package__}.probes")

HOSTS = {
    BEIJING: "https://dashscope.aliyuncs.com",
    SINGAPORE: "https://dashscope-intl.aliyuncs.com",
}
_LIMIT = 285.0
"""Seconds that all probes may take; cleaning up comes on top."""
_INTERRUPTED = 130


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/verify",
        description="Check what is believed about the service, against the emulator.",
    )
    add = parser.add_argument
    add("--real", action="store_true", help="against the service: DASHSCOPE_API_KEY")
    add("--region", default=BEIJING, choices=(BEIJING, SINGAPORE))
    add("--url", help="the service's root, if it is another one than usual")
    add("--only", nargs="+", metavar="NAME", help="these probes, or parts of names")
    add("--list", action="store_true", help="show all probes as a table, and end")
    add("--yes", action="store_true", help="do not ask whether it may cost something")
    add("--report", type=Path, default=Path("verify-report.md"), metavar="FILE")
    add("--record", type=Path, metavar="FILE", help="keep the frames as a transcript")
    return parser.parse_args(arguments)


def chosen(names: Sequence[str] | None, region: str | None = None) -> list[Probe]:
    """Return the probes that a person has asked for, or all of a region.

    Raises:
        SystemExit: If a name fits none.
    """
    if not names:
        return [probe for probe in PROBES.values() if region in (None, *probe.regions)]
    found: dict[str, Probe] = {}
    for name in names:
        fitting = [name] if name in PROBES else [n for n in PROBES if name in n]
        if not fitting:
            raise SystemExit(f"There is no probe {name}; --list shows all.")
        found |= {n: PROBES[n] for n in fitting}
    return [*found.values()]


async def verify(
    options: argparse.Namespace, probes: list[Probe], key: str
) -> tuple[list[Result], list[str]]:
    """Run the probes where the command line says."""
    async with AsyncExitStack() as stack:
        recorder = None
        if options.record is not None:
            recorder = Recorder(options.record, keep_texts=True)
            stack.callback(recorder.close)
        if not options.real:
            places = await stack.enter_async_context(emulated())
            services = places.services

            def service_of(probe: Probe) -> Service:
                return places.place(probe).service
        else:
            session = aiohttp.ClientSession(trust_env=True)
            service = Service(
                url=(options.url or HOSTS[options.region]).rstrip("/"),
                other_url=HOSTS[SINGAPORE if options.region == BEIJING else BEIJING],
                region=options.region,
                key=key,
                session=await stack.enter_async_context(session),
            )
            services = [service]

            def service_of(probe: Probe) -> Service:
                return service

        for service in services:
            service.recorder = recorder
        return await run(
            probes,
            service_of,
            services,
            seconds=_LIMIT,
            tell=lambda result: print(line(result, key), flush=True),
        )


async def interruptible(
    options: argparse.Namespace, probes: list[Probe], key: str
) -> tuple[list[Result], list[str], bool]:
    """Run the probes; Ctrl-C ends them early, and what was found is kept."""
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)
    for number in signals:
        loop.add_signal_handler(number, task.cancel)
    try:
        return *await verify(options, probes, key), False
    except InterruptedRunError as run:
        return run.results, run.left, True
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


def permitted(options: argparse.Namespace, probes: list[Probe]) -> bool:
    """Return whether a person permits what it will cost."""
    cost = sum(probe.cost for probe in probes if options.region in probe.regions)
    print(
        f"{len(probes)} probes against the service in {options.region}: they cost at "
        f"most {cost:.2f} CNY and take up to {_LIMIT / 60:.0f} minutes. Voices that "
        "are cloned are deleted in the end."
    )
    if options.yes:
        return True
    if not sys.stdin.isatty():
        print("Give --yes to permit this.")
        return False
    try:
        return input("Continue? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError, KeyboardInterrupt:
        return False


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return the exit code."""
    options = parse_arguments(arguments)
    if options.list:
        print(table(), end="")
        return 0
    probes = chosen(options.only, options.region if options.real else None)
    key = os.environ.get("DASHSCOPE_API_KEY", "").strip() if options.real else ""
    if options.real and not key:
        print("Set DASHSCOPE_API_KEY to the key of an account of the region.")
        return 2
    if options.real and not permitted(options, probes):
        return 2
    return asyncio.run(verified(options, probes, key))


async def verified(options: argparse.Namespace, probes: list[Probe], key: str) -> int:
    """Run the probes, tell what they found and report it; return the exit code."""
    begun = time.monotonic()
    results, left, interrupted = await interruptible(options, probes, key)
    seconds = time.monotonic() - begun
    region = options.region if options.real else "both regions"
    options.report.write_text(
        report(results, region=region, real=options.real, key=key, seconds=seconds),
        "utf-8",
    )
    for result in results:
        if result.verdict is Verdict.DIFFERS:
            print(
                f"\n{result.probe.name}: {result.probe.belief}\n  {line(result, key)}"
            )
    print(f"\n{summary(results)}, in {seconds:.0f} s. The report: {options.report}")
    for voice in left:
        print(f"A cloned voice could not be deleted: {voice}")
    if interrupted:
        return _INTERRUPTED
    differ = any(result.verdict is Verdict.DIFFERS for result in results)
    return 1 if differ or left else 0


if __name__ == "__main__":
    sys.exit(main())
