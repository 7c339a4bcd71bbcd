"""What was delivered of a task's text, from whatever the service reports."""

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.cosyvoice.client.counting import count_characters, is_speakable
from custom_components.cosyvoice.client.errors import ProtocolError
from custom_components.cosyvoice.client.utterance.progress import Cost, TaskProgress
from custom_components.cosyvoice.client.utterance.source import Part
from custom_components.cosyvoice.client.wire.protocol import (
    SentenceBegin,
    SentenceEnd,
    TaskFinished,
    TaskStarted,
    Usage,
)

from .tracking import SENTENCES, START, end, progress_of, rest_of, task_of


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
    """Nothing was sent, so nothing is pending."""
    progress = TaskProgress(START)
    assert not progress.is_pending
    assert not progress.begun
    assert progress.known
    assert rest_of(progress) == ""


def test_other_events_say_nothing() -> None:
    """They are no progress."""
    progress = progress_of("好的！")
    progress.note(TaskStarted(), START)
    assert rest_of(progress) == "好的！"


@pytest.mark.parametrize("with_text", [True, False])
@pytest.mark.parametrize("with_usage", [True, False])
def test_sentences_are_ticked_off(*, with_text: bool, with_usage: bool) -> None:
    """By their text, by the characters billed, or one by one."""
    progress = progress_of(*SENTENCES)
    said = ""
    for number, sentence in enumerate(SENTENCES):
        said += sentence
        progress.note(SentenceBegin(None), START)
        assert progress.known
        usage = count_characters(said) if with_usage else None
        end(progress, sentence.strip() if with_text else None, usage)
        assert not progress.in_sentence
        left = "".join(SENTENCES[number + 1 :])
        assert rest_of(progress).strip() == left.strip()
    assert not progress.is_pending


def test_the_text_of_the_beginning_serves_for_the_end() -> None:
    """The end of a task's last sentence may come without its text."""
    progress = progress_of("好的！", "再见。")
    progress.note(SentenceBegin("好的！"), START)
    progress.note(SentenceEnd(None, ()), START)
    assert rest_of(progress) == "再见。"


def test_a_sentence_that_came_without_notice_is_not_said_again() -> None:
    """Audio comes in order: what stands before a finished sentence is finished."""
    progress = progress_of("一。", "二。", "三。")
    progress.note(SentenceEnd("二。", ()), START)
    assert rest_of(progress) == "三。"


def test_the_bill_limits_how_far_a_text_is_searched() -> None:
    """The same words later in the text are not mistaken for the sentence."""
    progress = progress_of("一，好的。", "二。", "好的。")
    progress.note(Usage(count_characters("一，好的。")), START)
    progress.note(SentenceEnd("OK", ()), START)
    assert rest_of(progress) == "二。好的。"


def test_a_far_match_beyond_the_bill_is_refused() -> None:
    """A match beyond the billed text counts only up to the billed text."""
    progress = progress_of("一一。", "二二。", "三三。")
    progress.note(Usage(count_characters("一一。")), START)
    progress.note(SentenceEnd("三三。", ()), START)
    assert rest_of(progress) == "二二。三三。"


def test_an_event_that_comes_twice_counts_once() -> None:
    """The next sentence, though it reads the same, is still pending."""
    progress = progress_of("好的。", "好的。")
    end(progress, "好的。", 5)
    progress.note(SentenceEnd("好的。", ()), START)
    assert rest_of(progress) == "好的。"


def test_half_a_sentence_in_the_bill_is_repeated_whole() -> None:
    """It is better to repeat than to lose."""
    progress = progress_of("今天天气不错。", "明天也不错。")
    progress.note(Usage(18), START)
    progress.note(SentenceEnd(None, ()), START)
    assert rest_of(progress) == "明天也不错。"


def test_a_service_that_reports_usage_alone() -> None:
    """Each rise of the count says that what was counted before is delivered."""
    progress = progress_of("好的！", "再见。", "晚安。")
    assert not progress.known
    progress.note(Usage(5), START)
    assert rest_of(progress) == "好的！再见。晚安。"
    progress.note(Usage(10), START)
    assert rest_of(progress) == "再见。晚安。"
    assert progress.begun
    assert progress.billed == 10


def test_one_sentence_is_always_known() -> None:
    """What was heard of a single piece cannot be anything else."""
    assert progress_of("好的！").known


def test_a_finished_task_delivered_everything() -> None:
    """Whether or not the service reported sentences."""
    progress = progress_of("好的！", "再见。")
    progress.note(TaskFinished(asked=True), START)
    assert rest_of(progress) == ""


