"""Sentences as short tone sequences that survive coding, resampling and cutting.

A signal is a start tone, the text's CRC-32 and a check byte as ten tones of four bits
each, an end tone and a pause. All tones lie below 3.2 kHz, so that 8 kHz audio carries
them. Nothing here keeps state.
"""

from collections.abc import Iterable
from dataclasses import dataclass
import zlib

import numpy as np
import numpy.typing as npt

from .audio import Samples, resample
from .records import Heard
from .text import normalise

_RATE = 8000
"""Where signals are decoded, in Hz."""
_SYMBOL = 0.04
_MARK = 0.06
_PAUSE = 0.28
_SYMBOLS = 10
_TONES = 500.0 + 125.0 * np.arange(16)
_START, _END = 16, 17
_FREQUENCIES = np.append(_TONES, (2750.0, 3050.0))
_WINDOW = 160
_HOP = 40
_STEPS = _RATE / _HOP
"""Steps a second at which the tone is determined."""
_QUIET = 0.01
"""Level, with full scale as 1, below which nothing is heard."""
_CLEAR = 0.3
"""Share of the energy that a tone must have to be heard."""


def signal(text: str, sample_rate: int) -> Samples:
    """Return the signal of a sentence; white space makes no difference to it."""
    tones = [(_START, _MARK)]
    tones += [(symbol, _SYMBOL) for symbol in _symbols(text)]
    tones += [(_END, _MARK)]
    frequencies = np.concatenate(
        [
            np.full(round(seconds * sample_rate), _FREQUENCIES[tone])
            for tone, seconds in tones
        ]
    )
    wave = 0.4 * np.sin(2 * np.pi * np.cumsum(frequencies) / sample_rate)
    pause = np.zeros(round(_PAUSE * sample_rate))
    samples: Samples = (np.concatenate([wave, pause]) * 32767).astype(np.int16)
    return samples


def recognise(audio: tuple[Samples, int], known: Iterable[str]) -> list[Heard]:
    """Return the sentences in audio, in order.

    Args:
        audio: Mono samples and their rate in Hz.
        known: The sentences that may be heard.
    """
    codes = {_symbols(text): normalise(text) for text in known}
    return [_heard(received, codes) for received in _receive(*audio)]


@dataclass
class _Received:
    symbols: tuple[int, ...]
    ended: bool


def _symbols(text: str) -> tuple[int, ...]:
    code = zlib.crc32(normalise(text).encode("utf-8", "replace")).to_bytes(4)
    code += bytes([sum(code) & 0xFF])
    return tuple(nibble for byte in code for nibble in (byte >> 4, byte & 15))


def _heard(received: _Received, codes: dict[tuple[int, ...], str]) -> Heard:
    if len(received.symbols) == _SYMBOLS and received.ended:
        text = codes.get(received.symbols)
        return Heard(text, text is not None)
    candidates = {
        text
        for symbols, text in codes.items()
        if symbols[: len(received.symbols)] == received.symbols
    }
    certain = len(received.symbols) >= 2 and len(candidates) == 1
    return Heard(candidates.pop() if certain else None, False)


def _receive(samples: Samples, rate: int) -> list[_Received]:
    tones = _tones(resample(samples, rate, _RATE))
    found: list[_Received] = []
    position = signal_end = 0
    while position < len(tones):
        if tones[position] == _START and (end := _mark_end(tones, position)):
            received, position = _read(tones, end)
            found.append(received)
            signal_end = end + round((_SYMBOLS * _SYMBOL + 2 * _MARK) * _STEPS)
        elif tones[position] == _END and (end := _mark_end(tones, position)):
            if end > signal_end:
                found.append(_Received((), True))
            position = end
        else:
            position += 1
    return found


def _mark_end(tones: npt.NDArray[np.int64], position: int) -> int:
    """Return where the mark that begins here ends, or 0 if it is too short."""
    mark = tones[position]
    # Coding may blur a step or two.
    steps = tones[position : position + round(1.5 * _MARK * _STEPS)]
    same = np.flatnonzero(steps == mark)
    return position + int(same[-1]) + 1 if len(same) >= _MARK / 2 * _STEPS else 0


def _read(tones: npt.NDArray[np.int64], start: int) -> tuple[_Received, int]:
    """Read the symbols from here on; return also where they end."""
    symbols: list[int] = []
    for number in range(_SYMBOLS):
        tone = _tone_at(tones, start + (number + 0.5) * _SYMBOL * _STEPS)
        if not 0 <= tone < _START:
            return _Received(tuple(symbols), False), start + len(symbols)
        symbols.append(tone)
    end = start + (_SYMBOLS * _SYMBOL + _MARK / 2) * _STEPS
    ended = _tone_at(tones, end) == _END
    last = end + _MARK / 2 * _STEPS if ended else end - _MARK / 2 * _STEPS
    return _Received(tuple(symbols), ended), round(last) + 1


def _tone_at(tones: npt.NDArray[np.int64], middle: float) -> int:
    """Return the tone that most steps around a moment have."""
    around = tones[round(middle) - 2 : round(middle) + 3]
    return int(np.bincount(around + 1, minlength=1).argmax()) - 1


def _tones(samples: Samples) -> npt.NDArray[np.int64]:
    """Return the tone that is heard at each step of 5 ms, or -1."""
    if len(samples) < _WINDOW:
        return np.zeros(0, np.int64)
    padded = np.pad(samples / 32768, _WINDOW // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP]
    frames = frames * np.hanning(_WINDOW)
    times = np.arange(_WINDOW) / _RATE
    probes = np.exp(-2j * np.pi * np.outer(times, _FREQUENCIES))
    # A pure tone gives amplitude / 2 times the window's sum.
    gain = np.hanning(_WINDOW).sum() / 2
    levels = np.abs(frames @ probes) / gain
    loudest: npt.NDArray[np.int64] = levels.argmax(axis=1)
    level = levels.max(axis=1)
    energy = (frames**2).sum(axis=1)
    tone_energy = level**2 / 2 * (np.hanning(_WINDOW) ** 2).sum()
    clear = (level > _QUIET) & (tone_energy > _CLEAR * energy)
    return np.where(clear, loudest, -1)
