"""Bills of messages that end early, and of services that report little."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any

import pytest

from custom_components.cosyvoice.client import count_characters
from custom_components.cosyvoice.text.message import Message
from tests.clock import run
from tests.emulator import Emulator, EmulatorConfig
from tests.emulator.config import Usage

from .speaking import LONG, SENTENCES, TEXT, heard, listen, options, service, whole


def billed(emulator: Emulator) -> int:
    """Return what the service billed for all tasks."""
    return sum(task.characters for task in emulator.tasks)


@pytest.mark.parametrize("usage", ["sentence", "finished", "none", "old"])
def test_the_bill_of_a_listener_who_leaves(usage: Usage) -> None:
    """What was spoken so far, and marked as an estimate."""

    async def scenario() -> None:
        config = EmulatorConfig(speech="signal", usage=usage, real_time_factor=0.5)
        async with service(config) as (emulator, client):
            utterance = client.speak(whole(LONG), options(format="pcm"))
            chunks = aiter(utterance)
            for _ in range(20):
                await anext(chunks)
            await utterance.aclose()
            report = utterance.report
            assert report.estimated
            assert report.characters == billed(emulator) < count_characters(LONG)
            assert report.sent == count_characters(LONG)

    run(scenario())


@pytest.mark.parametrize("usage", ["sentence", "finished", "none", "old"])
@pytest.mark.parametrize("after", [0, 1, 5])
def test_the_bill_of_a_connection_that_was_lost(usage: Usage, after: int) -> None:
    """Both tasks, and marked as an estimate."""

    async def scenario() -> None:
        config = EmulatorConfig(speech="signal", usage=usage)
        async with service(config) as (emulator, client):
            emulator.script(f"reset@mid_sentence,after_sentences={after}")
            utterance = client.speak(whole(LONG), options(format="pcm"))
            await listen(utterance)
            assert utterance.report.estimated
            assert utterance.report.characters == billed(emulator)

    run(scenario())


REPORTS: list[tuple[Usage, dict[str, Any]]] = [
    ("sentence", {}),
    ("none", {}),
    ("old", {}),
    ("none", {"sentence_events": ["sentence-begin", "sentence-synthesis"]}),
    ("none", {"sentence_events": ["sentence-begin"], "text_at": ()}),
    ("none", {"text_at": ()}),
]


def little(usage: Usage, facts: dict[str, Any]) -> EmulatorConfig:
    """Return a service that reports only some of its progress."""
    config = EmulatorConfig(speech="signal", usage=usage, real_time_factor=0.3)
    config.facts = replace(config.facts, **facts)
    return config


@pytest.mark.parametrize(("usage", "facts"), REPORTS)
def test_a_whole_message_is_spoken_once_whatever_is_reported(
    usage: Usage, facts: dict[str, Any]
) -> None:
    async def scenario() -> None:
        async with service(little(usage, facts)) as (emulator, client):
            utterance = client.speak(whole(TEXT), options())
            assert heard(emulator, await listen(utterance)) == SENTENCES
            assert utterance.report.tasks == 1
            assert utterance.report.characters == sum(emulator.bill.values())

    run(scenario())


@pytest.mark.parametrize("chunks", [2, 6, 12])
@pytest.mark.parametrize(("usage", "facts"), REPORTS)
def test_the_bill_of_a_broken_off_task_is_estimated_whatever_is_reported(
    usage: Usage, facts: dict[str, Any], chunks: int
) -> None:
    """To the blanks between sentences."""

    async def scenario() -> None:
        async with service(little(usage, facts)) as (emulator, client):
            utterance = client.speak(whole(TEXT), options())
            async for _ in utterance:
                chunks_left.pop()
                if not chunks_left:
                    break
            await utterance.aclose()
            await asyncio.sleep(1)
            bill = sum(emulator.bill.values())
            assert bill - 2 <= utterance.report.characters <= bill
            assert utterance.report.estimated

    chunks_left = [None] * chunks
    run(scenario())


@pytest.mark.parametrize(
    "text",
    [
        "\n\n  你好。  \n\n",
        "Hello.\r\n\r\nWorld.\r\n",
        "a\tb\tc。\u3000\u3000你好。\u3000",
        "你好\u200b世界。\xa0好。\xa0",
        "- item one\n- item two\n\n\n1. x\n",
        "「你好。」 他说。\n\u3000\u3000第二段。",
        "𠮷野家。々〇。㐂",
    ],
)
@pytest.mark.parametrize("chunk", [1, 100])
def test_blanks_are_counted_as_they_are_billed(text: str, chunk: int) -> None:
    """Where the service reports no bill; as the message is cut and sent."""

    async def chunks() -> AsyncGenerator[str]:
        for start in range(0, len(text), chunk):
            yield text[start : start + chunk]

    async def scenario() -> None:
        async with service(little("none", {})) as (emulator, client):
            message = Message(chunks(), clean=True, pronunciations={})
            reading = asyncio.create_task(message.fetch())
            utterance = client.speak(message.pieces(), options())
            await listen(utterance)
            await reading
            assert utterance.report.characters == sum(emulator.bill.values()) > 0

    run(scenario())
