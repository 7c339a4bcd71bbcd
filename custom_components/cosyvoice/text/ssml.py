"""SSML: telling it from plain text, and naming the place of a mistake."""

from collections.abc import Callable
import re
from xml.parsers import expat

from ..client.errors import EmptyTextError, SsmlError
from .characters import is_speakable

SSML_OPENING = "<speak"
"""What an SSML document begins with, white space apart."""


def is_ssml(text: str) -> bool:
    """Return True if a text is meant as SSML: it begins with a ``<speak>`` tag."""
    return _OPENING.match(text) is not None


def check_ssml(text: str) -> None:
    """Check that a text is ``<speak>`` elements as the service understands them.

    Elements and the values of their attributes are checked as far as Model Studio
    documents them; an attribute that is not documented is left to the service. A
    document type, which could define entities that grow without bound, is refused.

    Raises:
        EmptyTextError: It is, and holds nothing.
        SsmlError: It is not; the message names the line and the column, from 1 on.
    """
    _Checker().check(text)


class _Checker:
    """Follows the elements of a document, which are put into one of their own."""

    def __init__(self) -> None:
        self._open: list[tuple[str, int, int]] = []  # Names, and where they began.
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
                raise _error(line, column, f"<{name}> is not closed")
            self._parser.Parse(f"</{_ROOT}>", True)
        except expat.ExpatError as err:
            raise _error(err.lineno, err.offset, expat.ErrorString(err.code)) from err
        if not self._has_content:
            raise EmptyTextError("The text holds nothing that can be spoken")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        expected: set[str] = {_ROOT}
        if self._open:
            expected = (
                _ATTRIBUTES.keys() - {"speak"} if len(self._open) > 1 else {"speak"}
            )
        if name not in expected:
            self._refuse(f"<{name}> is not possible here")
        self._has_content |= len(self._open) > 1
        self._open.append((name, *self._place()))
        for missing in _REQUIRED.get(name, set()) - attributes.keys():
            self._refuse(f"<{name}> needs the attribute {missing}")
        rules = _ATTRIBUTES.get(name, {})
        for attribute in attributes.keys() & rules.keys():
            value = attributes[attribute]
            is_possible, allowed = rules[attribute]
            if not is_possible(value):
                self._refuse(f'{attribute}="{value}" is not possible: {allowed}')

    def _end(self, name: str) -> None:
        self._open.pop()

    def _characters(self, text: str) -> None:
        if len(self._open) < 2 and text.strip():
            self._refuse("text outside of <speak>")
        self._has_content |= is_speakable(text)

    def _refuse(self, reason: str) -> None:
        raise _error(*self._place(), reason)

    def _place(self) -> tuple[int, int]:
        return self._parser.CurrentLineNumber, self._parser.CurrentColumnNumber


def _error(line: int, column: int, reason: str) -> SsmlError:
    # The first line is the root's.
    return SsmlError(f"line {line - 1}, column {column + 1}: {reason}")


def _number(low: float, high: float) -> tuple[Callable[[str], bool], str]:
    return (
        lambda value: bool(_NUMBER.fullmatch(value)) and low <= float(value) <= high,
        f"{low:g} to {high:g}",
    )


def _one_of(words: str) -> tuple[Callable[[str], bool], str]:
    return frozenset(words.split()).__contains__, ", ".join(words.split())


def _is_pause(value: str) -> bool:
    match = _TIME.fullmatch(value)
    if match is None:
        return False
    milliseconds = float(match[1]) * (1 if match[2] == "ms" else 1000)
    return 50 <= milliseconds <= 10_000


_OPENING = re.compile(r"\s*<speak[\s/>]")
_ROOT = "ssml"
_NUMBER = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_TIME = re.compile(r"(\d+(?:\.\d+)?)(ms|s)", re.ASCII)

# What Model Studio's page on SSML for CosyVoice lists.
_ATTRIBUTES: dict[str, dict[str, tuple[Callable[[str], bool], str]]] = {
    "speak": {
        "rate": _number(0.5, 2),
        "pitch": _number(0.5, 2),
        "volume": _number(0, 100),
        "effect": _one_of("robot lolita lowpass echo eq lpfilter hpfilter"),
    },
    "break": {"time": (_is_pause, "50ms to 10000ms, or up to 10s")},
    "sub": {},
    "phoneme": {"alphabet": _one_of("py cmu")},
    "soundEvent": {},
    "say-as": {
        "interpret-as": _one_of(
            "cardinal digits telephone name address id characters punctuation date time"
            " currency measure"
        )
    },
}
_REQUIRED = {
    "sub": {"alias"},
    "phoneme": {"alphabet", "ph"},
    "soundEvent": {"src"},
    "say-as": {"interpret-as"},
}
