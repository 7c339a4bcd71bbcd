"""An account's run-time data, and its cloned voices, kept up to date."""

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed

from .client import CATALOGUE, ClonedVoice, CosyVoiceClient, CosyVoiceError
from .const import DEFAULT_VOICE, DOMAIN, LOGGER, VOICES_UPDATE_INTERVAL
from .errors import error_translation

if TYPE_CHECKING:
    from .usage.ledger import UsageLedger

type CosyVoiceConfigEntry = ConfigEntry[CosyVoiceData]


@dataclass(frozen=True, slots=True, kw_only=True)
class CosyVoiceData:
    """The run-time data of one account.

    Attributes:
        client: Speaks, and owns the connections to the service.
        voices: The account's cloned voices by id.
        usage: The ledger of what was billed.
        throttled: When, on the event loop's clock, the service refused a request
            as one too many, since the last success.
    """

    client: CosyVoiceClient
    voices: VoicesCoordinator
    usage: UsageLedger
    throttled: deque[float] = field(default_factory=deque)


class VoicesCoordinator(DataUpdateCoordinator[dict[str, ClonedVoice]]):
    """Reads the account's cloned and designed voices every few hours."""

    config_entry: CosyVoiceConfigEntry

    def __init__(
        self,
        hass: HomeAssistant,
        entry: CosyVoiceConfigEntry,
        client: CosyVoiceClient,
    ) -> None:
        """Begin with no voices."""
        super().__init__(
            hass,
            LOGGER,
            config_entry=entry,
            name=f"{DOMAIN} voices",
            update_interval=VOICES_UPDATE_INTERVAL,
            always_update=False,
        )
        self.data = {}
        self._client = client
        self._system_voices = {voice.id for voice in CATALOGUE.voices_in(client.region)}

    @property
    def ready(self) -> tuple[ClonedVoice, ...]:
        """Return the cloned voices that can speak now."""
        return tuple(voice for voice in self.data.values() if voice.status == "OK")

    def problem(self, voice: str) -> Literal["voice_gone", "voice_not_ready"] | None:
        """Return why a voice cannot speak now, None if nothing is known against it.

        A cloned voice is only missed when the account's list could be read.
        """
        if voice in self._system_voices:
            return None
        if clone := self.data.get(voice):
            return None if clone.status == "OK" else "voice_not_ready"
        return "voice_gone" if self.last_update_success else None

    def resolve(self, voice: str) -> str:
        """Return the voice to speak with: the default one if this one cannot."""
        return DEFAULT_VOICE if self.problem(voice) else voice

    @override
    async def _async_update_data(self) -> dict[str, ClonedVoice]:
        """Read the whole list."""
        try:
            voices = await self._client.list_voices()
        except CosyVoiceError as err:
            key, placeholders = error_translation(err)
            raise UpdateFailed(
                translation_domain=DOMAIN,
                translation_key=key,
                translation_placeholders=placeholders,
            ) from err
        return {voice.id: voice for voice in voices}
