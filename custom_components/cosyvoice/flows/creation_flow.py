"""The steps of a flow in which a custom voice is created."""

from typing import Any, override

from homeassistant.config_entries import (
    ConfigEntryState,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.core import callback

from ..client import CosyVoiceError
from ..const import LOGGER
from ..coordinator import CosyVoiceConfigEntry
from ..errors import async_explain
from ..voices.names import Words
from .clone import Cloning
from .creation import Creation
from .design import Designing
from .listen import plain


class CreationFlow(ConfigSubentryFlow):
    """Clones or designs a voice, up to the step ``listen``."""

    _creation: Creation | None = None

    async def async_step_clone(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for a recording."""
        return await self._async_step_form(Cloning, user_input)

    async def async_step_design(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for a description."""
        return await self._async_step_form(Designing, user_input)

    async def async_step_create(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Show the progress of the voice that is being created."""
        creation = self._created
        while (task := creation.task) is not None:
            if not task.done():
                return self.async_show_progress(
                    step_id="create",
                    progress_action=creation.action,
                    progress_task=task,
                )
            creation.advance()
        if creation.errors or not creation.voice:
            next_step = creation.step
        else:
            next_step = "listen" if creation.ready else "not_ready"
        return self.async_show_progress_done(next_step_id=next_step)

    async def async_step_not_ready(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Offer to wait for a voice that was not ready in time."""
        return self.async_show_menu(
            step_id="not_ready",
            menu_options=["look_again", "use", "discard"],
            description_placeholders={"voice": plain(self._created.name)},
        )

    async def async_step_look_again(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Wait once more."""
        self._created.look_again()
        return await self.async_step_create()

    async def async_step_again(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Delete the voice and return to the form with its values."""
        creation = self._created
        try:
            await creation.async_discard()
        except CosyVoiceError as err:
            LOGGER.warning("A voice was not deleted and stays in the list: %s", err)
        return self._show_form(creation)

    async def async_step_discard(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Delete the voice."""
        creation = self._created
        try:
            await creation.async_discard()
        except CosyVoiceError as err:
            reason = await async_explain(self.hass, err)
            return self.async_abort(
                reason="discard_failed",
                description_placeholders={
                    "voice": plain(creation.name),
                    "reason": plain(reason),
                },
            )
        return self.async_abort(reason="voice_discarded")

    @callback
    @override
    def async_remove(self) -> None:
        """End the flow's work, apart from a voice that is being created."""
        if self._creation:
            self._creation.close()

    @override
    def _get_entry(self) -> CosyVoiceConfigEntry:
        return super()._get_entry()

    async def _async_step_form(
        self, kind: type[Creation], user_input: dict[str, Any] | None
    ) -> SubentryFlowResult:
        entry = self._get_entry()
        if entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="entry_not_loaded")
        creation = self._creation
        if creation is None:
            words = await Words.load(self.hass)
            creation = self._creation = kind(self.hass, entry, words)
            creation.on_progress = self.async_update_progress
        if user_input is not None and creation.submit(user_input):
            creation.start()
            return await self.async_step_create()
        return self._show_form(creation)

    def _show_form(self, creation: Creation) -> SubentryFlowResult:
        return self.async_show_form(
            step_id=creation.step,
            data_schema=self.add_suggested_values_to_schema(
                creation.schema(), creation.shown
            ),
            errors=creation.errors,
            description_placeholders=creation.placeholders,
        )

    @property
    def _created(self) -> Creation:
        assert self._creation
        return self._creation
