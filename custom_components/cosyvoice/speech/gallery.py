"""Samples of all voices of an account, for media players."""

from typing import Any, Final

from homeassistant.auth.permissions.const import POLICY_CONTROL
from homeassistant.components import tts
from homeassistant.components.tts.helper import get_engine_instance
from homeassistant.components.websocket_api import current_connection
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError, Unauthorized

from ..client import CATALOGUE, PARAMETERS
from ..const import (
    CONF_INSTRUCTION,
    CONF_MODEL,
    CONF_PITCH_RATE,
    CONF_SPEECH_RATE,
    CONF_VOICE,
    CONF_VOLUME,
    DOMAIN,
)
from ..coordinator import CosyVoiceConfigEntry
from ..errors import translated
from ..voices.samples import sample_text
from .engines import engine_ids, may_control
from .ha_cache import is_cached
from .request import create_request

NEUTRAL: Final = {
    CONF_INSTRUCTION: "",
    **{
        name: PARAMETERS[name].default
        for name in (CONF_SPEECH_RATE, CONF_PITCH_RATE, CONF_VOLUME)
    },
}
"""The options that keep the settings of the engine's voice out of a sample."""


def sample_source(
    hass: HomeAssistant, entry: CosyVoiceConfigEntry, voice_id: str
) -> str:
    """Return the media source of a sample that an engine of the account speaks.

    Home Assistant keeps its audio on the disk.

    Args:
        hass: Home Assistant.
        entry: A loaded account.
        voice_id: The voice.

    Raises:
        HomeAssistantError: The voice cannot speak, the budget is used up, or the
            account has no engine.
        Unauthorized: The user of the media browser must not spend money.
    """
    config, runtime = hass.config, entry.runtime_data
    region = runtime.client.region
    engine_id, engine = _engine(hass, entry)
    tag, text = sample_text(voice_id, config.language, config.country)
    options = {**NEUTRAL, CONF_VOICE: voice_id}
    if models := CATALOGUE.models_of(voice_id, region):
        options[CONF_MODEL] = models[0]
    call = {**engine.default_options, **options}
    with translated():
        create_request(call, tag, region, runtime.voices.data.values())
    if not is_cached(hass, text, tag, call, engine_id, on_disk=True):
        _check_permission(engine_id)
        runtime.usage.check_budget()
    return tts.generate_media_source_id(hass, text, engine_id, tag, options, cache=True)


def _check_permission(engine_id: str) -> None:
    """Check that the user of the media browser, if it is one, may use an engine."""
    connection = current_connection.get()
    if connection and not may_control(connection.user, engine_id):
        raise Unauthorized(
            user_id=connection.user.id, entity_id=engine_id, permission=POLICY_CONTROL
        )


def _engine(hass: HomeAssistant, entry: CosyVoiceConfigEntry) -> tuple[str, Any]:
    """Return an engine of an account and its entity id."""
    for engine_id in engine_ids(hass, entry):
        if engine := get_engine_instance(hass, engine_id):
            return engine_id, engine
    raise ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key="no_engine",
        translation_placeholders={"account": entry.title},
    )
