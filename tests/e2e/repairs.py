"""The page of repairs."""

from collections.abc import Mapping

from playwright.async_api import expect

from .browser import UserInterface


async def see_repair(
    interface: UserInterface, cause: str, placeholders: Mapping[str, str]
) -> None:
    """Open the page anew: there is one repair, and it says what happened and why."""
    issue = interface.text["issues"][cause]
    await interface.open("/config/repairs")
    titles = interface.page.locator("ha-config-repairs [slot=headline]:not(slot)")
    await expect(titles).to_have_text([issue["title"].format(**placeholders)])
    await titles.click()
    if "fix_flow" in issue:
        (step,) = issue["fix_flow"]["step"].values()
        explanation = step["description"]
    else:
        explanation = issue["description"].partition("\n")[0].replace("**", "")
    shown = interface.page.get_by_text(explanation.format(**placeholders))
    await expect(shown.last).to_be_visible()
