"""Subtitles: the text as written, cut where a reader would cut it."""

from hypothesis import given, strategies as st
import pytest

from custom_components.cosyvoice.client import Word
from custom_components.cosyvoice.speech.subtitles import subrip


def timed(*texts: str, seconds: float = 0.5) -> list[Word]:
    """Return words that follow each other without a pause."""
    return [
        Word(text=text, begin=number * seconds, end=(number + 1) * seconds)
        for number, text in enumerate(texts)
    ]


def lines(srt: str) -> list[str]:
    return [block.split("\n")[2] for block in srt.strip().split("\n\n")]


def test_format_of_the_file() -> None:
    words = [
        Word(text="Good", begin=0.1, end=0.5),
        Word(text="evening", begin=0.5, end=1.2345),
        Word(text="Bye", begin=3725.5, end=3726.0),
    ]
    assert subrip(words, "Good evening. Bye!", 3726.2) == (
        "1\n00:00:00,100 --> 00:00:01,234\nGood evening.\n"
        "\n2\n01:02:05,500 --> 01:02:06,000\nBye!\n"
    )


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ("你好，世界。再见！", "你好世界再见", ["你好，世界。", "再见！"]),
        ("“Really?” he said.", ["Really", "he", "said"], ["“Really?”", "he said."]),
        # A number that is spoken in words, and words in another case
        (
            "It is 21°C in PARIS.",
            ["it", "is", "twenty", "one", "degrees", "in", "Paris"],
            ["It is 21°C in PARIS."],
        ),
        # Nothing of the text is found
        ("E = mc²", ["一", "二"], ["E = mc²"]),
        (
            "İstanbul'da çok güzel.",
            ["istanbul'da", "çok"],
            ["İstanbul'da çok güzel."],
        ),
        ("One:\ntwo three", ["One", "two", "three"], ["One:", "two three"]),
    ],
)
def test_shows_the_text_as_it_was_written(
    text: str, words: list[str], expected: list[str]
) -> None:
    assert lines(subrip(timed(*words, seconds=0.2), text, 9.0)) == expected


def test_long_sentence_is_cut_after_a_clause() -> None:
    text = (
        "When the washing is done and dry, please bring it in before it starts to rain."
    )
    words = text.replace(",", "").rstrip(".").split()
    assert lines(subrip(timed(*words, seconds=0.2), text, 9.0)) == [
        "When the washing is done and dry,",
        "please bring it in before it starts to",
        "rain.",
    ]


def test_wide_characters_take_two_columns() -> None:
    text = "床前明月光疑是地上霜举头望明月低头思故乡" * 2
    shown = lines(subrip(timed(*text, seconds=0.1), text, 9.0))
    assert [len(line) for line in shown] == [21, 19]


def test_pause_and_slow_speech_end_a_subtitle() -> None:
    words = [
        Word(text="one", begin=0.0, end=1.0),
        Word(text="two", begin=3.0, end=8.0),
        Word(text="three", begin=8.0, end=12.0),
    ]
    assert lines(subrip(words, "one two three", 12.0)) == ["one", "two", "three"]


def test_overlapping_times_are_cut() -> None:
    words = [
        Word(text="Yes", begin=0.0, end=1.3),
        Word(text="No", begin=1.2, end=2.0),
    ]
    assert "00:00:00,000 --> 00:00:01,200" in subrip(words, "Yes. No.", 2.0)


def test_without_words_the_text_stands_for_the_whole_time() -> None:
    expected = "1\n00:00:00,000 --> 00:00:04,500\n你好。 世界。\n"
    assert subrip([], "你好。\n世界。", 4.5) == expected


@given(st.text(alphabet="ab你好 ,，.。!\n-12", max_size=200), st.data())
def test_nothing_is_lost_and_nothing_overlaps(text: str, data: st.DataObject) -> None:
    words = timed(*data.draw(st.lists(st.sampled_from(["a", "b", "你", "1", "x"]))))
    srt = subrip(words, text, 5.0)
    if not text.split():
        return
    assert "".join("".join(lines(srt)).split()) == "".join(text.split())
    times = [
        line.split(" --> ")
        for line in srt.split("\n")
        if "," in line and " --> " in line
    ]
    ends = [end for _, end in times]
    begins = [begin for begin, _ in times]
    assert begins == sorted(begins) and ends == sorted(ends)
    assert all(end <= begin for end, begin in zip(ends, begins[1:], strict=False))
