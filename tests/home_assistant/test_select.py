"""Voice, format and style, chosen from lists."""

from collections.abc import Callable
from types import MappingProxyType
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from syrupy.assertion import SnapshotAssertion

from custom_components.cosyvoice.client import CATALOGUE
from custom_components.cosyvoice.const import settings_signal
from custom_components.cosyvoice.settings import DEFAULT_SETTINGS
from custom_components.cosyvoice.voices.names import voice_name
from homeassistant.config_entries import ConfigEntryState, ConfigSubentry
from homeassistant.const import Platform
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_send
from tests.emulator import Emulator

from .conftest import CLONE, SUBENTRY_ID
from .entities import snapshot_platform
from .speaking import entity_id, speak, spoken

STYLED, PLAIN = "longanyang", "longxian_v3"


async def select(hass: HomeAssistant, key: str, option: str) -> None:
    await hass.services.async_call(
        "select",
        "select_option",
        {"entity_id": entity_id(hass, "select", key), "option": option},
        blocking=True,
    )
    await hass.async_block_till_done()


def options(hass: HomeAssistant, key: str) -> list[str]:
    state = hass.states.get(entity_id(hass, "select", key))
    assert state is not None
    return list(state.attributes["options"])


def name_of(hass: HomeAssistant, voice: str) -> str:
    """Return a voice's option: its name, with the id where others have the name."""
    name = voice_name(voice)
    return next(o for o in options(hass, "voice") if o in {name, f"{name} ({voice})"})


