"""Home Assistant with the integration, restarted whenever its code changes."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
import sys
import tempfile

from aiohttp import ClientSession

from .__main__ import (
    new_folder,
    running_service,
    say,
    set_up,
    started_home,
    until_signalled,
)
from .home import PASSWORD, REPOSITORY, USER, Home, keep_running, start_again
from .programs import Program, ProgramError

_POLL_INTERVAL = 1.0
_SHOWN = ("cosyvoice", " WARNING ", " ERROR ")


async def develop() -> None:
    """Run until Home Assistant ends by itself."""
    folder = await asyncio.to_thread(new_folder, "develop")
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(ClientSession())
        directory = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="cosyvoice-"))
        )
        service = await stack.enter_async_context(
            running_service(session, folder, real=False)
        )
        home, program = await stack.enter_async_context(
            started_home(session, directory, folder)
        )
        await set_up(home, service)
        say(f"User interface: {home.api.url}   user: {USER}   password: {PASSWORD}")
        say(f"The whole log: {home.log}\nPress Ctrl-C to stop.\n")
        log = asyncio.create_task(_show(home.log))
        try:
            await _run(home, program)
        finally:
            log.cancel()


async def _run(home: Home, program: Program) -> None:
    while True:
        running = asyncio.create_task(keep_running(home, program))
        changed = asyncio.create_task(_change())
        await asyncio.wait({running, changed}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            changed.cancel()
            return await running
        running.cancel()
        say(f"\n{changed.result()} changed, starting Home Assistant again …")
        await program.stop()
        await start_again(home, program)


async def _change() -> Path:
    """Wait until a file of the integration changes; return which."""
    before = await asyncio.to_thread(_files)
    while True:
        await asyncio.sleep(_POLL_INTERVAL)
        after = await asyncio.to_thread(_files)
        if different := before.items() ^ after.items():
            return min(different)[0].relative_to(REPOSITORY)


def _files() -> dict[Path, int]:
    """Return the integration's files and when each was changed."""
    folder = REPOSITORY / "custom_components"
    return {
        path: path.stat().st_mtime_ns
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


async def _show(log: Path) -> None:
    """Print what the integration logs, and all warnings."""
    with log.open(encoding="utf-8", errors="replace") as lines:
        while True:
            for line in _shown(lines.readlines()):
                say(line)
            await asyncio.sleep(_POLL_INTERVAL / 4)


def _shown(lines: list[str]) -> Iterator[str]:
    """Yield the lines to show, tracebacks included."""
    for line in lines:
        if any(mark in line for mark in _SHOWN) or line[:2] != "20":
            yield line.rstrip()


def main() -> int:
    """Run until a signal; return the exit status."""
    try:
        asyncio.run(until_signalled(develop()))
    except ProgramError as err:
        say(f"FAILED: {err}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
