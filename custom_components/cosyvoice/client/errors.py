"""What can go wrong between this client and the CosyVoice service.

One base class, :class:`CosyVoiceError`; catch that to catch them all. Each error
knows whether trying again may help (``retryable``) and carries the service's error
code, its message and the id of the request.
"""

from typing import ClassVar


class CosyVoiceError(Exception):
    """A request to the CosyVoice service failed.

    Attributes:
        retryable: True if the same request may succeed when it is made again.
        retry_once: True if the service is known to raise this error now and then
            without a cause: the same request may be made once more, on a new
            connection, even if the error is not retryable.
        code: The service's error code, such as ``InvalidParameter``, if it gave one.
        message: What happened, in the service's words or in ours.
        request_id: The service's id of the request or task, for a support case.
    """

    retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        request_id: str | None = None,
    ) -> None:
        """Keep the service's code, message and request id."""
        super().__init__(message)
        self.retry_once = False
        self.message = message
        self.code = code
        self.request_id = request_id

    def __str__(self) -> str:
        """Return the message with the service's code and request id."""
        details = [
            f"{name}: {value}"
            for name, value in (("code", self.code), ("request id", self.request_id))
            if value
        ]
        return f"{self.message} ({', '.join(details)})" if details else self.message


class CosyVoiceConnectionError(CosyVoiceError):
    """The service could not be reached, or the connection to it was lost."""

    retryable = True


class CosyVoiceTimeoutError(CosyVoiceConnectionError):
    """The service did not answer in time."""


class ProtocolError(CosyVoiceConnectionError):
    """A message makes no sense at this point, or cannot be read."""


class ProxyError(CosyVoiceConnectionError):
    """A proxy, firewall or captive portal answered in place of the service."""


class AuthenticationError(CosyVoiceError):
    """The API key is missing, wrong, expired or of another region."""


class AccessDeniedError(CosyVoiceError):
    """The key is valid but may not use this model or workspace."""


class QuotaError(CosyVoiceError):
    """The account cannot pay for the request."""


class ArrearsError(QuotaError):
    """The account is in arrears."""


class FreeQuotaError(QuotaError):
    """The free quota is used up and paid use is switched off."""


class TooManyVoicesError(QuotaError):
    """The account has as many custom voices as it may have."""


class ClientClosedError(CosyVoiceError):
    """The client was closed while it was speaking."""


class NoAudioError(CosyVoiceError):
    """The service accepted the text and returned no audio for it."""


class ThrottledError(CosyVoiceError):
    """Too many requests at the moment."""

    retryable = True


class TooManyTasksError(ThrottledError):
    """The service runs no more tasks of the account at a time."""


class ServiceError(CosyVoiceError):
    """The service failed by itself."""

    retryable = True


class RequestError(CosyVoiceError):
    """The service refuses this request, and would refuse it again."""


class NotOfferedError(RequestError):
    """The host does not know this part of the service."""


class VoiceError(RequestError):
    """The voice does not exist, is not ready, or does not fit the model."""


class VoiceNotApprovedError(VoiceError):
    """The service's review did not approve a new voice."""


class UploadError(CosyVoiceError):
    """The recording did not reach the service."""

    retryable = True


class RecordingError(RequestError):
    """No voice can be cloned from the recording."""


class RecordingTooShortError(RecordingError):
    """The recording has too little speech without long pauses."""


class RecordingTooLongError(RecordingError):
    """The recording is too long."""


class RecordingTooLargeError(RecordingError):
    """The file is too large."""


class RecordingSilentError(RecordingError):
    """There is no speech in the recording, or it is too quiet."""


class RecordingUnreadableError(RecordingError):
    """The file cannot be read as audio, or not be prepared."""


class InstructionError(RequestError):
    """The voice does not take this instruction."""


class ModelNotFoundError(RequestError):
    """The service does not know the model, or keeps it from the account."""


class ContentError(RequestError):
    """The service's content inspection refused the text."""


class RecordingContentError(ContentError):
    """The service's content inspection refused a recording."""


class TextError(RequestError):
    """The text cannot be spoken."""


class EmptyTextError(TextError):
    """The text has nothing that can be spoken."""


