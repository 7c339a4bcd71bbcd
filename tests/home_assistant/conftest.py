"""An account at the emulated service, loaded or not."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
import shutil
from typing import Any
from unittest.mock import patch

import imageio_ffmpeg
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.syrupy import HomeAssistantSnapshotExtension
from syrupy.assertion import SnapshotAssertion

from custom_components.cosyvoice import account
from custom_components.cosyvoice.client import (
    CATALOGUE,
    AuthenticationError,
    ClonedVoice,
    CosyVoiceClient,
    Timing,
    wire,
)
from custom_components.cosyvoice.const import DEFAULT_OPTIONS, DOMAIN, SUBENTRY_VOICE
from custom_components.cosyvoice.settings import DEFAULT_SETTINGS
from homeassistant.components.ffmpeg import FFVersion
from homeassistant.components.file_upload import FileUploadData
from homeassistant.config_entries import ConfigSubentryDataWithId
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowHandler, FlowManager
from homeassistant.setup import async_setup_component
from tests.emulator import Emulator, EmulatorConfig
from tests.emulator.recordings import speech, wav
from tests.texts import unexplained

from .uploads import upload, uploads

API_KEY = "sk-test"
CLONE = "cosyvoice-v3-flash-myhome-7c1e"
SUBENTRY_ID = "living_room"
FAST = replace(
    Timing(), backoff=0.01, poll=0.02, upload=1.0, create=2.0, look_up=0.3, ready=3.0
)


def voice_subentry(
    subentry_id: str, title: str, **settings: Any
) -> ConfigSubentryDataWithId:
    """Return a voice of an account, with default settings but for these."""
    return ConfigSubentryDataWithId(
        data=DEFAULT_SETTINGS | settings,
        subentry_id=subentry_id,
        subentry_type=SUBENTRY_VOICE,
        title=title,
        unique_id=None,
    )


@pytest.fixture(autouse=True)
def home_assistant(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Let Home Assistant load this integration, with a TTS cache of its own."""
    if "hass" not in request.fixturenames:
        yield
        return
    request.getfixturevalue("enable_custom_integrations")
    with (
        patch(
            "homeassistant.components.tts._init_tts_cache_dir",
            return_value=str(tmp_path_factory.mktemp("tts")),
        ),
        patch.object(FFVersion, "get_version", _ffmpeg_version),
    ):
        yield


_ffmpeg_versions: dict[str, str | None] = {}
_ask_version = FFVersion.get_version


async def _ffmpeg_version(ffmpeg: FFVersion) -> str | None:
    """Ask FFmpeg for its version once for all set-ups of Home Assistant."""
    program = ffmpeg._ffmpeg
    if program not in _ffmpeg_versions:
        _ffmpeg_versions[program] = await _ask_version(ffmpeg)
    return _ffmpeg_versions[program]


@pytest.fixture(autouse=True)
def explained_flows() -> Iterator[None]:
    """Fail a test in which a flow showed something that has no text."""
    faults: list[str] = []
    handle_step = FlowManager._async_handle_step

    async def checked(
        manager: FlowManager[Any, Any], flow: FlowHandler[Any, Any, Any], *args: Any
    ) -> Any:
        result = await handle_step(manager, flow, *args)
        if type(flow).__module__.startswith("custom_components.cosyvoice"):
            faults.extend(unexplained(flow, result))
        return result

    with patch.object(FlowManager, "_async_handle_step", checked):
        yield
    assert faults == []


@pytest.fixture(autouse=True)
def quick_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the stages of a creation end as soon as they can, without a dialog."""
    module = "custom_components.cosyvoice.flows.creation"
    monkeypatch.setattr(f"{module}.SHORTEST_STAGE", 0)


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    """The service on this machine."""
    async with Emulator(
        EmulatorConfig(api_keys={API_KEY}, speech="silence", starts_per_second=0)
    ) as emulator:
        yield emulator


@pytest.fixture
def entry(hass: HomeAssistant, emulator: Emulator) -> MockConfigEntry:
    """An account with one voice, not set up yet."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        entry_id="account",
        title="CosyVoice",
        data={
            "api_key": API_KEY,
            "region": "cn-beijing",
            "base_url": emulator.url,
        },
        options=DEFAULT_OPTIONS,
        subentries_data=[voice_subentry(SUBENTRY_ID, "Longanyang")],
    )
    entry.add_to_hass(hass)
    return entry


@pytest.fixture
async def quick_service(emulator: Emulator) -> AsyncIterator[None]:
    """The same service, which makes a voice in no time, and a client in a hurry."""
    emulator.config.deploy_seconds = 0.1
    emulator.config.enrollments_per_second = 0

    def hurried(*args: Any, **kwargs: Any) -> CosyVoiceClient:
        return CosyVoiceClient(*args, **{**kwargs, "timing": FAST})

    with (
        patch.object(account, "CosyVoiceClient", hurried),
        patch.object(wire.upload, "SLOWEST_LINE", 1_000_000),
    ):
        yield


@pytest.fixture
def files(hass: HomeAssistant, tmp_path: Path) -> FileUploadData:
    """Uploads of a browser: the recording of a person."""
    data = uploads(hass, tmp_path / "uploads")
    upload(data, wav(speech(200, 12)))
    return data


@pytest.fixture
async def ffmpeg(hass: HomeAssistant) -> None:
    """Home Assistant's converter of audio. Request it before other fixtures."""
    binary = shutil.which("ffmpeg") or imageio_ffmpeg.get_ffmpeg_exe()
    config = {"ffmpeg": {"ffmpeg_bin": binary}}
    assert await async_setup_component(hass, "ffmpeg", config)


@pytest.fixture
async def loaded(hass: HomeAssistant, entry: MockConfigEntry) -> MockConfigEntry:
    """The same account, set up, with its key checked and its voices read."""
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    return entry


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Home Assistant's kind of snapshots.

    The test plugin has this fixture too, and syrupy another one of its name: which
    of the two wins depends on the order in which they are loaded.
    """
    return snapshot.use_extension(HomeAssistantSnapshotExtension)


@pytest.fixture
def media(hass: HomeAssistant, tmp_path: Path) -> Path:
    """Home Assistant's media folder."""
    hass.config.media_dirs = {"local": str(tmp_path)}
    return tmp_path


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the client start more tasks a second than the service allows."""
    models = {
        model.id: replace(model, starts_per_second=1000)
        for model in CATALOGUE.models.values()
    }
    monkeypatch.setattr(
        "custom_components.cosyvoice.client.client.CATALOGUE",
        replace(CATALOGUE, models=models),
    )


@pytest.fixture
def international_key() -> Any:
    """Let the key be valid in Singapore alone, at the service's own addresses."""

    async def check_key(self: CosyVoiceClient) -> None:
        if self.region != "ap-southeast-1":
            raise AuthenticationError("Invalid API-key provided.")

    async def list_voices(self: CosyVoiceClient) -> tuple[ClonedVoice, ...]:
        await check_key(self)
        return ()

    with (
        patch.object(CosyVoiceClient, "check_key", check_key),
        patch.object(CosyVoiceClient, "list_voices", list_voices),
    ):
        yield
