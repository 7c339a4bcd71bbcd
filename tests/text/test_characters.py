"""Characters: which can be sent, which are spoken, which are Chinese."""

import sys
import unicodedata

from hypothesis import given, strategies as st
import pytest

from custom_components.cosyvoice.text.characters import (
    CLAUSE_ENDS,
    CLOSERS,
    SENTENCE_ENDS,
    STOPS,
    is_cjk,
    is_speakable,
    printable,
    scrub,
)


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


def test_every_control_character_and_line_break_is_known() -> None:
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        category = unicodedata.category(character)
        if character in "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029":
            assert printable(character) == "\n"
        elif character == "\t" or (category == "Zs" and character != "\u3000"):
            assert printable(character) == " "
        elif category in ("Cc", "Cf", "Cs", "Co"):
            assert printable(character) == "", hex(code)


@given(st.text(st.characters(exclude_categories=())))
def test_printable_text_is_scrubbed(text: str) -> None:
    clean = printable(text)
    assert scrub(clean) == clean
    assert printable(clean) == clean
    assert printable(scrub(text)) == clean


@pytest.mark.parametrize("character", "一〇々𠀀豈あアｱー、。「」（）！０Ａ")
def test_chinese_and_japanese_characters_are_known(character: str) -> None:
    assert is_cjk(character)


@pytest.mark.parametrize("character", "aé1 ,.한글ㄱя°℃㎡☀🙂—…“”")
def test_other_characters_are_not_chinese(character: str) -> None:
    assert not is_cjk(character)


def test_marks_belong_to_one_class() -> None:
    assert len(set(STOPS + CLOSERS)) == len(STOPS + CLOSERS)
    assert not any(map(is_speakable, STOPS + CLOSERS))
    assert set(SENTENCE_ENDS) | set(CLAUSE_ENDS) < set(STOPS)
