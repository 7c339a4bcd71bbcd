"""Let a real Home Assistant speak through CosyVoice, and keep what it said."""

import argparse
import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
import os
from pathlib import Path
import shutil
import signal
import sys
import tempfile
import time
from typing import Any

from aiohttp import ClientSession

from .api import RefusedError
from .home import API_KEY, PASSWORD, REPOSITORY, USER, Home, keep_running, running_home
from .programs import LONGEST_LINE, Program, ProgramError, tracebacks
from .service import EmulatedService, SpokenTask, running_emulator
from .speech import Heard, converse, letters, speak

TEXT = "你好，欢迎回家。客厅的灯已经打开。Welcome home, the lights in the living room are on."
# Home Assistant streams an answer of more than 60 characters; a shorter one gets this too.
STORY = (
    "从前有一座山，山上有一座庙，庙里有一个老和尚在讲故事。"
    "Once upon a time there was a house that could speak. "
    "It said good morning, and it never forgot a word."
)
STREAMING_THRESHOLD = 60
NO_NETWORK = "[Errno 19] No such device"
"""What zeroconf logs in Home Assistant where only the loopback interface exists."""
KEPT = 86400
"""Seconds that the folder of a run is kept."""
# Of the decoded duration from the emulator's figure; an encoder pads either end.
TOLERANCE = 0.03
PADDING = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The service that is spoken through.

    Attributes:
        api_key: The key that it accepts.
        emulator: The emulator, unless it is the real service.
    """

    api_key: str
    emulator: EmulatedService | None = None


async def demo(text: str, *, once: bool, real: bool) -> bool:
    """Run the demo; with ``once`` return whether everything was heard in full."""
    folder = await asyncio.to_thread(new_folder, "demo")
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(ClientSession())
        directory = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="cosyvoice-demo-"))
        )
        service = await stack.enter_async_context(
            running_service(session, folder, real=real)
        )
        home, program = await stack.enter_async_context(
            started_home(session, directory, folder)
        )
        try:
            engine = await set_up(home, service)
            faults = await _speak_both_ways(home, service, engine, text, folder)
        except RefusedError as err:
            faults = [str(err)]
        faults += await asyncio.to_thread(log_faults, home.log)
        for fault in faults:
            say(f"FAILED: {fault}")
        if faults:
            say(f"The whole log: {home.log}")
        say(f"\nUser interface: {home.api.url}   user: {USER}   password: {PASSWORD}")
        if once:
            say("FAILED, see above." if faults else "Verified.")
        else:
            say("Press Ctrl-C to stop.")
            await keep_running(home, program)
        return not faults


@asynccontextmanager
async def started_home(
    session: ClientSession, directory: Path, folder: Path
) -> AsyncGenerator[tuple[Home, Program]]:
    """Run Home Assistant for the length of a block, and tell of it."""
    say("Starting Home Assistant …")
    async with running_home(session, directory, folder) as (home, program):
        version = (await home.api.get("/api/config"))["version"]
        say(f"Home Assistant {version} is running.")
        yield home, program


@asynccontextmanager
async def running_service(
    session: ClientSession, folder: Path, *, real: bool
) -> AsyncGenerator[Service]:
    """Run the emulator for the length of a block, unless the real service is used."""
    if real:
        yield Service(api_key=os.environ["DASHSCOPE_API_KEY"])
        return
    say("Starting the emulator of the CosyVoice service …")
    async with running_emulator(
        session,
        folder / "emulator.log",
        "--rtt-ms=20",
        "--first-packet-ms=300",
        "--real-time-factor=0.2",
    ) as emulator:
        yield Service(api_key=API_KEY, emulator=emulator)


async def set_up(home: Home, service: Service) -> str:
    """Add the integration as a person would; return its speech entity."""
    account: dict[str, Any] = {"api_key": service.api_key}
    if service.emulator:
        account["advanced"] = {"base_url": service.emulator.url}
    await home.api.add_integration("cosyvoice", {"user": account})
    engine = await home.api.entity_id("speech")
    say(f"The integration is set up: {engine}")
    return engine


async def _speak_both_ways(
    home: Home, service: Service, engine: str, text: str, folder: Path
) -> list[str]:
    """Speak, report what was heard, and return what is wrong with it."""
    say("\ntts.speak to a media player:")
    heard = await speak(home, engine, text)
    file = folder / f"speak{heard.recording.path.suffix}"
    await asyncio.to_thread(shutil.copy, heard.recording.path, file)
    report(heard, file)
    tasks = await _spoken(service)
    faults = check(heard, text, tasks)

    say("\nAssist, whose answer is streamed in pieces of 1 to 8 characters:")
    answer = text if len(text) > STREAMING_THRESHOLD else f"{text} {STORY}"
    heard = await converse(home, await home.pipeline(engine), answer, folder / "assist")
    report(heard, heard.recording.path)
    faults += check(heard, answer, await _spoken(service, after=len(tasks or ())))
    if not heard.streamed:
        faults.append("Home Assistant did not stream the answer")
    return faults


async def _spoken(service: Service, after: int = 0) -> list[SpokenTask] | None:
    """Return what the emulator has spoken; the real service does not tell."""
    return (await service.emulator.tasks())[after:] if service.emulator else None


def check(heard: Heard, text: str, tasks: list[SpokenTask] | None) -> list[str]:
    """Return what is wrong with what was heard.

    Args:
        heard: What the listener was given.
        text: What should have been said.
        tasks: What the emulator spoke; None with the real service.
    """
    recording = heard.recording
    faults = []
    if recording.container != recording.path.suffix[1:]:
        faults.append(f"{recording.path.name} is {recording.container}")
    if recording.seconds <= 0:
        faults.append("There is no sound")
    if tasks is None:
        return faults
    if not tasks:
        return [*faults, "The emulator was not asked to speak"]
    if any(task.outcome != "finished" for task in tasks):
        faults.append(f"The service was left: {[task.outcome for task in tasks]}")
    spoken = "".join(task.text for task in tasks)
    if letters(spoken) != letters(text):
        faults.append(f"Other words were spoken: {spoken}")
    rate = tasks[0].parameters["sample_rate"]
    if recording.sample_rate != rate:
        faults.append(f"The rate is {recording.sample_rate} Hz, not {rate} Hz")
    seconds = sum(task.audio_seconds for task in tasks)
    if abs(recording.seconds - seconds) > max(TOLERANCE * seconds, PADDING):
        faults.append(f"{recording.seconds:.2f} s were heard of {seconds:.2f} s")
    return faults


def log_faults(log: Path) -> list[str]:
    """Return the errors in Home Assistant's log that the integration may have caused."""
    text = log.read_text(encoding="utf-8", errors="replace")
    if NO_NETWORK in text:
        return ["Home Assistant needs a network interface besides the loopback"]
    errors = [
        line[:LONGEST_LINE]
        for line in text.splitlines()
        if " ERROR " in line and "cosyvoice" in line
    ]
    return [*dict.fromkeys(errors), *tracebacks(log)]


