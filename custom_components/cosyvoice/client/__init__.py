"""An asynchronous client for Alibaba Cloud Model Studio's CosyVoice voices.

    client = CosyVoiceClient(session, api_key, Endpoint.create("cn-beijing"))
    options = SynthesisOptions(voice="longanyang").resolve("cn-beijing")
    async for chunk in client.speak("Welcome home.", options):
        ...

It needs aiohttp and nothing else. What can be imported from here is public.
"""

from .account import DEPLOYING, NOT_APPROVED, READY, ClonedVoice
from .audio import audio_writer
from .audio.silence import Silence
from .catalogue import CATALOGUE, TOKENS_PER_SECOND, Model, Style, Voice
from .client import CosyVoiceClient
from .counting import count_characters
from .enrolment import UNCERTAIN, DesignedVoice, EnrolmentApi, new_prefix, prefix_of
from .errors import (
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
from .options import PARAMETERS, SynthesisOptions, supports, wire_format
from .timing import Timing
from .utterance.report import UtteranceReport, Word
from .utterance.source import Piece
from .utterance.utterance import Utterance
from .wire.endpoint import Endpoint

__all__ = [
    "CATALOGUE",
    "DEPLOYING",
    "NOT_APPROVED",
    "PARAMETERS",
    "READY",
    "TOKENS_PER_SECOND",
    "UNCERTAIN",
    "AccessDeniedError",
    "ArrearsError",
    "AuthenticationError",
    "ClientClosedError",
    "ClonedVoice",
    "ContentError",
    "CosyVoiceClient",
    "CosyVoiceConnectionError",
    "CosyVoiceError",
    "CosyVoiceTimeoutError",
    "DesignedVoice",
    "EmptyTextError",
    "Endpoint",
    "EnrolmentApi",
    "FreeQuotaError",
    "InstructionError",
    "Model",
    "ModelNotFoundError",
    "NoAudioError",
    "NotOfferedError",
    "OptionError",
    "Piece",
    "ProtocolError",
    "ProxyError",
    "QuotaError",
    "RecordingContentError",
    "RecordingError",
    "RecordingSilentError",
    "RecordingTooLargeError",
    "RecordingTooLongError",
    "RecordingTooShortError",
    "RecordingUnreadableError",
    "RequestError",
    "ServiceError",
    "Silence",
    "SsmlError",
    "Style",
    "SynthesisOptions",
    "TextError",
    "TextTooLongError",
    "ThrottledError",
    "Timing",
    "TooManyVoicesError",
    "UploadError",
    "Utterance",
    "UtteranceReport",
    "Voice",
    "VoiceError",
    "VoiceNotApprovedError",
    "Word",
    "audio_writer",
    "count_characters",
    "new_prefix",
    "prefix_of",
    "supports",
    "wire_format",
]
