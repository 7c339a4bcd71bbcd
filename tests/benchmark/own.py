"""The integration's client, made anew and watched."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from custom_components.cosyvoice.client import (
    CosyVoiceClient,
    Endpoint,
    Timing,
    Utterance,
)
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from tests.demo.home import API_KEY

from .player import Heard


class OwnClient:
    """The client of an account, made anew as a measurement demands.

    Attributes:
        heard: What the last utterance gave before it went through Home Assistant.
    """

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
        """Watch over an account's client."""
        self.heard = Heard()
        self._hass = hass
        self._entry = entry

    async def renew(self, timing: Timing | None = None) -> CosyVoiceClient:
        """Have the account speak through a client without any connection."""
        await self.close()
        client = _WatchedClient(
            async_get_clientsession(self._hass),
            API_KEY,
            Endpoint.create("cn-beijing", self._entry.data["base_url"]),
            timing=timing,
        )
        client.owner = self
        # In place, as the engine keeps the data with which it was set up.
        object.__setattr__(self._entry.runtime_data, "client", client)
        return client

    async def close(self) -> None:
        """Close the client's connections."""
        await self._entry.runtime_data.client.close()


class _WatchedClient(CosyVoiceClient):
    """A client whose audio is noted as it comes."""

    owner: OwnClient

    def speak(self, *args: Any, **kwargs: Any) -> Utterance:
        """Speak as usual."""
        utterance = super().speak(*args, **kwargs)
        heard = self.owner.heard = Heard()
        generator = utterance._generator

        async def noted() -> AsyncGenerator[bytes]:
            async with aclosing(generator):
                async for chunk in generator:
                    heard.add(chunk)
                    yield chunk

        utterance._generator = noted()
        return utterance