class SsmlError(TextError):
    """The text is not valid SSML, or SSML is not possible here.

    Attributes:
        mistake: ``malformed``, ``not_closed``, ``element``, ``attribute_missing``,
            ``attribute_value`` or ``text_outside``; None if the service refused it.
        details: Where the mistake is, and what is wrong: ``line`` and ``column``, both
            from 1 on, ``element``, ``attribute``, ``value`` and ``allowed``.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        request_id: str | None = None,
        mistake: str | None = None,
        **details: str,
    ) -> None:
        """Also keep the description of the mistake."""
        super().__init__(message, code=code, request_id=request_id)
        self.mistake = mistake
        self.details = details


class TextTooLongError(TextError):
    """The text is longer than one message may be."""


class OptionError(RequestError):
    """An option was refused here, before anything was sent.

    Attributes:
        option: The option's name, such as ``speech_rate``.
        value: The value that was refused.
        allowed: What is allowed instead, as text: a range or a list of values. For
            ``voice_not_ready``, the status of the voice.
        reason: ``invalid_option`` (out of range or of the wrong kind),
            ``fixed_phrases`` (no free instruction), ``instruction_too_long``, ``unknown_option``, ``unknown_voice``,
            ``unknown_model``, ``voice_model_mismatch``, ``voice_not_ready`` or
            ``not_supported`` (by this voice and model).
    """

    def __init__(
        self, option: str, value: object, allowed: str, reason: str = "invalid_option"
    ) -> None:
        """Build the message from its parts."""
        super().__init__(f"{option}: {value!r} is not possible ({reason}): {allowed}")
        self.option = option
        self.value = value
        self.allowed = allowed
        self.reason = reason


def error_for(
    code: str | None, message: str, request_id: str | None = None
) -> CosyVoiceError:
    """Return the error class that fits the service's error code and message.

    Codes are matched by prefix, as new sub-codes appear without notice; texts only
    where the service hides the cause in them. Source: Model Studio's error code
    pages and the vendor's SDK.
    """
    kind = _error_class(code or "", message)
    error = kind(message, code=code, request_id=request_id)
    error.retry_once = any(fragment in message for fragment in _SPORADIC)
    return error


def error_for_status(
    status: int,
    code: str | None,
    message: str,
    request_id: str | None = None,
    *,
    is_page: bool = False,
) -> CosyVoiceError:
    """Return the error for a refused HTTP request or WebSocket handshake.

    Args:
        status: The status, 101 or 200 if the answer was not the service's.
        code: The service's code, if the answer has one.
        message: What happened.
        request_id: The service's id of the request.
        is_page: True if the answer is an HTML page. The service answers in JSON and
            sends nobody elsewhere (Model Studio, error codes).
    """
    if code and (found := _error_class(code, message)) is not RequestError:
        return found(message, code=code, request_id=request_id)
    kind: type[CosyVoiceError]
    if is_page or status < 400 or status in (407, 426):
        kind = ProxyError
    elif status in (401, 403):
        kind = AuthenticationError
    elif status == 404:
        kind = NotOfferedError
    elif status == 429:
        kind = ThrottledError
    elif status >= 500:
        kind = ServiceError
    else:
        kind = RequestError
    return kind(message, code=code or f"HTTP {status}", request_id=request_id)


# The first match wins: (code prefixes, fragments of the message, class).
_BY_MESSAGE: tuple[tuple[str, type[CosyVoiceError]], ...] = (
    ("error code: 418", VoiceError),
    ("[411]", VoiceError),
    ("voice is invalid", VoiceError),
    ("error code: 428", InstructionError),
    ("request timeout after", CosyVoiceTimeoutError),
    ("input text is valid", EmptyTextError),
    ("text is null", EmptyTextError),
    ("SSML", SsmlError),
    ("Text request limit violated", TextError),
    ("request asr failed", RecordingSilentError),
    ("audio preprocess server error", RecordingUnreadableError),
    ("unsupported audio format", RecordingUnreadableError),
    ("Model not exist", ModelNotFoundError),
)
# Compared without case and underscores, as parts of Model Studio spell them otherwise
# (invalid_api_key, model_not_found).
_BY_CODE: tuple[tuple[str, type[CosyVoiceError]], ...] = (
    ("InvalidApiKey", AuthenticationError),
    ("Arrearage", ArrearsError),
    ("AllocationQuota.FreeTierOnly", FreeQuotaError),
    ("Throttling.Concurrency", TooManyTasksError),
    ("Throttling", ThrottledError),
    ("AllocationQuota", ThrottledError),
    ("LimitRequests", ThrottledError),
    ("AccessDenied", AccessDeniedError),
    ("Model.AccessDenied", AccessDeniedError),
    ("Workspace.AccessDenied", AccessDeniedError),
    ("WorkSpaceNotFound", AccessDeniedError),
    ("ModelNotFound", ModelNotFoundError),
    ("DataInspectionFailed", ContentError),
    ("BadRequest.ResourceNotExist", VoiceError),
    ("InvalidParameter.ResourceNotExist", VoiceError),
    ("BadRequest.VoiceNotFound", VoiceError),
    ("BadRequest.InputDownloadFailed", UploadError),
    ("InvalidParameter.DataInspection", UploadError),
    ("Audio.AudioShortError", RecordingTooShortError),
    ("Audio.DurationLimitError", RecordingTooLongError),
    ("Audio.FileSizeExceed", RecordingTooLargeError),
    ("Audio.AudioSilentError", RecordingSilentError),
    ("Audio.", RecordingUnreadableError),
    ("BadRequest.UnsupportedFileFormat", RecordingUnreadableError),
    ("ClientDisconnect", CosyVoiceConnectionError),
    ("RequestTimeOut", CosyVoiceTimeoutError),
    ("InternalError", ServiceError),
    ("ServerError", ServiceError),
    ("ServiceUnavailable", ServiceError),
    ("GatewayTimeout", ServiceError),
    ("SystemError", ServiceError),
    ("ModelServiceFailed", ServiceError),
)
# Seen once and gone at the next try, on a new connection (reports of several users);
# the first three otherwise mean a wrong voice or model.
_SPORADIC = (
    "error code: 418",
    "[411]",
    "url error, please check url",
    "Invalid action('run-task')",
)


def _error_class(code: str, message: str) -> type[CosyVoiceError]:
    for fragment, kind in _BY_MESSAGE:
        if fragment in message:
            return kind
    spelling = _spelling(code)
    for prefix, kind in _BY_CODE:
        if spelling.startswith(_spelling(prefix)):
            return kind
    # Without a code, the service may have failed by itself.
    return RequestError if code else ServiceError


def _spelling(code: str) -> str:
    return code.replace("_", "").lower()
