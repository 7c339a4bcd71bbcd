"""Setting accounts up, reloading, unloading and removing them."""

import asyncio
from types import MappingProxyType
from typing import Any
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.cosyvoice import PLATFORMS
from custom_components.cosyvoice.client import SynthesisOptions
from custom_components.cosyvoice.const import DOMAIN, settings_signal
from custom_components.cosyvoice.diagnostics import async_get_config_entry_diagnostics
from custom_components.cosyvoice.settings import DEFAULT_SETTINGS
from custom_components.cosyvoice.usage.ledger import UsageLedger
from homeassistant.components import tts
from homeassistant.components.diagnostics import REDACTED
from homeassistant.config_entries import ConfigEntryState, ConfigSubentry
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from tests.emulator import Emulator

from .conftest import API_KEY, CLONE, SUBENTRY_ID
from .speaking import entity_id, speak, spoken


def subentry(title: str, **settings: Any) -> ConfigSubentry:
    """Return another voice."""
    return ConfigSubentry(
        data=MappingProxyType(DEFAULT_SETTINGS | settings),
        subentry_type="voice",
        title=title,
        unique_id=None,
    )


def device_name(
    hass: HomeAssistant, entry: MockConfigEntry, identifier: str
) -> str | None:
    """Return the name of an account's or a voice's device."""
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    (device,) = (
        device for device in devices if (DOMAIN, identifier) in device.identifiers
    )
    return device.name


async def test_set_up_and_unload(
    hass: HomeAssistant, emulator: Emulator, loaded: MockConfigEntry
) -> None:
    """Set-up is free of charge; unloading leaves no connection behind."""
    assert loaded.state is ConfigEntryState.LOADED
    assert not emulator.tasks
    loaded.runtime_data.client.warm_up(
        SynthesisOptions(voice="longanyang").resolve("cn-beijing")
    )
    await emulator.until(lambda: emulator.open_connections == 1)
    assert await hass.config_entries.async_unload(loaded.entry_id)
    await emulator.until(lambda: emulator.open_connections == 0)
    assert loaded.state is ConfigEntryState.NOT_LOADED


