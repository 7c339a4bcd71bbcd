"""Translate Home Assistant's options into a request to the service."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from homeassistant.components.tts import (
    ATTR_PREFERRED_FORMAT,
    ATTR_PREFERRED_SAMPLE_BYTES,
    ATTR_PREFERRED_SAMPLE_CHANNELS,
    ATTR_PREFERRED_SAMPLE_RATE,
)

from ..client import (
    CATALOGUE,
    ClonedVoice,
    Model,
    OptionError,
    Silence,
    SynthesisOptions,
    TextTooLongError,
    count_characters,
    supports,
    wire_format,
)
from ..const import (
    AUTO,
    CONF_BIT_RATE,
    CONF_CLEAN_TEXT,
    CONF_FALLBACK_ENGINE,
    CONF_FORMAT,
    CONF_INSTRUCTION,
    CONF_LANGUAGE_HINTS,
    CONF_LANGUAGE_VOICES,
    CONF_LEAD_IN,
    CONF_MODEL,
    CONF_PRONUNCIATIONS,
    CONF_SAMPLE_RATE,
    CONF_STYLE,
    CONF_TRAILING,
    CONF_VOICE,
)
from ..settings import DEFAULT_SETTINGS, OPTIONS, parse_number, parse_option
from ..text.pronunciation import pinyin_of
from ..voices.languages import fitting_voice, language_hint

# Home Assistant has no public name for it before 2026.6
ATTR_PREFERRED_BITRATE: Final = "preferred_bitrate"
FOLLOW: Final = "follow"
"""The voice that stands for the one chosen in the voice's settings."""
SETTINGS: Final = "settings"
"""The option under which a request carries the voice's settings.

They are kept separate from the options of the call: a setting that does not suit the
voice of a call is dropped, an option that does not suit it is refused.
"""
DEFAULT_EXTENSION: Final = "mp3"
"""What Home Assistant delivers to a player that asks for no format."""
LONGEST_DOCUMENT: Final = 20_000
"""Billed characters of the longest SSML document, which is one message to the service.
Source: Model Studio, CosyVoice WebSocket API."""
PREFERRED_NUMBERS: Final = {
    ATTR_PREFERRED_SAMPLE_RATE: (4000, 192_000),
    ATTR_PREFERRED_SAMPLE_CHANNELS: (1, 2),
    ATTR_PREFERRED_SAMPLE_BYTES: (1, 4),
    ATTR_PREFERRED_BITRATE: (1, 1000),
}
"""Smallest and largest value of a listener's numbers."""
SUPPORTED_OPTIONS: Final = (*OPTIONS, ATTR_PREFERRED_FORMAT, *PREFERRED_NUMBERS)
PREFERRED_FORMATS: Final = ("mp3", "wav", "flac", "ogg", "oga", "opus", "webm", "adts")
"""The formats that ffmpeg, Home Assistant's converter, writes to a pipe.

They are named like ffmpeg's muxers. A player cannot seek in a pipe, so that MP4, M4A
and AIFF cannot be made.
"""
_OPUS_RATES: Final = (8000, 12000, 16000, 24000, 48000)
_MP3_RATES: Final = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
PREFERRED_RATES: Final = {
    "mp3": _MP3_RATES,
    "opus": _OPUS_RATES,
    "webm": _OPUS_RATES,
    "adts": (7350, *_MP3_RATES, 64000, 88200, 96000),
}
"""Sample rates that these formats can have."""
_16_BIT: Final = 2
_NOT_16_BIT: Final = {"ogg", "adts"}
"""Formats whose encoder takes no 16-bit samples (Vorbis and AAC in ffmpeg)."""


@dataclass(frozen=True, kw_only=True)
class SpeechRequest:
    """How one message is to be spoken.

    Attributes:
        synthesis: The options for the service.
        clean_text: Whether to clean the text of Markdown, emoji and the like.
        pronunciations: Replacements by word.
        silence: The silence before and after the speech.
        fallback_engine: The entity that speaks when the service cannot.
    """

    synthesis: SynthesisOptions
    clean_text: bool
    pronunciations: Mapping[str, str]
    silence: Silence
    fallback_engine: str | None

    @property
    def tags(self) -> bool:
        """Whether the model makes sounds of tags such as ``[laughing]``."""
        return CATALOGUE.models[self.synthesis.model].tags

    @property
    def extension(self) -> str:
        """File extension of the audio: mp3, wav, opus or caf."""
        return self.synthesis.format

    def as_ssml(
        self, document: str, region: str, cloned: Iterable[ClonedVoice]
    ) -> Self:
        """Return the request for a text that is an SSML document.

        Raises:
            OptionError: The voice or the model does not support SSML.
            TextTooLongError: The document is too long, as it cannot be divided.
        """
        synthesis = replace(self.synthesis, ssml=True).resolve(region, cloned)
        if count_characters(document, ssml=True) > LONGEST_DOCUMENT:
            raise TextTooLongError(
                f"The document has more than {LONGEST_DOCUMENT:,} characters"
            )
        return replace(self, synthesis=synthesis)

    def with_word_timestamps(self, region: str, cloned: Iterable[ClonedVoice]) -> Self:
        """Return the request with a report that lists the times of the words.

        Raises:
            OptionError: The voice or the model does not support it.
        """
        timed = replace(self.synthesis, word_timestamps=True)
        return replace(self, synthesis=timed.resolve(region, cloned))


