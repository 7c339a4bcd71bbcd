"""Accounts whose stored data are damaged, or of another release."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    get_system_health_info,
)
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
import voluptuous as vol

from custom_components.cosyvoice.const import CONF_VOICE_NAMES, DEFAULT_OPTIONS, DOMAIN
from homeassistant.components.media_source import async_browse_media
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, section
from homeassistant.exceptions import ServiceValidationError
from homeassistant.setup import async_setup_component
from tests.emulator import Emulator

from .conftest import API_KEY, CLONE, SUBENTRY_ID, voice_subentry
from .flows import account, start_voice, submit_account, submit_voice
from .speaking import speak
from .test_config_flow import suggested

DAMAGED = [
    pytest.param({"region": "eu-central-1"}, "unknown_region", id="unknown region"),
    pytest.param({"region": ["cn-beijing"]}, "unknown_region", id="list of regions"),
    pytest.param({"region": None}, "unknown_region", id="no region"),
    pytest.param({"base_url": 8765}, "invalid_url", id="port as address"),
    pytest.param({"base_url": None}, "invalid_url", id="null as address"),
    pytest.param({"workspace_id": 7}, "invalid_url", id="number as workspace"),
    pytest.param({"api_key": 4711}, "no_api_key", id="number as key"),
    pytest.param({"api_key": None}, "no_api_key", id="null as key"),
]


async def damage(hass: HomeAssistant, entry: MockConfigEntry, **data: Any) -> None:
    """Set an account up with other data; a data of None in the end is missing."""
    hass.config_entries.async_update_entry(entry, data={**entry.data, **data})
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)


def as_a_browser_sends(schema: vol.Schema) -> dict[str, Any]:
    """Return the values that a form shows, those of its sections included."""
    sent: dict[str, Any] = {}
    for field, selector in schema.schema.items():
        shown = (field.description or {}).get("suggested_value")
        if isinstance(selector, section):
            sent[str(field)] = as_a_browser_sends(selector.schema)
        elif shown is not None:
            sent[str(field)] = shown
        elif field.default is not vol.UNDEFINED:
            sent[str(field)] = field.default()
    return sent


@pytest.mark.parametrize(("data", "reason"), DAMAGED)
async def test_set_up_fails_in_words_and_reconfiguring_mends_it(
    hass: HomeAssistant,
    emulator: Emulator,
    entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
    data: dict[str, Any],
    reason: str,
) -> None:
    await damage(hass, entry, **data)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert entry.error_reason_translation_key == reason
    asks_for_key = any(entry.async_get_active_flows(hass, {SOURCE_REAUTH}))
    assert asks_for_key == (reason == "no_api_key")
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert result["description_placeholders"] == {"currency": "CNY"}
    result = await entry.start_reconfigure_flow(hass)
    region = result["data_schema"]({"api_key": API_KEY})["region"]
    assert suggested(result, "region") in {region, None}
    assert region == "cn-beijing"
    result = await submit_account(hass, result, account(emulator))
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done(wait_background_tasks=True)
    assert entry.state is ConfigEntryState.LOADED
    assert await speak(hass, "你好。")
    assert "KeyError" not in caplog.text
    assert "TypeError" not in caplog.text


async def test_a_missing_key_is_asked_for(
    hass: HomeAssistant, emulator: Emulator, entry: MockConfigEntry
) -> None:
    """Reconfiguring without a key says that it is rejected."""
    data = {name: value for name, value in entry.data.items() if name != "api_key"}
    hass.config_entries.async_update_entry(entry, data=data)
    assert not await hass.config_entries.async_setup(entry.entry_id)
    result = await entry.start_reconfigure_flow(hass)
    result = await submit_account(hass, result, {"region": "cn-beijing"})
    assert result["errors"] == {"base": "invalid_auth"}
    (flow,) = entry.async_get_active_flows(hass, {SOURCE_REAUTH})
    result = await submit_account(hass, flow, {"api_key": API_KEY})
    assert result["reason"] == "reauth_successful"
    await hass.async_block_till_done(wait_background_tasks=True)
    assert entry.state is ConfigEntryState.LOADED
    assert entry.data["base_url"] == emulator.url


@pytest.mark.parametrize("region", ["eu-central-1", ["cn-beijing"], None])
async def test_an_unknown_region_breaks_nothing_else(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    entry: MockConfigEntry,
    region: object,
) -> None:
    """System health, diagnostics, actions and the gallery work, and so does removing."""
    await damage(hass, entry, region=region)
    for component in ("system_health", "media_source", "diagnostics"):
        assert await async_setup_component(hass, component, {})
    await hass.async_block_till_done()
    info = await get_system_health_info(hass, DOMAIN)
    assert info["regions"] == str(region)
    assert await info["can_reach_server"] == {"type": "failed", "error": "unreachable"}
    shown = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    assert shown["account"]["region"] == region
    for action in ("get_usage", "list_voices"):
        with pytest.raises(ServiceValidationError):
            await hass.services.async_call(
                DOMAIN, action, blocking=True, return_response=True
            )
    shelf = await async_browse_media(hass, f"media-source://{DOMAIN}")
    assert shelf.children == []
    await hass.config_entries.async_remove(entry.entry_id)
    assert not hass.config_entries.async_entries(DOMAIN)


async def test_a_money_budget_survives_an_unknown_region(
    hass: HomeAssistant, emulator: Emulator, entry: MockConfigEntry
) -> None:
    """Its currency is not known, so that none is lost."""
    options = DEFAULT_OPTIONS | {"budget_unit": "money", "monthly_budget": 5.0}
    hass.config_entries.async_update_entry(entry, options=options)
    await damage(hass, entry, region="eu-central-1")
    result = await entry.start_reconfigure_flow(hass)
    result = await submit_account(hass, result, account(emulator))
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done(wait_background_tasks=True)
    assert entry.options["monthly_budget"] == 5.0


@pytest.mark.parametrize(
    "options",
    [
        {"keep_ready": ["always"]},
        {"keep_ready": "forever"},
        {"temporary_keys": "yes"},
        {"refuse_over_budget": "yes"},
        {"monthly_budget": "a lot"},
        {"monthly_budget": float("nan")},
        {"monthly_budget": None},
        {"monthly_budget": True},
        {"budget_unit": ["money"]},
        {CONF_VOICE_NAMES: ["Grandma"]},
        {CONF_VOICE_NAMES: {"myhome": 7}},
    ],
)
async def test_damaged_options_count_as_missing(
    hass: HomeAssistant,
    emulator: Emulator,
    entry: MockConfigEntry,
    options: dict[str, Any],
) -> None:
    """The account works, its options can be changed, and its region as well."""
    emulator.config.cloned_voices = {CLONE: "OK"}
    hass.config_entries.async_update_entry(entry, options=entry.options | options)
    await damage(hass, entry)
    assert entry.state is ConfigEntryState.LOADED
    assert entry.runtime_data.voices.names == {}
    assert await speak(hass, "你好。")
    result = await hass.config_entries.options.async_init(entry.entry_id)
    shown = {
        str(field): suggested(result, str(field))
        for field in result["data_schema"].schema
    }
    damaged = {name: DEFAULT_OPTIONS[name] for name in options if name in shown}
    assert damaged.items() <= shown.items()
    result = await hass.config_entries.options.async_configure(result["flow_id"], shown)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    entry.runtime_data.voices.async_set_name("other", "Grandpa")
    assert entry.options[CONF_VOICE_NAMES] == {"other": "Grandpa"}
    result = await entry.start_reconfigure_flow(hass)
    result = await submit_account(
        hass, result, account(emulator, region="ap-southeast-1")
    )
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done(wait_background_tasks=True)


@pytest.mark.parametrize(
    "settings",
    [
        {"voice": None},
        {"voice": 7},
        {"voice": ["longanyang"]},
        {"voice": "no such voice"},
        {"model": "cosyvoice-v0"},
        {"model": 3},
        {"format": ["mp3"]},
        {"sample_rate": "loud"},
        {"speech_rate": "fast"},
        {"volume": float("nan")},
        {"style": "no such style"},
        {"pronunciations": ["a"]},
        {"language_voices": {"en": 3}},
        {"language_voices": {"xx": "longanhuan"}},
        {"fallback_engine": 5},
        {"fallback_engine": "nonsense"},
        {"fallback_engine": "tts.longanyang_speech"},
        {"lead_in": -5},
        {"clean_text": "no"},
        {"instruction": "\n"},
    ],
)
async def test_damaged_settings_of_a_voice_can_be_changed(
    hass: HomeAssistant,
    emulator: Emulator,
    settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It speaks meanwhile, and its form can be submitted with another voice."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="CosyVoice",
        data={
            "api_key": API_KEY,
            "region": "cn-beijing",
            "base_url": emulator.url,
        },
        subentries_data=[voice_subentry(SUBENTRY_ID, "Longanyang", **settings)],
    )
    entry.add_to_hass(hass)
    await damage(hass, entry)
    assert entry.state is ConfigEntryState.LOADED
    assert await speak(hass, "你好。")
    result = await start_voice(hass, entry, SUBENTRY_ID)
    shown = as_a_browser_sends(result["data_schema"])
    if shown["voice"] == "no such voice":
        shown["voice"] = "longanhuan"
    result = await submit_voice(hass, result, shown)
    assert result["type"] is FlowResultType.MENU, result.get("errors")
    result = await submit_voice(hass, result, {"next_step_id": "use"})
    assert result["reason"] == "reconfigure_successful"
    assert await speak(hass, "再见。")
    assert "Traceback" not in caplog.text


async def test_settings_of_another_region_can_be_changed(
    hass: HomeAssistant, emulator: Emulator
) -> None:
    """An account that was moved has models and languages that its region lacks."""
    emulator.config.region = "ap-southeast-1"
    voice = voice_subentry(
        SUBENTRY_ID,
        "Longanyang",
        model="cosyvoice-v2",
        language_voices={"de": "longanhuan"},
    )
    entry = MockConfigEntry(
        domain=DOMAIN,
        data={
            "api_key": API_KEY,
            "region": "ap-southeast-1",
            "base_url": emulator.url,
        },
        subentries_data=[voice],
    )
    entry.add_to_hass(hass)
    await damage(hass, entry)
    result = await start_voice(hass, entry, SUBENTRY_ID)
    shown = as_a_browser_sends(result["data_schema"])
    result = await submit_voice(hass, result, shown)
    assert result["type"] is FlowResultType.MENU, result.get("errors")
    await submit_voice(hass, result, {"next_step_id": "use"})
    settings = entry.subentries[SUBENTRY_ID].data
    assert settings["model"] == "auto"
    assert settings["language_voices"] == {"de": "longanhuan"}
