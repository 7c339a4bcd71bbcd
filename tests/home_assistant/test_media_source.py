"""The gallery of voices in the media browser."""

from collections.abc import AsyncIterator
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)

from custom_components.cosyvoice.client import CATALOGUE
from custom_components.cosyvoice.const import DEFAULT_OPTIONS, DOMAIN
from custom_components.cosyvoice.settings import DEFAULT_SETTINGS
from custom_components.cosyvoice.speech.engines import engine_ids
from homeassistant.components import media_source
from homeassistant.components.media_player import BrowseError, BrowseMedia
from homeassistant.components.media_source import MediaSource, Unresolvable
from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from tests.emulator import Emulator, EmulatorConfig, Fault, FaultKind, Point

from .conftest import CLONE, SUBENTRY_ID, voice_subentry
from .speaking import decode, spoken

ROOT = "media-source://cosyvoice"
DESIGNED = "cosyvoice-v3.5-flash-vd-calm-5a40"
SEARCHABLE = hasattr(MediaSource, "async_search_media")


@pytest.fixture(autouse=True)
async def media(hass: HomeAssistant) -> None:
    """Home Assistant's media sources."""
    assert await async_setup_component(hass, "media_source", {})


@pytest.fixture
async def gallery(
    hass: HomeAssistant, emulator: Emulator, entry: MockConfigEntry
) -> MockConfigEntry:
    """A loaded account with a clone, and a designed voice that is not ready."""
    emulator.config.cloned_voices = {CLONE: "OK", DESIGNED: "DEPLOYING"}
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    return entry