def create_request(
    options: Mapping[str, Any],
    language: str,
    region: str,
    cloned: Iterable[ClonedVoice],
) -> SpeechRequest:
    """Return the request for Home Assistant's options, settings included.

    Args:
        options: The options of the call, and the settings under `SETTINGS`.
        language: Home Assistant's language tag.
        region: The account's region.
        cloned: The account's cloned voices.

    Raises:
        OptionError: An option is unknown, out of range, or not possible with the
            voice or the model.
    """
    settings = _settings(options)
    call = {
        name: _parsed(name, value)
        for name, value in options.items()
        if name != SETTINGS and not _is_left_out(name, value)
    }
    cloned = tuple(cloned)
    voice = call.get(CONF_VOICE) or FOLLOW
    if voice == FOLLOW:
        voice = fitting_voice(
            settings[CONF_VOICE],
            language,
            settings[CONF_LANGUAGE_VOICES],
            region,
            (clone.id for clone in cloned if clone.is_ready),
        )
    model = _model(voice, call, settings, region)
    wanted = _wanted_format(call, settings)
    _check_samples(wanted, call)
    container = _container(wanted, call, settings, model)
    values = _applicable(settings, voice, model, container) if model else {}
    if hint := language_hint(voice, language):
        values[CONF_LANGUAGE_HINTS] = hint
    values |= {name: call[name] for name in OPTIONS if name in call}
    made_here = {"opus", *(model.bit_rate_formats if model else ())}
    if wanted != container and wanted in made_here:
        # Home Assistant's converter makes the format
        values.pop(CONF_BIT_RATE, None)
    values |= {CONF_VOICE: voice, CONF_FORMAT: container}
    synthesis = SynthesisOptions(**values).resolve(region, cloned)
    return SpeechRequest(
        synthesis=synthesis,
        clean_text=settings[CONF_CLEAN_TEXT],
        pronunciations={
            # A word with pinyin stays, also where a shorter one would change it.
            word: word if pinyin_of(word, replacement) else replacement
            for word, replacement in settings[CONF_PRONUNCIATIONS].items()
        },
        silence=_silence(wanted, settings, call, synthesis),
        fallback_engine=settings.get(CONF_FALLBACK_ENGINE),
    )


def preferred_format(chosen: str) -> str:
    """Return the `preferred_format` for a value of the option ``format``."""
    return DEFAULT_EXTENSION if chosen == AUTO else chosen


