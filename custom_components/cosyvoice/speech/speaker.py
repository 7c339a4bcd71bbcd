"""The engine that speaks, and the checks before it does."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from homeassistant.core import HomeAssistant

from ..client import ClonedVoice, OptionError
from ..const import CONF_FALLBACK_ENGINE
from ..coordinator import CosyVoiceConfigEntry, CosyVoiceData
from ..settings import complete
from ..text.message import check_message
from ..text.ssml import is_ssml
from .ha_cache import is_cached
from .request import SpeechRequest, create_request


@dataclass(frozen=True)
class Speaker:
    """The engine that speaks.

    Attributes:
        hass: Home Assistant.
        entry: The account.
        runtime: The account's run-time data, which a reload replaces.
        subentry_id: The voice's subentry.
        entity_id: The engine's entity.
    """

    hass: HomeAssistant
    entry: CosyVoiceConfigEntry
    runtime: CosyVoiceData
    subentry_id: str
    entity_id: str

    @property
    def region_and_cloned(self) -> tuple[str, tuple[ClonedVoice, ...]]:
        """The account's region and its cloned voices."""
        clones = tuple(self.runtime.voices.data.values())
        return self.runtime.client.region, clones

    def request(self, options: Mapping[str, Any], language: str) -> SpeechRequest:
        """Return the request for the options of a message, settings included.

        Raises:
            OptionError: An option is not valid.
        """
        return create_request(options, language, *self.region_and_cloned)

    def current_fallback(self, request: SpeechRequest) -> str | None:
        """Return the fallback engine of a request, which may have been renamed."""
        subentry = self.entry.subentries.get(self.subentry_id)
        if request.fallback_engine is None or subentry is None:
            return request.fallback_engine
        return complete(subentry.data).get(CONF_FALLBACK_ENGINE)

    def warm_up(self, options: Mapping[str, Any], language: str) -> None:
        """Expect a message with these options soon.

        Do nothing if they are not valid.
        """
        with suppress(OptionError):
            synthesis = self.request(options, language).synthesis
            self.runtime.client.warm_up(synthesis)

    def check(self, request: SpeechRequest, message: str) -> None:
        """Check a whole message before any of it is spoken.

        Raises:
            OptionError: It is SSML, which the voice or the model does not support.
            TextError: It cannot be spoken.
        """
        if is_ssml(message):
            request.as_ssml(message, *self.region_and_cloned)
        check_message(message, clean=request.clean_text)

    def check_call(
        self, message: str, options: Mapping[str, Any], language: str, *, cached: bool
    ) -> None:
        """Check a call of tts.speak before anything is played.

        Args:
            message: The text, or an SSML document.
            options: The options of the call and the engine's defaults.
            language: Home Assistant's language tag.
            cached: Whether the call accepts audio from the disk.

        Raises:
            OptionError: An option is not valid.
            TextError: The message cannot be spoken.
            OverBudgetError: The budget is used up, and no other engine speaks.
        """
        request = self.request(options, language)
        self.check(request, message)
        if not request.fallback_engine and not is_cached(
            self.hass, message, language, options, self.entity_id, on_disk=cached
        ):
            self.runtime.usage.check_budget()
