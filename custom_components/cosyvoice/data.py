"""What an account holds while it is loaded."""

from dataclasses import dataclass
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
    """

    client: CosyVoiceClient
    voices: VoicesCoordinator
    usage: UsageLedger
