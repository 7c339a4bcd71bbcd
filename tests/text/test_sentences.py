"""Sentences and clauses: marked where a reader ends them, without losing a character."""

from itertools import pairwise

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.cosyvoice.text.sentences import (
    LONGEST_SENTENCE,
    Piece,
    PieceSplitter,
)
from tests.work import lines_run

# Much of what matters to the cuts, next to any other character.
CHARACTERS = st.one_of(
    st.sampled_from(
        list(
            "。！？!?；…\n.，,、：: ”\"'）)“abcM123你好あ한🙂👍🏽\u200d\u0301\ufe0f🇨🇳–-"
        )
    ),
    st.characters(),
)
TEXTS = st.text(CHARACTERS, max_size=600)


def cut(chunks: list[str]) -> list[Piece]:
    """Return the pieces of a text that arrives in chunks."""
    splitter = PieceSplitter()
    pieces = [piece for chunk in chunks for piece in splitter.push(chunk)]
    return pieces + splitter.finish()


def joined(pieces: list[Piece]) -> list[str]:
    """Return the sentences that pieces make up."""
    sentences = [""]
    for text, end in pieces:
        sentences[-1] += text
        if end == "sentence":
            sentences.append("")
    assert not sentences.pop()
    return sentences


def sentences(*chunks: str) -> list[str]:
    return joined(cut(list(chunks)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("。。。!!!\n", []),
        ("你好。今天天气不错！出门吗？", ["你好。", "今天天气不错！", "出门吗？"]),
        ("一；二……三", ["一；二……", "三"]),
        ("数｡次。", ["数｡", "次。"]),
        ("안녕하세요.반갑습니다.", ["안녕하세요.", "반갑습니다."]),
        ("好.好", ["好.", "好"]),
        ("Done.》 Next one. ", ["Done.》", " Next one."]),
        ("What? No... Yes", ["What?", " No...", " Yes"]),
        ("wait...what", ["wait...what"]),
        ("Wait... Then go. Wait... what?", ["Wait...", " Then go.", " Wait... what?"]),
        ("Well… that is odd", ["Well… that is odd"]),
        ("Pi is 3.14, not 3. Right?", ["Pi is 3.14, not 3.", " Right?"]),
        ("It is 3.那么", ["It is 3.", "那么"]),
        ("See example.com and v1.2.3. Ok", ["See example.com and v1.2.3.", " Ok"]),
        ("Yes. 🙂 No.", ["Yes.", " 🙂 No."]),
        (
            "Mr. Smith met Dr. Li at 5 p.m. today. Fine",
            ["Mr. Smith met Dr. Li at 5 p.m. today.", " Fine"],
        ),
        ("At 5 p.m. Then", ["At 5 p.m.", " Then"]),
        ("At 5 p.m. EST or a.m. Friday. Ok", ["At 5 p.m. EST or a.m. Friday.", " Ok"]),
        ("It is on p. 12. Ok", ["It is on p. 12.", " Ok"]),
        ("Avec M. Dupont. Oui", ["Avec M. Dupont.", " Oui"]),
        ("Rund 3 Mio. Euro lt. Bericht. Ja", ["Rund 3 Mio. Euro lt. Bericht.", " Ja"]),
        ("En EE. UU. hay dos. Sí", ["En EE. UU. hay dos.", " Sí"]),
        ("На ул. Ленина. Да", ["На ул. Ленина.", " Да"]),
        ("On Sat. 5 lamps. Ok", ["On Sat. 5 lamps.", " Ok"]),
        ("e.g. this. Next", ["e.g. this.", " Next"]),
        ("J. K. Rowling wrote. Ok", ["J. K. Rowling wrote.", " Ok"]),
        ("I met John F. Kennedy. Ok", ["I met John F. Kennedy.", " Ok"]),
        ("I switch to plan B. Then", ["I switch to plan B.", " Then"]),
        ("Use plan B. I will. Ok", ["Use plan B.", " I will.", " Ok"]),
        ("It is by J. R. R. Tolkien. Ok", ["It is by J. R. R. Tolkien.", " Ok"]),
        ("It is by J. Smith. Ok", ["It is by J. Smith.", " Ok"]),
        ("The U.S. Army. Ok", ["The U.S. Army.", " Ok"]),
        ("Il est 20 h. Oui", ["Il est 20 h.", " Oui"]),
        ("Oui, c.-à-d. non. Ok", ["Oui, c.-à-d. non.", " Ok"]),
        ('"계세요?" 하고. 네', ['"계세요?" 하고.', " 네"]),
        ("Today is the 1st. Tomorrow", ["Today is the 1st.", " Tomorrow"]),
        ("It took 5 ms. Then", ["It took 5 ms.", " Then"]),
        ("At Apple Inc. This", ["At Apple Inc.", " This"]),
        ("On 5th Ave. The", ["On 5th Ave.", " The"]),
        ("The sound vol. The", ["The sound vol.", " The"]),
        ("No. 5 is on. Ok", ["No. 5 is on.", " Ok"]),
        ("No. Then not.", ["No.", " Then not."]),
        ("On Jan. 7 it is. Ok", ["On Jan. 7 it is.", " Ok"]),
        ("Am 3. Oktober nicht. Gut", ["Am 3. Oktober nicht.", " Gut"]),
        ("Montag, 3. Oktober. Gut", ["Montag, 3. Oktober.", " Gut"]),
        ("I am 42. Then", ["I am 42.", " Then"]),
        ("ক हाँ। नहीं।", ["ক हाँ।", " नहीं।"]),
        ("Die Bahnhofstr. 5 ist zu. Ja", ["Die Bahnhofstr. 5 ist zu.", " Ja"]),
        ("In der Bahnhofstr. Dann", ["In der Bahnhofstr.", " Dann"]),
        ("Im 2. Stock und im 3. auch. Ja", ["Im 2. Stock und im 3. auch.", " Ja"]),
        ("z. B. Licht, d. h. Lampen. Ja", ["z. B. Licht, d. h. Lampen.", " Ja"]),
        ("1. Milk.\n2. Eggs.\n", ["1. Milk.\n", "2. Eggs.\n"]),
        ("Usw., etc., und so weiter", ["Usw., etc., und so weiter"]),
        ("It is on (really.) Go.", ["It is on (really.)", " Go."]),
        ("他说：“走吧！”然后走了。好", ["他说：“走吧！”然后走了。", "好"]),
        ("“走吧！”“好。”他走了。", ["“走吧！”", "“好。”他走了。"]),
        ("「行こう。」と言った。", ["「行こう。」と言った。"]),
        ("「『はい。』と彼。」好。", ["「『はい。』と彼。」好。"]),
        (
            'Hi! "Really? It is." he said (yes.) Go.',
            ["Hi!", ' "Really? It is." he said (yes.)', " Go."],
        ),
        ('He said "Go." Then he left.', ['He said "Go."', " Then he left."]),
        ("„Ist es an?“, fragte er. Ja", ["„Ist es an?“, fragte er.", " Ja"]),
        ("« Allez ! » dit-il. Oui", ["« Allez ! » dit-il.", " Oui"]),
        ("»Geh!« Er ging.", ["»Geh!«", " Er ging."]),
        ('A 55" screen. A 5" one. Ok', ['A 55" screen.', ' A 5" one.', " Ok"]),
        ("“Never closed.\nOk. Go", ["“Never closed.\n", "Ok.", " Go"]),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected
    assert sentences(*text) == expected
    for place in range(len(text)):
        assert sentences(text[:place], text[place:]) == expected


def test_marks_that_come_late_do_not_make_a_sentence() -> None:
    assert sentences("What?", "!)", " Yes") == ["What?", "!) Yes"]
    assert sentences("One\n", "\nTwo\r", "\n") == ["One\n", "\nTwo\r\n"]


def test_a_quote_that_is_closed_after_a_pause_continues() -> None:
    splitter = PieceSplitter()
    assert splitter.push("他说：“走吧！")[1:] == [("“走吧！", "")]
    assert splitter.pause(long=False) == [("", "clause")]
    assert splitter.push("”") == [("”", "")]
    assert splitter.push("他走了。") == [("", "clause"), ("他走了。", "sentence")]
    assert splitter.push("“走吧！”") == [("“走吧！”", "")]
    assert splitter.pause(long=True) == []
    assert splitter.finish() == [("", "sentence")]


def test_text_without_a_word_joins_the_next_sentence() -> None:
    assert sentences("…！", "。", "好。", "！！") == ["…！。好。"]


def test_little_text_without_a_word_is_kept() -> None:
    (sentence,) = sentences(*("。" * 1000), "好")
    assert len(sentence) == 101


def test_text_passes_as_it_arrives() -> None:
    splitter = PieceSplitter()
    pushed = [
        splitter.push(text) for text in ("It", " is", " on", ".", " Ok", ",", " a")
    ]
    assert pushed == [
        [("It", "")],
        [(" is", "")],
        [(" on", "")],
        [(".", "")],
        [("", "sentence"), (" Ok", "")],
        [(",", "")],
        [("", "clause"), (" a", "")],
    ]
    assert splitter.finish() == [("", "sentence")]
    assert splitter.push("好！") == [("好！", "sentence")]
    assert splitter.push("好") == [("好", "")]
    assert splitter.push("。") == [("。", "sentence")]


@pytest.mark.parametrize(
    ("text", "more", "expected"),
    [
        ("It is 3.", "14.", [("14.", "")]),
        ("It is 3.", " So", []),
        ("It is 3.", " So ", [("", "sentence"), (" So ", "")]),
        ("It is 3.", "那么", [("", "sentence"), ("那么", "")]),
        ("I met Dr.", " Li", []),
        ("I met Dr.", " Li.", [(" Li.", "")]),
        ("It is on.", " ", []),
        ("It is on.", "\n", [("\n", "sentence")]),
        ("It is on.", " I", [("", "sentence"), (" I", "")]),
        ("It is on.", ".", [(".", "")]),
    ],
)
def test_a_full_stop_is_decided_by_what_follows(
    text: str, more: str, expected: list[Piece]
) -> None:
    splitter = PieceSplitter()
    assert splitter.push(text) == [(text, "")]
    assert splitter.push(more) == expected


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("It is on.", True),
        ("Wait...", False),
        ("It took 5 ms.", True),
        ("It is 3.", False),
        ("Mr.", False),
        ("At Apple Inc.", False),
    ],
)
def test_a_pause_ends_a_sentence_unless_the_stop_is_ambiguous(
    text: str, short: bool
) -> None:
    splitter = PieceSplitter()
    splitter.push(text)
    assert splitter.pause(long=False) == ([("", "sentence")] if short else [])
    assert splitter.pause(long=True) == []
    assert splitter.push(" a") == [(" a", "")]
    assert splitter.pause(long=True) == []
    assert splitter.finish() == [("", "sentence")]


