"""Texts that pause while they are being written, and flushes."""

import asyncio
import logging

import pytest

from custom_components.cosyvoice.client import (
    CosyVoiceClient,
    EmptyTextError,
    TextError,
    Timing,
)
from custom_components.cosyvoice.client.utterance.flushing import Flushing
from custom_components.cosyvoice.client.wire.learned import FORGET_AFTER, LIMIT
from custom_components.cosyvoice.text.sentences import Piece
from tests.clock import run
from tests.emulator import EmulatorConfig, FaultKind
from tests.emulator.faults import TASK_ERRORS

from .speaking import SENTENCES, TEXT, heard, listen, options, service, timed, whole

TIMING = Timing()
MODEL = "cosyvoice-v3-flash"


async def latency(client: CosyVoiceClient, *pieces: Piece | str | float) -> float:
    """Speak; return the seconds until the first audio."""
    utterance = client.speak(timed(*pieces), options())
    await listen(utterance)
    assert utterance.report.first_packet_latency is not None
    return utterance.report.first_packet_latency


@pytest.mark.parametrize(
    "text", ["Let me look at camera 2.", "The ping took 5 ms.", "好的，我来查一下："]
)
@pytest.mark.parametrize("before", [(), ("Yes. ", 0.5)])
def test_a_text_that_pauses_is_heard_within_a_second(
    text: str, before: tuple[str | float, ...]
) -> None:
    """Whatever it ends in, for as long as a tool takes."""

    async def scenario() -> None:
        async with service() as (emulator, client):
            pieces = (*before, Piece(text, ""), 20.0, Piece(" There it is.", ""))
            utterance = client.speak(timed(*pieces), options())
            listening = asyncio.create_task(listen(utterance))
            written_at = sum(pause for pause in before if isinstance(pause, float))
            await emulator.until(
                lambda: any(
                    sentence.complete and sentence.text.strip() == text
                    for task in emulator.tasks
                    for sentence in task.sentences
                )
            )
            assert asyncio.get_running_loop().time() <= written_at + 1.01
            await listening

    run(scenario())


@pytest.mark.parametrize("round_trip", [0.0, 0.05, 0.1, 0.4])
@pytest.mark.parametrize("pause", [5.5, 7.5, 12.5, 13.5])
@pytest.mark.parametrize("container", ["caf", "mp3"])
def test_a_pause_is_no_silence_of_the_service(
    round_trip: float, pause: float, container: str
) -> None:
    """The time to answer begins when something is asked."""

    async def scenario() -> None:
        config = EmulatorConfig(speech="signal", round_trip=round_trip)
        async with service(config) as (_, client):
            utterance = client.speak(
                timed(SENTENCES[0], pause, SENTENCES[1], pause),
                options(format=container),
                fill_pauses=container == "caf",
            )
            await listen(utterance)
            assert utterance.report.resumed == 0
            assert not utterance.report.estimated
            assert not utterance.report.patched
            assert client.statistics.failures == 0

    run(scenario())


def test_pauses_of_mp3_are_filled_as_well() -> None:
    """A browser begins to play after this number of bytes."""

    async def scenario() -> None:
        async with service() as (emulator, client):
            utterance = client.speak(
                timed(SENTENCES[0], 8.0, SENTENCES[1]),
                options(format="mp3"),
                fill_pauses=True,
            )
            audio = await listen(utterance)
            assert heard(emulator, audio) == SENTENCES[:2]
            assert 8 < utterance.report.audio_seconds < 11

    run(scenario())


def test_a_browser_begins_to_play_soon() -> None:
    """Chromium does once 32 kB have come, be it in the middle of a pause."""

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        config = EmulatorConfig(speech="signal", real_time_factor=0.3)
        async with service(config) as (_, client):
            utterance = client.speak(
                timed(SENTENCES[0], 8.0, SENTENCES[1]),
                options(format="mp3"),
                fill_pauses=True,
            )
            size, plays_at = 0, None
            async for chunk in utterance:
                size += len(chunk)
                if size >= 32 * 1024 and plays_at is None:
                    plays_at = loop.time()
            assert plays_at is not None
            assert plays_at < 2.5

    run(scenario())


def test_formats_without_silence_have_none() -> None:
    async def scenario() -> None:
        async with service() as (_, client):
            utterance = client.speak(
                timed(SENTENCES[0], 8.0, SENTENCES[1]),
                options(format="opus"),
                fill_pauses=True,
            )
            await listen(utterance)
            assert utterance.report.audio_seconds < 3

    run(scenario())


