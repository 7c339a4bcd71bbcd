"""Repair issues: failures that a person can act on.

A cause has at most one issue per account, or per voice. The next successful message or
the next list of voices closes it.
"""

from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from types import MappingProxyType
from typing import NamedTuple

from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.const import CONF_REGION
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .account import async_region_of_rejected_key
from .client import (
    CATALOGUE,
    AuthenticationError,
    CosyVoiceError,
    ThrottledError,
    VoiceError,
)
from .const import CONF_LANGUAGE_VOICES, CONF_VOICE, DEFAULT_VOICE, DOMAIN
from .coordinator import CosyVoiceConfigEntry
from .errors import HANDLING, handling_of
from .localization import localized, pattern_of
from .settings import complete
from .usage.budget import THRESHOLDS

UNUSED_WARNING = timedelta(days=335)
"""Age of the last speech at which a cloned voice is in danger.

The service deletes it after a year. Source: Model Studio's guide to voice cloning.
"""
THROTTLED_FAILURES = 5
THROTTLED_WINDOW = 600.0
"""Rate limiting opens an issue after 5 failures in a row within 600 seconds."""


@callback
def report_failure(
    hass: HomeAssistant, entry: CosyVoiceConfigEntry, error: CosyVoiceError
) -> None:
    """Open the issue or start the flow that fixes the cause of a failure."""
    if isinstance(error, AuthenticationError):
        if not any(entry.async_get_active_flows(hass, {SOURCE_REAUTH})):
            entry.async_create_background_task(
                hass, _async_ask_for_key(hass, entry), f"{DOMAIN} rejected key"
            )
    elif isinstance(error, VoiceError):
        hass.async_create_task(
            entry.runtime_data.voices.async_request_refresh(),
            f"{DOMAIN} voices after an error",
        )
    elif (cause := handling_of(error).issue) and (
        not isinstance(error, ThrottledError) or _throttled_repeatedly(hass, entry)
    ):
        open_issue(hass, entry, cause, {"message": error.message})


@callback
def report_success(hass: HomeAssistant, entry: CosyVoiceConfigEntry) -> None:
    """Close the issues that a successful request disproves."""
    entry.runtime_data.throttled.clear()
    for handling in HANDLING.values():
        if handling.issue:
            close_issue(hass, entry, handling.issue)
    report_valid_key(hass, entry)


@callback
def report_valid_key(hass: HomeAssistant, entry: CosyVoiceConfigEntry) -> None:
    """Withdraw the request for another key or region."""
    close_issue(hass, entry, "wrong_region")
    for flow in list(entry.async_get_active_flows(hass, {SOURCE_REAUTH})):
        hass.config_entries.flow.async_abort(flow["flow_id"])


