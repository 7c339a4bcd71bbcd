"""What goes wrong at the service, as a person finds it among the repairs.

With the environment variable PICTURES, which names a folder, the picture of the
documentation is taken on the way. LANGUAGES names other languages, with blanks between.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
import os
from pathlib import Path
import uuid

from playwright.async_api import expect
import pytest

from custom_components.cosyvoice.issues import THROTTLED_FAILURES
from tests.demo.api import RefusedError
from tests.demo.home import Home
from tests.demo.service import EmulatedService
from tests.demo.speech import speak

from .browser import UserInterface, needs_chromium, texts, user_interface
from .conftest import KEYS
from .repairs import see_repair

pytestmark = [
    # One process for all of these tests, as they share one house
    pytest.mark.xdist_group("e2e repairs"),
    pytest.mark.timeout(300),
    needs_chromium,
]
KEY_ABROAD = "sk-abroad"
CLONE = "cosyvoice-v3-flash-grandma-0123456789abcdef"
FAULTS = {
    "arrears": "arrears",
    "free_quota": "free_quota",
    "model_not_activated": "access_denied",
    "rate_limited": "throttled",
}
"""The service's error that opens each repair."""

type Interfaces = list[UserInterface]


@pytest.fixture
async def service(emulator: EmulatedService) -> AsyncGenerator[EmulatedService]:
    """The emulator, whose faults, cloned voices and keys end with the test."""
    yield emulator
    await emulator.script()
    await emulator.set(cloned_voices={}, api_keys=KEYS)


@pytest.fixture
async def interfaces(home: Home, pictures: Path | None) -> AsyncGenerator[Interfaces]:
    """A browser in each language."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(user_interface(home, language, pictures))
            for language in os.environ.get("LANGUAGES", "en zh-Hans").split()
        ]


async def test_repairs_come_and_go(
    home: Home, service: EmulatedService, engine: str, interfaces: Interfaces
) -> None:
    for cause, fault in FAULTS.items():
        # A task may have been started in advance, before the trouble began
        points = "before_started", "before_audio"
        await service.script(*(f"{fault}@{at},times=always" for at in points))
        # All together, as some are tried again and again for seconds
        failures = THROTTLED_FAILURES + 1 if cause == "rate_limited" else 2
        await asyncio.gather(*(_fail(home, engine) for _ in range(failures)))
        await _expect_one_repair(interfaces, cause, account="CosyVoice")
        if cause == "arrears":
            for interface in interfaces:
                await interface.picture("repairs")
        await service.script()
        await speak(home, engine, _new_text())
        await _expect_no_repair(interfaces)
    await _lose_and_find_voice(home, service, engine, interfaces)
    await _use_up_budget(home, engine, interfaces)


async def test_key_of_the_other_region_is_moved_there(
    home: Home,
    service: EmulatedService,
    abroad: EmulatedService,
    interfaces: Interfaces,
) -> None:
    for region, there in (("cn-beijing", service), ("ap-southeast-1", abroad)):
        await home.api.action("demo_home.move_region", region=region, url=there.url)
    await service.set(api_keys=[KEY_ABROAD])
    entry = await home.api.add_integration(
        "cosyvoice", {"user": {"api_key": KEY_ABROAD}}
    )
    await service.set(api_keys=[])
    await abroad.set(api_keys=[KEY_ABROAD])
    path = f"/api/config/config_entries/entry/{entry['entry_id']}"
    await home.api.post(f"{path}/reload", {})
    language = (await home.api.get("/api/config"))["language"]
    regions = texts(language)["selector"]["region"]["options"]
    names = {"account": "CosyVoice", "region": regions["ap-southeast-1"]}
    await _expect_one_repair(interfaces, "wrong_region", **names)
    await interfaces[0].submit()
    await _expect_no_repair(interfaces)
    await speak(home, await home.api.entity_id("speech"), _new_text())
    assert await abroad.tasks()


async def _lose_and_find_voice(
    home: Home, service: EmulatedService, engine: str, interfaces: Interfaces
) -> None:
    """Delete the cloned voice that speaks, and make it again."""
    refresh = await home.api.entity_id("refresh_voices")
    voice = await home.api.entity_id("voice")
    await service.set(cloned_voices={CLONE: "OK"})
    await home.api.action("button.press", entity_id=refresh)
    options = (await home.api.state(voice))["attributes"]["options"]
    clone = next(option for option in options if CLONE in option)
    await home.api.action("select.select_option", entity_id=voice, option=clone)
    await service.set(cloned_voices={})
    await _fail(home, engine)
    await home.api.action("button.press", entity_id=refresh)
    name = await _voice_title(home)
    await _expect_one_repair(interfaces, "voice_gone", name=name, voice=CLONE)
    await service.set(cloned_voices={CLONE: "DEPLOYING"})
    await home.api.action("button.press", entity_id=refresh)
    await _expect_one_repair(interfaces, "voice_not_ready", name=name, voice=CLONE)
    await service.set(cloned_voices={CLONE: "OK"})
    await home.api.action("button.press", entity_id=refresh)
    await _expect_no_repair(interfaces)


async def _use_up_budget(home: Home, engine: str, interfaces: Interfaces) -> None:
    """Spend most of the month's budget, then all of it, and then raise it."""
    await speak(home, engine, _new_text())
    month = await home.api.entity_id("characters_month")
    used = int((await home.api.state(month))["state"])
    budget = await home.api.entity_id("monthly_budget")
    for cause, amount in (("budget_80", int(used * 1.2)), ("budget_100", used)):
        await home.api.action("number.set_value", entity_id=budget, value=amount)
        names = {"account": "CosyVoice", "budget": f"{amount:,}"}
        await _expect_one_repair(interfaces, cause, **names)
    await home.api.action("number.set_value", entity_id=budget, value=used * 10)
    await _expect_no_repair(interfaces)


async def _voice_title(home: Home) -> str:
    """Return the title of the account's only voice."""
    entry_id = (await home.api.entities())[0]["config_entry_id"]
    (voice,) = await home.api.command(
        type="config_entries/subentries/list", entry_id=entry_id
    )
    return str(voice["title"])


async def _fail(home: Home, engine: str) -> None:
    with pytest.raises(RefusedError):
        await speak(home, engine, _new_text())


def _new_text() -> str:
    """Return a text that Home Assistant has not kept from before."""
    return f"Message {uuid.uuid4()}"


async def _expect_one_repair(
    interfaces: Interfaces, cause: str, **placeholders: str
) -> None:
    """Open the page anew: there is one repair, and it says what happened and why."""
    await asyncio.gather(
        *(see_repair(interface, cause, placeholders) for interface in interfaces)
    )


async def _expect_no_repair(interfaces: Interfaces) -> None:
    """Watch the repair go from the pages that are open."""
    for interface in interfaces:
        await expect(interface.page.locator(".no-repairs")).to_be_visible()
