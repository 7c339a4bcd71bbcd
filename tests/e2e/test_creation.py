"""Voices cloned, designed and discarded in a real browser, in several languages.

With the environment variable PICTURES, which names a folder, the pictures of the
documentation are taken on the way. LANGUAGES names other languages, with blanks between.
"""

import os
from pathlib import Path

import numpy as np
from playwright.async_api import expect
import pytest

from tests.demo.home import Home
from tests.demo.service import EmulatedService
from tests.emulator.recordings import RATE, speech, wav

from .browser import PLAY, UserInterface, needs_chromium, user_interface

pytestmark = [
    # One process for all of these tests, as they share one house
    pytest.mark.xdist_group("e2e browser"),
    pytest.mark.timeout(300),
    needs_chromium,
]
LANGUAGES = os.environ.get("LANGUAGES", "en zh-Hans").split()
NAMES = {"zh-Hans": "奶奶"}
SAMPLE = "Good evening. Dinner is ready in ten minutes."


@pytest.fixture
def recordings(tmp_path: Path) -> dict[str, Path]:
    """Return files by the error that each causes, a good one by an empty text."""
    contents = {
        "recording_unreadable": b"Dear Sir or Madam, " * 100,
        "recording_silent": wav(np.zeros(14 * RATE, np.int16)),
        "recording_too_short": wav(speech(200, 3)),
        "": wav(speech(200, 14)),
    }
    paths = {error: tmp_path / f"{error or 'memo'}.wav" for error in contents}
    for error, content in contents.items():
        paths[error].write_bytes(content)
    return paths


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.usefixtures("engine")
async def test_a_voice_is_cloned_in_the_browser(
    home: Home,
    language: str,
    pictures: Path | None,
    recordings: dict[str, Path],
) -> None:
    name = NAMES.get(language, "Grandma")
    async with user_interface(home, language, pictures) as interface:
        await interface.begin_voice("clone")
        form, errors = interface.form, interface.subentry["error"]
        await form.get_by_role("textbox").first.fill(name)
        good = recordings.pop("")
        await _upload(interface, good)
        await interface.picture("clone")
        await interface.submit()
        await expect(form).to_contain_text(errors["consent_required"])
        await form.locator("ha-selector-boolean ha-switch, ha-checkbox").first.click()
        for error, path in recordings.items():
            await _upload_another(interface, path)
            await interface.submit()
            await expect(form).to_contain_text(errors[error])
        await interface.picture("clone-too-short")
        await _upload_another(interface, good)
        await interface.submit()
        await _hear(interface, "clone-listen")
        await interface.choose(_listen_options(interface)["use"])
        await expect(interface.page.get_by_text(name).first).to_be_visible()
        state = await home.api.state(await _select_of_last_voice(home))
        assert state["state"] == name


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_designed_voice_is_discarded_in_the_browser(
    home: Home,
    emulator: EmulatedService,
    engine: str,
    language: str,
    pictures: Path | None,
) -> None:
    async with user_interface(home, language, pictures) as interface:
        await interface.begin_voice("design")
        form, errors = interface.form, interface.subentry["error"]
        boxes = form.get_by_role("textbox")
        await boxes.first.fill("Captain")
        await interface.submit()
        await expect(form).to_contain_text(errors["description_length"])
        await interface.picture("design-error")
        await form.locator("ha-selector-text textarea").first.fill(
            "An old sailor, warm, slow, Sichuan dialect"
        )
        await interface.picture("design")
        await interface.submit()
        await _hear(interface, "design-listen")
        await interface.choose(_listen_options(interface)["discard"])
        await expect(
            interface.page.get_by_text(interface.subentry["abort"]["voice_discarded"])
        ).to_be_visible()


async def _upload_another(interface: UserInterface, path: Path) -> None:
    await interface.form.locator(
        "ha-file-upload [slot=end], ha-file-upload ha-icon-button"
    ).click()
    await _upload(interface, path)


async def _upload(interface: UserInterface, path: Path) -> None:
    await interface.form.locator("input[type=file]").set_input_files(path)
    field = interface.form.locator("ha-file-upload")
    await expect(field).to_contain_text(path.name)
    # The name is there while the file is sent, the button to remove it only afterwards
    await expect(field.locator("ha-icon-button").first).to_be_visible()


async def _hear(interface: UserInterface, picture: str) -> None:
    """Wait for the new voice and play its sample in the dialog."""
    await interface.expect_title(interface.subentry["step"]["listen"]["title"])
    player = interface.page.locator("step-flow-menu audio")
    assert await player.evaluate(PLAY, 0.3) > 0
    await interface.picture(picture)


def _listen_options(interface: UserInterface) -> dict[str, str]:
    options: dict[str, str] = interface.subentry["step"]["listen"]["menu_options"]
    return options


async def _select_of_last_voice(home: Home) -> str:
    selects = [
        entity["entity_id"]
        for entity in await home.api.entities()
        if entity["translation_key"] == "voice" and entity["platform"] == "cosyvoice"
    ]
    return str(selects[-1])
