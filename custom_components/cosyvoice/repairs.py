"""Flows that fix repair issues."""

from collections.abc import Mapping
from typing import Any, cast

import voluptuous as vol

from homeassistant.components.repairs import RepairsFlow
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_REGION
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResult

from .const import (
    AUTO,
    CONF_LANGUAGE_VOICES,
    CONF_MODEL,
    CONF_STYLE,
    CONF_VOICE,
    DEFAULT_VOICE,
    NO_STYLE,
)
from .coordinator import CosyVoiceConfigEntry
from .flows.account import update_account
from .settings import complete
from .voices.names import Words, voice_options, voice_selector


async def async_create_fix_flow(
    hass: HomeAssistant,
    issue_id: str,
    data: dict[str, str | int | float | None] | None,
) -> RepairsFlow:
    """Return the flow that fixes an issue."""
    if issue_id.startswith("voice_"):
        return ChooseVoiceFlow()
    return ChangeRegionFlow()


class ChooseVoiceFlow(RepairsFlow):
    """Replaces a voice that is not available."""

    async def async_step_init(
        self, _data: dict[str, Any] | None = None
    ) -> FlowResult[Any, Any]:
        """Show the form.

        The data of the first step is no input.
        """
        return await self.async_step_choose()

    async def async_step_choose(
        self, user_input: dict[str, Any] | None = None
    ) -> FlowResult[Any, Any]:
        """Ask for the voice to use instead."""
        entry = _entry_of(self)
        if entry is None or entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="entry_not_loaded")
        data = cast(dict[str, str], self.data)
        if (subentry := entry.subentries.get(data["subentry_id"])) is None:
            return self.async_abort(reason="voice_removed")
        runtime = entry.runtime_data
        errors = {}
        if user_input is not None:
            chosen = user_input[CONF_VOICE]
            if not runtime.voices.problem(chosen):
                self.hass.config_entries.async_update_subentry(
                    entry, subentry, data=_replace(subentry.data, data["voice"], chosen)
                )
                return self.async_create_entry(data={})
            errors[CONF_VOICE] = "voice_not_ready"
        return self.async_show_form(
            step_id="choose",
            data_schema=vol.Schema(
                {
                    vol.Required(CONF_VOICE, default=DEFAULT_VOICE): voice_selector(
                        voice_options(
                            runtime.client.region,
                            runtime.voices.ready,
                            await Words.load(self.hass),
                        )
                    )
                }
            ),
            errors=errors,
            description_placeholders={
                "name": subentry.title,
                "voice": runtime.voices.name_of(data["voice"]),
            },
        )


class ChangeRegionFlow(RepairsFlow):
    """Moves an account to the region that its key belongs to."""

    async def async_step_init(
        self, _data: dict[str, Any] | None = None
    ) -> FlowResult[Any, Any]:
        """Show the form.

        The data of the first step is no input.
        """
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> FlowResult[Any, Any]:
        """Ask whether to change the region, then change it."""
        if (entry := _entry_of(self)) is None:
            return self.async_abort(reason="entry_not_loaded")
        region = cast(dict[str, str], self.data)["region"]
        if user_input is not None:
            update_account(self.hass, entry, {**entry.data, CONF_REGION: region})
            return self.async_create_entry(data={})
        name = (await Words.load(self.hass)).name("region", region)
        return self.async_show_form(
            step_id="confirm",
            data_schema=vol.Schema({}),
            description_placeholders={"account": entry.title, "region": name},
        )


def _entry_of(flow: RepairsFlow) -> CosyVoiceConfigEntry | None:
    data = cast(dict[str, str], flow.data)
    return flow.hass.config_entries.async_get_entry(data["entry_id"])


def _replace(data: Mapping[str, Any], old: str, new: str) -> dict[str, Any]:
    """Return a voice's settings with one voice id replaced by another."""
    settings = complete(data)
    settings[CONF_LANGUAGE_VOICES] = {
        language: new if voice == old else voice
        for language, voice in settings[CONF_LANGUAGE_VOICES].items()
    }
    if settings[CONF_VOICE] == old:
        settings |= {CONF_VOICE: new, CONF_MODEL: AUTO, CONF_STYLE: NO_STYLE}
    return settings
