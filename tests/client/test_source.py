"""When which part of a text that may still be being written is to be spoken."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable
from itertools import pairwise

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.cosyvoice.client import CosyVoiceConnectionError, Timing
from custom_components.cosyvoice.client.audio import audio_writer
from custom_components.cosyvoice.client.audio.silence import NO_SILENCE
from custom_components.cosyvoice.client.utterance.playback import Playback
from custom_components.cosyvoice.client.utterance.source import Part, TextSource
from custom_components.cosyvoice.text.sentences import End, Piece
from tests.clock import run

from .speaking import whole

TIMING = Timing()
SECOND = bytes(2 * 24_000)


def source_of(
    text: str | AsyncIterable[Piece],
    playback: Playback | None = None,
    *,
    document: bool = False,
) -> TextSource:
    """Return a source whose listener has nothing yet."""
    return TextSource(text, playback or listener(), TIMING, whole=document)


def listener() -> Playback:
    """Return a listener who plays samples."""
    return Playback(audio_writer("pcm", 24_000), NO_SILENCE, TIMING, fill=False)


async def parts_of(source: TextSource) -> list[str]:
    """Return everything that a source hands out."""
    parts = []
    while await source.ready():
        assert source.waiting
        peeked = source.peek()
        part = source.pop()
        assert part.text == peeked
        parts.append(part.text)
    assert source.ended
    await source.close()
    return parts


async def timed(*pieces: Piece | float) -> AsyncGenerator[Piece]:
    """Yield pieces; wait for the numbers between them, in seconds."""
    for piece in pieces:
        if isinstance(piece, Piece):
            yield piece
        else:
            await asyncio.sleep(piece)


def when(
    *pieces: Piece | float, playback: Playback | None = None, lead: float = 0.0
) -> list[tuple[float, str]]:
    """Return when each part is handed out, in tenths of seconds.

    Args:
        pieces: The text.
        playback: What the listener has.
        lead: Seconds of speech that come when the first part is handed out.
    """

    async def scenario() -> list[tuple[float, str]]:
        loop = asyncio.get_running_loop()
        listening = playback or listener()
        source = source_of(timed(*pieces), listening)
        parts = []
        while await source.ready():
            parts.append((round(loop.time(), 1), source.pop().text))
            if lead and len(parts) == 1:
                listening.speech(SECOND * int(lead))
        await source.close()
        return parts

    return run(scenario())


async def test_a_string_is_one_sentence() -> None:
    """Its sentences are known to who knows the language."""
    assert await parts_of(source_of("好的！ Hello there.")) == ["好的！ Hello there."]


async def test_a_text_comes_in_sentences() -> None:
    source = source_of(whole("好的！ Hello there. 再见"))
    assert await parts_of(source) == ["好的！", " Hello there.", " 再见"]
    assert source.taken == len("好的！ Hello there. 再见")


async def test_punctuation_joins_the_next_sentence() -> None:
    """What nobody can pronounce is not sent alone, and not at all at the end."""
    assert await parts_of(source_of(whole("…！。好。！！"))) == ["…！。好。"]


async def test_a_document_comes_whole() -> None:
    """SSML must not be cut, however long it takes to write."""
    text = "<speak>好的！<break/>再见。</speak>"
    pieces = timed(Piece(text[:9], "sentence"), Piece(text[9:], ""))
    assert await parts_of(source_of(pieces, document=True)) == [text]


def test_parts_that_are_put_back_come_first() -> None:
    """In the same order, and are not counted twice."""

    async def scenario() -> None:
        source = source_of(whole("一。二。三。"))
        assert await source.ready()
        parts = [source.pop(), source.pop()]
        assert source.taken == 4
        source.put_back(parts)
        assert source.taken == 0
        assert source.waiting
        assert await parts_of(source) == ["一。", "二。", "三。"]
        assert source.taken == 6

    run(scenario())


async def test_a_failing_text_ends_and_keeps_its_failure() -> None:
    """What came before is handed out; the failure is there to be raised."""

    async def failing() -> AsyncGenerator[Piece]:
        yield Piece("好。", "sentence")
        yield Piece("未完", "")
        raise RuntimeError("the model is gone")

    source = source_of(failing())
    assert await parts_of(source) == ["好。", "未完"]
    assert isinstance(source.failure, RuntimeError)


def test_a_text_whose_writer_is_cancelled_is_cut_off() -> None:
    """Nobody has cancelled the listener."""

    async def cancelled() -> AsyncGenerator[Piece]:
        yield Piece("好。", "sentence")
        raise asyncio.CancelledError

    async def scenario() -> None:
        source = source_of(cancelled())
        assert await parts_of(source) == ["好。"]
        assert isinstance(source.failure, CosyVoiceConnectionError)

    run(scenario())


def test_half_a_surrogate_pair_is_replaced() -> None:
    """No encoding can hold it; the place of what follows stays the same."""
    assert run(parts_of(source_of("好\ud83d。"))) == ["好\ufffd。"]


def test_waiting_can_be_given_up_and_taken_up_again() -> None:
    """A timeout between two pieces loses neither."""

    async def scenario() -> None:
        source = source_of(timed(Piece("…", ""), 60, Piece("一二。", "sentence")))
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(10):
                    await source.ready()
        assert await parts_of(source) == ["…一二。"]

    run(scenario())


def test_closing_ends_the_text() -> None:
    """The generator behind the text is closed, also while it is awaited."""
    closed = []

    async def endless() -> AsyncGenerator[Piece]:
        try:
            await asyncio.sleep(3600)
            yield Piece("never", "")
        finally:
            closed.append(True)

    async def scenario() -> None:
        source = source_of(endless())
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

        async def __anext__(self) -> Piece:
            if not self.left:
                raise StopAsyncIteration
            return Piece(self.left.pop(0), "sentence")

    assert await parts_of(source_of(Iterable())) == ["一。", "二。"]


@pytest.mark.parametrize(
    "text",
    [
        "Let me look at camera 2.",
        "I will switch to plan B.",
        "The ping took 5 ms.",
        "好的，我来查一下：",
        "Checking the lights now",
        "Dr.",
    ],
)
def test_a_text_that_pauses_is_spoken_whatever_it_ends_in(text: str) -> None:
    """Within a second of the pause."""
    pieces: list[Piece | float] = [
        Piece("Yes. ", "sentence"),
        Piece(text, ""),
        8.0,
        Piece(" End.", ""),
    ]
    assert when(*pieces) == [(0.0, "Yes. "), (1.0, text), (8.0, " End.")]
    assert when(*pieces[1:]) == [(TIMING.text_pause, text), (8.0, " End.")]


def test_a_blank_that_comes_later_is_no_text() -> None:
    """The blank after a comma is passed on when the text has paused for a while."""
    pieces: list[Piece | float] = [
        Piece("好的,", ""),
        0.4,
        Piece(" ", ""),
        8.0,
        Piece("End.", ""),
    ]
    assert when(*pieces)[0] == (TIMING.text_pause, "好的, ")


def test_a_text_that_falters_stays_whole_while_the_listener_has_audio() -> None:
    """It is spoken as far as it goes when one second of audio is left."""
    pieces: list[Piece | float] = [
        Piece("Yes. ", "sentence"),
        Piece("There ", ""),
        3.0,
        Piece("is.", ""),
    ]
    assert when(*pieces, lead=10) == [(0.0, "Yes. "), (3.0, "There is.")]
    assert when(*pieces, lead=3)[1] == (2.0, "There ")


def test_a_slow_sentence_is_cut_at_a_clause_when_the_listener_has_waited() -> None:
    """Two seconds at the beginning, and after the audio has been played."""
    slow: list[Piece | float] = [Piece(" w", ""), 0.5] * 10
    pieces: list[Piece | float] = [
        Piece("a,", "clause"),
        *slow,
        Piece("b.", "sentence"),
    ]
    first, last = when(*pieces)
    assert first == (TIMING.patience, "a,")
    assert last == (5.0, " w" * 10 + "b.")
    begin = Piece("Yes. ", "sentence")
    assert when(begin, *pieces, lead=5) == [(0.0, "Yes. "), (5.0, "a," + last[1])]
    assert when(begin, *pieces, lead=2)[1] == (4.0, "a,")


def test_a_slow_sentence_without_a_clause_is_not_cut() -> None:
    """A sentence that is torn anywhere is worse than one that comes late."""
    pieces: list[Piece | float] = [Piece("w ", ""), 0.5] * 20
    assert when(*pieces) == [(10.0, "w " * 20)]


def test_a_clause_of_marks_alone_is_none() -> None:
    slow: list[Piece | float] = [Piece(" w", ""), 0.5] * 8
    pieces = [Piece("…,", "clause"), *slow]
    assert when(*pieces) == [(4.0, "…," + " w" * 8)]


def test_an_end_that_is_marked_afterwards() -> None:
    """The stop was ambiguous; its sentence goes out when it no longer is."""
    pieces: list[Piece | float] = [
        Piece("Camera 2.", ""),
        0.3,
        Piece("", "sentence"),
        1.0,
    ]
    assert when(*pieces) == [(0.3, "Camera 2.")]


@settings(max_examples=200)
@given(
    text=st.text("今天好ab1 ，。！.?\n", max_size=60),
    cuts=st.lists(st.integers(0, 60), max_size=8),
    ends=st.lists(st.sampled_from(["sentence", "clause", ""]), min_size=9, max_size=9),
    pauses=st.lists(st.sampled_from([0.0, 0.5, 0.7, 3.0]), min_size=9, max_size=9),
)
def test_no_word_is_lost_however_the_text_is_cut(
    text: str, cuts: list[int], ends: list[End], pauses: list[float]
) -> None:
    """All that can be pronounced is handed out, in order."""
    places = sorted({0, *(min(cut, len(text)) for cut in cuts), len(text)})
    pieces: list[Piece | float] = []
    for (begin, end), kind, pause in zip(pairwise(places), ends, pauses, strict=False):
        pieces += [Piece(text[begin:end], kind), pause]
    said = "".join(part for _, part in when(*pieces))
    assert text.startswith(said)
    assert not any(map(str.isalnum, text[len(said) :]))


def test_a_part_knows_whether_it_ends_its_sentence() -> None:
    async def scenario() -> None:
        source = source_of(timed(Piece("a", ""), 1.0, Piece("b.", "sentence")))
        assert await source.ready()
        assert source.pop() == Part("a", ends_sentence=False)
        assert await source.ready()
        assert source.pop() == Part("b.", ends_sentence=True)
        await source.close()

    run(scenario())
