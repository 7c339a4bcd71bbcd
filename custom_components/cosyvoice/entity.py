"""Base classes of the entities of accounts and voices."""

from collections.abc import Callable, Iterable
from typing import Any, override

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import CONF_REGION, Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import slugify

from .client import CATALOGUE
from .const import AUTO, CONF_MODEL, CONF_VOICE, DOMAIN, MANUFACTURER, settings_signal
from .coordinator import CosyVoiceConfigEntry
from .settings import complete
from .voices.names import romanized, unique_names


class CosyVoiceEntity(Entity):
    """An entity on the device of an account.

    New entities have the same entity ids in every language.

    Attributes:
        domain: The platform of the entity.
    """

    _attr_has_entity_name = True
    _attr_should_poll = False
    domain: Platform

    def __init__(
        self, entry: CosyVoiceConfigEntry, description: EntityDescription
    ) -> None:
        """Put the entity on the account's device."""
        self.entry = entry
        self.entity_description = description
        self._attr_unique_id = f"{entry.entry_id}_{description.key}"
        self._attr_device_info = _device(entry.entry_id)
        self._suggest_id(entry.title)

    def _suggest_id(self, device: str) -> None:
        object_id = slugify(f"{device} {self.entity_description.key}")
        self.entity_id = f"{self.domain}.{object_id}"

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the account's settings."""
        await super().async_added_to_hass()
        self.async_on_remove(
            async_dispatcher_connect(
                self.hass,
                settings_signal(self.entry.entry_id),
                self.async_write_ha_state,
            )
        )

    @callback
    def async_entity_id_changed(self, old_entity_id: str) -> None:
        """Do nothing, as nothing depends on the entity id.

        Home Assistant 2026.11 would otherwise remove and add the entity again.
        """


class VoiceEntity(CosyVoiceEntity):
    """An entity on the device of a voice.

    The voice's settings are stored in its subentry, which entities show and change.
    """

    def __init__(
        self,
        entry: CosyVoiceConfigEntry,
        subentry: ConfigSubentry,
        description: EntityDescription,
    ) -> None:
        """Put the entity on the voice's device."""
        super().__init__(entry, description)
        self.subentry = subentry
        self._attr_unique_id = f"{subentry.subentry_id}_{description.key}"
        self._attr_device_info = _device(subentry.subentry_id)
        self._suggest_id(romanized(subentry.title))

    @property
    def settings(self) -> dict[str, Any]:
        """Return all settings of the voice."""
        return complete(self.subentry.data)

    @property
    def voice_names(self) -> dict[str, str]:
        """Return the names of all voices by id, the same in every language."""
        runtime = self.entry.runtime_data
        system = [voice.id for voice in CATALOGUE.voices_in(runtime.client.region)]
        chosen = self.settings[CONF_VOICE]
        return unique_names(
            (*runtime.voices.data, *system, chosen), runtime.voices.names
        )

    @callback
    def change(self, **settings: Any) -> None:
        """Store settings of the voice, which apply to the next message."""
        self.hass.config_entries.async_update_subentry(
            self.entry, self.subentry, data={**self.subentry.data, **settings}
        )

    @override
    async def async_added_to_hass(self) -> None:
        """Also follow the account's list of cloned voices."""
        await super().async_added_to_hass()
        self.async_on_remove(
            self.entry.runtime_data.voices.async_add_listener(self.async_write_ha_state)
        )

    @callback
    def async_entity_id_changed(self, old_entity_id: str) -> None:
        """Do nothing, as in `CosyVoiceEntity`.

        Home Assistant requires it of every class that defines `async_added_to_hass`.
        """


@callback
def add_voice_entities(
    hass: HomeAssistant,
    entry: CosyVoiceConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    create: Callable[[ConfigSubentry], Iterable[Entity]],
) -> None:
    """Add a platform's entities of each voice, also of voices added later.

    Args:
        hass: Home Assistant.
        entry: The account.
        async_add_entities: The platform's callback.
        create: Returns the entities of a voice, none if it has no such entity now. It
            is called for a voice again with each change until it returns some.
    """
    known: set[str] = set()

    @callback
    def add() -> None:
        known.intersection_update(entry.subentries)
        for subentry_id, subentry in entry.subentries.items():
            if subentry_id not in known and (entities := list(create(subentry))):
                known.add(subentry_id)
                async_add_entities(entities, config_subentry_id=subentry_id)

    add()
    entry.async_on_unload(
        async_dispatcher_connect(hass, settings_signal(entry.entry_id), add)
    )


@callback
def async_update_devices(hass: HomeAssistant, entry: CosyVoiceConfigEntry) -> None:
    """Create the devices of an account and its voices, or update them."""
    devices = dr.async_get(hass)
    region = entry.data[CONF_REGION]
    account = devices.async_get_or_create(
        config_entry_id=entry.entry_id,
        configuration_url=CATALOGUE.regions[region].console_url,
        entry_type=dr.DeviceEntryType.SERVICE,
        identifiers={(DOMAIN, entry.entry_id)},
        manufacturer=MANUFACTURER,
        model=f"CosyVoice ({region})",
        name=entry.title,
    )
    for subentry in entry.subentries.values():
        device = devices.async_get_or_create(
            config_entry_id=entry.entry_id,
            config_subentry_id=subentry.subentry_id,
            entry_type=dr.DeviceEntryType.SERVICE,
            identifiers={(DOMAIN, subentry.subentry_id)},
            manufacturer=MANUFACTURER,
            model=_model_of(subentry, region),
            name=subentry.title,
        )
        # Not as an argument above, which is deprecated since Home Assistant 2026.8
        devices.async_update_device(device.id, via_device_id=account.id)


def _device(identifier: str) -> dr.DeviceInfo:
    return dr.DeviceInfo(identifiers={(DOMAIN, identifier)})


def _model_of(subentry: ConfigSubentry, region: str) -> str | None:
    """Return the model that a voice speaks with, None if it has none."""
    settings = complete(subentry.data)
    if settings[CONF_MODEL] != AUTO:
        return str(settings[CONF_MODEL])
    return next(iter(CATALOGUE.models_of(settings[CONF_VOICE], region)), None)
