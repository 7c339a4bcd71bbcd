"""What an account holds while it is loaded."""

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from homeassistant.config_entries import ConfigEntry

if TYPE_CHECKING:
    from .client import CosyVoiceClient
    from .coordinator import VoicesCoordinator
    from .usage import UsageLedger

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
