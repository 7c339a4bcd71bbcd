"""Adding accounts through their forms, and their options."""

import asyncio
from typing import Any
from unittest.mock import patch

from aiohttp import ClientSession
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from custom_components.cosyvoice import account as account_module
from custom_components.cosyvoice.client import (
    ArrearsError,
    AuthenticationError,
    CosyVoiceClient,
    Timing,
    VoiceError,
)
from custom_components.cosyvoice.const import DEFAULT_OPTIONS, DOMAIN
from custom_components.cosyvoice.settings import DEFAULT_SETTINGS
from homeassistant.config_entries import (
    ConfigEntryState,
    ConfigFlowResult,
    SubentryFlowResult,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.translation import async_get_translations
from homeassistant.setup import async_setup_component
from tests.emulator import Emulator, Fault, FaultKind, Point

from .conftest import API_KEY, CLONE, SUBENTRY_ID
from .flows import (
    account,
    start_account as start,
    submit_account as submit,
    use_first as use,
)

VOICE = {"voice": "longanyang", "model": "auto"}


def suggested(result: ConfigFlowResult | SubentryFlowResult, field: str) -> Any:
    """Return the value that a field of the shown form comes with."""
    schema = result["data_schema"]
    assert schema is not None
    return next(
        (marker.description or {}).get("suggested_value")
        for marker in schema.schema
        if marker == field
    )


def form(result: ConfigFlowResult) -> vol.Schema:
    """Return the fields of a step."""
    schema = result["data_schema"]
    assert schema is not None
    return schema


async def message(hass: HomeAssistant, result: ConfigFlowResult) -> str:
    """Return the error as a person reads it."""
    texts = await async_get_translations(hass, "en", "config", {DOMAIN})
    text = texts[f"component.{DOMAIN}.config.error.{result['errors']['base']}"]
    return text.format(**result["description_placeholders"] or {})


async def test_an_account_with_its_first_voice(
    hass: HomeAssistant, emulator: Emulator
) -> None:
    """The two steps make an entry with one voice, free of charge."""
    result = await start(hass)
    assert result["step_id"] == "user"
    result = await submit(hass, result, account(emulator))
    assert result["step_id"] == "voice"
    result = await use(hass, result, VOICE)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "CosyVoice"
    entry = result["result"]
    assert entry.data == {
        "api_key": API_KEY,
        "region": "cn-beijing",
        "base_url": emulator.url,
    }
    assert entry.options == DEFAULT_OPTIONS
    (subentry,) = entry.subentries.values()
    assert (subentry.subentry_type, subentry.title) == ("voice", "Longanyang")
    assert subentry.data == DEFAULT_SETTINGS
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    assert not emulator.tasks


@pytest.mark.parametrize(
    ("code", "step"), [("InvalidApiKey", "user"), ("AccessDenied", "voice")]
)
async def test_a_list_of_voices_that_rejects_the_key(
    hass: HomeAssistant, emulator: Emulator, code: str, step: str
) -> None:
    """Only an invalid key keeps an account out, no missing permission for the list."""
    error = AuthenticationError("No", code=code)
    with patch.object(CosyVoiceClient, "list_voices", side_effect=error):
        result = await submit(hass, await start(hass), account(emulator))
    assert result["step_id"] == step
    assert bool(result["errors"]) == (step == "user")


@pytest.mark.parametrize(
    ("country", "region"),
    [(None, None), ("CN", None), ("DE", "ap-southeast-1"), ("TW", "ap-southeast-1")],
)
async def test_the_country_suggests_a_region(
    hass: HomeAssistant, country: str | None, region: str | None
) -> None:
    """The default stays Beijing, for a form that is filled in by a program."""
    hass.config.country = country
    result = await start(hass)
    assert suggested(result, "region") == region
    assert form(result)({"api_key": "x"})["region"] == "cn-beijing"


async def test_defaults(hass: HomeAssistant, emulator: Emulator) -> None:
    """The region is Beijing and the advanced section may be left out."""
    result = await start(hass)
    assert result["data_schema"].schema["advanced"].options == {"collapsed": True}
    assert form(result)({"api_key": "x"}) == {
        "api_key": "x",
        "region": "cn-beijing",
    }
    result = await submit(hass, result, account(emulator))
    assert form(result)({}) == {**VOICE, "language": "any", "kind": "any"}


@pytest.fixture
def impatient() -> Any:
    """Let the check of a key give up soon."""
    original = CosyVoiceClient.__init__

    def patched(self: CosyVoiceClient, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs, timing=Timing(attempt=0.2))

    with patch.object(CosyVoiceClient, "__init__", patched):
        yield


async def test_a_key_that_only_requests_are_refused_with_is_wrong(
    hass: HomeAssistant, emulator: Emulator
) -> None:
    """Not every server checks it at the WebSocket handshake."""
    emulator.script("http_401@http,request=list_voice")
    result = await start(hass)
    result = await submit(hass, result, account(emulator))
    assert result["errors"] == {"base": "invalid_auth"}
    result = await submit(hass, result, account(emulator))
    assert result["step_id"] == "voice"


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("wrong", "fault", "error", "says"),
    [
        ({"api_key": "sk-wrong"}, None, "invalid_auth", "rejected"),
        ({"api_key": " "}, None, "invalid_auth", "rejected"),
        ({"api_key": "sk-\nX-Evil: 1"}, None, "invalid_auth", "rejected"),
        ({"advanced": {"base_url": "ftp://x"}}, None, "invalid_url", "not valid"),
        ({"advanced": {"base_url": "no url"}}, None, "invalid_url", "not valid"),
        (
            {"advanced": {"workspace_id": "no id!"}},
            None,
            "invalid_workspace_id",
            "not valid",
        ),
        (
            {"advanced": {"base_url": "http://127.0.0.1:1"}},
            None,
            "cannot_connect",
            "could not be reached",
        ),
        ({}, FaultKind.HANG, "cannot_connect", "in time"),
        ({}, FaultKind.RESET, "cannot_connect", "could not be reached"),
        ({}, FaultKind.HTTP_404, "cannot_connect", ""),
        ({}, FaultKind.HTTP_429, "cannot_connect", "Too many requests"),
        ({}, FaultKind.HTTP_503, "cannot_connect", "service failed"),
    ],
)
async def test_each_error_is_told_and_can_be_corrected_in_place(
    hass: HomeAssistant,
    emulator: Emulator,
    wrong: dict[str, Any],
    fault: FaultKind | None,
    error: str,
    says: str,
) -> None:
    """What was typed is kept, and the right input then works."""
    if fault:
        emulator.script(Fault(kind=fault, at=Point.HANDSHAKE, times=None))
    typed = account(emulator) | wrong
    result = await submit(hass, await start(hass), typed)
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "user"
    assert result["errors"] == {"base": error}
    assert says in await message(hass, result)
    assert suggested(result, "api_key") == typed["api_key"].strip()
    assert result["data_schema"].schema["advanced"].options == {"collapsed": False}
    emulator.clear_faults()
    result = await submit(hass, result, account(emulator))
    assert result["step_id"] == "voice"
    result = await use(hass, result, VOICE)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_a_dead_network_and_a_silent_server_read_differently(
    hass: HomeAssistant, emulator: Emulator, impatient: None
) -> None:
    """Both are `cannot_connect`, with a message each."""
    dead = account(emulator, advanced={"base_url": "http://127.0.0.1:1"})
    refused = await message(hass, await submit(hass, await start(hass), dead))
    emulator.script(Fault(kind=FaultKind.HANG, at=Point.HANDSHAKE))
    silent = await submit(hass, await start(hass), account(emulator))
    assert await message(hass, silent) != refused


