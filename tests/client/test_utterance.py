"""Text in, audio out: messages, pauses, limits, listeners who leave."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from itertools import pairwise
from typing import Literal

import pytest

from custom_components.cosyvoice.client import (
    CosyVoiceTimeoutError,
    NoAudioError,
    Silence,
    TextError,
    Timing,
    count_characters,
)
from custom_components.cosyvoice.client.utterance.sender import TASK_CHARACTERS
from custom_components.cosyvoice.client.wire.connection import Connection
from custom_components.cosyvoice.text.sentences import Piece
from tests.clock import run
from tests.emulator import Emulator, EmulatorConfig, Fault, FaultKind, Point
from tests.emulator.config import Usage

from .speaking import (
    SENTENCES,
    TEXT,
    collect,
    heard,
    listen,
    options,
    pieces,
    service,
    whole,
    written,
)

TIMING = Timing()


@pytest.mark.parametrize("container", ["mp3", "wav", "opus", "caf"])
@pytest.mark.parametrize("streamed", [True, False])
def test_a_message_is_heard_and_accounted_for(
    container: str, *, streamed: bool
) -> None:
    """Every sentence once, in order; the report agrees with the service."""

    async def scenario() -> None:
        async with service() as (emulator, client):
            text = written(TEXT) if streamed else whole(TEXT)
            utterance = client.speak(text, options(format=container))
            audio = await listen(utterance)
            assert heard(emulator, audio) == SENTENCES
            [task] = emulator.tasks
            report = utterance.report
            assert report.outcome == "finished"
            assert report.characters == task.characters == count_characters(TEXT)
            assert not report.estimated
            assert report.audio_seconds == pytest.approx(task.audio_seconds, abs=0.1)
            assert report.request_ids == [task.id]
            assert (report.tasks, report.resumed) == (1, 0)
            assert (report.voice, report.model) == ("longanyang", "cosyvoice-v3-flash")

    run(scenario())


def test_sentences_go_out_one_by_one() -> None:
    """A message per sentence: neither per letter nor per text."""

    async def scenario() -> None:
        async with service() as (emulator, client):
            await listen(client.speak(written(TEXT), options()))
            await listen(client.speak(whole(TEXT), options()))
            for task in emulator.tasks:
                assert [text.strip() for text in task.texts] == SENTENCES

    run(scenario())


def test_a_finished_sentence_is_not_held_back() -> None:
    """It is heard while the next one is still being written."""

    async def scenario() -> None:
        loop = asyncio.get_running_loop()

        async def slow() -> AsyncGenerator[Piece]:
            yield Piece("好的。", "sentence")
            yield Piece("接下来", "")
            await asyncio.sleep(0.5)
            yield Piece("再见。", "sentence")

        async with service() as (emulator, client):
            begun = loop.time()
            utterance = client.speak(slow(), options())
            chunks = aiter(utterance)
            await anext(chunks)
            assert loop.time() - begun < 0.2
            audio = b"".join([chunk async for chunk in chunks])
            assert audio
            [task] = emulator.tasks
            assert task.flushes == 1
            assert task.texts == ["好的。", "接下来再见。"]
            latency = utterance.report.first_packet_latency
            assert latency is not None
            assert latency < 0.2

    run(scenario())


@pytest.mark.parametrize("pause", [5.0, 40.0, 300.0])
def test_a_text_that_pauses_is_spoken_to_its_end(pause: float) -> None:
    """No limit of the service ends it, and nothing is said twice."""

    async def scenario() -> None:
        async def pausing() -> AsyncGenerator[Piece]:
            for number, piece in enumerate(pieces(TEXT)):
                yield piece
                if number == 12:
                    await asyncio.sleep(pause)

        async with service() as (emulator, client):
            utterance = client.speak(pausing(), options(format="wav"))
            assert heard(emulator, await listen(utterance)) == [
                SENTENCES[0],
                "It is",
                "21 degrees outside.",
                SENTENCES[2],
            ]
            assert [task.outcome for task in emulator.tasks if task.pieces] == (
                ["finished"] * (1 if pause < TIMING.pause else 2)
            )
            assert utterance.report.characters == count_characters(TEXT)

    run(scenario())


@pytest.mark.parametrize("flush", ["ignored", "refused", "unknown"])
def test_a_service_that_knows_no_flush(
    flush: Literal["ignored", "refused", "unknown"],
) -> None:
    """The task is finished instead, so that the sentence is heard anyway."""

    async def scenario() -> None:
        loop = asyncio.get_running_loop()

        async def pausing() -> AsyncGenerator[Piece]:
            yield Piece(SENTENCES[0], "sentence")
            await asyncio.sleep(30)
            yield Piece(SENTENCES[2], "sentence")

        async with service(EmulatorConfig(speech="signal", flush=flush)) as (
            emulator,
            client,
        ):
            begun = loop.time()
            utterance = client.speak(pausing(), options(format="wav"))
            chunks = aiter(utterance)
            audio = await anext(chunks) + await anext(chunks)
            assert loop.time() - begun < TIMING.flush_patience + 1
            audio += b"".join([chunk async for chunk in chunks])
            assert heard(emulator, audio) == [SENTENCES[0], SENTENCES[2]]
            asked = 2 if flush == "ignored" else 1
            assert sum(task.flushes for task in emulator.tasks) <= asked

    run(scenario())


@pytest.mark.parametrize("code", [1000, 1007, 1011])
def test_a_service_that_closes_the_connection_at_a_flush(
    monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """Not every loss is the fault of the flush, so that one more is tried."""
    flushed = 0

    async def closing(connection: Connection) -> None:
        nonlocal flushed
        flushed += 1
        for server in tuple(emulators[-1]._open):
            await server.close(code)

    monkeypatch.setattr(Connection, "flush", closing)
    emulators: list[Emulator] = []

    async def scenario() -> None:
        async def pausing() -> AsyncGenerator[Piece]:
            yield Piece(SENTENCES[0], "sentence")
            await asyncio.sleep(8)
            yield Piece(SENTENCES[2], "sentence")

        async with service(EmulatorConfig(speech="signal")) as (emulator, client):
            emulators.append(emulator)
            audio = await listen(client.speak(pausing(), options(format="wav")))
            assert heard(emulator, audio) == [SENTENCES[0], SENTENCES[2]]
            assert flushed == (1 if code == 1007 else 2)

    run(scenario())


@pytest.mark.parametrize("text", ["", "。", "…！", "  \n"])
def test_nothing_to_say_is_an_error_and_costs_nothing(text: str) -> None:
    """The service is not even asked."""

    async def scenario() -> None:
        async with service() as (emulator, client):
            utterance = client.speak(text, options())
            with pytest.raises(TextError):
                await listen(utterance)
            assert utterance.report.outcome == "failed"
            assert emulator.tasks == []

    run(scenario())


def test_the_failure_of_the_text_comes_after_what_was_written() -> None:
    """What the language model did say is heard; then its error is raised."""

    async def scenario() -> None:
        async def failing() -> AsyncGenerator[Piece]:
            yield Piece(SENTENCES[0], "sentence")
            raise RuntimeError("the model is gone")

        async with service() as (emulator, client):
            utterance = client.speak(failing(), options(format="wav"))
            audio = bytearray()
            with pytest.raises(RuntimeError):
                await collect(utterance, audio)
            assert heard(emulator, bytes(audio)) == SENTENCES[:1]
            assert utterance.report.outcome == "failed"

    run(scenario())


def test_a_text_beyond_the_limit_of_a_task_takes_several() -> None:
    """No task gets more than the service allows, and nothing is lost."""

    async def scenario() -> None:
        sentence = "一" * 190 + "。"
        count = TASK_CHARACTERS // count_characters(sentence) + 20
        config = EmulatorConfig(speech="silence", seconds_per_character=0.0005)
        async with service(config) as (emulator, client):
            utterance = client.speak(whole(sentence * count), options(format="pcm"))
            async for _ in utterance:
                pass
            tasks = [task for task in emulator.tasks if task.pieces]
            assert len(tasks) == 2
            assert all(task.characters <= 200_000 for task in tasks)
            assert "".join(task.text for task in tasks) == sentence * count

    run(scenario())


def test_ssml_goes_out_in_one_message() -> None:
    """The service allows no second one."""

    async def scenario() -> None:
        text = "<speak>今天天气不错。<break time='1s'/>再见。</speak>"
        async with service() as (emulator, client):
            utterance = client.speak(written(text), options(ssml=True))
            assert await listen(utterance)
            [task] = emulator.tasks
            assert task.texts == [text]
            assert task.parameters["enable_ssml"] is True

    run(scenario())


def test_ssml_is_not_repeated_from_its_start() -> None:
    """It cannot be cut, so a loss in its middle is an error."""

    async def scenario() -> None:
        async with service() as (emulator, client):
            emulator.script(Fault(FaultKind.RESET, Point.MID_SENTENCE))
            text = f"<speak>{TEXT}</speak>"
            with pytest.raises(Exception, match="lost"):
                await listen(client.speak(text, options(ssml=True)))
            assert len(emulator.tasks) == 1

    run(scenario())


def test_words_are_placed_in_the_whole_audio() -> None:
    """Their times go on over sentences, and begin after the lead-in."""

    async def scenario(word_times: Literal["sentence", "task"]) -> None:
        config = EmulatorConfig(speech="voice", word_times=word_times)
        async with service(config) as (_, client):
            utterance = client.speak(
                TEXT,
                options(format="wav", word_timestamps=True),
                silence=Silence(lead_in=0.5),
            )
            await listen(utterance)
            words = utterance.report.words
            assert "".join(word.text for word in words).startswith("今天天气")
            assert words[0].begin >= 0.5
            assert all(word.begin <= word.end for word in words)
            assert all(a.begin <= b.begin for a, b in pairwise(words))
            assert words[-1].end <= utterance.report.audio_seconds + 0.01

    for word_times in ("sentence", "task"):
        asyncio.run(scenario(word_times))


@pytest.mark.parametrize("usage", ["sentence", "finished", "both", "none", "old"])
@pytest.mark.parametrize("streamed", [True, False])
def test_every_form_of_usage_is_understood(usage: Usage, *, streamed: bool) -> None:
    """The bill is right, and marked as estimated where the service gave none."""

    async def scenario() -> None:
        config = EmulatorConfig(speech="signal", usage=usage)
        async with service(config) as (emulator, client):
            text = written(TEXT, 0.2) if streamed else whole(TEXT)
            utterance = client.speak(text, options(format="wav"))
            assert heard(emulator, await listen(utterance)) == SENTENCES
            billed = sum(task.characters for task in emulator.tasks)
            assert utterance.report.characters == billed
            assert utterance.report.estimated is (usage == "none")

    run(scenario())


def test_a_hanging_service_is_given_up_in_time() -> None:
    """Never later than the deadline and one attempt."""

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        async with service() as (emulator, client):
            emulator.script(Fault(FaultKind.HANG, Point.HANDSHAKE, times=None))
            begun = loop.time()
            with pytest.raises(CosyVoiceTimeoutError):
                await listen(client.speak(TEXT, options()))
            assert loop.time() - begun <= TIMING.deadline + TIMING.attempt

    run(scenario())


def test_the_shortest_audio_is_heard_whole() -> None:
    """A single frame of MP3 has none after it to confirm it."""

    async def scenario() -> None:
        config = EmulatorConfig(speech="silence", seconds_per_character=0.001)
        async with service(config) as (_, client):
            utterance = client.speak("好。", options())
            assert await listen(utterance)
            assert utterance.report.audio_seconds > 0

    run(scenario())


def test_what_was_billed_of_a_lost_task_is_accounted_for() -> None:
    """Also where its last page of Opus never came."""

    async def scenario() -> None:
        async with service() as (emulator, client):
            emulator.script(
                Fault(FaultKind.RESET, Point.BETWEEN_SENTENCES, after_sentences=2)
            )
            utterance = client.speak(whole(TEXT), options(format="opus"))
            await listen(utterance)
            assert utterance.report.resumed == 1
            billed = sum(
                sentence.characters
                for task in emulator.tasks
                for sentence in task.sentences
                if sentence.complete
            )
            assert utterance.report.characters == billed

    run(scenario())


async def test_options_must_be_resolved() -> None:
    """Otherwise the form of the audio is not known."""
    async with service() as (_, client):
        with pytest.raises(ValueError, match="not resolved"):
            client.speak(TEXT, replace(options(), sample_rate=None))


@pytest.mark.parametrize("container", ["mp3", "wav", "opus"])
def test_no_audio_at_all_is_an_error(container: str) -> None:
    """The text is billed once: nothing says that it would be heard the next time."""

    async def scenario() -> None:
        config = EmulatorConfig(speech="silence", seconds_per_character=0.0)
        async with service(config) as (emulator, client):
            utterance = client.speak(TEXT, options(format=container))
            with pytest.raises(NoAudioError):
                await listen(utterance)
            assert utterance.report.outcome == "failed"
            (task,) = (task for task in emulator.tasks if task.pieces)
            assert utterance.report.characters == task.characters

    run(scenario())
