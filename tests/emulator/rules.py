"""What the service accepts: models, voices, parameters, and how it refuses the rest."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .catalogue import Model, data, instructions, model_of_clone, system_voice, voices
from .config import EmulatorConfig
from .errors import ServiceError, invalid
from .facts import Facts
from .faults import TASK_ERRORS, FaultKind, Oddity
from .text import count_characters

__all__ = [
    "SAMPLE_RATES",
    "ServiceError",
    "Speaker",
    "check_model",
    "check_task",
    "failure",
    "instructions",
    "invalid",
    "voices",
]

SAMPLE_RATES = (8000, 16000, 22050, 24000, 44100, 48000)
_DEFAULT_BIT_RATE = 32
_KNOWN = frozenset(
    [
        "voice",
        "text_type",
        "format",
        "sample_rate",
        "volume",
        "rate",
        "pitch",
        "bit_rate",
        "seed",
        "type",
        "enable_ssml",
        "word_timestamp_enabled",
        "phoneme_timestamp_enabled",
        "language_hints",
        "instruction",
        "hot_fix",
        "enable_aigc_tag",
        "aigc_propagator",
        "aigc_propagate_id",
        "enable_markdown_filter",
    ]
)
_RANGES: dict[str, tuple[tuple[type[int | float], ...], float, float]] = {
    "volume": ((int,), 0, 100),
    "rate": ((int, float), 0.5, 2),
    "pitch": ((int, float), 0.5, 2),
    "seed": ((int,), 0, 65535),
    "bit_rate": ((int,), 6, 510),
}


@dataclass(frozen=True, kw_only=True)
class Speaker:
    """Everything about a task that changes how it sounds."""

    voice: str
    language: str
    gender: str | None
    format: str
    sample_rate: int
    bit_rate: int
    volume: int
    rate: float
    pitch: float
    seed: int
    instruction: str
    language_hint: str | None
    word_timestamps: bool
    ssml: bool
    """True if the task was started with ``enable_ssml``."""
    knows_ssml: bool
    """True if voice and model can speak markup."""
    replacements: tuple[tuple[str, str], ...]
    mp3_bit_rate: int | None = None
    """The bit rate of MP3 in kbit/s, if it was chosen."""
    tags: bool = False
    """True if the model knows the tags for feelings and sounds."""
    fundamental: float | None = None
    """The pitch in Hz that the voice has at the normal pitch, if it is known."""
    markup: Literal["dropped", "refused", "spoken"] = "refused"
    """What becomes of markup if it is not known."""


def failure(kind: FaultKind | Oddity) -> ServiceError:
    """Return the service's error of this kind."""
    return ServiceError(*TASK_ERRORS[kind])


def check_model(model: object, config: EmulatorConfig) -> Model:
    """Return the model.

    Raises:
        ServiceError: If there is no such model, or it is closed to the account.
    """
    if not model:
        raise invalid(
            "Missing required parameter 'payload.model'! Please follow the protocol!"
        )
    known = config.models.get(model) if isinstance(model, str) else None
    if known is None:
        code, message = TASK_ERRORS[FaultKind.MODEL_NOT_FOUND]
        if isinstance(model, str) and model.startswith("qwen-"):
            message = "Model not exist."
        raise ServiceError(config.facts.unknown_model or code, message)
    is_open = config.region in known.regions or model in config.opened_models
    if not is_open or model in config.closed_models:
        raise ServiceError(config.facts.closed_model, "Model access denied.")
    return known


def check_task(payload: Mapping[str, Any], config: EmulatorConfig) -> Speaker:
    """Return how the task of a run-task payload sounds.

    Raises:
        ServiceError: If the service would refuse the task.
    """
    model = check_model(payload.get("model"), config)
    if config.facts.needs_input and not isinstance(payload.get("input"), dict):
        raise invalid("task can not be null")
    kind = (payload.get("task_group"), payload.get("task"), payload.get("function"))
    if kind != ("audio", "tts", "SpeechSynthesizer"):
        raise invalid("task can not be null")
    parameters = payload.get("parameters")
    if not isinstance(parameters, dict):
        raise invalid("Request voice is invalid!")
    parameters = _checked(parameters, model, config.facts)
    voice_id = parameters.get("voice")
    if not voice_id or not isinstance(voice_id, str):
        raise invalid("Request voice is invalid!")
    audio_format, rate = _check_format(parameters, model, config.facts)
    voice = _find_voice(voice_id, model, config)
    hints = parameters.get("language_hints")
    chosen = parameters.get("bit_rate") if audio_format in model.bit_rate else None
    return Speaker(
        voice=voice_id,
        language=voice["languages"][0],
        gender=voice["gender"],
        format=audio_format,
        sample_rate=rate,
        bit_rate=chosen or _DEFAULT_BIT_RATE,
        mp3_bit_rate=chosen,
        volume=parameters.get("volume", 50),
        rate=parameters.get("rate", 1.0),
        pitch=parameters.get("pitch", 1.0),
        seed=parameters.get("seed", 0),
        instruction=_check_instruction(parameters, model, voice_id, config),
        language_hint=hints[0] if hints else None,
        word_timestamps=_flag(parameters, "word_timestamp_enabled")
        and voice["word_timestamps"],
        ssml=_flag(parameters, "enable_ssml"),
        replacements=_replacements(parameters, model),
        tags=model.tags,
        knows_ssml=voice["ssml"],
        markup=config.facts.qwen_markup if model.is_qwen else "refused",
    )


