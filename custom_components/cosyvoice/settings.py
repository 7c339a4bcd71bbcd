"""Declarations of the settings of a voice.

Defaults, ranges, options of a call, entities and form fields are derived from here.
What a parameter of the service allows is declared in `client.options`.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType
from typing import Any, Final

from homeassistant.const import CONF_LANGUAGE, PERCENTAGE, Platform, UnitOfTime

from .client import PARAMETERS, OptionError
from .const import (
    AUTO,
    CONF_BIT_RATE,
    CONF_CLEAN_TEXT,
    CONF_FALLBACK_ENGINE,
    CONF_FORMAT,
    CONF_INSTRUCTION,
    CONF_LANGUAGE_HINTS,
    CONF_LANGUAGE_VOICES,
    CONF_LEAD_IN,
    CONF_MODEL,
    CONF_PITCH_RATE,
    CONF_PRONUNCIATIONS,
    CONF_REPLACEMENT,
    CONF_SAMPLE_RATE,
    CONF_SEED,
    CONF_SPEECH_RATE,
    CONF_STYLE,
    CONF_TRAILING,
    CONF_VOICE,
    CONF_VOLUME,
    CONF_WORD,
    DEFAULT_VOICE,
    NO_STYLE,
)


class Kind(Enum):
    """What the values of a setting are."""

    NUMBER = auto()
    SWITCH = auto()
    CHOICE = auto()
    """One of `Setting.choices`."""
    TEXT = auto()
    NAME = auto()
    """An id or a key from a list that is known at run time only."""
    CODES = auto()
    """Language codes."""
    ROWS = auto()
    """A mapping, in a form rows of the two fields in `Setting.columns`."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A setting of a voice.

    Attributes:
        key: Its name in the subentry, in forms and as an option of a call.
        kind: What its values are.
        default: Its value until it is set, None if it is absent until then.
        range: Smallest and largest value of a number.
        step: Step of a number; a whole one if the number is whole.
        unit: Unit of a number.
        choices: The values to choose from.
        columns: Names of the fields of a row: that of the key and that of the value.
        section: Section of the form, "" for its top, None if it is not in the form.
        entity: Platform of the entity that shows and changes it.
    """

    key: str
    kind: Kind
    default: Any = None
    range: tuple[float, float] = (0, 0)
    step: float = 1
    unit: str | None = None
    choices: tuple[Any, ...] = ()
    columns: tuple[str, str] = ("", "")
    section: str | None = None
    entity: Platform | None = None

    def stored(self, value: Any) -> Any:
        """Return the value to store for one from an entity or a form."""
        match self.kind:
            case Kind.NUMBER:
                whole = isinstance(self.step, int)
                return int(value) if whole else round(float(value), 2)
            case Kind.CHOICE:
                return next(choice for choice in self.choices if str(choice) == value)
            case Kind.TEXT | Kind.NAME:
                return value.strip()
            case Kind.ROWS:
                key, content = self.columns
                rows = [value] if isinstance(value, Mapping) else value
                return {row[key].strip(): row[content].strip() for row in rows}
        return value

    def is_possible(self, value: Any) -> bool:
        """Return whether a value can be the stored one."""
        match self.kind:
            case Kind.NUMBER:
                low, high = self.range
                is_number = isinstance(value, int | float) and type(value) is not bool
                whole = isinstance(self.step, int)
                return is_number and low <= value <= high and not (whole and value % 1)
            case Kind.SWITCH:
                return isinstance(value, bool)
            case Kind.CHOICE:
                return value in self.choices
            case Kind.CODES:
                return isinstance(value, list) and all(map(_is_text, value))
            case Kind.ROWS:
                return isinstance(value, Mapping) and all(
                    _is_text(part) for item in value.items() for part in item
                )
        return _is_text(value)

    def shown(self, value: Any) -> Any:
        """Return a stored value as a form shows it: the inverse of `stored`."""
        match self.kind:
            case Kind.CHOICE:
                return str(value)
            case Kind.ROWS:
                return [
                    dict(zip(self.columns, item, strict=True)) for item in value.items()
                ]
        return value

    def parse(self, value: Any) -> Any:
        """Return the value of an option of a call.

        Raises:
            OptionError: The value is out of range or of the wrong type.
        """
        parameter = PARAMETERS[self.key]
        parsed, allowed = value, parameter.allowed
        match self.kind:
            case Kind.NUMBER:
                parsed = parse_number(value)
            case Kind.SWITCH:
                parsed = {"true": True, "false": False}.get(str(value).lower(), value)
            case Kind.CHOICE:
                text = str(parse_number(value))
                parsed = next(
                    (item for item in self.choices if str(item) == text), None
                )
                allowed = ", ".join(map(str, self.choices))
            case Kind.CODES:
                codes = [value] if isinstance(value, str) else value
                parsed = tuple(codes) if isinstance(codes, list) else codes
        if parsed is None or not parameter.accepts(parsed):
            raise OptionError(self.key, value, allowed)
        return parsed


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def parse_number(value: Any) -> Any:
    """Return a text as a number if it is one, a whole float as an integer."""
    if isinstance(value, str):
        with suppress(ValueError):
            value = float(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _of_service(key: str, kind: Kind, **details: Any) -> Setting:
    """Return a setting with the range and default of its parameter."""
    parameter = PARAMETERS[key]
    return Setting(
        **{
            "key": key,
            "kind": kind,
            "default": parameter.default,
            "range": parameter.range or (0, 0),
            **details,
        }
    )


_FACTOR: Final[Mapping[str, Any]] = {
    "step": 0.05,
    "section": "sound",
    "entity": Platform.NUMBER,
}
_SILENCE: Final[Mapping[str, Any]] = {
    "kind": Kind.NUMBER,
    "default": 0,
    "range": (0, 2000),
    "step": 50,
    "unit": UnitOfTime.MILLISECONDS,
    "section": "safety",
}
SETTINGS: Final[Mapping[str, Setting]] = MappingProxyType(
    {
        setting.key: setting
        for setting in (
            _of_service(
                CONF_VOICE,
                Kind.NAME,
                default=DEFAULT_VOICE,
                section="",
                entity=Platform.SELECT,
            ),
            _of_service(CONF_MODEL, Kind.NAME, section=""),
            _of_service(
                CONF_FORMAT,
                Kind.CHOICE,
                default=AUTO,
                choices=(AUTO, "mp3", "wav", "opus"),
                section="",
                entity=Platform.SELECT,
            ),
            _of_service(
                CONF_SAMPLE_RATE,
                Kind.CHOICE,
                choices=(8000, 16000, 22050, 24000, 44100, 48000),
                section="",
            ),
            _of_service(CONF_BIT_RATE, Kind.NUMBER),
            _of_service(CONF_INSTRUCTION, Kind.TEXT, section=""),
            _of_service(CONF_LANGUAGE_HINTS, Kind.CODES, default=None),
            _of_service(CONF_SPEECH_RATE, Kind.NUMBER, **_FACTOR),
            _of_service(CONF_PITCH_RATE, Kind.NUMBER, **_FACTOR),
            _of_service(
                CONF_VOLUME,
                Kind.NUMBER,
                unit=PERCENTAGE,
                section="sound",
                entity=Platform.NUMBER,
            ),
            _of_service(CONF_SEED, Kind.NUMBER, default=None, section="sound"),
            Setting(
                key=CONF_STYLE,
                kind=Kind.NAME,
                default=NO_STYLE,
                entity=Platform.SELECT,
            ),
            Setting(
                key=CONF_CLEAN_TEXT, kind=Kind.SWITCH, default=True, section="text"
            ),
            Setting(
                key=CONF_PRONUNCIATIONS,
                kind=Kind.ROWS,
                default={},
                columns=(CONF_WORD, CONF_REPLACEMENT),
                section="text",
            ),
            Setting(
                key=CONF_LANGUAGE_VOICES,
                kind=Kind.ROWS,
                default={},
                columns=(CONF_LANGUAGE, CONF_VOICE),
                section="text",
            ),
            Setting(key=CONF_FALLBACK_ENGINE, kind=Kind.NAME, section="safety"),
            Setting(key=CONF_LEAD_IN, **_SILENCE),
            Setting(key=CONF_TRAILING, **_SILENCE),
        )
    }
)
"""The settings of a voice by key, in the order of the form.

Those that a parameter of the service has are options of a call as well.
"""
OPTIONS: Final = tuple(key for key in SETTINGS if key in PARAMETERS)
"""The options of a call, apart from Home Assistant's own."""
DEFAULT_SETTINGS: Final[dict[str, Any]] = {
    key: setting.default
    for key, setting in SETTINGS.items()
    if setting.default is not None
}
"""The settings of a voice whose form was submitted unchanged.

A setting without a default is absent until it is set. ``pronunciations`` maps a word
to its replacement, ``language_voices`` a language to a voice id.
"""


def complete(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return stored settings with the defaults of missing ones.

    Settings that another release or a person has damaged count as missing.
    """
    possible = {
        key: data[key]
        for key, setting in SETTINGS.items()
        if key in data and setting.is_possible(data[key])
    }
    return DEFAULT_SETTINGS | possible


def parse_option(name: str, value: Any) -> Any:
    """Return the value of an option of a call.

    Raises:
        OptionError: There is no such option, or the value is out of range or of the
            wrong type.
    """
    if name not in OPTIONS:
        raise OptionError(name, value, ", ".join(OPTIONS), "unknown_option")
    return SETTINGS[name].parse(value)