@pytest.mark.parametrize("asked", [True, False])
def test_a_task_finished_without_audio_is_an_error(*, asked: bool) -> None:
    """Silence is no speech."""
    progress = task_of("好的！")
    with pytest.raises(ProtocolError):
        progress.note(TaskFinished(asked), START)


@pytest.mark.parametrize("before", [1, 100])
def test_a_task_finished_too_early_is_an_error(before: int) -> None:
    """Both the sentences and the bill say that something is missing, however little."""
    progress = progress_of(*["今天天气不错。"] * before, "再见。")
    for number in range(before):
        end(progress, "今天天气不错。", 13 * (number + 1))
    with pytest.raises(ProtocolError):
        progress.note(TaskFinished(asked=True), START)
    assert rest_of(progress) == "再见。"


def test_a_task_finished_within_a_sentence_is_an_error() -> None:
    """Also where nothing was billed yet."""
    progress = progress_of("今天天气不错。")
    progress.note(SentenceBegin("今天天气不错。"), START)
    with pytest.raises(ProtocolError):
        progress.note(TaskFinished(asked=True), START)


def test_a_sentence_that_was_worded_otherwise_is_no_error() -> None:
    """The bill is complete: the service has only changed the text."""
    progress = progress_of("今天 3°C。", "再见。")
    progress.note(Usage(13), START)
    progress.note(SentenceEnd("今天三摄氏度。", ()), START)
    progress.note(TaskFinished(asked=True), START)
    assert not progress.is_pending


def test_a_sentence_of_which_only_the_beginning_is_reported_is_no_error() -> None:
    """The bill is complete: nothing is to be said again."""
    progress = progress_of("It is cold today, and it will rain.")
    end(progress, "It is cold today,", 35)
    progress.note(TaskFinished(asked=True), START)
    assert not progress.is_pending


def test_a_sentence_that_ended_too_early_by_report_and_bill_is_an_error() -> None:
    progress = progress_of("It is cold today, and it will rain.")
    end(progress, "It is cold today,", 17)
    with pytest.raises(ProtocolError):
        progress.note(TaskFinished(asked=True), START)
    assert rest_of(progress) == " and it will rain."


WORDED_OTHERWISE = [
    ("今天 3°C。", "今天三摄氏度。"),
    ("It is 21 degrees, and dry. ", "It is twenty one degrees, and dry."),
    ("湿度是 45%。", "湿度是百分之四十五。"),
    ("Good night!", "GOOD NIGHT !"),
    ("好的，再见。", "好的,再见."),
]


@pytest.mark.parametrize("with_text", [True, False])
def test_sentences_that_are_worded_otherwise_are_counted(*, with_text: bool) -> None:
    """Without usage as well; only the sentence under way is spoken again."""
    progress = progress_of(*(sent for sent, _ in WORDED_OTHERWISE))
    for number, (_, spoken) in enumerate(WORDED_OTHERWISE, start=1):
        end(progress, spoken if with_text else None)
        left = [sent for sent, _ in WORDED_OTHERWISE[number:]]
        assert [part.text for part in progress.rest] == left


def test_half_a_part_that_is_worded_otherwise_is_not_counted() -> None:
    """The service cuts finer than the text was sent: better to repeat than to lose."""
    progress = progress_of("It is 21 degrees; the wind blows from the north-east.")
    end(progress, "It is twenty one degrees;")
    assert rest_of(progress).startswith("It is")


def test_the_beginning_of_a_sentence_ends_those_that_were_not_found() -> None:
    """Two parts came as one sentence, worded otherwise."""
    progress = progress_of("20:15。", "明天。", "今天天气不错。")
    end(progress, "二十点十五分明天。")
    assert rest_of(progress) == "明天。今天天气不错。"
    progress.note(SentenceBegin("今天天气不错。"), START)
    assert rest_of(progress) == "今天天气不错。"


def test_a_bill_that_is_higher_skips_no_sentence() -> None:
    """Ten characters more than are counted here, from the first sentence on."""
    sentences = ["今天天气不错。", "好。", "是。", "明天也不错。"]
    progress = progress_of(*sentences)
    billed = 10
    for number, sentence in enumerate(sentences, start=1):
        billed += count_characters(sentence)
        end(progress, sentence if number == 1 else None, billed)
        assert rest_of(progress) == "".join(sentences[number:])


def test_identical_sentences_count_although_the_bill_does_not_grow() -> None:
    progress = progress_of("好的。", "好的。", "再见。")
    for _ in range(2):
        end(progress, "好的。", 15)
    assert rest_of(progress) == "再见。"


def test_words_within_a_word_are_not_mistaken_for_the_sentence() -> None:
    progress = progress_of("Look at that. ", "OK. ", "Bye.")
    end(progress, "OK.")
    assert rest_of(progress) == "Bye."


