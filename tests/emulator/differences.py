"""Named points in which the emulator can differ from the description of the service.

``EmulatorConfig(differ={"flush-ignored"})`` and ``python -m tests.emulator --differ
flush-ignored`` let it. ``differences.json`` has them all: what is otherwise, the section
of the protocol's description (``Q``: of the one of Qwen-Audio, ``C``: of the
one of cloning), and the attributes of ``EmulatorConfig`` or ``Facts`` that it changes.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
import functools
import json
from pathlib import Path
from typing import Any

from .audio import Shape
from .facts import Facts


@dataclass(frozen=True)
class Difference:
    """One point.

    Attributes:
        what: What is otherwise.
        section: The section of the description.
        changes: What it changes.
    """

    what: str
    section: str
    changes: Mapping[str, Any]


@functools.cache
def differences() -> Mapping[str, Difference]:
    """Return every difference by its name."""
    path = Path(__file__).with_name("differences.json")
    content = json.loads(path.read_text("utf-8"))
    return {name: Difference(**values) for name, values in content.items()}


def changed(names: Collection[str]) -> tuple[Facts, dict[str, Any]]:
    """Return the facts with these differences, and the settings that they change.

    Raises:
        ValueError: If there is no such difference.
    """
    known = {field.name for field in fields(Facts)}
    facts: dict[str, Any] = {}
    settings: dict[str, Any] = {}
    for name in names:
        if name not in differences():
            raise ValueError(f"there is no difference {name!r}")
        for attribute, value in differences()[name].changes.items():
            if attribute not in known:
                settings[attribute] = value
            elif attribute == "models":
                models = facts.setdefault("models", {})
                for model, values in value.items():
                    models[model] = {**models.get(model, {}), **values}
            elif attribute in ("voices", "ranges"):
                facts[attribute] = {**facts.get(attribute, {}), **value}
            else:
                facts[attribute] = Shape(**value) if attribute == "shape" else value
    return Facts(**facts), settings