@pytest.mark.parametrize(
    ("raised", "says"),
    [
        (ArrearsError("Good standing", code="Arrearage"), "overdue"),
        (VoiceError("Odd answer"), "Odd answer"),
        (RuntimeError("bug"), "cannot be used"),
    ],
)
async def test_other_failures_are_unknown(
    hass: HomeAssistant,
    emulator: Emulator,
    caplog: pytest.LogCaptureFixture,
    raised: Exception,
    says: str,
) -> None:
    """They are explained as far as possible, and can be tried again."""
    with patch.object(CosyVoiceClient, "check_key", side_effect=raised):
        result = await submit(hass, await start(hass), account(emulator))
    assert result["errors"] == {"base": "unknown"}
    assert says in await message(hass, result)
    assert API_KEY not in caplog.text
    result = await submit(hass, result, account(emulator))
    assert result["step_id"] == "voice"


@pytest.mark.parametrize("key", ["sk-sp-0123", " sk-sp-0123 "])
async def test_a_key_of_a_plan_is_explained(
    hass: HomeAssistant, emulator: Emulator, key: str
) -> None:
    """It begins like any other key, and works for text models only."""
    result = await submit(hass, await start(hass), account(emulator, key))
    assert result["errors"] == {"base": "unsupported_key"}
    assert "Coding Plan" in await message(hass, result)
    result = await submit(hass, result, account(emulator))
    assert result["step_id"] == "voice"


