"""Reading the repository: its files, and what its code names."""

import ast
from collections.abc import Iterator
import json
from pathlib import Path
import re
import string
from typing import Any

from custom_components.cosyvoice.settings import SETTINGS

BINARY = (".mp3", ".opus", ".png", ".wav")
ADDRESS = re.compile(r"(https?|wss?|ftp)://|www\.", re.IGNORECASE)


def read_json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def modules(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def files(root: Path) -> Iterator[Path]:
    """The files that hold text, without those of hidden folders but `.github` and `.ci`."""
    for folder, names, contents in root.walk():
        names[:] = [
            name
            for name in names
            if (not name.startswith(".") and name != "__pycache__")
            or name in {".ci", ".github"}
        ]
        for name in contents:
            if not name.startswith(".") and not name.endswith(BINARY):
                yield folder / name


def imports(path: Path) -> Iterator[str]:
    """The modules that a module imports, relative ones with their dots."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield module
            if module in {"homeassistant.components", ".client", "."}:
                joint = "" if module == "." else "."
                for alias in node.names:
                    # A submodule, not a public name of the package
                    if module == "homeassistant.components" or (
                        (path.parent / "client" / f"{alias.name}.py").is_file()
                        and module == ".client"
                    ):
                        yield f"{module}{joint}{alias.name}"


def leaves(content: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in content.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def text_faults(text: str) -> Iterator[str]:
    if not text or text != text.strip():
        yield "is empty, or begins or ends with a space"
    if ADDRESS.search(text):
        yield "holds an address; use a placeholder"
    if re.search(r"</?[a-z]", text):
        yield "holds HTML"
    if re.search(r"'\{\w+\}'", text):
        yield "holds a placeholder in single quotes"
    if "[%" in text:
        yield "holds a reference, which is not resolved for a custom integration"
    if not all(name.isidentifier() for name in placeholders(text)):
        yield "holds a placeholder that is no name"


def steps(content: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every step of a flow: the flow, the step's id, its texts."""
    flows = {name: content[name] for name in ("config", "options") if name in content}
    flows |= content.get("config_subentries", {})
    for flow, texts in flows.items():
        for step_id, step in texts["step"].items():
            yield flow, step_id, step


def constants(module: Path) -> dict[str, str]:
    """The constants of a module that are strings."""
    return dict(
        re.findall(r'^([A-Z_]+)\b.* = "(\w+)"', module.read_text(), re.MULTILINE)
    )


def form_fields(path: Path, known: dict[str, str]) -> set[str]:
    """The fields of the forms in a module: the keys of `vol.Required` and `vol.Optional`."""
    return {
        _string(node.args[0], known)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"Required", "Optional"}
    }


def error_keys(path: Path) -> Iterator[str]:
    """The keys of exceptions and issues: calls that name both domain and key."""
    for keywords in _keywords(path):
        key = keywords.get("translation_key")
        if "translation_domain" in keywords or "severity" in keywords:
            if isinstance(key, ast.Constant):
                yield str(key.value)


def entity_keys(
    path: Path, known: dict[str, str], having: str = "translation_key"
) -> set[str]:
    """The translation keys of a platform's entities whose description has a field.

    Those of settings are included.
    """
    keys = {
        _string(keywords["translation_key"], known)
        for keywords in _keywords(path)
        if {"translation_key", having} <= keywords.keys()
        and "translation_domain" not in keywords
    }
    if "setting.key" in keys:
        keys.remove("setting.key")
        keys |= {key for key, item in SETTINGS.items() if item.entity == path.stem}
    return keys


def _keywords(path: Path) -> Iterator[dict[str | None, ast.expr]]:
    """The keyword arguments of every call in a module."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield {keyword.arg: keyword.value for keyword in node.keywords}


def _string(node: ast.expr, known: dict[str, str]) -> str:
    """The value of a string, of a constant, or of one of Home Assistant's `CONF_` constants."""
    match node:
        case ast.Constant(value=str(value)):
            return value
        case ast.Name(id=name):
            return known.get(name) or name.removeprefix("CONF_").lower()
    return ast.unparse(node)
