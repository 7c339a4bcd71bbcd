"""Backup: write unsaved usage before a backup is made."""

from homeassistant.core import HomeAssistant

from .usage.ledger import async_save_ledgers


async def async_pre_backup(hass: HomeAssistant) -> None:
    """Write the figures of all accounts."""
    await async_save_ledgers(hass)


async def async_post_backup(hass: HomeAssistant) -> None:
    """Do nothing: writing continues during a backup."""
