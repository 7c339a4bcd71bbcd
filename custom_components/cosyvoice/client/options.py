"""The settings of an utterance, checked before anything is sent."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from types import MappingProxyType, UnionType
from typing import Any, Final, Literal, Self

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
TEXT: Final = '"…"'
"""Any text, among the values that are allowed."""
NOTHING: Final = "-"
"""No value, among those that are allowed."""
INSTRUCTION_LENGTH: Final = 100

# The package `audio` writes these containers around the service's raw samples.
_PCM_FORMATS: Final = frozenset({"wav", "pcm", "caf"})


def wire_format(audio_format: str) -> str:
    """Return the service's name of the format that a container is made from."""
    return "pcm" if audio_format in _PCM_FORMATS else audio_format


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """How a field of `SynthesisOptions` is checked and sent.

    Attributes:
        wire: The service's name of the parameter, None if none has its value.
        allowed: The values it may have, as text.
        kind: Type of its values.
        range: Smallest and largest value of a number.
        whole: Whether a number must be whole.
        needs: ``model`` if only models with a feature of the field's name take it,
            ``voice`` if a system voice must have that feature too, else None.
        encode: Converts a value to the service's form.
        default: The value that needs no support and, if empty, is not sent.
    """

    wire: str | None
    allowed: str
    kind: type | UnionType = object
    range: tuple[float, float] | None = None
    whole: bool = False
    needs: Literal["model", "voice"] | None = None
    encode: Callable[[Any], Any] | None = None
    default: Any = None

    def accepts(self, value: object) -> bool:
        """Return whether a value has the right type and is within the range."""
        if self.range is None:
            return isinstance(value, self.kind)
        if value is None:
            return self.default is None
        low, high = self.range
        return (
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and low <= value <= high
            and not (self.whole and value != int(value))
        )


def _number(
    wire: str,
    low: float,
    high: float,
    *,
    whole: bool = False,
    needs: Literal["model"] | None = None,
) -> dict[str, Parameter]:
    """Return the metadata of a field that is a number within a range."""
    number = Parameter(
        wire=wire,
        allowed=f"{low}–{high}",
        range=(low, high),
        whole=whole,
        needs=needs,
    )
    return {"parameter": number}


def _switch(wire: str, needs: Literal["model", "voice"]) -> dict[str, Parameter]:
    """Return the metadata of a field that is on or off."""
    switch = Parameter(wire=wire, allowed="true, false", kind=bool, needs=needs)
    return {"parameter": switch}


def _other(
    wire: str | None, allowed: str, kind: type | UnionType, **details: Any
) -> dict[str, Parameter]:
    """Return the metadata of a field of any other kind."""
    return {"parameter": Parameter(wire=wire, allowed=allowed, kind=kind, **details)}


