"""Home Assistant's user interface, used as a person uses it."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
import json
from pathlib import Path
import re
import shutil
import sys
from typing import Any

import hass_frontend
from playwright.async_api import Locator, Page, ViewportSize, async_playwright, expect
import pytest

from tests.demo.home import PASSWORD, REPOSITORY, USER, Home

from .wording import SHOWN, Wording

WORDS = {
    "ok": ("", "ui.common.ok"),
    "submit": ("config", "ui.panel.config.integrations.config_flow.submit"),
    "skip": ("config", "ui.panel.config.integrations.config_flow.finish_skip"),
    "add_assistant": (
        "config",
        "ui.panel.config.voice_assistants.assistants.pipeline.add_assistant",
    ),
    "create": (
        "config",
        "ui.panel.config.voice_assistants.assistants.pipeline.detail.add_assistant_action",
    ),
}
"""Home Assistant's words on the buttons: where its frontend has them, and their key."""
FRONTEND = Path(hass_frontend.__file__).parent / "static/translations"
LOCALES = {"en": "en-US", "zh-Hans": "zh-CN"}
WINDOW: ViewportSize = {"width": 1280, "height": 1080}
SWITCHES = [
    # The sandbox needs rights that containers and root do not have
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
PATIENCE_MS = 30_000
READINGS = 40
"""How often a page is read that shows something other than texts: it may be loading."""
READING_PAUSE_MS = 250
PLAY = """
async (player, until) => {
  await player.play();
  while (player.currentTime < until && !player.ended) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  player.pause();
  return player.duration;
}
"""
"""Plays an audio element until some second, and returns its duration in seconds."""


def find_chromium() -> str | None:
    """Return an installed Chromium or Chrome."""
    names = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


needs_chromium = pytest.mark.skipif(
    find_chromium() is None,
    reason="no Chromium found to look at the user interface with",
)


def texts(language: str) -> dict[str, Any]:
    """Return the integration's own texts in a language."""
    path = REPOSITORY / f"custom_components/cosyvoice/translations/{language}.json"
    translations: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return translations


def frontend_words(language: str) -> dict[str, str]:
    """Return Home Assistant's words on the buttons in a language."""
    found = {}
    for name, (folder, key) in WORDS.items():
        # Behind the language is a hash in hexadecimal digits
        pattern = f"{language}-{'[0-9a-f]' * 8}*.json"
        (path,) = (FRONTEND / folder).glob(pattern)
        found[name] = json.loads(path.read_text(encoding="utf-8"))[key]
    return found


class UserInterface:
    """One browser page, logged in as the owner.

    Attributes:
        page: The page, to look for what is on it.
        text: The integration's texts in the language of the page.
    """

    def __init__(
        self, page: Page, url: str, language: str, pictures: Path | None
    ) -> None:
        """Use a page; pictures are taken only where there is a folder for them."""
        self.page = page
        self.text = texts(language)
        self._url = url
        self._wording = Wording.of(language)
        self._words = frontend_words(language)
        self._suffix = "" if language == "en" else f".{language}"
        self._pictures = pictures

    @property
    def subentry(self) -> dict[str, Any]:
        """The texts of the dialogs of a voice."""
        found: dict[str, Any] = self.text["config_subentries"]["voice"]
        return found

    async def log_in(self) -> None:
        """Log in through the login page."""
        await self.open("/config/integrations/dashboard")
        await self.page.locator("input[name=username]").fill(USER)
        await self.page.locator("input[name=password]").fill(PASSWORD)
        await self.page.keyboard.press("Enter")
        # Only the page itself says that the tokens are stored
        await expect(self.page.locator("ha-config-integrations")).to_be_visible()

    async def open(self, path: str) -> None:
        """Leave the page that is open for another one."""
        await self.read()
        await self.page.goto(f"{self._url}{path}")

    async def begin_account(self, api_key: str, base_url: str) -> None:
        """Open the form for an account and submit a key and an address."""
        await self.open("/config/integrations/dashboard/add?domain=cosyvoice")
        await self._press("ok")
        await self.form.locator("ha-expansion-panel").click()
        await self.form.locator("input[type=url]").fill(base_url)
        await self.enter_key(api_key)

    async def enter_key(self, api_key: str) -> None:
        """Enter an API key into the account's form and submit it."""
        await self.form.locator("input[type=password]").fill(api_key)
        await self._press("submit")

    async def submit(self) -> None:
        """Submit the form that is open."""
        await self._press("submit")

    async def expect_title(self, title: str) -> None:
        """Wait until a dialog has a title."""
        await expect(self.page.get_by_text(title, exact=True).first).to_be_visible()

    async def finish_account(self) -> None:
        """Submit the form for the first voice unchanged, and leave the dialog."""
        await self._press("submit")
        await self.listen(self.text["config"])
        await self._press("skip")
        await expect(self.page.locator("dialog-data-entry-flow")).to_be_hidden()

    async def add_voice(self, voice: str, name: str) -> None:
        """Add a voice by searching for its id or name."""
        await self.begin_voice("choose", title="voice")
        await self.picture("add-voice")
        position = list(self.subentry["step"]["voice"]["data"]).index("voice")
        await self.form.locator("ha-selector-select").nth(position).click()
        await self.page.locator("ha-picker-combo-box input").fill(voice)
        item = self.page.locator("ha-combo-box-item", has_text=name).first
        await expect(item).to_be_visible()
        await self.picture("search")
        await item.click()
        await self._press("submit")
        await self.listen(self.subentry)
        await expect(self.page.locator("step-flow-menu")).to_be_hidden()

    async def begin_voice(self, kind: str, *, title: str | None = None) -> None:
        """Open the form that chooses, clones or designs a voice.

        Args:
            kind: The option of the menu.
            title: The step whose title the form has, if it is another name.
        """
        await self.open("/config/integrations/integration/cosyvoice")
        await self._button(self.subentry["initiate_flow"]["user"]).click()
        await expect(self.page.locator("step-flow-menu")).to_be_visible()
        await self.picture("voice-menu")
        await self.choose(self.subentry["step"]["user"]["menu_options"][kind])
        await self.expect_title(self.subentry["step"][title or kind]["title"])

    async def listen(self, flow: Mapping[str, Any]) -> None:
        """Play the sample of a voice in the dialog, then use the voice.

        Args:
            flow: The texts of the flow.
        """
        step = flow["step"]["listen"]
        await self.expect_title(step["title"])
        player = self.page.locator("step-flow-menu audio")
        assert await player.evaluate(PLAY, 0.3) > 0
        await self.picture("listen")
        for second in range(1, 4) if self._pictures else ():
            await player.evaluate(PLAY, second)
            await self.picture(f"listen-{second}")
        await self.choose(step["menu_options"]["use"])

    async def play_in_gallery(self, voice: str) -> None:
        """Play the sample of a Chinese woman's voice in the media browser.

        Args:
            voice: Its name.
        """
        selector = self.text["selector"]
        shelves = [
            "CosyVoice",
            selector["language"]["options"]["zh"],
            selector["voice_kind"]["options"]["women"],
        ]
        await self.open("/media-browser/browser")
        browser = self.page.locator("ha-media-player-browse")
        for shelf in shelves:
            await browser.get_by_text(shelf, exact=True).last.click()
        item = browser.locator("ha-list-item", has_text=voice).first
        await expect(item).to_be_visible()
        await self.picture("gallery")
        async with self.page.expect_response(re.compile("/api/tts_proxy/")) as audio:
            await item.click()
        assert (await audio.value).ok
        bar = self.page.locator("ha-bar-media-player")
        await expect(bar).to_contain_text(voice)

    async def open_device(self, device_id: str) -> None:
        """Go to a device's page and wait until it is drawn."""
        await self.open(f"/config/devices/device/{device_id}")
        await expect(self.page.locator("ha-device-entities-card").first).to_be_visible()

    async def add_assistant(self, name: str, engine_name: str) -> str:
        """Create a voice assistant that speaks with an engine.

        Returns:
            The voice that the form chose by itself, as it shows it.
        """
        await self.open("/config/voice-assistants/assistants")
        await self._press("add_assistant")
        dialog = self.page.locator("dialog-voice-assistant-pipeline-detail")
        await dialog.get_by_role("textbox").first.fill(name)
        await dialog.locator("ha-tts-picker").click()
        await self.page.get_by_text(engine_name, exact=True).last.click()
        picker = dialog.locator("ha-tts-voice-picker")
        await expect(picker).to_be_visible()
        voice = await picker.inner_text()
        await picker.scroll_into_view_if_needed()
        await self.picture("voice-assistant")
        await self._press("create")
        await expect(dialog).to_be_hidden()
        return voice

    async def read(self) -> None:
        """Read the page: it shows texts and nothing in their place.

        Done before everything that changes the page.
        """
        for _ in range(READINGS):
            texts, faults = await self.page.evaluate(SHOWN)
            faults += self._wording.faults(texts)
            if not faults:
                return
            await self.page.wait_for_timeout(READING_PAUSE_MS)
        assert not faults, faults

    async def picture(self, name: str) -> None:
        """Read the page, and take a picture of it once nothing moves any more."""
        await self.read()
        if self._pictures is None:
            return
        await self.page.evaluate(
            "Promise.all(document.getAnimations().map(animation => animation.finished"
            ".catch(() => null)))"
        )
        await self.page.wait_for_load_state("networkidle")
        await self.page.screenshot(path=self._pictures / f"{name}{self._suffix}.png")

    async def choose(self, option: str) -> None:
        """Select an option of a menu."""
        await self.read()
        menu = self.page.locator("step-flow-menu")
        await menu.get_by_text(option, exact=True).click()

    @property
    def form(self) -> Locator:
        """The form of a config flow."""
        return self.page.locator("step-flow-form")

    @property
    def error(self) -> Locator:
        """The error on the form of a config flow."""
        return self.form.locator("ha-alert")

    async def _press(self, word: str) -> None:
        await self.read()
        await self._button(self._words[word]).click()

    def _button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True).last


@asynccontextmanager
async def user_interface(
    home: Home, language: str, pictures: Path | None = None
) -> AsyncGenerator[UserInterface]:
    """Open a browser in a language and log in to Home Assistant.

    Nothing outside this machine can be reached from the page.
    """
    await home.api.command(type="config/core/update", language=language)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=find_chromium(), args=SWITCHES
        )
        context = await browser.new_context(
            viewport=WINDOW,
            locale=LOCALES.get(language, language),
            reduced_motion="reduce",
        )
        context.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        page = await context.new_page()
        interface = UserInterface(page, home.api.url, language, pictures)
        await interface.log_in()
        yield interface
        await interface.read()
        await browser.close()


if __name__ == "__main__":
    sys.exit(find_chromium() is None)
