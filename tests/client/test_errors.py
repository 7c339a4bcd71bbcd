"""The service's words, sorted into classes."""

import pytest

from custom_components.cosyvoice.client import errors
from custom_components.cosyvoice.client.errors import (
    CosyVoiceError,
    error_for,
    error_for_status,
)


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        ("InvalidApiKey", "Invalid API-key provided.", "AuthenticationError"),
        ("Arrearage", "Access denied, please …", "ArrearsError"),
        ("AllocationQuota.FreeTierOnly", "The free tier …", "FreeQuotaError"),
        ("Throttling", "Requests rate limit exceeded", "ThrottledError"),
        ("Throttling.AllocationQuota", "…", "ThrottledError"),
        ("AccessDenied.Unpurchased", "…", "AccessDeniedError"),
        ("Model.AccessDenied", "Model access denied.", "AccessDeniedError"),
        ("Workspace.AccessDenied", "…", "AccessDeniedError"),
        ("ModelNotFound", "Model not found", "ModelNotFoundError"),
        ("InvalidParameter", "Model not exist.", "ModelNotFoundError"),
        ("DataInspectionFailed", "… inappropriate …", "ContentError"),
        ("Audio.AudioShortError", "valid audio too short!", "RecordingTooShortError"),
        ("Audio.SomethingNew", "…", "RecordingUnreadableError"),
        ("InternalError", "request asr failed", "RecordingSilentError"),
        (
            "InternalError",
            "audio preprocess server error",
            "RecordingUnreadableError",
        ),
        (
            "InternalError",
            "unsupported audio format:xxx",
            "RecordingUnreadableError",
        ),
        ("BadRequest.ResourceNotExist", "…", "VoiceError"),
        ("InvalidParameter.ResourceNotExist", "…", "VoiceError"),
        ("BadRequest.VoiceNotFound", "…", "VoiceError"),
        ("InvalidParameter.DataInspection", "Unable to download …", "UploadError"),
        ("InternalError.Algo", "Inference internal error.", "ServiceError"),
        ("ServiceUnavailable", "…", "ServiceError"),
        ("InvalidParameter", "[tts:]Engine return error code: 418", "VoiceError"),
        ("InvalidParameter", "[cosyvoice:]Engine return error code: 418", "VoiceError"),
        ("InvalidParameter", "Request voice is invalid!", "VoiceError"),
        ("InvalidParameter", "…Engine return error code: 428", "InstructionError"),
        ("InvalidParameter", "Please ensure input text is valid.", "EmptyTextError"),
        ("InvalidParameter", "SSML text is not supported", "SsmlError"),
        ("InvalidParameter", "Text request limit violated, expected 1.", "TextError"),
        (
            "CLIENT_ERROR",
            "request timeout after 23 seconds.",
            "CosyVoiceTimeoutError",
        ),
        (
            "InvalidParameter",
            "request timeout after 23 seconds.",
            "CosyVoiceTimeoutError",
        ),
        ("ClientDisconnect", "…", "CosyVoiceConnectionError"),
        ("invalid_api_key", "Incorrect API key provided.", "AuthenticationError"),
        ("model_not_found", "…", "ModelNotFoundError"),
        ("data_inspection_failed", "…", "ContentError"),
        ("limit_requests", "You exceeded your current …", "ThrottledError"),
        ("RequestTimeOut", "Request timed out", "CosyVoiceTimeoutError"),
        ("SERVER_ERROR", "…", "ServiceError"),
        ("internal_error", "…", "ServiceError"),
        ("InvalidParameter", "task can not be null", "RequestError"),
        (None, "Something new", "ServiceError"),
    ],
)
def test_a_failed_task_has_its_class(code: str | None, message: str, kind: str) -> None:
    """By the code's beginning, or by the words where they hold the cause."""
    error = error_for(code, message, "request-1")
    assert type(error) is getattr(errors, kind)
    assert (error.code, error.message, error.request_id) == (code, message, "request-1")


@pytest.mark.parametrize(
    ("message", "sporadic"),
    [
        ("[cosyvoice:]Engine return error code: 418", True),
        ("[cosyvoice:]Engine error [411]: TTS speak operation failed", True),
        ("url error, please check url！", True),
        (
            "Invalid action('run-task')! Please follow the protocol!",
            True,
        ),
        ("[cosyvoice:]Engine return error code: 428", False),
        ("Invalid action('continue-task')! Please follow the protocol!", False),
    ],
)
def test_an_error_that_comes_now_and_then_may_be_retried_once(
    message: str, *, sporadic: bool
) -> None:
    """It is no transient error, though: the cause may be real."""
    error = error_for("InvalidParameter", message)
    assert error.retry_once is sporadic
    assert not error.retryable


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, None, "AuthenticationError"),
        (403, None, "AuthenticationError"),
        (403, "AccessDenied", "AccessDeniedError"),
        (400, "Arrearage", "ArrearsError"),
        (400, "InvalidParameter", "RequestError"),
        (404, None, "NotOfferedError"),
        (407, None, "ProxyError"),
        (426, None, "ProxyError"),
        (302, None, "ProxyError"),
        (429, None, "ThrottledError"),
        (429, "SomethingNew", "ThrottledError"),
        (500, None, "ServiceError"),
        (503, None, "ServiceError"),
    ],
)
def test_a_refused_request_has_its_class(
    status: int, code: str | None, kind: str
) -> None:
    """By the code if it says something, else by the status."""
    error = error_for_status(status, code, "No")
    assert type(error) is getattr(errors, kind)
    assert error.code == (code or f"HTTP {status}")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (CosyVoiceError("No"), "No"),
        (CosyVoiceError("No", code="Never"), "No (code: Never)"),
        (
            CosyVoiceError("No", code="Never", request_id="7"),
            "No (code: Never, request id: 7)",
        ),
        (
            errors.OptionError("volume", 101, "0 to 100"),
            "volume: 101 is not possible (invalid_option): 0 to 100",
        ),
    ],
)
def test_an_error_says_what_it_knows(error: CosyVoiceError, words: str) -> None:
    """In one line."""
    assert str(error) == words
