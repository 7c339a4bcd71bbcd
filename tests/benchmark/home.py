"""Home Assistant itself, with text-to-speech, its converter and the integration.

Nothing here needs the test plugin, so that any release can be measured.
"""

import asyncio
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
import shutil
import tempfile
from types import MappingProxyType
from typing import Any

from homeassistant import bootstrap, loader
from homeassistant.auth import auth_manager_from_config
from homeassistant.components import tts
from homeassistant.components.tts.const import DATA_COMPONENT, DATA_TTS_MANAGER
from homeassistant.config_entries import ConfigEntries, ConfigEntry
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from tests.demo.home import API_KEY

from .network import VOICE

FORMATS: dict[str, dict[str, Any]] = {
    "MP3": {},
    "wav 16 kHz": {
        "preferred_format": "wav",
        "preferred_sample_rate": 16000,
        "preferred_sample_channels": 1,
        "preferred_sample_bytes": 2,
    },
    "flac 48 kHz": {
        "preferred_format": "flac",
        "preferred_sample_rate": 48000,
        "preferred_sample_channels": 1,
        "preferred_sample_bytes": 2,
    },
}
"""What listeners ask for: a browser or media player, an ESPHome or VoIP satellite,
a Voice PE."""


@asynccontextmanager
async def home_assistant(ffmpeg: str) -> AsyncGenerator[HomeAssistant]:
    """Run a Home Assistant for the length of a block, without its web server.

    Args:
        ffmpeg: The program that converts audio.
    """
    directory = await asyncio.to_thread(tempfile.mkdtemp, prefix="cosyvoice-benchmark-")
    try:
        # As many threads as Home Assistant's own start gives them.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(64))
        hass = HomeAssistant(directory)
        hass.config.skip_pip = True
        loader.async_setup(hass)
        hass.config_entries = ConfigEntries(hass, {})
        await loader.async_get_custom_components(hass)
        await bootstrap.async_load_base_functionality(hass)
        hass.auth = await auth_manager_from_config(hass, [], [])
        hass.set_state(CoreState.running)
        assert await async_setup_component(
            hass, "ffmpeg", {"ffmpeg": {"ffmpeg_bin": ffmpeg}}
        )
        for component in ("tts", "button", "number", "select", "sensor"):
            assert await async_setup_component(hass, component, {})
        await hass.async_block_till_done()
        try:
            yield hass
        finally:
            await hass.async_stop(force=True)
    finally:
        # A thread of Home Assistant may still write a file
        await asyncio.to_thread(shutil.rmtree, directory, ignore_errors=True)


async def add_account(
    hass: HomeAssistant, url: str, **settings: Any
) -> ConfigEntry[Any]:
    """Add an account at the service of this URL with one voice; set it up.

    Args:
        hass: The Home Assistant.
        url: The service.
        settings: Of the voice, where they are not the usual ones.
    """
    # By their plain names, so that the integration is not imported before its set-up.
    entry = ConfigEntry[Any](
        data={"api_key": API_KEY, "region": "cn-beijing", "base_url": url},
        discovery_keys=MappingProxyType({}),
        domain="cosyvoice",
        minor_version=1,
        options={},
        source="user",
        subentries_data=[
            {
                "data": {"voice": VOICE, "model": "auto", **settings},
                "subentry_type": "voice",
                "title": "Voice",
                "unique_id": None,
            }
        ],
        title="CosyVoice",
        unique_id=None,
        version=1,
    )
    await hass.config_entries.async_add(entry)
    await hass.async_block_till_done()
    return entry


def engine_of(hass: HomeAssistant, entry: ConfigEntry[Any]) -> str:
    """Return the entity that speaks for an account."""
    entities = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    return next(entity.entity_id for entity in entities if entity.domain == "tts")


async def add_engine(hass: HomeAssistant, engine: tts.TextToSpeechEntity) -> str:
    """Add an engine of another integration; return its entity."""
    await hass.data[DATA_COMPONENT].async_add_entities([engine])
    return engine.entity_id


def say(
    hass: HomeAssistant,
    engine: str,
    text: str | AsyncGenerator[str],
    preferred: dict[str, Any],
) -> AsyncGenerator[bytes]:
    """Return what a listener gets of a text, as the pipelines and `tts.speak` do it."""
    # Without cached speech, each time is the first.
    hass.data[DATA_TTS_MANAGER].mem_cache.clear()
    stream = tts.async_create_stream(hass, engine, options=dict(preferred))
    if isinstance(text, str):
        stream.use_file_cache = False
        stream.async_set_message(text)
    else:
        stream.async_set_message_stream(text)
    return stream.async_stream_result()
