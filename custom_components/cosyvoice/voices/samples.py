"""Sentences for samples of voices."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from ..client import CATALOGUE
from .data import load
from .languages import default_tag

SENTENCES: Final[Mapping[str, str]] = load("samples.json")
"""One sentence by the service's code of a language, or by the key of a dialect."""


class SampleText(NamedTuple):
    """A sentence to hear a voice with.

    Attributes:
        tag: Home Assistant's tag of its language.
        text: The sentence.
    """

    tag: str
    text: str


def sample_text(voice_id: str, language: str, country: str | None) -> SampleText:
    """Return a sentence in the listener's language, or in one that the voice speaks.

    A voice with a dialect speaks that in place of Chinese.

    Args:
        voice_id: The voice.
        language: The listener's language, as Home Assistant has it.
        country: The listener's country.
    """
    tag = default_tag(voice_id, language, country)
    code = _CODES.get(tag, tag.partition("-")[0])
    voice = CATALOGUE.voice(voice_id)
    if code == "zh" and voice and voice.dialect:
        code = voice.dialect
    return SampleText(tag, SENTENCES[code])


_CODES: Final = {"zh-HK": "yue"}
