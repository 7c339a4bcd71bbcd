"""The voices as text-to-speech engines."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing, contextmanager, suppress
from dataclasses import replace
from typing import Any, override

from homeassistant.components.tts import (
    ATTR_PREFERRED_FORMAT,
    TextToSpeechEntity,
    TTSAudioResponse,
    Voice,
)
from homeassistant.components.tts.entity import TTSAudioRequest
from homeassistant.config_entries import ConfigEntryState, ConfigSubentry
from homeassistant.core import HomeAssistant, ServiceResponse, callback
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .client import CosyVoiceError, EmptyTextError, OptionError, TextError, Utterance
from .client.counting import count_characters
from .const import AUTO, CONF_FORMAT, CONF_LANGUAGE_VOICES, CONF_VOICE, LOGGER
from .coordinator import CosyVoiceConfigEntry
from .entity import VoiceEntity, add_voice_entities
from .errors import translated_error
from .issues import report_failure, report_success
from .speech import fallback
from .speech.fallback import RepeatableText, check_length, in_time, speaking_as_fallback
from .speech.ha_cache import end_uncached, is_cached
from .speech.recording import Recording, recording_response, words_response
from .speech.request import (
    FOLLOW,
    PREFERRED_NUMBERS,
    SETTINGS,
    SUPPORTED_OPTIONS,
    SpeechRequest,
    create_request,
    preferred_format,
)
from .speech.subtitles import subrip
from .speech.warmup import SatelliteWarmUp
from .text.characters import is_speakable
from .text.markdown.cleaning import SpeakableText
from .text.pronunciation import Replacer
from .text.sentences import Piece, PieceSplitter, scrub
from .text.ssml import SSML_OPENING, check_ssml, is_ssml
from .voices.languages import default_tag, tags_in, tags_of
from .voices.names import in_chinese

PARALLEL_UPDATES = 0

SPEECH = EntityDescription(key="speech", translation_key="speech")
PROBE = 1000
"""Characters of a message that are looked at a time for something to speak."""


async def async_setup_entry(
    hass: HomeAssistant,
    entry: CosyVoiceConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add an engine for each voice."""
    fallback.follow_engines(hass, entry)
    satellites = SatelliteWarmUp(hass, entry)
    add_voice_entities(
        hass,
        entry,
        async_add_entities,
        lambda subentry: [CosyVoiceTTSEntity(entry, subentry, satellites)],
    )


