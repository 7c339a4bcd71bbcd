"""An asynchronous client for Alibaba Cloud Model Studio's CosyVoice voices.

    client = CosyVoiceClient(session, api_key, Endpoint.create("cn-beijing"))
    options = SynthesisOptions(voice="longanyang").resolve("cn-beijing")
    async for chunk in client.speak("Welcome home.", options):
        ...

It needs aiohttp and nothing else. What can be imported from here is public.
"""

from .account import ClonedVoice
from .audio import audio_writer
from .audio.silence import Silence
from .catalogue import CATALOGUE, Model, Style, Voice
from .client import CosyVoiceClient
from .counting import count_characters
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
from .options import PARAMETERS, SynthesisOptions, supports, wire_format
from .timing import Timing
from .utterance.report import UtteranceReport, Word
from .utterance.source import Piece
from .utterance.utterance import Utterance
from .wire.endpoint import Endpoint

__all__ = [
    "CATALOGUE",
    "PARAMETERS",
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
    "EmptyTextError",
    "Endpoint",
    "FreeQuotaError",
    "InstructionError",
    "Model",
    "ModelNotFoundError",
    "NoAudioError",
    "OptionError",
    "Piece",
    "ProtocolError",
    "QuotaError",
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
    "Utterance",
    "UtteranceReport",
    "Voice",
    "VoiceError",
    "Word",
    "audio_writer",
    "count_characters",
    "supports",
    "wire_format",
]
