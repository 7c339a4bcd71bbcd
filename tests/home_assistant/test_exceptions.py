"""Every error of the client reaches a person in words of their language."""

from collections.abc import Iterator
import inspect
import string

import pytest

from custom_components.cosyvoice import client
from custom_components.cosyvoice.client import (
    AccessDeniedError,
    ArrearsError,
    AuthenticationError,
    ClientClosedError,
    ClonedVoice,
    ContentError,
    CosyVoiceConnectionError,
    CosyVoiceError,
    EmptyTextError,
    NoAudioError,
    OptionError,
    ProtocolError,
    RecordingTooShortError,
    RequestError,
    ServiceError,
    SsmlError,
    SynthesisOptions,
    TextError,
    TextTooLongError,
    ThrottledError,
    TooManyVoicesError,
    UploadError,
    VoiceError,
    VoiceNotApprovedError,
)
from custom_components.cosyvoice.const import DOMAIN
from custom_components.cosyvoice.errors import (
    HANDLING,
    async_explain,
    handling_of,
    translated_error,
)
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.translation import async_get_translations
from tests.texts import LANGUAGES

from .conftest import CLONE

REASONS = (
    "invalid_option",
    "instruction_too_long",
    "unknown_voice",
    "unknown_model",
    "voice_model_mismatch",
    "not_supported",
)
MISTAKES: dict[str, dict[str, str]] = {
    "malformed": {},
    "not_closed": {"element": "<sub>"},
    "element": {"element": "<sub>"},
    "attribute_missing": {"element": "<sub>", "attribute": "alias"},
    "attribute_value": {"attribute": "rate", "value": "3", "allowed": "0.5–2"},
    "text_outside": {},
}


def errors() -> Iterator[CosyVoiceError]:
    """Yield an error of each class and each reason."""
    for _, kind in inspect.getmembers(client, inspect.isclass):
        if issubclass(kind, CosyVoiceError) and kind is not OptionError:
            yield kind("It broke", code="Broken", request_id="request-1")
    for reason in REASONS:
        yield OptionError("volume", 101, "0–100", reason)
    for feature in ("ssml", "word_timestamps"):
        yield OptionError(feature, True, "false", "not_supported")
    for mistake, details in MISTAKES.items():
        place = {"line": "0–100", "column": "2"}
        yield SsmlError("It broke", mistake=mistake, **place, **details)


def unready() -> Iterator[OptionError]:
    """Yield the client's error for each status of a voice that cannot speak."""
    for status in ("DEPLOYING", "UNDEPLOYED", "SOMETHING_NEW"):
        voice = ClonedVoice(id=CLONE, model="cosyvoice-v3-flash", status=status)
        with pytest.raises(OptionError) as caught:
            SynthesisOptions(voice=CLONE).resolve("cn-beijing", [voice])
        yield caught.value


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("error", errors(), ids=lambda error: type(error).__name__)
async def test_every_error_is_translated(
    hass: HomeAssistant, error: CosyVoiceError, language: str
) -> None:
    """With the service's message, or the allowed values."""
    raised = translated_error(error)
    texts = await async_get_translations(hass, language, "exceptions", {DOMAIN})
    text = texts[f"component.{DOMAIN}.exceptions.{raised.translation_key}.message"]
    assert raised.translation_placeholders
    fields = {field for _, field, _, _ in string.Formatter().parse(text) if field}
    assert fields <= set(raised.translation_placeholders)
    await hass.config.async_update(language=language)
    said = await async_explain(hass, error)
    # The client's own words are in English
    quoted = isinstance(error, ServiceError | RequestError | AuthenticationError)
    plain = EmptyTextError | TextTooLongError | VoiceNotApprovedError
    if isinstance(error, OptionError) and error.allowed == "false":
        assert "SSML" in said or error.option != "ssml"
        assert "True" not in said
    elif isinstance(error, OptionError) or getattr(error, "mistake", None):
        assert "0–100" in said
    elif quoted and not isinstance(error, plain):
        assert "It broke" in said


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("error", unready(), ids=lambda error: error.allowed)
async def test_why_a_voice_is_not_ready_is_translated(
    hass: HomeAssistant, error: OptionError, language: str
) -> None:
    await hass.config.async_update(language=language)
    texts = await async_get_translations(hass, language, "exceptions", {DOMAIN})
    unknown = texts[f"component.{DOMAIN}.exceptions.voice_not_ready.message"]
    said = await async_explain(hass, error)
    assert CLONE in said
    assert error.allowed not in said
    is_unknown = said == unknown.format(value=CLONE)
    assert is_unknown == (error.allowed == "SOMETHING_NEW")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "error",
    [
        CosyVoiceConnectionError("It broke"),
        ProtocolError("It broke"),
        ClientClosedError("It broke"),
        NoAudioError("It broke"),
        TextTooLongError("It broke"),
    ],
)
async def test_the_words_of_the_client_are_not_shown(
    hass: HomeAssistant, error: CosyVoiceError, language: str
) -> None:
    """They are in English; the log has them."""
    await hass.config.async_update(language=language)
    assert "It broke" not in await async_explain(hass, error)


