"""Setting accounts up, reloading, unloading and removing them."""

from types import MappingProxyType
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.cosyvoice import PLATFORMS
from custom_components.cosyvoice.client import (
    AccessDeniedError,
    ArrearsError,
    AuthenticationError,
    CosyVoiceClient,
    CosyVoiceConnectionError,
    CosyVoiceTimeoutError,
    ServiceError,
    SynthesisOptions,
    ThrottledError,
)
from custom_components.cosyvoice.const import DOMAIN, settings_signal
from custom_components.cosyvoice.settings import DEFAULT_SETTINGS
from homeassistant.components import tts
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState, ConfigSubentry
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from tests.emulator import Emulator, Fault, FaultKind, Point

from .conftest import API_KEY, CLONE, SUBENTRY_ID
from .speaking import entity_id, speak, spoken


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


async def test_the_account_is_a_service_device(
    hass: HomeAssistant, device_registry: dr.DeviceRegistry, loaded: MockConfigEntry
) -> None:
    """It bears the account's name."""
    devices = dr.async_entries_for_config_entry(device_registry, loaded.entry_id)
    (device,) = [
        device for device in devices if (DOMAIN, loaded.entry_id) in device.identifiers
    ]
    assert device.name == "CosyVoice"
    assert device.entry_type is dr.DeviceEntryType.SERVICE


@pytest.mark.parametrize(
    ("error", "state", "reason"),
    [
        (AuthenticationError("no"), ConfigEntryState.SETUP_ERROR, "invalid_auth"),
        (
            CosyVoiceConnectionError("no"),
            ConfigEntryState.SETUP_RETRY,
            "cannot_connect",
        ),
        (CosyVoiceTimeoutError("no"), ConfigEntryState.SETUP_RETRY, "timeout"),
        (ServiceError("no"), ConfigEntryState.SETUP_RETRY, "service_error"),
        (ThrottledError("no"), ConfigEntryState.SETUP_RETRY, "throttled"),
        (ArrearsError("no"), ConfigEntryState.SETUP_RETRY, "arrears"),
        (AccessDeniedError("no"), ConfigEntryState.SETUP_ERROR, "access_denied"),
    ],
)
async def test_a_failed_check_of_the_key(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    error: Exception,
    state: ConfigEntryState,
    reason: str,
) -> None:
    """What may pass is tried again; the reason is translated."""
    with patch.object(CosyVoiceClient, "check_key", side_effect=error):
        await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is state
    assert entry.error_reason_translation_key == reason
    reauth = list(entry.async_get_active_flows(hass, {SOURCE_REAUTH}))
    assert bool(reauth) is (reason == "invalid_auth")


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


async def test_a_list_of_voices_that_fails_stops_nothing(
    hass: HomeAssistant, emulator: Emulator, entry: MockConfigEntry
) -> None:
    """The account speaks with the service's voices meanwhile."""
    emulator.script(Fault(kind=FaultKind.HTTP_500, at=Point.HTTP, times=None))
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED
    assert not entry.runtime_data.voices.last_update_success


async def test_voices_are_read_every_six_hours(
    hass: HomeAssistant,
    emulator: Emulator,
    loaded: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A voice that was cloned meanwhile appears by itself."""
    assert not loaded.runtime_data.voices.ready
    emulator.config.cloned_voices = {CLONE: "OK"}
    freezer.tick(6 * 3600 + 1)
    async_fire_time_changed(hass)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert [voice.id for voice in loaded.runtime_data.voices.ready] == [CLONE]


async def test_a_key_rejected_while_reading_voices_asks_for_another(
    hass: HomeAssistant, emulator: Emulator, loaded: MockConfigEntry
) -> None:
    """Even if nothing is spoken for days."""
    emulator.config.api_keys = {"sk-new"}
    await loaded.runtime_data.voices.async_refresh()
    await hass.async_block_till_done(wait_background_tasks=True)
    assert any(loaded.async_get_active_flows(hass, {SOURCE_REAUTH}))


@pytest.mark.parametrize(
    "change",
    [
        {"voice": "longxiaochun_v2"},
        {"speech_rate": 1.5, "pitch_rate": 0.8, "volume": 10},
        {"format": "wav", "style": "happy"},
    ],
)
async def test_live_settings_do_not_reload(
    hass: HomeAssistant, loaded: MockConfigEntry, change: dict[str, Any]
) -> None:
    """The entities hear of the change at once instead."""
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


async def test_the_budget_does_not_reload(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """It is a number entity."""
    client = loaded.runtime_data.client
    hass.config_entries.async_update_entry(
        loaded, options={**loaded.options, "monthly_budget": 5.0}
    )
    await hass.async_block_till_done()
    assert loaded.runtime_data.client is client


async def test_a_removed_voice_takes_its_device_with_it(
    hass: HomeAssistant,
    device_registry: dr.DeviceRegistry,
    loaded: MockConfigEntry,
) -> None:
    """The account and its other voices stay."""
    second = ConfigSubentry(
        data=MappingProxyType(DEFAULT_SETTINGS),
        subentry_type="voice",
        title="Second",
        unique_id=None,
    )
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


async def test_new_voices_cut_no_other_off(
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
        voice = ConfigSubentry(
            data=MappingProxyType(DEFAULT_SETTINGS),
            subentry_type="voice",
            title=title,
            unique_id=None,
        )
        hass.config_entries.async_add_subentry(loaded, voice)
    heard = begun + b"".join([chunk async for chunk in chunks])
    assert len(heard) == len(whole)
    await hass.async_block_till_done()
    assert hass.states.get("tts.second_speech")
    assert hass.states.get("tts.third_speech")
