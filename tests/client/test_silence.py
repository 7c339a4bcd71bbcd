"""Silence around the speech and in pauses of the text."""

import asyncio
from collections.abc import AsyncGenerator

from hypothesis import given, strategies as st
import numpy as np
import pytest

from custom_components.cosyvoice.client import Silence, Timing
from custom_components.cosyvoice.client.audio import audio_writer
from custom_components.cosyvoice.text.sentences import Piece
from tests.clock import run
from tests.emulator import EmulatorConfig, Fault, FaultKind, Point
from tests.emulator.audio import Encoder, decode

from .speaking import SENTENCES, TEXT, listen, options, pieces, service, whole, written

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


@pytest.mark.parametrize("container", ["wav", "caf", "pcm"])
def test_silence_before_and_after_is_exact(container: str) -> None:
    """To the sample."""

    async def scenario() -> None:
        async with service() as (_, client):
            chosen = options(format=container, sample_rate=48000)
            plain = await listen(client.speak(TEXT, chosen))
            padded = await listen(
                client.speak(TEXT, chosen, silence=Silence(0.25, 1.5))
            )
            header = len(audio_writer(container, 48000).header())
            samples = plain[header:]
            before, after = bytes(2 * 12_000), bytes(2 * 72_000)
            assert padded[header:] == before + samples + after

    run(scenario())


def test_pauses_are_filled_only_as_needed() -> None:
    """A listener who plays at real time never runs dry; nobody else gets silence."""

    async def scenario() -> None:
        loop = asyncio.get_running_loop()

        async def pausing() -> AsyncGenerator[Piece]:
            yield Piece(SENTENCES[0], "sentence")
            await asyncio.sleep(40)
            for piece in pieces(SENTENCES[1] + " " + SENTENCES[2]):
                yield piece

        config = EmulatorConfig(
            speech="signal", first_packet=0.5, real_time_factor=0.3, round_trip=0.1
        )
        async with service(config) as (emulator, client):
            utterance = client.speak(pausing(), options(format="pcm"), fill_pauses=True)
            audio = bytearray()
            playing_since = None
            async for chunk in utterance:
                if playing_since is None:
                    playing_since = loop.time()
                else:
                    played = loop.time() - playing_since
                    assert len(audio) / 48_000 > played
                audio += chunk
                assert len(audio) / 48_000 < loop.time() - playing_since + 3
            found = emulator.heard(bytes(audio), "pcm", 24_000)
            assert [sentence.text.strip() for sentence in found] == SENTENCES
            assert all(sentence.complete for sentence in found)
            assert 40 < utterance.report.audio_seconds < 44

            utterance = client.speak(
                written(TEXT, 0.01), options(format="pcm"), fill_pauses=True
            )
            await listen(utterance)
            task = (
                emulator.tasks[-1] if emulator.tasks[-1].pieces else emulator.tasks[-2]
            )
            assert utterance.report.audio_seconds < task.audio_seconds + 0.2

    run(scenario())


def test_silence_goes_on_until_the_next_sentence_is_heard() -> None:
    """Also while the connection has to be opened anew for it."""

    async def scenario() -> None:
        async def pausing() -> AsyncGenerator[Piece]:
            yield Piece(SENTENCES[0], "sentence")
            await asyncio.sleep(200)
            for piece in pieces(SENTENCES[1] + SENTENCES[2]):
                yield piece

        config = EmulatorConfig(
            speech="signal", round_trip=0.5, first_packet=1.0, real_time_factor=0.3
        )
        async with service(config) as (emulator, client):
            emulator.script(Fault(FaultKind.HTTP_503, Point.HANDSHAKE, connection=2))
            utterance = client.speak(pausing(), options(format="pcm"), fill_pauses=True)
            loop = asyncio.get_running_loop()
            seconds, playing_since = 0.0, None
            async for chunk in utterance:
                playing_since = loop.time() if playing_since is None else playing_since
                assert seconds == 0 or seconds > loop.time() - playing_since
                seconds += len(chunk) / 48_000
            assert utterance.report.outcome == "finished"

    run(scenario())


@pytest.mark.parametrize("real_time_factor", [0.02, 0.3, 0.9, 1.5])
@pytest.mark.parametrize("text", ["好。灯已经打开了。", "No. It is off. 好！", "No."])
def test_a_text_that_does_not_pause_gets_no_silence(
    text: str, real_time_factor: float
) -> None:
    async def scenario() -> None:
        config = EmulatorConfig(
            speech="signal", first_packet=0.3, real_time_factor=real_time_factor
        )
        async with service(config) as (emulator, client):
            utterance = client.speak(
                whole(text), options(format="pcm"), fill_pauses=True
            )
            audio = await listen(utterance)
            (task,) = (task for task in emulator.tasks if task.pieces)
            assert len(audio) / 48_000 == pytest.approx(task.audio_seconds, abs=0.001)

    run(scenario())


def test_a_pause_before_the_first_sentence_is_filled_after_a_while() -> None:
    """The lead-in comes right before the speech nevertheless."""

    async def scenario() -> None:
        loop = asyncio.get_running_loop()

        async def pausing() -> AsyncGenerator[Piece]:
            await asyncio.sleep(30)
            yield Piece("Here it is now, the answer.", "sentence")

        config = EmulatorConfig(speech="signal", first_packet=0.3)
        async with service(config) as (emulator, client):
            utterance = client.speak(
                pausing(),
                options(format="pcm"),
                silence=Silence(lead_in=0.5),
                fill_pauses=True,
            )
            last, audio = loop.time(), b""
            async for chunk in utterance:
                assert loop.time() - last <= 2.1
                last, audio = loop.time(), audio + chunk
            samples = np.frombuffer(audio, np.int16).astype(int)
            before = np.flatnonzero(np.abs(samples) > 500)[0] / 24_000
            assert before == pytest.approx(30 - 2 + Timing().low_water + 0.5, abs=0.2)
            (task,) = (task for task in emulator.tasks if task.pieces)
            assert len(samples) / 24_000 == pytest.approx(
                before + task.audio_seconds, abs=0.02
            )

    run(scenario())


def test_a_slow_service_is_not_made_up_for_in_the_next_pause() -> None:
    async def scenario() -> None:
        async def pausing() -> AsyncGenerator[Piece]:
            for piece in pieces(SENTENCES[0] + SENTENCES[1]):
                yield piece
            await asyncio.sleep(20)
            yield Piece(SENTENCES[2], "sentence")

        config = EmulatorConfig(speech="signal", real_time_factor=3.0)
        async with service(config) as (emulator, client):
            utterance = client.speak(pausing(), options(format="pcm"), fill_pauses=True)
            seconds = len(await listen(utterance)) / 48_000
            spoken = sum(task.audio_seconds for task in emulator.tasks)
            assert 0 < seconds - spoken < 20

    run(scenario())
