"""Listening to a voice in the dialogs that add and change voices."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from aiohttp import ClientPayloadError
from aiohttp.test_utils import TestClient, make_mocked_request
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.cosyvoice.client import SynthesisOptions
from custom_components.cosyvoice.flows import audio_view
from custom_components.cosyvoice.speech.sample import SampleAudio, SampleBooks
from custom_components.cosyvoice.usage.ledger import OverBudgetError, async_get_ledger
from homeassistant.config_entries import ConfigFlowResult, SubentryFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
from tests.emulator import Emulator, Fault, FaultKind, Point

from .conftest import SUBENTRY_ID
from .flows import (
    account,
    start_account,
    start_voice,
    submit_account,
    submit_voice,
    use_first,
)
from .speaking import decode, spoken

VOICE = {"voice": "longanyang", "model": "auto"}


@pytest.fixture
async def browser(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator
) -> TestClient[Any, Any]:
    """A browser's player, which sends no token."""
    client: TestClient[Any, Any] = await hass_client_no_auth()
    return client


async def first(hass: HomeAssistant, emulator: Emulator) -> ConfigFlowResult:
    """Go to the step in which the first voice of an account can be heard."""
    result = await submit_account(hass, await start_account(hass), account(emulator))
    return await submit_account(hass, result, VOICE)


async def another(
    hass: HomeAssistant, entry: MockConfigEntry, **settings: Any
) -> SubentryFlowResult:
    """Go to the step in which another voice of an account can be heard."""
    return await submit_voice(hass, await start_voice(hass, entry), VOICE | settings)


def url(result: ConfigFlowResult | SubentryFlowResult) -> str:
    """Return the address of the sample that a step offers."""
    assert result["type"] is FlowResultType.MENU
    assert result["menu_options"] == ["use", "other"]
    placeholders = result["description_placeholders"]
    assert placeholders is not None
    assert f'src="{placeholders["sample_url"]}"' in placeholders["sample"]
    return placeholders["sample_url"]


def note(result: ConfigFlowResult | SubentryFlowResult) -> str:
    """Return what the step tells beside the player."""
    placeholders = result["description_placeholders"]
    assert placeholders is not None
    return placeholders["sample"].split("\n\n")[1]


async def test_nothing_is_synthesized_before_somebody_listens(
    hass: HomeAssistant, emulator: Emulator, loaded: MockConfigEntry, browser: Any
) -> None:
    """Neither by showing the step, nor by a player that asks what there is."""
    result = await another(hass, loaded)
    response = await browser.head(url(result))
    assert (response.status, response.content_type) == (200, "audio/mpeg")
    assert not emulator.tasks
    assert "at most 0.0099 CNY" in note(result)


async def test_a_sample_is_synthesized_once(
    hass: HomeAssistant, emulator: Emulator, loaded: MockConfigEntry, browser: Any
) -> None:
    """It says a sentence in the listener's language, and plays again for nothing."""
    result = await another(hass, loaded, sound={"speech_rate": 1.2})
    response = await browser.get(url(result))
    assert (response.status, response.content_type) == (200, "audio/mpeg")
    audio = await response.read()
    assert decode(audio).seconds > 2
    again = await browser.get(url(result))
    assert await again.read() == audio
    assert again.headers["Content-Length"] == str(len(audio))
    (task,) = spoken(emulator)
    assert "umbrella" in task.text
    assert (task.parameters["voice"], task.parameters["rate"]) == ("longanyang", 1.2)
    usage = loaded.runtime_data.usage
    assert usage.figures.total.characters == task.characters > 0
    assert usage.figures.total.requests == 1


async def test_those_who_listen_together_share_one_synthesis(
    hass: HomeAssistant, emulator: Emulator, loaded: MockConfigEntry, browser: Any
) -> None:
    address = url(await another(hass, loaded))
    headers = [{}, {"Range": "bytes=0-"}, {"Range": "bytes=0-1"}]
    responses = [browser.get(address, headers=each) for each in headers]
    whole, chromium, safari = await asyncio.gather(*responses)
    audio = await whole.read()
    assert (chromium.status, await chromium.read()) == (200, audio)
    assert (safari.status, await safari.read()) == (206, audio[:2])
    assert safari.headers["Content-Range"] == f"bytes 0-1/{len(audio)}"
    assert len(spoken(emulator)) == 1


async def test_audio_comes_while_it_is_made(
    hass: HomeAssistant, emulator: Emulator, loaded: MockConfigEntry, browser: Any
) -> None:
    """The rest of the sentence takes longer than its beginning."""
    emulator.script(Fault(FaultKind.SLOW, Point.MID_SENTENCE, seconds=0.5))
    response = await browser.get(url(await another(hass, loaded)))
    begin = await response.content.readany()
    assert begin
    assert emulator.tasks[0].outcome == "running"
    assert decode(begin + await response.read()).seconds > 2


