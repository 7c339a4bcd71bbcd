"""Which models and voices there are, and how the others are refused."""

import json
from pathlib import Path

from ..probe import (
    BEIJING,
    MODEL,
    PLUS,
    QWEN_30,
    QWEN_31,
    QWEN_31_VOICE,
    SINGAPORE,
    VOICE,
    ClosedError,
    characters,
    expect,
    probe,
    tokens,
)
from ..service import Service
from ..talk import refusal

_CATALOGUE = "client/catalogue.json"
_ERRORS = "client/errors.py"
_ROOT = Path(__file__).parents[3]
_VOICES = 8
"""Voices of a model that are tried: as many, spread over the list."""


async def _refused(service: Service, code: str, **parameters: str) -> str:
    """Check the code, or a word of the message, of a refusal."""
    error = await refusal(service, account=True, **parameters)
    return expect(code in str(error), str(error or "it was taken"))


async def _speaks(service: Service, **parameters: str) -> str:
    if error := await refusal(service, account=True, **parameters):
        raise ClosedError(error.code, error.words)
    return "it speaks"


@probe("15", "docs", _ERRORS, "unknown-model-denied")
async def unknown_model(service: Service) -> str:
    """A model that does not exist gives ModelNotFound."""
    return await _refused(service, "ModelNotFound", model="cosyvoice-v9")


@probe(
    "15",
    "seen",
    _ERRORS,
    "closed-model-not-found",
    regions=(SINGAPORE,),
    cost=characters(3, "cosyvoice-v2"),
)
async def closed_model(service: Service) -> str:
    """A model that the region does not offer gives AccessDenied."""
    common = {"model": "cosyvoice-v2", "voice": "longyingxiao"}
    return await _refused(service, "AccessDenied", **common)


@probe("15", "seen", _ERRORS, "voice-error-411")
async def unknown_voice(service: Service) -> str:
    """CosyVoice refuses an unknown voice with 418."""
    return await _refused(service, "418", voice="nobody")


@probe("Q", "seen", _ERRORS, "qwen-voice-error-418", regions=(BEIJING,))
async def qwen_unknown_voice(service: Service) -> str:
    """Qwen-Audio refuses an unknown voice with 411."""
    return await _refused(service, "411", model=QWEN_31, voice="nobody")


@probe("Q", "docs", _CATALOGUE, "qwen-any-case", regions=(BEIJING,), cost=tokens(3, 3))
async def voice_in_other_case(service: Service) -> str:
    """The id of a voice must be written in its case."""
    return await _refused(service, "411", model=QWEN_31, voice=QWEN_31_VOICE.upper())


@probe(
    "14",
    "docs",
    _CATALOGUE,
    "v3.5-has-system-voices",
    regions=(BEIJING,),
    cost=characters(3, "cosyvoice-v3.5-flash"),
)
async def no_system_voices_of_v3_5(service: Service) -> str:
    """cosyvoice-v3.5-flash has no system voices."""
    return await _refused(service, "418", model="cosyvoice-v3.5-flash")


@probe("15", "docs", _ERRORS, "empty-text-finishes")
async def empty_text_fails(service: Service) -> str:
    """A text of punctuation alone is refused, in words that name the text."""
    error = await refusal(service, "。")
    return expect("text is" in str(error), str(error or "it was taken"))


@probe(
    "14",
    "docs",
    _CATALOGUE,
    "v3-plus-not-in-singapore",
    regions=(SINGAPORE,),
    cost=characters(3, PLUS),
)
async def v3_plus_in_singapore(service: Service) -> str:
    """cosyvoice-v3-plus speaks in Singapore."""
    return await _speaks(service, model=PLUS)


@probe(
    "14",
    "docs",
    _CATALOGUE,
    "v2-in-singapore",
    regions=(SINGAPORE,),
    cost=characters(3, "cosyvoice-v2"),
)
async def no_v2_in_singapore(service: Service) -> str:
    """cosyvoice-v2 is closed in Singapore, whatever the voice."""
    error = await refusal(
        service, account=True, model="cosyvoice-v2", voice="longyingxiao"
    )
    return expect(error and "418" not in str(error), str(error or "it was taken"))


