"""Real speech, offline: eSpeak NG, by its C library.

The library is one per process and not thread-safe, so a lock guards it.
"""

import ctypes
from dataclasses import dataclass
import functools
from pathlib import Path
import re
import threading
from typing import Any
import zlib

import espeakng_loader
import numpy as np

from .audio import Samples, resample
from .recording import pitch_of
from .rules import Speaker

_NORMAL_RATE = 170
_NORMAL_PITCH = 50
_SLOWEST, _FASTEST = 80, 450
_SYNCHRONOUS = 2
_NO_EXIT = 0x8000
_UTF8 = 1
_BY_CHARACTER = 1
_RATE_PARAMETER, _PITCH_PARAMETER = 1, 3
_BLOCK_MS = 60
# Level below which the end of a run counts as silence, of 32767.
_SILENCE = 200
_RUN_GAP = 0.05
_SENTENCE_GAP = 0.25

_VOICES = {
    "zh": "cmn",
    "nan": "cmn",
    "en": "en-us",
    "en-US": "en-us",
    "en-GB": "en",
}
_VARIANTS = {"male": ("m1", "m2", "m3", "m4", "m7"), "female": ("f1", "f2", "f3", "f4")}
# The pitch in Hz that variants were heard to have at settings of eSpeak's pitch.
_SETTINGS = (10, 25, 50, 75, 99)
_MEASURED = {"m3": (71, 80, 101, 130, 167), "f2": (128, 148, 185, 240, 308)}
_BORDER = 150
_SCRIPTS = (
    ("han", "[\u3400-\u9fff\uf900-\ufaff\U00020000-\U000323af]"),
    ("ja", "[\u3040-\u30ff]"),
    ("ko", "[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]"),
    ("ru", "[\u0400-\u04ff]"),
    ("th", "[\u0e00-\u0e7f]"),
    ("latin", "[A-Za-z\u00c0-\u024f\u1e00-\u1eff]"),
)
_SCRIPT = re.compile("|".join(f"(?P<{name}>{chars})" for name, chars in _SCRIPTS))
# Languages that are not written in Latin letters.
_OTHER_SCRIPTS = ("zh", "yue", "nan", "ja", "ko", "ru", "th")
_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)
_lock = threading.Lock()


def speak(text: str, speaker: Speaker, rate: float, pitch: float) -> Samples:
    """Return the speech for a sentence at the speaker's sample rate.

    Args:
        text: The sentence, in one language or several.
        speaker: Who speaks; its volume is not applied.
        rate: Speech rate, 1 for normal.
        pitch: Pitch, 1 for normal.
    """
    with _lock:
        source_rate = _library()[1]
    if speaker.fundamental is None:
        timbre = _timbre(speaker, rate, pitch)
    else:
        wanted = speaker.fundamental * pitch
        timbre = _timbre_of_pitch(wanted, rate)
        tried = [_run(part, language, timbre) for language, part in runs(text, speaker)]
        if tried and (found := pitch_of(np.concatenate(tried), source_rate)):
            timbre = _timbre_of_pitch(wanted * wanted / found, rate, wanted)
    parts = [_run(part, language, timbre) for language, part in runs(text, speaker)]
    gaps = [round(_RUN_GAP * source_rate)] * len(parts)
    gaps[-1:] = [round(_SENTENCE_GAP * source_rate)]
    pieces = [
        np.pad(part, (0, gap)) for part, gap in zip(parts, gaps, strict=True)
    ] or [np.zeros(0, np.int16)]
    return resample(np.concatenate(pieces), source_rate, speaker.sample_rate)


