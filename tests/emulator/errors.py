"""How the service refuses something."""

_STATUSES = {
    "AccessDenied": 403,
    "AllocationQuota": 403,
    "InternalError": 500,
    "InvalidApiKey": 401,
    "Model.AccessDenied": 403,
    "ModelNotFound": 404,
    "ServiceUnavailable": 503,
    "Throttling": 429,
    "Workspace.AccessDenied": 403,
}
"""The HTTP status of an error's code, or of the part before its dot; else 400."""


class ServiceError(Exception):
    """The service refuses a task or a request."""

    def __init__(self, code: str, message: str, status: int = 0) -> None:
        """Keep the service's code and message.

        Args:
            code: The service's code.
            message: The service's message.
            status: The HTTP status; 0 for the one that the code usually has.
        """
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        prefix = code.partition(".")[0]
        self.status = status or _STATUSES.get(code, _STATUSES.get(prefix, 400))


def invalid(message: str) -> ServiceError:
    """Return the service's refusal of a parameter."""
    return ServiceError("InvalidParameter", message)
