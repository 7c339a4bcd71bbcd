"""What a task costs, from whatever the service reports."""

import pytest

from custom_components.cosyvoice.client.counting import count_characters
from custom_components.cosyvoice.client.utterance.playback import Position
from custom_components.cosyvoice.client.utterance.progress import Cost, TaskProgress
from custom_components.cosyvoice.client.utterance.source import Part
from custom_components.cosyvoice.client.wire.protocol import (
    SentenceBegin,
    SentenceEnd,
    TaskFinished,
    Usage,
)

from .tracking import SENTENCES, START, end, progress_of, task_of

BILL = ["今天天气不错。", "It is 21 degrees outside. ", "再见。"]


@pytest.mark.parametrize("usage", ["sentence", "finished"])
def test_a_task_that_is_broken_off_costs_what_was_spoken(usage: str) -> None:
    """With the sentence under way, and marked as an estimate."""
    progress = progress_of(*BILL)
    assert task_of(*BILL).cost(START) == Cost(0, estimated=True)
    assert progress.cost(START) == Cost(13, estimated=True)
    billed = 0
    for number, sentence in enumerate(BILL):
        progress.note(SentenceBegin(None), START)
        billed += count_characters(sentence)
        assert progress.cost(START) == Cost(billed, estimated=True)
        end(progress, None, billed if usage == "sentence" else None)
        assert progress.cost(START) == Cost(billed, estimated=True)
        if number == 0:
            progress.note(SentenceBegin("It is 21 degrees outside."), START)
            assert progress.cost(START) == Cost(13 + 25, estimated=True)


def test_a_task_that_is_finished_costs_what_was_billed() -> None:
    """Or all of it where nothing was."""
    progress = progress_of("好的。")
    progress.note(Usage(7), START)
    progress.note(TaskFinished(asked=True), START)
    assert progress.cost(START) == Cost(7, estimated=False)
    progress = progress_of("好的。")
    progress.note(TaskFinished(asked=True), START)
    assert progress.cost(START) == Cost(5, estimated=True)
    assert TaskProgress(START).cost(START) == Cost(0, estimated=False)


def test_a_task_may_cost_tokens() -> None:
    """Those reported last, which may be too few where the task broke off."""
    progress = TaskProgress(START, by_tokens=True)
    assert progress.cost(START) == Cost(0, estimated=False)
    progress.add(Part("好的。", ends_sentence=True))
    assert progress.cost(START) == Cost(0, estimated=True)
    progress.note(Usage(None, 3, 10), START)
    end(progress, "好的。")
    assert progress.cost(START) == Cost(0, True, 3, 10)
    progress.note(Usage(None, 3, 12), START)
    progress.note(TaskFinished(asked=True), START)
    assert progress.cost(START) == Cost(0, False, 3, 12)


def test_a_finished_task_without_tokens_is_an_estimate() -> None:
    progress = TaskProgress(START, by_tokens=True)
    progress.add(Part("好的。", ends_sentence=True))
    end(progress, "好的。")
    progress.note(TaskFinished(asked=True), START)
    assert progress.cost(START) == Cost(0, estimated=True)


def test_the_reported_unit_counts_whatever_the_model_should_bill() -> None:
    progress = TaskProgress(START, by_tokens=True)
    progress.add(Part("好的。", ends_sentence=True))
    end(progress, "好的。", 5)
    progress.note(TaskFinished(asked=True), START)
    assert progress.cost(START) == Cost(5, estimated=False)
    progress = progress_of("好的。")
    progress.note(Usage(None, 3, 12), START)
    progress.note(SentenceEnd("好的。", ()), START)
    progress.note(TaskFinished(asked=True), START)
    assert progress.cost(START) == Cost(0, False, 3, 12)


def test_a_cancelled_task_costs_what_its_end_reports() -> None:
    progress = TaskProgress(START, by_tokens=True)
    progress.add(Part("好的。", ends_sentence=True))
    progress.note_cancelled([Usage(None, 3, 7), TaskFinished(asked=True)])
    assert progress.cost(START) == Cost(0, False, 3, 7)
    assert progress.undelivered


def test_a_task_of_2025_costs_what_was_billed_so_far() -> None:
    """The bill holds the sentence under way."""
    progress = progress_of(*BILL)
    progress.note(Usage(13), START)
    assert progress.cost(START) == Cost(13, estimated=True)


@pytest.mark.parametrize(
    ("seconds", "cost"), [(0.0, 13), (1.2, 13), (2.0, 33), (3.4, 38), (60.0, 43)]
)
def test_the_cost_of_audio_alone_is_estimated_by_its_length(
    seconds: float, cost: int
) -> None:
    """Where the service reports nothing else; silence costs nothing."""
    begin = Position(5.0, 1.0)
    progress = TaskProgress(begin)
    for sentence in SENTENCES:
        progress.add(Part(sentence, ends_sentence=True))
    at = Position(5.0 + 2.0 + seconds, 1.0 + 2.0)
    assert progress.cost(at) == Cost(0, estimated=True)
    progress.audio(given_out=True)
    assert progress.cost(at) == Cost(cost, estimated=True)


@pytest.mark.parametrize("bills", [(5, 4, 6), (5, 5, 6), (5, 9, 6)])
def test_reports_for_each_sentence_alone_are_not_taken_for_the_sum(
    bills: tuple[int, int, int],
) -> None:
    """The sentences are counted here instead, and the bill is an estimate."""
    sentences = ("One. ", "Two. ", "Three.")
    progress = progress_of(*sentences)
    for text, characters in zip(sentences, bills, strict=True):
        progress.note(SentenceBegin(text), START)
        progress.audio(given_out=True)
        end(progress, text, characters)
    progress.note(TaskFinished(True), START)
    assert progress.cost(START) == Cost(sum(map(len, sentences)), estimated=True)
