"""Characters: counted as the service bills them."""

from hypothesis import given, strategies as st
import pytest

from custom_components.cosyvoice.client.counting import count_characters

TEXTS = st.text(
    st.one_of(
        st.sampled_from(list("。！，abc123你好あ한🙂👍🏽\u200d\u0301")), st.characters()
    )
)


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


@given(TEXTS)
def test_counts_add_up(text: str) -> None:
    assert count_characters(text) == sum(map(count_characters, text))
    assert len(text) <= count_characters(text) <= 2 * len(text)
