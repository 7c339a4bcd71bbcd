"""Sentences out of a text that may still be being written."""

import asyncio
from collections.abc import AsyncGenerator
from itertools import pairwise

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.cosyvoice.client.utterance.source import TextSource
from tests.clock import run


async def pieces(*texts: str) -> AsyncGenerator[str]:
    """Yield pieces of a text."""
    for text in texts:
        yield text


async def sentences_of(source: TextSource) -> list[str]:
    """Return everything that a source hands out."""
    sentences = []
    while await source.ready():
        assert source.waiting
        assert source.peek()
        sentences.append(source.pop())
    await source.close()
    return sentences


async def test_a_text_comes_in_sentences() -> None:
    """A plain string is cut as a stream is."""
    assert await sentences_of(TextSource("好的！ Hello there. 再见")) == [
        "好的！",
        " Hello there.",
        " 再见",
    ]


async def test_punctuation_joins_the_next_sentence() -> None:
    """What nobody can pronounce is not sent alone, and not at all at the end."""
    source = TextSource(pieces("…！", "。", "好。", "！！"))
    assert await sentences_of(source) == ["…！。好。"]


async def test_a_document_comes_whole() -> None:
    """SSML must not be cut."""
    text = "<speak>好的！<break/>再见。</speak>"
    assert await sentences_of(TextSource(pieces(text[:9], text[9:]), whole=True)) == [
        text
    ]


async def test_a_text_put_back_comes_first() -> None:
    """It is cut into sentences again, in the same order."""
    source = TextSource("三。")
    assert await source.ready()
    source.put_back("一。二。")
    assert await sentences_of(source) == ["一。", "二。", "三。"]


async def test_a_document_put_back_stays_whole() -> None:
    """It is one message."""
    source = TextSource("x", whole=True)
    source.put_back("<speak>一。二。</speak>")
    assert await sentences_of(source) == ["<speak>一。二。</speak>", "x"]


async def test_a_failing_text_ends_and_keeps_its_failure() -> None:
    """What came before is handed out; the failure is there to be raised."""

    async def failing() -> AsyncGenerator[str]:
        yield "好。未完"
        raise RuntimeError("the model is gone")

    source = TextSource(failing())
    assert await sentences_of(source) == ["好。", "未完"]
    assert isinstance(source.failure, RuntimeError)


def test_waiting_can_be_given_up_and_taken_up_again() -> None:
    """A timeout between two pieces loses neither."""

    async def slow() -> AsyncGenerator[str]:
        yield "一"
        await asyncio.sleep(60)
        yield "二。三。"

    async def scenario() -> None:
        source = TextSource(slow())
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(10):
                    await source.ready()
        assert await sentences_of(source) == ["一二。", "三。"]

    run(scenario())


def test_closing_ends_the_text() -> None:
    """The generator behind the text is closed, also while it is awaited."""
    closed = []

    async def endless() -> AsyncGenerator[str]:
        try:
            await asyncio.sleep(3600)
            yield "never"
        finally:
            closed.append(True)

    async def scenario() -> None:
        source = TextSource(endless())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await source.ready()
        await source.close()

    run(scenario())
    assert closed == [True]


async def test_any_asynchronous_iterable_will_do() -> None:
    """It need not be a generator, which alone can be closed."""

    class Iterable:
        def __init__(self) -> None:
            self.left = ["一。", "二。"]

        def __aiter__(self) -> Iterable:
            return self

        async def __anext__(self) -> str:
            if not self.left:
                raise StopAsyncIteration
            return self.left.pop(0)

    assert await sentences_of(TextSource(Iterable())) == ["一。", "二。"]


@settings(max_examples=200, deadline=None)
@given(
    text=st.text("今天好ab1 ，。！.?\n", max_size=60),
    cuts=st.lists(st.integers(0, 60), max_size=8),
)
def test_no_word_is_lost_however_the_text_is_cut(text: str, cuts: list[int]) -> None:
    """All that can be pronounced is handed out, in order."""
    places = sorted({0, *(min(cut, len(text)) for cut in cuts), len(text)})
    parts = [text[a:b] for a, b in pairwise(places)]

    async def scenario() -> None:
        said = "".join(await sentences_of(TextSource(pieces(*parts))))
        assert text.startswith(said)
        assert not any(map(str.isalnum, text[len(said) :]))

    run(scenario())
