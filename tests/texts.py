"""The texts of the translations, and whether a flow shows any that do not exist."""

from collections.abc import Iterable, Iterator, Mapping
import json
from pathlib import Path
import string
from typing import Any

from homeassistant.components.repairs import RepairsFlow
from homeassistant.config_entries import ConfigSubentryFlow, OptionsFlow
from homeassistant.data_entry_flow import FlowHandler, FlowResultType, section

FOLDER = Path(__file__).parent.parent / "custom_components/cosyvoice/translations"
LANGUAGES = sorted(path.stem for path in FOLDER.glob("*.json"))


def read(language: str) -> dict[str, Any]:
    """Return the translations of a language."""
    content = (FOLDER / f"{language}.json").read_text(encoding="utf-8")
    texts: dict[str, Any] = json.loads(content)
    return texts


def leaves(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text with its dotted key."""
    for key, value in content.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def placeholders(text: str) -> set[str]:
    """Return the names of a text's placeholders."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def unexplained(
    flow: FlowHandler[Any, Any, Any], result: Mapping[str, Any]
) -> Iterator[str]:
    """Yield a line for everything in a result that has no text.

    Also for a placeholder of a shown text that the flow does not provide.
    """
    texts = _texts(flow, read("en"))
    if result["type"] is FlowResultType.ABORT and "translation_domain" not in result:
        yield from _faults(texts.get("abort", {}), [result["reason"]], result)
    if result["type"] not in {FlowResultType.FORM, FlowResultType.MENU}:
        return
    step = texts["step"].get(result["step_id"], {})
    if result["type"] is FlowResultType.MENU:
        options = step.get("menu_options", {})
        yield from _faults(options, result["menu_options"], result)
        yield from _faults(step, {"title"} | {"description"} & step.keys(), result)
        return
    yield from _faults(step, {"title", "description"} & step.keys(), result)
    yield from _faults(
        texts.get("error", {}), (result["errors"] or {}).values(), result
    )
    for key, value in (
        result["data_schema"].schema if result["data_schema"] else {}
    ).items():
        if isinstance(value, section):
            part = step.get("sections", {}).get(key, {})
            fields = list(map(str, value.schema.schema))
        else:
            part, fields = step, [str(key)]
        yield from _faults(part.get("data", {}), fields, result)
        yield from _faults(part.get("data_description", {}), fields, result)


def _texts(flow: FlowHandler[Any, Any, Any], content: dict[str, Any]) -> dict[str, Any]:
    match flow:
        case ConfigSubentryFlow(handler=(_, kind)):
            texts = content["config_subentries"][kind]
        case OptionsFlow():
            texts = content["options"]
        case RepairsFlow(issue_id=issue):
            key = next(key for key in content["issues"] if issue.startswith(key))
            texts = content["issues"][key]["fix_flow"]
        case _:
            texts = content["config"]
    return dict(texts)


def _faults(
    texts: Mapping[str, str], keys: Iterable[str], result: Mapping[str, Any]
) -> Iterator[str]:
    given = set(result.get("description_placeholders") or {})
    for key in keys:
        if key not in texts:
            yield f"{result.get('step_id', 'abort')}: no text for {key}"
        elif missing := placeholders(texts[key]) - given:
            yield f"{result.get('step_id', 'abort')}: {key} needs {missing}"
