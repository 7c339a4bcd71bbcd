"""Numbers: the settings of voices and the budgets of accounts."""

from typing import override

from homeassistant.components.number import (
    NumberDeviceClass,
    NumberEntity,
    NumberEntityDescription,
    NumberMode,
)
from homeassistant.const import EntityCategory, Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import CONF_MONTHLY_BUDGET
from .coordinator import CosyVoiceConfigEntry
from .entity import CosyVoiceEntity, VoiceEntity, add_voice_entities
from .settings import SETTINGS

PARALLEL_UPDATES = 0

VOICE_NUMBERS = tuple(
    NumberEntityDescription(
        key=setting.key,
        translation_key=setting.key,
        entity_category=EntityCategory.CONFIG,
        native_min_value=setting.range[0],
        native_max_value=setting.range[1],
        native_step=setting.step,
        native_unit_of_measurement=setting.unit,
        mode=NumberMode.SLIDER,
    )
    for setting in SETTINGS.values()
    if setting.entity is Platform.NUMBER
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
    """A setting of a voice that is a number."""

    domain = Platform.NUMBER

    @property
    @override
    def native_value(self) -> float:
        """Return the current value."""
        value: float = self.settings[self.entity_description.key]
        return value

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Set the value."""
        key = self.entity_description.key
        self.change(**{key: SETTINGS[key].stored(value)})


class MonthlyBudget(CosyVoiceEntity, NumberEntity):
    """The account's budget for a calendar month, 0 if there is none."""

    domain = Platform.NUMBER

    @property
    @override
    def native_value(self) -> float:
        """Return the budget, without decimals if it is whole."""
        amount = float(self.entry.runtime_data.usage.budget.amount)
        return int(amount) if amount.is_integer() else amount

    @property
    @override
    def device_class(self) -> NumberDeviceClass | None:
        """Return the class of money if the budget is money."""
        is_money = self.entry.runtime_data.usage.budget.is_money
        return NumberDeviceClass.MONETARY if is_money else None

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