class CosyVoiceTTSEntity(VoiceEntity, TextToSpeechEntity):
    """An engine that speaks with one voice, or with another one that a call names."""

    _attr_supported_options = list(SUPPORTED_OPTIONS)

    def __init__(
        self,
        entry: CosyVoiceConfigEntry,
        subentry: ConfigSubentry,
        satellites: SatelliteWarmUp,
    ) -> None:
        """Make the engine of a voice."""
        super().__init__(entry, subentry, SPEECH)
        self._satellites = satellites
        self._last_call: tuple[dict[str, Any], str] | None = None

    @property
    @override
    def supported_languages(self) -> list[str]:
        """Every language that some voice speaks."""
        runtime = self.entry.runtime_data
        own_voices = [voice.id for voice in runtime.voices.ready]
        chosen = self._effective_settings[CONF_VOICE]
        return tags_in(runtime.client.region, [*own_voices, chosen])

    @property
    @override
    def default_language(self) -> str:
        """The user's language if the voice speaks it, else the voice's own."""
        return default_tag(
            self._effective_settings[CONF_VOICE],
            self.hass.config.language,
            self.hass.config.country,
        )

    @property
    @override
    def default_options(self) -> dict[str, Any]:
        """Everything that changes the sound: Home Assistant's cache goes by it."""
        settings = self._effective_settings
        options: dict[str, Any] = {SETTINGS: dict(sorted(settings.items()))}
        if settings[CONF_FORMAT] != AUTO:
            options[ATTR_PREFERRED_FORMAT] = preferred_format(settings[CONF_FORMAT])
        return options

    @callback
    @override
    def async_get_supported_voices(self, language: str) -> list[Voice]:
        """Return the voices that speak a language.

        Home Assistant stores the first one in every new pipeline, so that must be
        the one that leaves the choice to the voice entity.
        """
        follow = "跟随音色选择" if in_chinese(self.hass) else "Follow the voice entity"
        return [Voice(FOLLOW, follow)] + [
            Voice(voice_id, name)
            for voice_id, name in self.voice_names.items()
            if language in tags_of(voice_id)
        ]

    @override
    def async_supports_streaming_input(self) -> bool:
        """Return True, and get ready: Home Assistant asks this when a pipeline starts."""
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
        """Speak via media players; what is wrong with the call is said here and now."""
        options = _with_preference(options or {})
        message = scrub(message)
        ssml = is_ssml(message)
        call = {**self.default_options, **options}, language or self.default_language
        if not is_cached(
            self.hass, message, call[1], call[0], self.entity_id, on_disk=cache
        ):
            self.entry.runtime_data.usage.check_budget()
        with _translated():
            speech = self._request(*call, ssml=ssml)
            check_length(len(message))
            if ssml:
                check_ssml(message)
            elif not _can_be_spoken(message, speech):
                raise EmptyTextError("The text holds nothing that can be spoken")
        self._last_call = call
        await super().async_speak(
            media_player_entity_id, message, cache, language, options
        )

    @override
    async def async_stream_tts_audio(
        self, request: TTSAudioRequest
    ) -> TTSAudioResponse:
        """Return the audio to come; nothing is sent before it is read."""
        with _translated():
            speech = self._request(request.options, request.language)
        self._last_call = request.options, request.language
        if speaking_as_fallback.get():
            speech = replace(speech, fallback_engine=None)
        return TTSAudioResponse(speech.extension, self._audio(request, speech))

    async def async_synthesize(
        self,
        message: str,
        options: Mapping[str, Any],
        language: str | None = None,
        filename: str | None = None,
        *,
        word_timestamps: bool,
        subtitles: bool,
    ) -> ServiceResponse:
        """Speak a message into a file: no cache, no fallback engine.

        Returns WAV if silence is configured, because padding needs raw samples.

        Raises:
            HomeAssistantError: An option is invalid, the budget is used up, the
                service failed, or the file cannot be written.
        """
        ledger = self.entry.runtime_data.usage
        text = RepeatableText(_once(scrub(message)))
        await text.fetch()
        language = language or self.default_language
        options = {**self.default_options, **_with_preference(options)}
        with _translated():
            ssml = await _is_ssml(text)
            speech = self._request(options, language, ssml=ssml)
            if speech.extension == "caf":
                options = {
                    name: value
                    for name, value in options.items()
                    if name not in PREFERRED_NUMBERS
                }
                options[ATTR_PREFERRED_FORMAT] = "wav"
                speech = self._request(options, language, ssml=ssml)
            if word_timestamps or subtitles:
                timed = replace(speech.synthesis, word_timestamps=True)
                runtime = self.entry.runtime_data
                voices = runtime.voices.data.values()
                timed = timed.resolve(runtime.client.region, voices)
                speech = replace(speech, synthesis=timed)
            speech = replace(speech, fallback_engine=None)
            if ssml:
                written = fallback.without_markup(text.read())
            else:
                written = _speakable(text.read(), replace(speech, pronunciations={}))
            utterance = self._utterance(speech, text, live=False)
            report = utterance.report
            async with Recording(self.hass, filename, speech.extension) as recording:
                async for chunk in self._reported(utterance, speech, text):
                    await recording.write(chunk)
                shown = None
                if subtitles:
                    heard = "".join([piece async for piece in written])
                    shown = subrip(report.words, heard, report.audio_seconds)
                await recording.save(shown)
        response = recording_response(recording, report, ledger)
        if word_timestamps:
            response["words"] = words_response(report)
        if subtitles:
            response["subtitle_file"] = str(recording.path.with_suffix(".srt"))
        return response

    def _request(
        self, options: Mapping[str, Any], language: str, *, ssml: bool = False
    ) -> SpeechRequest:
        runtime = self.entry.runtime_data
        region, cloned = runtime.client.region, runtime.voices.data.values()
        request = create_request(options, language, region, cloned)
        return request.as_ssml(region, cloned) if ssml else request

    @property
    def _effective_settings(self) -> dict[str, Any]:
        """The settings with only those voices that can speak now."""
        settings = self.settings
        voices = self.entry.runtime_data.voices
        return settings | {
            CONF_VOICE: voices.resolve(settings[CONF_VOICE]),
            CONF_LANGUAGE_VOICES: {
                language: voice
                for language, voice in settings[CONF_LANGUAGE_VOICES].items()
                if not voices.problem(voice)
            },
        }

    @callback
    def _warm_up(self) -> None:
        """Get ready for a request like the last one, with the settings of now."""
        call, language = self._last_call or ({}, self.default_language)
        defaults = self.default_options
        call = {**defaults, **call, SETTINGS: defaults[SETTINGS]}
        with suppress(OptionError):
            speech = self._request(call, language)
            self.entry.runtime_data.client.warm_up(speech.synthesis)

    async def _audio(
        self, request: TTSAudioRequest, speech: SpeechRequest
    ) -> AsyncGenerator[bytes]:
        """Speak, by the service or, where that stays silent, by the fallback engine.

        A mistake of the caller, in an option or the text, is an error all the same.
        """
        text = RepeatableText(request.message_gen)
        fetching = self.entry.async_create_background_task(
            self.hass, text.fetch(), f"{self.entity_id} text"
        )
        heard = False
        try:
            if await _is_ssml(text):
                ssml = self._request(request.options, request.language, ssml=True)
                speech = replace(speech, synthesis=ssml.synthesis)
            utterance = self._utterance(speech, text)
            async with aclosing(self._reported(utterance, speech, text)) as chunks:
                async for chunk in chunks:
                    heard = utterance.heard
                    yield chunk
        except CosyVoiceError as err:
            engine = speech.fallback_engine
            if heard or not engine or isinstance(err, OptionError | TextError):
                raise translated_error(err) from err
            async with aclosing(
                self._fallback(
                    engine, err, request, speech, text, utterance.report.audio_seconds
                )
            ) as chunks:
                async for chunk in chunks:
                    yield chunk
        finally:
            fetching.cancel()

    def _utterance(
        self, speech: SpeechRequest, text: RepeatableText, *, live: bool = True
    ) -> Utterance:
        if speech.synthesis.ssml:
            pieces = (Piece(scrub(piece), "") async for piece in text.read())
        else:
            pieces = _cut(_speakable(text.read(), speech))
        return self.entry.runtime_data.client.speak(
            pieces,
            speech.synthesis,
            silence=speech.silence,
            fill_pauses=live and speech.extension in {"caf", "wav"},
        )

    async def _reported(
        self, utterance: Utterance, speech: SpeechRequest, text: RepeatableText
    ) -> AsyncGenerator[bytes]:
        """Yield an utterance's audio; enter it in the books however it ends."""
        chunks = aiter(utterance)
        if speech.fallback_engine:
            chunks = in_time(utterance, text.sentence)
        usage = self.entry.runtime_data.usage

        def counted() -> int:
            return max(utterance.report.characters, count_characters(text.so_far))

        # Nothing is awaited in between: of messages that begin together, each counts
        # those before it.
        usage.check_budget()
        with usage.in_flight(counted):
            try:
                async with aclosing(utterance):
                    async for chunk in chunks:
                        yield chunk
            except CosyVoiceError as err:
                # Also where it was given up for being late
                utterance.report.outcome, utterance.report.error = "failed", err
                if self.entry.state is ConfigEntryState.LOADED:
                    report_failure(self.hass, self.entry, err)
                raise
            else:
                if self.entry.state is ConfigEntryState.LOADED:
                    report_success(self.hass, self.entry)
            finally:
                usage.record(utterance.report, self.subentry.subentry_id)

    async def _fallback(
        self,
        engine: str,
        error: CosyVoiceError,
        request: TTSAudioRequest,
        speech: SpeechRequest,
        text: RepeatableText,
        begun: float,
    ) -> AsyncGenerator[bytes]:
        """Have the other engine speak the text from its start.

        Args:
            engine: The other engine.
            error: Why it is needed.
            request: What was asked for.
            speech: How it was to be spoken.
            text: What is to be said.
            begun: Seconds of silence that the listener already got.
        """
        LOGGER.warning(
            "%s stays silent, %s speaks instead: %s",
            self.entity_id,
            engine,
            error,
        )
        usage = self.entry.runtime_data.usage
        spoken = False
        pieces = text.read()
        if speech.synthesis.ssml:
            pieces = fallback.without_markup(pieces)
        plain = replace(speech, clean_text=True, pronunciations={})
        try:
            async with aclosing(
                fallback.speak(
                    self.hass,
                    engine,
                    _speakable(pieces, plain),
                    request.language,
                    speech.synthesis,
                    speech.silence,
                    begun,
                )
            ) as chunks:
                async for chunk in chunks:
                    if chunk and not spoken:
                        usage.record_fallback(self.subentry.subentry_id, error)
                        spoken = True
                    yield chunk
        except Exception as err:  # noqa: BLE001 - any engine may stand there
            LOGGER.warning("%s cannot speak either: %s", engine, err)
            raise translated_error(error) from error
        # The other engine's voice must not be kept as ours.
        end_uncached(
            self.hass,
            text.so_far,
            request.language,
            request.options,
            self.entity_id,
        )


