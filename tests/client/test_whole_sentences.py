"""Two hundred real sentences at the pace of language models: none is torn in vain.

What the service is given as one sentence is one sentence, unless the listener would
otherwise wait for longer than two seconds; then it is cut at the end of a clause.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import pytest

from custom_components.cosyvoice.client import Timing, count_characters
from custom_components.cosyvoice.client.audio import audio_writer
from custom_components.cosyvoice.client.audio.silence import NO_SILENCE
from custom_components.cosyvoice.client.utterance.playback import Playback
from custom_components.cosyvoice.client.utterance.source import TextSource
from custom_components.cosyvoice.text.characters import (
    CLAUSE_ENDS,
    CLOSERS,
    SENTENCE_ENDS,
)
from custom_components.cosyvoice.text.message import Message
from tests.clock import run
from tests.emulator import EmulatorConfig
from tests.text.test_real_sentences import BETWEEN, SENTENCES, TOKEN

from .speaking import options, service

TIMING = Timing()
RATES = (5, 20, 50, 100)
FIRST_PACKET = 0.5
SECONDS_PER_CHARACTER = 0.075
SAMPLE_RATE = 8000
SHORT = {"zh": "好的。", "ja": "はい。", "ko": "네."}
"""What goes before, where it is not ``Yes.``."""


@dataclass
class Sent:
    """Text that went to the service.

    Attributes:
        at: When it did.
        text: The text.
        dry_at: When the listener had heard all that had come before.
    """

    at: float
    text: str
    dry_at: float


class Writer:
    """A language model that writes a message token by token."""

    def __init__(self, text: str, rate: float) -> None:
        """Write this number of tokens a second."""
        self._text = text
        self._rate = rate
        self._written: list[tuple[int, float]] = []

    async def write(self) -> AsyncGenerator[str]:
        """Yield the tokens."""
        loop = asyncio.get_running_loop()
        length = 0
        for token in TOKEN.findall(self._text):
            length += len(token)
            self._written.append((length, loop.time()))
            yield token
            await asyncio.sleep(1 / self._rate)

    def written_at(self, place: int) -> float:
        """Return when the character at a place was written."""
        return next(time for length, time in self._written if length > place)


async def speak(writer: Writer) -> list[Sent]:
    """Have a message spoken by a service that needs its time; return what it got."""
    loop = asyncio.get_running_loop()
    message = Message(writer.write(), clean=False, pronunciations={})
    fetching = asyncio.create_task(message.fetch())
    playback = Playback(
        audio_writer("pcm", SAMPLE_RATE), NO_SILENCE, TIMING, fill=False
    )
    source = TextSource(message.pieces(), playback, TIMING)
    sent = []
    while await source.ready():
        text = source.pop().text
        sent.append(Sent(loop.time(), text, playback.speech_until))
        seconds = count_characters(text) * SECONDS_PER_CHARACTER
        samples = bytes(2 * round(seconds * SAMPLE_RATE))
        loop.call_later(FIRST_PACKET, playback.speech, samples)
    await source.close()
    await fetching
    return sent


def cuts_of(sentences: Sequence[str], separator: str, parts: Sequence[str]) -> set[int]:
    """Return the places at which sentences were cut, as parts of a message.

    No part may hold more than one sentence.
    """
    text = separator.join(sentences)
    assert "".join(parts) == text
    ends = list(accumulate(map(len, parts)))
    cuts = set()
    begin = 0
    for sentence in sentences:
        end = begin + len(sentence)
        assert any(end <= place <= end + len(separator) for place in ends)
        cuts |= {place for place in ends if begin < place < end}
        begin = end + len(separator)
    for place in cuts:
        before = text[:place].rstrip().rstrip(CLOSERS + "“")
        assert before[-1] in f"{SENTENCE_ENDS}{CLAUSE_ENDS}–—-"
    return cuts


def messages(language: str) -> list[list[str]]:
    """Return messages: a sentence alone, after a short one, and after another one."""
    short = SHORT.get(language, "Yes.")
    sentences = SENTENCES[language]
    return [
        layout
        for number, sentence in enumerate(sentences)
        for layout in (
            [sentence],
            [short, sentence],
            [sentences[number - 1], sentence],
        )
    ]


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("language", SENTENCES)
def test_no_sentence_is_torn_in_vain(language: str, rate: int) -> None:
    """At 50 tokens a second and more hardly any is."""

    async def scenario() -> None:
        separator = BETWEEN.get(language, " ")
        for sentences in messages(language):
            writer = Writer(separator.join(sentences), rate)
            sent = await speak(writer)
            cuts = cuts_of(sentences, separator, [part.text for part in sent])
            assert rate < 50 or not cuts
            begin = 0
            for part in sent:
                place = begin + len(part.text)
                if place in cuts:
                    waits_since = max(writer.written_at(begin), part.dry_at)
                    assert part.at - waits_since >= TIMING.patience - 0.01
                begin = place

    run(scenario())


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("language", SENTENCES)
def test_the_service_is_given_whole_sentences(language: str, rate: int) -> None:
    """The client as a whole, flushes included, against the emulated service."""

    async def scenario() -> None:
        config = EmulatorConfig(
            speech="silence",
            round_trip=0.05,
            first_packet=FIRST_PACKET,
            real_time_factor=0.3,
            seconds_per_character=SECONDS_PER_CHARACTER,
        )
        sentences = SENTENCES[language][:3]
        separator = BETWEEN.get(language, " ")
        text = separator.join(sentences)
        async with service(config) as (emulator, client):
            message = Message(
                Writer(text, rate).write(), clean=False, pronunciations={}
            )
            fetching = asyncio.create_task(message.fetch())
            async for _ in client.speak(message.pieces(), options()):
                pass
            await fetching
            [task] = [task for task in emulator.tasks if task.pieces]
            cuts = cuts_of(sentences, separator, task.texts)
            assert rate < 50 or not cuts
            assert rate < 20 or all(place < len(sentences[0]) for place in cuts)

    run(scenario())
