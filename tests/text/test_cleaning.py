"""What language models write, made speakable, wherever the text was cut.

The corpus beside this file holds messages as language models write them, with what a
listener should hear of each.
"""

from itertools import pairwise
from pathlib import Path
import unicodedata

from hypothesis import given, settings, strategies as st
import pytest
import yaml

from custom_components.cosyvoice.text.characters import is_speakable
from custom_components.cosyvoice.text.markdown.cleaning import SpeakableText
from custom_components.cosyvoice.text.markdown.reading import LOOK_AHEAD
from tests.work import lines_run

CORPUS = {
    path.stem: [
        (message["written"], message["spoken"])
        for message in yaml.safe_load(path.read_text(encoding="utf-8"))
    ]
    for path in sorted((Path(__file__).parent / "corpus").glob("*.yaml"))
}
MESSAGES = [message for messages in CORPUS.values() for message in messages]

# fmt: off
MARKS = [
    "*", "**", "***", "_", "__", "`", "``", "```", "~~", "~", "~~~", "#", "##", "-",
    "+", ">", "1.", "12", "3", "a", "word", "|", "$", "$$", "\\", "\\(", "\\)", "\\[",
    "\\]", "[", "]", "(", ")", "![", "](", "][", "[^1]", "[x]", "[!NOTE]", "http://",
    "https://a.b/c_(d).", "www.x", "h", "w", "<", "<b>", "</b>", "<br>", "<br/>",
    "<td>", "<li>", "<!--", "-->", "<think>", "</think>", "<speak>", "<a@b.c>",
    "<https://a.b>", "=", "&", "&amp;", "&#65;", "&#x", ";", "!", "?", ".", ",", ":",
    "'", '"', "->", "→", "=>", "【", "【1†a】", "】", "---", "===", "|--|", "text",
    "python", "%", "°", "{", "}", "5", "$5", "。", "，", "你好", "한", "あ", "😀",
    "\U0001f468\u200d\U0001f469", "1\ufe0f\u20e3", "\u20e3", "\x00", "\ud800", "\xad", "\u3000",
    "\xa0", "\t", "✅", "●", "•", "<img alt='a'>", '<a href="x">', "[ ] ",
    "[1]", "[citation:", "[12", "[1]: https://a.b 'c'", "[1]: ", "<|", "<|a|>", "|>",
    "\x1b", "\x1b[1m", "\x1b[", "^_^", " ##", "<?xml", "<?xml a?>",
]
BEGINNINGS = [
    "*", "**", "a*", "a**", "你*", "_", "`", "``", "```", "~~", "#", "-", ">", "1.", "|",
    "$", "$$", "\\(", "\\[", "[", "[[", "![", "[a][", "【", "【1†", "<", "<a", "&", "&#",
    "!", "h", "http:", "[1]: ", "[1][", "<|", "\x1b[", "# a #",
]
HOSTILE = [
    "a", "*", "_", "`", "~", "[", "]", "(", "<", "|", "$", "!", "&", "\\", "#", ">",
    "-", "+", "1", "w", "h", "<b", "</", "[a", "[a](b", "![", "[[a](", "&#", "\\(",
    "\\[", "$a_", "`a*", "a*b", "你*好", "**a", '<a="b', "<!--", "<think>", "```\n",
    "~~~a\n", "|a", "1.", "=>", "【1", "http://", "😀",
    "[1]", "[1]: https://", "<|", "\x1b[", "# a #",
]
# fmt: on

# Marks, whole and broken, next to what they may stand beside.
PIECES = st.one_of(
    st.sampled_from(MARKS),
    st.sampled_from(["\n", "\n\n", "\r\n", "\r", " ", "  ", "- ", "1. ", "> ", "| "]),
    st.characters(),
)
TEXTS = st.lists(PIECES, max_size=30).map("".join)


def clean(pieces: list[str]) -> str:
    cleaner = SpeakableText()
    return "".join([cleaner.push(piece) for piece in pieces]) + cleaner.finish()


def pieces(text: str, cuts: list[int]) -> list[str]:
    """Return the text cut at these places."""
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    return [text[start:end] for start, end in pairwise(places)]


def test_the_corpus_is_large() -> None:
    assert len(MESSAGES) >= 150
    assert len(set(MESSAGES)) == len(MESSAGES)


@pytest.mark.parametrize(("written", "spoken"), MESSAGES)
def test_messages_are_heard_as_expected_at_every_cut(written: str, spoken: str) -> None:
    assert clean([written]) == spoken
    assert clean(list(written)) == spoken
    for cut in range(len(written) + 1):
        assert clean([written[:cut], written[cut:]]) == spoken


@given(st.sampled_from(MESSAGES), st.lists(st.integers(0, 1000), max_size=20))
def test_messages_are_heard_as_expected_in_any_pieces(
    message: tuple[str, str], cuts: list[int]
) -> None:
    written, spoken = message
    assert clean(pieces(written, cuts)) == spoken


@pytest.mark.parametrize(
    "topic", ["plain", "headings_and_quotes", "lists", "tables", "assistant"]
)
def test_clean_text_stays_as_it_is(topic: str) -> None:
    for _, spoken in CORPUS[topic]:
        assert clean([spoken]) == spoken


@settings(max_examples=400)
@given(TEXTS, st.lists(st.integers(0, 1000), max_size=20))
def test_pieces_give_what_the_whole_gives(text: str, cuts: list[int]) -> None:
    whole = clean([text])
    assert clean(pieces(text, cuts)) == whole
    assert clean(list(text)) == whole


