"""Own pronunciations: words replaced, wherever the text was cut."""

import re

from hypothesis import given, strategies as st
import pytest

from custom_components.cosyvoice.text.pronunciation import Replacer, pinyin_of
from tests.work import lines_run

WORDS = {
    "NAS": "network storage",
    "NASA": "N A S A",
    "km": "kilometres",
    "km/h": "kilometres per hour",
    "wifi": "Wi-Fi",
    "IT": "I T",
    "重庆": "崇庆",
    "重": "众",
    "銀行": "ぎんこう",
    "MP3": "M P three",
    "Überlingen": "Ueberlingen",
    "die": "",
    "ok google": "okay",
    "": "nothing",
}


def replace(pieces: list[str], words: dict[str, str] = WORDS) -> str:
    replacer = Replacer(words)
    return "".join([replacer.push(piece) for piece in pieces]) + replacer.finish()


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("My NAS runs.", "My network storage runs."),
        ("NASA, NAS and NASAS", "N A S A, network storage and NASAS"),
        ("nas", "nas"),
        ("NAS_1 and NAS2", "NAS_1 and network storage2"),
        ("5km or 5 km, 30 km/h", "5kilometres or 5 kilometres, 30 kilometres per hour"),
        ("WiFi, WIFI and wifi", "Wi-Fi, Wi-Fi and Wi-Fi"),
        ("IT fixes it", "I T fixes it"),
        ("重庆很重要", "崇庆很众要"),
        ("我的NAS很好", "我的network storage很好"),
        ("銀行へ行く", "ぎんこうへ行く"),
        ("MP3, MP34, MP3s", "M P three, MP34, M P threes"),
        ("Überlingen, überlingen", "Ueberlingen, überlingen"),
        ("to die for", "to  for"),
        ("OK Google, ok", "okay, ok"),
        ("", ""),
    ],
)
def test_words_are_replaced(written: str, spoken: str) -> None:
    assert replace([written]) == spoken
    assert replace(list(written)) == spoken
    for cut in range(len(written)):
        assert replace([written[:cut], written[cut:]]) == spoken


@pytest.mark.parametrize(
    "words", [{" NAS ": " storage\t"}, {"NAS": "storage", " ": "x"}]
)
def test_spaces_around_words_do_not_matter(words: dict[str, str]) -> None:
    assert replace(["The NAS stores."], words) == "The storage stores."
    assert replace(list("A NAS"), words) == "A storage"


def test_positions_in_the_text_are_known() -> None:
    replacer = Replacer({"NAS": "network storage", "die": ""})
    written = "a NAS, b die."
    spoken = replacer.push(written) + replacer.finish()
    assert spoken == "a network storage, b ."
    for place, character in enumerate(spoken):
        if not 2 <= place < 17:
            assert written[replacer.position(place)] == character or place == 21
        else:
            assert 2 <= replacer.position(place) <= 5
    assert replacer.position(len(spoken)) == len(written)


def test_without_words_the_text_is_left_alone() -> None:
    assert replace(["5 km", "", " NAS"], {}) == "5 km NAS"


@pytest.mark.parametrize("piece", ["Hello", "Hello ", "你好", "their", "重庆", "(5"])
def test_what_begins_no_word_passes_at_once(piece: str) -> None:
    words = {"NAS": "network storage", "heir": "air", "重庆": "崇庆"}
    assert Replacer(words).push(piece) == replace([piece], words)


def test_what_may_be_a_word_waits_no_longer_than_needed() -> None:
    replacer = Replacer(WORDS)
    assert replacer.push("a N") == "a "
    assert replacer.push("A") == ""
    assert replacer.push("B") == "NAB"
    assert replacer.push(" NAS") == " "
    assert replacer.push(".") == "network storage."
    assert replacer.push("重") == ""
    assert replacer.push("要") == "众要"


def test_a_word_that_overlaps_the_beginning_of_another_is_replaced_at_once() -> None:
    replacer = Replacer({"重庆": "崇庆", "庆祝": "X"})
    assert replacer.push("重庆") == "崇庆"
    assert replacer.push("祝") == "祝"


ALPHABET = "aAbBsSſKkẞßİıi_ 1重庆号σςΣ"


@given(
    st.dictionaries(
        st.text(ALPHABET, max_size=4), st.text(ALPHABET, max_size=3), max_size=6
    ),
    st.lists(st.text(ALPHABET, max_size=6)),
)
def test_pieces_give_what_the_whole_gives(
    words: dict[str, str], pieces: list[str]
) -> None:
    whole = replace(["".join(pieces)], words)
    assert replace(pieces, words) == whole
    assert replace(list("".join(pieces)), words) == whole


@given(st.text("ab 重庆"), st.sampled_from(["重", "重庆", "庆重庆"]))
def test_a_chinese_word_is_replaced_everywhere(text: str, word: str) -> None:
    assert replace(list(text), {word: "X"}) == re.sub(word, "X", text)


@pytest.mark.parametrize("unit", ["a", "ab", "NAS ", "重", "NA", "ok goo"])
def test_the_work_grows_with_the_text_only(unit: str) -> None:
    def lines(length: int) -> int:
        return lines_run(lambda: replace(list((unit * length)[:length])))

    assert lines(4000) < 2.5 * lines(2000)


@pytest.mark.parametrize(
    ("word", "replacement", "pinyin"),
    [
        ("天气", "tian1 qi4", "tian1 qi4"),
        ("银行", "yin2hang2", "yin2 hang2"),
        ("女儿", "nü3 er2", "nü3 er2"),
        ("绿", "lu:4", "lu:4"),
        ("花儿", "huar1", "huar1"),
        ("爱", "ai4", "ai4"),
        ("天气", "weather", None),
        ("天气", "天色", None),
        ("天气", "tian1  qi4", "tian1 qi4"),
        ("天气 ", " tian1 qi4 ", "tian1 qi4"),
        ("天气", "Tian1 qi4", "tian1 qi4"),
        ("天气", "tiān qì", "tian1 qi4"),
        ("天气", "TIĀNQÌ", "tian1 qi4"),
        ("西安", "xī'ān", "xi1 an1"),
        ("女儿", "nǚ ér", "nü3 er2"),
        ("女儿", "nǚér", "nü3 er2"),
        ("小皇", "xiǎohuáng", "xiao3 huang2"),
        ("绿", "lǜ", "lü4"),
        ("方案", "fāng'àn", "fang1 an4"),
        ("方案", "fāng àn", "fang1 an4"),
        ("发难", "fānàn", "fa1 nan4"),
        ("妈妈", "mā ma", "ma1 ma5"),
        ("妈妈", "ma1ma", "ma1 ma5"),
        ("花儿", "huā er", "hua1 er5"),
        ("天气", "tian1", None),
        ("天", "tian1 qi4", None),
        ("天气", "tian qi", None),
        ("天气", "", None),
        ("", "", None),
        ("", "tian1", None),
        ("天气", "tiān wet", None),
        ("天气", "tian6", None),
        ("音乐", "mp3", None),
        ("A4", "a4", None),
    ],
)
def test_pinyin_is_told_from_other_words(
    word: str, replacement: str, pinyin: str | None
) -> None:
    assert pinyin_of(word, replacement) == pinyin
