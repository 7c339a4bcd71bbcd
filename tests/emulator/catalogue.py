"""The models and voices of the service, by its documentation."""

from collections.abc import Mapping
from dataclasses import dataclass
import functools
from itertools import product
import json
from pathlib import Path
import re
from typing import Any

from .audio import Shape

type Price = str | list[str]
"""Of 10 000 characters, or of a million input tokens and a million output tokens."""


@dataclass(frozen=True, kw_only=True)
class Model:
    """What a model can do.

    Attributes:
        id: Its id.
        regions: Where every account may use it.
        formats: Its audio formats.
        ssml: True if cloned voices speak markup.
        word_timestamps: True if cloned voices give the times of words.
        hot_fix: True if it takes pronunciations and replacements.
        clone_instructions: True if cloned voices take any instruction.
        free_instructions: True if system voices do so as well.
        bit_rate: The formats whose bit rate can be chosen.
        hints: The languages that can be given for a text.
        tags: True if it knows the tags for feelings and sounds.
        cancel: Where it answers a cancellation.
        unit: What it bills: ``characters`` or ``tokens``.
        prices: What they cost: region -> currency -> price.
        clones: Where voices can be cloned for it.
        designs: Where voices can be designed for it.
        clone_hints: The languages that can be given for a recording.
    """

    id: str
    regions: list[str]
    formats: list[str]
    ssml: bool
    word_timestamps: bool
    hot_fix: bool
    clone_instructions: bool
    free_instructions: bool
    bit_rate: list[str]
    hints: list[str]
    tags: bool
    cancel: list[str]
    unit: str
    prices: Mapping[str, Mapping[str, Price]]
    clones: list[str]
    designs: list[str]
    clone_hints: list[str]

    @property
    def shape(self) -> Shape:
        """The form of its audio; WAV of Qwen-Audio was seen to be another."""
        return Shape(wav_size=0x7FFFFFFF) if self.is_qwen else Shape()

    @property
    def is_qwen(self) -> bool:
        """True for the Qwen-Audio family."""
        return self.id.startswith("qwen-")


@functools.cache
def models() -> dict[str, Model]:
    """Return the models by their ids."""
    return {
        model: Model(id=model, **facts) for model, facts in data()["models"].items()
    }


def instructions(voice: str, model: str) -> frozenset[str]:
    """Return the exact phrases that a system voice takes as its instruction."""
    rules = data()["instructions"].get(voice)
    if rules is None:
        return frozenset()
    excluded = rules.get("not_in", {}).get(model, ())
    choices = {"emotion": data()["emotions"], **rules}
    phrases = set()
    for template in rules["templates"]:
        names = [name for name in choices if f"{{{name}}}" in template]
        for values in product(*(choices[name] for name in names)):
            if not set(values) & set(excluded):
                phrases.add(template.format(**dict(zip(names, values, strict=True))))
    return frozenset(phrases)


def voices(model: str, region: str) -> list[str]:
    """Return the named system voices of a model in a region."""
    return [
        voice
        for voice, facts in data()["voices"].items()
        if model in facts["models"] and region in facts["regions"]
    ]


def system_voice(voice: str) -> dict[str, Any] | None:
    """Return the facts of a system voice; its id is case-sensitive.

    Those of the "basic" voices, of which no list can be read, follow from their id.
    """
    facts: dict[str, Any] | None = data()["voices"].get(voice)
    if facts is not None:
        return facts
    if basic := re.fullmatch(r"(qwen-audio-3\.0-tts-(?:flash|plus))-long[a-z]+", voice):
        return {
            "models": [basic[1]],
            "regions": models()[basic[1]].regions,
            "languages": ["zh"],
            "gender": None,
            "ssml": False,
            "word_timestamps": False,
        }
    return None


def model_of_clone(voice: str) -> str:
    """Return the model that a cloned voice's id names, or an empty string."""
    found = [model for model in models() if voice.startswith(f"{model}-")]
    return max(found, key=len, default="")


@functools.cache
def data() -> dict[str, Any]:
    """Return the content of ``voices.json``."""
    path = Path(__file__).with_name("voices.json")
    content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return content
