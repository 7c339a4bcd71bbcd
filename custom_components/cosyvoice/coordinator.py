"""Run-time data of an account, and the coordinator of its cloned voices."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Literal, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed

from .client import (
    CATALOGUE,
    DEPLOYING,
    AuthenticationError,
    ClonedVoice,
    CosyVoiceClient,
    CosyVoiceError,
    prefix_of,
)
from .const import (
    CONF_VOICE_NAMES,
    DEFAULT_VOICE,
    DOMAIN,
    LOGGER,
    VOICES_UPDATE_INTERVAL,
)
from .errors import error_translation
from .outage import Outage
from .usage.ledger import UsageLedger

PREPARING_INTERVAL = timedelta(minutes=1)
"""Time until the list is read again while a voice is being prepared."""
VOICES_RETRY = 300.0
"""Seconds until the list of voices is read again after a failure."""

type CosyVoiceConfigEntry = ConfigEntry[CosyVoiceData]


@dataclass(frozen=True, slots=True, kw_only=True)
class CosyVoiceData:
    """The run-time data of one account.

    Attributes:
        client: The client, which owns the connections to the service.
        voices: The account's cloned voices by id.
        usage: The ledger of billed usage.
        outage: Whether the service cannot be used.
        throttled: Times on the event loop's clock at which the service limited the
            rate of requests, since the last success.
    """

    client: CosyVoiceClient
    voices: VoicesCoordinator
    usage: UsageLedger
    outage: Outage
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
        )
        self.data = {}
        self._client = client
        self._complete = False

    @property
    def ready(self) -> tuple[ClonedVoice, ...]:
        """Return the cloned voices that can speak now."""
        return tuple(voice for voice in self.data.values() if voice.is_ready)

    @property
    def names(self) -> dict[str, str]:
        """Return the names that were given to cloned voices, by id."""
        return {voice.id: voice.name for voice in self.data.values() if voice.name}

    def name_of(self, voice: str) -> str:
        """Return the name that was given to a voice, also to a lost one, or its id."""
        return self._stored_names.get(prefix_of(voice), voice)

    def problem(self, voice: str) -> Literal["voice_gone", "voice_not_ready"] | None:
        """Return why a voice cannot speak now, None if no reason is known.

        A cloned voice is missing only if the account's list has been read. For a
        system voice, the catalogue of the region decides.
        """
        if CATALOGUE.voice(voice):
            models = CATALOGUE.models_of(voice, self._client.region)
            return None if models else "voice_gone"
        if clone := self.data.get(voice):
            return None if clone.is_ready else "voice_not_ready"
        return "voice_gone" if self._complete else None

    def resolve(self, voice: str) -> str:
        """Return the voice, or the default voice if this one cannot speak now."""
        return DEFAULT_VOICE if self.problem(voice) else voice

    async def async_read_once(self) -> None:
        """Read the list of cloned voices unless it has been read."""
        if not self._complete:
            await self.async_refresh()

    @override
    async def _async_update_data(self) -> dict[str, ClonedVoice]:
        """Return all cloned voices.

        Raises:
            UpdateFailed: The list could not be read. It is read again soon, unless the
                key was rejected.
        """
        try:
            voices = await self._client.list_voices()
        except CosyVoiceError as err:
            key, placeholders = error_translation(err)
            rejected = isinstance(err, AuthenticationError)
            raise UpdateFailed(
                translation_domain=DOMAIN,
                translation_key=key,
                translation_placeholders=placeholders,
                retry_after=None if rejected else VOICES_RETRY,
            ) from err
        self._complete = True
        preparing = any(voice.status == DEPLOYING for voice in voices)
        self.update_interval = (
            PREPARING_INTERVAL if preparing else VOICES_UPDATE_INTERVAL
        )
        names = self._stored_names
        return {
            voice.id: replace(voice, name=names.get(prefix_of(voice.id), ""))
            for voice in voices
        }

    @callback
    def async_set_name(self, prefix: str, name: str | None) -> None:
        """Store the name of the voice with a prefix, or forget it if None.

        A name is stored before its voice is created: a voice whose creation was not
        confirmed appears under it.
        """
        entry = self.config_entry
        if self.hass.config_entries.async_get_entry(entry.entry_id) is not entry:
            return
        names = self._stored_names
        names.pop(prefix, None)
        if name:
            names[prefix] = name
        if names != self._stored_names:
            self.hass.config_entries.async_update_entry(
                entry, options={**entry.options, CONF_VOICE_NAMES: names}
            )

    @property
    def _stored_names(self) -> dict[str, str]:
        """The names of cloned voices by prefix, without damaged ones."""
        names = self.config_entry.options.get(CONF_VOICE_NAMES)
        rows = names.items() if isinstance(names, Mapping) else ()
        return {prefix: name for prefix, name in rows if isinstance(name, str)}

    async def async_delete(self, voice: str) -> None:
        """Delete a cloned voice and its name for good.

        Raises:
            CosyVoiceError: The service did not delete it.
        """
        await self._client.enrolment.delete(voice)
        self.async_set_name(prefix_of(voice), None)
        await self.async_refresh()
