"""Text-to-speech with the CosyVoice voices of Alibaba Cloud Model Studio."""

from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_STOP, Platform
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryError
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.typing import ConfigType

from .account import create_client
from .client import AuthenticationError, CosyVoiceClient, CosyVoiceError
from .const import (
    CONF_MONTHLY_BUDGET,
    CONF_TEMPORARY_KEYS,
    DOMAIN,
    LIVE_SETTINGS,
    MANUFACTURER,
    settings_signal,
)
from .coordinator import CosyVoiceConfigEntry, CosyVoiceData, VoicesCoordinator
from .errors import entry_error
from .issues import (
    async_handle_rejected_key,
    close_issue,
    close_issues,
    report_failure,
    update_voice_issues,
)
from .services import async_setup_actions
from .usage.ledger import UsageLedger

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)
SPEECH_BEFORE_RELOAD = 10.0
"""Seconds that a reload waits for speech, so that a new voice cuts no other off."""
PLATFORMS = (
    Platform.BUTTON,
    Platform.NUMBER,
    Platform.SELECT,
    Platform.SENSOR,
    Platform.TTS,
)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Register the actions."""
    async_setup_actions(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: CosyVoiceConfigEntry) -> bool:
    """Set up an account and its voices."""
    loaded = _structure(entry)
    reloading = False

    async def async_updated(hass: HomeAssistant, entry: CosyVoiceConfigEntry) -> None:
        """Reload after a change of structure; otherwise let the entities know."""
        nonlocal reloading
        if reloading:
            return
        if _structure(entry) != loaded:
            reloading = True
            await entry.runtime_data.usage.async_all_recorded(SPEECH_BEFORE_RELOAD)
            if entry.state is ConfigEntryState.LOADED:
                hass.config_entries.async_schedule_reload(entry.entry_id)
            return
        update_voice_issues(hass, entry)
        async_dispatcher_send(hass, settings_signal(entry.entry_id))

    try:
        client = create_client(
            hass,
            entry.data,
            temporary_keys=entry.options.get(CONF_TEMPORARY_KEYS, False),
        )
    except ValueError as err:
        raise ConfigEntryError(
            translation_domain=DOMAIN, translation_key="invalid_url"
        ) from err

    async def async_close(_event: Event) -> None:
        await client.close()

    entry.async_on_unload(client.close)
    entry.async_on_unload(
        hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, async_close)
    )
    voices = VoicesCoordinator(hass, entry, client)
    entry.runtime_data = CosyVoiceData(
        client=client, voices=voices, usage=UsageLedger(hass, entry)
    )
    entry.async_on_unload(entry.add_update_listener(async_updated))
    await _async_check_key(hass, entry, client)
    await voices.async_refresh()
    await entry.runtime_data.usage.async_load()

    dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id,
        entry_type=dr.DeviceEntryType.SERVICE,
        identifiers={(DOMAIN, entry.entry_id)},
        manufacturer=MANUFACTURER,
        name=entry.title,
    )

    @callback
    def voices_read() -> None:
        error = voices.last_exception and voices.last_exception.__cause__
        if isinstance(error, AuthenticationError):
            report_failure(hass, entry, error)
        update_voice_issues(hass, entry)

    entry.async_on_unload(voices.async_add_listener(voices_read))
    update_voice_issues(hass, entry)
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    return True


async def async_unload_entry(hass: HomeAssistant, entry: CosyVoiceConfigEntry) -> bool:
    """Unload an account: its entities, its connections, and at last its books."""
    if unloaded := await hass.config_entries.async_unload_platforms(entry, PLATFORMS):
        await entry.runtime_data.client.close()
        await entry.runtime_data.usage.async_save()
    return unloaded


async def async_remove_entry(hass: HomeAssistant, entry: CosyVoiceConfigEntry) -> None:
    """Delete what an account leaves behind."""
    close_issues(hass, entry)
    await UsageLedger(hass, entry).async_remove()


async def _async_check_key(
    hass: HomeAssistant, entry: CosyVoiceConfigEntry, client: CosyVoiceClient
) -> None:
    try:
        await client.check_key()
    except AuthenticationError as err:
        if region := await async_handle_rejected_key(hass, entry):
            raise ConfigEntryError(
                translation_domain=DOMAIN,
                translation_key="wrong_region",
                translation_placeholders={"region": region},
            ) from err
        raise entry_error(err) from err
    except CosyVoiceError as err:
        report_failure(hass, entry, err)
        raise entry_error(err) from err
    close_issue(hass, entry, "wrong_region")


def _structure(entry: CosyVoiceConfigEntry) -> Any:
    """Return what entities and client are made from: its change needs a reload."""
    return (
        entry.title,
        dict(entry.data),
        {k: v for k, v in entry.options.items() if k != CONF_MONTHLY_BUDGET},
        {
            subentry.subentry_id: (
                subentry.title,
                {k: v for k, v in subentry.data.items() if k not in LIVE_SETTINGS},
            )
            for subentry in entry.subentries.values()
        },
    )
