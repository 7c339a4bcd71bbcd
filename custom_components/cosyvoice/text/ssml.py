"""SSML: distinguish it from plain text and locate mistakes in it.

Elements and attributes are listed in ``ssml.json``. Source: Model Studio's page on
SSML for CosyVoice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
import json
from pathlib import Path
import re
from typing import Any, Self
from xml.parsers import expat

from ..client.errors import EmptyTextError, SsmlError
from .characters import is_speakable

SSML_OPENING = "<speak"
"""The beginning of an SSML document, without the white space before it."""


def is_ssml(text: str) -> bool:
    """Return whether a text is meant as SSML: it begins with a ``<speak>`` tag."""
    return _OPENING.match(text) is not None


def check_ssml(text: str) -> None:
    """Check that a text consists of ``<speak>`` elements that the service accepts.

    Elements and the values of their attributes are checked as far as Model Studio
    documents them. An undocumented attribute is passed on. A document type, which
    could define entities that grow without bound, is refused.

    Raises:
        EmptyTextError: The document has no content.
        SsmlError: The document is not valid.
    """
    _Checker().check(text)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """The possible values of an attribute.

    One of the fields is set.

    Attributes:
        range: The lowest and the highest number.
        milliseconds: The shortest and the longest time, with ``ms`` or ``s``.
        values: The possible words.
    """

    range: tuple[float, float] | None = None
    milliseconds: tuple[float, float] | None = None
    values: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Return a rule as ``ssml.json`` has it."""
        return cls(**{name: tuple(value) for name, value in data.items()})

    def allows(self, value: str) -> bool:
        """Return whether a value is possible."""
        if self.range:
            number = _NUMBER.fullmatch(value)
            return number is not None and _is_within(self.range, float(value))
        if self.milliseconds:
            time = _TIME.fullmatch(value)
            return time is not None and _is_within(
                self.milliseconds, float(time[1]) * (1 if time[2] == "ms" else 1000)
            )
        return value in self.values

    def __str__(self) -> str:
        """Return the possible values as text."""
        if self.range:
            return f"{self.range[0]:g}–{self.range[1]:g}"
        if self.milliseconds:
            low, high = self.milliseconds
            return f"{low:g}ms–{high:g}ms, {low / 1000:g}s–{high / 1000:g}s"
        return ", ".join(self.values)


@dataclass(frozen=True, kw_only=True)
class Element:
    """An element of SSML.

    Attributes:
        required: The attributes that it needs.
        attributes: The rules of attributes whose values are checked.
    """

    required: tuple[str, ...]
    attributes: Mapping[str, Rule]

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Return an element as ``ssml.json`` has it."""
        return cls(
            required=tuple(data.get("required", ())),
            attributes={
                name: Rule.from_json(rule)
                for name, rule in data.get("attributes", {}).items()
            },
        )


ELEMENTS = {
    name: Element.from_json(data)
    for name, data in json.loads(
        Path(__file__).with_suffix(".json").read_text(encoding="utf-8")
    ).items()
}


class _Checker:
    """Follows the elements of a document inside an element added around it."""

    def __init__(self) -> None:
        self._open: list[tuple[str, int, int]] = []  # Names, lines and columns.
        self._has_content = False
        self._parser = parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters

    def check(self, text: str) -> None:
        try:
            self._parser.Parse(f"<{_ROOT}>\n", False)
            self._parser.Parse(text.encode(errors="surrogatepass"), False)
            if len(self._open) > 1:
                name, line, column = self._open[-1]
                raise _error(line, column, "not_closed", element=f"<{name}>")
            self._parser.Parse(f"</{_ROOT}>", True)
        except expat.ExpatError as err:
            raise _error(err.lineno, err.offset, "malformed") from err
        if not self._has_content:
            raise EmptyTextError("The text has nothing that can be spoken")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        depth = len(self._open)
        if not (
            (depth == 0 and name == _ROOT)
            or (depth == 1 and name == "speak")
            or (depth > 1 and name != "speak" and name in ELEMENTS)
        ):
            self._refuse("element", element=f"<{name}>")
        self._has_content |= depth > 1
        self._open.append((name, *self._position()))
        if depth:
            self._check_attributes(name, attributes)

    def _check_attributes(self, name: str, attributes: dict[str, str]) -> None:
        element = ELEMENTS[name]
        for required in element.required:
            if required not in attributes:
                self._refuse(
                    "attribute_missing", element=f"<{name}>", attribute=required
                )
        for attribute, value in attributes.items():
            rule = element.attributes.get(attribute)
            if rule and not rule.allows(value):
                self._refuse(
                    "attribute_value",
                    attribute=attribute,
                    value=value,
                    allowed=str(rule),
                )

    def _end(self, name: str) -> None:
        self._open.pop()

    def _characters(self, text: str) -> None:
        if len(self._open) < 2 and text.strip():
            self._refuse("text_outside")
        self._has_content |= is_speakable(text)

    def _refuse(self, mistake: str, **details: str) -> None:
        line, column = self._position()
        raise _error(line, column, mistake, **details)

    def _position(self) -> tuple[int, int]:
        return self._parser.CurrentLineNumber, self._parser.CurrentColumnNumber


def _error(line: int, column: int, mistake: str, **details: str) -> SsmlError:
    # The first line is the root's.
    place = {"line": str(line - 1), "column": str(column + 1)}
    described = ", ".join(
        f"{name} {value}" for name, value in (place | details).items()
    )
    message = f"The SSML is not valid: {mistake} ({described})"
    return SsmlError(message, mistake=mistake, **place, **details)


def _is_within(limits: tuple[float, float], number: float) -> bool:
    return limits[0] <= number <= limits[1]


_OPENING = re.compile(r"\s*<speak[\s/>]")
_ROOT = "ssml"
_NUMBER = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_TIME = re.compile(r"(\d+(?:\.\d+)?)(ms|s)", re.ASCII)
