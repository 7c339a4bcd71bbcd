"""What a voice sounds like, chosen from lists."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import override

from homeassistant.components.select import SelectEntity, SelectEntityDescription
from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .client import CATALOGUE, Style
from .const import (
    AUTO,
    CONF_FORMAT,
    CONF_MODEL,
    CONF_STYLE,
    CONF_VOICE,
    FORMATS,
    NO_STYLE,
)
from .coordinator import CosyVoiceConfigEntry
from .entity import VoiceEntity, add_voice_entities
from .voices.names import in_chinese

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class VoiceSelectDescription(SelectEntityDescription):
    """A setting with a list of values; its key is the setting's name.

    Attributes:
        names_fn: Returns the names of the values, by value.
    """

    names_fn: Callable[[VoiceEntity], Mapping[str, str]]


def style_names(entity: VoiceEntity) -> dict[str, str]:
    """Return the styles that the voice's model knows, by key, after ``none``."""
    chinese = in_chinese(entity.hass)
    return {NO_STYLE: NO_STYLE} | {
        style.key: style.name_zh if chinese else style.name
        for style in styles_of(entity.entry, entity.subentry)
    }


SELECTS = (
    VoiceSelectDescription(
        key=CONF_VOICE,
        translation_key=CONF_VOICE,
        entity_category=EntityCategory.CONFIG,
        names_fn=lambda entity: entity.voice_names,
    ),
    VoiceSelectDescription(
        key=CONF_FORMAT,
        translation_key=CONF_FORMAT,
        entity_category=EntityCategory.CONFIG,
        names_fn=lambda entity: dict(zip(FORMATS, FORMATS, strict=True)),
    ),
)
STYLE = VoiceSelectDescription(
    key=CONF_STYLE,
    translation_key=CONF_STYLE,
    entity_category=EntityCategory.CONFIG,
    names_fn=style_names,
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: CosyVoiceConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the lists of each voice, that of its styles only if it has any."""
    add_voice_entities(
        hass,
        entry,
        async_add_entities,
        lambda subentry: [VoiceSelect(entry, subentry, select) for select in SELECTS],
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
    """A setting of a voice with a list of values."""

    entity_description: VoiceSelectDescription

    @property
    @override
    def options(self) -> list[str]:
        """The values' names."""
        return list(self._names.values())

    @property
    @override
    def current_option(self) -> str:
        """The name of the value that is set, else the first one."""
        names = self._names
        return names.get(
            self.settings[self.entity_description.key], next(iter(names.values()))
        )

    @override
    async def async_select_option(self, option: str) -> None:
        """Set the value of this name."""
        value = next(value for value, name in self._names.items() if name == option)
        self.change(**{self.entity_description.key: value})

    @property
    def _names(self) -> Mapping[str, str]:
        return self.entity_description.names_fn(self)


def styles_of(
    entry: CosyVoiceConfigEntry, subentry: ConfigSubentry
) -> tuple[Style, ...]:
    """Return the styles that a voice can take with the model it speaks with."""
    if (voice := CATALOGUE.voices.get(subentry.data[CONF_VOICE])) is None:
        return ()
    models = CATALOGUE.models_of(voice.id, entry.runtime_data.client.region)
    model = subentry.data.get(CONF_MODEL, AUTO)
    return voice.styles_with(model if model in models else next(iter(models), ""))