def test_a_finished_task_without_usage_may_still_have_been_too_short() -> None:
    """All sentences were found; one is missing."""
    progress = progress_of("今天天气不错。", "再见。")
    end(progress, "今天天气不错。")
    with pytest.raises(ProtocolError):
        progress.note(TaskFinished(asked=True), START)
    assert rest_of(progress) == "再见。"


def test_a_finished_task_of_2025_may_have_been_too_short() -> None:
    """Its events hold the bill alone; the last sentence may have been cut off."""
    progress = progress_of("今天天气不错。", "明天也不错。", "再见。")
    progress.note(Usage(13), START)
    progress.note(Usage(24), START)
    with pytest.raises(ProtocolError):
        progress.note(TaskFinished(asked=True), START)
    assert rest_of(progress) == "明天也不错。再见。"


def test_the_rest_of_a_document_is_the_document() -> None:
    """SSML cannot be cut, whatever the service reports."""
    progress = TaskProgress(START, ssml=True)
    document = "<speak>好的。再见。</speak>"
    progress.add(Part(document, ends_sentence=True))
    end(progress, "好的。", 5)
    assert rest_of(progress) == document
    assert not progress.known
    assert progress.undelivered == len(document)
    assert progress.cost(START) == Cost(5, estimated=True)


def test_what_lags_is_not_delivered_before_it_was_given_out() -> None:
    """The end of the sentence is in a page that is not full yet."""
    progress = task_of("好的。", "再见。", lags=True)
    end(progress, "好的。")
    assert rest_of(progress) == "好的。再见。"
    assert progress.is_broken_off
    progress.audio(given_out=False)
    assert rest_of(progress) == "好的。再见。"
    progress.audio(given_out=True)
    assert rest_of(progress) == "再见。"
    assert progress.undelivered == len("再见。")


def test_marks_after_a_sentence_belong_to_it() -> None:
    """Also where the service does not end where the text was cut."""
    progress = progress_of("他说：“好的。”“再见。”")
    end(progress, "他说：“好的。”")
    assert rest_of(progress) == "“再见。”"


sentences = st.lists(
    st.text("今天好 ab1,，", min_size=1, max_size=8)
    .filter(is_speakable)
    .map(lambda text: text + "。"),
    min_size=1,
    max_size=6,
)


@settings(max_examples=300)
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
            progress.note(SentenceBegin(sentence if reports_text else None), START)
        end(
            progress,
            sentence if reports_text else None,
            billed if reports_usage else None,
        )
        complete = complete and reports_text and reports_usage
    undelivered = "".join(sentences[done:]).strip()
    assert rest_of(progress).strip().endswith(undelivered)
    if complete:
        assert rest_of(progress).strip() == undelivered


@pytest.mark.parametrize("text", [True, False])
def test_a_sentence_that_begins_ends_the_one_before_it(text: bool) -> None:
    """Where the service reports no end, with the text or without it."""
    progress = task_of(*SENTENCES)
    for sentence in SENTENCES[:3]:
        progress.note(SentenceBegin(sentence if text else None), START)
        progress.note(SentenceBegin(sentence if text else None), START)  # Twice
        progress.audio(given_out=True)
    assert rest_of(progress) == "".join(SENTENCES[2:])
    sizes = [count_characters(sentence) for sentence in SENTENCES]
    assert progress.cost(START) == Cost(sum(sizes[:3]), estimated=True)
    progress.note(SentenceBegin(SENTENCES[3] if text else None), START)
    progress.audio(given_out=True)
    progress.note(TaskFinished(asked=True), START)
    assert progress.cost(START) == Cost(sum(sizes), estimated=True)


def test_an_early_end_is_noticed_where_the_service_reports_no_ends() -> None:
    progress = task_of(*SENTENCES)
    for sentence in SENTENCES[:2]:
        progress.note(SentenceBegin(sentence), START)
        progress.audio(given_out=True)
    with pytest.raises(ProtocolError):
        progress.note(TaskFinished(asked=True), START)
    assert progress.cut_short
    assert rest_of(progress) == "".join(SENTENCES[2:])


def test_the_reported_text_may_be_only_the_beginning_of_a_sentence() -> None:
    """Without a bill; the next sentence tells how far the one before went."""
    progress = task_of(*SENTENCES)
    for number, sentence in enumerate(SENTENCES):
        beginning = sentence.strip()[:2]
        progress.note(SentenceBegin(beginning), START)
        assert rest_of(progress).strip() == "".join(SENTENCES[number:]).strip()
        end(progress, beginning)
    progress.note(TaskFinished(asked=True), START)
    assert not progress.is_pending
