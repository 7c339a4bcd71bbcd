"""The client's errors as errors that Home Assistant shows in the user's language."""

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.translation import async_get_translations

from .client import (
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
    OptionError,
    ProtocolError,
    QuotaError,
    RequestError,
    ServiceError,
    SsmlError,
    TextError,
    TextTooLongError,
    ThrottledError,
    VoiceError,
)
from .const import DOMAIN

MAX_SHOWN = 100


def translated_error(error: CosyVoiceError) -> HomeAssistantError:
    """Return the error to raise instead of one of the client's.

    What the caller can put right in the call itself, an option or the text, is a
    `ServiceValidationError`: Home Assistant logs no traceback for it.
    """
    key, placeholders = error_translation(error)
    kind = (
        ServiceValidationError
        if isinstance(error, (OptionError, TextError))
        else HomeAssistantError
    )
    return kind(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders=placeholders,
    )


def error_translation(error: CosyVoiceError) -> tuple[str, dict[str, str]]:
    """Return the translation key and the placeholders of a client error."""
    if isinstance(error, OptionError):
        return error.reason, {
            "option": error.option,
            "value": str(error.value)[:MAX_SHOWN],
            "allowed": error.allowed,
        }
    key = next(_KEYS[kind] for kind in type(error).__mro__ if kind in _KEYS)
    return key, {
        "code": error.code or "-",
        "message": error.message,
        "request_id": error.request_id or "-",
    }


async def async_explain(hass: HomeAssistant, error: CosyVoiceError) -> str:
    """Return a client error's message in Home Assistant's language, for a form."""
    key, placeholders = error_translation(error)
    texts = await async_get_translations(
        hass, hass.config.language, "exceptions", {DOMAIN}
    )
    return texts[f"component.{DOMAIN}.exceptions.{key}.message"].format(**placeholders)


_KEYS: dict[type, str] = {
    CosyVoiceError: "unknown_error",
    CosyVoiceConnectionError: "cannot_connect",
    CosyVoiceTimeoutError: "timeout",
    ProtocolError: "protocol_error",
    ClientClosedError: "closed",
    NoAudioError: "no_audio",
    AuthenticationError: "invalid_auth",
    AccessDeniedError: "access_denied",
    QuotaError: "quota",
    ArrearsError: "arrears",
    FreeQuotaError: "free_quota",
    ThrottledError: "throttled",
    ServiceError: "service_error",
    RequestError: "request_refused",
    VoiceError: "voice_refused",
    InstructionError: "instruction_refused",
    ModelNotFoundError: "model_not_found",
    ContentError: "content_refused",
    TextError: "text_refused",
    EmptyTextError: "empty_text",
    SsmlError: "ssml_invalid",
    TextTooLongError: "text_too_long",
}
