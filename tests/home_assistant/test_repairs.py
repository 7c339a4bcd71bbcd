"""Repair issues: opened once per cause, acted on, closed by themselves."""

from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.cosyvoice.client import (
    AccessDeniedError,
    ArrearsError,
    AuthenticationError,
    CosyVoiceClient,
    CosyVoiceError,
    FreeQuotaError,
    ThrottledError,
    VoiceError,
    prefix_of,
)
from custom_components.cosyvoice.const import DOMAIN
from custom_components.cosyvoice.coordinator import VOICES_RETRY
from custom_components.cosyvoice.issues import (
    THROTTLED_FAILURES,
    THROTTLED_WINDOW,
    report_failure,
    report_success,
)
from custom_components.cosyvoice.settings import DEFAULT_SETTINGS
from homeassistant.config_entries import (
    SOURCE_REAUTH,
    ConfigEntryDisabler,
    ConfigEntryState,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from tests.emulator import Emulator

from .conftest import API_KEY, CLONE, SUBENTRY_ID


def causes(hass: HomeAssistant) -> list[str | None]:
    """Return the translation keys of the open issues."""
    return [
        issue.translation_key
        for issue in ir.async_get(hass).issues.values()
        if issue.domain == DOMAIN
    ]


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (ArrearsError("Please pay"), "arrears"),
        (FreeQuotaError("Free tier used up"), "free_quota"),
        (AccessDeniedError("Model access denied."), "model_not_activated"),
    ],
)
async def test_an_issue_per_cause(
    hass: HomeAssistant, loaded: MockConfigEntry, error: CosyVoiceError, cause: str
) -> None:
    """However often it fails; the next success closes it."""
    for _ in range(10):
        report_failure(hass, loaded, error)
    assert causes(hass) == [cause]
    (issue,) = ir.async_get(hass).issues.values()
    assert issue.translation_placeholders == {
        "account": "CosyVoice",
        "message": error.message,
    }
    assert issue.learn_more_url
    loaded.runtime_data.voices.async_update_listeners()
    assert causes(hass) == [cause]
    report_success(hass, loaded)
    assert causes(hass) == []