def report(heard: Heard, file: Path) -> None:
    """Print one recording."""
    say(f"  {file}")
    say(f"  {heard.recording}; first audio after {heard.first_audio:.2f} s")


def say(line: str) -> None:
    """Print without delay, also into a pipe and in any encoding."""
    encoding = sys.stdout.encoding
    print(line.encode(encoding, "replace").decode(encoding), flush=True)


def new_folder(name: str) -> Path:
    """Return an empty folder for recordings and logs, in the repository if possible.

    Each run has its own; those of earlier days are removed.
    """
    parent = REPOSITORY / ".work" / name
    try:
        parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=time.strftime("%H%M%S-"), dir=parent))
    except OSError:
        return Path(tempfile.mkdtemp(prefix=f"cosyvoice-{name}-"))
    for old in parent.iterdir():
        if old.stat().st_mtime < time.time() - KEPT:
            shutil.rmtree(old, ignore_errors=True)
    return folder


async def until_signalled[T](work: Coroutine[Any, Any, T]) -> T | None:
    """Return the result of the work, or None if a signal stopped it."""
    loop = asyncio.get_running_loop()
    running = asyncio.ensure_future(work)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, running.cancel)
    try:
        return await running
    except asyncio.CancelledError:
        say("\nStopped.")
        return None


def main() -> int:
    """Run as the command line says; return the exit status."""
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
    parser.add_argument("text", nargs="?", default=TEXT, help="what to say")
    parser.add_argument(
        "--once", action="store_true", help="verify what was heard and end"
    )
    parser.add_argument(
        "--real",
        action="store_true",
        help="use the real service with the key in DASHSCOPE_API_KEY; this costs money",
    )
    options = parser.parse_args()
    if options.real and not os.environ.get("DASHSCOPE_API_KEY"):
        parser.error("--real needs the environment variable DASHSCOPE_API_KEY")
    try:
        complete = asyncio.run(
            until_signalled(demo(options.text, once=options.once, real=options.real))
        )
    except ProgramError as err:
        say(f"FAILED: {err}")
        return 1
    return 0 if complete or (complete is None and not options.once) else 1


if __name__ == "__main__":
    sys.exit(main())
