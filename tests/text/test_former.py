"""Text: counted as the service does, cut without loss, freed of what is no text."""

import unicodedata

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.cosyvoice.client.counting import count_characters
from custom_components.cosyvoice.text.former import (
    LONGEST_SENTENCE,
    PARTIAL_SENTENCE,
    SentenceSplitter,
    scrub,
    split_message,
)
from tests.work import lines_run

# Much of what matters to the cuts, next to any other character.
CHARACTERS = st.one_of(
    st.sampled_from(
        list("。！？!?；…\n.，,、：: ”\"'）)“abc123你好あ한🙂👍🏽\u200d\u0301\ufe0f🇨🇳")
    ),
    st.characters(),
)
TEXTS = st.text(CHARACTERS, max_size=600)


def pieces(text: str, cuts: list[int]) -> list[str]:
    """Return the text cut into pieces of these lengths, over and over."""
    at = 0
    found: list[str] = []
    while at < len(text):
        size = cuts[len(found) % len(cuts)]
        found.append(text[at : at + size])
        at += size
    return found


def split(text: str) -> list[str]:
    splitter = SentenceSplitter()
    return [*splitter.push(text), splitter.rest()]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("你好", 4),
        ("中A文123", 8),
        ("中文。", 5),
        ("中 文。", 6),
        ("床前明月光，", 11),
        ("こんにちは", 5),
        ("日本語です", 8),
        ("안녕", 2),
        ("漢字\n", 5),
        ("㐀豈𠀀𠮷", 8),
        ("々〇", 2),
        ("🙂👍🏽", 3),
    ],
)
def test_characters_count_as_the_service_counts_them(text: str, count: int) -> None:
    assert count_characters(text) == count


@pytest.mark.parametrize(
    ("document", "count"),
    [
        ("<speak>你好</speak>", 4),
        ('<speak>a<break time="1s"/>b</speak>', 2),
        ("<speak><sub alias='1 > 0'>x</sub> < y</speak>", 5),
        ("a < b", 5),
    ],
)
def test_tags_are_not_counted_in_ssml(document: str, count: int) -> None:
    assert count_characters(document, ssml=True) == count
    assert count_characters(document) == len(document) + document.count("你好") * 2


@settings(deadline=None)
@given(TEXTS)
def test_counts_add_up(text: str) -> None:
    assert count_characters(text) == sum(map(count_characters, text))
    assert len(text) <= count_characters(text) <= 2 * len(text)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("a\x00b\x07c\x7fd\x9fe", "abcde"),
        ("a\ud800b\udfffc\ufffe", "abc"),
        ("tab\there\nthere", "tab\there\nthere"),
        ("a\rb\x0bc\x0cd\x85e\u2028f\u2029g\x1ch", "a\nb\nc\nd\ne\nf\ng\nh"),
        ("你好 👨‍👩‍👧 é", "你好 👨‍👩‍👧 é"),
    ],
)
def test_scrubbing_leaves_speech_and_layout(text: str, clean: str) -> None:
    assert scrub(text) == clean


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=())), st.integers(0, 50))
def test_scrubbed_text_can_be_sent_and_is_the_same_for_any_cut(
    text: str, cut: int
) -> None:
    clean = scrub(text)
    clean.encode()
    assert all(
        character in "\t\n" or unicodedata.category(character) not in ("Cc", "Cs")
        for character in clean
    )
    assert scrub(clean) == clean
    assert scrub(text[:cut]) + scrub(text[cut:]) == clean


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("你好。今天天气不错！出门吗？", ["你好。", "今天天气不错！", "出门吗？", ""]),
        ("一；二……三", ["一；", "二……", "三"]),
        ("他说：“走吧！”然后走了。", ["他说：“走吧！”", "然后走了。", ""]),
        ("「行こう。」と言った。", ["「行こう。」", "と言った。", ""]),
        ("안녕하세요.반갑습니다.", ["안녕하세요.", "반갑습니다.", ""]),
        ("好.好", ["好.", "好"]),
        (
            'Hi there! "Really?" he said (yes.) Go.',
            ["Hi there!", ' "Really?"', " he said (yes.)", " Go.", ""],
        ),
        ("What?! No... Yes", ["What?!", " No...", " Yes"]),
        ("wait...what", ["wait...what"]),
        ("Pi is 3.14, not 3. Right?", ["Pi is 3.14, not 3.", " Right?", ""]),
        ("See example.com and v1.2.3.", ["See example.com and v1.2.3."]),
        (
            "Mr. Smith met Dr. Li at 5 p.m. today. Fine",
            ["Mr. Smith met Dr. Li at 5 p.m. today.", " Fine"],
        ),
        ("e.g. this. Next", ["e.g. this.", " Next"]),
        ("J. K. Rowling wrote. Ok", ["J. K. Rowling wrote.", " Ok"]),
        ("One\n\nTwo\r\nThree", ["One\n\n", "Two\r\n", "Three"]),
        ("。。。!!!\n", ["。。。!!!\n"]),
        ("Hi ⁉️ no❗️ done!\ufe0f ok", ["Hi ⁉️ no❗️ done!\ufe0f", " ok"]),
    ],
)
def test_sentences_end_where_a_reader_ends_them(
    text: str, sentences: list[str]
) -> None:
    assert split(text) == sentences