def test_a_long_pause_keeps_no_word() -> None:
    splitter = PieceSplitter()
    assert splitter.push("It is 3. Ok") == [("It is 3.", "")]
    assert splitter.pause(long=False) == []
    assert splitter.pause(long=True) == [("", "sentence"), (" Ok", "")]


def test_the_end_of_the_text_decides_about_all_stops() -> None:
    assert sentences("It is 3. Ok") == ["It is 3.", " Ok"]
    assert sentences("It is 3. A") == ["It is 3.", " A"]
    assert sentences("Go. Mr. X") == ["Go.", " Mr. X"]
    assert sentences("Go. It is 3. ") == ["Go.", " It is 3."]


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("一，二、三：四；五。", ["一，", "二、", "三：", "四；", "五。"]),
        ("one, two; three: 1,000 – at 10:30", ["one,", " two;", " three:", " 1,000 –", " at 10:30"]),
        ("a,好 - b", ["a,", "好 -", " b"]),
        ("门——开了", ["门——", "开了"]),
        ("سلام، بله؟", ["سلام،", " بله؟"]),
        ("สวัสดี ครับ", ["สวัสดี ", "ครับ"]),
    ],
)  # fmt: skip
def test_clauses_are_marked(text: str, clauses: list[str]) -> None:
    for chunks in ([text], list(text)):
        found = [""]
        for part, end in cut(chunks):
            found[-1] += part
            if end:
                found.append("")
        assert found == [*clauses, ""]


