"""The house that the tests visit."""

import asyncio
from collections.abc import AsyncGenerator, Generator
import json
import os
from pathlib import Path
import subprocess
import sys
from typing import Any, Literal

from aiohttp import ClientSession
import pytest

from tests.demo.api import HomeAssistantApi
from tests.demo.home import API_KEY, REPOSITORY, Home
from tests.demo.service import EmulatedService

TRANSLATIONS = REPOSITORY / "custom_components/cosyvoice/translations"
KEYS = (
    API_KEY,
    *(f"sk-browser-{path.stem}" for path in TRANSLATIONS.glob("*.json")),
)
"""Valid keys; all but the first are for accounts that are added in the browser."""


class House:
    """The emulators and Home Assistant, which run for all tests.

    Attributes:
        place: Where they are.
    """

    def __init__(self, program: subprocess.Popen[str]) -> None:
        """Wait until everything runs."""
        assert program.stdin is not None
        assert program.stdout is not None
        self._input, self._output = program.stdin, program.stdout
        self.place: dict[str, Any] = json.loads(self._output.readline())

    async def start_again(self, how: Literal["kill", "stop"]) -> None:
        """End Home Assistant, as a power cut or as a person does, and start it again."""
        self._input.write(f"{how}\n")
        self._input.flush()
        assert await asyncio.to_thread(self._output.readline)

    def leave(self) -> None:
        """Stop everything."""
        self._input.close()


@pytest.fixture(scope="session")
def house() -> Generator[House]:
    """The house, which stands for all tests."""
    with subprocess.Popen(  # noqa: S603
        [
            *(sys.executable, "-m", "tests.e2e.serve"),
            *(f"--api-key={key}" for key in KEYS),
        ],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        house = House(program)
        yield house
        house.leave()
        program.wait()


@pytest.fixture
async def session() -> AsyncGenerator[ClientSession]:
    """A session for the test's own requests."""
    async with ClientSession() as session:
        yield session


@pytest.fixture
async def home(house: House, session: ClientSession) -> AsyncGenerator[Home]:
    """The running Home Assistant; a test's accounts are removed after it."""
    place = house.place
    api = HomeAssistantApi(session, place["url"], place["token"])
    yield Home(api=api, directory=Path(place["directory"]), log=Path(place["log"]))
    entries = "/api/config/config_entries/entry"
    for entry in await api.get(f"{entries}?domain=cosyvoice"):
        await api.delete(f"{entries}/{entry['entry_id']}")


@pytest.fixture
def emulator(house: House, session: ClientSession) -> EmulatedService:
    """The running emulator."""
    return EmulatedService(session, house.place["emulator"])


@pytest.fixture
def abroad(house: House, session: ClientSession) -> EmulatedService:
    """The emulator of the other region."""
    return EmulatedService(session, house.place["abroad"])


@pytest.fixture
async def engine(home: Home, emulator: EmulatedService) -> str:
    """The entity that speaks, of an account that is there for the test alone."""
    await home.api.add_integration(
        "cosyvoice",
        {"user": {"api_key": API_KEY, "advanced": {"base_url": emulator.url}}},
    )
    return await home.api.entity_id("speech")


@pytest.fixture
def pictures() -> Path | None:
    """The folder for pictures, if they are wanted."""
    folder = os.environ.get("PICTURES")
    return Path(folder) if folder else None
