"""The actions: usage, voices, their deletion, and speech into a file."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import voluptuous as vol

from homeassistant.auth.permissions.const import POLICY_CONTROL
from homeassistant.const import Platform
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import ServiceValidationError, Unauthorized, UnknownUser
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.service import (
    async_get_config_entry,
    async_register_platform_entity_service,
)
from homeassistant.util.json import JsonObjectType

from .client import CATALOGUE, READY, ClonedVoice, Voice
from .const import DOMAIN
from .coordinator import CosyVoiceConfigEntry
from .errors import translated
from .speech.engines import engine_ids, may_control
from .usage.figures import Row, Totals
from .usage.ledger import UsageLedger
from .voices.kinds import KINDS, kinds_of, origin_of
from .voices.languages import languages_of_clone, tags_of
from .voices.names import in_chinese, unique_names

GET_USAGE_SCHEMA = vol.Schema(
    {
        vol.Optional("config_entry_id"): cv.string,
        vol.Optional("period", default="month"): vol.In(("day", "month", "total")),
        vol.Optional("start"): cv.date,
        vol.Optional("end"): cv.date,
    }
)
LIST_VOICES_SCHEMA = vol.Schema(
    {
        vol.Optional("config_entry_id"): cv.string,
        vol.Optional("language"): cv.string,
        vol.Optional("kind"): vol.In(("system", "cloned", "designed", *KINDS)),
        vol.Optional("model"): cv.string,
    }
)
SYNTHESIZE_SCHEMA = {
    vol.Required("message"): cv.string,
    vol.Optional("language"): cv.string,
    vol.Optional("options", default=dict): dict,
    vol.Optional("filename"): cv.string,
    vol.Optional("word_timestamps", default=False): cv.boolean,
    vol.Optional("subtitles", default=False): cv.boolean,
}
DELETE_VOICE_SCHEMA = vol.Schema(
    {
        vol.Optional("config_entry_id"): cv.string,
        vol.Required("voice_id"): cv.string,
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
        "list_voices",
        _async_list_voices,
        LIST_VOICES_SCHEMA,
        SupportsResponse.ONLY,
    )
    hass.services.async_register(
        DOMAIN, "delete_voice", _async_delete_voice, DELETE_VOICE_SCHEMA
    )
    async_register_platform_entity_service(
        hass,
        DOMAIN,
        "synthesize",
        entity_domain=Platform.TTS,
        schema=SYNTHESIZE_SCHEMA,
        func="async_synthesize",
        supports_response=SupportsResponse.OPTIONAL,
    )


async def _async_get_usage(call: ServiceCall) -> ServiceResponse:
    """Return the usage of an account in a period, by model and by voice.

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


async def _async_list_voices(call: ServiceCall) -> ServiceResponse:
    """Return the voices of an account that match the filters of a call.

    Raises:
        ServiceValidationError: No such account is loaded.
    """
    runtime, chinese = _account(call).runtime_data, in_chinese(call.hass)
    await runtime.voices.async_read_once()
    voices = [
        *(_clone_shown(clone) for clone in runtime.voices.data.values()),
        *(
            _voice_shown(voice, chinese=chinese)
            for voice in CATALOGUE.voices_in(runtime.client.region)
        ),
    ]
    names = unique_names((voice["voice_id"] for voice in voices), runtime.voices.names)
    return {
        "voices": [
            {**voice, "name": names[voice["voice_id"]]}
            for voice in voices
            if _passes(voice, call.data)
        ]
    }


async def _async_delete_voice(call: ServiceCall) -> None:
    """Delete a cloned or designed voice of an account for good.

    Raises:
        ServiceValidationError: No such account is loaded, or it has no such voice.
        Unauthorized: The user may not control the account's engines.
        HomeAssistantError: The service did not delete it.
    """
    entry = _account(call)
    await _async_check_control(call, entry)
    voices, voice_id = entry.runtime_data.voices, call.data["voice_id"]
    if voice_id not in voices.data:
        await voices.async_refresh()
    if voice_id not in voices.data:
        if not voices.last_update_success and voices.last_exception:
            raise voices.last_exception
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="no_custom_voice",
            translation_placeholders={"voice": voice_id, "account": entry.title},
        )
    with translated():
        await voices.async_delete(voice_id)


async def _async_check_control(call: ServiceCall, entry: CosyVoiceConfigEntry) -> None:
    """Check the right to control engines, as before they speak.

    Raises:
        Unauthorized: The user may not control each engine of the account.
    """
    if call.context.user_id is None:
        return
    user = await call.hass.auth.async_get_user(call.context.user_id)
    if user is None:
        raise UnknownUser(context=call.context)
    engines = engine_ids(call.hass, entry)
    is_allowed = engines and all(may_control(user, engine) for engine in engines)
    if not is_allowed and not user.is_admin:
        raise Unauthorized(context=call.context, permission=POLICY_CONTROL)


def _voice_shown(voice: Voice, *, chinese: bool) -> dict[str, Any]:
    return {
        "voice_id": voice.id,
        "description": voice.description_zh if chinese else voice.description,
        "kind": "system",
        "kinds": _kinds(voice.id),
        "gender": voice.gender,
        "languages": list(voice.languages),
        "dialect": voice.dialect,
        "models": list(voice.models),
        "styles": [style.key for style in voice.styles],
        "status": READY,
    }


def _clone_shown(clone: ClonedVoice) -> dict[str, Any]:
    return {
        "voice_id": clone.id,
        "description": "",
        "kind": origin_of(clone),
        "kinds": _kinds(clone.id),
        "gender": None,
        "languages": list(languages_of_clone(clone.id)),
        "dialect": None,
        "models": [clone.model] if clone.model else [],
        "styles": [],
        "status": clone.status,
    }


def _passes(voice: Mapping[str, Any], filters: Mapping[str, Any]) -> bool:
    """Return whether a voice of the answer passes the filters of a call."""
    kind, language, model = map(filters.get, ("kind", "language", "model"))
    return (
        (kind is None or kind in {voice["kind"], *voice["kinds"]})
        and (language is None or language in tags_of(voice["voice_id"]))
        and (model is None or model in voice["models"])
    )


def _kinds(voice_id: str) -> list[str]:
    found = kinds_of(voice_id)
    return [kind for kind in KINDS if kind in found]


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
    """Return the first and the last day that a call asks for.

    None is open.
    """
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
        "tokens": totals.tokens,
        "input_tokens": totals.input_tokens,
        "output_tokens": totals.output_tokens,
        "estimated": totals.estimated,
        "requests": totals.requests,
        "failures": totals.failures,
        "audio_seconds": float(totals.audio_seconds),
        "cost": float(totals.cost),
        "currency": ledger.currency,
    }