@probe(
    "Q",
    "seen",
    _CATALOGUE,
    "qwen-3.1-in-singapore",
    regions=(SINGAPORE,),
    cost=tokens(3, 3),
)
async def no_qwen_31_in_singapore(service: Service) -> str:
    """qwen-audio-3.1-tts-flash is closed in Singapore."""
    error = await refusal(service, account=True, model=QWEN_31, voice=QWEN_31_VOICE)
    return expect(error, str(error or "it was taken"))


@probe("Q", "docs", _CATALOGUE, "qwen-closed", regions=(BEIJING,), cost=tokens(3, 3))
async def qwen_31_in_beijing(service: Service) -> str:
    """qwen-audio-3.1-tts-flash speaks on the general host of Beijing."""
    return await _speaks(service, model=QWEN_31, voice=QWEN_31_VOICE)


@probe("Q", "docs", _CATALOGUE, "qwen-closed", cost=characters(3, QWEN_30))
async def qwen_30_speaks(service: Service) -> str:
    """qwen-audio-3.0-tts-flash speaks in both regions."""
    return await _speaks(service, model=QWEN_30, voice="loongjohn")


def _some(model: str, region: str) -> list[str]:
    """Return voices of the catalogue, spread over those of a model."""
    path = _ROOT / "custom_components/cosyvoice/client/catalogue.json"
    voices = json.loads(path.read_text("utf-8"))["voices"]
    fitting = [
        voice["id"]
        for voice in voices
        if model in voice["models"] and region in voice.get("regions", [region])
    ]
    step = max(1, len(fitting) // _VOICES)
    return fitting[::step][:_VOICES]


async def _all_speak(service: Service, model: str) -> str:
    voices = _some(model, service.region)
    refused = [
        f"{voice}: {error}"
        for voice in voices
        if await refusal(service, account=True, model=model, voice=voice)
        # It is known to happen now and then without a reason.
        and (error := await refusal(service, account=True, model=model, voice=voice))
    ]
    return expect(not refused, "; ".join(refused) or ", ".join(voices))


@probe("14", "docs", _CATALOGUE, "no-longanyang", cost=characters(3 * _VOICES))
async def voices_of_v3_flash(service: Service) -> str:
    """The catalogue's voices of cosyvoice-v3-flash exist; some are tried."""
    return await _all_speak(service, "cosyvoice-v3-flash")


@probe(
    "14",
    "docs",
    _CATALOGUE,
    "v2-closed",
    regions=(BEIJING,),
    cost=characters(3 * _VOICES, "cosyvoice-v2"),
)
async def voices_of_v2(service: Service) -> str:
    """The catalogue's voices of cosyvoice-v2 exist; some are tried."""
    return await _all_speak(service, "cosyvoice-v2")


@probe(
    "Q",
    "docs",
    _CATALOGUE,
    "qwen-closed",
    regions=(BEIJING,),
    cost=tokens(3 * _VOICES, 3 * _VOICES),
)
async def voices_of_qwen_31(service: Service) -> str:
    """The catalogue's voices of qwen-audio-3.1-tts-flash exist; some are tried."""
    return await _all_speak(service, QWEN_31)


@probe(
    "11",
    "docs",
    "tests/emulator",
    "no-http-speech",
    regions=(BEIJING,),
    cost=characters(3),
)
async def speech_over_http(service: Service) -> str:
    """A text gets an address of its audio over HTTP, with the usage."""
    values = {"text": "好。", "voice": VOICE, "format": "mp3"}
    body = {"model": MODEL, "input": values}
    path = "/services/audio/tts/SpeechSynthesizer"
    status, answer = await service.http("POST", path, body=body)
    answer = answer or {}
    audio = (answer.get("output") or {}).get("audio") or {}
    counted = (answer.get("usage") or {}).get("characters")
    seen = f"HTTP {status} {answer.get('code', '')}, {counted} characters"
    return expect(audio.get("url") and counted == 3, seen)