def _settings(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the voice's settings, which a call cannot replace."""
    settings = options[SETTINGS]
    if not isinstance(settings, Mapping) or not DEFAULT_SETTINGS.keys() <= {*settings}:
        allowed = ", ".join(SUPPORTED_OPTIONS)
        raise OptionError(SETTINGS, settings, allowed, "unknown_option")
    return settings


def _model(
    voice: str, call: Mapping[str, Any], settings: Mapping[str, Any], region: str
) -> Model | None:
    """Return the model to speak with, None if no model has the voice."""
    models = CATALOGUE.models_of(voice, region)
    for model in (call.get(CONF_MODEL), settings[CONF_MODEL], *models):
        if model in models:
            return CATALOGUE.models[model]
    return None


def _wanted_format(call: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
    """Return the format that the player is to receive.

    A `preferred_format` that does not stand for the voice's setting is the player's, and
    comes first. The option ``format`` replaces the voice's setting.
    """
    preferred: str = call.get(ATTR_PREFERRED_FORMAT, DEFAULT_EXTENSION)
    if CONF_FORMAT in call and preferred == preferred_format(settings[CONF_FORMAT]):
        return preferred_format(call[CONF_FORMAT])
    return preferred


def _check_samples(wanted: str, call: Mapping[str, Any]) -> None:
    """Raise OptionError if the wanted format cannot have the player's samples."""
    rate, rates = call.get(ATTR_PREFERRED_SAMPLE_RATE), PREFERRED_RATES.get(wanted)
    if rate and rates and rate not in rates:
        allowed = ", ".join(map(str, rates))
        raise OptionError(ATTR_PREFERRED_SAMPLE_RATE, rate, allowed)
    size = call.get(ATTR_PREFERRED_SAMPLE_BYTES)
    if size == _16_BIT and wanted in _NOT_16_BIT:
        low, high = PREFERRED_NUMBERS[ATTR_PREFERRED_SAMPLE_BYTES]
        sizes = (other for other in range(low, high + 1) if other != size)
        allowed = ", ".join(map(str, sizes))
        raise OptionError(ATTR_PREFERRED_SAMPLE_BYTES, size, allowed)


def _container(
    wanted: str,
    call: Mapping[str, Any],
    settings: Mapping[str, Any],
    model: Model | None,
) -> str:
    """Return the format in which the audio reaches the player soonest.

    A format that the player takes is passed on unchanged. All else passes Home
    Assistant's converter, ffmpeg, which holds back every format but CAF. Exact
    silence needs samples as well.
    """
    if any(name in call for name in PREFERRED_NUMBERS):
        return "caf"
    if wanted == "wav":
        return "wav"
    silence = settings[CONF_LEAD_IN] or settings[CONF_TRAILING]
    compressed = wanted in {"mp3", "opus"} and model and wanted in model.formats
    return wanted if compressed and not silence else "caf"


def _silence(
    wanted: str,
    settings: Mapping[str, Any],
    call: Mapping[str, Any],
    synthesis: SynthesisOptions,
) -> Silence:
    """Return the silence before and after the speech."""
    rate = call.get(ATTR_PREFERRED_SAMPLE_RATE, synthesis.sample_rate)
    converted = synthesis.format == "caf" and wanted == "mp3"
    return Silence(
        lead_in=settings[CONF_LEAD_IN] / 1000,
        trailing=settings[CONF_TRAILING] / 1000,
        mp3_sample_rate=rate if converted else None,
    )


def _applicable(
    settings: Mapping[str, Any], voice_id: str, model: Model, container: str
) -> dict[str, Any]:
    """Return the settings that suit a voice, which may not be the chosen one."""
    voice = CATALOGUE.voice(voice_id)
    values = {
        name: settings[name]
        for name in OPTIONS
        if name in settings and supports(name, model, voice)
    }
    values[CONF_MODEL] = model.id
    values[CONF_INSTRUCTION] = _instruction(settings, voice_id, model)
    if values.get(CONF_SAMPLE_RATE) not in model.formats[wire_format(container)]:
        values.pop(CONF_SAMPLE_RATE, None)
    if supports("hot_fix", model, voice):
        values["hot_fix"] = tuple(
            (word, pinyin)
            for word, replacement in settings[CONF_PRONUNCIATIONS].items()
            if (pinyin := pinyin_of(word, replacement))
        )
    return values


def _instruction(
    settings: Mapping[str, Any], voice_id: str, model: Model
) -> str | None:
    """Return the instruction or the style's phrase, as far as the voice takes it.

    Free text comes before a style, a style before one of its voice's phrases.
    """
    written: str | None = settings.get(CONF_INSTRUCTION)
    voice = CATALOGUE.voice(voice_id)
    free = {"free", "any"} if voice is None else {"any"}
    if written and model.instruction in free:
        return written
    styles = voice.styles_with(model.id) if voice else ()
    phrases = {style.key: style.instruction for style in styles}
    if style := phrases.get(settings[CONF_STYLE]):
        return style
    return written if written in phrases.values() else None


def _is_left_out(name: str, value: Any) -> bool:
    """Return whether an option is null, which counts as not given.

    Home Assistant (2026.11) gives ffmpeg a `preferred_format` that is null.
    """
    is_known = name in SUPPORTED_OPTIONS and name != ATTR_PREFERRED_FORMAT
    return value is None and is_known


def _parsed(name: str, value: Any) -> Any:
    """Return the value of an option of a call."""
    if name in PREFERRED_NUMBERS:
        number = parse_number(value)
        low, high = PREFERRED_NUMBERS[name]
        if type(number) is not int or not low <= number <= high:
            raise OptionError(name, value, f"{low}–{high}")
        return number
    if name == ATTR_PREFERRED_FORMAT:
        if value not in PREFERRED_FORMATS:
            raise OptionError(name, value, ", ".join(PREFERRED_FORMATS))
        return value
    return parse_option(name, value)