def _find_voice(voice: str, model: Model, config: EmulatorConfig) -> dict[str, Any]:
    facts = _system_voice(voice, config.facts)
    if facts is not None:
        offered = model.id in config.opened_models or config.region in facts["regions"]
        if model.id in facts["models"] and offered:
            return facts
    elif (
        config.cloned_voices.get(voice) == "OK"
        and (model_of_clone(voice) == model.id or config.facts.clones_any_model)
        and config.region in model.clones
    ):
        return {
            "languages": ["zh"],
            "gender": None,
            "ssml": model.ssml,
            "word_timestamps": model.word_timestamps,
        }
    is_411 = (
        config.facts.qwen_voice_error if model.is_qwen else config.facts.voice_error
    ) == 411
    raise failure(Oddity.VOICE_411 if is_411 else FaultKind.VOICE_418)


def _system_voice(voice: str, facts: Facts) -> dict[str, Any] | None:
    if facts.any_case_voices:
        ids = {known.lower(): known for known in data()["voices"]}
        voice = ids.get(voice.lower(), voice)
    changes = facts.voices.get(voice, {})
    found = system_voice(voice)
    return None if found is None or changes is None else {**found, **changes}


def _checked(
    parameters: Mapping[str, Any], model: Model, facts: Facts
) -> dict[str, Any]:
    """Return the parameters that have an effect, after a check of all of them."""
    checked = dict(parameters)
    if not (facts.unknown_parameters or _KNOWN.issuperset(parameters)):
        raise invalid("Parameter invalid: unknown parameter")
    if facts.plain_type_only and parameters.get("text_type") != "PlainText":
        raise invalid("Parameter invalid: text_type")
    for name, (kinds, *usual) in _RANGES.items():
        low, high = facts.ranges.get(name, usual)
        value: Any = parameters.get(name, low)
        # A JSON true is no number, though it is an int in Python.
        if type(value) not in kinds or not (facts.clamps or low <= value <= high):
            raise invalid(f"Parameter invalid: {name} must be in [{low}, {high}]")
        if name in parameters:
            checked[name] = min(max(value, low), high)
    hints = parameters.get("language_hints", [])
    if not isinstance(hints, list) or (
        # What knows no hints does not look at them.
        model.hints and not set(model.hints).issuperset(map(str, hints[:1]))
    ):
        raise invalid("Parameter invalid: language_hints")
    return {name: v for name, v in checked.items() if name not in facts.no_effect}


def _check_format(
    parameters: Mapping[str, Any], model: Model, facts: Facts
) -> tuple[str, int]:
    audio_format = parameters.get("format", facts.default_format)
    if audio_format == "Default" and facts.knows_default_format:
        audio_format = facts.default_format
    if audio_format not in model.formats:
        raise invalid("Parameter invalid: format is not supported")
    rate = parameters.get("sample_rate", 0)
    if rate != 0 and (isinstance(rate, bool) or rate not in SAMPLE_RATES):
        raise invalid("Parameter invalid: sample_rate is not supported")
    rate = rate or facts.default_rate
    refused = facts.qwen_opus_refuses if model.is_qwen else facts.opus_refuses
    if audio_format == "opus" and rate in refused:
        raise invalid("Parameter invalid: sample_rate is not supported")
    return audio_format, rate


def _check_instruction(
    parameters: Mapping[str, Any], model: Model, voice: str, config: EmulatorConfig
) -> str:
    instruction = parameters.get("instruction") or ""
    if not isinstance(instruction, str):
        raise invalid("Parameter invalid: instruction")
    if not instruction:
        return ""
    cloned = voice in config.cloned_voices
    free = model.clone_instructions if cloned else model.free_instructions
    free = free or config.facts.instructions_free
    if free and count_characters(instruction) <= config.facts.instruction_limit:
        return instruction
    fixed = config.facts.instructions_fixed and not cloned
    if fixed and instruction in instructions(voice, model.id):
        return instruction
    raise invalid("[cosyvoice:]Engine return error code: 428")


def _flag(parameters: Mapping[str, Any], name: str) -> bool:
    value = parameters.get(name, False)
    if not isinstance(value, bool):
        raise invalid(f"Parameter invalid: {name}")
    return value


def _replacements(
    parameters: Mapping[str, Any], model: Model
) -> tuple[tuple[str, str], ...]:
    hot_fix = parameters.get("hot_fix")
    if hot_fix is None or not model.hot_fix:
        return ()
    found = []
    try:
        for name, rules in hot_fix.items():
            for rule in rules:
                ((old, new),) = rule.items()
                if name == "replace":
                    found.append((str(old), str(new)))
    except (AttributeError, TypeError, ValueError) as error:
        raise invalid("Parameter invalid: hot_fix") from error
    return tuple(found)
