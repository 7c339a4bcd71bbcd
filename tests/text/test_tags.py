"""Tags of Qwen-Audio: passed on whole or left out without a gap, never spoken."""

from itertools import pairwise

from hypothesis import given, strategies as st
import pytest

from custom_components.cosyvoice.text.tags import (
    CONTROL_TAGS,
    SOUND_TAGS,
    TagFilter,
    filtered_length,
    with_tags,
    without_tags,
)
from tests.work import lines_run

PARTS = [
    *(
        "[laughing]",
        "[very slowly]",
        "[sad]",
        "[",
        "]",
        "[la",
        "ughing]",
        "sad",
        "[Sad]",
    ),
    *(" ", "  ", "\n", ".", "，", "(", ")", "好", "word", "[1]", "\U000f0000"),
]


def filtered(pieces: list[str], *, keep: bool) -> str:
    tags = TagFilter(keep=keep)
    return "".join([tags.push(piece) for piece in pieces]) + tags.finish()


def test_all_tags_are_known() -> None:
    assert len(set(CONTROL_TAGS)) == 23
    assert len(set(SOUND_TAGS)) == 7


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("Well, [sighing] it is late.", "Well, it is late."),
        ("[laughing] Hello.", "Hello."),
        ("[laughing]Hello.", "Hello."),
        ("Hello [laughing].", "Hello."),
        ("Hello.[laughing]", "Hello."),
        ("Hello [laughing]", "Hello"),
        ("好的[laughing]，走吧。", "好的，走吧。"),
        ("One [sad] [very slowly] two", "One two"),
        ("One [sad][very slowly]two", "One two"),
        ("One[sad] two", "One two"),
        ("One\n[sad] two", "One\ntwo"),
        ("One. [sad] Two", "One. Two"),
        ("(see [cough]) and ([cough] ok)", "(see) and (ok)"),
        ("a[i], [1], [Sad], [laughs], [sad", "a[i], [1], [Sad], [laughs], [sad"),
        ("[[sad]]", "[]"),
        ("", ""),
    ],
)
def test_tags_are_left_out_without_a_gap(text: str, without: str) -> None:
    assert without_tags(text) == without
    assert filtered(list(text), keep=False) == without
    kept = filtered(list(text), keep=True)
    assert with_tags(kept) == text
    assert filtered_length(text) == len(kept)


@pytest.mark.parametrize("tag", CONTROL_TAGS + SOUND_TAGS)
def test_every_tag_is_one_character_in_between(tag: str) -> None:
    for pieces in ([f"a[{tag}]b"], list(f"a[{tag}]b")):
        kept = filtered(pieces, keep=True)
        assert len(kept) == 3
        assert not kept[1].isalnum()
        assert with_tags(kept) == f"a[{tag}]b"
        assert filtered(pieces, keep=False) == "ab"


def test_what_stands_in_for_a_tag_is_not_text() -> None:
    assert with_tags(filtered(["a\U000f0000b"], keep=True)) == "ab"
    assert filtered(["a\U000f0000b"], keep=False) == "ab"


@pytest.mark.parametrize("keep", [True, False])
def test_text_waits_only_for_a_tag(keep: bool) -> None:
    tags = TagFilter(keep=keep)
    assert tags.push("Hi[la") == "Hi"
    assert tags.push("mp]") == "[lamp]"
    assert tags.push("[ve") == ""
    assert tags.pause() == ""
    assert tags.push("ry") == ""
    assert tags.finish() == "[very"
    assert tags.push("a ") + tags.pause() == "a "


@given(st.lists(st.sampled_from(PARTS)), st.lists(st.integers(0, 100)), st.booleans())
def test_pieces_give_what_the_whole_gives(
    parts: list[str], cuts: list[int], keep: bool
) -> None:
    text = "".join(parts)
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    whole = filtered([text], keep=keep)
    assert filtered(list(text), keep=keep) == whole
    assert filtered([text[a:b] for a, b in pairwise(places)], keep=keep) == whole
    if keep:
        assert with_tags(whole) == text.replace("\U000f0000", "")


@pytest.mark.parametrize("unit", ["[", " ", "[sad]", "[la", "word ", "[deep and loud"])
def test_the_work_grows_with_the_text_only(unit: str) -> None:
    def lines(length: int) -> int:
        return lines_run(lambda: filtered(list((unit * length)[:length]), keep=False))

    assert 0 < lines(4000) < 2.5 * lines(2000)
