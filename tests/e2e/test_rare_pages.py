"""Pages that few people ever see, in a real browser: repairs, actions, a phone's forms.

With the environment variable PICTURES, which names a folder, each is taken a picture of.
LANGUAGES names other languages, with blanks between; then a damaged file is shown too.
"""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
import json
import os
from pathlib import Path
from typing import Any, Self
import uuid

from playwright.async_api import ViewportSize, expect
import pytest
import yaml

from custom_components.cosyvoice.localization import localized
from tests.demo.home import API_KEY, REPOSITORY, Home
from tests.demo.programs import eventually
from tests.demo.service import EmulatedService
from tests.demo.speech import speak

from .browser import UserInterface, needs_chromium, user_interface
from .conftest import KEYS, House
from .repairs import see_repair

pytestmark = [
    # One process for all of these tests, as they share one house
    pytest.mark.xdist_group("e2e repairs"),
    pytest.mark.timeout(300),
    needs_chromium,
]
LANGUAGES = os.environ.get("LANGUAGES", "de").split()
"""German by default: it writes 0,5 and has long words."""
CLONE = "cosyvoice-v3-flash-grandma-0123456789abcdef"
LONG_AGO, RECENTLY = (
    f"{datetime.now(UTC) - timedelta(days=days):%Y-%m-%d} 10:00:00"
    for days in (340, 30)
)
ACTIONS: dict[str, Any] = yaml.safe_load(
    (REPOSITORY / "custom_components/cosyvoice/services.yaml").read_text("utf-8")
)
PHONE: ViewportSize = {"width": 390, "height": 844}
RIGHT_EDGE = """
(element, text) => {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const place = walker.currentNode.data.indexOf(text);
    if (place >= 0) {
      const range = document.createRange();
      range.setStart(walker.currentNode, place);
      range.setEnd(walker.currentNode, place + text.length);
      return range.getBoundingClientRect().right;
    }
  }
}
"""
"""Returns where a text within an element ends, in pixels from the left."""


@pytest.fixture
async def service(emulator: EmulatedService) -> AsyncGenerator[EmulatedService]:
    """The emulator, whose cloned voices end with the test."""
    yield emulator
    await emulator.set(cloned_voices={}, cloned_at=RECENTLY, api_keys=KEYS)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_rare_repairs(
    house: House,
    home: Home,
    service: EmulatedService,
    language: str,
    pictures: Path | None,
) -> None:
    async with user_interface(home, language, pictures) as interface:
        account = await Account.add(home, service)
        await service.set(cloned_voices={CLONE: "OK"}, cloned_at=LONG_AGO)
        await account.refresh()
        await account.change_voice(voice=CLONE)
        await _see(interface, "unused_voice", name=CLONE, account="CosyVoice")
        await service.set(cloned_voices={CLONE: "DEPLOYING"}, cloned_at=RECENTLY)
        await account.refresh()
        await _see(interface, "voice_not_ready", name=CLONE, voice=CLONE)
        await interface.submit()
        await expect(interface.page.locator(".no-repairs")).to_be_visible()
        gone = "tts.gone"
        await account.change_voice(safety={"fallback_engine": gone})
        await _see(interface, "fallback_gone", name=CLONE, engine=gone)
        await account.change_voice(safety={})
        await _use_up_money(home, account, interface)
        if "LANGUAGES" in os.environ:
            await _damage_usage(house, home, account, interface)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_actions(
    home: Home, emulator: EmulatedService, language: str, pictures: Path | None
) -> None:
    async with user_interface(home, language, pictures) as interface:
        await Account.add(home, emulator)
        browser, text = interface.page, interface.text
        page = browser.locator("tools-action, developer-tools-action")
        await interface.open("/developer-tools/action")
        await expect(page).to_be_visible()
        # Newer versions have them elsewhere and forget the name on the way there
        tools = browser.url
        for name, texts in text["services"].items():
            # Not opened by the interface, as Home Assistant's part has nameless fields
            await browser.goto(f"{tools}?service=cosyvoice.{name}")
            await expect(page).to_contain_text(texts["description"])
            for field in ACTIONS[name]["fields"]:
                for shown in texts["fields"][field].values():
                    await expect(page).to_contain_text(shown)
            if pictures:
                await browser.screenshot(path=pictures / f"{name}.{language}.png")
        await page.locator("ha-selector-text input").first.fill("nobody")
        await page.get_by_role("button").last.click()
        error = text["exceptions"]["no_custom_voice"]["message"]
        message = error.format(account="CosyVoice", voice="nobody")
        await expect(page.locator("ha-alert")).to_contain_text(message)
        if pictures:
            await browser.screenshot(path=pictures / f"action-error.{language}.png")
        await browser.goto(home.api.url)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_prices_are_seen_on_a_phone(
    home: Home, emulator: EmulatedService, language: str, pictures: Path | None
) -> None:
    async with user_interface(home, language, pictures) as interface:
        await Account.add(home, emulator)
        await interface.page.set_viewport_size(PHONE)
        await interface.begin_voice("choose", title="voice")
        await interface.picture("phone-voice")
        models = list(interface.subentry["step"]["voice"]["data"]).index("model")
        field = interface.form.locator("ha-selector-select").nth(models)
        # Its middle is the long description
        await field.click(position={"x": 20, "y": 20})
        options = interface.page.locator(
            "ha-dropdown-item, ha-list-item", has_text="CNY"
        )
        await expect(options.last).to_be_visible()
        await interface.picture("phone-models")
        for option in await options.all():
            assert await option.evaluate(RIGHT_EDGE, "CNY") < PHONE["width"]


