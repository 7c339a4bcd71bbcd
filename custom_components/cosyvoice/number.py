"""What a voice sounds like, and what it may cost, in numbers."""

from typing import override

from homeassistant.components.number import (
    NumberDeviceClass,
    NumberEntity,
    NumberEntityDescription,
    NumberMode,
)
from homeassistant.const import PERCENTAGE, EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import CONF_MONTHLY_BUDGET, CONF_PITCH_RATE, CONF_SPEECH_RATE, CONF_VOLUME
from .coordinator import CosyVoiceConfigEntry
from .entity import CosyVoiceEntity, VoiceEntity, add_voice_entities
from .usage.budget import CHARACTERS

PARALLEL_UPDATES = 0

# The key of each is the name of the setting
VOICE_NUMBERS = (
    NumberEntityDescription(
        key=CONF_SPEECH_RATE,
        translation_key=CONF_SPEECH_RATE,
        entity_category=EntityCategory.CONFIG,
        native_min_value=0.5,
        native_max_value=2.0,
        native_step=0.05,
        mode=NumberMode.SLIDER,
    ),
    NumberEntityDescription(
        key=CONF_PITCH_RATE,
        translation_key=CONF_PITCH_RATE,
        entity_category=EntityCategory.CONFIG,
        native_min_value=0.5,
        native_max_value=2.0,
        native_step=0.05,
        mode=NumberMode.SLIDER,
    ),
    NumberEntityDescription(
        key=CONF_VOLUME,
        translation_key=CONF_VOLUME,
        entity_category=EntityCategory.CONFIG,
        native_min_value=0,
        native_max_value=100,
        native_step=1,
        native_unit_of_measurement=PERCENTAGE,
        mode=NumberMode.SLIDER,
    ),
)
MONTHLY_BUDGET = NumberEntityDescription(
    key=CONF_MONTHLY_BUDGET,
    translation_key=CONF_MONTHLY_BUDGET,
    entity_category=EntityCategory.CONFIG,
    native_min_value=0,
    native_max_value=1_000_000_000,
    native_step=0.01,
    mode=NumberMode.BOX,
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: CosyVoiceConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the numbers of the account and of each voice."""
    async_add_entities([MonthlyBudget(entry, MONTHLY_BUDGET)])
    add_voice_entities(
        hass,
        entry,
        async_add_entities,
        lambda subentry: [
            VoiceNumber(entry, subentry, number) for number in VOICE_NUMBERS
        ],
    )


class VoiceNumber(VoiceEntity, NumberEntity):
    """A setting of a voice."""

    @property
    @override
    def native_value(self) -> float:
        """The setting."""
        value: float = self.settings[self.entity_description.key]
        return value

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Set it."""
        whole = self.entity_description.native_step == 1
        self.change(
            **{self.entity_description.key: int(value) if whole else round(value, 2)}
        )


class MonthlyBudget(CosyVoiceEntity, NumberEntity):
    """The account's budget for a calendar month; 0 if there is none."""

    @property
    @override
    def native_value(self) -> float:
        """Return the budget."""
        return float(self.entry.runtime_data.usage.budget.amount)

    @property
    @override
    def device_class(self) -> NumberDeviceClass | None:
        """Return the class of money if the budget is money."""
        unit = self.entry.runtime_data.usage.budget.unit
        return None if unit == CHARACTERS else NumberDeviceClass.MONETARY

    @property
    @override
    def native_unit_of_measurement(self) -> str:
        """Return the word for characters, or the account's currency."""
        return self.entry.runtime_data.usage.budget_unit_name

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Set the budget."""
        self.hass.config_entries.async_update_entry(
            self.entry, options={**self.entry.options, CONF_MONTHLY_BUDGET: value}
        )