@given(
    PIECES,
    st.integers(LOOK_AHEAD - 15, LOOK_AHEAD + 15),
    st.sampled_from(
        ["", "x", " ", "\n", "*", "_", "`", "~", "|", "$", "]", "](", ")", ">"]
    ),
    TEXTS,
)
def test_long_marks_are_decided_the_same_way(
    mark: str, times: int, end: str, rest: str
) -> None:
    text = f"{mark}{mark * (times // max(len(mark), 1))}{end}{rest}"
    assert clean(list(text)) == clean([text])
    text = f"{mark}{'x' * times}{end}{rest}"
    assert clean(list(text)) == clean([text])


@given(TEXTS)
def test_what_is_spoken_is_printable(text: str) -> None:
    spoken = clean([text])
    assert not {
        character
        for character in spoken
        if character != "\n"
        and unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co")
    }


def test_a_long_name_of_a_host_is_cut_the_same_way() -> None:
    address = f"https://{'a' * 300}.example/x"
    assert clean(list(address)) == clean([address])


@pytest.mark.parametrize("text", [written for written, _ in CORPUS["plain"][:9]])
def test_plain_text_passes_letter_by_letter(text: str) -> None:
    cleaner = SpeakableText()
    spoken = ""
    for end, character in enumerate(text, 1):
        spoken += cleaner.push(character)
        waits = character in " hwW_" or text[end - 2 : end] == "ht"
        assert waits or spoken == text[:end]
    assert spoken == text


@pytest.mark.parametrize(
    ("pushes", "spoken"),
    [
        (["**", "Bold", "**", " text"], ["", "Bold", "", " text"]),
        (["2*", "3", "*4 "], ["2", "*3", "*4"]),
        (["- ", "Milk", "\n", "- "], ["", "Milk", ".\n", ""]),
        (["[the ", "docs](", "https", "://a", ".b/c)", " say"], ["", "the docs", "", "", "", " say"]),
        (["See h", "tt", "ps://www.a", ".org/x", ".", " Ok"], ["See", "", "", " a.org", "", ". Ok"]),
        (["Costs $5", " and $1", "0 each"], ["Costs $5", " and $1", "0 each"]),
        (["Let x = $a", "_1$", " be"], ["Let x = $a", "", "_1$ be"]),
        (["Done. ", "Next! ", "And"], ["Done. ", "Next! ", "And"]),
        (["3 <", " 5 <b", ">or</", "b>"], ["3", " < 5", " or", ""]),
        (["```py\n", "a = 1\n", "b = 2\n", "never closed"], ["", "", "", ""]),
        (["| a ", "| b |", "\n|--", "|--|\n", "| 1"], ["a", ", b", ".\n", "", "1"]),
        (["好的", "！😀", "再见"], ["好的", "！", "再见"]),
    ],
)  # fmt: skip
def test_text_waits_no_longer_than_needed(pushes: list[str], spoken: list[str]) -> None:
    cleaner = SpeakableText()
    assert [cleaner.push(piece) for piece in pushes] == spoken


@pytest.mark.parametrize("mark", BEGINNINGS)
def test_little_is_held_back(mark: str) -> None:
    cleaner = SpeakableText()
    spoken = "".join(cleaner.push(character) for character in f"{mark}{'x' * 1000}")
    assert len(spoken) >= 1000 - LOOK_AHEAD


@pytest.mark.parametrize("unit", HOSTILE)
def test_the_work_grows_with_the_text_only(unit: str) -> None:
    def lines(length: int) -> int:
        return lines_run(lambda: clean(list((unit * length)[:length])))

    assert lines(2400) < 2.6 * lines(1200)


@pytest.mark.parametrize(
    ("written", "released", "more", "spoken"),
    [
        ("See [the docs", "See [the docs", " or not", " or not"),
        ("It is 2*x", "It is 2*x", " now", " now"),
        ("He is *very", "He is very", " good*.", " good."),
        ("Let it be $x", "Let it be $x", "", ""),
        ("Use `a * b", "Use a * b", "` now", " now"),
        ("Is a < b", "Is a < b", ".", "."),
        ("Is a <b", "Is a <b", ".", "."),
        ("See https://a.b", "See a.b", "/c now", " now"),
        ("Is\n12", "Is\n12", " ok", " ok"),
        ("Mention the <script> tag", "Mention the script tag", " ok", " ok"),
        ("Is 'h", "Is 'h", "", ""),
        ("Note [1", "Note [1", "] ok", "] ok"),
        ("<think>Well", "", "</think>Ok", "Ok"),
        ("Ok\n<script>a", "Ok\n", "</script>b", "b"),
        ("It is\n```pyth", "It is\n", "on\n1\n2\n```\nOk", "Ok"),
        ("It is\n```\na", "It is\n", "\nb\n```\nOk", "Ok"),
        ('See <a href="https:', "See", '//a.b">this', " this"),
        ("It is **", "It is", "on**.", " on."),
        ("[a](http", "a", "://b) c", " c"),
    ],
)
def test_words_are_released_when_the_text_pauses(
    written: str, released: str, more: str, spoken: str
) -> None:
    for chunks in ([written], list(written)):
        cleaner = SpeakableText()
        pushed = "".join(cleaner.push(chunk) for chunk in chunks)
        assert pushed + cleaner.release() == released
        assert cleaner.push(more) + cleaner.finish() == spoken


@given(TEXTS, TEXTS)
def test_a_pause_loses_no_word_and_keeps_little(before: str, after: str) -> None:
    cleaner = SpeakableText()
    cleaner.push(before)
    cleaner.release()
    if cleaner._step in (cleaner._inline, cleaner._line_start):
        waiting = cleaner._text[cleaner._at :]
        assert "`" in waiting or "~" in waiting or not is_speakable(waiting)
    cleaner.push(after)
    cleaner.finish()
    assert cleaner._at == len(cleaner._text)
