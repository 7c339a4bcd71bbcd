"""Event entity that announces thresholds of the monthly budget."""

from dataclasses import asdict
from typing import override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import CosyVoiceConfigEntry
from .entity import CosyVoiceEntity
from .usage.budget import THRESHOLDS, BudgetNotice

PARALLEL_UPDATES = 0

BUDGET = EventEntityDescription(
    key="budget",
    translation_key="budget",
    event_types=[f"budget_{percent}" for percent in THRESHOLDS],
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: CosyVoiceConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the account's event entity."""
    async_add_entities([BudgetEvent(entry, BUDGET)])


class BudgetEvent(CosyVoiceEntity, EventEntity):
    """Triggers once a month for each threshold, and again for a changed budget.

    Its attributes are those of `BudgetNotice`.
    """

    domain = Platform.EVENT

    @override
    async def async_added_to_hass(self) -> None:
        """Subscribe to the ledger."""
        await super().async_added_to_hass()
        self.async_on_remove(
            self.entry.runtime_data.usage.async_add_notice_listener(self._async_trigger)
        )

    @callback
    def async_entity_id_changed(self, old_entity_id: str) -> None:
        """Do nothing: the entity does not depend on its id."""

    @callback
    def _async_trigger(self, notice: BudgetNotice) -> None:
        self._trigger_event(f"budget_{notice.percent}", asdict(notice))
        self.async_write_ha_state()
