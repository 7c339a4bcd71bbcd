"""Button that reads the account's cloned voices again."""

from typing import override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.const import EntityCategory, Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import CosyVoiceConfigEntry
from .entity import CosyVoiceEntity

PARALLEL_UPDATES = 0

REFRESH_VOICES = ButtonEntityDescription(
    key="refresh_voices",
    translation_key="refresh_voices",
    entity_category=EntityCategory.CONFIG,
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: CosyVoiceConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the account's button."""
    async_add_entities([RefreshVoicesButton(entry, REFRESH_VOICES)])


class RefreshVoicesButton(CosyVoiceEntity, ButtonEntity):
    """Reads the account's cloned voices again."""

    domain = Platform.BUTTON

    @override
    async def async_press(self) -> None:
        """Read the list now.

        Raises:
            HomeAssistantError: The list could not be read.
        """
        voices = self.entry.runtime_data.voices
        await voices.async_refresh()
        if not voices.last_update_success and voices.last_exception:
            raise voices.last_exception
