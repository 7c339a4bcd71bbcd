"""Sensors for usage, cost and speed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import EntityCategory, Platform, UnitOfTime
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import CosyVoiceConfigEntry
from .entity import CosyVoiceEntity, VoiceEntity, add_voice_entities
from .usage.ledger import UsageLedger

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class UsageSensorDescription(SensorEntityDescription):
    """Describe a sensor that shows a figure of the ledger.

    Attributes:
        value_fn: Returns the figure.
        period: "day" or "month" if the total resets, otherwise None.
    """

    value_fn: Callable[[UsageLedger], float | None]
    period: Literal["day", "month"] | None = None


async def async_setup_entry(
    hass: HomeAssistant,
    entry: CosyVoiceConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the account's sensors, and one for each voice."""
    async_add_entities(UsageSensor(entry, description) for description in SENSORS)
    add_voice_entities(
        hass,
        entry,
        async_add_entities,
        lambda subentry: [VoiceCharactersSensor(entry, subentry)],
    )


class LedgerSensor(SensorEntity):
    """A sensor that follows the ledger."""

    domain = Platform.SENSOR

    entry: CosyVoiceConfigEntry

    @override
    async def async_added_to_hass(self) -> None:
        """Subscribe to the ledger."""
        await super().async_added_to_hass()
        self.async_on_remove(
            self.entry.runtime_data.usage.async_add_listener(self.async_write_ha_state)
        )

    @callback
    def async_entity_id_changed(self, old_entity_id: str) -> None:
        """Do nothing: the entity does not depend on its id."""


class UsageSensor(LedgerSensor, CosyVoiceEntity):
    """A figure of the account."""

    entity_description: UsageSensorDescription

    def __init__(
        self, entry: CosyVoiceConfigEntry, description: UsageSensorDescription
    ) -> None:
        """Set the account's currency as the unit of money."""
        super().__init__(entry, description)
        if description.device_class is SensorDeviceClass.MONETARY:
            self._attr_native_unit_of_measurement = entry.runtime_data.usage.currency

    @property
    @override
    def native_value(self) -> float | None:
        """Return the current figure."""
        return self.entity_description.value_fn(self.entry.runtime_data.usage)

    @property
    @override
    def last_reset(self) -> datetime | None:
        """Return when the current day or month began, in the zone of that time."""
        if (period := self.entity_description.period) is None:
            return None
        return self.entry.runtime_data.usage.period_start(period)


class VoiceCharactersSensor(LedgerSensor, VoiceEntity):
    """Billed characters of one voice."""

    def __init__(self, entry: CosyVoiceConfigEntry, subentry: ConfigSubentry) -> None:
        """Set the description."""
        super().__init__(entry, subentry, VOICE_CHARACTERS)

    @property
    @override
    def native_value(self) -> int:
        """Return the characters billed since the account was added."""
        usage = self.entry.runtime_data.usage
        return usage.characters_of(self.subentry.subentry_id)


def _last(ledger: UsageLedger, name: str) -> float | None:
    """Return a figure of the last utterance that has one."""
    values = (getattr(record, name) for record in reversed(ledger.recent))
    return next((value for value in values if value is not None), None)


def _latency_ms(ledger: UsageLedger) -> float | None:
    seconds = _last(ledger, "first_packet_latency")
    return None if seconds is None else round(seconds * 1000, 1)


def _real_time_factor(ledger: UsageLedger) -> float | None:
    factor = _last(ledger, "real_time_factor")
    return None if factor is None else round(factor, 3)


# The units of counts are in the translations.
SENSORS = (
    UsageSensorDescription(
        key="characters",
        translation_key="characters",
        state_class=SensorStateClass.TOTAL_INCREASING,
        value_fn=lambda ledger: ledger.figures.total.characters,
    ),
    UsageSensorDescription(
        key="tokens",
        translation_key="tokens",
        entity_registry_enabled_default=False,
        state_class=SensorStateClass.TOTAL_INCREASING,
        value_fn=lambda ledger: ledger.figures.total.tokens,
    ),
    UsageSensorDescription(
        key="characters_today",
        translation_key="characters_today",
        state_class=SensorStateClass.TOTAL,
        period="day",
        value_fn=lambda ledger: ledger.figures.today.characters,
    ),
    UsageSensorDescription(
        key="characters_month",
        translation_key="characters_month",
        state_class=SensorStateClass.TOTAL,
        period="month",
        value_fn=lambda ledger: ledger.figures.month.characters,
    ),
    UsageSensorDescription(
        key="cost",
        translation_key="cost",
        device_class=SensorDeviceClass.MONETARY,
        state_class=SensorStateClass.TOTAL,
        suggested_display_precision=3,
        value_fn=lambda ledger: float(ledger.figures.total.cost),
    ),
    UsageSensorDescription(
        key="cost_today",
        translation_key="cost_today",
        device_class=SensorDeviceClass.MONETARY,
        state_class=SensorStateClass.TOTAL,
        suggested_display_precision=3,
        period="day",
        value_fn=lambda ledger: float(ledger.figures.today.cost),
    ),
    UsageSensorDescription(
        key="cost_month",
        translation_key="cost_month",
        device_class=SensorDeviceClass.MONETARY,
        state_class=SensorStateClass.TOTAL,
        suggested_display_precision=3,
        period="month",
        value_fn=lambda ledger: float(ledger.figures.month.cost),
    ),
    UsageSensorDescription(
        key="requests",
        translation_key="requests",
        entity_category=EntityCategory.DIAGNOSTIC,
        state_class=SensorStateClass.TOTAL_INCREASING,
        value_fn=lambda ledger: ledger.figures.total.requests,
    ),
    UsageSensorDescription(
        key="failures",
        translation_key="failures",
        entity_category=EntityCategory.DIAGNOSTIC,
        state_class=SensorStateClass.TOTAL_INCREASING,
        value_fn=lambda ledger: ledger.figures.total.failures,
    ),
    UsageSensorDescription(
        key="fallbacks",
        translation_key="fallbacks",
        entity_category=EntityCategory.DIAGNOSTIC,
        state_class=SensorStateClass.TOTAL_INCREASING,
        value_fn=lambda ledger: ledger.fallbacks,
    ),
    UsageSensorDescription(
        key="estimated_characters",
        translation_key="estimated_characters",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        state_class=SensorStateClass.TOTAL_INCREASING,
        value_fn=lambda ledger: ledger.figures.total.estimated,
    ),
    UsageSensorDescription(
        key="first_packet_latency",
        translation_key="first_packet_latency",
        device_class=SensorDeviceClass.DURATION,
        entity_category=EntityCategory.DIAGNOSTIC,
        native_unit_of_measurement=UnitOfTime.MILLISECONDS,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=0,
        value_fn=_latency_ms,
    ),
    UsageSensorDescription(
        key="real_time_factor",
        translation_key="real_time_factor",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=2,
        value_fn=_real_time_factor,
    ),
)
VOICE_CHARACTERS = SensorEntityDescription(
    key="characters",
    translation_key="voice_characters",
    entity_registry_enabled_default=False,
    state_class=SensorStateClass.TOTAL_INCREASING,
)
