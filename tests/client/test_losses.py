"""The audio and the bill when something is lost or slow."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any

import pytest

from custom_components.cosyvoice.client import (
    CosyVoiceClient,
    CosyVoiceConnectionError,
    CosyVoiceError,
    Timing,
    Utterance,
    VoiceError,
    count_characters,
)
from custom_components.cosyvoice.text.sentences import Piece
from tests.clock import run
from tests.emulator import EmulatorConfig
from tests.emulator.audio import Encoder
from tests.emulator.config import Usage

from .speaking import (
    LONG,
    SENTENCES,
    TEXT,
    collect,
    heard,
    listen,
    options,
    service,
    whole,
    written,
)

TIMING = Timing()


async def first_audio(client: CosyVoiceClient, text: str = TEXT) -> float:
    """Speak a text; return the seconds until its first audio."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    utterance = client.speak(whole(text), options())
    chunks = aiter(utterance)
    await anext(chunks)
    taken = loop.time() - begun
    async for _ in chunks:
        pass
    return taken


async def until_lost(utterance: Utterance) -> bytearray:
    """Return the audio up to an error."""
    audio = bytearray()
    with suppress(CosyVoiceError):
        async for chunk in utterance:
            audio += chunk
    return audio


async def played(utterance: Utterance, rate: int = 48_000) -> tuple[bytes, float]:
    """Return the audio, and for how long a listener at real time had none.

    Args:
        utterance: Samples to come.
        rate: Bytes a second.
    """
    loop = asyncio.get_running_loop()
    audio, dry, since = bytearray(), 0.0, None
    async for chunk in utterance:
        if since is None:
            since = loop.time()
        gap = loop.time() - since - len(audio) / rate
        if gap > 0:
            dry += gap
            since += gap
        audio += chunk
    return bytes(audio), dry


# --- Slow and silent services ---


@pytest.mark.parametrize("round_trip", [1.2, 1.5, 2.0])
def test_a_slow_network_is_no_reason_to_give_up(round_trip: float) -> None:
    """Short and long, the first one cold and those after it."""

    async def scenario() -> None:
        config = EmulatorConfig(speech="signal", round_trip=round_trip)
        async with service(config) as (emulator, client):
            for _ in range(3):
                utterance = client.speak(whole(TEXT), options(format="wav"))
                assert heard(emulator, await listen(utterance)) == SENTENCES
                assert utterance.report.outcome == "finished"
                await asyncio.sleep(5)
            await client.close()
            await asyncio.sleep(10)

    run(scenario())


@pytest.mark.parametrize("fault", ["slow@started,seconds=4", "slow@before_audio"])
def test_a_slow_answer_costs_no_second_task(fault: str) -> None:
    """It is waited for, and listeners who want no gap get silence meanwhile."""

    async def scenario() -> None:
        async with service() as (emulator, client):
            emulator.script(fault)
            utterance = client.speak(
                whole(TEXT), options(format="pcm"), fill_pauses=True
            )
            audio, _ = await played(utterance)
            found = emulator.heard(audio, "pcm", 24_000)
            assert [sentence.text for sentence in found] == SENTENCES
            assert (utterance.report.tasks, utterance.report.resumed) == (1, 0)

    run(scenario())


def test_silence_is_sent_while_the_service_does_not_answer() -> None:
    """A Voice PE gives up after 5 s without data."""

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        async with service() as (emulator, client):
            emulator.script("hang@before_audio")
            utterance = client.speak(
                whole(TEXT), options(format="pcm"), fill_pauses=True
            )
            last, longest = loop.time(), 0.0
            async for _ in utterance:
                longest = max(longest, loop.time() - last)
                last = loop.time()
            assert longest <= TIMING.first_silence + 0.01
            assert utterance.report.tasks == 2

    run(scenario())


def test_a_task_started_on_a_connection_that_died_costs_little() -> None:
    """The first sign of life is awaited for 1.5 s at most."""

    async def scenario() -> None:
        config = EmulatorConfig(speech="signal", round_trip=0.05, first_packet=0.3)
        async with service(config) as (emulator, client):
            emulator.script("hang@started,connection=1")
            client.warm_up(options())
            await asyncio.sleep(1)
            assert await first_audio(client) < 1.5 + 0.3 + 6 * 0.05 + 0.1

    run(scenario())


@pytest.mark.parametrize("fault", ["freeze@mid_sentence", "slow@mid_sentence"])
@pytest.mark.parametrize("container", ["pcm", "mp3"])
def test_a_listener_never_runs_dry_in_mid_sentence(fault: str, container: str) -> None:
    """The network stands still for five seconds."""

    async def scenario() -> None:
        config = EmulatorConfig(
            speech="silence", seconds_per_character=0.2, real_time_factor=0.3
        )
        async with service(config) as (emulator, client):
            emulator.script(f"{fault},seconds=5,after_sentences=1")
            utterance = client.speak(
                whole(LONG),
                options(format=container, sample_rate=24_000),
                fill_pauses=True,
            )
            loop = asyncio.get_running_loop()
            began: float | None = None
            async for _ in utterance:
                if began is None:
                    began = loop.time()
                assert playing(utterance) >= loop.time() - began
            assert utterance.report.outcome == "finished"
            assert utterance.report.patched

    def playing(utterance: Utterance) -> float:
        return utterance._playback.seconds

    run(scenario())


def test_samples_that_come_too_slowly_are_not_torn_apart() -> None:
    """The service is slower than speech: silence would make it no better."""

    async def scenario() -> None:
        config = EmulatorConfig(speech="signal", real_time_factor=1.5)
        async with service(config) as (_, client):
            utterance = client.speak(
                whole(TEXT), options(format="pcm"), fill_pauses=True
            )
            await listen(utterance)
            assert not utterance.report.patched

    run(scenario())


