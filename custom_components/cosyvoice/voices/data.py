"""The data files of this folder."""

from collections.abc import Mapping
import json
from pathlib import Path
from types import MappingProxyType
from typing import Any


def load(name: str) -> Mapping[str, Any]:
    """Return the JSON object of a file."""
    text = Path(__file__).with_name(name).read_text(encoding="utf-8")
    return MappingProxyType(json.loads(text))
