"""Selects: the settings of voices that are chosen from lists."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import override

from homeassistant.components.select import SelectEntity, SelectEntityDescription
from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import EntityCategory, Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .client import CATALOGUE, Style
from .const import CONF_MODEL, CONF_STYLE, CONF_VOICE, DOMAIN, NO_STYLE
from .coordinator import CosyVoiceConfigEntry
from .entity import VoiceEntity, add_voice_entities
from .settings import SETTINGS, Setting, complete

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class VoiceSelectDescription(SelectEntityDescription):
    """A setting with a list of values.

    Attributes:
        names_fn: Returns the names of the values by value.
    """

    names_fn: Callable[[VoiceEntity], Mapping[str, str]]


def style_names(entity: VoiceEntity) -> dict[str, str]:
    """Return the styles that the voice's model knows, by key, after ``none``."""
    styles = styles_of(entity.entry, entity.subentry)
    return {key: key for key in (NO_STYLE, *(style.key for style in styles))}


def _description(setting: Setting) -> VoiceSelectDescription:
    names = {choice: str(choice) for choice in setting.choices}
    return VoiceSelectDescription(
        key=setting.key,
        translation_key=setting.key,
        entity_category=EntityCategory.CONFIG,
        names_fn=_NAMES.get(setting.key, lambda _entity: names),
    )


_NAMES: dict[str, Callable[[VoiceEntity], Mapping[str, str]]] = {
    CONF_VOICE: lambda entity: entity.voice_names,
    CONF_STYLE: style_names,
}
SELECTS = {
    key: _description(setting)
    for key, setting in SETTINGS.items()
    if setting.entity is Platform.SELECT
}
STYLE = SELECTS.pop(CONF_STYLE)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: CosyVoiceConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the selects of each voice, that of its styles only if it has any."""
    registry = er.async_get(hass)
    for subentry in entry.subentries.values():
        orphan = registry.async_get_entity_id(
            Platform.SELECT, DOMAIN, f"{subentry.subentry_id}_{STYLE.key}"
        )
        if orphan and not styles_of(entry, subentry):
            registry.async_remove(orphan)
    add_voice_entities(
        hass,
        entry,
        async_add_entities,
        lambda subentry: [
            VoiceSelect(entry, subentry, select) for select in SELECTS.values()
        ],
    )
    add_voice_entities(
        hass,
        entry,
        async_add_entities,
        lambda subentry: (
            [VoiceSelect(entry, subentry, STYLE)] if styles_of(entry, subentry) else []
        ),
    )


class VoiceSelect(VoiceEntity, SelectEntity):
    """A setting of a voice that is chosen from a list."""

    domain = Platform.SELECT

    entity_description: VoiceSelectDescription

    @property
    @override
    def options(self) -> list[str]:
        """Return the names of the values."""
        return list(self._names.values())

    @property
    @override
    def current_option(self) -> str:
        """Return the name of the current value, or the first name."""
        names = self._names
        return names.get(
            self.settings[self.entity_description.key], next(iter(names.values()))
        )

    @override
    async def async_select_option(self, option: str) -> None:
        """Set the value with this name."""
        value = next(value for value, name in self._names.items() if name == option)
        self.change(**{self.entity_description.key: value})

    @property
    def _names(self) -> Mapping[str, str]:
        return self.entity_description.names_fn(self)


def styles_of(
    entry: CosyVoiceConfigEntry, subentry: ConfigSubentry
) -> tuple[Style, ...]:
    """Return the styles that a voice can take with the model it speaks with."""
    settings = complete(subentry.data)
    if (voice := CATALOGUE.voice(settings[CONF_VOICE])) is None:
        return ()
    models = CATALOGUE.models_of(voice.id, entry.runtime_data.client.region)
    model = settings[CONF_MODEL]
    return voice.styles_with(model if model in models else next(iter(models), ""))
