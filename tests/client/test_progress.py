"""What was delivered of a task's text, from whatever the service reports."""

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.cosyvoice.client.counting import count_characters
from custom_components.cosyvoice.client.errors import ProtocolError
from custom_components.cosyvoice.client.utterance.progress import TaskProgress
from custom_components.cosyvoice.client.utterance.report import Word
from custom_components.cosyvoice.client.wire.protocol import (
    SentenceBegin,
    SentenceEnd,
    TaskFinished,
    TaskStarted,
    Usage,
    WordTime,
)
from custom_components.cosyvoice.text.characters import is_speakable

SENTENCES = ["今天天气不错。", " It is 3.5 degrees. ", "好的！", "再见。"]


def progress_of(*sentences: str) -> TaskProgress:
    """Return the progress of a task that was given sentences and gave audio."""
    progress = TaskProgress(0.0)
    for sentence in sentences:
        progress.add(sentence)
    progress.audio()
    return progress


@pytest.mark.parametrize(
    ("text", "speakable"),
    [
        ("。", False),
        ("…！", False),
        ("", False),
        ("_", False),
        ("好", True),
        ("7", True),
    ],
)
def test_punctuation_alone_is_not_speakable(text: str, *, speakable: bool) -> None:
    """There must be a letter, a Han or a digit."""
    assert is_speakable(text) is speakable


def test_a_new_task_owes_nothing() -> None:
    """Nothing sent, nothing owed."""
    progress = TaskProgress(0.0)
    assert not progress.owed
    assert not progress.begun
    assert progress.known
    assert progress.rest == ""


def test_other_events_say_nothing() -> None:
    """They are no progress."""
    progress = progress_of("好的！")
    progress.note(TaskStarted(), 0.0)
    assert progress.rest == "好的！"


@pytest.mark.parametrize("with_text", [True, False])
@pytest.mark.parametrize("with_usage", [True, False])
def test_sentences_are_ticked_off(*, with_text: bool, with_usage: bool) -> None:
    """By their text or by the characters billed; without either nothing is."""
    progress = progress_of(*SENTENCES)
    said = ""
    for number, sentence in enumerate(SENTENCES):
        said += sentence
        progress.note(SentenceBegin(None), 0.0)
        assert progress.known
        if with_usage:
            progress.note(Usage(count_characters(said)), 0.0)
        text = sentence.strip() if with_text else None
        progress.note(SentenceEnd(text, ()), 0.0)
        assert not progress.in_sentence
        left = "".join(SENTENCES[number + 1 :]) if with_text or with_usage else None
        if left is not None:
            assert progress.rest.strip() == left.strip()
    assert progress.owed is not (with_text or with_usage)


def test_the_text_of_the_beginning_serves_for_the_end() -> None:
    """The end of a task's last sentence may come without its text."""
    progress = progress_of("好的！", "再见。")
    progress.note(SentenceBegin("好的！"), 0.0)
    progress.note(SentenceEnd(None, ()), 0.0)
    assert progress.rest == "再见。"


def test_a_sentence_that_came_without_notice_is_not_said_again() -> None:
    """Audio comes in order: what stands before a finished sentence is finished."""
    progress = progress_of("一。", "二。", "三。")
    progress.note(SentenceEnd("二。", ()), 0.0)
    assert progress.rest == "三。"


def test_the_bill_limits_how_far_a_text_is_searched() -> None:
    """The same words later in the text are not mistaken for the sentence."""
    progress = progress_of("一，好的。", "二。", "好的。")
    progress.note(Usage(count_characters("一，好的。")), 0.0)
    progress.note(SentenceEnd("OK", ()), 0.0)
    assert progress.rest == "二。好的。"


def test_a_far_match_beyond_the_bill_is_refused() -> None:
    """A match that lies beyond what was billed ticks off only what was billed."""
    progress = progress_of("一一。", "二二。", "三三。")
    progress.note(Usage(count_characters("一一。")), 0.0)
    progress.note(SentenceEnd("三三。", ()), 0.0)
    assert progress.rest == "二二。三三。"


def test_an_event_that_comes_twice_counts_once() -> None:
    """The next sentence, though it reads the same, is still owed."""
    progress = progress_of("好的。", "好的。")
    for _ in range(2):
        progress.note(Usage(5), 0.0)
        progress.note(SentenceEnd("好的。", ()), 0.0)
    assert progress.rest == "好的。"


def test_half_a_sentence_in_the_bill_is_repeated_whole() -> None:
    """It is better to repeat than to lose."""
    progress = progress_of("今天天气不错。", "明天也不错。")
    progress.note(Usage(18), 0.0)
    progress.note(SentenceEnd(None, ()), 0.0)
    assert progress.rest == "明天也不错。"


