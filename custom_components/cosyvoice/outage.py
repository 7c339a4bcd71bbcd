"""Log once that the service of an account is away, and once that it is back."""

from .client import CosyVoiceError
from .const import LOGGER


class Outage:
    """Whether an account cannot use the service, by whatever request noticed it."""

    def __init__(self, account: str) -> None:
        """Begin with an available service.

        Args:
            account: The account's title.
        """
        self._account = account
        self._unavailable = False

    def began(self, error: CosyVoiceError) -> None:
        """Note that the service cannot be used."""
        if not self._unavailable:
            self._unavailable = True
            LOGGER.warning("%s: the service is unavailable: %s", self._account, error)

    def ended(self) -> None:
        """Note that the service can be used."""
        if self._unavailable:
            self._unavailable = False
            LOGGER.info("%s: the service is available again", self._account)
