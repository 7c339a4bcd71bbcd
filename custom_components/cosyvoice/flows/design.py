"""Designing a voice with words."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final, override

import voluptuous as vol

from homeassistant.const import CONF_DESCRIPTION, CONF_NAME
from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import TextSelector, TextSelectorConfig

from ..client import DesignedVoice
from ..const import CONF_MODEL, DOMAIN
from ..coordinator import CosyVoiceConfigEntry
from ..voices.designs import DESIGNS, SAMPLE_TEXTS
from ..voices.names import Words
from .creation import Creation, design_models
from .fields import dropdown
from .listen import Sample

CONF_EXAMPLE: Final = "example"
CONF_SAMPLE_TEXT: Final = "sample_text"
LONGEST_DESCRIPTION: Final = 500
SAMPLE_LENGTHS: Final = (15, 200)
"""Characters that the service accepts. Source: Model Studio, voice design API."""
CONTENT_TYPES: Final = {"mp3": "audio/mpeg", "wav": "audio/wav"}


class Designing(Creation):
    """A voice that is being designed."""

    step = "design"
    menu = ["use", "again", "discard"]

    def __init__(
        self, hass: HomeAssistant, entry: CosyVoiceConfigEntry, words: Words
    ) -> None:
        """Begin with a text for the sample, in Chinese or English."""
        super().__init__(hass, entry, words)
        self._preparation: asyncio.Task[None] | None = None
        self._models = design_models(self._region)
        self._language = "zh" if words.chinese else "en"
        self.shown = {CONF_SAMPLE_TEXT: SAMPLE_TEXTS[self._language]}

    @override
    def schema(self) -> vol.Schema:
        examples = {key: self._words.name("design_example", key) for key in DESIGNS}
        text = TextSelector(TextSelectorConfig(multiline=True))
        return vol.Schema(
            {
                vol.Required(CONF_NAME): TextSelector(),
                vol.Optional(CONF_EXAMPLE): dropdown(examples),
                vol.Optional(CONF_DESCRIPTION): text,
                vol.Required(CONF_SAMPLE_TEXT): text,
                vol.Required(
                    CONF_MODEL, default=self._models[0].id
                ): self._model_selector(self._models),
            }
        )

    @override
    def submit(self, user_input: Mapping[str, Any]) -> bool:
        self.errors = {}
        self.shown = {
            **user_input,
            CONF_SAMPLE_TEXT: _trimmed(user_input, CONF_SAMPLE_TEXT),
        }
        description = _trimmed(user_input, CONF_DESCRIPTION)
        example = self.shown.pop(CONF_EXAMPLE, None)
        if example and not description:
            self.shown[CONF_DESCRIPTION] = DESIGNS[example][self._language]
            return False
        self.shown[CONF_DESCRIPTION] = description
        if not self.name:
            self.errors[CONF_NAME] = "name_required"
        if not 0 < len(description) <= LONGEST_DESCRIPTION:
            self.errors[CONF_DESCRIPTION] = "description_length"
        shortest, longest = SAMPLE_LENGTHS
        length = len(self.shown[CONF_SAMPLE_TEXT])
        self.placeholders = {"count": str(length)}
        if not shortest <= length <= longest:
            self.errors[CONF_SAMPLE_TEXT] = "sample_text_length"
        return not self.errors

    @override
    def start(self) -> None:
        self._identify(
            *(
                self.shown[key]
                for key in (CONF_DESCRIPTION, CONF_SAMPLE_TEXT, CONF_MODEL)
            )
        )
        self._start(("designing", self._make))

    @override
    async def _async_create(self) -> str:
        voice = await self._enrolment.design(
            self.shown[CONF_DESCRIPTION],
            self.shown[CONF_SAMPLE_TEXT],
            model=self.shown[CONF_MODEL],
            prefix=self._prefix,
        )
        self._publish(voice)
        return voice.id

    @override
    async def _async_created(self) -> None:
        """Wait in the background if there is something to listen to."""
        if not self.sample:
            await super()._async_created()
            return
        self.ready = True
        self._preparation = self._hass.async_create_background_task(
            self._async_follow(), f"{DOMAIN} preparation of a voice"
        )

    @override
    async def async_discard(self) -> None:
        if self._preparation:
            self._preparation.cancel()
        await super().async_discard()

    async def _async_follow(self) -> None:
        """Read the list of voices again once the voice is ready."""
        await self._run(self._wait)
        await self._voices.async_refresh()

    def _publish(self, voice: DesignedVoice) -> None:
        content_type = CONTENT_TYPES.get(voice.preview_format)
        if voice.preview and content_type and not self._closed:
            self.sample = Sample.of_audio(
                self._hass,
                voice.preview,
                content_type,
                name=self.name,
                text=self.shown[CONF_SAMPLE_TEXT],
            )


def _trimmed(user_input: Mapping[str, Any], key: str) -> str:
    return str(user_input.get(key, "")).strip()