def test_a_sentence_goes_out_at_once() -> None:
    splitter = SentenceSplitter()
    given_out = [splitter.push(character) for character in "你好。Hi. Ok? 完"]
    assert given_out[2] == ["你好。"]
    assert given_out[5] == ["Hi."]
    assert given_out[9] == [" Ok?"]
    assert splitter.rest() == " 完"
    assert splitter.rest() == ""


@pytest.mark.parametrize(
    ("held", "more", "sentences"),
    [
        ("It is 3.", "14.", []),
        ("It is 3.", " So", ["It is 3."]),
        ("It is 3.", "那么", ["It is 3."]),
        ("I met Dr.", " Li. ", ["I met Dr. Li."]),
        ("See e.", "g. this", []),
    ],
)
def test_an_ambiguous_stop_waits_for_what_follows(
    held: str, more: str, sentences: list[str]
) -> None:
    splitter = SentenceSplitter()
    assert splitter.push(held) == []
    assert splitter.push(more) == sentences


@pytest.mark.parametrize(
    ("clause", "mark"), [("一二三四五六七八", "，"), ("some more words", " ")]
)
def test_a_long_sentence_goes_out_by_clauses(clause: str, mark: str) -> None:
    splitter = SentenceSplitter()
    held = ""
    for _ in range(50):
        for character in clause + mark:
            held += character
            for part in splitter.push(character):
                assert part.endswith(mark)
                assert held.startswith(part)
                held = held.removeprefix(part)
        assert count_characters(held) <= PARTIAL_SENTENCE + 20


def test_a_number_is_no_clause() -> None:
    splitter = SentenceSplitter()
    text = "x" * PARTIAL_SENTENCE + "1,000:30;5"
    assert splitter.push(text) == []
    assert splitter.push("a,好") == [text + "a,"]


def test_an_endless_word_is_cut() -> None:
    splitter = SentenceSplitter()
    given_out = splitter.push("x" * (3 * LONGEST_SENTENCE + 1))
    assert given_out == ["x" * LONGEST_SENTENCE] * 3
    assert splitter.rest() == "x"


@pytest.mark.parametrize("unit", ["👨‍👩‍👧", "👍🏽", "e\u0301", "❤️"])
def test_what_looks_like_one_character_stays_whole(unit: str) -> None:
    for offset in range(len(unit)):
        text = "a" * offset + unit * LONGEST_SENTENCE
        for messages in (split(text), split_message(text, 50)):
            assert "".join(messages) == text
            assert len(messages) > 1
            assert all(message.startswith(unit) for message in messages[1:] if message)


def test_a_flag_stays_whole() -> None:
    assert split_message("abc🇨🇳", 4) == ["abc", "🇨🇳"]


def test_a_clause_does_not_end_before_what_combines_with_it() -> None:
    text = "x" * 50 + " \u0301" + "y" * LONGEST_SENTENCE
    assert all(not part.startswith("\u0301") for part in split(text))


@settings(deadline=None)
@given(TEXTS, st.lists(st.integers(1, 40), min_size=1))
def test_splitting_loses_nothing_however_the_text_arrives(
    text: str, cuts: list[int]
) -> None:
    splitter = SentenceSplitter()
    given_out = []
    for piece in pieces(text, cuts):
        sentences = splitter.push(piece)
        assert all(sentences)
        given_out += sentences
    assert "".join(given_out) + splitter.rest() == text
    assert all(len(sentence) <= LONGEST_SENTENCE for sentence in given_out)


@settings(deadline=None)
@given(st.text(CHARACTERS, max_size=2000), st.lists(st.integers(1, 9), min_size=1))
def test_what_is_held_back_is_bounded(text: str, cuts: list[int]) -> None:
    splitter = SentenceSplitter()
    for piece in pieces(text, cuts):
        splitter.push(piece)
        assert len(splitter._held) <= LONGEST_SENTENCE


@pytest.mark.parametrize("unit", ["x", "字", "。", "! ", "a.b ", "你好，", "\u0301"])
def test_work_grows_with_the_text_and_not_faster(unit: str) -> None:
    """Twice the text, one character at a time, takes twice the steps."""

    def work(text: str) -> None:
        splitter = SentenceSplitter()
        for character in text:
            splitter.push(character)
        split_message(text, 100)

    def lines(length: int) -> int:
        return lines_run(lambda: work((unit * length)[:length]))

    assert lines(4000) < 2.5 * lines(2000)


@settings(deadline=None)
@given(TEXTS, st.integers(2, 300))
def test_messages_are_within_the_limit_and_lose_nothing(text: str, limit: int) -> None:
    messages = split_message(text, limit)
    assert "".join(messages) == text
    assert all(messages)
    assert all(count_characters(message) <= limit for message in messages)


def test_messages_end_with_sentences_or_else_clauses() -> None:
    assert split_message("一二。三四。五六。", 11) == ["一二。三四。", "五六。"]
    assert split_message("一二，三四，五六", 11) == ["一二，三四，", "五六"]
    assert split_message("one two three", 9) == ["one two ", "three"]
    assert split_message("abcdef", 4) == ["abcd", "ef"]
    assert split_message("short", 100) == ["short"]
    assert split_message("", 100) == []


def test_a_limit_must_hold_one_ideograph() -> None:
    with pytest.raises(ValueError, match="limit"):
        split_message("你好", 1)