@pytest.mark.parametrize(
    ("unit", "length"),
    [
        ("x", 390),
        ("字", 390),
        ("some words ", 352),
        ("你好，", 300),
        ("e\u0301", 390),
        ("\u0301", 400),
        ("a👨‍👩‍👧", 390),
        ("a👍🏽", 390),
        ("a🇨🇳", 390),
    ],
)
def test_a_long_sentence_is_cut_at_the_best_place(unit: str, length: int) -> None:
    text = f"a{unit * LONGEST_SENTENCE}b"
    for chunks in ([text], list(text)):
        found = sentences(*chunks)
        assert "".join(found) == text
        assert length <= len(found[0]) <= length + 5
        assert found[0].endswith(unit[-1]) or length < 390
        assert max(map(len, found)) <= LONGEST_SENTENCE


@settings(max_examples=300)
@given(TEXTS, st.lists(st.integers(0, 600), max_size=20))
def test_splitting_loses_nothing_however_the_text_arrives(
    text: str, places: list[int]
) -> None:
    marks = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    for chunks in ([text], list(text), [text[a:b] for a, b in pairwise(marks)]):
        found = sentences(*chunks)
        spoken = "".join(found)
        assert not any(map(str.isalnum, text.replace(spoken, "", 1)))
        assert spoken in text
        assert all(len(sentence) <= LONGEST_SENTENCE for sentence in found)
        assert all(any(map(str.isalnum, sentence)) for sentence in found)


@given(st.text(CHARACTERS, max_size=2000), st.lists(st.integers(1, 9), min_size=1))
def test_what_is_kept_is_bounded(text: str, sizes: list[int]) -> None:
    splitter = PieceSplitter()
    at = 0
    while at < len(text):
        size = sizes[at % len(sizes)]
        splitter.push(text[at : at + size])
        at += size
        assert len(splitter._text) <= 200


@pytest.mark.parametrize(
    "unit", ["x", "字", "。", "! ", "a.b ", "你好，", "\u0301", ".", "3. ", "Mr. "]
)
def test_work_grows_with_the_text_and_not_faster(unit: str) -> None:
    """Twice the text, one character at a time, takes twice the steps."""

    def lines(length: int) -> int:
        return lines_run(lambda: cut(list((unit * length)[:length])))

    assert 0 < lines(4000) < 2.5 * lines(2000)
