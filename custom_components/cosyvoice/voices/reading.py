"""Texts to read aloud for a recording, about 15 seconds long."""

from collections.abc import Mapping
from typing import Final

from .data import load

READING_TEXTS: Final[Mapping[str, str]] = load("reading.json")
"""A text by the service's code of each language that a recording may have."""