async def test_the_language_filter_does_not_add_the_account(
    hass: HomeAssistant, emulator: Emulator
) -> None:
    result = await submit(hass, await start(hass), account(emulator))
    result = await submit(hass, result, {**VOICE, "language": "en"})
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "voice")
    result = await use(hass, result, {**VOICE, "language": "en"})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()


async def test_a_list_of_voices_that_hangs_does_not_delay_the_form(
    hass: HomeAssistant, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert account_module.LIST_TIMEOUT <= 2
    monkeypatch.setattr(account_module, "LIST_TIMEOUT", 0.05)
    emulator.script(Fault(kind=FaultKind.HANG, at=Point.HTTP, times=None))
    async with asyncio.timeout(2):
        result = await submit(hass, await start(hass), account(emulator))
    assert result["step_id"] == "voice"
    result = await use(hass, result, VOICE)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    emulator.clear_faults()
    await hass.async_block_till_done()


@pytest.mark.usefixtures("international_key")
@pytest.mark.parametrize("unit", ["money", "characters"])
async def test_a_budget_in_money_never_changes_its_currency(
    hass: HomeAssistant, unit: str
) -> None:
    """The form asks; submitted once more, it removes the budget."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        data={"api_key": "sk-old", "region": "cn-beijing"},
        options={**DEFAULT_OPTIONS, "monthly_budget": 50.0, "budget_unit": unit},
    )
    entry.add_to_hass(hass)
    result = await entry.start_reconfigure_flow(hass)
    new = {"api_key": API_KEY, "region": "ap-southeast-1"}
    result = await submit(hass, result, new)
    if unit == "money":
        assert result["errors"] == {"base": "budget_currency"}
        assert "50.00 CNY" in await message(hass, result)
        assert "USD" in await message(hass, result)
        assert entry.data["region"] == "cn-beijing"
        result = await submit(hass, result, new)
    assert result["reason"] == "reconfigure_successful"
    assert entry.data["region"] == "ap-southeast-1"
    assert entry.options["monthly_budget"] == (0.0 if unit == "money" else 50.0)
    assert entry.options["budget_unit"] == unit
    await hass.async_block_till_done()
    await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.usefixtures("international_key")
async def test_a_key_of_the_other_region_is_recognised_and_offered(
    hass: HomeAssistant,
) -> None:
    """The form comes back with that region; submitting it again continues."""
    result = await submit(hass, await start(hass), {"api_key": API_KEY})
    assert result["errors"] == {"base": "wrong_region"}
    assert suggested(result, "region") == "ap-southeast-1"
    result = await submit(
        hass, result, {"api_key": API_KEY, "region": suggested(result, "region")}
    )
    assert result["step_id"] == "voice"


async def test_a_key_that_no_region_knows_is_wrong(hass: HomeAssistant) -> None:
    """The other region is asked, and does not know it either."""
    with patch.object(
        CosyVoiceClient,
        "check_key",
        side_effect=AuthenticationError("Invalid API-key provided."),
    ) as check:
        result = await submit(hass, await start(hass), {"api_key": "sk-wrong"})
    assert result["errors"] == {"base": "invalid_auth"}
    assert check.call_count == 2


@pytest.mark.parametrize("region", ["cn-beijing", "ap-southeast-1"])
async def test_the_same_account_twice(
    hass: HomeAssistant, emulator: Emulator, loaded: MockConfigEntry, region: str
) -> None:
    """A key belongs to one account, whatever the region."""
    result = await submit(hass, await start(hass), account(emulator, region=region))
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"


async def test_the_same_account_in_two_windows(
    hass: HomeAssistant, emulator: Emulator
) -> None:
    """The second of two flows that began together is refused at its end."""
    flows = [await submit(hass, await start(hass), account(emulator)) for _ in range(2)]
    first, second = [await use(hass, flow, VOICE) for flow in flows]
    assert first["type"] is FlowResultType.CREATE_ENTRY
    assert second["reason"] == "already_configured"


async def test_a_second_account(
    hass: HomeAssistant, emulator: Emulator, loaded: MockConfigEntry
) -> None:
    """Another key makes an account of its own beside the first."""
    emulator.config.api_keys = {API_KEY, "sk-other"}
    result = await submit(hass, await start(hass), account(emulator, "sk-other"))
    result = await use(hass, result, VOICE)
    assert result["title"] == "CosyVoice 2"
    await hass.async_block_till_done()
    assert result["result"].state is ConfigEntryState.LOADED
    assert loaded.state is ConfigEntryState.LOADED


async def test_cloned_voices_are_offered_first(
    hass: HomeAssistant, emulator: Emulator
) -> None:
    """They come with their state, and one that is not ready is refused at the field."""
    emulator.config.cloned_voices = {CLONE: "DEPLOYING"}
    result = await submit(hass, await start(hass), account(emulator))
    options = result["data_schema"].schema["voice"].config["options"]
    assert options[0] == {
        "value": CLONE,
        "label": f"{CLONE} · Cloned · Being prepared",
    }
    assert options[1]["value"] == "longanyang"
    result = await submit(hass, result, {"voice": CLONE, "model": "auto"})
    assert result["errors"] == {"voice": "voice_not_ready"}
    assert result["description_placeholders"]["allowed"] == "Being prepared"
    result = await use(hass, result, VOICE)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_voices_that_cannot_be_listed_stop_nobody(
    hass: HomeAssistant, emulator: Emulator
) -> None:
    """The system voices are there, and the id of a cloned one can be entered."""
    emulator.script(Fault(kind=FaultKind.HTTP_500, at=Point.HTTP, times=None))
    result = await submit(hass, await start(hass), account(emulator))
    result = await use(hass, result, {"voice": f" {CLONE} ", "model": "auto"})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    (subentry,) = result["result"].subentries.values()
    assert subentry.data["voice"] == CLONE
    assert subentry.title == CLONE


@pytest.mark.parametrize(
    ("voice", "model", "field", "error", "allowed"),
    [
        ("longanyan", "auto", "voice", "unknown_voice", "longanyang"),
        (
            "longanyang",
            "cosyvoice-v2",
            "model",
            "voice_model_mismatch",
            "cosyvoice-v3-flash, cosyvoice-v3-plus",
        ),
    ],
)
async def test_impossible_voices_are_explained_at_the_field(
    hass: HomeAssistant,
    emulator: Emulator,
    voice: str,
    model: str,
    field: str,
    error: str,
    allowed: str,
) -> None:
    """The error says what is allowed, and can be corrected in place."""
    result = await submit(hass, await start(hass), account(emulator))
    result = await submit(hass, result, {"voice": voice, "model": model})
    assert result["errors"] == {field: error}
    assert allowed in result["description_placeholders"]["allowed"]
    result = await use(hass, result, VOICE)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_forms_speak_chinese(hass: HomeAssistant, emulator: Emulator) -> None:
    """Descriptions and titles follow Home Assistant's language."""
    await hass.config.async_update(language="zh-Hans")
    result = await start(hass)
    result = await submit(hass, result, account(emulator))
    options = result["data_schema"].schema["voice"].config["options"]
    assert options[0]["label"] == (
        "Longanyang 龙安洋 · 阳光大男孩 · 中文/英语 · v3-flash, v3-plus"
    )
    result = await use(hass, result, VOICE)
    (subentry,) = result["result"].subentries.values()
    assert subentry.title == "龙安洋"


async def test_options(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """They are kept, and act without a reload."""
    result = await hass.config_entries.options.async_init(loaded.entry_id)
    assert result["step_id"] == "init"
    client = loaded.runtime_data.client
    chosen = {
        "keep_ready": "always",
        "temporary_keys": True,
        "refuse_over_budget": True,
        "monthly_budget": 12.5,
        "budget_unit": "money",
    }
    result = await hass.config_entries.options.async_configure(
        result["flow_id"], chosen
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    assert loaded.options == chosen
    assert loaded.runtime_data.client is client
    assert client.temporary_keys


async def test_forms_can_be_drawn(
    hass: HomeAssistant, emulator: Emulator, hass_client: Any, loaded: MockConfigEntry
) -> None:
    """Every form can be sent to a browser."""
    assert await async_setup_component(hass, "config", {})
    client: ClientSession = await hass_client()
    flows = "/api/config/config_entries"
    voice = {"handler": [loaded.entry_id, "voice"]}
    for path, payload, kind in (
        ("flow", {"handler": DOMAIN}, "form"),
        ("flow", {"handler": DOMAIN, "entry_id": loaded.entry_id}, "form"),
        ("options/flow", {"handler": loaded.entry_id}, "form"),
        ("subentries/flow", voice, "menu"),
        ("subentries/flow", {**voice, "subentry_id": SUBENTRY_ID}, "form"),
    ):
        response = await client.post(f"{flows}/{path}", json=payload)
        assert response.status == 200, path
        assert (await response.json())["type"] == kind
