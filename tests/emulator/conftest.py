"""What tests with the vendor's SDK share."""

from collections.abc import AsyncIterator

import pytest

from . import Emulator, EmulatorConfig
from .sdk import aimed
from .wire import MODEL


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    """Run an emulator that the SDK takes for the service."""
    config = EmulatorConfig(
        speech="signal",
        starts_per_second=0,
        cloned_voices={f"{MODEL}-mine-1": "DEPLOYING"},
    )
    async with aimed(config) as running:
        yield running
