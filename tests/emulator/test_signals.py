"""Signals in every format, at every rate, whole and cut."""

import numpy as np
import pytest

from . import Heard
from .audio import Encoder, decode, resample
from .rules import SAMPLE_RATES
from .signals import recognise, signal

TEXTS = ["你好，欢迎回家。", "The lights are on.", "さようなら", "3.5", "Good night!"]


def encoded(audio_format: str, sample_rate: int, bit_rate: int = 32) -> bytes:
    encoder = Encoder(audio_format, sample_rate, bit_rate)
    parts = [encoder.encode(signal(text, sample_rate)) for text in TEXTS]
    return b"".join((*parts, encoder.finish()))


@pytest.mark.parametrize("sample_rate", SAMPLE_RATES)
@pytest.mark.parametrize("audio_format", ["pcm", "wav", "mp3", "opus"])
def test_signals_survive_every_format_and_rate(
    audio_format: str, sample_rate: int
) -> None:
    audio = encoded(audio_format, sample_rate)
    container = "pcm" if audio_format == "pcm" else None
    heard = recognise(decode(audio, container, sample_rate), TEXTS)
    assert heard == [Heard(text, True) for text in TEXTS]


@pytest.mark.parametrize("bit_rate", [16, 64])
@pytest.mark.parametrize("sample_rate", [8000, 16000, 24000, 48000])
def test_signals_survive_every_opus_bit_rate(sample_rate: int, bit_rate: int) -> None:
    audio = encoded("opus", sample_rate, bit_rate)
    assert recognise(decode(audio), TEXTS) == [Heard(text, True) for text in TEXTS]


@pytest.mark.parametrize("sample_rate", [8000, 22050, 48000])
def test_signals_survive_resampling(sample_rate: int) -> None:
    samples = resample(signal(TEXTS[0], sample_rate), sample_rate, 48000)
    assert recognise((samples, 48000), TEXTS) == [Heard(TEXTS[0], True)]


@pytest.mark.parametrize("share", [0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
def test_a_cut_signal_is_partial(share: float) -> None:
    whole = signal(TEXTS[0], 24000)
    cut = whole[: round(len(whole) * share)]
    samples = np.concatenate([cut, signal(TEXTS[1], 24000)])
    (first, second) = recognise((samples, 24000), TEXTS)
    assert not first.complete
    assert first.text in (None, TEXTS[0])
    assert second == Heard(TEXTS[1], True)


def test_a_partial_signal_is_named_once_it_is_certain() -> None:
    half = signal(TEXTS[0], 24000)[: round(0.3 * 24000)]
    assert recognise((half, 24000), TEXTS) == [Heard(TEXTS[0], False)]


def test_a_lost_beginning_is_partial() -> None:
    tail = signal(TEXTS[0], 24000)[round(0.2 * 24000) :]
    assert recognise((tail, 24000), TEXTS) == [Heard(None, False)]


def test_a_hole_makes_one_partial_signal() -> None:
    samples = signal(TEXTS[0], 24000)
    holed = np.concatenate([samples[:4800], samples[7200:]])
    (heard,) = recognise((holed, 24000), TEXTS)
    assert not heard.complete


def test_an_unknown_sentence_is_not_made_up() -> None:
    assert recognise((signal("other", 8000), 8000), TEXTS) == [Heard(None, False)]


def test_silence_and_nothing_hold_no_signal() -> None:
    assert recognise((np.zeros(8000, np.int16), 8000), TEXTS) == []
    assert recognise((np.zeros(0, np.int16), 8000), TEXTS) == []
    assert recognise(decode(b"no audio"), TEXTS) == []


def test_white_space_makes_no_difference() -> None:
    samples = signal(" Good\n night! ", 8000)
    assert recognise((samples, 8000), TEXTS) == [Heard("Good night!", True)]
