"""The house that the tests visit."""

from collections.abc import AsyncGenerator, Generator
import json
from pathlib import Path
import subprocess
import sys
from typing import Any

from aiohttp import ClientSession
import pytest

from tests.demo.api import HomeAssistantApi
from tests.demo.home import API_KEY, REPOSITORY, Home
from tests.demo.service import EmulatedService


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep these tests in one process, as they share one house."""
    for item in items:
        if "tests/e2e/" in item.nodeid:
            item.add_marker(pytest.mark.xdist_group("e2e"))


@pytest.fixture(scope="session")
def place() -> Generator[dict[str, Any]]:
    """Where the emulator and Home Assistant are, which run for all tests."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.serve"],
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
async def session(socket_enabled: None) -> AsyncGenerator[ClientSession]:
    """A session for the test's own requests."""
    async with ClientSession() as session:
        yield session


@pytest.fixture
def home(place: dict[str, Any], session: ClientSession) -> Home:
    """The running Home Assistant."""
    return Home(
        api=HomeAssistantApi(session, place["url"], place["token"]),
        directory=Path(place["directory"]),
        log=Path(place["log"]),
    )


@pytest.fixture
def emulator(place: dict[str, Any], session: ClientSession) -> EmulatedService:
    """The running emulator."""
    return EmulatedService(session, place["emulator"])


@pytest.fixture
async def engine(home: Home, emulator: EmulatedService) -> str:
    """The entity that speaks; its account is added for the first test that needs it."""
    if not await home.api.entities():
        await home.api.add_integration(
            "cosyvoice",
            {"user": {"api_key": API_KEY, "advanced": {"base_url": emulator.url}}},
        )
    return await home.api.entity_id("speech")
