"""Short texts and amounts as Home Assistant's language writes them."""

from typing import Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_cached_translations

from .const import DOMAIN

PATTERN: Final = "1,234.5"
"""One thousand two hundred thirty-four and a half, as Python writes it."""


def common_text(hass: HomeAssistant, key: str, default: str) -> str:
    """Return a text of the category ``common`` of the translations.

    Args:
        hass: Home Assistant.
        key: The key of the text.
        default: The text while the translations are not loaded.
    """
    texts = async_get_cached_translations(hass, hass.config.language, "common", DOMAIN)
    return texts.get(f"component.{DOMAIN}.common.{key}", default)


def pattern_of(hass: HomeAssistant) -> str:
    """Return `PATTERN` as Home Assistant's language writes it."""
    return common_text(hass, "number", PATTERN)


def localized(text: str, pattern: str) -> str:
    """Return a text whose numbers have the marks of a language.

    Args:
        text: An amount as Python writes it, such as "12,000.5 CNY".
        pattern: The language's way to write `PATTERN`.
    """
    return text.translate(str.maketrans(",.", pattern[1] + pattern[-2]))
