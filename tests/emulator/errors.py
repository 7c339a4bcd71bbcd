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
"""The HTTP status of an error's code, or of the part before its dot; by default 400."""

MESSAGES = {
    "AccessDenied": "Access denied.",
    "AllocationQuota.FreeTierOnly": "The free tier of the model has been exhausted.",
    "Arrearage": "Access denied, please make sure your account is in good standing.",
    "Audio.AudioRateError": "File sample rate unsupported.",
    "Audio.AudioShortError": "valid audio too short!",
    "Audio.AudioSilentError": "Silent file unsupported.",
    "Audio.DecoderError": "Decoder audio file failed.",
    "Audio.DurationLimitError": "Audio duration exceeds the limit.",
    "Audio.FileSizeExceed": "File too large",
    "Audio.PreprocessError": "audio preprocess server error",
    "BadRequest.InputDownloadFailed": "Failed to download the input file.",
    "BadRequest.ResourceNotExist": "The Required resource not exist.",
    "BadRequest.UnsupportedFileFormat": "File format unsupported.",
    "BadRequest.VoiceNotFound": "The Required resource not exist.",
    "DataInspectionFailed": "Input or output data may contain inappropriate content.",
    "InvalidApiKey": "Invalid API-key provided.",
    "Model.AccessDenied": "Model access denied.",
    "Throttling.AllocationQuota": (
        "Allocated quota exceeded, please increase your quota limit."
    ),
    "Throttling.RateQuota": "Requests rate limit exceeded, please try again later.",
}
"""The service's words for its codes."""


class ServiceError(Exception):
    """The service refuses a task or a request."""

    def __init__(self, code: str, message: str, status: int = 0) -> None:
        """Keep the service's code and message.

        Args:
            code: The service's code.
            message: The service's message.
            status: The HTTP status; 0 for the usual status of the code.
        """
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        prefix = code.partition(".")[0]
        self.status = status or _STATUSES.get(code, _STATUSES.get(prefix, 400))


def invalid(message: str) -> ServiceError:
    """Return the service's refusal of a parameter."""
    return ServiceError("InvalidParameter", message)
