"""Texts to read aloud for a recording, about 15 seconds long."""

from collections.abc import Mapping
import json
from pathlib import Path
from types import MappingProxyType
from typing import Final

READING_TEXTS: Final[Mapping[str, str]] = MappingProxyType(
    json.loads(Path(__file__).with_name("reading.json").read_text(encoding="utf-8"))
)
"""A text by the service's code of each language that a recording may have."""
