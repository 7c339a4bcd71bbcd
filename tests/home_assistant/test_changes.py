"""What is changed while a message is spoken, at each of its steps."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from tests.emulator import Emulator

from .conftest import SUBENTRY_ID
from .speaking import change, decode, entity_id, speak

FIRST, REST = "第一句话很长很长。第二", "句话也很长。第三句话。"
STEPS = {
    "connecting": "slow@handshake,seconds=0.5",
    "starting": "slow@started,seconds=0.5",
    "waiting for audio": "slow@before_audio,seconds=0.5",
    "waiting for text": None,
}


async def voice_set(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    change(hass, entry, voice="longxian_v3", volume=10)


async def engine_renamed(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    engine = entity_id(hass, "tts", "speech")
    er.async_get(hass).async_update_entity(engine, new_entity_id="tts.renamed")


async def title_changed(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    voice = entry.subentries[SUBENTRY_ID]
    hass.config_entries.async_update_subentry(entry, voice, title="New")


async def temporary_keys(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    options = {**entry.options, "temporary_keys": True}
    hass.config_entries.async_update_entry(entry, options=options)


async def zone_changed(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    await hass.config.async_set_time_zone("Pacific/Kiritimati")


async def voice_removed(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    hass.config_entries.async_remove_subentry(entry, SUBENTRY_ID)


async def account_reloaded(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    await hass.config_entries.async_reload(entry.entry_id)


async def region_changed(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    data = {**entry.data, "region": "ap-southeast-1"}
    hass.config_entries.async_update_entry(entry, data=data)
    await hass.async_block_till_done()


async def account_unloaded(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    await hass.config_entries.async_unload(entry.entry_id)


async def account_removed(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    await hass.config_entries.async_remove(entry.entry_id)


SPOKEN_ON = (
    voice_set,
    engine_renamed,
    title_changed,
    temporary_keys,
    zone_changed,
    voice_removed,
)
CLOSED = (account_reloaded, region_changed, account_unloaded, account_removed)
SILENT_AFTER = {voice_removed, account_unloaded, account_removed}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("changed", [*SPOKEN_ON, *CLOSED])
async def test_a_change_within_a_message(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    step: str,
    changed: Callable[[HomeAssistant, MockConfigEntry], Awaitable[None]],
) -> None:
    """It is spoken to its end, or ends because the account was closed.

    The bill is booked to the last character, and the next message is spoken.
    """
    go_on = asyncio.Event()

    async def text() -> AsyncGenerator[str]:
        yield FIRST
        if STEPS[step] is None:
            await go_on.wait()
        yield REST

    if fault := STEPS[step]:
        emulator.script(fault)
    usage = loaded.runtime_data.usage
    speaking = asyncio.create_task(speak(hass, text(), {"preferred_format": "wav"}))
    await asyncio.sleep(0.2)
    await changed(hass, loaded)
    go_on.set()
    async with asyncio.timeout(10):
        if changed in CLOSED:
            with pytest.raises(HomeAssistantError) as caught:
                await speaking
            assert caught.value.translation_key == "closed"
        else:
            heard = decode(await speaking)
            assert heard.seconds > 3
    await hass.async_block_till_done(wait_background_tasks=True)
    if changed not in SILENT_AFTER:
        engines = hass.states.async_entity_ids("tts")
        assert await speak(hass, "再来一句。", engine=engines[0])
    bill = sum(task.characters for task in emulator.tasks)
    assert usage.figures.total.characters == bill
