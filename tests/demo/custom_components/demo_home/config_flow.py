"""The demo home needs no questions."""

from typing import Any

from homeassistant.config_entries import ConfigFlow, ConfigFlowResult

DOMAIN = "demo_home"


class DemoHomeFlow(ConfigFlow, domain=DOMAIN):
    """Takes the home as configuration.yaml asks for it."""

    async def async_step_import(self, data: dict[str, Any] | None) -> ConfigFlowResult:
        """Make the one entry."""
        return self.async_create_entry(title="Demo home", data={})
