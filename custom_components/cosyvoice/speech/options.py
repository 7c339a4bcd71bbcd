"""The options of a message: those of its call, and the voice's settings."""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any, override

from homeassistant.components.tts import ATTR_PREFERRED_FORMAT

from ..client import CATALOGUE
from ..const import AUTO, CONF_FORMAT, CONF_LANGUAGE_VOICES, CONF_VOICE
from ..coordinator import VoicesCoordinator
from .request import SETTINGS, SUPPORTED_OPTIONS, preferred_format


def default_options(
    settings: Mapping[str, Any], read: Callable[[], Mapping[str, Any]]
) -> dict[str, Any]:
    """Return all that changes the sound, for Home Assistant's cache key.

    Args:
        settings: The settings whose format the audio has, as Home Assistant names the
            audio after it when a pipeline starts.
        read: Returns the current settings.
    """
    options: dict[str, Any] = {SETTINGS: LiveSettings(read)}
    if settings[CONF_FORMAT] != AUTO:
        options[ATTR_PREFERRED_FORMAT] = preferred_format(settings[CONF_FORMAT])
    return options


def with_preference(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a call without those that are null.

    Add `preferred_format` so that the player receives the requested format.
    """
    given = {
        name: value
        for name, value in options.items()
        if value is not None or name not in SUPPORTED_OPTIONS
    }
    if given.get(CONF_FORMAT) and not given.get(ATTR_PREFERRED_FORMAT):
        given[ATTR_PREFERRED_FORMAT] = preferred_format(given[CONF_FORMAT])
    return given


def available_settings(
    settings: Mapping[str, Any], voices: VoicesCoordinator
) -> dict[str, Any]:
    """Return the settings with only those voices that can speak now."""
    return {
        **settings,
        CONF_VOICE: voices.resolve(settings[CONF_VOICE]),
        CONF_LANGUAGE_VOICES: {
            language: voice
            for language, voice in settings[CONF_LANGUAGE_VOICES].items()
            if not voices.problem(voice)
        },
    }


class LiveSettings(Mapping[str, Any]):
    """Settings that are read when they are first used, and fixed from then on.

    Home Assistant collects the options of a pipeline run when the run starts, and
    hashes ``str(value)`` of each for its cache when the message is there (2026.3 to
    2026.11). What is changed in between applies to the message.
    """

    def __init__(self, read: Callable[[], Mapping[str, Any]]) -> None:
        """Prepare to read.

        Args:
            read: Returns the current settings.
        """
        self._read = read

    @cached_property
    def _settings(self) -> dict[str, Any]:
        return dict(sorted(self._read().items()))

    @override
    def __getitem__(self, key: str) -> Any:
        return self._settings[key]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._settings)

    @override
    def __len__(self) -> int:
        return len(self._settings)

    @override
    def __str__(self) -> str:
        """Return all that changes the sound.

        Another catalogue has other models.
        """
        return f"{self._settings} {CATALOGUE.version}"
