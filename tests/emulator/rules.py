"""What the service accepts: models, voices, parameters, and how it refuses the rest."""

from collections.abc import Mapping
from dataclasses import dataclass
import functools
from itertools import product
import json
from pathlib import Path
from typing import Any

from .config import EmulatorConfig
from .faults import TASK_ERRORS, FaultKind
from .text import count_characters

SAMPLE_RATES = (8000, 16000, 22050, 24000, 44100, 48000)
_DEFAULT_RATE = 22050
_DEFAULT_BIT_RATE = 32
_LANGUAGES = frozenset(
    ("zh", "en", "fr", "de", "ja", "ko", "ru", "pt", "th", "id", "vi")
)
_LONGEST_INSTRUCTION = 100
_RANGES: dict[str, tuple[tuple[type[int | float], ...], float, float]] = {
    "volume": ((int,), 0, 100),
    "rate": ((int, float), 0.5, 2),
    "pitch": ((int, float), 0.5, 2),
    "seed": ((int,), 0, 65535),
    "bit_rate": ((int,), 6, 510),
}


class ServiceError(Exception):
    """The service refuses a task."""

    def __init__(self, code: str, message: str) -> None:
        """Keep the service's code and message."""
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


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


def invalid(message: str) -> ServiceError:
    """Return the service's refusal of a parameter."""
    return ServiceError("InvalidParameter", message)


def failure(kind: FaultKind) -> ServiceError:
    """Return the service's error of this kind."""
    return ServiceError(*TASK_ERRORS[kind])


def check_model(model: object, region: str) -> str:
    """Return the model's id.

    Raises:
        ServiceError: If there is no such model in the region.
    """
    if not model:
        raise invalid(
            "Missing required parameter 'payload.model'! Please follow the protocol!"
        )
    if not isinstance(model, str) or region not in _model(model).get("regions", ()):
        raise failure(FaultKind.MODEL_NOT_FOUND)
    return model


def check_task(payload: Mapping[str, Any], config: EmulatorConfig) -> Speaker:
    """Return how the task of a run-task payload sounds.

    Raises:
        ServiceError: If the service would refuse the task.
    """
    model = check_model(payload.get("model"), config.region)
    if not isinstance(payload.get("input"), dict):
        raise invalid("task can not be null")
    kind = (payload.get("task_group"), payload.get("task"), payload.get("function"))
    if kind != ("audio", "tts", "SpeechSynthesizer"):
        raise invalid("task can not be null")
    parameters = payload.get("parameters")
    if not isinstance(parameters, dict):
        raise invalid("Request voice is invalid!")
    _check_ranges(parameters)
    voice_id = parameters.get("voice")
    if not voice_id or not isinstance(voice_id, str):
        raise invalid("Request voice is invalid!")
    audio_format, rate = _check_format(parameters, model)
    voice = _find_voice(voice_id, model, config)
    hints = parameters.get("language_hints")
    return Speaker(
        voice=voice_id,
        language=voice["languages"][0],
        gender=voice["gender"],
        format=audio_format,
        sample_rate=rate,
        bit_rate=parameters.get("bit_rate", _DEFAULT_BIT_RATE),
        volume=parameters.get("volume", 50),
        rate=parameters.get("rate", 1.0),
        pitch=parameters.get("pitch", 1.0),
        seed=parameters.get("seed", 0),
        instruction=_check_instruction(parameters, model, voice_id, config),
        language_hint=hints[0] if hints else None,
        word_timestamps=_flag(parameters, "word_timestamp_enabled")
        and voice["word_timestamps"],
        ssml=_flag(parameters, "enable_ssml"),
        knows_ssml=voice["ssml"],
        replacements=_replacements(parameters, model),
    )


def instructions(voice: str, model: str) -> frozenset[str]:
    """Return the exact phrases that a system voice takes as its instruction."""
    rules = _data()["instructions"].get(voice)
    if rules is None:
        return frozenset()
    excluded = rules.get("not_in", {}).get(model, ())
    choices = {"emotion": _data()["emotions"], **rules}
    phrases = set()
    for template in rules["templates"]:
        names = [name for name in choices if f"{{{name}}}" in template]
        for values in product(*(choices[name] for name in names)):
            if not set(values) & set(excluded):
                phrases.add(template.format(**dict(zip(names, values, strict=True))))
    return frozenset(phrases)


def voices(model: str, region: str) -> list[str]:
    """Return the system voices of a model in a region."""
    return [
        voice
        for voice, facts in _data()["voices"].items()
        if model in facts["models"] and region in facts["regions"]
    ]


def model_of_clone(voice: str) -> str:
    """Return the model that a cloned voice's id names, or an empty string."""
    return next((m for m in _data()["models"] if voice.startswith(f"{m}-")), "")


@functools.cache
def _data() -> dict[str, Any]:
    path = Path(__file__).with_name("voices.json")
    data: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return data


def _model(model: str) -> dict[str, Any]:
    facts: dict[str, Any] = _data()["models"].get(model, {})
    return facts


def _find_voice(voice: str, model: str, config: EmulatorConfig) -> dict[str, Any]:
    facts: dict[str, Any] | None = _data()["voices"].get(voice)
    if facts is not None:
        if model in facts["models"] and config.region in facts["regions"]:
            return facts
    elif config.cloned_voices.get(voice) == "OK" and model_of_clone(voice) == model:
        return {"languages": ["zh"], "gender": None, **_model(model)}
    raise failure(FaultKind.VOICE_418)


def _check_ranges(parameters: Mapping[str, Any]) -> None:
    for name, (kinds, low, high) in _RANGES.items():
        value: Any = parameters.get(name, low)
        # A JSON true is no number, though it is an int in Python.
        if type(value) not in kinds or not low <= value <= high:
            raise invalid(f"Parameter invalid: {name} must be in [{low}, {high}]")
    hints = parameters.get("language_hints", [])
    if not isinstance(hints, list) or not _LANGUAGES.issuperset(map(str, hints[:1])):
        raise invalid("Parameter invalid: language_hints")


def _check_format(parameters: Mapping[str, Any], model: str) -> tuple[str, int]:
    audio_format = parameters.get("format", "mp3")
    if audio_format == "Default":
        audio_format = "mp3"
    if audio_format not in _model(model)["formats"]:
        raise invalid("Parameter invalid: format is not supported")
    rate = parameters.get("sample_rate", 0)
    if rate != 0 and (isinstance(rate, bool) or rate not in SAMPLE_RATES):
        raise invalid("Parameter invalid: sample_rate is not supported")
    return audio_format, rate or _DEFAULT_RATE


def _check_instruction(
    parameters: Mapping[str, Any], model: str, voice: str, config: EmulatorConfig
) -> str:
    instruction = parameters.get("instruction") or ""
    if not isinstance(instruction, str):
        raise invalid("Parameter invalid: instruction")
    if not instruction:
        return ""
    if voice in config.cloned_voices:
        allowed = _model(model)["clone_instructions"]
        if allowed and count_characters(instruction) <= _LONGEST_INSTRUCTION:
            return instruction
    elif instruction in instructions(voice, model):
        return instruction
    raise invalid("[cosyvoice:]Engine return error code: 428")


def _flag(parameters: Mapping[str, Any], name: str) -> bool:
    value = parameters.get(name, False)
    if not isinstance(value, bool):
        raise invalid(f"Parameter invalid: {name}")
    return value


def _replacements(
    parameters: Mapping[str, Any], model: str
) -> tuple[tuple[str, str], ...]:
    hot_fix = parameters.get("hot_fix")
    if hot_fix is None or not _model(model)["hot_fix"]:
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