async def test_voices_are_listed_once_each_by_name(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    names = options(hass, "voice")
    assert len(names) == len(set(names)) == len(CATALOGUE.voices_in("cn-beijing"))
    state = hass.states.get(entity_id(hass, "select", "voice")).state
    assert state == "Longanyang 龙安洋 (longanyang)"
    assert "Longjiaxin 龙嘉欣" in names
    assert "Longxian 龙仙 (longxian_v3)" in names


async def test_cloned_voice_is_listed_by_id_whatever_its_state(
    hass: HomeAssistant, entry: MockConfigEntry, emulator: Emulator
) -> None:
    emulator.config.cloned_voices[CLONE] = "DEPLOYING"
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert options(hass, "voice")[0] == CLONE


async def test_typed_in_voice_is_listed_and_selected(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    subentry = entry.subentries[SUBENTRY_ID]
    hass.config_entries.async_update_subentry(
        entry, subentry, data={**subentry.data, "voice": CLONE}
    )
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert hass.states.get(entity_id(hass, "select", "voice")).state == CLONE


async def test_chosen_voice_speaks_next_and_no_cache_is_played(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator
) -> None:
    await speak(hass, "你好，世界。")
    await speak(hass, "你好，世界。")
    assert voices(emulator) == ["longanyang"]
    await select(hass, "voice", name_of(hass, PLAIN))
    assert loaded.subentries[SUBENTRY_ID].data["voice"] == PLAIN
    await speak(hass, "你好，世界。")
    assert voices(emulator) == ["longanyang", PLAIN]
    await select(hass, "voice", name_of(hass, "longanyang"))
    await speak(hass, "你好，世界。")
    assert voices(emulator) == ["longanyang", PLAIN]


@pytest.mark.parametrize("chosen", ["auto", "mp3", "wav", "opus"])
async def test_chosen_format_is_what_the_listener_gets(
    hass: HomeAssistant, loaded: MockConfigEntry, chosen: str
) -> None:
    assert options(hass, "format") == ["auto", "mp3", "wav", "opus"]
    await select(hass, "format", chosen)
    audio = await speak(hass, "你好，世界。")
    magic = {"wav": b"RIFF", "opus": b"OggS"}.get(chosen)
    assert audio.startswith(magic) if magic else audio[0] == 0xFF or audio[:3] == b"ID3"


async def test_style_is_the_service_s_phrase(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator
) -> None:
    assert options(hass, "style")[:2] == ["none", "neutral"]
    await select(hass, "style", "happy")
    await speak(hass, "你好。")
    await select(hass, "style", "none")
    await speak(hass, "你好。")
    said = [task.parameters.get("instruction") for task in spoken(emulator)]
    assert said == ["你说话的情感是happy。", None]


async def test_style_select_stays_when_the_voice_has_none(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator
) -> None:
    await select(hass, "style", "happy")
    await select(hass, "voice", name_of(hass, PLAIN))
    style = hass.states.get(entity_id(hass, "select", "style"))
    assert (style.state, style.attributes["options"]) == ("none", ["none"])
    await speak(hass, "你好。")
    assert "instruction" not in spoken(emulator)[-1].parameters


async def test_style_select_is_removed_at_the_next_start_without_styles(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """It stays while the account runs, so that a voice can be changed back."""
    style = entity_id(hass, "select", "style")
    await select(hass, "voice", name_of(hass, PLAIN))
    assert hass.states.get(style)
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await hass.async_block_till_done()
    assert hass.states.get(style) is None
    assert er.async_get(hass).async_get(style) is None
    await select(hass, "voice", name_of(hass, STYLED))
    assert hass.states.get(entity_id(hass, "select", "style")).state == "none"


async def test_entities_of_a_voice_that_comes_later(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """They are added when the account's settings are said to have changed."""
    with patch.object(hass.config_entries, "async_schedule_reload"):
        later = ConfigSubentry(
            data=MappingProxyType({**DEFAULT_SETTINGS, "voice": PLAIN}),
            subentry_id="kitchen",
            subentry_type="voice",
            title="Kitchen",
            unique_id=None,
        )
        hass.config_entries.async_add_subentry(loaded, later)
        await hass.async_block_till_done()
    async_dispatcher_send(hass, settings_signal(loaded.entry_id))
    async_dispatcher_send(hass, settings_signal(loaded.entry_id))
    await hass.async_block_till_done()
    for platform, key in (
        ("select", "voice"),
        ("select", "format"),
        ("number", "speech_rate"),
        ("number", "volume"),
    ):
        found = entity_id(hass, platform, key, "kitchen")
        assert hass.states.get(found).state != "unavailable"
        registered = er.async_get(hass).async_get(found)
        assert registered.config_subentry_id == "kitchen"


async def test_style_select_comes_with_the_first_voice_that_has_styles(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    subentry = entry.subentries[SUBENTRY_ID]
    hass.config_entries.async_update_subentry(
        entry, subentry, data={**subentry.data, "voice": PLAIN}
    )
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    registry = er.async_get(hass)
    unique_id = f"{SUBENTRY_ID}_style"
    assert registry.async_get_entity_id("select", "cosyvoice", unique_id) is None
    await select(hass, "voice", name_of(hass, STYLED))
    assert registry.async_get_entity_id("select", "cosyvoice", unique_id)
    assert len(options(hass, "style")) > 2


async def test_a_thousand_changes_reload_nothing_and_make_nothing_unavailable(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    states: list[str] = []

    @callback
    def note(event: Event[EventStateChangedData]) -> None:
        states.append(event.data["new_state"].state)

    stop: Callable[[], None] = hass.bus.async_listen("state_changed", note)
    runtime = loaded.runtime_data
    names = [name_of(hass, STYLED), name_of(hass, PLAIN)]
    voice, rate = (
        entity_id(hass, "select", "voice"),
        entity_id(hass, "number", "speech_rate"),
    )
    for turn in range(500):
        await hass.services.async_call(
            "select",
            "select_option",
            {"entity_id": voice, "option": names[turn % 2]},
            blocking=True,
        )
        await hass.services.async_call(
            "number",
            "set_value",
            {"entity_id": rate, "value": 0.5 + turn % 30 * 0.05},
            blocking=True,
        )
    await hass.async_block_till_done()
    stop()
    assert len(states) > 1000
    assert "unavailable" not in states
    assert loaded.state is ConfigEntryState.LOADED
    assert loaded.runtime_data is runtime


async def test_each_voice_is_a_service_device(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), loaded.entry_id)
    device = next(d for d in devices if ("cosyvoice", SUBENTRY_ID) in d.identifiers)
    assert device.entry_type is dr.DeviceEntryType.SERVICE


async def test_selects(
    hass: HomeAssistant, entry: MockConfigEntry, snapshot: SnapshotAssertion
) -> None:
    await snapshot_platform(hass, entry, Platform.SELECT, snapshot)


def voices(emulator: Emulator) -> list[str]:
    return [task.parameters["voice"] for task in spoken(emulator)]