# --- What was heard ---


@pytest.mark.parametrize(
    ("fault", "patched"),
    [
        ("reset@mid_sentence,after_sentences=1", True),
        ("reset@between_sentences", False),
        ("reset@before_audio", False),
    ],
)
def test_a_sentence_that_was_begun_again_is_reported(
    fault: str, *, patched: bool
) -> None:
    """Such audio must not be kept; what was joined between sentences may be."""

    async def scenario() -> None:
        async with service() as (emulator, client):
            emulator.script(fault)
            utterance = client.speak(whole(TEXT), options(format="wav"))
            await listen(utterance)
            assert emulator.happened
            assert utterance.report.outcome == "finished"
            assert utterance.report.patched is patched

    run(scenario())


@pytest.mark.parametrize("delivered", [0, 1, 2])
@pytest.mark.parametrize("container", ["wav", "mp3", "opus"])
def test_what_was_delivered_is_known_to_the_sentence(
    delivered: int, container: str
) -> None:
    """Another engine continues from there."""

    async def scenario() -> None:
        async with service() as (emulator, client):
            emulator.script(
                f"content@mid_sentence,after_sentences={delivered},times=always"
            )
            utterance = client.speak(whole(TEXT), options(format=container))
            await until_lost(utterance)
            rest = TEXT[utterance.delivered :].strip()
            expected = " ".join(SENTENCES[delivered:])
            if container == "opus":
                assert rest.endswith(expected)
            else:
                assert rest == expected

    run(scenario())


def test_everything_is_delivered_in_the_end() -> None:
    async def scenario() -> None:
        async with service() as (_, client):
            utterance = client.speak(written(TEXT), options())
            assert utterance.delivered == 0
            await listen(utterance)
            assert utterance.delivered == len(TEXT)
            assert utterance.report.sent == count_characters(TEXT)

    run(scenario())


@pytest.mark.parametrize("kind", ["sporadic_418", "voice_411", "url_error"])
@pytest.mark.parametrize("point", ["started", "before_audio"])
def test_an_error_without_a_cause_is_tried_once_more(kind: str, point: str) -> None:
    """Before anything was heard, on another connection."""

    async def scenario() -> None:
        async with service() as (emulator, client):
            emulator.script(f"{kind}@{point}")
            utterance = client.speak(whole(TEXT), options(format="wav"))
            assert heard(emulator, await listen(utterance)) == SENTENCES
            emulator.script("voice_418@before_audio,times=always")
            utterance = client.speak(whole(TEXT), options(format="wav"))
            with pytest.raises(VoiceError):
                await listen(utterance)
            assert utterance.report.tasks == 2

    run(scenario())


def test_an_error_without_a_cause_in_mid_sentence_is_one() -> None:
    """What was heard may have had the cause."""

    async def scenario() -> None:
        async with service() as (emulator, client):
            emulator.script("voice_418@mid_sentence")
            utterance = client.speak(whole(TEXT), options(format="wav"))
            with pytest.raises(VoiceError):
                await listen(utterance)
            assert utterance.report.tasks == 1

    run(scenario())


# --- Odd texts ---


def test_a_lone_surrogate_is_spoken_as_nothing() -> None:
    async def scenario() -> None:
        async with service() as (emulator, client):
            await listen(client.speak("今天\ud83d天气不错。", options()))
            [task] = emulator.tasks
            assert task.text == "今天\ufffd天气不错。"

    run(scenario())


def test_a_text_whose_writer_is_cancelled() -> None:
    """What was written is heard; the listener was not cancelled."""

    async def scenario() -> None:
        async def cancelled() -> AsyncGenerator[Piece]:
            yield Piece(SENTENCES[0], "sentence")
            raise asyncio.CancelledError

        async with service() as (emulator, client):
            utterance = client.speak(cancelled(), options(format="wav"))
            audio = bytearray()
            with pytest.raises(CosyVoiceConnectionError, match="cut off"):
                await collect(utterance, audio)
            assert heard(emulator, bytes(audio)) == SENTENCES[:1]

    run(scenario())


def test_a_mistake_in_sending_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not hang until the service seems silent."""

    async def broken(*_: Any) -> None:
        raise ZeroDivisionError

    async def scenario() -> None:
        async with service() as (_, client):
            with pytest.raises(ZeroDivisionError):
                await listen(client.speak(TEXT, options()))

    monkeypatch.setattr(
        "custom_components.cosyvoice.client.wire.connection.Connection.send_text",
        broken,
    )
    run(scenario())


@pytest.mark.parametrize("audio_format", ["mp3", "opus"])
@pytest.mark.parametrize("usage", ["sentence", "finished", "old"])
def test_a_finished_task_may_end_within_a_frame(
    monkeypatch: pytest.MonkeyPatch, audio_format: str, usage: Usage
) -> None:
    """Its text is not spoken and billed again."""
    encode_end = Encoder.finish
    monkeypatch.setattr(Encoder, "finish", lambda encoder: encode_end(encoder)[:-7])

    async def scenario() -> None:
        config = EmulatorConfig(speech="signal", usage=usage)
        async with service(config) as (_, client):
            utterance = client.speak(whole(TEXT), options(format=audio_format))
            await listen(utterance)
            report = utterance.report
            assert (report.tasks, report.resumed, report.patched) == (1, 0, False)
            assert report.characters == count_characters(TEXT)
            assert not report.estimated

    run(scenario())
