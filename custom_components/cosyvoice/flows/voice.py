"""Adding a voice to an account and changing its settings."""

from collections.abc import Collection
import re
from typing import Any, override

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntryState,
    SubentryFlowResult,
)
from homeassistant.const import CONF_REGION
from homeassistant.core import callback

from ..const import CONF_STYLE, CONF_VOICE, NO_STYLE
from ..coordinator import CosyVoiceConfigEntry
from ..settings import DEFAULT_SETTINGS, complete
from ..speech.engines import engine_ids
from ..speech.sample import SampleBooks
from ..voices.names import Words, in_chinese, romanized, voice_title
from .creation import Creation, creatable
from .creation_flow import CreationFlow
from .listen import Audition
from .voice_form import VoiceForm


class VoiceSubentryFlow(CreationFlow):
    """Adds a voice to an account, or changes its settings."""

    _form: VoiceForm | None = None
    _audition: Audition | None = None
    _settings: dict[str, Any]

    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask where the voice comes from."""
        entry = self._get_entry()
        if entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="entry_not_loaded")
        options = ["choose", *creatable(entry)]
        return self.async_show_menu(step_id="user", menu_options=options)

    async def async_step_choose(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Choose one of the voices that exist."""
        return await self.async_step_voice()

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Change a voice."""
        return await self.async_step_voice()

    async def async_step_voice(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the settings of the voice."""
        entry = self._get_entry()
        if entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="entry_not_loaded")
        form = self._form = self._form or await self._async_create_form(entry)
        if user_input is not None and (settings := form.submit(user_input)):
            self._settings = settings
            return await self.async_step_listen()
        schema = form.full_schema(engine_ids(self.hass, entry))
        return self.async_show_form(
            step_id="voice",
            data_schema=self.add_suggested_values_to_schema(schema, form.shown),
            errors=form.errors,
            description_placeholders=form.placeholders,
        )

    async def async_step_listen(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Offer to listen to the voice."""
        entry = self._get_entry()
        if entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="entry_not_loaded")
        creation = self._creation
        if creation and not creation.voice:
            return self._show_form(creation)
        return self.async_show_menu(
            step_id="listen",
            menu_options=creation.menu if creation else ["use", "other"],
            description_placeholders=await self._async_listen(entry, creation),
        )

    async def async_step_use(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Use the voice."""
        entry = self._get_entry()
        if entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="entry_not_loaded")
        is_change = self.source == SOURCE_RECONFIGURE
        if is_change and self._reconfigure_subentry_id not in entry.subentries:
            return self.async_abort(reason="voice_removed")
        if creation := self._creation:
            if not creation.voice:
                return self._show_form(creation)
            self._settings = creation.settings
        return self._save(entry, self._settings)

    async def async_step_other(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Return to the form."""
        return await self.async_step_voice()

    @callback
    @override
    def async_remove(self) -> None:
        """Give up the sample when the flow ends."""
        super().async_remove()
        self._close_audition()

    async def _async_listen(
        self, entry: CosyVoiceConfigEntry, creation: Creation | None
    ) -> dict[str, str]:
        """Return the placeholders of the step ``listen``."""
        if creation and creation.sample:
            return await creation.sample.async_placeholders()
        runtime = entry.runtime_data
        clones = runtime.voices.data
        if creation and creation.voice:
            self._settings = creation.settings
            clones = clones | {creation.voice.id: creation.voice}
        if self._audition is None or self._audition.client is not runtime.client:
            self._close_audition()
            books = SampleBooks(runtime.usage)
            self._audition = Audition(self.hass, runtime.client, books)
        return await self._audition.async_placeholders(self._settings, clones.values())

    def _close_audition(self) -> None:
        if self._audition:
            self._audition.close()

    async def _async_create_form(self, entry: CosyVoiceConfigEntry) -> VoiceForm:
        before = DEFAULT_SETTINGS
        if self.source == SOURCE_RECONFIGURE:
            before = complete(self._get_reconfigure_subentry().data)
        clones = tuple(entry.runtime_data.voices.data.values())
        words = await Words.load(self.hass)
        return VoiceForm(words, entry.data[CONF_REGION], clones, before)

    def _save(
        self, entry: CosyVoiceConfigEntry, settings: dict[str, Any]
    ) -> SubentryFlowResult:
        names, chosen = entry.runtime_data.voices.names, settings[CONF_VOICE]
        if self._creation:
            names[chosen] = self._creation.name
        name = names.get(chosen) or voice_title(chosen, chinese=in_chinese(self.hass))
        titles = {subentry.title for subentry in entry.subentries.values()}
        if self.source != SOURCE_RECONFIGURE:
            return self.async_create_entry(
                title=unused_title(name, titles), data=settings
            )
        subentry = self._get_reconfigure_subentry()
        stored = complete(subentry.data)
        title, voice = subentry.title, stored[CONF_VOICE]
        # Its entity may have changed it while the form was open
        settings[CONF_STYLE] = stored[CONF_STYLE]
        if settings[CONF_VOICE] != voice:
            settings[CONF_STYLE] = NO_STYLE
            if is_title_of(voice, title) or title == names.get(voice):
                title = unused_title(name, titles - {title})
        self.hass.config_entries.async_update_subentry(
            entry, subentry, title=title, data=settings
        )
        # Home Assistant's helper would take its own text, which is in English only
        return self.async_abort(reason="reconfigure_successful")


def unused_title(name: str, titles: Collection[str]) -> str:
    """Return a name, numbered if it is already a title."""
    title, number = name, 1
    while title in titles:
        number += 1
        title = f"{name} {number}"
    return title


def is_title_of(voice: str, title: str) -> bool:
    """Return whether a title is a voice's name in any language, or numbered."""
    name = re.escape(voice_title(voice, chinese=False))
    return re.fullmatch(rf"{name}( \d+)?", romanized(title)) is not None