@pytest.mark.parametrize(
    ("wanted", "status", "part"),
    [
        ("bytes=10-19", 206, slice(10, 20)),
        ("bytes=-5", 206, slice(-5, None)),
        ("bytes=7-", 206, slice(7, None)),
        ("bytes=0-", 206, slice(None)),
        ("bytes=99999999-", 416, slice(0, 0)),
        ("nonsense", 200, slice(None)),
    ],
)
async def test_ranges_of_a_sample(
    hass: HomeAssistant,
    emulator: Emulator,
    loaded: MockConfigEntry,
    browser: Any,
    wanted: str,
    status: int,
    part: slice,
) -> None:
    """As players request them that jump or play again."""
    address = url(await another(hass, loaded))
    audio = await (await browser.get(address)).read()
    response = await browser.get(address, headers={"Range": wanted})
    assert response.status == status
    assert await response.read() == audio[part]
    response = await browser.head(address, headers={"Range": wanted})
    assert (response.status, await response.read()) == (status, b"")
    assert len(spoken(emulator)) == 1


async def test_an_address_cannot_be_guessed(
    hass: HomeAssistant, emulator: Emulator, loaded: MockConfigEntry, browser: Any
) -> None:
    address = url(await another(hass, loaded))
    folder, token = address.rsplit("/", 1)
    assert len(token) >= 43
    wrong = [f"{folder}/x", address[:-1], f"{address}x", f"{address}/x", f"{folder}/"]
    for guess in wrong:
        for request in (browser.get, browser.head):
            assert (await request(guess)).status == 404
    assert (await browser.post(address, json={"text": "Hello"})).status == 405
    # Nor can it be made to speak anything else
    await (await browser.get(f"{address}?text=Hello&voice=longanhuan")).read()
    (task,) = spoken(emulator)
    assert "umbrella" in task.text
    assert task.parameters["voice"] == "longanyang"


@pytest.mark.parametrize("end", ["use", "abort", "other"])
async def test_an_address_ends_with_its_step(
    hass: HomeAssistant,
    emulator: Emulator,
    loaded: MockConfigEntry,
    browser: Any,
    end: str,
) -> None:
    """Whether the voice is used, the dialog closed or another voice chosen."""
    result = await another(hass, loaded)
    address = url(result)
    await (await browser.get(address)).read()
    if end == "use":
        await submit_voice(hass, result, {"next_step_id": "use"})
    elif end == "abort":
        hass.config_entries.subentries.async_abort(result["flow_id"])
    else:
        result = await submit_voice(hass, result, {"next_step_id": "other"})
        result = await submit_voice(hass, result, {"voice": "longanhuan"})
        assert url(result) != address
    assert (await browser.get(address)).status == 404
    assert (await browser.head(address)).status == 404
    await hass.async_block_till_done()


async def test_a_dialog_that_is_closed_stops_the_synthesis(
    hass: HomeAssistant, emulator: Emulator, loaded: MockConfigEntry, browser: Any
) -> None:
    """What was spoken until then is booked."""
    emulator.script(Fault(FaultKind.HANG, Point.MID_SENTENCE))
    result = await another(hass, loaded)
    response = await browser.get(url(result))
    await response.content.readany()
    hass.config_entries.subentries.async_abort(result["flow_id"])
    with pytest.raises(ClientPayloadError):
        await response.read()
    await hass.async_block_till_done(wait_background_tasks=True)
    assert loaded.runtime_data.usage.figures.total.characters > 0


async def test_other_keeps_what_was_entered_and_heard(
    hass: HomeAssistant, emulator: Emulator, loaded: MockConfigEntry, browser: Any
) -> None:
    """The same settings once more are the same sample."""
    settings = {"format": "opus", "sound": {"volume": 80}}
    result = await another(hass, loaded, **settings)
    address = url(result)
    await (await browser.get(address)).read()
    result = await submit_voice(hass, result, {"next_step_id": "other"})
    assert result["step_id"] == "voice"
    shown = {str(key): key for key in result["data_schema"].schema}
    assert shown["format"].description == {"suggested_value": "opus"}
    result = await submit_voice(hass, result, VOICE | settings)
    assert url(result) == address
    assert "CNY" not in note(result)
    assert len(spoken(emulator)) == 1


