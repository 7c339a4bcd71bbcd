"""A loudspeaker that keeps what it was given to play."""

import json
from pathlib import Path
import time
from typing import Any

from aiohttp import ClientTimeout

from homeassistant.components import media_source
from homeassistant.components.media_player import MediaPlayerEntity
from homeassistant.components.media_player.browse_media import (
    async_process_play_media_url,
)
from homeassistant.components.media_player.const import (
    MediaPlayerEntityFeature,
    MediaPlayerState,
    MediaType,
)
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

# A loudspeaker waits for a long answer, but not for ever.
_LONGEST_PLAY = ClientTimeout(total=300)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the one loudspeaker."""
    async_add_entities([RecordingSpeaker()])


class RecordingSpeaker(MediaPlayerEntity):
    """Downloads what it has to play into ``played/``, as a speaker does.

    Beside each recording lies a JSON file: the address, the HTTP status, the content
    type and when the first and the last byte came (seconds since the epoch).
    """

    _attr_name = "Living room speaker"
    _attr_unique_id = "living_room_speaker"
    _attr_state = MediaPlayerState.IDLE
    _attr_supported_features = (
        MediaPlayerEntityFeature.PLAY_MEDIA
        | MediaPlayerEntityFeature.MEDIA_ANNOUNCE
        | MediaPlayerEntityFeature.STOP
    )

    async def async_play_media(
        self, media_type: MediaType | str, media_id: str, **kwargs: Any
    ) -> None:
        """Record the media; an answer without audio is an error."""
        if media_source.is_media_source_id(media_id):
            media = await media_source.async_resolve_media(
                self.hass, media_id, self.entity_id
            )
            media_id = media.url
        self._attr_state = MediaPlayerState.PLAYING
        self.async_write_ha_state()
        try:
            await self._record(async_process_play_media_url(self.hass, media_id))
        finally:
            self._attr_state = MediaPlayerState.IDLE
            self.async_write_ha_state()

    async def async_media_stop(self) -> None:
        """Be quiet."""
        self._attr_state = MediaPlayerState.IDLE
        self.async_write_ha_state()

    async def _record(self, url: str) -> None:
        session = async_get_clientsession(self.hass)
        audio = bytearray()
        first_byte = None
        async with session.get(url, timeout=_LONGEST_PLAY) as response:
            async for chunk in response.content.iter_any():
                first_byte = first_byte or time.time()
                audio += chunk
        if response.status != 200 or not audio:
            raise HomeAssistantError(
                f"Nothing to play: status {response.status}, {len(audio)} bytes"
            )
        suffix = Path(response.url.path).suffix
        facts = {
            "url": url,
            "status": response.status,
            "content_type": response.headers.get("Content-Type"),
            "first_byte": first_byte,
            "last_byte": time.time(),
        }
        await self.hass.async_add_executor_job(self._save, suffix, bytes(audio), facts)

    def _save(self, suffix: str, audio: bytes, facts: dict[str, Any]) -> None:
        folder = Path(self.hass.config.path("played"))
        folder.mkdir(exist_ok=True)
        name = f"{len(list(folder.glob('*.json'))) + 1:03}"
        (folder / f"{name}{suffix}").write_bytes(audio)
        (folder / f"{name}.json").write_text(json.dumps(facts), encoding="utf-8")
