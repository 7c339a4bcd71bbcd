"""The settings of a voice: declared once, and everything derived from that."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.cosyvoice.client import PARAMETERS, OptionError
from custom_components.cosyvoice.flows.voice_form import SECTIONS
from custom_components.cosyvoice.number import VOICE_NUMBERS
from custom_components.cosyvoice.settings import (
    DEFAULT_SETTINGS,
    OPTIONS,
    SETTINGS,
    Kind,
    Setting,
    complete,
    parse_option,
)
from homeassistant.core import HomeAssistant
from tests.emulator import Emulator

from .conftest import SUBENTRY_ID
from .speaking import change, speak, spoken


def test_defaults() -> None:
    assert DEFAULT_SETTINGS == {
        "voice": "longanyang",
        "model": "auto",
        "format": "auto",
        "speech_rate": 1.0,
        "pitch_rate": 1.0,
        "volume": 50,
        "style": "none",
        "clean_text": True,
        "pronunciations": {},
        "language_voices": {},
        "lead_in": 0,
        "trailing": 0,
    }
    assert complete({"volume": 7}) == DEFAULT_SETTINGS | {"volume": 7}


def test_ranges_are_the_service_s() -> None:
    for number in VOICE_NUMBERS:
        low, high = PARAMETERS[number.key].range or (None, None)
        assert (number.native_min_value, number.native_max_value) == (low, high)
    assert SETTINGS["seed"].range == PARAMETERS["seed"].range


def test_sections_of_the_form() -> None:
    assert SECTIONS == {
        "sound": ["speech_rate", "pitch_rate", "volume", "seed"],
        "text": ["clean_text", "pronunciations", "language_voices"],
        "safety": ["fallback_engine", "lead_in", "trailing"],
    }


@pytest.mark.parametrize(
    ("name", "given", "parsed"),
    [
        ("volume", "80", 80),
        ("volume", 80.0, 80),
        ("speech_rate", "1.25", 1.25),
        ("sample_rate", "16000", 16000),
        ("sample_rate", 16000.0, 16000),
        ("format", "opus", "opus"),
        ("language_hints", "zh", ("zh",)),
        ("language_hints", ["zh", "en"], ("zh", "en")),
        ("voice", "anyone", "anyone"),
    ],
)
def test_an_option_is_read_as_yaml_and_templates_write_it(
    name: str, given: Any, parsed: Any
) -> None:
    value = parse_option(name, given)
    assert value == parsed
    assert type(value) is type(parsed)


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("value", [True, {}, [[]], object(), b"x", "\u2028", "inf"])
def test_an_odd_value_is_refused_with_what_is_allowed(name: str, value: Any) -> None:
    setting = SETTINGS[name]
    if isinstance(value, str) and setting.kind in {Kind.NAME, Kind.TEXT, Kind.CODES}:
        assert parse_option(name, value)
        return
    if name == "language_hints" and value == [[]]:
        # The client names the hint that its models do not have
        return
    with pytest.raises(OptionError) as caught:
        parse_option(name, value)
    assert caught.value.option == name
    assert caught.value.value is value
    assert caught.value.allowed


@pytest.mark.parametrize("name", ["speed", "settings", "style", "lead_in", ""])
def test_an_unknown_option_is_named_as_unknown(name: str) -> None:
    with pytest.raises(OptionError) as caught:
        parse_option(name, "1.5")
    assert caught.value.reason == "unknown_option"
    assert caught.value.allowed == ", ".join(OPTIONS)


@pytest.mark.parametrize(
    ("given", "parsed"), [(True, True), ("false", False), ("True", True)]
)
def test_a_switch_reads_words(given: Any, parsed: bool) -> None:
    switch = Setting(key="ssml", kind=Kind.SWITCH)
    assert switch.parse(given) is parsed
    with pytest.raises(OptionError) as caught:
        switch.parse("maybe")
    assert caught.value.allowed == "true, false"


DAMAGES: list[dict[str, Any]] = [
    {"voice": 5, "model": None, "style": 7, "instruction": 7, "fallback_engine": 5},
    {"format": "flac", "sample_rate": 12345, "language_hints": "zh", "seed": -1},
    {"format": None, "sample_rate": "16000", "language_hints": [1], "seed": "x"},
    {"speech_rate": "fast", "pitch_rate": 99, "volume": 50.5, "lead_in": "x"},
    {"speech_rate": None, "pitch_rate": True, "volume": "50", "lead_in": -5},
    {"language_voices": [], "pronunciations": None, "clean_text": "yes"},
    {"language_voices": {"zh-CN": 5}, "pronunciations": {"a": None}},
    {"a_setting_of_a_newer_release": 1},
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_setting_counts_as_missing(damage: dict[str, Any]) -> None:
    assert complete(damage) == DEFAULT_SETTINGS


def test_every_possible_setting_is_kept() -> None:
    settings = DEFAULT_SETTINGS | {
        "sample_rate": 16000,
        "bit_rate": 32,
        "instruction": "Softly.",
        "language_hints": ["zh"],
        "volume": 70.0,
        "speech_rate": 1.25,
        "seed": 7,
        "pronunciations": {"NAS": "storage"},
        "language_voices": {"ja-JP": "loongriko_v3"},
        "fallback_engine": "tts.other",
        "clean_text": False,
    }
    assert complete(settings) == settings


@pytest.mark.parametrize("damage", DAMAGES)
async def test_damaged_settings_keep_nobody_from_speaking(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    emulator: Emulator,
    damage: dict[str, Any],
) -> None:
    change(hass, entry, **damage)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert await speak(hass, "你好。")
    assert spoken(emulator)[0].parameters["voice"] == "longanyang"
    form = await hass.config_entries.subentries.async_init(
        (entry.entry_id, "voice"),
        context={"source": "reconfigure", "subentry_id": SUBENTRY_ID},
    )
    assert form["type"] == "form"