def runs(text: str, speaker: Speaker) -> list[tuple[str, str]]:
    """Return the text in runs of one language each, by script."""
    found: list[tuple[str, str]] = []
    latin = speaker.language_hint or speaker.language
    if latin in _OTHER_SCRIPTS:
        latin = "en"
    han = "yue" if speaker.language == "yue" else "zh"
    default = speaker.language
    start = 0
    current = ""
    for match in _SCRIPT.finditer(text):
        script = match.lastgroup or ""
        language = {"han": han, "latin": latin}.get(script, script)
        if current and language != current:
            found.append((current, text[start : match.start()]))
            start = match.start()
        current = language
    found.append((current or default, text[start:]))
    return found


@dataclass(frozen=True)
class _Timbre:
    variant: str
    rate: int
    pitch: int


def _timbre(speaker: Speaker, rate: float, pitch: float) -> _Timbre:
    character = zlib.crc32(speaker.voice.encode())
    gender = speaker.gender or ("male", "female")[character % 2]
    variants = _VARIANTS[gender]
    mood = zlib.crc32(speaker.instruction.encode()) if speaker.instruction else 0
    base = _NORMAL_PITCH + (character >> 4) % 21 - 10
    if mood:
        base += (-8, -5, 5, 8)[mood % 4]
        rate *= (0.88, 0.94, 1.06, 1.12)[(mood >> 4) % 4]
    base += speaker.seed % 7
    return _Timbre(
        variants[(character >> 10) % len(variants)],
        round(np.clip(_NORMAL_RATE * rate, _SLOWEST, _FASTEST)),
        round(np.clip(base + 40 * np.log2(pitch), 0, 99)),
    )


def _timbre_of_pitch(hertz: float, rate: float, wanted: float | None = None) -> _Timbre:
    """Return a timbre that usually has a pitch, of the variant for the wanted one."""
    variant = "m3" if (wanted or hertz) < _BORDER else "f2"
    settings = np.interp(np.log(hertz), np.log(_MEASURED[variant]), _SETTINGS)
    words = round(np.clip(_NORMAL_RATE * rate, _SLOWEST, _FASTEST))
    return _Timbre(variant, words, round(settings))


def _run(text: str, language: str, timbre: _Timbre) -> Samples:
    """Return the speech for text of one language, without silence at its end."""
    with _lock:
        return _spoken(text, language, timbre)


# eSpeak speaks a little differently each time: what it said is kept, to be said again.
@functools.lru_cache(maxsize=256)
def _spoken(text: str, language: str, timbre: _Timbre) -> Samples:
    blocks: list[Samples] = []

    def collect(wave: Any, count: int, _events: Any) -> int:
        if wave and count > 0:
            blocks.append(np.ctypeslib.as_array(wave, (count,)).copy())
        return 0

    raw = text.replace("\0", " ").encode("utf-8", "replace") + b"\0"
    library = _library()[0]
    name = f"{_VOICES.get(language, language)}+{timbre.variant}"
    if library.espeak_SetVoiceByName(name.encode()):
        raise ValueError(f"eSpeak NG has no voice {name}")
    library.espeak_SetParameter(_RATE_PARAMETER, timbre.rate, 0)
    library.espeak_SetParameter(_PITCH_PARAMETER, timbre.pitch, 0)
    callback = _Callback(collect)
    library.espeak_SetSynthCallback(callback)
    library.espeak_Synth(raw, len(raw), 0, _BY_CHARACTER, 0, _UTF8, None, None)
    library.espeak_Synchronize()
    samples: Samples = np.concatenate([np.zeros(0, np.int16), *blocks])
    loud = np.flatnonzero(np.abs(samples) > _SILENCE)
    return samples[: loud[-1] + 1] if len(loud) else samples[:0]


@functools.cache
def _library() -> tuple[ctypes.CDLL, int]:
    """Load the library; return it and its sample rate in Hz."""
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    data = Path(espeakng_loader.get_data_path()).parent
    rate = library.espeak_Initialize(
        _SYNCHRONOUS, _BLOCK_MS, str(data).encode(), _NO_EXIT
    )
    if rate <= 0:
        raise RuntimeError("eSpeak NG could not be initialised")
    return library, rate
