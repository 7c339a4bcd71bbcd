"""Pre-warming of a voice when a voice assistant starts listening."""

from collections.abc import Callable

from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers.event import TrackStates, async_track_state_change_filtered

from ..coordinator import CosyVoiceConfigEntry

SATELLITE_DOMAIN = "assist_satellite"
SPEAKING_SOON = {"listening", "processing"}


class SatelliteWarmUp:
    """Pre-warms the most recently used voice when a satellite starts listening.

    A pipeline requests its voice when it starts, but may then wait hours for its wake
    word.

    Attributes:
        warm_up: Pre-warms the most recently used voice, None before the first use.
    """

    def __init__(self, hass: HomeAssistant, entry: CosyVoiceConfigEntry) -> None:
        """Follow all satellites until the account is unloaded."""
        self.warm_up: Callable[[], None] | None = None
        tracker = async_track_state_change_filtered(
            hass,
            TrackStates(False, set(), {SATELLITE_DOMAIN}),
            self._satellite_changed,
        )
        entry.async_on_unload(tracker.async_remove)

    @callback
    def _satellite_changed(self, event: Event[EventStateChangedData]) -> None:
        state = event.data["new_state"]
        if self.warm_up and state is not None and state.state in SPEAKING_SOON:
            self.warm_up()
