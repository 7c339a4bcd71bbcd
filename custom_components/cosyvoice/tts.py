"""The voices as text-to-speech engines."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, override

from homeassistant.components.tts import (
    ATTR_PREFERRED_FORMAT,
    TextToSpeechEntity,
    TTSAudioResponse,
    Voice,
)
from homeassistant.components.tts.entity import TTSAudioRequest
from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import CONF_LANGUAGE, Platform
from homeassistant.core import HomeAssistant, ServiceResponse, callback
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .client import OptionError
from .const import CONF_VOICE
from .coordinator import CosyVoiceConfigEntry
from .entity import VoiceEntity, add_voice_entities
from .errors import translated
from .localization import common_text
from .speech.fallback import report_missing_engines, speaks_alone
from .speech.options import available_settings, default_options, with_preference
from .speech.recording import async_record
from .speech.request import FOLLOW, SETTINGS, SUPPORTED_OPTIONS
from .speech.session import Session
from .speech.speaker import Speaker
from .speech.warmup import SatelliteWarmUp
from .text.characters import scrub
from .voices.languages import default_tag, tags_in, tags_of

PARALLEL_UPDATES = 0
SPEECH = EntityDescription(key="speech", translation_key="speech")


async def async_setup_entry(
    hass: HomeAssistant,
    entry: CosyVoiceConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add an engine for each voice."""
    report_missing_engines(hass, entry)
    satellites = SatelliteWarmUp(hass, entry)
    add_voice_entities(
        hass,
        entry,
        async_add_entities,
        lambda subentry: [CosyVoiceTTSEntity(entry, subentry, satellites)],
    )


class CosyVoiceTTSEntity(VoiceEntity, TextToSpeechEntity):
    """An engine that speaks with one voice, or with another one that a call names."""

    domain = Platform.TTS

    # The media browser shows the entity's name without the device's
    _attr_has_entity_name = False
    _attr_supported_options = list(SUPPORTED_OPTIONS)

    def __init__(
        self,
        entry: CosyVoiceConfigEntry,
        subentry: ConfigSubentry,
        satellites: SatelliteWarmUp,
    ) -> None:
        """Create the engine of a voice."""
        super().__init__(entry, subentry, SPEECH)
        # Home Assistant may read the options of a pipeline after a reload
        self._runtime = entry.runtime_data
        self._satellites = satellites
        self._last_call: tuple[dict[str, Any], str] | None = None

    @property
    @override
    def name(self) -> str:
        """The name of the voice."""
        return self.subentry.title

    @property
    @override
    def supported_languages(self) -> list[str]:
        """The languages of all voices."""
        custom = [voice.id for voice in self._runtime.voices.ready]
        custom.append(self._available_settings()[CONF_VOICE])
        return tags_in(self._runtime.client.region, custom)

    @property
    @override
    def default_language(self) -> str:
        """The user's language if the voice speaks it, or the voice's first language."""
        return default_tag(
            self._available_settings()[CONF_VOICE],
            self.hass.config.language,
            self.hass.config.country,
        )

    @property
    @override
    def default_options(self) -> dict[str, Any]:
        """All that changes the sound, for Home Assistant's cache key."""
        return default_options(self.settings, self._available_settings)

    @callback
    @override
    def async_get_supported_voices(self, language: str) -> list[Voice]:
        """Return the voices that speak a language.

        The first one, which new pipelines store, follows the voice entity.
        """
        follow = common_text(self.hass, FOLLOW, FOLLOW)
        return [Voice(FOLLOW, follow)] + [
            Voice(voice_id, name)
            for voice_id, name in self.voice_names.items()
            if language in tags_of(voice_id)
        ]

    @override
    def async_supports_streaming_input(self) -> bool:
        """Return True.

        Warm up, as Home Assistant asks when a pipeline starts.
        """
        self._satellites.warm_up = self._warm_up
        self._warm_up()
        return True

    @override
    async def async_speak(
        self,
        media_player_entity_id: list[str],
        message: str,
        cache: bool,
        language: str | None = None,
        options: dict[str, Any] | None = None,
    ) -> None:
        """Speak on media players. Invalid calls raise before anything is played."""
        options = with_preference(options or {})
        message = scrub(message)
        call = {**self.default_options, **options}, language or self.default_language
        with translated():
            self._speaker.check_call(message, *call, cached=cache)
        self._last_call = call
        await super().async_speak(
            media_player_entity_id, message, cache, language, options
        )

    @override
    async def async_stream_tts_audio(
        self, request: TTSAudioRequest
    ) -> TTSAudioResponse:
        """Return the audio as a generator.

        Nothing is sent before it is read.
        """
        with translated():
            speech = self._speaker.request(request.options, request.language)
        if alone := speaks_alone.get():
            speech = replace(speech, fallback_engine=None)
        else:
            self._last_call = request.options, request.language
        session = Session(self._speaker, speech, request.message_gen)
        # Of a fallback, silence would pass for speech
        audio = session.audio(request, fill_pauses=not alone)
        extension = speech.extension
        preferred = request.options.get(ATTR_PREFERRED_FORMAT)
        if extension == "opus" and preferred != "opus":
            # Home Assistant converts it by FFmpeg, which reads Opus as Ogg alone
            extension = "ogg"
        return TTSAudioResponse(extension, audio)

    async def async_synthesize(
        self,
        message: str,
        options: Mapping[str, Any],
        language: str | None = None,
        **details: Any,
    ) -> ServiceResponse:
        """Speak a message into a file, see `async_record`.

        Raises:
            HomeAssistantError: The message cannot be spoken or saved.
        """
        language = language or self.default_language
        with translated():
            if language not in self.supported_languages:
                allowed = ", ".join(self.supported_languages)
                raise OptionError(CONF_LANGUAGE, language, allowed)
            call, defaults = with_preference(options), self.default_options
            return await async_record(
                self._speaker, scrub(message), call, defaults, language, **details
            )

    @property
    def _speaker(self) -> Speaker:
        return Speaker(
            hass=self.hass,
            entry=self.entry,
            runtime=self._runtime,
            subentry_id=self.subentry.subentry_id,
            entity_id=self.entity_id,
        )

    def _available_settings(self) -> dict[str, Any]:
        return available_settings(self.settings, self._runtime.voices)

    @callback
    def _warm_up(self) -> None:
        """Pre-warm the last request's task with the current settings."""
        defaults = self.default_options
        call, language = self._last_call or ({}, self.default_language)
        call = {**defaults, **call, SETTINGS: defaults[SETTINGS]}
        self._speaker.warm_up(call, language)
