"""From what Home Assistant asks for to what the service is asked for."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
import re
from typing import Any, Final

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
    CONF_PITCH_RATE,
    CONF_PRONUNCIATIONS,
    CONF_SAMPLE_RATE,
    CONF_SEED,
    CONF_SPEECH_RATE,
    CONF_STYLE,
    CONF_TRAILING,
    CONF_VOICE,
    CONF_VOLUME,
    FORMATS,
)
from ..text.pronunciation import pinyin_of
from ..voices.languages import fitting_voice, language_hint

# Home Assistant has no public name for it before 2026.6
ATTR_PREFERRED_BITRATE: Final = "preferred_bitrate"
FOLLOW: Final = "follow"
"""The voice that stands for the one chosen in the voice's settings."""
SETTINGS: Final = "settings"
"""The option under which a request carries the voice's settings.

They are apart from the options of the call so that both can be told apart: a
setting that does not suit another voice is left out, an option is refused.
"""
DEFAULT_EXTENSION: Final = "mp3"
"""What Home Assistant delivers when the listener has no preference."""
PREFERRED_NUMBERS: Final = (
    ATTR_PREFERRED_SAMPLE_RATE,
    ATTR_PREFERRED_SAMPLE_CHANNELS,
    ATTR_PREFERRED_SAMPLE_BYTES,
    ATTR_PREFERRED_BITRATE,
)
SUPPORTED_OPTIONS: Final = (
    CONF_VOICE,
    CONF_MODEL,
    CONF_FORMAT,
    CONF_SAMPLE_RATE,
    CONF_BIT_RATE,
    CONF_VOLUME,
    CONF_SPEECH_RATE,
    CONF_PITCH_RATE,
    CONF_SEED,
    CONF_INSTRUCTION,
    CONF_LANGUAGE_HINTS,
    ATTR_PREFERRED_FORMAT,
    *PREFERRED_NUMBERS,
)


@dataclass(frozen=True, kw_only=True)
class SpeechRequest:
    """One thing to say: how, and in what form.

    Attributes:
        synthesis: What the service is asked for.
        clean_text: Whether to clean the text of Markdown, emoji and the like.
        pronunciations: Replacements by word.
        silence: What to put before and after the speech.
        fallback_engine: The entity that speaks when the service cannot.
    """

    synthesis: SynthesisOptions
    clean_text: bool
    pronunciations: Mapping[str, str]
    silence: Silence
    fallback_engine: str | None

    @property
    def extension(self) -> str:
        """File extension of the audio: mp3, wav, opus or caf."""
        return self.synthesis.format


def create_request(
    options: Mapping[str, Any],
    language: str,
    region: str,
    own_voices: Iterable[ClonedVoice],
    *,
    ssml: bool = False,
) -> SpeechRequest:
    """Return the request for Home Assistant's options, settings included.

    Args:
        options: The options of the call, and the settings under `SETTINGS`.
        language: Home Assistant's language tag.
        region: The account's region.
        own_voices: The account's cloned voices.
        ssml: Whether the text is SSML.

    Raises:
        OptionError: An option is not possible.
    """
    settings = options[SETTINGS]
    call = {
        name: _parsed(name, value)
        for name, value in options.items()
        if name != SETTINGS and value is not None
    }
    own_voices = tuple(own_voices)
    voice = call.get(CONF_VOICE) or FOLLOW
    if voice == FOLLOW:
        voice = fitting_voice(
            settings[CONF_VOICE],
            language,
            settings[CONF_LANGUAGE_VOICES],
            region,
            (own.id for own in own_voices if own.status == "OK"),
        )
    model = _model(voice, call, settings, region)
    container = _container(call, settings, model)
    values = _applicable(settings, voice, model, container) if model else {}
    if hint := language_hint(voice, language):
        values[CONF_LANGUAGE_HINTS] = hint
    values |= {name: call[name] for name in _SYNTHESIS_OPTIONS if name in call}
    synthesis = SynthesisOptions(voice=voice, format=container, ssml=ssml, **values)
    synthesis = synthesis.resolve(region, own_voices)
    return SpeechRequest(
        synthesis=synthesis,
        clean_text=settings[CONF_CLEAN_TEXT],
        pronunciations={
            # A word with pinyin stays, also where a shorter one would change it.
            word: word if pinyin_of(word, replacement) else replacement
            for word, replacement in settings[CONF_PRONUNCIATIONS].items()
        },
        silence=_silence(settings, call, synthesis),
        fallback_engine=settings.get(CONF_FALLBACK_ENGINE),
    )


def preferred_format(chosen: str) -> str:
    """Return the `preferred_format` that stands for a value of the option ``format``."""
    return DEFAULT_EXTENSION if chosen == AUTO else chosen


