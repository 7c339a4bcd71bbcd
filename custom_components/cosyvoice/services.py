"""The actions: what was used, and speech into a file."""

from collections.abc import Callable
from datetime import date
from typing import Any

import voluptuous as vol

from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.service import async_get_config_entry
from homeassistant.util.json import JsonObjectType

from .const import DOMAIN
from .coordinator import CosyVoiceConfigEntry
from .speech.recording import SYNTHESIZE_SCHEMA, async_synthesize
from .usage.figures import Row, Totals
from .usage.ledger import UsageLedger

GET_USAGE_SCHEMA = vol.Schema(
    {
        vol.Optional("config_entry_id"): cv.string,
        vol.Optional("period", default="month"): vol.In(("day", "month", "total")),
        vol.Optional("start"): cv.date,
        vol.Optional("end"): cv.date,
    }
)


@callback
def async_setup_actions(hass: HomeAssistant) -> None:
    """Register the actions, whether or not an account is loaded."""
    hass.services.async_register(
        DOMAIN,
        "get_usage",
        _async_get_usage,
        GET_USAGE_SCHEMA,
        SupportsResponse.ONLY,
    )
    hass.services.async_register(
        DOMAIN,
        "synthesize",
        async_synthesize,
        SYNTHESIZE_SCHEMA,
        SupportsResponse.OPTIONAL,
    )


async def _async_get_usage(call: ServiceCall) -> ServiceResponse:
    """Return what an account used in a period, by model and by voice.

    Raises:
        ServiceValidationError: No such account is loaded, or the period ends before
            it starts.
    """
    entry = _account(call)
    ledger = entry.runtime_data.usage
    first, last = _period(call.data, ledger.figures.day)
    rows = ledger.between(first or date.min, last or date.max)
    return {
        "config_entry_id": entry.entry_id,
        "account": entry.title,
        "start": first.isoformat() if first else None,
        "end": last.isoformat() if last else None,
        **_shown(ledger, rows),
        "by_model": _grouped(ledger, rows, lambda row: row.model),
        "by_voice": _grouped(ledger, rows, lambda row: row.voice),
    }


def _account(call: ServiceCall) -> CosyVoiceConfigEntry:
    """Return the account that a call names, or the only one."""
    entry_id = call.data.get("config_entry_id")
    if entry_id is None:
        entries = call.hass.config_entries.async_loaded_entries(DOMAIN)
        if len(entries) != 1:
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="choose_account",
                translation_placeholders={"count": str(len(entries))},
            )
        entry_id = entries[0].entry_id
    return async_get_config_entry(call.hass, DOMAIN, entry_id)


def _period(data: dict[str, Any], today: date) -> tuple[date | None, date | None]:
    """Return the first and the last day that a call asks for; None is open."""
    first, last = data.get("start"), data.get("end")
    if first and last and first > last:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="invalid_period",
            translation_placeholders={"start": str(first), "end": str(last)},
        )
    if first or last or data["period"] == "total":
        return first, last
    return (today if data["period"] == "day" else today.replace(day=1)), today


def _grouped(
    ledger: UsageLedger, rows: dict[Row, Totals], group: Callable[[Row], str]
) -> JsonObjectType:
    return {
        name: _shown(
            ledger, {row: totals for row, totals in rows.items() if group(row) == name}
        )
        for name in sorted({group(row) for row in rows})
    }


def _shown(ledger: UsageLedger, rows: dict[Row, Totals]) -> JsonObjectType:
    totals = ledger.in_account_currency(rows)
    return {
        "characters": totals.characters,
        "estimated": totals.estimated,
        "requests": totals.requests,
        "failures": totals.failures,
        "audio_seconds": float(totals.audio_seconds),
        "cost": float(totals.cost),
        "currency": ledger.currency,
    }