@callback
def open_issue(
    hass: HomeAssistant,
    entry: CosyVoiceConfigEntry,
    cause: str,
    placeholders: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Open an account's issue for a cause, or leave it open.

    Causes: ``arrears``, ``budget_80``, ``budget_100``, both also with ``_money``,
    ``free_quota``, ``model_not_activated``, ``rate_limited``, ``usage_unreadable``
    and ``wrong_region``.
    """
    ir.async_create_issue(
        hass,
        DOMAIN,
        _issue_id(entry, cause),
        data={"entry_id": entry.entry_id, **placeholders},
        is_fixable=cause == "wrong_region",
        learn_more_url=None
        if cause in _WITHOUT_CONSOLE
        else CATALOGUE.regions[entry.data[CONF_REGION]].console_url,
        severity=ir.IssueSeverity.ERROR
        if cause in _SEVERE
        else ir.IssueSeverity.WARNING,
        translation_key=cause,
        translation_placeholders={"account": entry.title, **placeholders},
    )


@callback
def close_issue(hass: HomeAssistant, entry: CosyVoiceConfigEntry, cause: str) -> None:
    """Close an account's issue for a cause if it is open."""
    ir.async_delete_issue(hass, DOMAIN, _issue_id(entry, cause))


@callback
def close_issues(hass: HomeAssistant, entry: CosyVoiceConfigEntry) -> None:
    """Close all of an account's issues."""
    for issue_id in _open_issue_ids(hass, entry):
        ir.async_delete_issue(hass, DOMAIN, issue_id)


@callback
def update_budget_issues(hass: HomeAssistant, entry: CosyVoiceConfigEntry) -> None:
    """Open the issue of the highest threshold that the budget has reached."""
    usage = entry.runtime_data.usage
    budget = usage.budget
    reached = budget.reached(usage.figures)
    for percent in THRESHOLDS:
        for cause, is_money in (
            (f"budget_{percent}", False),
            (f"budget_{percent}_money", True),
        ):
            if reached[-1:] == [percent] and is_money == budget.is_money:
                shown = localized(budget.shown, pattern_of(hass))
                open_issue(hass, entry, cause, {"budget": shown})
            else:
                close_issue(hass, entry, cause)


@callback
def update_voice_issues(hass: HomeAssistant, entry: CosyVoiceConfigEntry) -> None:
    """Open an issue per configured voice that cannot speak.

    Close the others.
    """
    known = entry.runtime_data.voices
    issues = {}
    for subentry_id, subentry in entry.subentries.items():
        settings = complete(subentry.data)
        voices = {settings[CONF_VOICE], *settings[CONF_LANGUAGE_VOICES].values()}
        for voice in voices:
            if cause := known.problem(voice):
                issues[_issue_id(entry, cause, subentry_id, _digest(voice))] = _Issue(
                    cause,
                    {
                        "name": subentry.title,
                        "voice": known.name_of(voice),
                        "default": DEFAULT_VOICE,
                    },
                    {
                        "entry_id": entry.entry_id,
                        "subentry_id": subentry_id,
                        "voice": voice,
                    },
                )
    _update(hass, entry, "voice_", issues)


@callback
def update_unused_issues(hass: HomeAssistant, entry: CosyVoiceConfigEntry) -> None:
    """Open an issue per cloned voice that the service will soon delete.

    Close the others. Only voices that have a name or are configured here count.
    """
    runtime = entry.runtime_data
    today = runtime.usage.figures.day
    first = today - UNUSED_WARNING
    old = [
        voice
        for voice in runtime.voices.ready
        if voice.changed
        and voice.changed < first
        and (voice.name or _is_configured(entry, voice.id))
    ]
    spoken = {
        row.voice
        for row, totals in (runtime.usage.between(first, today) if old else {}).items()
        if totals.requests > totals.failures
    }
    issues = {
        _issue_id(entry, "unused_voice", _digest(voice.id)): _Issue(
            "unused_voice", {"name": voice.name or voice.id, "account": entry.title}
        )
        for voice in old
        if voice.id not in spoken
    }
    _update(hass, entry, "unused_voice_", issues)


@callback
def update_fallback_issues(
    hass: HomeAssistant, entry: CosyVoiceConfigEntry, missing: Mapping[str, str]
) -> None:
    """Open an issue per voice whose fallback engine is missing.

    Close the others.

    Args:
        hass: Home Assistant.
        entry: The account.
        missing: The missing engine by the id of the voice's subentry.
    """
    issues = {
        _issue_id(entry, "fallback_gone", subentry_id, engine): _Issue(
            "fallback_gone",
            {"name": entry.subentries[subentry_id].title, "engine": engine},
        )
        for subentry_id, engine in missing.items()
    }
    _update(hass, entry, "fallback_gone_", issues)


async def async_handle_rejected_key(
    hass: HomeAssistant, entry: CosyVoiceConfigEntry
) -> str | None:
    """Open the issue and return the region if the key is valid in the other one."""
    region = await async_region_of_rejected_key(hass, entry.data)
    if region:
        open_issue(hass, entry, "wrong_region", {"region": region})
    return region


_SEVERE = {"arrears", "wrong_region"}
_WITHOUT_CONSOLE = {
    *("budget_80", "budget_80_money", "budget_100", "budget_100_money"),
    "usage_unreadable",
}


async def _async_ask_for_key(hass: HomeAssistant, entry: CosyVoiceConfigEntry) -> None:
    if not await async_handle_rejected_key(hass, entry):
        entry.async_start_reauth(hass)


def _throttled_repeatedly(hass: HomeAssistant, entry: CosyVoiceConfigEntry) -> bool:
    throttled = entry.runtime_data.throttled
    now = hass.loop.time()
    throttled.append(now)
    while throttled[0] < now - THROTTLED_WINDOW:
        throttled.popleft()
    return len(throttled) >= THROTTLED_FAILURES


def _digest(voice: str) -> str:
    """Return a digest of a voice for the id of an issue, which diagnostics show.

    A cloned voice's id may be a person's choice.
    """
    return sha256(voice.encode()).hexdigest()[:12]


def _is_configured(entry: CosyVoiceConfigEntry, voice: str) -> bool:
    """Return whether a voice of the account speaks with it by default."""
    return any(
        complete(subentry.data)[CONF_VOICE] == voice
        for subentry in entry.subentries.values()
    )


def _issue_id(entry: CosyVoiceConfigEntry, cause: str, *details: str) -> str:
    return "_".join((cause, entry.entry_id, *details))


class _Issue(NamedTuple):
    """An issue of one voice.

    Attributes:
        cause: Its translation key.
        placeholders: The placeholders of its texts.
        data: What the flow that fixes it needs, None if there is no such flow.
    """

    cause: str
    placeholders: dict[str, str]
    data: dict[str, str | int | float | None] | None = None


@callback
def _update(
    hass: HomeAssistant,
    entry: CosyVoiceConfigEntry,
    prefix: str,
    issues: Mapping[str, _Issue],
) -> None:
    """Open issues by id, and close the others of an account with an id's prefix."""
    for issue_id in _open_issue_ids(hass, entry):
        if issue_id.startswith(prefix) and issue_id not in issues:
            ir.async_delete_issue(hass, DOMAIN, issue_id)
    for issue_id, issue in issues.items():
        ir.async_create_issue(
            hass,
            DOMAIN,
            issue_id,
            data=issue.data,
            is_fixable=issue.data is not None,
            severity=ir.IssueSeverity.WARNING,
            translation_key=issue.cause,
            translation_placeholders=issue.placeholders,
        )


def _open_issue_ids(hass: HomeAssistant, entry: CosyVoiceConfigEntry) -> list[str]:
    return [
        issue.issue_id
        for issue in ir.async_get(hass).issues.values()
        if issue.domain == DOMAIN and entry.entry_id in issue.issue_id
    ]
