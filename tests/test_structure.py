"""Imports run one way: from the platforms down to the client."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "custom_components/cosyvoice"

# What each room may import from the integration besides itself; any other module may
# import all of these rooms.
ROOMS = {
    "client": set[str](),
    "text": {"client.errors"},
    "localization": {"const"},
    "usage": {"client", "const", "localization"},
    "voices": {"client", "const", "localization"},
    "settings": {"client", "const", "text", "voices"},
    "errors": {"client", "const"},
    "account": {"client", "const"},
    "outage": {"client", "const"},
    "coordinator": {"client", "const", "errors", "outage", "usage", "voices"},
    "issues": {
        "account",
        "client",
        "const",
        "coordinator",
        "errors",
        "localization",
        "settings",
        "usage",
        "voices",
    },
    "speech": {
        *("account", "client", "const", "coordinator", "errors", "issues", "settings"),
        *("text", "usage", "voices"),
    },
}
PLATFORMS = {
    *(
        "backup",
        "button",
        "config_flow",
        "diagnostics",
        "entity",
        "event",
        "media_source",
    ),
    *("number", "repairs", "select", "sensor", "services", "system_health", "tts"),
}
PURE = {"client", "text"}
"""Rooms that know nothing of Home Assistant."""


def imported(path: Path) -> Iterator[str]:
    """Yield what a module imports: dotted names, within the integration without its name."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = [*package[: len(package) + 1 - node.level]] if node.level else []
            base += node.module.split(".") if node.module else []
            is_package = node.level and (ROOT / Path(*base) / "__init__.py").exists()
            for alias in node.names:
                inside = (ROOT / Path(*base, alias.name)).with_suffix(".py").exists()
                named = is_package and inside
                yield "@" * bool(node.level) + ".".join(
                    [*base, alias.name] if named else base
                )


MODULES = sorted(ROOT.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path: Path) -> None:
    place = path.relative_to(ROOT).with_suffix("").parts
    room = place[0]
    for name in imported(path):
        if not name.startswith("@"):
            assert room not in PURE or name.split(".")[0] != "homeassistant", name
            continue
        target = name[1:]
        other = target.split(".")[0]
        if other == room or place == ("__init__",):
            continue
        assert other not in PLATFORMS - {"entity"} or room == "config_flow", target
        if room in ROOMS:
            allowed = ROOMS[room]
            assert target in allowed or other in allowed, f"{room} imports {target}"