async def test_other_failures_open_nothing(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Only what a person can act on does."""
    report_failure(hass, loaded, CosyVoiceError("bad luck"))
    assert causes(hass) == []


async def test_a_rate_limit_that_persists(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Single refusals, spread over time or between successes, are normal."""
    error = ThrottledError("Requests rate limit exceeded")
    with patch.object(hass.loop, "time", return_value=0.0) as time:
        for number in range(3 * THROTTLED_FAILURES):
            time.return_value = number * THROTTLED_WINDOW / (THROTTLED_FAILURES - 1.5)
            report_failure(hass, loaded, error)
        assert causes(hass) == []
        report_success(hass, loaded)
        for _ in range(THROTTLED_FAILURES - 1):
            report_failure(hass, loaded, error)
        assert causes(hass) == []
        report_failure(hass, loaded, error)
    assert causes(hass) == ["rate_limited"]
    report_success(hass, loaded)
    assert causes(hass) == []


async def test_a_rejected_key_asks_for_another_once(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """There is one flow, however often it fails."""
    for _ in range(3):
        report_failure(hass, loaded, AuthenticationError("Invalid API-key provided."))
        await hass.async_block_till_done(wait_background_tasks=True)
    assert len(list(loaded.async_get_active_flows(hass, {SOURCE_REAUTH}))) == 1
    assert causes(hass) == []


async def fix(
    hass: HomeAssistant, hass_client: Any, issue_id: str, user_input: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Open an issue's repair flow and submit its form; return both answers."""
    assert await async_setup_component(hass, "repairs", {})
    client = await hass_client()
    response = await client.post(
        "/api/repairs/issues/fix", json={"handler": DOMAIN, "issue_id": issue_id}
    )
    assert response.status == 200
    form = await response.json()
    if form["type"] != "form":
        return form, form
    response = await client.post(
        f"/api/repairs/issues/fix/{form['flow_id']}", json=user_input
    )
    return form, await response.json()


@pytest.mark.usefixtures("international_key")
@pytest.mark.parametrize("at_run_time", [False, True])
async def test_a_key_of_the_other_region(
    hass: HomeAssistant, hass_client: Any, at_run_time: bool
) -> None:
    """The repair changes the region and sets the account up with it."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="Home",
        data={"api_key": API_KEY, "region": "cn-beijing"},
    )
    entry.add_to_hass(hass)
    if at_run_time:
        with patch.object(CosyVoiceClient, "check_key"):
            await hass.config_entries.async_setup(entry.entry_id)
            await hass.async_block_till_done(wait_background_tasks=True)
        assert entry.state is ConfigEntryState.LOADED
        report_failure(hass, entry, AuthenticationError("Invalid API-key provided."))
        await hass.async_block_till_done(wait_background_tasks=True)
    else:
        await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done(wait_background_tasks=True)
    assert causes(hass) == ["wrong_region"]
    assert not any(entry.async_get_active_flows(hass, {SOURCE_REAUTH}))
    form, result = await fix(hass, hass_client, f"wrong_region_{entry.entry_id}", {})
    assert form["description_placeholders"] == {
        "account": "Home",
        "region": "International (Singapore)",
    }
    assert result["type"] == "create_entry"
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    assert entry.data["region"] == "ap-southeast-1"
    assert entry.runtime_data.client.region == "ap-southeast-1"
    assert causes(hass) == []
    await hass.config_entries.async_unload(entry.entry_id)


@pytest.fixture
async def with_clone(
    hass: HomeAssistant, emulator: Emulator, entry: MockConfigEntry
) -> MockConfigEntry:
    """An account that speaks with a cloned voice, also in Japanese."""
    emulator.config.cloned_voices = {CLONE: "OK"}
    subentry = entry.subentries[SUBENTRY_ID]
    hass.config_entries.async_update_subentry(
        entry,
        subentry,
        data=DEFAULT_SETTINGS | {"voice": CLONE, "language_voices": {"ja": CLONE}},
    )
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    return entry


@pytest.mark.parametrize(
    ("voices", "cause"),
    [({}, "voice_gone"), ({CLONE: "DEPLOYING"}, "voice_not_ready")],
)
async def test_a_voice_that_cannot_speak(
    hass: HomeAssistant,
    emulator: Emulator,
    with_clone: MockConfigEntry,
    voices: dict[str, str],
    cause: str,
) -> None:
    """It is explained once, the default voice speaks, and it closes by itself."""
    coordinator = with_clone.runtime_data.voices
    assert causes(hass) == []
    assert coordinator.resolve(CLONE) == CLONE
    emulator.config.cloned_voices = voices
    for _ in range(2):
        await coordinator.async_refresh()
    assert causes(hass) == [cause]
    assert coordinator.resolve(CLONE) == "longanyang"
    emulator.config.cloned_voices = {CLONE: "OK"}
    await coordinator.async_refresh()
    assert causes(hass) == []


async def test_an_empty_list_at_the_start_misses_a_voice(
    hass: HomeAssistant, emulator: Emulator, with_clone: MockConfigEntry
) -> None:
    """The voice was deleted while Home Assistant was down."""
    emulator.config.cloned_voices = {}
    await hass.config_entries.async_reload(with_clone.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert with_clone.runtime_data.voices.resolve(CLONE) == "longanyang"
    assert causes(hass) == ["voice_gone"]


async def test_a_lost_clone_keeps_its_name(
    hass: HomeAssistant, emulator: Emulator, with_clone: MockConfigEntry
) -> None:
    """Its id of sixty characters tells a person nothing."""
    coordinator = with_clone.runtime_data.voices
    coordinator.async_set_name(prefix_of(CLONE), "Grandma")
    emulator.config.cloned_voices = {}
    await coordinator.async_refresh()
    (issue,) = ir.async_get(hass).issues.values()
    assert issue.translation_placeholders["voice"] == "Grandma"


async def test_a_voice_is_not_missed_without_a_list(
    hass: HomeAssistant, emulator: Emulator, with_clone: MockConfigEntry
) -> None:
    """A failed look is no proof."""
    coordinator = with_clone.runtime_data.voices
    with patch.object(CosyVoiceClient, "list_voices", side_effect=CosyVoiceError("no")):
        await coordinator.async_refresh()
    assert causes(hass) == []
    assert coordinator.resolve(CLONE) == CLONE


async def test_a_missing_voice_stays_missing_if_the_list_cannot_be_read(
    hass: HomeAssistant, emulator: Emulator, with_clone: MockConfigEntry
) -> None:
    """What is known of the last list stays known."""
    coordinator = with_clone.runtime_data.voices
    emulator.config.cloned_voices = {}
    await coordinator.async_refresh()
    with patch.object(CosyVoiceClient, "list_voices", side_effect=CosyVoiceError("no")):
        await coordinator.async_refresh()
    assert causes(hass) == ["voice_gone"]
    assert coordinator.resolve(CLONE) == "longanyang"


async def test_a_system_voice_of_another_region_needs_no_list(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """The catalogue tells which region has it."""
    data = {**entry.data, "region": "ap-southeast-1"}
    hass.config_entries.async_update_entry(entry, data=data)
    chinese_only = DEFAULT_SETTINGS | {"voice": "longxiaochun_v2"}
    hass.config_entries.async_update_subentry(
        entry, entry.subentries[SUBENTRY_ID], data=chinese_only
    )
    with patch.object(CosyVoiceClient, "list_voices", side_effect=CosyVoiceError("no")):
        await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done(wait_background_tasks=True)
    assert causes(hass) == ["voice_gone"]
    assert entry.runtime_data.voices.resolve("longxiaochun_v2") == "longanyang"


async def test_an_unreadable_list_is_read_again_soon(
    hass: HomeAssistant,
    emulator: Emulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Cloned voices are not missing from the lists for six hours."""
    emulator.config.cloned_voices = {CLONE: "OK"}
    with patch.object(CosyVoiceClient, "list_voices", side_effect=CosyVoiceError("no")):
        await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done(wait_background_tasks=True)
    assert not entry.runtime_data.voices.ready
    freezer.tick(VOICES_RETRY + 1)
    async_fire_time_changed(hass)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert [voice.id for voice in entry.runtime_data.voices.ready] == [CLONE]


async def test_the_request_for_a_key_is_withdrawn_when_the_key_works(
    hass: HomeAssistant, emulator: Emulator, loaded: MockConfigEntry
) -> None:
    """By a message or a list; the repair card of Home Assistant goes as well."""
    for success in (
        lambda: report_success(hass, loaded),
        loaded.runtime_data.voices.async_update_listeners,
    ):
        report_failure(hass, loaded, AuthenticationError("Invalid API-key provided."))
        await hass.async_block_till_done(wait_background_tasks=True)
        assert any(loaded.async_get_active_flows(hass, {SOURCE_REAUTH}))
        assert ir.async_get(hass).issues
        success()
        await hass.async_block_till_done()
        assert not any(loaded.async_get_active_flows(hass, {SOURCE_REAUTH}))
        assert not ir.async_get(hass).issues


async def test_issues_of_a_disabled_account_are_closed(
    hass: HomeAssistant, emulator: Emulator, loaded: MockConfigEntry
) -> None:
    report_failure(hass, loaded, ArrearsError("Please pay"))
    await hass.config_entries.async_set_disabled_by(
        loaded.entry_id, ConfigEntryDisabler.USER
    )
    assert causes(hass) == []


async def test_a_refused_voice_is_looked_for(
    hass: HomeAssistant, emulator: Emulator, with_clone: MockConfigEntry
) -> None:
    """Not only after six hours."""
    emulator.config.cloned_voices = {}
    report_failure(hass, with_clone, VoiceError("Engine return error code: 418"))
    await hass.async_block_till_done()
    assert causes(hass) == ["voice_gone"]


async def test_another_voice_closes_the_issue(
    hass: HomeAssistant, emulator: Emulator, with_clone: MockConfigEntry
) -> None:
    """Wherever it was chosen."""
    emulator.config.cloned_voices = {}
    await with_clone.runtime_data.voices.async_refresh()
    hass.config_entries.async_update_subentry(
        with_clone, with_clone.subentries[SUBENTRY_ID], data=DEFAULT_SETTINGS
    )
    await hass.async_block_till_done()
    assert causes(hass) == []


async def test_the_repair_chooses_another_voice(
    hass: HomeAssistant,
    hass_client: Any,
    emulator: Emulator,
    with_clone: MockConfigEntry,
) -> None:
    """It is replaced wherever the voice uses it."""
    emulator.config.cloned_voices = {}
    await with_clone.runtime_data.voices.async_refresh()
    (issue,) = ir.async_get(hass).issues.values()
    form, refused = await fix(hass, hass_client, issue.issue_id, {"voice": CLONE})
    assert form["description_placeholders"] == {"name": "Longanyang", "voice": CLONE}
    assert refused["errors"] == {"voice": "voice_not_ready"}
    _, result = await fix(
        hass, hass_client, issue.issue_id, {"voice": "longxiaochun_v2"}
    )
    assert result["type"] == "create_entry"
    await hass.async_block_till_done()
    data = with_clone.subentries[SUBENTRY_ID].data
    assert data["voice"] == "longxiaochun_v2"
    assert data["language_voices"] == {"ja": "longxiaochun_v2"}
    assert causes(hass) == []


async def test_a_repair_that_comes_too_late(
    hass: HomeAssistant,
    hass_client: Any,
    emulator: Emulator,
    with_clone: MockConfigEntry,
) -> None:
    """The account is not loaded any more."""
    emulator.config.cloned_voices = {}
    await with_clone.runtime_data.voices.async_refresh()
    (issue,) = ir.async_get(hass).issues.values()
    await hass.config_entries.async_unload(with_clone.entry_id)
    result, _ = await fix(hass, hass_client, issue.issue_id, {})
    assert result["reason"] == "entry_not_loaded"


async def test_a_repair_for_a_voice_that_was_removed(
    hass: HomeAssistant,
    hass_client: Any,
    emulator: Emulator,
    with_clone: MockConfigEntry,
) -> None:
    """Removing it solves the issue; a form that is still open says so."""
    emulator.config.cloned_voices = {}
    await with_clone.runtime_data.voices.async_refresh()
    (issue,) = ir.async_get(hass).issues.values()
    assert await async_setup_component(hass, "repairs", {})
    client = await hass_client()
    response = await client.post(
        "/api/repairs/issues/fix",
        json={"handler": DOMAIN, "issue_id": issue.issue_id},
    )
    form = await response.json()
    hass.config_entries.async_remove_subentry(with_clone, SUBENTRY_ID)
    await hass.async_block_till_done()
    assert causes(hass) == []
    response = await client.post(
        f"/api/repairs/issues/fix/{form['flow_id']}", json={"voice": "longanyang"}
    )
    assert (await response.json())["reason"] == "voice_removed"


async def test_the_repair_of_a_language_leaves_the_voice_alone(
    hass: HomeAssistant,
    hass_client: Any,
    emulator: Emulator,
    with_clone: MockConfigEntry,
) -> None:
    """Only what cannot speak is replaced."""
    settings = {"voice": "longanhuan", "model": "cosyvoice-v3-plus", "style": "happy"}
    languages = {"language_voices": {"ja": CLONE, "en": "longanyang"}}
    hass.config_entries.async_update_subentry(
        with_clone,
        with_clone.subentries[SUBENTRY_ID],
        data=DEFAULT_SETTINGS | settings | languages,
    )
    await hass.async_block_till_done()
    emulator.config.cloned_voices = {}
    await with_clone.runtime_data.voices.async_refresh()
    (issue,) = ir.async_get(hass).issues.values()
    await fix(hass, hass_client, issue.issue_id, {"voice": "loongtomoka_v3"})
    await hass.async_block_till_done()
    data = with_clone.subentries[SUBENTRY_ID].data
    assert data["language_voices"] == {"ja": "loongtomoka_v3", "en": "longanyang"}
    assert {name: data[name] for name in settings} == settings


@pytest.mark.usefixtures("international_key")
async def test_the_repair_of_an_account_that_was_removed(
    hass: HomeAssistant, hass_client: Any
) -> None:
    """A form that is still open says so."""
    entry = MockConfigEntry(
        domain=DOMAIN, data={"api_key": API_KEY, "region": "cn-beijing"}
    )
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    assert await async_setup_component(hass, "repairs", {})
    client = await hass_client()
    response = await client.post(
        "/api/repairs/issues/fix",
        json={"handler": DOMAIN, "issue_id": f"wrong_region_{entry.entry_id}"},
    )
    form = await response.json()
    await hass.config_entries.async_remove(entry.entry_id)
    response = await client.post(f"/api/repairs/issues/fix/{form['flow_id']}", json={})
    assert (await response.json())["reason"] == "entry_not_loaded"


async def test_removing_the_account_closes_its_issues(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Those of other accounts stay."""
    other = MockConfigEntry(
        domain=DOMAIN, data={"api_key": "sk-other", "region": "cn-beijing"}
    )
    other.add_to_hass(hass)
    report_failure(hass, loaded, ArrearsError("Please pay"))
    report_failure(hass, other, ArrearsError("Please pay"))
    assert causes(hass) == ["arrears", "arrears"]
    await hass.config_entries.async_remove(loaded.entry_id)
    assert causes(hass) == ["arrears"]
