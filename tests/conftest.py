"""What every test shares."""

from collections.abc import Iterator
from unittest.mock import patch

import pytest

# Before Home Assistant's loader does: the test plugin has a package of the same
# name, which would hide this one.
import custom_components  # noqa: F401


@pytest.fixture(autouse=True)
def local_sockets(socket_enabled: None) -> None:
    """Let every test use sockets; the test plugin keeps them on this machine."""


@pytest.fixture(autouse=True)
def home_assistant(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Let Home Assistant, where a test uses it, load this integration and keep its TTS cache apart."""
    if "hass" not in request.fixturenames:
        yield
        return
    request.getfixturevalue("enable_custom_integrations")
    with patch(
        "homeassistant.components.tts._init_tts_cache_dir",
        return_value=str(tmp_path_factory.mktemp("tts")),
    ):
        yield
