"""Listeners who leave, who are slow, and many at the same time."""

import asyncio
import gc

import pytest

from custom_components.cosyvoice.client import ClientClosedError, count_characters
from tests.clock import run
from tests.emulator import EmulatorConfig, Fault, FaultKind, Point

from .speaking import SENTENCES, TEXT, heard, listen, options, service, whole, written


@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_listener_who_leaves_ends_the_task(after: int) -> None:
    """The task ends at the service, the connection is closed, nothing is left running."""

    async def scenario() -> None:
        config = EmulatorConfig(speech="signal", real_time_factor=0.5)
        async with service(config) as (emulator, client):
            utterance = client.speak(whole(TEXT), options(format="pcm"))
            chunks = aiter(utterance)
            for _ in range(after):
                await anext(chunks)
            await utterance.aclose()
            if after:
                assert utterance.report.outcome == "cancelled"
                await emulator.until(lambda: emulator.open_connections == 0)
                [task] = emulator.tasks
                assert task.outcome in ("cancelled", "disconnected")
                assert task.characters < count_characters(TEXT)

    run(scenario())


def test_a_listener_may_leave_before_anything_is_sent() -> None:
    """The header of a file comes first, and costs nothing."""

    async def scenario() -> None:
        async with service() as (emulator, client):
            utterance = client.speak(whole(TEXT), options(format="wav"))
            await anext(aiter(utterance))
            await utterance.aclose()
            assert utterance.report.outcome == "cancelled"
            assert not emulator.tasks

    run(scenario())


@pytest.mark.parametrize("moment", [0.05, 0.15, 0.25, 0.35, 0.45, 0.6])
def test_cancelling_at_any_moment_leaves_nothing(moment: float) -> None:
    """While connecting, starting, waiting or hearing."""

    async def scenario() -> None:
        config = EmulatorConfig(
            speech="signal", round_trip=0.1, first_packet=0.1, real_time_factor=0.3
        )
        async with service(config) as (_, client):
            utterance = client.speak(written(TEXT, 0.05), options())
            listening = asyncio.create_task(listen(utterance))
            await asyncio.sleep(moment)
            listening.cancel()
            await asyncio.wait({listening})
            await utterance.aclose()
            assert utterance.report.outcome == "cancelled"

    run(scenario())


def test_a_listener_may_leave_when_the_service_has_failed() -> None:
    """The failure that nobody waits for is no news to the log."""

    async def scenario() -> None:
        async with service() as (emulator, client):
            emulator.script(Fault(FaultKind.ARREARS, Point.BETWEEN_SENTENCES))
            utterance = client.speak(whole(TEXT), options(format="pcm"))
            await anext(aiter(utterance))
            await asyncio.sleep(60)
            await utterance.aclose()
            assert utterance.report.outcome == "cancelled"
            del utterance
            gc.collect()

    run(scenario())


def test_a_slow_listener_keeps_memory_bounded() -> None:
    """What is not taken is not read from the network either."""

    async def scenario() -> None:
        config = EmulatorConfig(speech="silence", seconds_per_character=1.0)
        async with service(config) as (emulator, client):
            utterance = client.speak(
                whole("今天天气不错。" * 40), options(format="pcm", sample_rate=48000)
            )
            chunks = aiter(utterance)
            await anext(chunks)
            await asyncio.sleep(3)
            [task] = [task for task in emulator.tasks if task.pieces]
            sent = task.audio_bytes
            await asyncio.sleep(3)
            assert task.audio_bytes == sent < 20_000_000
            async for _ in chunks:
                pass
            assert utterance.report.outcome == "finished"

    run(scenario())


def test_a_burst_of_twenty_succeeds() -> None:
    """The permitted rate of task starts is kept, and everyone is served."""

    async def scenario() -> None:
        async with service() as (emulator, client):
            audios = await asyncio.gather(
                *(
                    listen(client.speak(whole(TEXT), options(format="wav")))
                    for _ in range(20)
                )
            )
            assert all(heard(emulator, audio) == SENTENCES for audio in audios)
            assert not any(task.error_code for task in emulator.tasks)

    run(scenario())


def test_a_connection_lost_behind_a_slow_listener() -> None:
    """Text that can no longer be sent is not lost with it."""

    async def scenario() -> None:
        async with service() as (emulator, client):
            emulator.script(Fault(FaultKind.RESET, Point.MID_SENTENCE))
            utterance = client.speak(written(TEXT, 0.2), options(format="wav"))
            chunks = aiter(utterance)
            audio = await anext(chunks) + await anext(chunks)
            await asyncio.sleep(60)
            audio += b"".join([chunk async for chunk in chunks])
            found = [
                sentence.text.strip()
                for sentence in emulator.heard(audio)
                if sentence.complete and sentence.text
            ]
            assert found == SENTENCES

    run(scenario())


def test_closing_the_client_ends_what_it_speaks() -> None:
    """It ends immediately, with a report of the spoken text."""

    async def scenario() -> None:
        config = EmulatorConfig(speech="signal", real_time_factor=1.0)
        async with service(config) as (_, client):
            utterance = client.speak(TEXT, options())
            chunks = aiter(utterance)
            for _ in range(12):
                await anext(chunks)
            began = asyncio.get_running_loop().time()
            closing = asyncio.create_task(client.close())
            with pytest.raises(ClientClosedError):
                async for _ in chunks:
                    pass
            assert asyncio.get_running_loop().time() - began < 1
            await closing
            assert utterance.report.outcome == "failed"
            assert utterance.report.characters > 0

    run(scenario())