async def test_a_voice_is_heard_when_it_is_changed(
    hass: HomeAssistant, emulator: Emulator, loaded: MockConfigEntry, browser: Any
) -> None:
    result = await start_voice(hass, loaded, SUBENTRY_ID)
    result = await submit_voice(hass, result, {"voice": "loongtomoka_v3"})
    await (await browser.get(url(result))).read()
    assert "リビング" in emulator.tasks[0].text
    result = await submit_voice(hass, result, {"next_step_id": "use"})
    assert result["reason"] == "reconfigure_successful"


async def test_the_first_voice_is_booked_once_there_is_an_account(
    hass: HomeAssistant,
    emulator: Emulator,
    hass_client_no_auth: ClientSessionGenerator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is heard before Home Assistant has set the integration up."""
    assert await async_setup_component(hass, "tts", {})
    # As Home Assistant's server does, so that paths can be added while it runs
    monkeypatch.setattr(hass.http.app.router, "freeze", lambda: None)
    result = await first(hass, emulator)
    assert not emulator.tasks
    address, browser = url(result), await hass_client_no_auth()
    assert decode(await (await browser.get(address)).read()).seconds > 2
    result = await submit_account(hass, result, {"next_step_id": "other"})
    result = await use_first(hass, result, VOICE | {"model": "cosyvoice-v3-plus"})
    await hass.async_block_till_done(wait_background_tasks=True)
    usage = result["result"].runtime_data.usage
    assert usage.figures.total.characters == emulator.tasks[0].characters
    assert (await browser.get(address)).status == 404
    assert len(spoken(emulator)) == 1


async def test_a_flow_without_an_account_leaves_nothing(
    hass: HomeAssistant,
    emulator: Emulator,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    """Neither an address nor a connection."""
    result = await first(hass, emulator)
    address, browser = url(result), await hass_client_no_auth()
    await (await browser.get(address)).read()
    hass.config_entries.flow.async_abort(result["flow_id"])
    await hass.async_block_till_done(wait_background_tasks=True)
    assert (await browser.get(address)).status == 404
    assert emulator.open_connections == 0


async def test_forgotten_dialogs_use_little_memory(
    hass: HomeAssistant, emulator: Emulator, loaded: MockConfigEntry, browser: Any
) -> None:
    """The oldest sample makes room; its dialog offers a new one when it is used."""
    oldest = await another(hass, loaded)
    for _ in range(audio_view.MOST):
        await another(hass, loaded)
    assert (await browser.get(url(oldest))).status == 404
    result = await submit_voice(hass, oldest, {"next_step_id": "other"})
    result = await submit_voice(hass, result, VOICE)
    assert (await browser.get(url(result))).status == 200


async def test_a_budget_refuses_samples(
    hass: HomeAssistant, emulator: Emulator, loaded: MockConfigEntry, browser: Any
) -> None:
    """The step says so, and so does the address."""
    result = await another(hass, loaded)
    await (await browser.get(url(result))).read()
    options = {**loaded.options, "monthly_budget": 10, "refuse_over_budget": True}
    hass.config_entries.async_update_entry(loaded, options=options)
    result = await another(hass, loaded)
    assert "used up its monthly budget of 10 characters" in note(result)
    response = await browser.get(url(result))
    assert response.status == 403
    assert "used up its monthly budget" in await response.text()
    assert len(spoken(emulator)) == 1


async def test_a_sample_counts_while_it_is_made(
    hass: HomeAssistant, emulator: Emulator, loaded: MockConfigEntry, browser: Any
) -> None:
    """Its sentence has 97 characters, so nothing else may be spoken meanwhile."""
    options = {**loaded.options, "monthly_budget": 90, "refuse_over_budget": True}
    hass.config_entries.async_update_entry(loaded, options=options)
    usage = loaded.runtime_data.usage
    usage.check_budget()
    emulator.script(Fault(FaultKind.HANG, Point.MID_SENTENCE))
    response = await browser.get(url(await another(hass, loaded)))
    await response.content.readany()
    with pytest.raises(OverBudgetError):
        usage.check_budget()


async def test_a_failure_is_explained(
    hass: HomeAssistant, emulator: Emulator, loaded: MockConfigEntry, browser: Any
) -> None:
    """By the address, and by the step when it is shown again; then it can be retried."""
    await hass.config.async_update(language="de")
    emulator.script(Fault(FaultKind.ARREARS, Point.BEFORE_AUDIO, times=None))
    result = await another(hass, loaded)
    for _ in range(5):
        response = await browser.get(url(result))
        assert response.status == 502
    assert "überfällig" in await response.text()
    assert len(spoken(emulator)) == 3
    emulator.clear_faults()
    result = await submit_voice(hass, result, {"next_step_id": "other"})
    result = await submit_voice(hass, result, VOICE)
    assert "überfällig" in note(result)
    response = await browser.get(url(result))
    assert (response.status, len(spoken(emulator))) == (200, 4)


async def test_a_failure_in_the_middle_ends_the_connection(
    hass: HomeAssistant, emulator: Emulator, loaded: MockConfigEntry, browser: Any
) -> None:
    """So that a player does not take half a sample for all of it."""
    emulator.script(Fault(FaultKind.CONTENT, Point.MID_SENTENCE))
    result = await another(hass, loaded)
    response = await browser.get(url(result))
    assert response.status == 200
    with pytest.raises(ClientPayloadError):
        await response.read()
    response = await browser.get(url(result))
    assert decode(await response.read()).seconds > 2


async def test_a_player_that_leaves_stops_nothing(
    hass: HomeAssistant,
    emulator: Emulator,
    loaded: MockConfigEntry,
    browser: Any,
) -> None:
    """The sample is completed for those who play it next, and paid for once."""
    emulator.script(Fault(FaultKind.SLOW, Point.MID_SENTENCE, seconds=0.5))
    address = url(await another(hass, loaded))
    response = await browser.get(address)
    await response.content.readany()
    response.close()
    again = await browser.get(address, headers={"Range": "bytes=1-"})
    assert len(await again.read()) > 10_000
    assert len(spoken(emulator)) == 1


async def test_a_slow_reader_misses_nothing(
    hass: HomeAssistant, emulator: Emulator, loaded: MockConfigEntry
) -> None:
    """Neither what came meanwhile nor what is still to come."""
    data = loaded.runtime_data
    options = SynthesisOptions(voice="longanyang").resolve("cn-beijing")
    sample = SampleAudio(
        hass, data.client, options, "今天天气不错。" * 5, SampleBooks(data.usage)
    )
    slow = Fault(FaultKind.SLOW, Point.MID_SENTENCE, seconds=0.5, after_sentences=1)
    emulator.script(slow)
    heard = b""
    async for chunk in sample.chunks():
        heard += chunk
        await asyncio.sleep(0.01)
    assert heard == sample.complete


async def test_a_failure_after_the_player_has_left_is_no_error() -> None:
    """There is no connection any more that could be ended."""

    class Broken(audio_view.FinishedAudio):
        async def chunks(self) -> AsyncGenerator[bytes]:
            yield self.complete
            raise HomeAssistantError

    request = make_mocked_request("GET", "/")
    request.protocol.transport = None
    response = await audio_view._streamed(request, Broken(b"begin", "audio/mpeg"))
    assert (response.status, request.transport) == (200, None)


async def test_audio_that_exists_is_read_in_one_piece() -> None:
    audio = audio_view.FinishedAudio(b"preview", "audio/mpeg")
    assert [chunk async for chunk in audio.chunks()] == [audio.complete]


@pytest.mark.parametrize("option", [None, "use", "other"])
async def test_an_account_that_is_unloaded_in_the_middle(
    hass: HomeAssistant,
    emulator: Emulator,
    loaded: MockConfigEntry,
    browser: Any,
    option: str | None,
) -> None:
    """The sample ends, and the dialog when it continues or is shown again."""
    emulator.script(Fault(FaultKind.HANG, Point.MID_SENTENCE))
    result = await another(hass, loaded)
    response = await browser.get(url(result))
    await response.content.readany()
    await hass.config_entries.async_unload(loaded.entry_id)
    with pytest.raises(ClientPayloadError):
        await response.read()
    assert async_get_ledger(hass, loaded).figures.total.requests == 1
    assert (await browser.get(url(result))).status == 502
    result = await hass.config_entries.subentries.async_configure(
        result["flow_id"], {"next_step_id": option} if option else None
    )
    assert result["reason"] == "entry_not_loaded"


async def test_a_voice_that_is_removed_while_its_dialog_is_open(
    hass: HomeAssistant, emulator: Emulator, loaded: MockConfigEntry
) -> None:
    result = await start_voice(hass, loaded, SUBENTRY_ID)
    result = await submit_voice(hass, result, VOICE)
    hass.config_entries.async_remove_subentry(loaded, SUBENTRY_ID)
    result = await submit_voice(hass, result, {"next_step_id": "use"})
    assert result["reason"] == "voice_removed"


async def test_an_account_that_was_reloaded(
    hass: HomeAssistant, emulator: Emulator, loaded: MockConfigEntry, browser: Any
) -> None:
    """The dialog speaks through the new connection."""
    result = await another(hass, loaded)
    await hass.config_entries.async_reload(loaded.entry_id)
    result = await submit_voice(hass, result, {"next_step_id": "other"})
    result = await submit_voice(hass, result, VOICE)
    assert (await browser.get(url(result))).status == 200
