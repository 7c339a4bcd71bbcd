"""Diagnostics for bug reports, without keys, addresses and texts."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from homeassistant.components.diagnostics import REDACTED, async_redact_data
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_API_KEY
from homeassistant.core import HomeAssistant

from .client import CATALOGUE
from .const import (
    CONF_BASE_URL,
    CONF_INSTRUCTION,
    CONF_LANGUAGE_VOICES,
    CONF_PRONUNCIATIONS,
    CONF_VOICE,
    CONF_VOICE_NAMES,
    CONF_WORKSPACE_ID,
)
from .coordinator import CosyVoiceConfigEntry, CosyVoiceData
from .settings import complete

TO_REDACT = {
    CONF_API_KEY,
    CONF_BASE_URL,
    CONF_INSTRUCTION,
    CONF_PRONUNCIATIONS,
    CONF_VOICE_NAMES,
    CONF_WORKSPACE_ID,
}


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: CosyVoiceConfigEntry
) -> dict[str, Any]:
    """Return the settings and, if the account is loaded, its recent activity."""
    diagnostics: dict[str, Any] = {
        "catalogue": CATALOGUE.version,
        "account": async_redact_data({**entry.data}, TO_REDACT),
        "options": async_redact_data({**entry.options}, TO_REDACT),
        "voices": {
            subentry.subentry_id: _settings(subentry.data)
            for subentry in entry.subentries.values()
        },
    }
    if entry.state is ConfigEntryState.LOADED:
        diagnostics |= _health(entry.runtime_data)
    return diagnostics


def _settings(data: Mapping[str, Any]) -> dict[str, Any]:
    settings = complete(data)
    by_language = settings[CONF_LANGUAGE_VOICES]
    return async_redact_data(
        {
            **settings,
            CONF_VOICE: _voice(settings[CONF_VOICE]),
            CONF_LANGUAGE_VOICES: {
                language: _voice(voice) for language, voice in by_language.items()
            },
        },
        TO_REDACT,
    )


def _health(runtime: CosyVoiceData) -> dict[str, Any]:
    return {
        "cloned_voices": [
            {"voice": _voice(voice.id), "status": voice.status}
            for voice in runtime.voices.data.values()
        ],
        "connections": asdict(runtime.client.statistics),
        "errors": dict(runtime.usage.errors),
        "utterances": [
            {**asdict(record), "voice": _voice(record.voice)}
            for record in runtime.usage.recent
        ],
    }


def _voice(voice_id: str) -> str:
    """Return a voice's id without the part that a person chose."""
    if voice_id in CATALOGUE.voices:
        return voice_id
    model = CATALOGUE.model_of_clone(voice_id)
    return f"{model}-{REDACTED}" if model else REDACTED
