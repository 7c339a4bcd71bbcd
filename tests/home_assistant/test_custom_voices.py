"""Cloned and designed voices: their names, their deletion, and their age."""

from datetime import timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockUser,
    async_fire_time_changed,
)

from custom_components.cosyvoice.const import (
    CONF_VOICE_NAMES,
    DOMAIN,
    VOICES_UPDATE_INTERVAL,
)
from custom_components.cosyvoice.diagnostics import async_get_config_entry_diagnostics
from custom_components.cosyvoice.settings import DEFAULT_SETTINGS
from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import (
    HomeAssistantError,
    ServiceValidationError,
    Unauthorized,
    UnknownUser,
)
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
from tests.emulator import Emulator
from tests.emulator.enrolment import Voice

PREFIX = "haab12cd34"
MADE_HERE = f"cosyvoice-v3-flash-{PREFIX}-0f0f"
MADE_THERE = "cosyvoice-v3-flash-me-1"


@pytest.fixture(autouse=True)
def voices(emulator: Emulator) -> None:
    """Two custom voices, one of them with a name."""
    emulator.config.cloned_voices |= {MADE_HERE: "OK", MADE_THERE: "OK"}


@pytest.fixture
def entry(hass: HomeAssistant, entry: MockConfigEntry) -> MockConfigEntry:
    """An account that knows the name of one voice."""
    options = {**entry.options, CONF_VOICE_NAMES: {PREFIX: "Grandma"}}
    hass.config_entries.async_update_entry(entry, options=options)
    return entry


async def delete(
    hass: HomeAssistant, voice: str = MADE_HERE, user: str | None = None, **data: Any
) -> None:
    await hass.services.async_call(
        DOMAIN,
        "delete_voice",
        {"voice_id": voice, **data},
        blocking=True,
        context=Context(user_id=user) if user else None,
    )


