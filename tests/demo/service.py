"""The emulated service, as a program of its own."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
import sys
from typing import Any

from aiohttp import ClientSession

from .home import API_KEY, REPOSITORY
from .programs import free_port, running

_STATE = "/_emulator/state"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenTask:
    """A task of the service, as the emulator remembers it.

    Attributes:
        text: All text that it was sent.
        parameters: The parameters on the wire.
        outcome: ``finished``, ``cancelled``, ``failed`` or another one.
        audio_seconds: Duration of the audio that it sent.
    """

    text: str
    parameters: dict[str, Any]
    outcome: str
    audio_seconds: float


@dataclass(frozen=True, slots=True)
class EmulatedService:
    """A running emulator.

    Attributes:
        session: For the requests to it.
        url: Its root, to be used as the integration's base URL.
    """

    session: ClientSession
    url: str

    async def tasks(self) -> list[SpokenTask]:
        """Return the tasks that were sent text, oldest first."""
        async with self.session.get(f"{self.url}{_STATE}") as response:
            response.raise_for_status()
            state = await response.json()
        return [
            SpokenTask(
                text="".join(text for _, text in task["pieces"]),
                parameters=task["parameters"],
                outcome=task["outcome"],
                audio_seconds=task["audio_seconds"],
            )
            for task in state["tasks"]
            if task["pieces"]
        ]

    async def set(self, **settings: Any) -> None:
        """Change settings of :class:`tests.emulator.EmulatorConfig`."""
        await self._control("settings", settings)

    async def script(self, *faults: str) -> None:
        """Let faults happen, as :meth:`tests.emulator.Fault.parse` reads them.

        Without any, what was still to happen does not.
        """
        await self._control("faults", faults)

    async def _control(self, name: str, data: Any) -> None:
        async with self.session.post(
            f"{self.url}/_emulator/{name}", json=data
        ) as response:
            response.raise_for_status()


@asynccontextmanager
async def running_emulator(
    session: ClientSession, log: Path, *arguments: str
) -> AsyncGenerator[EmulatedService]:
    """Run the emulator on a free port for the length of a block.

    Args:
        session: For the requests to it.
        log: What it writes to.
        arguments: More options of ``python -m tests.emulator``.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    async with running(
        sys.executable,
        "-m",
        "tests.emulator",
        f"--port={port}",
        f"--api-key={API_KEY}",
        *arguments,
        cwd=REPOSITORY,
        log=log,
    ) as program:
        await program.answers(session, f"{url}{_STATE}")
        yield EmulatedService(session, url)