@pytest.mark.parametrize(
    ("error", "of_the_call"),
    [
        (OptionError("volume", 101, "0–100"), True),
        (TextError("nothing to say"), True),
        (VoiceError("gone"), False),
    ],
)
def test_mistakes_in_a_call_are_validation_errors(
    error: CosyVoiceError, of_the_call: bool
) -> None:
    """Home Assistant logs no traceback for those."""
    assert isinstance(translated_error(error), ServiceValidationError) is of_the_call


def test_a_long_value_is_cut() -> None:
    """An instruction of a page does not fill the screen."""
    raised = translated_error(OptionError("instruction", "x" * 5000, "none"))
    assert raised.translation_placeholders
    assert len(raised.translation_placeholders["value"]) == 100


@pytest.mark.parametrize("error", errors(), ids=lambda error: type(error).__name__)
def test_the_table_names_every_class(error: CosyVoiceError) -> None:
    """So that none is handled as its base class by accident."""
    assert type(error) in HANDLING or isinstance(error, OptionError)


@pytest.mark.parametrize(
    ("error", "form", "issue"),
    [
        (AuthenticationError("no"), "invalid_auth", None),
        (ArrearsError("no"), "unknown", "arrears"),
        (AccessDeniedError("no"), "unknown", "model_not_activated"),
        (ThrottledError("no"), "cannot_connect", "rate_limited"),
        (CosyVoiceConnectionError("no"), "cannot_connect", None),
        (ContentError("no"), "voice_refused", None),
        (VoiceNotApprovedError("no"), "voice_refused", None),
        (UploadError("no"), "upload_failed", None),
        (RecordingTooShortError("no"), "recording_too_short", None),
        (TooManyVoicesError("no"), "too_many_voices", None),
        (RequestError("no"), "cannot_connect", None),
    ],
)
def test_an_error_is_handled_alike_everywhere(
    error: CosyVoiceError, form: str, issue: str | None
) -> None:
    handling = handling_of(error)
    assert (handling.form, handling.issue) == (form, issue)
    assert translated_error(error).translation_key == handling.text


@pytest.mark.parametrize("flow", ["config", "config_subentries.voice"])
@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_form_does_not_blame_the_connection_if_the_service_answered(
    hass: HomeAssistant, flow: str, language: str
) -> None:
    """The text of such a key is that of the error, and nothing besides."""
    await hass.config.async_update(language=language)
    category = flow.partition(".")[0]
    texts = await async_get_translations(hass, language, category, {DOMAIN})
    blame = await async_explain(hass, CosyVoiceConnectionError("no"))
    for error in errors():
        reason = await async_explain(hass, error)
        key = handling_of(error).form
        if key == "cannot_connect":
            shown = texts[f"component.{DOMAIN}.{flow}.error.{key}"]
            assert shown.format(reason=reason) == reason
        assert (reason == blame) == (type(error) is CosyVoiceConnectionError)


def test_an_unknown_class_is_handled_as_its_base() -> None:
    class OddVoiceError(VoiceError):
        """The voice is odd."""

    assert handling_of(OddVoiceError("odd")).text == "voice_refused"
