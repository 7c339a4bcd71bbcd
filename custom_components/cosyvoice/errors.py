"""The client's errors as errors that Home Assistant shows in the user's language."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from textwrap import shorten
from types import MappingProxyType
from typing import Final, NamedTuple

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.translation import async_get_translations

from .client import (
    DEPLOYING,
    NOT_APPROVED,
    AccessDeniedError,
    ArrearsError,
    AuthenticationError,
    ClientClosedError,
    ContentError,
    CosyVoiceConnectionError,
    CosyVoiceError,
    CosyVoiceTimeoutError,
    EmptyTextError,
    FreeQuotaError,
    InstructionError,
    ModelNotFoundError,
    NoAudioError,
    NotOfferedError,
    OptionError,
    ProtocolError,
    ProxyError,
    QuotaError,
    RecordingContentError,
    RecordingError,
    RecordingSilentError,
    RecordingTooLargeError,
    RecordingTooLongError,
    RecordingTooShortError,
    RecordingUnreadableError,
    RequestError,
    ServiceError,
    SsmlError,
    TextError,
    TextTooLongError,
    ThrottledError,
    TooManyVoicesError,
    UploadError,
    VoiceError,
    VoiceNotApprovedError,
)
from .const import DOMAIN

MAX_SHOWN = 100
"""Characters of a refused value that are shown."""
MAX_ALLOWED = 500
"""Characters of the values that are allowed instead."""


class Handling(NamedTuple):
    """How an error of the client is shown.

    Attributes:
        text: The text's key in ``exceptions`` of the translations.
        form: The key of the error on a form.
        issue: The repair issue's translation key, if a person can act on the error.
    """

    text: str
    form: str = "cannot_connect"
    issue: str | None = None


HANDLING: Final[Mapping[type[CosyVoiceError], Handling]] = MappingProxyType(
    {
        CosyVoiceError: Handling("unknown_error"),
        CosyVoiceConnectionError: Handling("cannot_connect"),
        CosyVoiceTimeoutError: Handling("timeout"),
        ProtocolError: Handling("protocol_error"),
        ProxyError: Handling("proxy_answered"),
        ClientClosedError: Handling("closed"),
        NoAudioError: Handling("no_audio"),
        AuthenticationError: Handling("invalid_auth", "invalid_auth"),
        AccessDeniedError: Handling("access_denied", "unknown", "model_not_activated"),
        QuotaError: Handling("quota", "unknown"),
        ArrearsError: Handling("arrears", "unknown", "arrears"),
        FreeQuotaError: Handling("free_quota", "unknown", "free_quota"),
        TooManyVoicesError: Handling("too_many_voices", "too_many_voices"),
        ThrottledError: Handling("throttled", issue="rate_limited"),
        ServiceError: Handling("service_error"),
        RequestError: Handling("request_refused"),
        NotOfferedError: Handling("not_offered"),
        VoiceError: Handling("voice_refused", "voice_refused"),
        VoiceNotApprovedError: Handling("voice_not_approved", "voice_refused"),
        UploadError: Handling("upload_failed", "upload_failed"),
        RecordingError: Handling("recording_unreadable", "recording_unreadable"),
        RecordingTooShortError: Handling("recording_too_short", "recording_too_short"),
        RecordingTooLongError: Handling("recording_too_long", "recording_too_long"),
        RecordingTooLargeError: Handling("recording_too_large", "recording_too_large"),
        RecordingSilentError: Handling("recording_silent", "recording_silent"),
        RecordingUnreadableError: Handling(
            "recording_unreadable", "recording_unreadable"
        ),
        InstructionError: Handling("instruction_refused"),
        # Also the answer for a model that is closed to the account, by some reports
        ModelNotFoundError: Handling("access_denied", "unknown", "model_not_activated"),
        ContentError: Handling("content_refused", "voice_refused"),
        RecordingContentError: Handling("recording_refused", "voice_refused"),
        TextError: Handling("text_refused"),
        EmptyTextError: Handling("empty_text"),
        SsmlError: Handling("ssml_invalid"),
        TextTooLongError: Handling("text_too_long"),
    }
)
"""By class. A subclass that is not listed is handled as its base class."""


_UNREADY: Final = {DEPLOYING: "voice_deploying", NOT_APPROVED: "voice_undeployed"}
"""The text's key by the status of a voice that is not ready."""

_NOT_SUPPORTED: Final = {
    "ssml": "ssml_not_supported",
    "word_timestamps": "word_timestamps_not_supported",
}
"""The text's key by a parameter that a call does not name."""


def handling_of(error: CosyVoiceError) -> Handling:
    """Return how to show an error."""
    return next(HANDLING[kind] for kind in type(error).__mro__ if kind in HANDLING)


def translated_error(error: CosyVoiceError) -> HomeAssistantError:
    """Return the error to raise instead of one of the client's.

    A mistake in the call, in an option or the text, becomes a
    `ServiceValidationError`: Home Assistant logs no traceback for it.
    """
    is_mistake = isinstance(error, OptionError | TextError)
    kind = ServiceValidationError if is_mistake else HomeAssistantError
    key, placeholders = error_translation(error)
    return kind(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders=placeholders,
    )


@contextmanager
def translated() -> Iterator[None]:
    """Raise the client's errors in the user's language."""
    try:
        yield
    except CosyVoiceError as err:
        raise translated_error(err) from None


def error_translation(error: CosyVoiceError) -> tuple[str, dict[str, str]]:
    """Return the translation key and the placeholders of a client error."""
    if isinstance(error, OptionError):
        key = _UNREADY.get(error.allowed, error.reason)
        if key == "not_supported":
            key = _NOT_SUPPORTED.get(error.option, key)
        return key, {
            "option": str(error.option),
            "value": str(error.value)[:MAX_SHOWN],
            "allowed": shorten(error.allowed, width=MAX_ALLOWED, placeholder=" …"),
        }
    if isinstance(error, SsmlError) and error.mistake:
        details = {key: value[:MAX_SHOWN] for key, value in error.details.items()}
        return f"ssml_{error.mistake}", details
    return handling_of(error).text, {
        "code": error.code or "-",
        "message": error.message,
        "request_id": error.request_id or "-",
    }


async def async_explain(hass: HomeAssistant, error: CosyVoiceError | None) -> str:
    """Return a client error's message in Home Assistant's language, for a form.

    None stands for an error that nobody expected, which the log explains.
    """
    shown = (
        translated_error(error)
        if error
        else HomeAssistantError(translation_domain=DOMAIN, translation_key="unexpected")
    )
    return await async_text_of(hass, shown)


async def async_text_of(hass: HomeAssistant, error: HomeAssistantError) -> str:
    """Return the message of an error of this integration in Home Assistant's language.

    Its own text is in English.
    """
    texts = await async_get_translations(
        hass, hass.config.language, "exceptions", {DOMAIN}
    )
    message = texts[f"component.{DOMAIN}.exceptions.{error.translation_key}.message"]
    return message.format(**error.translation_placeholders or {})
