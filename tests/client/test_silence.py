"""Silence around the speech, measured in an MP3 made of the samples."""

from hypothesis import given, strategies as st
import numpy as np
import pytest

from custom_components.cosyvoice.client import Silence
from tests.emulator.audio import Encoder, decode

# Above it a frame is twice as long
LOW_RATES, HIGH_RATES = (8000, 16000, 22050, 24000), (32000, 44100, 48000)


def heard(silence: Silence, speech: int, rate: int) -> tuple[float, float]:
    """Return the seconds of an MP3's silence, and those after the speech's end.

    Args:
        silence: What to put around the speech.
        speech: Samples of it.
        rate: Its sample rate in Hz.
    """
    before = np.zeros(round(silence.before() * rate), np.int16)
    tone = np.rint(12_000 * np.sin(np.arange(speech) * 0.3)).astype(np.int16)
    given_out = np.concatenate([before, tone])
    after = np.zeros(round(silence.after(len(given_out) / rate) * rate), np.int16)
    encoder = Encoder("mp3", rate, 0)
    coded = encoder.encode(np.concatenate([given_out, after])) + encoder.finish()
    samples, decoded_rate = decode(coded)
    assert decoded_rate == rate
    loud = np.flatnonzero(np.abs(samples.astype(int)) > 1000)
    return loud[0] / rate, len(samples) / rate - loud[0] / rate - speech / rate


@given(
    rate=st.sampled_from(LOW_RATES + HIGH_RATES),
    speech=st.integers(3000, 9000),
    lead_in=st.integers(150, 400),
    trailing=st.integers(150, 400),
)
def test_mp3_begins_exactly_and_ends_on_the_nearest_frame(
    rate: int, speech: int, lead_in: int, trailing: int
) -> None:
    frame = (1152 if rate in HIGH_RATES else 576) / rate
    silence = Silence(lead_in / 1000, trailing / 1000, rate)
    before, after = heard(silence, speech, rate)
    assert before == pytest.approx(lead_in / 1000, abs=0.01)
    assert before + after == pytest.approx(
        (lead_in + trailing) / 1000, abs=frame / 2 + 1 / rate
    )


@pytest.mark.parametrize("rate", [None, 24_000])
def test_nothing_is_added_where_no_silence_is_wanted(rate: int | None) -> None:
    silence = Silence(mp3_sample_rate=rate)
    assert silence.before() == silence.after(1.234) == 0


def test_coding_may_take_longer_than_the_silence_that_is_wanted() -> None:
    silence = Silence(0.01, 0.001, 24_000)
    assert silence.before() == 0
    assert silence.after(1.0) >= 0