def test_a_service_that_reports_usage_alone() -> None:
    """Each rise of the count says that what was counted before is delivered."""
    progress = progress_of("好的！", "再见。", "晚安。")
    assert not progress.known
    progress.note(Usage(5), 0.0)
    assert progress.rest == "好的！再见。晚安。"
    progress.note(Usage(10), 0.0)
    assert progress.rest == "再见。晚安。"
    assert progress.begun
    assert progress.billed == 10


def test_one_sentence_is_always_known() -> None:
    """What was heard of a single piece cannot be anything else."""
    assert progress_of("好的！").known


def test_a_finished_task_delivered_everything() -> None:
    """Whether or not the service reported sentences."""
    progress = progress_of("好的！", "再见。")
    progress.note(TaskFinished(asked=True), 0.0)
    assert progress.rest == ""


@pytest.mark.parametrize("asked", [True, False])
def test_a_task_finished_without_audio_is_an_error(*, asked: bool) -> None:
    """Silence is no speech."""
    progress = TaskProgress(0.0)
    progress.add("好的！")
    with pytest.raises(ProtocolError):
        progress.note(TaskFinished(asked), 0.0)


@pytest.mark.parametrize("before", [1, 100])
def test_a_task_finished_too_early_is_an_error(before: int) -> None:
    """Both the sentences and the bill say that something is missing, however little."""
    progress = progress_of(*["今天天气不错。"] * before, "再见。")
    for number in range(before):
        progress.note(Usage(13 * (number + 1)), 0.0)
        progress.note(SentenceEnd("今天天气不错。", ()), 0.0)
    with pytest.raises(ProtocolError):
        progress.note(TaskFinished(asked=True), 0.0)
    assert progress.rest == "再见。"


def test_a_task_finished_within_a_sentence_is_an_error() -> None:
    """Also where nothing was billed yet."""
    progress = progress_of("今天天气不错。")
    progress.note(SentenceBegin("今天天气不错。"), 0.0)
    with pytest.raises(ProtocolError):
        progress.note(TaskFinished(asked=True), 0.0)


def test_a_sentence_that_was_worded_otherwise_is_no_error() -> None:
    """The bill is complete: the service has only changed the text."""
    progress = progress_of("今天 3°C。", "再见。")
    progress.note(Usage(13), 0.0)
    progress.note(SentenceEnd("今天三摄氏度。", ()), 0.0)
    progress.note(TaskFinished(asked=True), 0.0)
    assert not progress.owed


def test_words_counted_from_the_task() -> None:
    """Times run on over the sentences of a task, after what was heard before it."""
    progress = TaskProgress(10.0)
    progress.note(SentenceEnd("a", (WordTime("a", 0.1, 0.5),)), 10.6)
    progress.note(SentenceEnd("b", (WordTime("b", 0.7, 0.9),)), 11.0)
    assert progress.words == [
        Word(text="a", begin=10.1, end=10.5),
        Word(text="b", begin=10.7, end=10.9),
    ]


def test_words_counted_from_the_sentence() -> None:
    """Times that begin anew count from the sentence's beginning."""
    progress = TaskProgress(0.0)
    progress.note(SentenceBegin("a"), 0.0)
    progress.note(SentenceEnd("a", (WordTime("a", 0.25, 0.5),)), 1.0)
    progress.note(SentenceBegin("b"), 1.0)
    progress.note(SentenceEnd("b", (WordTime("b", 0.25, 0.5),)), 2.0)
    assert [word.begin for word in progress.words] == [0.25, 1.25]


sentences = st.lists(
    st.text("今天好 ab1,，", min_size=1, max_size=8)
    .filter(is_speakable)
    .map(lambda text: text + "。"),
    min_size=1,
    max_size=6,
)


@settings(max_examples=300, deadline=None)
@given(sentences=sentences, data=st.data())
def test_nothing_is_ever_lost(sentences: list[str], data: st.DataObject) -> None:
    """Whatever the service leaves out, the rest holds all that was not delivered.

    And if it leaves nothing out, the rest holds nothing else.
    """
    progress = progress_of(*sentences)
    done = data.draw(st.integers(0, len(sentences)))
    complete = True
    billed = 0
    for sentence in sentences[:done]:
        billed += count_characters(sentence)
        reports_text, reports_usage = data.draw(st.tuples(st.booleans(), st.booleans()))
        if data.draw(st.booleans()):
            progress.note(SentenceBegin(sentence if reports_text else None), 0.0)
        if reports_usage:
            progress.note(Usage(billed), 0.0)
        progress.note(SentenceEnd(sentence if reports_text else None, ()), 0.0)
        complete = complete and reports_text and reports_usage
    undelivered = "".join(sentences[done:]).strip()
    assert progress.rest.strip().endswith(undelivered)
    if complete:
        assert progress.rest.strip() == undelivered
