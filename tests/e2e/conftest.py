"""The house that the tests visit."""

from collections.abc import AsyncGenerator, Generator
import json
import os
from pathlib import Path
import subprocess
import sys
from typing import Any

from aiohttp import ClientSession
import pytest

from tests.demo.api import HomeAssistantApi
from tests.demo.home import API_KEY, REPOSITORY, Home
from tests.demo.service import EmulatedService


@pytest.fixture(scope="session")
def place() -> Generator[dict[str, Any]]:
    """Where the emulator and Home Assistant are, which run for all tests."""
    with subprocess.Popen(  # noqa: S603
        [
            *(sys.executable, "-m", "tests.e2e.serve"),
            # For the accounts that are added in the browser
            *("--api-key=sk-en", "--api-key=sk-zh-Hans"),
        ],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as house:
        assert house.stdin is not None
        assert house.stdout is not None
        yield json.loads(house.stdout.readline())
        house.stdin.close()
        house.wait()


@pytest.fixture
async def session() -> AsyncGenerator[ClientSession]:
    """A session for the test's own requests."""
    async with ClientSession() as session:
        yield session


@pytest.fixture
async def home(place: dict[str, Any], session: ClientSession) -> AsyncGenerator[Home]:
    """The running Home Assistant; a test's accounts are removed after it."""
    api = HomeAssistantApi(session, place["url"], place["token"])
    yield Home(api=api, directory=Path(place["directory"]), log=Path(place["log"]))
    entries = "/api/config/config_entries/entry"
    for entry in await api.get(f"{entries}?domain=cosyvoice"):
        await api.delete(f"{entries}/{entry['entry_id']}")


@pytest.fixture
def emulator(place: dict[str, Any], session: ClientSession) -> EmulatedService:
    """The running emulator."""
    return EmulatedService(session, place["emulator"])


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