def _encode_hot_fix(pairs: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    return {"pronunciation": [{word: pinyin} for word, pinyin in pairs]}


@dataclass(frozen=True, slots=True, kw_only=True)
class SynthesisOptions:
    """The settings of an utterance.

    Each field's metadata has its `Parameter`. Source of the ranges: the parameters'
    page of Model Studio's CosyVoice documentation.

    Attributes:
        voice: Id of a system, cloned or designed voice.
        model: Id of a model that has the voice, or ``auto`` for the recommended one.
        format: ``mp3``, ``opus`` (in Ogg), or 16-bit samples as ``wav``, ``pcm`` (bare)
            or ``caf`` (Core Audio Format), all of them mono.
        sample_rate: Hz; None for the format's default.
        bit_rate: kbit/s, in the formats that the model permits it for; None for the
            service's default.
        volume: Percent; 50 is normal.
        speech_rate: Factor.
        pitch_rate: Factor.
        seed: Speech with the same seed, text and settings sounds more alike; 0 for
            none.
        instruction: Describes how to speak, in the phrases of a system voice's styles
            or, where the model takes it, free text of up to 100 billed characters.
        language_hints: Codes such as ``zh``; the service uses the first one.
        ssml: Whether the text is an SSML document.
        word_timestamps: Whether the report lists the times of the words.
        hot_fix: Corrected pronunciations, as (word, pinyin) pairs.
    """

    voice: str = field(metadata=_other("voice", TEXT, str))
    model: str = field(default=AUTO, metadata=_other(None, TEXT, str))
    format: str = field(
        default="mp3",
        metadata=_other("format", ", ".join(FORMATS), str, encode=wire_format),
    )
    sample_rate: int | None = field(
        default=None, metadata=_other("sample_rate", "", object)
    )
    bit_rate: int | None = field(
        default=None, metadata=_number("bit_rate", 6, 510, whole=True, needs="model")
    )
    volume: int = field(default=50, metadata=_number("volume", 0, 100, whole=True))
    speech_rate: float = field(default=1.0, metadata=_number("rate", 0.5, 2.0))
    pitch_rate: float = field(default=1.0, metadata=_number("pitch", 0.5, 2.0))
    seed: int = field(
        default=0, metadata=_number("seed", 0, 65535, whole=True, needs="model")
    )
    instruction: str | None = field(
        default=None, metadata=_other("instruction", TEXT, str | None)
    )
    language_hints: tuple[str, ...] = field(
        default=(),
        metadata=_other("language_hints", '["zh", …]', tuple, encode=list),
    )
    ssml: bool = field(default=False, metadata=_switch("enable_ssml", "voice"))
    word_timestamps: bool = field(
        default=False, metadata=_switch("word_timestamp_enabled", "voice")
    )
    hot_fix: tuple[tuple[str, str], ...] = field(
        default=(),
        metadata=_other(
            "hot_fix",
            "[(word, pinyin), …]",
            tuple,
            needs="model",
            encode=_encode_hot_fix,
        ),
    )

    def resolve(self, region: str, cloned: Iterable[ClonedVoice] = ()) -> Self:
        """Return checked options with the model and the sample rate filled in.

        Args:
            region: The account's region.
            cloned: The account's cloned voices as far as they are known. One that is
                not among them is accepted if its id names a model.

        Raises:
            OptionError: An option is out of range, or does not fit the voice, the
                model or the region.
        """
        values = {name: getattr(self, name) for name in PARAMETERS}
        for name, value in values.items():
            if not PARAMETERS[name].accepts(value):
                raise OptionError(name, value, PARAMETERS[name].allowed)
        model = CATALOGUE.models[self._resolved_model(region, cloned)]
        voice = CATALOGUE.voice(self.voice)
        self._check_format(model)
        for name, value in values.items():
            default = PARAMETERS[name].default
            if value != default and not supports(name, model, voice):
                raise OptionError(name, value, _shown(default), "not_supported")
        self._check_language_hints(model)
        self._check_hot_fix()
        self._check_instruction(model, voice)
        whole: dict[str, Any] = {
            name: int(value)
            for name, value in values.items()
            if PARAMETERS[name].whole and value is not None
        }
        return replace(
            self,
            model=model.id,
            sample_rate=self._resolved_sample_rate(model),
            instruction=self.instruction or None,
            **whole,
        )

    def parameters(self) -> dict[str, Any]:
        """Return the service's parameters for these options, once resolved."""
        parameters: dict[str, Any] = {"text_type": "PlainText"}
        for name, parameter in PARAMETERS.items():
            value = getattr(self, name)
            if parameter.wire and (value or value != parameter.default):
                encode = parameter.encode
                parameters[parameter.wire] = encode(value) if encode else value
        return parameters

    def _resolved_model(self, region: str, cloned: Iterable[ClonedVoice]) -> str:
        status = {voice.id: voice.status for voice in cloned}
        available = CATALOGUE.models_of(self.voice, region)
        if not available:
            known = [voice.id for voice in CATALOGUE.voices_in(region)] + list(status)
            near = get_close_matches(self.voice.lower()[:64], known) or known[:3]
            raise OptionError("voice", self.voice, ", ".join(near), "unknown_voice")
        if status.get(self.voice, READY) != READY:
            raise OptionError(
                "voice", self.voice, status[self.voice], "voice_not_ready"
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

    def _resolved_sample_rate(self, model: Model) -> int:
        rate = self.sample_rate
        if rate is None:
            rate = DEFAULT_SAMPLE_RATES[self.format]
        rates = model.formats[wire_format(self.format)]
        if rate not in rates:
            raise OptionError("sample_rate", rate, ", ".join(map(str, rates)))
        return int(rate)

    def _check_format(self, model: Model) -> None:
        if self.format not in FORMATS:
            raise OptionError("format", self.format, ", ".join(FORMATS))
        formats = [name for name in FORMATS if wire_format(name) in model.formats]
        if self.format not in formats:
            raise OptionError(
                "format", self.format, ", ".join(formats), "not_supported"
            )
        permitted = model.bit_rate_formats
        if self.bit_rate is not None and permitted and self.format not in permitted:
            allowed = f"format: {', '.join(permitted)}"
            raise OptionError("bit_rate", self.bit_rate, allowed, "not_supported")

    def _check_language_hints(self, model: Model) -> None:
        for hint in self.language_hints:
            if hint not in model.language_hints:
                raise OptionError(
                    "language_hints",
                    hint,
                    ", ".join(model.language_hints) or NOTHING,
                    "invalid_option" if model.language_hints else "not_supported",
                )

    def _check_hot_fix(self) -> None:
        for pair in self.hot_fix:
            if len(pair) != 2 or not all(isinstance(part, str) for part in pair):
                raise OptionError("hot_fix", pair, "(word, pinyin)")

    def _check_instruction(self, model: Model, voice: Voice | None) -> None:
        if not self.instruction:
            return
        if voice is not None and model.instruction != "any":
            phrases = [style.instruction for style in voice.styles_with(model.id)]
            if self.instruction in phrases:
                return
            reason = "fixed_phrases" if phrases else "not_supported"
            allowed = ", ".join(phrases) or NOTHING
        elif model.instruction in {"free", "any"}:
            if count_characters(self.instruction) <= INSTRUCTION_LENGTH:
                return
            reason, allowed = "instruction_too_long", str(INSTRUCTION_LENGTH)
        else:
            reason, allowed = "not_supported", NOTHING
        raise OptionError("instruction", self.instruction, allowed, reason)


PARAMETERS: Final[Mapping[str, Parameter]] = MappingProxyType(
    {
        item.name: replace(item.metadata["parameter"], default=item.default)
        for item in fields(SynthesisOptions)
    }
)
"""The parameter of each field of `SynthesisOptions`, by the field's name."""


def supports(name: str, model: Model, voice: Voice | None) -> bool:
    """Return whether a model takes a field of `SynthesisOptions` with a voice.

    Args:
        name: The field's name.
        model: The model.
        voice: The system voice, None for a cloned or designed one.
    """
    needs = PARAMETERS[name].needs
    if needs == "voice" and voice is not None and name not in voice.features:
        return False
    return needs is None or name in model.features


def _shown(default: object) -> str:
    """Return a parameter's default as text."""
    if isinstance(default, bool):
        return str(default).lower()
    return str(default) if isinstance(default, int) else NOTHING