@pytest.fixture
def unspeakable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the service refuse a text that the voice cannot speak."""
    error = "InvalidParameter", "Please ensure input text is valid."
    monkeypatch.setitem(TASK_ERRORS, FaultKind.INVALID_PARAMETER, error)


@pytest.mark.usefixtures("unspeakable")
def test_a_refused_text_says_nothing_about_flushing() -> None:
    """It fails without a flush just the same; later replies are as fast as before."""

    async def scenario() -> None:
        async with service() as (emulator, client):
            assert await latency(client, SENTENCES[0], 3.0) < 0.1
            emulator.script("invalid_parameter@before_audio,times=2")
            utterance = client.speak(timed("ﷺ", 3.0), options())
            with pytest.raises(EmptyTextError):
                await listen(utterance)
            assert [bool(task.flushes) for task in emulator.tasks if task.pieces] == [
                True,
                True,
                False,
            ]
            assert await latency(client, SENTENCES[1], 3.0) < 0.1

    run(scenario())


def test_a_flush_that_is_refused_is_not_repeated_for_an_hour() -> None:
    """Twice the same text was spoken without one; then it is tried again."""

    async def scenario() -> None:
        config = EmulatorConfig(speech="signal", flush="refused")
        async with service(config) as (emulator, client):
            for _ in range(3):
                assert await latency(client, SENTENCES[0], 3.0) < 2
            assert sum(task.flushes for task in emulator.tasks) == 2
            emulator.config.flush = "works"
            await asyncio.sleep(FORGET_AFTER)
            assert await latency(client, SENTENCES[0], 3.0) < 0.1
            assert sum(task.flushes for task in emulator.tasks) == 3

    run(scenario())


def test_flushes_that_are_ignored_are_given_up() -> None:
    """After some of them; the sentence is then spoken without a further wait."""

    async def scenario() -> None:
        config = EmulatorConfig(speech="signal", flush="ignored")
        async with service(config) as (emulator, client):
            for _ in range(LIMIT):
                taken = await latency(client, SENTENCES[0], 3.0)
                assert taken == pytest.approx(TIMING.flush_patience, abs=0.1)
            assert await latency(client, SENTENCES[0], 3.0) < 1
            assert sum(task.flushes for task in emulator.tasks) == LIMIT

    run(scenario())


async def test_experience_is_kept_for_each_model() -> None:
    flushing = Flushing()
    flushing.refused("a")
    assert flushing.works("a")  # One odd answer is not believed.
    flushing.refused("a")
    assert not flushing.works("a")
    assert flushing.works("b")


async def test_a_flush_that_works_makes_up_for_those_that_were_ignored() -> None:
    flushing = Flushing()
    for _ in range(3):
        for _ in range(LIMIT - 1):
            flushing.ignored(MODEL)
        flushing.worked(MODEL)
    assert flushing.works(MODEL)


@pytest.mark.usefixtures("unspeakable")
def test_an_error_of_the_text_after_a_flush_that_worked() -> None:
    """The flush is not to blame for what comes after its audio."""

    async def scenario() -> None:
        async with service() as (emulator, client):
            emulator.script("invalid_parameter@before_audio,after_sentences=1")
            utterance = client.speak(timed(SENTENCES[0], 1.0, "ﷺ"), options())
            with pytest.raises(TextError):
                await listen(utterance)
            assert sum(bool(task.pieces) for task in emulator.tasks) == 1

    run(scenario())


def test_the_log_names_tasks_and_connections_but_no_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario() -> list[str]:
        async with service() as (emulator, client):
            emulator.script("reset@mid_sentence")
            utterance = client.speak(timed(SENTENCES[0], 3.0, SENTENCES[1]), options())
            await listen(utterance)
            return utterance.report.request_ids

    with caplog.at_level(logging.DEBUG, "custom_components.cosyvoice"):
        tasks = run(scenario())
    lines = caplog.messages
    for task, outcome in zip(tasks, ("broken off", "finished"), strict=True):
        assert any(f"task {task} {outcome}" in line for line in lines)
    assert any("flush" in line for line in lines)
    assert not any(text[:3] in line for line in lines for text in SENTENCES)


def test_a_whole_text_is_not_flushed() -> None:
    async def scenario() -> None:
        async with service() as (emulator, client):
            await listen(client.speak(whole(TEXT), options()))
            assert [task.flushes for task in emulator.tasks if task.pieces] == [0]

    run(scenario())
