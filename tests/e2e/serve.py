"""Run the house that the tests visit, until standard input ends.

A program of its own: tests may not open sockets before they begin, and what they
leave running ends with them.
"""

import asyncio
from contextlib import AsyncExitStack
import json
from pathlib import Path
import sys
import tempfile

from aiohttp import ClientSession

from tests.demo.home import running_home
from tests.demo.service import running_emulator


async def serve() -> None:
    """Start everything, say where it is, and wait."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(ClientSession())
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="cosyvoice-e2e-"))
        )
        emulator = await stack.enter_async_context(
            running_emulator(session, folder, *sys.argv[1:])
        )
        directory = folder / "home"
        directory.mkdir()
        home, _ = await stack.enter_async_context(
            running_home(session, directory, folder)
        )
        place = {
            "url": home.api.url,
            "token": home.api.token,
            "directory": str(home.directory),
            "log": str(home.log),
            "emulator": emulator.url,
        }
        sys.stdout.write(json.dumps(place) + "\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve())
