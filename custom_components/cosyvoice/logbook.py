"""What the logbook says about the budget."""

from collections.abc import Callable

from homeassistant.components.logbook.const import (
    LOGBOOK_ENTRY_MESSAGE,
    LOGBOOK_ENTRY_NAME,
)
from homeassistant.components.logbook.models import LazyEventPartialState
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.translation import async_get_cached_translations

from .const import DOMAIN
from .usage.budget import EVENT_BUDGET, shown_amount


@callback
def async_describe_events(
    hass: HomeAssistant,
    async_describe_event: Callable[
        [str, str, Callable[[LazyEventPartialState], dict[str, str]]], None
    ],
) -> None:
    """Describe the budget event, in Home Assistant's language."""

    @callback
    def describe(event: LazyEventPartialState) -> dict[str, str]:
        data = event.data
        texts = async_get_cached_translations(
            hass, hass.config.language, "common", DOMAIN
        )
        return {
            LOGBOOK_ENTRY_NAME: data["account"],
            LOGBOOK_ENTRY_MESSAGE: texts[
                f"component.{DOMAIN}.common.budget_event"
            ].format(
                percent=data["percent"],
                used=shown_amount(data["used"], data["unit"]),
                budget=shown_amount(data["budget"], data["unit"]),
            ),
        }

    async_describe_event(DOMAIN, EVENT_BUDGET, describe)
