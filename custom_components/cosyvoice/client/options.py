"""How an utterance is to sound: every setting, checked before anything is sent."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from types import UnionType
from typing import Any, Final, Self

from .account import READY, ClonedVoice
from .catalogue import CATALOGUE, Model, Voice
from .counting import count_characters
from .errors import OptionError

AUTO: Final = "auto"
DEFAULT_SAMPLE_RATES: Final[Mapping[str, int]] = {
    "mp3": 24000,
    "wav": 24000,
    "opus": 24000,
    "pcm": 24000,
    # ffmpeg reads CAF in packets of 4,096 bytes: the faster the samples come, the
    # sooner the first packet is full.
    "caf": 48000,
}
FORMATS: Final = tuple(DEFAULT_SAMPLE_RATES)
VOLUME_RANGE: Final = (0, 100)
SPEECH_RATE_RANGE: Final = (0.5, 2.0)
PITCH_RATE_RANGE: Final = (0.5, 2.0)
BIT_RATE_RANGE: Final = (6, 510)
SEED_RANGE: Final = (0, 65535)
INSTRUCTION_LENGTH: Final = 100

# The containers of these are written by audio.py around the service's raw samples.
_PCM_FORMATS: Final = frozenset({"wav", "pcm", "caf"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SynthesisOptions:
    """The settings of an utterance; the ranges are those of Model Studio's pages.

    Attributes:
        voice: Id of a system, cloned or designed voice.
        model: Id of a model that has the voice, or ``auto`` for the recommended one.
        format: ``mp3``, ``opus`` (in Ogg), or 16-bit samples as ``wav``, ``pcm`` (bare)
            or ``caf`` (Core Audio Format); all of them mono.
        sample_rate: Hz; None for 24,000, with ``caf`` for 48,000.
        bit_rate: kbit/s, 6 to 510, with ``opus`` only; None for the service's own.
        volume: 0 to 100.
        speech_rate: Factor, 0.5 to 2.
        pitch_rate: Factor, 0.5 to 2.
        seed: 0 to 65535; the same seed, text and settings sound the same; 0 for none.
        instruction: How to speak. A system voice takes the phrases of its styles,
            a cloned one free text of up to 100 counted characters, if at all.
        language_hints: Codes such as ``zh``; the service heeds the first one.
        ssml: Whether the text is an SSML document.
        word_timestamps: Whether the report is to hold the times of the words.
        hot_fix: Corrected pronunciations, as (word, pinyin) pairs.
    """

    voice: str
    model: str = AUTO
    format: str = "mp3"
    sample_rate: int | None = None
    bit_rate: int | None = None
    volume: int = 50
    speech_rate: float = 1.0
    pitch_rate: float = 1.0
    seed: int = 0
    instruction: str | None = None
    language_hints: tuple[str, ...] = ()
    ssml: bool = False
    word_timestamps: bool = False
    hot_fix: tuple[tuple[str, str], ...] = ()

    def resolve(self, region: str, cloned: Iterable[ClonedVoice] = ()) -> Self:
        """Return the options with the model and the sample rate filled in, all valid.

        Args:
            region: The account's region.
            cloned: The account's cloned voices as far as they are known. One that is
                not among them is accepted if its id names a model.

        Raises:
            OptionError: An option is out of range, or does not fit the voice, the
                model or the region.
        """
        self._check_kinds()
        model = CATALOGUE.models[self._resolved_model(region, cloned)]
        voice = CATALOGUE.voices.get(self.voice)
        self._check_numbers(model)
        self._check_features(model, voice)
        self._check_instruction(model, voice)
        return replace(
            self,
            model=model.id,
            sample_rate=self._resolved_sample_rate(model),
            bit_rate=None if self.bit_rate is None else int(self.bit_rate),
            volume=int(self.volume),
            seed=int(self.seed),
            instruction=self.instruction or None,
        )

    def parameters(self) -> dict[str, Any]:
        """Return the service's parameters for these options, once resolved."""
        optional = {
            "bit_rate": self.bit_rate,
            "seed": self.seed,
            "enable_ssml": self.ssml,
            "word_timestamp_enabled": self.word_timestamps,
            "language_hints": list(self.language_hints),
            "instruction": self.instruction,
            "hot_fix": {"pronunciation": [{word: said} for word, said in self.hot_fix]}
            if self.hot_fix
            else None,
        }
        return {
            "voice": self.voice,
            "text_type": "PlainText",
            "format": _wire_format(self.format),
            "sample_rate": self.sample_rate,
            "volume": self.volume,
            "rate": self.speech_rate,
            "pitch": self.pitch_rate,
            **{name: value for name, value in optional.items() if value},
        }

    def _check_kinds(self) -> None:
        """Refuse values of another type, as callers pass on what users typed."""
        for option, kind, allowed in _KINDS:
            value = getattr(self, option)
            if not isinstance(value, kind):
                raise OptionError(option, value, allowed)
        for pair in self.hot_fix:
            if len(pair) != 2 or not all(isinstance(part, str) for part in pair):
                raise OptionError("hot_fix", pair, "(word, pronunciation)")

    def _resolved_model(self, region: str, cloned: Iterable[ClonedVoice]) -> str:
        status = {voice.id: voice.status for voice in cloned}
        available = CATALOGUE.models_of(self.voice, region)
        if not available:
            known = [voice.id for voice in CATALOGUE.voices_in(region)] + list(status)
            near = get_close_matches(self.voice.lower()[:64], known) or known[:3]
            raise OptionError("voice", self.voice, ", ".join(near), "unknown_voice")
        if status.get(self.voice, READY) != READY:
            raise OptionError(
                "voice",
                self.voice,
                f"status {READY}, not {status[self.voice]}",
                "voice_not_ready",
            )
        if self.model == AUTO:
            return available[0]
        if self.model not in available:
            known_model = self.model in CATALOGUE.models
            raise OptionError(
                "model",
                self.model,
                ", ".join(available),
                "voice_model_mismatch" if known_model else "unknown_model",
            )
        return self.model

    def _check_numbers(self, model: Model) -> None:
        _check_number("volume", self.volume, VOLUME_RANGE, whole=True)
        _check_number("speech_rate", self.speech_rate, SPEECH_RATE_RANGE)
        _check_number("pitch_rate", self.pitch_rate, PITCH_RATE_RANGE)
        _check_number("seed", self.seed, SEED_RANGE, whole=True)
        if self.seed and not model.seed:
            raise OptionError("seed", self.seed, "0", "not_supported")
        if self.bit_rate is not None:
            if self.format != "opus":
                raise OptionError(
                    "bit_rate", self.bit_rate, "format opus", "not_supported"
                )
            _check_number("bit_rate", self.bit_rate, BIT_RATE_RANGE, whole=True)

    def _resolved_sample_rate(self, model: Model) -> int:
        rate = self.sample_rate
        if rate is None:
            rate = DEFAULT_SAMPLE_RATES[self.format]
        rates = model.formats[_wire_format(self.format)]
        if rate not in rates:
            raise OptionError("sample_rate", rate, ", ".join(map(str, rates)))
        return int(rate)

    def _check_features(self, model: Model, voice: Voice | None) -> None:
        if self.format not in FORMATS:
            raise OptionError("format", self.format, ", ".join(FORMATS))
        formats = [name for name in FORMATS if _wire_format(name) in model.formats]
        if self.format not in formats:
            raise OptionError(
                "format", self.format, ", ".join(formats), "not_supported"
            )
        if self.ssml and not (model.ssml and (voice is None or voice.ssml)):
            raise OptionError("ssml", self.ssml, "false", "not_supported")
        if self.word_timestamps and not (
            model.word_timestamps and (voice is None or voice.word_timestamps)
        ):
            raise OptionError(
                "word_timestamps", self.word_timestamps, "false", "not_supported"
            )
        for hint in self.language_hints:
            if hint not in model.language_hints:
                raise OptionError(
                    "language_hints",
                    hint,
                    ", ".join(model.language_hints) or "none",
                    "invalid_option" if model.language_hints else "not_supported",
                )
        if self.hot_fix and not model.hot_fix:
            raise OptionError("hot_fix", self.hot_fix, "none", "not_supported")

    def _check_instruction(self, model: Model, voice: Voice | None) -> None:
        if not self.instruction:
            return
        if voice is not None:
            phrases = [style.instruction for style in voice.styles_with(model.id)]
            if self.instruction in phrases:
                return
            allowed = ", ".join(phrases) or "none"
            supported = bool(phrases)
        else:
            supported = model.instruction == "free"
            if supported and count_characters(self.instruction) <= INSTRUCTION_LENGTH:
                return
            allowed = (
                f"up to {INSTRUCTION_LENGTH} characters (Chinese ones count 2)"
                if supported
                else "none"
            )
        raise OptionError(
            "instruction",
            self.instruction,
            allowed,
            "invalid_option" if supported else "not_supported",
        )


_KINDS: Final[tuple[tuple[str, type | UnionType, str], ...]] = (
    ("voice", str, "text"),
    ("model", str, "text"),
    ("format", str, ", ".join(FORMATS)),
    ("instruction", str | None, "text"),
    ("language_hints", tuple, "a list of language codes"),
    ("ssml", bool, "true, false"),
    ("word_timestamps", bool, "true, false"),
    ("hot_fix", tuple, "a list of (word, pronunciation)"),
)


def _wire_format(audio_format: str) -> str:
    """Return the format the service is asked for."""
    return "pcm" if audio_format in _PCM_FORMATS else audio_format


def _check_number(
    option: str,
    value: object,
    allowed: tuple[float, float],
    *,
    whole: bool = False,
) -> None:
    low, high = allowed
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not low <= value <= high
        or (whole and value != int(value))
    ):
        raise OptionError(option, value, f"{low} to {high}")
