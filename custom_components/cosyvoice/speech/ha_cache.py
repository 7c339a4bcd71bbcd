"""Home Assistant's cache of speech, which has no public interface.

Read in `homeassistant/components/tts/__init__.py` of 2026.3, 2026.10 and 2026.11:
audio is cached by message, language, options (the engine's defaults included) and
engine; in memory for some minutes, and on disk unless a call turns that off.
"""

import asyncio
from collections.abc import Mapping
import hashlib
from typing import Any, NoReturn

from homeassistant.components import tts
from homeassistant.components.tts.const import DATA_TTS_MANAGER
from homeassistant.core import HomeAssistant


def is_cached(
    hass: HomeAssistant,
    message: str,
    language: str,
    options: Mapping[str, Any],
    engine: str,
    *,
    on_disk: bool,
) -> bool:
    """Return whether Home Assistant has the audio of a message.

    Args:
        hass: Home Assistant.
        message: The text of the call.
        language: The language of the call, or the engine's default.
        options: The options of the call, the engine's defaults included.
        engine: The engine's entity id.
        on_disk: Whether the call accepts audio from the disk.
    """
    manager = hass.data[DATA_TTS_MANAGER]
    key = _key(message, language, options, engine)
    return key in manager.mem_cache or (on_disk and key in manager.file_cache)


def end_uncached(
    hass: HomeAssistant,
    message: str,
    language: str,
    options: Mapping[str, Any],
    engine: str,
) -> NoReturn:
    """End the audio of a message so that Home Assistant does not cache it.

    Call it at the end of the generator that yields the audio. The listener's audio
    ends normally, because Home Assistant neither stores nor logs a cancelled load.

    Raises:
        asyncio.CancelledError: Always.
    """
    memory = hass.data[DATA_TTS_MANAGER].mem_cache
    memory.pop(_key(message, language, options, engine), None)
    raise asyncio.CancelledError


def _key(message: str, language: str, options: Mapping[str, Any], engine: str) -> str:
    data = message.encode(errors="surrogatepass")
    digest = hashlib.sha1(data, usedforsecurity=False).hexdigest()
    hashed = tts._hash_options(dict(options))  # noqa: SLF001
    return tts.KEY_PATTERN.format(
        digest, language.replace("_", "-"), hashed, engine
    ).lower()
