"""The times of the words, as the service counts them."""

import pytest

from custom_components.cosyvoice.client.utterance.playback import Position
from custom_components.cosyvoice.client.utterance.progress import TaskProgress
from custom_components.cosyvoice.client.utterance.report import Word
from custom_components.cosyvoice.client.wire.protocol import (
    SentenceBegin,
    SentenceEnd,
    WordTime,
)

from .tracking import START


def words_of(
    progress: TaskProgress, *sentences: tuple[float, float, float]
) -> list[float]:
    """Return where words begin; each sentence has one.

    Args:
        progress: The task.
        sentences: Where each begins and ends in the audio, and its word's time.
    """
    for begin, finish, time in sentences:
        progress.note(SentenceBegin("a"), Position(begin, 0.0))
        progress.audio(given_out=True)
        word = WordTime("a", time, time + 0.1)
        progress.note(SentenceEnd("a", (word,)), Position(finish, 0.0))
    return [round(word.begin, 3) for word in progress.words]


def test_words_counted_from_the_task() -> None:
    """Times run on over the sentences of a task, after what was heard before it."""
    progress = TaskProgress(Position(10.0, 4.0))
    for begin, finish, word in (
        (10.0, 10.6, WordTime("a", 0.1, 0.5)),
        (10.6, 11.0, WordTime("b", 0.7, 0.9)),
    ):
        progress.note(SentenceBegin(word.text), Position(begin, 4.0))
        progress.audio(given_out=True)
        progress.note(SentenceEnd(word.text, (word,)), Position(finish, 4.0))
    assert progress.words == [
        Word(text="a", begin=10.1, end=10.5),
        Word(text="b", begin=10.7, end=10.9),
    ]


def test_words_counted_from_the_sentence() -> None:
    """Times that begin anew count from the sentence's beginning."""
    sentences = (0.0, 1.0, 0.25), (1.0, 2.0, 0.25)
    assert words_of(TaskProgress(START), *sentences) == [0.25, 1.25]


def test_a_short_word_before_does_not_change_what_times_count_from() -> None:
    """The second sentence's word ends before the third one's begins."""
    sentences = (0.0, 2.0, 0.3), (2.0, 2.6, 0.14), (2.6, 4.0, 0.3)
    assert words_of(TaskProgress(START), *sentences) == [0.3, 2.14, 2.9]


def test_times_that_overlap_still_count_from_the_task() -> None:
    """The second sentence's first word begins 5 ms before the first sentence ends."""
    sentences = (0.0, 2.0, 1.9), (2.0, 3.0, 1.995)
    assert words_of(TaskProgress(START), *sentences) == [1.9, 1.995]


def test_what_times_count_from_is_decided_once_for_a_task() -> None:
    """A pause at the beginning of a later sentence is not mistaken."""
    sentences = (0.0, 2.0, 0.1), (2.0, 4.0, 0.1), (4.0, 9.0, 2.5)
    assert words_of(TaskProgress(START), *sentences) == [0.1, 2.1, 6.5]


@pytest.mark.parametrize("from_task", [True, False])
def test_silence_within_a_task_moves_its_words(*, from_task: bool) -> None:
    """The service does not know of it."""
    progress = TaskProgress(START)
    progress.note(SentenceBegin("a"), START)
    progress.audio(given_out=True)
    progress.note(SentenceEnd("a", ()), Position(2.0, 0.0))
    progress.note(SentenceBegin("b"), Position(7.0, 5.0))
    progress.audio(given_out=True)
    word = WordTime("b", 2.1 if from_task else 0.1, 2.5)
    progress.note(SentenceEnd("b", (word,)), Position(8.0, 5.0))
    assert [word.begin for word in progress.words] == [pytest.approx(7.1)]
