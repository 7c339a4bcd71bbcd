"""What a flow shows, compared with the texts."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from homeassistant.components.repairs import RepairsFlow
from homeassistant.config_entries import ConfigSubentryFlow, OptionsFlow
from homeassistant.data_entry_flow import FlowHandler, FlowResultType, section

from .checks import COMPONENT
from .reading import placeholders, read_json

ROOT = Path(__file__).parents[2]


def unexplained(
    flow: FlowHandler[Any, Any, Any], result: Mapping[str, Any]
) -> Iterator[str]:
    """A line for every field, error and reason in a flow's result that has no text.

    Also for a placeholder that a shown text refers to and the flow does not give.
    """
    content = read_json(ROOT / COMPONENT / "translations" / "en.json")
    texts = _texts(flow, content)
    if result["type"] is FlowResultType.ABORT and "translation_domain" not in result:
        yield from _faults(texts.get("abort", {}), [result["reason"]], result)
    if result["type"] is not FlowResultType.FORM:
        return
    step = texts["step"].get(result["step_id"], {})
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
