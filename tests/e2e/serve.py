"""Run the house that the tests visit, until standard input ends.

A program of its own: tests may not open sockets before they begin, and what they
leave running ends with them. It prints where everything is. At a line of input it
ends Home Assistant, ``kill`` as a power cut does and ``stop`` as a person does, starts
it again, and prints a line when it runs.
"""

import asyncio
from contextlib import AsyncExitStack
import json
from pathlib import Path
import sys
import tempfile

from aiohttp import ClientSession

from tests.demo.home import running_home, start_again
from tests.demo.service import running_emulator


async def serve() -> None:
    """Start everything, say where it is, and wait."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(ClientSession())
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="cosyvoice-e2e-"))
        )
        emulator = await stack.enter_async_context(
            running_emulator(session, folder / "emulator.log", *sys.argv[1:])
        )
        abroad = await stack.enter_async_context(
            running_emulator(
                session, folder / "abroad.log", *sys.argv[1:], "--region=ap-southeast-1"
            )
        )
        directory = folder / "home"
        directory.mkdir()
        home, program = await stack.enter_async_context(
            running_home(session, directory, folder)
        )
        place = {
            "url": home.api.url,
            "token": home.api.token,
            "directory": str(home.directory),
            "log": str(home.log),
            "emulator": emulator.url,
            "abroad": abroad.url,
        }
        print(json.dumps(place), flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            await (program.kill() if line == "kill\n" else program.stop())
            await start_again(home, program)
            print(flush=True)


if __name__ == "__main__":
    asyncio.run(serve())
