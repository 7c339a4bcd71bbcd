"""Descriptions of voices to begin a design with.

The service understands Chinese and English (Model Studio, voice design API).
"""

from collections.abc import Mapping
from typing import Final

from .data import load

_DATA: Final = load("designs.json")

DESIGNS: Final[Mapping[str, Mapping[str, str]]] = _DATA["designs"]
"""A description in ``en`` and ``zh`` by the key of its name in the translations."""
SAMPLE_TEXTS: Final[Mapping[str, str]] = _DATA["sample_texts"]
"""What a new voice speaks first, in ``en`` and ``zh``."""