class Account:
    """An account, as its forms change it.

    Attributes:
        entry_id: Of its config entry.
    """

    def __init__(self, home: Home, entry_id: str) -> None:
        """Change an account with one voice."""
        self.entry_id = entry_id
        self._api = home.api

    @classmethod
    async def add(cls, home: Home, service: EmulatedService) -> Self:
        """Add an account, whose entities have the names of the language now."""
        account = {"api_key": API_KEY, "advanced": {"base_url": service.url}}
        entry = await home.api.add_integration("cosyvoice", {"user": account})
        return cls(home, entry["entry_id"])

    async def refresh(self) -> None:
        """Read the list of voices."""
        button = await self._api.entity_id("refresh_voices")
        await self._api.action("button.press", entity_id=button)

    async def change_voice(self, **changes: Any) -> None:
        """Submit the form of the voice."""
        (voice,) = await self._api.command(
            type="config_entries/subentries/list", entry_id=self.entry_id
        )
        path = "/api/config/config_entries/subentries/flow"
        step = await self._api.post(
            path,
            {
                "handler": [self.entry_id, "voice"],
                "subentry_id": voice["subentry_id"],
            },
        )
        form = {"language": "any", "kind": "any", "voice": "longanyang", **changes}
        for answer in (form, {"next_step_id": "use"}):
            step = await self._api.post(f"{path}/{step['flow_id']}", answer)
        assert step["reason"] == "reconfigure_successful"

    async def limit(self, amount: float, unit: str = "money") -> None:
        """Set the monthly budget in the form of the options."""
        path = "/api/config/config_entries/options/flow"
        step = await self._api.post(path, {"handler": self.entry_id})
        shown = {
            field["name"]: field["description"]["suggested_value"]
            for field in step["data_schema"]
        }
        budget = {"monthly_budget": amount, "budget_unit": unit}
        await self._api.post(f"{path}/{step['flow_id']}", {**shown, **budget})


async def _see(interface: UserInterface, cause: str, **placeholders: str) -> None:
    await see_repair(interface, cause, placeholders)
    await interface.picture(f"repair-{cause}")


async def _use_up_money(home: Home, account: Account, interface: UserInterface) -> None:
    """Spend most of a budget in money, then all of it; the event's entity tells."""
    engine = await home.api.entity_id("speech")
    cost = await home.api.entity_id("cost_month")

    async def spent() -> float:
        return float((await home.api.state(cost))["state"])

    async def is_billed() -> bool:
        return await spent() > 0

    await speak(home, engine, f"Washing machine number {uuid.uuid4()} has finished.")
    await eventually(is_billed)
    whole = await spent()
    pattern = interface.text["common"]["number"]
    for cause, amount in (("80", round(whole * 1.2, 6)), ("100", whole)):
        await account.limit(amount)
        budget = localized(f"{amount:,.10g} CNY", pattern)
        names = {"account": "CosyVoice", "budget": budget}
        await _see(interface, f"budget_{cause}_money", **names)
    event = await home.api.entity_id("budget")
    await interface.open(f"/logbook?entity_id={event}")
    texts = interface.text["entity"]["event"]["budget"]
    logbook = interface.page.locator("ha-panel-logbook")
    await expect(logbook).to_contain_text(texts["name"])
    # The logbook of Home Assistant 2026.3 does not tell what an event was
    if not (await home.api.get("/api/config"))["version"].startswith("2026.3."):
        for text in texts["state_attributes"]["event_type"]["state"].values():
            await expect(logbook).to_contain_text(text)
    await interface.picture("budget-logbook")
    await account.limit(0)


async def _damage_usage(
    house: House, home: Home, account: Account, interface: UserInterface
) -> None:
    """Put a file of a newer version in the place of the usage file."""
    path = home.directory / ".storage" / f"cosyvoice.usage.{account.entry_id}"
    newer = {"version": 99, "minor_version": 1, "key": path.name, "data": {}}
    await asyncio.to_thread(path.write_text, json.dumps(newer), "utf-8")
    await house.start_again("kill")
    issues = await home.api.command(type="repairs/list_issues")
    names = next(
        issue["translation_placeholders"]
        for issue in issues["issues"]
        if issue["translation_key"] == "usage_unreadable"
    )
    await _see(interface, "usage_unreadable", **names)
