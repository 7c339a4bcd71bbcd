"""Text-to-speech with the CosyVoice voices of Alibaba Cloud Model Studio."""

import asyncio
from functools import partial
from pathlib import Path

from homeassistant.const import (
    CONF_API_KEY,
    CONF_REGION,
    EVENT_HOMEASSISTANT_STOP,
    Platform,
)
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryAuthFailed, ConfigEntryError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.typing import ConfigType

from .account import KEEP_READY, complete_options, create_client, usable_data
from .client import AuthenticationError, CosyVoiceClient, CosyVoiceError
from .const import CONF_KEEP_READY, CONF_TEMPORARY_KEYS, DOMAIN, settings_signal
from .coordinator import CosyVoiceConfigEntry, CosyVoiceData, VoicesCoordinator
from .entity import async_update_devices
from .flows.audio_view import register_view
from .issues import (
    close_issues,
    open_issue,
    report_failure,
    report_success,
    report_valid_key,
    update_budget_issues,
    update_unused_issues,
    update_voice_issues,
)
from .outage import Outage
from .services import async_setup_actions
from .speech.fallback import follow_renamed_engines
from .usage.ledger import async_get_ledger, async_remove_ledger
from .voices.pictures import async_serve_pictures

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)

FIRST_RETRY = 10.0
LAST_RETRY = 300.0
"""Seconds until a failed check of the key is repeated: doubled from first to last."""

PLATFORMS = (
    Platform.BUTTON,
    Platform.EVENT,
    Platform.NUMBER,
    Platform.SELECT,
    Platform.SENSOR,
    Platform.TTS,
)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Register actions and web paths, and follow the fallback engines."""
    async_setup_actions(hass)
    register_view(hass)
    await async_serve_pictures(hass)
    follow_renamed_engines(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: CosyVoiceConfigEntry) -> bool:
    """Set up an account and its voices without waiting for the service."""
    data = entry.data
    client = _create_client(hass, entry)

    async def async_close(_event: Event) -> None:
        await client.close()

    async def async_updated(hass: HomeAssistant, entry: CosyVoiceConfigEntry) -> None:
        """Reload for another key, region or address.

        Anything else acts live.
        """
        if entry.data != data:
            hass.config_entries.async_schedule_reload(entry.entry_id)
        else:
            _async_apply(hass, entry)

    entry.async_on_unload(client.close)
    entry.async_on_unload(
        hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, async_close)
    )
    voices = VoicesCoordinator(hass, entry, client)
    usage = async_get_ledger(hass, entry)
    entry.runtime_data = CosyVoiceData(
        client=client, voices=voices, usage=usage, outage=Outage(entry.title)
    )
    entry.async_on_unload(entry.add_update_listener(async_updated))
    entry.async_on_unload(
        voices.async_add_listener(partial(_async_voices_read, hass, entry))
    )
    entry.async_on_unload(
        usage.async_add_listener(partial(_async_usage_changed, hass, entry))
    )

    if set_aside := await usage.async_load():
        files = ", ".join(Path(path).name for path in set_aside)
        open_issue(hass, entry, "usage_unreadable", {"files": files})
    _async_apply(hass, entry)
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    usage.async_follow()
    entry.async_create_background_task(
        hass, _async_check_account(hass, entry), f"{DOMAIN} check of {entry.entry_id}"
    )
    return True


async def async_unload_entry(hass: HomeAssistant, entry: CosyVoiceConfigEntry) -> bool:
    """Unload an account: its entities, then its connections, then its usage."""
    if unloaded := await hass.config_entries.async_unload_platforms(entry, PLATFORMS):
        await entry.runtime_data.client.close()
        await entry.runtime_data.usage.async_save()
        if entry.disabled_by:
            close_issues(hass, entry)
    return unloaded


async def async_remove_entry(hass: HomeAssistant, entry: CosyVoiceConfigEntry) -> None:
    """Delete the issues and the usage of an account."""
    close_issues(hass, entry)
    await async_remove_ledger(hass, entry)


def _create_client(hass: HomeAssistant, entry: CosyVoiceConfigEntry) -> CosyVoiceClient:
    """Return a client for an account.

    Raises:
        ConfigEntryError: Its data have to be changed.
        ConfigEntryAuthFailed: It has no key.
    """
    usable = usable_data(entry.data)
    if CONF_REGION not in usable:
        raise ConfigEntryError(
            translation_domain=DOMAIN,
            translation_key="unknown_region",
            translation_placeholders={"region": str(entry.data.get(CONF_REGION))},
        )
    if CONF_API_KEY not in usable:
        raise ConfigEntryAuthFailed(
            translation_domain=DOMAIN, translation_key="no_api_key"
        )
    try:
        return create_client(hass, entry.data)
    except ValueError as err:
        raise ConfigEntryError(
            translation_domain=DOMAIN, translation_key="invalid_url"
        ) from err


@callback
def _async_apply(hass: HomeAssistant, entry: CosyVoiceConfigEntry) -> None:
    """Apply the options, the titles and the voices of an account."""
    options = complete_options(entry.options)
    client = entry.runtime_data.client
    client.temporary_keys = options[CONF_TEMPORARY_KEYS]
    client.keep_ready(KEEP_READY[options[CONF_KEEP_READY]])
    async_update_devices(hass, entry)
    update_voice_issues(hass, entry)
    async_dispatcher_send(hass, settings_signal(entry.entry_id))


@callback
def _async_voices_read(hass: HomeAssistant, entry: CosyVoiceConfigEntry) -> None:
    """Act on the outcome of reading the list of cloned voices."""
    voices = entry.runtime_data.voices
    error = voices.last_exception and voices.last_exception.__cause__
    if voices.last_update_success:
        report_valid_key(hass, entry)
    elif isinstance(error, AuthenticationError):
        report_failure(hass, entry, error)
    update_voice_issues(hass, entry)
    update_unused_issues(hass, entry)


@callback
def _async_usage_changed(hass: HomeAssistant, entry: CosyVoiceConfigEntry) -> None:
    """Act on new figures of usage."""
    update_budget_issues(hass, entry)
    update_unused_issues(hass, entry)


async def _async_check_account(
    hass: HomeAssistant, entry: CosyVoiceConfigEntry
) -> None:
    """Check the key until the service accepts or rejects it.

    Then read the voices.
    """
    runtime = entry.runtime_data
    failed = False
    delay = FIRST_RETRY
    while True:
        try:
            await runtime.client.check_key()
        except CosyVoiceError as err:
            report_failure(hass, entry, err)
            if isinstance(err, AuthenticationError):
                break
            runtime.outage.began(err)
            failed = True
        else:
            if failed:
                report_success(hass, entry)
            runtime.outage.ended()
            report_valid_key(hass, entry)
            break
        await asyncio.sleep(delay)
        delay = min(2 * delay, LAST_RETRY)
    await runtime.voices.async_refresh()
