"""Kinds of voices, to find one among hundreds."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from ..client import CATALOGUE, ClonedVoice
from .data import load

YOURS: Final = "yours"
"""The kind of every cloned or designed voice."""
KINDS: Final = (
    YOURS,
    "women",
    "men",
    "children",
    "dialects",
    "characters",
    "others",
)
"""The kinds of voices, as lists show them. A voice may be of several."""
SCENARIOS: Final[Mapping[str, list[str]]] = load("kinds.json")
"""By kind, the parts of the catalogue's English scenarios that identify it."""


@cache
def kinds_of(voice_id: str) -> frozenset[str]:
    """Return the kinds of a voice, at least one."""
    if (voice := CATALOGUE.voice(voice_id)) is None:
        return frozenset({YOURS})
    kinds = {
        kind
        for kind, scenarios in SCENARIOS.items()
        if any(scenario in voice.scenario for scenario in scenarios)
    }
    if voice.dialect:
        kinds.add("dialects")
    if voice.gender and "children" not in kinds:
        kinds.add("women" if voice.gender == "female" else "men")
    return frozenset(kinds or {"others"})


def origin_of(clone: ClonedVoice) -> str:
    """Return ``cloned`` or ``designed``."""
    return "designed" if clone.is_designed else "cloned"


def kinds_in(region: str) -> list[str]:
    """Return the kinds of a region's system voices, in the order of lists."""
    voices = CATALOGUE.voices_in(region)
    found = {kind for voice in voices for kind in kinds_of(voice.id)}
    return [kind for kind in KINDS if kind in found]


def languages_in(region: str) -> list[str]:
    """Return the codes of the languages of a region's voices, the commonest first."""
    voices = CATALOGUE.voices_in(region)
    spoken = Counter(code for voice in voices for code in voice.languages)
    return [code for code, _ in spoken.most_common()]


def speaks(voice_id: str, language: str) -> bool:
    """Return whether a voice may speak a language, as every clone may.

    Args:
        voice_id: The voice.
        language: The service's code. ``en`` includes ``en-GB``.
    """
    if (voice := CATALOGUE.voice(voice_id)) is None:
        return True
    return any(
        code == language or code.startswith(f"{language}-") for code in voice.languages
    )


@dataclass(frozen=True, kw_only=True)
class VoiceFilter:
    """What narrows a list of voices, each None for no limit.

    Attributes:
        language: The service's code of a language.
        kind: One of `KINDS`.
        model: A model's id.
    """

    language: str | None = None
    kind: str | None = None
    model: str | None = None

    def accepts(self, voice_id: str, region: str) -> bool:
        """Return whether a voice belongs on the list."""
        return (
            (self.language is None or speaks(voice_id, self.language))
            and (self.kind is None or self.kind in kinds_of(voice_id))
            and (
                self.model is None
                or self.model in CATALOGUE.models_of(voice_id, region)
            )
        )


ALL_VOICES: Final = VoiceFilter()
"""Narrows nothing."""
