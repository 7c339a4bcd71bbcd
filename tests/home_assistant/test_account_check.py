"""Checking an account's key and reading its voices, whatever the service does."""

import asyncio
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.cosyvoice.client import (
    AccessDeniedError,
    ArrearsError,
    AuthenticationError,
    CosyVoiceClient,
    CosyVoiceConnectionError,
    CosyVoiceError,
    CosyVoiceTimeoutError,
    ServiceError,
    ThrottledError,
)
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from tests.emulator import Emulator, Fault, FaultKind, Point

from .conftest import CLONE
from .speaking import entity_id, speak

LOGGER = "custom_components.cosyvoice"


def open_issues(hass: HomeAssistant) -> list[str | None]:
    """Return the translation keys of the open issues."""
    return [issue.translation_key for issue in ir.async_get(hass).issues.values()]


@pytest.mark.parametrize(
    ("error", "issue"),
    [
        (CosyVoiceConnectionError("no"), None),
        (CosyVoiceTimeoutError("no"), None),
        (ServiceError("no"), None),
        (ThrottledError("no"), None),
        (ArrearsError("no"), "arrears"),
        (AccessDeniedError("no"), "model_not_activated"),
    ],
)
async def test_a_failed_check_of_the_key_is_repeated(
    hass: HomeAssistant,
    emulator: Emulator,
    entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
    error: CosyVoiceError,
    issue: str | None,
) -> None:
    """Logged once, with an issue where a person can act, until the check succeeds."""
    emulator.config.cloned_voices = {CLONE: "OK"}
    failures = [error, error, None]
    with (
        patch.object(CosyVoiceClient, "check_key", side_effect=failures),
        patch("custom_components.cosyvoice.FIRST_RETRY", 0.1),
    ):
        assert await hass.config_entries.async_setup(entry.entry_id)
        assert hass.states.get(entity_id(hass, "tts", "speech"))
        await hass.async_block_till_done()
        assert open_issues(hass) == ([issue] if issue else [])
        await hass.async_block_till_done(wait_background_tasks=True)
    assert open_issues(hass) == []
    assert [voice.id for voice in entry.runtime_data.voices.ready] == [CLONE]
    messages = [record.message for record in caplog.records if record.name == LOGGER]
    assert messages[:-1] == [
        f"CosyVoice: the service is unavailable: {error}",
        "CosyVoice: the service is available again",
    ]


async def test_an_outage_is_logged_once_whoever_notices_it(
    hass: HomeAssistant,
    emulator: Emulator,
    entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The check of the key and a message fail; a message finds the service back."""
    caplog.set_level("INFO", LOGGER)
    emulator.script(Fault(FaultKind.HTTP_503, Point.HANDSHAKE, times=None))
    assert await hass.config_entries.async_setup(entry.entry_id)
    for number in range(2):
        with pytest.raises(HomeAssistantError):
            await speak(hass, f"你好。{number}")
    emulator.clear_faults()
    assert await speak(hass, "你好。")
    emulator.script(Fault(FaultKind.HTTP_503, Point.HANDSHAKE, times=None))
    levels = [
        record.levelname
        for record in caplog.records
        if record.name == LOGGER and "available" in record.getMessage()
    ]
    assert levels == ["WARNING", "INFO"]


async def test_a_rejected_key_asks_for_another(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """The entities are there nevertheless: a fallback engine can speak."""
    error = AuthenticationError("no")
    with patch.object(CosyVoiceClient, "check_key", side_effect=error) as check:
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        assert any(entry.async_get_active_flows(hass, {SOURCE_REAUTH}))
        await hass.async_block_till_done(wait_background_tasks=True)
    check.assert_called_once()
    assert hass.states.get(entity_id(hass, "tts", "speech"))


@pytest.mark.parametrize("hanging", ["check_key", "list_voices"])
async def test_set_up_does_not_wait_for_the_service(
    hass: HomeAssistant, emulator: Emulator, entry: MockConfigEntry, hanging: str
) -> None:
    """Speech works meanwhile, and a reload ends the wait."""
    never = asyncio.Event()
    with patch.object(CosyVoiceClient, hanging, side_effect=never.wait) as called:
        async with asyncio.timeout(2):
            assert await hass.config_entries.async_setup(entry.entry_id)
        assert await speak(hass, "你好。")
        called.assert_called()
        async with asyncio.timeout(2):
            assert await hass.config_entries.async_reload(entry.entry_id)


async def test_the_service_is_away_at_the_start(
    hass: HomeAssistant, emulator: Emulator, entry: MockConfigEntry
) -> None:
    """A message ends in an error until the service is back."""
    emulator.script(Fault(FaultKind.HTTP_503, Point.HANDSHAKE, times=None))
    assert await hass.config_entries.async_setup(entry.entry_id)
    with pytest.raises(HomeAssistantError) as caught:
        await speak(hass, "你好。")
    assert caught.value.translation_key == "service_error"
    emulator.clear_faults()
    assert await speak(hass, "你好。")


async def test_a_list_of_voices_that_fails_stops_nothing(
    hass: HomeAssistant, emulator: Emulator, entry: MockConfigEntry
) -> None:
    """The account speaks with the service's voices meanwhile."""
    emulator.script(Fault(kind=FaultKind.HTTP_500, at=Point.HTTP, times=None))
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
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


async def test_a_list_of_voices_that_could_not_be_read_is_read_when_it_is_needed(
    hass: HomeAssistant, emulator: Emulator, entry: MockConfigEntry
) -> None:
    """Once it is there, it is not read again."""
    emulator.config.cloned_voices[CLONE] = "OK"
    emulator.script("http_500@http")
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    voices = entry.runtime_data.voices
    assert not voices.data
    await voices.async_read_once()
    assert voices.data.keys() == {CLONE}
    emulator.config.cloned_voices.clear()
    await voices.async_read_once()
    assert voices.data.keys() == {CLONE}