def _with_preference(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a call; the listener is to get the format it asks for."""
    if options.get(CONF_FORMAT) and not options.get(ATTR_PREFERRED_FORMAT):
        preferred = preferred_format(options[CONF_FORMAT])
        return {**options, ATTR_PREFERRED_FORMAT: preferred}
    return dict(options)


async def _once(text: str) -> AsyncGenerator[str]:
    yield text


@contextmanager
def _translated() -> Iterator[None]:
    """Raise the client's errors in the user's language."""
    try:
        yield
    except CosyVoiceError as err:
        raise translated_error(err) from err


async def _is_ssml(text: RepeatableText) -> bool:
    """Return whether a text is SSML, which is then complete.

    Raises:
        SsmlError: It is not well-formed.
    """
    if not await text.begins_with(SSML_OPENING):
        return False
    document = scrub("".join([piece async for piece in text.read()]))
    if found := is_ssml(document):
        check_ssml(document)
    return found


async def _cut(text: AsyncIterator[str]) -> AsyncGenerator[Piece]:
    """Yield a text in pieces that mark where its sentences and clauses end."""
    splitter = PieceSplitter()
    async for part in text:
        for piece in splitter.push(part):
            yield piece
    for piece in splitter.finish():
        yield piece


async def _speakable(
    pieces: AsyncIterator[str], speech: SpeechRequest
) -> AsyncGenerator[str]:
    """Yield the text as it is to be spoken, holding back as little as possible."""
    cleaner = SpeakableText() if speech.clean_text else None
    replacer = Replacer(speech.pronunciations)
    async for piece in pieces:
        text = scrub(piece)
        if text := replacer.push(cleaner.push(text) if cleaner else text):
            yield text
    rest = replacer.push(cleaner.finish()) if cleaner else ""
    if rest := rest + replacer.finish():
        yield rest


def _can_be_spoken(message: str, speech: SpeechRequest) -> bool:
    """Return whether anything of a message is left to pronounce, reading no further."""
    cleaner = SpeakableText() if speech.clean_text else None
    for start in range(0, len(message), PROBE):
        piece = message[start : start + PROBE]
        if is_speakable(cleaner.push(piece) if cleaner else piece):
            return True
    return cleaner is not None and is_speakable(cleaner.finish())