@pytest.fixture
async def second(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> AsyncIterator[MockConfigEntry]:
    """Another account, which is loaded as well."""
    config = replace(EmulatorConfig(), api_keys={"sk-other"}, speech="silence")
    async with Emulator(config) as service:
        other = MockConfigEntry(
            domain=DOMAIN,
            entry_id="other",
            title="Parents",
            data={
                "api_key": "sk-other",
                "region": "ap-southeast-1",
                "base_url": service.url,
            },
            options=DEFAULT_OPTIONS,
            subentries_data=[voice_subentry("kitchen", "Kitchen")],
        )
        other.add_to_hass(hass)
        assert await hass.config_entries.async_setup(other.entry_id)
        await hass.async_block_till_done(wait_background_tasks=True)
        yield other
        await hass.config_entries.async_unload(other.entry_id)


async def browse(hass: HomeAssistant, place: str = ROOT) -> BrowseMedia:
    return await media_source.async_browse_media(hass, place)


async def resolve(hass: HomeAssistant, *path: str) -> media_source.PlayMedia:
    place = "/".join([ROOT, *path])
    return await media_source.async_resolve_media(hass, place, "media_player.kitchen")


def titles(folder: BrowseMedia) -> list[str]:
    return [child.title for child in folder.children or ()]


async def voices_below(hass: HomeAssistant, folder: BrowseMedia) -> set[str]:
    """Return the ids of all voices that a folder leads to."""
    found = set()
    for child in folder.children or ():
        if child.can_expand:
            below = await browse(hass, child.media_content_id)
            found |= await voices_below(hass, below)
        else:
            assert child.media_content_type == "audio/mpeg"
            found.add(child.media_content_id.rsplit("/", 1)[1])
    return found


async def test_it_leads_to_every_voice(
    hass: HomeAssistant, gallery: MockConfigEntry
) -> None:
    """By language and kind; nothing is synthesized on the way."""
    root = await browse(hass)
    found = await voices_below(hass, root)
    every = {voice.id for voice in CATALOGUE.voices_in("cn-beijing")}
    assert found == every | {CLONE, DESIGNED}


async def test_folders_have_names_and_pictures(
    hass: HomeAssistant, gallery: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    """Custom voices come first, then the language of whoever listens."""
    await hass.config.async_update(language="ja")
    root = await browse(hass)
    assert titles(root)[:2] == ["あなたの声", "日本語"]
    await hass.config.async_update(language="en")
    english = ["Your voices", "English", "English (UK)", "English (US)", "Cantonese"]
    assert titles(await browse(hass))[:5] == english
    await hass.config.async_update(language="ja")
    language = await browse(hass, f"{ROOT}/{gallery.entry_id}/zh")
    assert titles(language)[:3] == ["女性", "男性", "子ども"]
    pictures = [child.thumbnail for child in language.children or ()]
    assert len(set(pictures)) == len(pictures)
    client = await hass_client()
    for folder in (root, language):
        for child in folder.children or ():
            response = await client.get(child.thumbnail)
            assert response.status == 200
            assert response.content_type == "image/svg+xml"
    assert (await client.get("/cosyvoice/pictures/en.svg")).status == 404


async def test_a_voice_that_cannot_speak_yet_tells_why(
    hass: HomeAssistant, gallery: MockConfigEntry
) -> None:
    folder = await browse(hass, f"{ROOT}/{gallery.entry_id}/yours")
    ready, preparing = folder.children or ()
    assert ready.can_play
    assert not preparing.can_play
    assert "Being prepared" in preparing.title
    with pytest.raises(Unresolvable, match="still being prepared"):
        await resolve(hass, "account", "yours", DESIGNED)


@pytest.mark.parametrize(
    ("language", "voice", "says"),
    [
        ("en", "longanyang", "umbrella"),
        ("en", "loongtomoka_v3", "リビング"),
        ("zh-Hans", "longlaotie_v3", "哎呀妈呀"),
        ("zh-Hant", "longjiaxin_v3", "落緊雨"),
        ("de", CLONE, "Regenschirm"),
        ("nl", "longanhuan_v3.1", "客厅"),
        ("en", "longanhuan", "umbrella"),
    ],
)
async def test_a_sample_in_a_language_of_the_voice(
    hass: HomeAssistant,
    emulator: Emulator,
    gallery: MockConfigEntry,
    hass_client: ClientSessionGenerator,
    language: str,
    voice: str,
    says: str,
) -> None:
    """Preferably the listener's, and without the settings of another voice."""
    changed = {"voice": "longanhuan", "style": "happy", "speech_rate": 0.5}
    settings = {**DEFAULT_SETTINGS, **changed, "volume": 10}
    subentry = gallery.subentries[SUBENTRY_ID]
    hass.config_entries.async_update_subentry(gallery, subentry, data=settings)
    await hass.config.async_update(language=language)
    played = await resolve(hass, "account", "any", "way", voice)
    assert played.mime_type == "audio/mpeg"
    client = await hass_client()
    response = await client.get(played.url)
    assert decode(await response.read()).seconds > 1
    (task,) = spoken(emulator)
    assert says in task.text
    sent = task.parameters
    assert (sent["voice"], sent["rate"], sent["volume"]) == (voice, 1.0, 50)
    assert "instruction" not in sent


async def test_a_sample_is_synthesized_and_booked_once(
    hass: HomeAssistant,
    emulator: Emulator,
    gallery: MockConfigEntry,
    hass_client: ClientSessionGenerator,
) -> None:
    """Home Assistant's cache plays it afterwards."""
    client = await hass_client()
    audio = []
    for path in (["account", "zh", "men", "longanyang"], ["longanyang"]):
        response = await client.get((await resolve(hass, *path)).url)
        audio.append(await response.read())
        await hass.async_block_till_done(wait_background_tasks=True)
    assert audio[0] == audio[1]
    assert len(spoken(emulator)) == 1
    usage = gallery.runtime_data.usage
    assert usage.figures.total.requests == 1
    assert usage.figures.total.characters == spoken(emulator)[0].characters


async def test_an_engine_that_is_disabled_is_passed_over(
    hass: HomeAssistant,
    emulator: Emulator,
    gallery: MockConfigEntry,
    hass_client: ClientSessionGenerator,
) -> None:
    kitchen = ConfigSubentry(
        data=MappingProxyType(DEFAULT_SETTINGS),
        subentry_type="voice",
        title="Kitchen",
        unique_id=None,
    )
    hass.config_entries.async_add_subentry(gallery, kitchen)
    await hass.async_block_till_done()
    registry = er.async_get(hass)
    first, second = engine_ids(hass, gallery)
    registry.async_update_entity(first, disabled_by=er.RegistryEntryDisabler.USER)
    # An engine that changes becomes the last one
    registry.async_update_entity(second, name="Kitchen")
    assert engine_ids(hass, gallery) == [first, second]
    await hass.async_block_till_done()
    client = await hass_client()
    response = await client.get((await resolve(hass, "longanyang")).url)
    assert decode(await response.read()).seconds > 1
    assert len(spoken(emulator)) == 1


async def test_a_budget_refuses_samples_that_are_not_cached(
    hass: HomeAssistant,
    emulator: Emulator,
    gallery: MockConfigEntry,
    hass_client: ClientSessionGenerator,
) -> None:
    """In words, also if the engine has a fallback that would speak."""
    client = await hass_client()
    await (await client.get((await resolve(hass, "longanyang")).url)).read()
    await hass.async_block_till_done(wait_background_tasks=True)
    options = {**gallery.options, "monthly_budget": 10, "refuse_over_budget": True}
    hass.config_entries.async_update_entry(gallery, options=options)
    await hass.config.async_update(language="de")
    with pytest.raises(Unresolvable, match="Monatsbudget") as refused:
        await resolve(hass, "longanhuan")
    assert refused.value.translation_key == "over_budget"
    await hass.config.async_update(language="en")
    assert (await client.get((await resolve(hass, "longanyang")).url)).status == 200
    assert len(spoken(emulator)) == 1


async def test_a_user_who_may_only_look_cannot_spend_money(
    hass: HomeAssistant,
    emulator: Emulator,
    gallery: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
    hass_client: ClientSessionGenerator,
    hass_read_only_access_token: str,
) -> None:
    """What is cached may be heard."""
    looking: Any = await hass_ws_client(hass, hass_read_only_access_token)
    place = {"media_content_id": f"{ROOT}/longanyang"}
    request = {"type": "media_source/resolve_media", **place}
    await looking.send_json_auto_id(request)
    answer = await looking.receive_json()
    assert answer["error"]["code"] == "unauthorized"
    assert not spoken(emulator)
    owner: Any = await hass_ws_client(hass)
    await owner.send_json_auto_id(request)
    played = await owner.receive_json()
    await (await (await hass_client()).get(played["result"]["url"])).read()
    await hass.async_block_till_done(wait_background_tasks=True)
    await looking.send_json_auto_id(request)
    assert (await looking.receive_json())["success"]
    assert len(spoken(emulator)) == 1


async def test_no_other_engine_speaks_for_a_voice(
    hass: HomeAssistant,
    emulator: Emulator,
    gallery: MockConfigEntry,
    hass_client: ClientSessionGenerator,
) -> None:
    """The fallback engine would pass for the voice."""
    subentry = gallery.subentries[SUBENTRY_ID]
    settings = {**DEFAULT_SETTINGS, "fallback_engine": "tts.other"}
    hass.config_entries.async_update_subentry(gallery, subentry, data=settings)
    emulator.script(Fault(FaultKind.ARREARS, Point.BEFORE_AUDIO, times=None))
    played = await resolve(hass, "longanhuan")
    response = await (await hass_client()).get(played.url)
    assert response.status == 500
    assert gallery.runtime_data.usage.fallbacks == 0


async def test_two_accounts(
    hass: HomeAssistant, loaded: MockConfigEntry, second: MockConfigEntry
) -> None:
    """Each has the voices of its region, and a voice needs an account then."""
    root = await browse(hass)
    assert titles(root) == ["CosyVoice", "Parents"]
    for child, entry in zip(root.children or (), (loaded, second), strict=True):
        found = await voices_below(hass, await browse(hass, child.media_content_id))
        region = entry.data["region"]
        assert found == {voice.id for voice in CATALOGUE.voices_in(region)}
    assert (await resolve(hass, "other", "zh", "men", "longanyang")).url
    with pytest.raises(Unresolvable):
        await resolve(hass, "longanyang")
    with pytest.raises(Unresolvable, match="There is no voice"):
        await resolve(hass, "other", "longxiaochun_v2")
    with pytest.raises(BrowseError):
        await browse(hass, f"{ROOT}/zh")


async def test_no_account_is_loaded(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    await hass.config_entries.async_unload(loaded.entry_id)
    assert titles(await browse(hass)) == []
    with pytest.raises(BrowseError):
        await browse(hass, f"{ROOT}/{loaded.entry_id}/zh")
    with pytest.raises(Unresolvable):
        await resolve(hass, "longanyang")


async def test_an_account_without_a_voice(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """It has no engine to speak with."""
    hass.config_entries.async_remove_subentry(loaded, SUBENTRY_ID)
    await hass.async_block_till_done()
    assert titles(await browse(hass))
    with pytest.raises(Unresolvable, match="Add a voice"):
        await resolve(hass, "longanyang")


@pytest.mark.parametrize(
    "place",
    ["xx", "zh/nothing", "ko/children", "account/xx", "a/b/c/d"],
)
async def test_there_is_nothing_elsewhere(
    hass: HomeAssistant, loaded: MockConfigEntry, place: str
) -> None:
    with pytest.raises(BrowseError, match="The gallery has nothing"):
        await browse(hass, f"{ROOT}/{place}")
    with pytest.raises(Unresolvable):
        await resolve(hass, place)


@pytest.mark.skipif(not SEARCHABLE, reason="Home Assistant searches since 2026.9")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("longanhuan cheerful", {"longanhuan", "longanhuan_v3"}),
        ("龙安欢 v3-PLUS", {"longanhuan"}),
        ("myhome", {CLONE}),
        ("shaanxi", {"longshange_v3", "longshange"}),
        ("nobody", set()),
    ],
)
async def test_voices_can_be_searched(
    hass: HomeAssistant,
    gallery: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
    query: str,
    found: set[str],
) -> None:
    """By the words that describe them."""
    assert (await browse(hass)).can_search
    client: Any = await hass_ws_client()
    await client.send_json_auto_id(
        {
            "type": "media_source/search_media",
            "media_content_id": ROOT,
            "search_query": query,
        }
    )
    answer = await client.receive_json()
    ids = [item["media_content_id"] for item in answer["result"]["result"]]
    assert {place.rsplit("/", 1)[1] for place in ids} == found
