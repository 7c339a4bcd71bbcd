"""Texts and amounts are written as the reader's language writes them."""

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.cosyvoice.const import DOMAIN
from custom_components.cosyvoice.localization import PATTERN, localized, pattern_of
from custom_components.cosyvoice.usage.ledger import OverBudgetError
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.translation import async_load_integrations
from tests.texts import LANGUAGES, read

from .flows import start_voice, submit_voice
from .ledgers import account, loaded as loaded_ledger, spoken


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_shows_how_it_writes_numbers(language: str) -> None:
    pattern = read(language)["common"]["number"]
    digits = [character for character in pattern if character.isdigit()]
    assert digits == [character for character in PATTERN if character.isdigit()]
    assert localized(PATTERN, pattern) == pattern


@pytest.mark.parametrize(
    ("language", "amount"),
    [
        ("en", "1,234.5 CNY"),
        ("zh-Hans", "1,234.5 CNY"),
        ("de", "1.234,5 CNY"),
        ("fr", "1\N{NARROW NO-BREAK SPACE}234,5 CNY"),
        ("ru", "1\N{NO-BREAK SPACE}234,5 CNY"),
    ],
)
async def test_a_budget_in_repairs_and_errors(
    hass: HomeAssistant, language: str, amount: str
) -> None:
    hass.config.language = language
    await async_load_integrations(hass, {DOMAIN})
    budget = account(
        monthly_budget=1234.5, budget_unit="money", refuse_over_budget=True
    )
    async with loaded_ledger(hass, budget) as ledger:
        ledger.record(spoken(20_000_000), "living_room")
        (issue,) = ir.async_get(hass).issues.values()
        with pytest.raises(OverBudgetError) as error:
            ledger.check_budget()
    for placeholders in (
        issue.translation_placeholders,
        error.value.translation_placeholders,
    ):
        assert placeholders is not None
        assert placeholders["budget"] == amount


async def test_prices_and_rates_in_the_dialogs_of_a_voice(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    await hass.config.async_update(language="de")
    result = await start_voice(hass, loaded)
    assert result["data_schema"] is not None
    labels = {
        name: [option["label"] for option in field.config["options"]]
        for name, field in result["data_schema"].schema.items()
        if name in {"model", "sample_rate"}
    }
    assert "24.000 Hz" in labels["sample_rate"]
    assert any("≈ 3,6 CNY/h" in label for label in labels["model"])
    result = await submit_voice(hass, result, {"voice": "longanhuan"})
    assert result["description_placeholders"] is not None
    assert "höchstens 0,0" in result["description_placeholders"]["sample"]


async def test_before_the_texts_are_loaded(hass: HomeAssistant) -> None:
    assert pattern_of(hass) == PATTERN
