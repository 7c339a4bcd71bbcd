"""What every test shares."""

import asyncio
from collections.abc import Callable, Generator
import os
from pathlib import Path
import sys
from typing import Any

from hypothesis import settings
import pytest

# Before Home Assistant's loader does: the test plugin has a package of the same
# name, which would hide this one.
import custom_components  # noqa: F401

# Before the vendor's SDK: since 2026.11 it puts another package in httpx's place
import homeassistant  # noqa: F401

from .clock import JumpingLoop

JUMPING = {"client", "emulator", "text", "verify"}
"""Directories of tests that need not wait."""

# A busy machine is no fault of the code
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
# Small arithmetic, in several processes: more threads only wait for each other
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Home Assistant's converter, for machines without ffmpeg
os.environ["PATH"] += os.pathsep + str(Path(sys.executable).parent)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that may take long, so that none is waited for at the end."""
    items.sort(key=lambda item: item.get_closest_marker("timeout") is None)


@pytest.fixture(autouse=True)
def local_sockets(socket_enabled: None) -> None:
    """Let every test use sockets, which the test plugin keeps on this machine."""


@pytest.fixture(autouse=True)
def disable_http_server(request: pytest.FixtureRequest) -> None:
    """Keep Home Assistant's web server from starting, as the test plugin does."""
    if "hass" in request.fixturenames:
        request.getfixturevalue("disable_http_server")


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, Any, Any]:
    """Let a report with half a surrogate reach the main process of pytest-xdist."""
    return _encodable((yield))


def _encodable(value: Any) -> Any:
    match value:
        case str():
            return value.encode(errors="backslashreplace").decode()
        case dict():
            return {key: _encodable(item) for key, item in value.items()}
        case list() | tuple():
            return type(value)(map(_encodable, value))
    return value


def pytest_asyncio_loop_factories(
    item: pytest.Item,
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Let time jump in tests without Home Assistant, other threads and processes."""
    jumps = item.path.parent.name in JUMPING and not item.get_closest_marker(
        "real_time"
    )
    return {"loop": JumpingLoop if jumps else asyncio.new_event_loop}


@pytest.fixture(autouse=True)
async def enable_event_loop_debug() -> None:
    """Use the event loop's debug mode on demand only, as it doubles the time.

    A clock that jumps is left alone, where the test plugin sets Home Assistant's.
    """
    loop = asyncio.get_running_loop()
    loop.set_debug("PYTHONASYNCIODEBUG" in os.environ)
    if isinstance(loop, JumpingLoop):
        vars(loop).pop("time", None)
