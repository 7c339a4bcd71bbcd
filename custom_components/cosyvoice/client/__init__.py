"""An asynchronous client for Alibaba Cloud Model Studio's CosyVoice voices.

    client = CosyVoiceClient(session, api_key, Endpoint.create("cn-beijing"))
    options = SynthesisOptions(voice="longanyang").resolve("cn-beijing")
    async for chunk in client.speak("你好，欢迎回家。", options):
        ...

It needs aiohttp and nothing else. What can be imported from here is public.
"""

from .account import ClonedVoice
from .audio import AudioWriter, audio_writer
from .catalogue import CATALOGUE, Catalogue, Model, Price, Region, Style, Voice
from .cleaning import SpeakableText
from .client import CosyVoiceClient
from .endpoint import Endpoint
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
from .options import AUTO, FORMATS, SynthesisOptions
from .pool import PoolStatistics
from .progress import is_speakable
from .pronunciation import Replacer, pinyin_of
from .report import UtteranceReport, Word
from .silence import Silence
from .ssml import SSML_OPENING, check_ssml, is_ssml
from .text import SentenceSplitter, count_characters, scrub
from .timing import Timing
from .utterance import Utterance

__all__ = [
    "AUTO",
    "CATALOGUE",
    "FORMATS",
    "SSML_OPENING",
    "AccessDeniedError",
    "ArrearsError",
    "AudioWriter",
    "AuthenticationError",
    "Catalogue",
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
    "PoolStatistics",
    "Price",
    "ProtocolError",
    "QuotaError",
    "Region",
    "Replacer",
    "RequestError",
    "SentenceSplitter",
    "ServiceError",
    "Silence",
    "SpeakableText",
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
    "check_ssml",
    "count_characters",
    "is_speakable",
    "is_ssml",
    "pinyin_of",
    "scrub",
]