async def test_a_name_is_shown_in_every_list(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    state = hass.states.get("select.longanyang_voice")
    assert state is not None
    assert {"Grandma", MADE_THERE} <= {*state.attributes["options"]}
    assert MADE_HERE not in state.attributes["options"]
    answer = await hass.services.async_call(
        DOMAIN, "list_voices", {"kind": "cloned"}, blocking=True, return_response=True
    )
    assert answer is not None
    voices: Any = answer["voices"]
    names = {voice["voice_id"]: voice["name"] for voice in voices}
    assert names == {MADE_HERE: "Grandma", MADE_THERE: MADE_THERE}
    await hass.services.async_call(
        "select",
        "select_option",
        {"entity_id": "select.longanyang_voice", "option": "Grandma"},
        blocking=True,
    )
    (subentry,) = loaded.subentries.values()
    assert subentry.data["voice"] == MADE_HERE


async def test_a_name_is_not_stored_for_an_account_that_was_removed(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """A voice that is being created then is created nevertheless."""
    voices = loaded.runtime_data.voices
    await hass.config_entries.async_remove(loaded.entry_id)
    voices.async_set_name("habcdefabc", "Grandpa")
    assert loaded.options[CONF_VOICE_NAMES] == {PREFIX: "Grandma"}


async def test_no_option_appears_twice(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator
) -> None:
    """Also if a name looks like one that is told apart by the id."""
    names = {"haaa": "Dad", "habb": "Dad", "hacc": "Dad (cosyvoice-v2-haaa-1)"}
    emulator.config.cloned_voices |= {f"cosyvoice-v2-{key}-1": "OK" for key in names}
    options = {**loaded.options, CONF_VOICE_NAMES: names}
    hass.config_entries.async_update_entry(loaded, options=options)
    await loaded.runtime_data.voices.async_refresh()
    await hass.async_block_till_done()
    state = hass.states.get("select.longanyang_voice")
    assert state is not None
    shown = state.attributes["options"]
    assert len([option for option in shown if option.startswith("Dad")]) == 3
    assert len(shown) == len({*shown})


async def test_diagnostics_have_no_name(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """It may be that of a person."""
    shown = await async_get_config_entry_diagnostics(hass, loaded)
    assert "Grandma" not in str(shown)
    assert PREFIX not in str(shown)


async def test_a_voice_is_deleted_with_its_name(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator
) -> None:
    await delete(hass)
    assert emulator.config.cloned_voices == {MADE_THERE: "OK"}
    assert loaded.options[CONF_VOICE_NAMES] == {}
    assert set(loaded.runtime_data.voices.data) == {MADE_THERE}
    await delete(hass, MADE_THERE, config_entry_id=loaded.entry_id)
    assert emulator.config.cloned_voices == {}


async def test_a_voice_that_the_list_lacks_is_looked_for(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator
) -> None:
    """It may have been made in the console a moment ago."""
    emulator.config.cloned_voices["cosyvoice-v3-flash-new-1"] = "OK"
    await delete(hass, "cosyvoice-v3-flash-new-1")
    assert "cosyvoice-v3-flash-new-1" not in emulator.config.cloned_voices


@pytest.mark.parametrize("voice", ["longanyang", "cosyvoice-v3-flash-other-1"])
async def test_other_voices_cannot_be_deleted(
    hass: HomeAssistant, loaded: MockConfigEntry, voice: str
) -> None:
    with pytest.raises(ServiceValidationError) as caught:
        await delete(hass, voice)
    assert caught.value.translation_key == "no_custom_voice"
    assert voice in str(caught.value)


async def test_a_list_that_cannot_be_read_is_the_error(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator
) -> None:
    """Not once it can be read again."""
    emulator.script("http_500@http,request=list_voice,times=always")
    with pytest.raises(HomeAssistantError) as caught:
        await delete(hass, "cosyvoice-v3-flash-other-1")
    assert caught.value.translation_key == "service_error"
    emulator.clear_faults()
    with pytest.raises(ServiceValidationError) as caught:
        await delete(hass, "cosyvoice-v3-flash-other-1")
    assert caught.value.translation_key == "no_custom_voice"


async def test_a_service_that_does_not_delete_is_the_error(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator
) -> None:
    emulator.script("http_403@http,request=delete_voice")
    with pytest.raises(HomeAssistantError) as caught:
        await delete(hass)
    assert caught.value.translation_key == "access_denied"
    assert loaded.options[CONF_VOICE_NAMES] == {PREFIX: "Grandma"}


async def test_who_may_not_speak_may_not_delete(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    hass_read_only_user: MockUser,
) -> None:
    with pytest.raises(Unauthorized):
        await delete(hass, user=hass_read_only_user.id)
    with pytest.raises(UnknownUser):
        await delete(hass, user="nobody")
    assert MADE_HERE in emulator.config.cloned_voices


async def test_who_may_control_the_engine_may_delete(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    hass_read_only_user: MockUser,
) -> None:
    engines = {"tts.longanyang_speech": {"control": True}}
    hass_read_only_user.mock_policy({"entities": {"entity_ids": engines}})
    await delete(hass, user=hass_read_only_user.id)
    assert MADE_HERE not in emulator.config.cloned_voices


async def test_without_an_engine_only_administrators_delete(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    hass_read_only_user: MockUser,
    hass_admin_user: MockUser,
) -> None:
    for subentry in list(loaded.subentries):
        hass.config_entries.async_remove_subentry(loaded, subentry)
    await hass.async_block_till_done()
    hass_read_only_user.mock_policy({"entities": True})
    with pytest.raises(Unauthorized):
        await delete(hass, user=hass_read_only_user.id)
    await delete(hass, user=hass_admin_user.id)


async def test_a_voice_is_ready_soon_after_a_restart(
    hass: HomeAssistant, entry: MockConfigEntry, emulator: Emulator
) -> None:
    """Though the list is read every few hours otherwise."""
    emulator.config.cloned_voices[MADE_HERE] = "DEPLOYING"
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    voices = entry.runtime_data.voices
    assert voices.problem(MADE_HERE) == "voice_not_ready"
    emulator.config.cloned_voices[MADE_HERE] = "OK"
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=62))
    await hass.async_block_till_done(wait_background_tasks=True)
    assert voices.problem(MADE_HERE) is None
    assert voices.update_interval == VOICES_UPDATE_INTERVAL


def unused(hass: HomeAssistant) -> set[str]:
    """Return the names of the voices that are in danger."""
    return {
        (issue.translation_placeholders or {})["name"]
        for issue in ir.async_get(hass).issues.values()
        if issue.translation_key == "unused_voice"
    }


def aged(emulator: Emulator, voice: str, days: float) -> None:
    """Let a voice be so old."""
    time = dt_util.utcnow() - timedelta(days=days)
    text = time.strftime("%Y-%m-%d %H:%M:%S")
    emulator.created_voices[voice] = Voice("", 0.0, gmt_create=text, gmt_modified=text)


async def test_a_voice_that_will_be_deleted_is_announced(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator
) -> None:
    """Until it speaks, and only if it is known here."""
    for voice, days in ((MADE_HERE, 330), (MADE_THERE, 400)):
        aged(emulator, voice, days)
    voices = loaded.runtime_data.voices
    await voices.async_refresh()
    assert unused(hass) == set()
    aged(emulator, MADE_HERE, 340)
    await voices.async_refresh()
    assert unused(hass) == {"Grandma"}
    hass.config_entries.async_add_subentry(
        loaded,
        ConfigSubentry(
            data=DEFAULT_SETTINGS | {"voice": MADE_THERE},  # type: ignore[arg-type]
            subentry_type="voice",
            title="Me",
            unique_id=None,
        ),
    )
    await hass.async_block_till_done()
    await voices.async_refresh()
    assert unused(hass) == {"Grandma", MADE_THERE}
    await say(hass, MADE_HERE)
    assert unused(hass) == {MADE_THERE}
    await delete(hass, MADE_THERE)
    assert unused(hass) == set()


async def test_speech_counts_for_eleven_months(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    freezer: FrozenDateTimeFactory,
) -> None:
    aged(emulator, MADE_HERE, 400)
    await say(hass, MADE_HERE)
    voices = loaded.runtime_data.voices
    for days, names in ((330, set()), (10, {"Grandma"})):
        freezer.tick(timedelta(days=days))
        emulator.config.cloned_voices[f"cosyvoice-v3-flash-x-{days}"] = "OK"
        await voices.async_refresh()
        assert unused(hass) == names


async def say(hass: HomeAssistant, voice: str) -> None:
    await hass.services.async_call(
        DOMAIN,
        "synthesize",
        {
            "entity_id": "tts.longanyang_speech",
            "message": "Good evening.",
            "options": {"voice": voice},
        },
        blocking=True,
    )
    await hass.async_block_till_done()