async def test_entities_that_cannot_be_unloaded_keep_the_account(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """The client stays in use."""
    unload = "homeassistant.config_entries.ConfigEntries.async_unload_platforms"
    with patch(unload, return_value=False):
        assert not await hass.config_entries.async_unload(loaded.entry_id)
    assert loaded.state is ConfigEntryState.FAILED_UNLOAD
    # What the failed unloading left running
    assert await hass.config_entries.async_unload_platforms(loaded, PLATFORMS)
    await loaded._async_process_on_unload(hass)


async def test_connections_are_closed_when_home_assistant_stops(
    hass: HomeAssistant, emulator: Emulator, loaded: MockConfigEntry
) -> None:
    """Entries are not unloaded then."""
    loaded.runtime_data.client.warm_up(
        SynthesisOptions(voice="longanyang").resolve("cn-beijing")
    )
    await emulator.until(lambda: emulator.open_connections == 1)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await emulator.until(lambda: emulator.open_connections == 0)


async def test_devices(
    hass: HomeAssistant, device_registry: dr.DeviceRegistry, loaded: MockConfigEntry
) -> None:
    """The account and its voices are services; a voice is reached via the account."""
    hass.config_entries.async_add_subentry(loaded, subentry("Grandma", voice=CLONE))
    await hass.async_block_till_done()
    devices = dr.async_entries_for_config_entry(device_registry, loaded.entry_id)
    account, voice, clone = sorted(
        devices, key=lambda device: device.name != "CosyVoice"
    )
    assert account.identifiers == {(DOMAIN, loaded.entry_id)}
    assert account.model == "CosyVoice (cn-beijing)"
    assert account.configuration_url == "https://bailian.console.aliyun.com/"
    assert (voice.name, voice.model) == ("Longanyang", "cosyvoice-v3-flash")
    assert (clone.name, clone.model) == ("Grandma", "cosyvoice-v3-flash")
    assert voice.via_device_id == clone.via_device_id == account.id
    assert {device.entry_type for device in devices} == {dr.DeviceEntryType.SERVICE}


@pytest.mark.parametrize(
    "change",
    [{"api_key": "sk-second"}, {"region": "ap-southeast-1"}, {"workspace_id": "ws1"}],
)
async def test_a_change_during_set_up_is_taken_over(
    hass: HomeAssistant,
    emulator: Emulator,
    entry: MockConfigEntry,
    change: dict[str, Any],
) -> None:
    """And so is every later one."""
    emulator.config.api_keys = {change.get("api_key", API_KEY)}
    loading, release = asyncio.Event(), asyncio.Event()
    load = UsageLedger.async_load

    async def slowly(ledger: UsageLedger) -> list[str]:
        loading.set()
        await release.wait()
        return await load(ledger)

    with patch.object(UsageLedger, "async_load", slowly):
        setting_up = hass.async_create_task(
            hass.config_entries.async_setup(entry.entry_id)
        )
        await loading.wait()
        assert entry.state is ConfigEntryState.SETUP_IN_PROGRESS
        hass.config_entries.async_update_entry(entry, data={**entry.data, **change})
        hass.config_entries.async_update_subentry(
            entry, entry.subentries[SUBENTRY_ID], title="Renamed"
        )
        release.set()
        await setting_up
        await hass.async_block_till_done(wait_background_tasks=True)
    assert entry.state is ConfigEntryState.LOADED
    assert device_name(hass, entry, SUBENTRY_ID) == "Renamed"
    if region := change.get("region"):
        assert entry.runtime_data.client.region == region
        return
    assert await speak(hass, "你好。")
    headers = emulator.connections[-1].headers
    assert headers.get("X-DashScope-WorkSpace") == change.get("workspace_id")
    volume = entity_id(hass, "number", "volume")
    await hass.services.async_call(
        "number", "set_value", {"entity_id": volume, "value": 10}, blocking=True
    )
    assert hass.states.get(volume).state == "10"


async def test_a_stored_address_that_is_none(hass: HomeAssistant) -> None:
    """It is an error that trying again does not cure."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        data={"api_key": API_KEY, "region": "cn-beijing", "base_url": "ftp://x"},
    )
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert entry.error_reason_translation_key == "invalid_url"


@pytest.mark.parametrize(
    "change",
    [
        {"voice": "longxiaochun_v2"},
        {"speech_rate": 1.5, "pitch_rate": 0.8, "volume": 10},
        {"format": "wav", "style": "happy"},
        {"model": "cosyvoice-v3-plus", "sample_rate": 16000, "seed": 7},
        {"pronunciations": {"NAS": "storage"}, "clean_text": False},
        {"lead_in": 300, "trailing": 300, "language_voices": {"ja": "longanyang"}},
        {"instruction": "你说话的情感是happy。", "fallback_engine": "tts.other"},
    ],
)
async def test_settings_of_a_voice_do_not_reload(
    hass: HomeAssistant, loaded: MockConfigEntry, change: dict[str, Any]
) -> None:
    """The entities are notified instead."""
    heard = []

    @callback
    def listen() -> None:
        heard.append(dict(loaded.subentries[SUBENTRY_ID].data))

    unsubscribe = async_dispatcher_connect(
        hass, settings_signal(loaded.entry_id), listen
    )
    client = loaded.runtime_data.client
    hass.config_entries.async_update_subentry(
        loaded, loaded.subentries[SUBENTRY_ID], data=DEFAULT_SETTINGS | change
    )
    assert heard == [DEFAULT_SETTINGS | change]
    await hass.async_block_till_done()
    assert loaded.runtime_data.client is client
    unsubscribe()


async def test_options_and_titles_do_not_reload(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Devices take over the titles."""
    client = loaded.runtime_data.client
    hass.config_entries.async_update_entry(
        loaded,
        title="Home",
        options={**loaded.options, "monthly_budget": 5.0, "temporary_keys": True},
    )
    hass.config_entries.async_update_subentry(
        loaded, loaded.subentries[SUBENTRY_ID], title="Kitchen"
    )
    await hass.async_block_till_done()
    assert loaded.runtime_data.client is client
    assert client.temporary_keys
    assert device_name(hass, loaded, loaded.entry_id) == "Home"
    assert device_name(hass, loaded, SUBENTRY_ID) == "Kitchen"


async def test_only_another_account_reloads(
    hass: HomeAssistant, emulator: Emulator, loaded: MockConfigEntry
) -> None:
    """Also if it is changed again before the reload has begun."""
    emulator.config.api_keys = {"sk-third"}
    for key in ("sk-second", "sk-third"):
        hass.config_entries.async_update_entry(
            loaded, data={**loaded.data, "api_key": key}
        )
    await hass.async_block_till_done(wait_background_tasks=True)
    assert loaded.state is ConfigEntryState.LOADED
    assert await speak(hass, "你好。")


async def test_a_removed_voice_takes_its_device_with_it(
    hass: HomeAssistant,
    device_registry: dr.DeviceRegistry,
    loaded: MockConfigEntry,
) -> None:
    """The account and its other voices stay."""
    second = subentry("Second")
    hass.config_entries.async_add_subentry(loaded, second)
    await hass.async_block_till_done()

    def has_device() -> bool:
        return any(
            (DOMAIN, second.subentry_id) in device.identifiers
            for device in dr.async_entries_for_config_entry(
                device_registry, loaded.entry_id
            )
        )

    assert has_device()
    engines = len(hass.states.async_entity_ids("tts"))
    hass.config_entries.async_remove_subentry(loaded, second.subentry_id)
    await hass.async_block_till_done()
    assert loaded.state is ConfigEntryState.LOADED
    assert not has_device()
    assert len(hass.states.async_entity_ids("tts")) == engines - 1


async def test_removing_an_account_deletes_what_it_stored(
    hass: HomeAssistant, hass_storage: dict[str, Any], loaded: MockConfigEntry
) -> None:
    """The ledger goes with it."""
    await loaded.runtime_data.usage.async_save()
    stored = f"{DOMAIN}.usage.{loaded.entry_id}"
    assert stored in hass_storage
    await hass.config_entries.async_remove(loaded.entry_id)
    await hass.async_block_till_done()
    assert stored not in hass_storage


async def test_the_key_is_in_no_log(
    hass: HomeAssistant,
    emulator: Emulator,
    caplog: pytest.LogCaptureFixture,
    entry: MockConfigEntry,
) -> None:
    """Not at debug level, and not when it is rejected."""
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, "api_key": "sk-under-the-mat"}
    )
    caplog.set_level("DEBUG")
    await hass.config_entries.async_setup(entry.entry_id)
    emulator.config.api_keys = {"sk-under-the-mat"}
    await hass.config_entries.async_reload(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED
    assert "under-the-mat" not in caplog.text


async def test_unloading_ends_speech_and_keeps_its_books(
    hass: HomeAssistant, emulator: Emulator, loaded: MockConfigEntry
) -> None:
    """With an error that says so, and without waiting for the service."""
    emulator.config.real_time_factor = 1.0
    stream = tts.async_create_stream(hass, entity_id(hass, "tts", "speech"))
    stream.async_set_message("你好，世界。今天天气很好。" * 20)
    chunks = stream.async_stream_result()
    assert await anext(chunks)
    await emulator.until(lambda: len(spoken(emulator)[0].sentences) > 1)
    assert await hass.config_entries.async_unload(loaded.entry_id)
    with pytest.raises(HomeAssistantError) as caught:
        async for _ in chunks:
            pass
    assert caught.value.translation_key == "closed"
    assert await hass.config_entries.async_setup(loaded.entry_id)
    assert loaded.runtime_data.usage.figures.total.characters > 0


async def test_added_and_removed_voices_cut_no_other_off(
    hass: HomeAssistant, emulator: Emulator, loaded: MockConfigEntry
) -> None:
    emulator.config.real_time_factor = 0.2
    text = "你好，世界。今天天气很好。"
    whole = await speak(hass, text, {"preferred_format": "wav"})
    stream = tts.async_create_stream(
        hass, entity_id(hass, "tts", "speech"), None, {"preferred_format": "wav"}
    )
    stream.async_set_message(f" {text}")
    chunks = stream.async_stream_result()
    begun = await anext(chunks)
    for title in ("Second", "Third"):
        hass.config_entries.async_add_subentry(loaded, subentry(title))
    (second,) = (item for item in loaded.subentries.values() if item.title == "Second")
    hass.config_entries.async_remove_subentry(loaded, second.subentry_id)
    heard = begun + b"".join([chunk async for chunk in chunks])
    assert len(heard) == len(whole)
    await hass.async_block_till_done()
    assert not hass.states.get("tts.second_speech")
    assert await speak(hass, text, engine="tts.third_speech")


async def test_voice_without_stored_settings_has_the_defaults(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    voice = entry.subentries[SUBENTRY_ID]
    hass.config_entries.async_update_subentry(entry, voice, data={})
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert await speak(hass, "你好。")
    diagnostics = await async_get_config_entry_diagnostics(hass, entry)
    assert diagnostics["voices"][SUBENTRY_ID] == DEFAULT_SETTINGS | {
        "pronunciations": REDACTED
    }


@pytest.mark.parametrize(
    "options",
    [
        {"monthly_budget": "much", "budget_unit": "tokens"},
        {"monthly_budget": None, "keep_ready": "sometimes"},
        {"monthly_budget": "NaN", "keep_ready": None, "newer": 1},
    ],
)
async def test_options_of_another_release_keep_no_account_from_speaking(
    hass: HomeAssistant, entry: MockConfigEntry, options: dict[str, Any]
) -> None:
    """What is no possible value counts as the default."""
    hass.config_entries.async_update_entry(entry, options={**entry.options, **options})
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert await speak(hass, "你好。")
    assert entry.runtime_data.usage.budget.amount == 0
    form = await hass.config_entries.options.async_init(entry.entry_id)
    assert form["type"] == "form"
