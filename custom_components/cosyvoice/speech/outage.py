"""Log once that the service of an account is away, and once that it is back."""

from ..client import CosyVoiceConnectionError, CosyVoiceError, ServiceError
from ..const import LOGGER


class Outage:
    """Whether the last message of an account failed because of the service."""

    def __init__(self, account: str) -> None:
        """Begin with an available service.

        Args:
            account: The account's title.
        """
        self._account = account
        self._unavailable = False

    def failed(self, error: CosyVoiceError) -> None:
        """Note that a message failed."""
        caused_by_service = isinstance(error, CosyVoiceConnectionError | ServiceError)
        if caused_by_service and not self._unavailable:
            self._unavailable = True
            LOGGER.warning("%s: the service is unavailable: %s", self._account, error)

    def spoke(self) -> None:
        """Note that a message was spoken."""
        if self._unavailable:
            self._unavailable = False
            LOGGER.info("%s: the service is available again", self._account)
