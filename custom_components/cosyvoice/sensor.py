"""What an account has used, what it cost and how it is doing."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import EntityCategory, UnitOfTime
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from .coordinator import CosyVoiceConfigEntry
from .entity import CosyVoiceEntity, VoiceEntity
from .usage.ledger import UsageLedger

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class UsageSensorDescription(SensorEntityDescription):
    """A figure of the ledger.

    Attributes:
        value: Reads it.
        period: What it starts anew with, if it does.
    """

    value: Callable[[UsageLedger], float | None]
    period: str | None = None


async def async_setup_entry(
    hass: HomeAssistant,
    entry: CosyVoiceConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the account's sensors, and one for each voice."""
    async_add_entities(UsageSensor(entry, description) for description in SENSORS)
    for subentry in entry.subentries.values():
        async_add_entities(
            [VoiceCharactersSensor(entry, subentry)],
            config_subentry_id=subentry.subentry_id,
        )


class LedgerSensor(SensorEntity):
    """A sensor that shows what the ledger says, as soon as it says so."""

    entry: CosyVoiceConfigEntry

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the ledger."""
        await super().async_added_to_hass()
        self.async_on_remove(
            self.entry.runtime_data.usage.async_add_listener(self.async_write_ha_state)
        )

    @callback
    def async_entity_id_changed(self, old_entity_id: str) -> None:
        """Stay as it is: nothing here depends on the entity id."""


class UsageSensor(LedgerSensor, CosyVoiceEntity):
    """A figure of the account."""

    entity_description: UsageSensorDescription

    def __init__(
        self, entry: CosyVoiceConfigEntry, description: UsageSensorDescription
    ) -> None:
        """Take the account's currency as the unit of money."""
        super().__init__(entry, description)
        if description.device_class is SensorDeviceClass.MONETARY:
            self._attr_native_unit_of_measurement = entry.runtime_data.usage.currency

    @property
    @override
    def native_value(self) -> float | None:
        """The figure as it is now."""
        return self.entity_description.value(self.entry.runtime_data.usage)

    @property
    @override
    def last_reset(self) -> datetime | None:
        """The beginning of the day or month, in Home Assistant's time zone."""
        day = self.entry.runtime_data.usage.figures.day
        match self.entity_description.period:
            case "day":
                return dt_util.start_of_local_day(day)
            case "month":
                return dt_util.start_of_local_day(day.replace(day=1))
        return None


class VoiceCharactersSensor(LedgerSensor, VoiceEntity):
    """What was billed through one voice."""

    def __init__(self, entry: CosyVoiceConfigEntry, subentry: ConfigSubentry) -> None:
        """Put the sensor on the voice's device."""
        super().__init__(entry, subentry, VOICE_CHARACTERS)

    @property
    @override
    def native_value(self) -> int:
        """The characters billed since the account was added."""
        usage = self.entry.runtime_data.usage
        return usage.characters_of(self.subentry.subentry_id)


def _last(ledger: UsageLedger, name: str) -> float | None:
    """Return a figure of the last utterance that has it."""
    values = (getattr(record, name) for record in reversed(ledger.recent))
    return next((value for value in values if value is not None), None)


def _latency_ms(ledger: UsageLedger) -> float | None:
    seconds = _last(ledger, "first_packet_latency")
    return None if seconds is None else round(seconds * 1000, 1)


def _real_time_factor(ledger: UsageLedger) -> float | None:
    factor = _last(ledger, "real_time_factor")
    return None if factor is None else round(factor, 3)


# The units of the counts are in the translations: a count has no unit of its own.
SENSORS = (
    UsageSensorDescription(
        key="characters",
        translation_key="characters",
        state_class=SensorStateClass.TOTAL_INCREASING,
        value=lambda ledger: ledger.figures.total.characters,
    ),
    UsageSensorDescription(
        key="characters_today",
        translation_key="characters_today",
        state_class=SensorStateClass.TOTAL,
        period="day",
        value=lambda ledger: ledger.figures.today.characters,
    ),
    UsageSensorDescription(
        key="characters_month",
        translation_key="characters_month",
        state_class=SensorStateClass.TOTAL,
        period="month",
        value=lambda ledger: ledger.figures.month.characters,
    ),
    UsageSensorDescription(
        key="cost",
        translation_key="cost",
        device_class=SensorDeviceClass.MONETARY,
        state_class=SensorStateClass.TOTAL,
        suggested_display_precision=3,
        value=lambda ledger: float(ledger.figures.total.cost),
    ),
    UsageSensorDescription(
        key="cost_today",
        translation_key="cost_today",
        device_class=SensorDeviceClass.MONETARY,
        state_class=SensorStateClass.TOTAL,
        suggested_display_precision=3,
        period="day",
        value=lambda ledger: float(ledger.figures.today.cost),
    ),
    UsageSensorDescription(
        key="cost_month",
        translation_key="cost_month",
        device_class=SensorDeviceClass.MONETARY,
        state_class=SensorStateClass.TOTAL,
        suggested_display_precision=3,
        period="month",
        value=lambda ledger: float(ledger.figures.month.cost),
    ),
    UsageSensorDescription(
        key="requests",
        translation_key="requests",
        entity_category=EntityCategory.DIAGNOSTIC,
        state_class=SensorStateClass.TOTAL_INCREASING,
        value=lambda ledger: ledger.figures.total.requests,
    ),
    UsageSensorDescription(
        key="failures",
        translation_key="failures",
        entity_category=EntityCategory.DIAGNOSTIC,
        state_class=SensorStateClass.TOTAL_INCREASING,
        value=lambda ledger: ledger.figures.total.failures,
    ),
    UsageSensorDescription(
        key="fallbacks",
        translation_key="fallbacks",
        entity_category=EntityCategory.DIAGNOSTIC,
        state_class=SensorStateClass.TOTAL_INCREASING,
        value=lambda ledger: ledger.fallbacks,
    ),
    UsageSensorDescription(
        key="estimated_characters",
        translation_key="estimated_characters",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        state_class=SensorStateClass.TOTAL_INCREASING,
        value=lambda ledger: ledger.figures.total.estimated,
    ),
    UsageSensorDescription(
        key="first_packet_latency",
        translation_key="first_packet_latency",
        device_class=SensorDeviceClass.DURATION,
        entity_category=EntityCategory.DIAGNOSTIC,
        native_unit_of_measurement=UnitOfTime.MILLISECONDS,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=0,
        value=_latency_ms,
    ),
    UsageSensorDescription(
        key="real_time_factor",
        translation_key="real_time_factor",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=2,
        value=_real_time_factor,
    ),
)
VOICE_CHARACTERS = SensorEntityDescription(
    key="characters",
    translation_key="voice_characters",
    entity_registry_enabled_default=False,
    state_class=SensorStateClass.TOTAL_INCREASING,
)
