"""The programs that the demo starts, and stops again."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
import os
from pathlib import Path
import signal
import socket

from aiohttp import ClientError, ClientSession

# A first start on a slow machine compiles all of Home Assistant; then there is none left.
START_TIMEOUT = 180
STOP_TIMEOUT = 20
LONGEST_LINE = 300
_POLL_INTERVAL = 0.1


class Program:
    """A running program whose output goes to a log file."""

    def __init__(
        self,
        *command: str | Path,
        cwd: Path,
        log: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Prepare to run a command."""
        self.log = log
        self._command = command
        self._cwd = cwd
        self._environment = os.environ | (environment or {})
        self._process: asyncio.subprocess.Process

    async def start(self) -> None:
        """Run the program.

        It gets a session of its own, so that Ctrl-C reaches only the demo, which then
        stops everything in order.
        """
        with self.log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                cwd=self._cwd,
                env=self._environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )

    async def answers(self, session: ClientSession, url: str) -> None:
        """Wait until the program answers an HTTP request with status 200.

        Raises:
            ProgramError: The program ended, or did not answer in time.
        """
        try:
            await eventually(lambda: self._answered(session, url))
        except TimeoutError as err:
            raise ProgramError(f"No answer from {url}; see {self.log}") from err

    async def wait(self) -> int:
        """Wait until the program ends by itself; return its status."""
        return await self._process.wait()

    async def ended(self) -> None:
        """Wait until the program ends by itself, which it should not.

        Raises:
            ProgramError: It ended.
        """
        status = await self.wait()
        raise ProgramError(
            f"A program ended with status {status}: {last_words(self.log)}\n"
            f"The whole log: {self.log}"
        )

    async def stop(self) -> None:
        """End the program, and what it started."""
        if self._process.returncode is None:
            self._process.terminate()
            with suppress(TimeoutError):
                async with asyncio.timeout(STOP_TIMEOUT):
                    await self._process.wait()
        await self.kill()

    async def kill(self) -> None:
        """End the program as a power cut does, and what it started."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()

    async def _answered(self, session: ClientSession, url: str) -> bool:
        if self._process.returncode is not None:
            await self.ended()
        with suppress(ClientError):
            async with session.get(url) as response:
                return response.status == 200
        return False


class ProgramError(Exception):
    """A program of the demo does not run as it should."""


def tracebacks(log: Path) -> list[str]:
    """Return the last line of each traceback in a log, each once."""
    found: dict[str, None] = {}
    inside = False
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.lstrip().startswith("Traceback (most recent call last)"):
            inside = True
        elif inside and line[:1] not in {"", " ", "\t"}:
            found[line[:LONGEST_LINE]] = None
            inside = False
    return list(found)


def last_words(log: Path) -> str:
    """Return the line of a log that tells best why its program ended."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return "".join((tracebacks(log) or lines)[-1:])


@asynccontextmanager
async def running(
    *command: str | Path,
    cwd: Path,
    log: Path,
    environment: Mapping[str, str] | None = None,
) -> AsyncGenerator[Program]:
    """Run a program for the length of a block, with a new log."""
    await asyncio.to_thread(log.unlink, missing_ok=True)
    program = Program(*command, cwd=cwd, log=log, environment=environment)
    await program.start()
    try:
        yield program
    finally:
        await program.stop()


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    """Ask another program again and again until the answer is yes.

    Raises:
        TimeoutError: It was not within :data:`START_TIMEOUT` seconds.
    """
    async with asyncio.timeout(START_TIMEOUT):
        while True:
            if await condition():
                return
            await asyncio.sleep(_POLL_INTERVAL)


def free_port() -> int:
    """Return a port of the loopback interface that nobody uses at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