def _model(
    voice: str, call: Mapping[str, Any], settings: Mapping[str, Any], region: str
) -> Model | None:
    """Return the model to speak with; None if there is none, which is refused later."""
    models = CATALOGUE.models_of(voice, region)
    for model in (call.get(CONF_MODEL), settings[CONF_MODEL], *models):
        if model in models:
            return CATALOGUE.models[model]
    return None


def _container(
    call: Mapping[str, Any], settings: Mapping[str, Any], model: Model | None
) -> str:
    """Return the form of audio that gets through to the listener soonest.

    What the listener takes as it is goes straight through. Everything else passes
    Home Assistant's converter, ffmpeg, which holds back every form but CAF; exact
    silence needs samples as well.
    """
    wanted: str = call.get(ATTR_PREFERRED_FORMAT, DEFAULT_EXTENSION)
    if any(name in call for name in PREFERRED_NUMBERS):
        return "caf"
    if wanted == "wav":
        return "wav"
    silence = settings[CONF_LEAD_IN] or settings[CONF_TRAILING]
    compressed = wanted in {"mp3", "opus"} and model and wanted in model.formats
    return wanted if compressed and not silence else "caf"


def _silence(
    settings: Mapping[str, Any], call: Mapping[str, Any], synthesis: SynthesisOptions
) -> Silence:
    """Return the silence to put around the speech."""
    wanted = call.get(ATTR_PREFERRED_FORMAT, DEFAULT_EXTENSION)
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
    """Return the settings that a voice can follow; they may be made for another one."""
    values = {
        name: settings[name]
        for name in (CONF_VOLUME, CONF_SPEECH_RATE, CONF_PITCH_RATE)
    }
    values[CONF_MODEL] = model.id
    if model.seed and CONF_SEED in settings:
        values[CONF_SEED] = settings[CONF_SEED]
    wire_format = "pcm" if container in {"caf", "wav"} else container
    if settings.get(CONF_SAMPLE_RATE) in model.formats[wire_format]:
        values[CONF_SAMPLE_RATE] = settings[CONF_SAMPLE_RATE]
    if instruction := _instruction(settings, voice_id, model):
        values[CONF_INSTRUCTION] = instruction
    if model.hot_fix:
        values["hot_fix"] = tuple(
            (word, pinyin)
            for word, replacement in settings[CONF_PRONUNCIATIONS].items()
            if (pinyin := pinyin_of(word, replacement))
        )
    return values


def _instruction(
    settings: Mapping[str, Any], voice_id: str, model: Model
) -> str | None:
    """Return the style as the service calls it, else the instruction, if it applies."""
    written: str | None = settings.get(CONF_INSTRUCTION)
    if (voice := CATALOGUE.voices.get(voice_id)) is None:
        return written if model.instruction == "free" else None
    phrases = {style.key: style.instruction for style in voice.styles_with(model.id)}
    if style := phrases.get(settings[CONF_STYLE]):
        return style
    return written if written in phrases.values() else None


def _parsed(name: str, value: Any) -> Any:
    """Return an option's value, a number in a string as a number.

    Ranges are left to the client's own check.
    """
    allowed = None
    if name in _NUMBERS or name in PREFERRED_NUMBERS:
        value = _number(value)
        if name in PREFERRED_NUMBERS and not (type(value) is int and value > 0):
            allowed = "1, 2, 3, …"
    elif name == CONF_LANGUAGE_HINTS:
        value = (value,) if isinstance(value, str) else value
        if isinstance(value, list | tuple) and all(
            isinstance(item, str) for item in value
        ):
            return tuple(value)
        allowed = "[zh], [en], …"
    elif not isinstance(value, str):
        allowed = '"…"'
    elif name == CONF_FORMAT and value not in FORMATS:
        allowed = ", ".join(FORMATS)
    elif name == ATTR_PREFERRED_FORMAT and not _EXTENSION.fullmatch(value):
        allowed = "mp3, wav, flac, ogg, opus, …"
    if allowed:
        raise OptionError(name, value, allowed)
    return value


def _number(value: Any) -> Any:
    """Return the number that a string stands for, whole if it is; else the value."""
    if isinstance(value, str):
        with suppress(ValueError):
            value = float(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


_NUMBERS: Final = (
    CONF_SAMPLE_RATE,
    CONF_BIT_RATE,
    CONF_VOLUME,
    CONF_SPEECH_RATE,
    CONF_PITCH_RATE,
    CONF_SEED,
)
_SYNTHESIS_OPTIONS: Final = (
    *_NUMBERS,
    CONF_MODEL,
    CONF_INSTRUCTION,
    CONF_LANGUAGE_HINTS,
)
_EXTENSION: Final = re.compile(r"[a-z0-9]{2,8}")
