"""Descriptions of voices to begin a design with.

The service understands Chinese and English (Model Studio, voice design API).
"""

from collections.abc import Mapping
import json
from pathlib import Path
from types import MappingProxyType
from typing import Final

_DATA: Final = json.loads(
    Path(__file__).with_name("designs.json").read_text(encoding="utf-8")
)

DESIGNS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(_DATA["designs"])
"""A description in ``en`` and ``zh`` by the key of its name in the translations."""
SAMPLE_TEXTS: Final[Mapping[str, str]] = MappingProxyType(_DATA["sample_texts"])
"""What a new voice speaks first, in ``en`` and ``zh``."""
