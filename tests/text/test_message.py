"""Messages: read once, cleaned once, cut once, replayed as often as needed."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
import re

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.cosyvoice.client import (
    CosyVoiceConnectionError,
    EmptyTextError,
    SsmlError,
    TextTooLongError,
)
from custom_components.cosyvoice.text.message import Message, check_message
from custom_components.cosyvoice.text.sentences import Piece

from .messages import fetched, message, plain, sentences

DOCUMENT = '\n<speak rate="1.2">你好，<break time="500ms"/>A &amp; B。</speak>\n'


def test_a_message_is_cleaned_replaced_and_cut() -> None:
    made = message(
        "**My NAS** is on",
        ". Ok? 😀",
        pronunciations={"NAS": "network storage"},
    )

    async def use(message: Message) -> None:
        assert await sentences(message) == ["My network storage is on.", " Ok?"]
        assert message.written == "My NAS is on. Ok? "
        assert message.arrived == "**My NAS** is on. Ok? 😀"
        assert await plain(message) == "My NAS is on. Ok? "
        assert not await message.is_ssml()

    fetched(made, use)


def test_a_message_is_left_as_it_is_if_wanted_but_not_for_another_engine() -> None:
    async def use(message: Message) -> None:
        assert await sentences(message) == ["这是**重要**的。"]
        assert message.written == "这是**重要**的。"
        assert await plain(message) == "这是重要的。"
        assert await plain(message, 4) == "重要的。"

    fetched(message("这是**重", "要**的。", clean=False), use)


def test_what_cannot_be_sent_is_left_out() -> None:
    async def use(message: Message) -> None:
        assert await sentences(message) == ["你好，世界。"]

    for clean in (True, False):
        fetched(
            message("你好\x00，\ud800世界\udfff。", clean=clean),
            use,
        )


def test_a_message_is_replayed_while_it_is_fetched() -> None:
    async def use(message: Message) -> None:
        loop = asyncio.get_running_loop()
        first = message.pieces()
        assert await anext(first) == Piece("一。", "sentence")
        assert loop.time() < 0.01
        await first.aclose()
        assert await sentences(message) == ["一。", "二。"]
        assert 5 <= loop.time() < 5.01
        assert await sentences(message) == ["一。", "二。"]

    fetched(message("一。", 5.0, "二。"), use)


def test_the_first_sentence_is_announced() -> None:
    async def use(message: Message) -> None:
        loop = asyncio.get_running_loop()
        await message.first_sentence.wait()
        assert 2 <= loop.time() < 2.1

    fetched(message("", 2.0, "It is on.", 3.0, " Good."), use)
    fetched(message("It ", *(0.2, " is") * 10, "!", 2.0), use)
    fetched(message("", 2.0, RuntimeError()), use)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("It is on.", 0.1),
        ("It took 5 ms.", 0.1),
        ("Today is the 1st.", 0.1),
        ("Look at camera 2.", 0.4),
        ("I use plan B.", 0.4),
    ],
)
def test_speech_is_due_when_the_text_pauses(text: str, seconds: float) -> None:
    async def use(message: Message) -> None:
        async with asyncio.timeout(seconds):
            await message.first_sentence.wait()
        assert await sentences(message) == [text, " Then more."]

    fetched(message(text, 9.0, " Then more."), use)


def test_a_short_pause_does_not_end_an_abbreviation() -> None:
    async def use(message: Message) -> None:
        assert await sentences(message) == ["Ask Dr. Li."]

    fetched(message("Ask Dr.", 0.3, " Li."), use)


@pytest.mark.parametrize(
    ("start", "rest"),
    [
        (0, "a NAS b NAS."),
        (2, "NAS b NAS."),
        (4, "S b NAS."),
        (12, " b NAS."),
        (17, " b NAS."),
        (20, "NAS."),
        (35, "."),
        (36, ""),
    ],
)
def test_another_engine_continues_where_the_speech_ended(start: int, rest: str) -> None:
    async def use(message: Message) -> None:
        assert await sentences(message) == ["a network storage b network storage."]
        assert await plain(message, start) == rest

    for chunks in (["a NAS b NAS."], list("a NAS b NAS.")):
        fetched(
            message(*chunks, pronunciations={"NAS": "network storage"}),
            use,
        )


def test_ssml_is_one_piece_and_its_text_is_for_another_engine() -> None:
    async def use(message: Message) -> None:
        assert await message.is_ssml()
        assert [piece async for piece in message.pieces()] == [
            Piece(DOCUMENT, "sentence")
        ]
        assert message.written.split() == ["你好，", "A", "&", "B。"]
        assert (await plain(message)).split() == ["你好，", "A", "&", "B。"]
        assert (await plain(message, DOCUMENT.index("A"))).split() == ["A", "&", "B。"]

    for chunks in ([DOCUMENT], list(DOCUMENT)):
        fetched(message(*chunks), use)


@pytest.mark.parametrize(
    "text", ["<", "<speaker> on.", "< 3.", "<speak", "\n a", "<b>a"]
)
def test_other_text_is_not_ssml(text: str) -> None:
    async def use(message: Message) -> None:
        assert not await message.is_ssml()

    fetched(message(*text, "a"), use)


def test_that_a_text_is_not_ssml_is_known_early() -> None:
    async def use(message: Message) -> None:
        async with asyncio.timeout(1):
            assert not await message.is_ssml()

    fetched(message(" \n", "<p", 9.0, "eak>"), use)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", EmptyTextError),
        (" \n", EmptyTextError),
        ("🎉", EmptyTextError),
        ("**", EmptyTextError),
        ("。", EmptyTextError),
        ("<speak/>", EmptyTextError),
        ("<speak>one", SsmlError),
        ("<speak>a &", SsmlError),
        (f"<speak>{'a' * 200_000}</speak>", TextTooLongError),
        ("a" * 200_001, TextTooLongError),
    ],
)
def test_a_message_that_cannot_be_spoken_is_an_error(
    text: str, error: type[Exception]
) -> None:
    async def use(message: Message) -> None:
        with pytest.raises(error):
            await sentences(message)
        if text.startswith("<speak") or not text.strip():
            with pytest.raises(error):
                await message.is_ssml()

    fetched(message(text), use)
    with pytest.raises(error):
        check_message(text, clean=True)


@pytest.mark.parametrize(
    "text", ["**a", "```\na\n```", "x" * 5000, f"{'*' * 5000} b", DOCUMENT, "<a"]
)
@pytest.mark.parametrize("clean", [True, False])
def test_a_message_that_can_be_spoken_passes_the_check(text: str, clean: bool) -> None:
    check_message(text, clean=clean)


def test_the_limit_of_a_message_can_be_set() -> None:
    async def use(message: Message) -> None:
        with pytest.raises(TextTooLongError, match="more than 5 characters"):
            await sentences(message)

    fetched(message("abc", "def", longest=5), use)


def test_a_failing_source_raises_where_it_failed() -> None:
    async def use(message: Message) -> None:
        pieces = message.pieces()
        assert await anext(pieces) == Piece("好。", "sentence")
        assert await anext(pieces) == Piece("未完", "")
        assert await anext(pieces) == Piece("", "sentence")
        with pytest.raises(RuntimeError, match="gone"):
            await anext(pieces)
        with pytest.raises(RuntimeError, match="gone"):
            await plain(message)
        assert not await message.is_ssml()

    fetched(message("好。", "未完", RuntimeError("gone")), use)


@pytest.mark.parametrize("text", ["", " ", "<speak>a"])
def test_a_source_that_fails_early_raises_when_it_is_asked_for_ssml(text: str) -> None:
    async def use(message: Message) -> None:
        with pytest.raises(RuntimeError, match="gone"):
            await message.is_ssml()

    fetched(message(text, RuntimeError("gone")), use)


def test_a_cancelled_source_is_a_lost_connection() -> None:
    async def cancelled() -> AsyncGenerator[str]:
        yield "One."
        raise asyncio.CancelledError

    async def use(message: Message) -> None:
        pieces = message.pieces()
        assert (await anext(pieces)).text == "One."
        with pytest.raises(CosyVoiceConnectionError):
            async for _ in pieces:
                pass

    fetched(Message(cancelled(), clean=True, pronunciations={}), use)


def test_a_long_text_blocks_nothing() -> None:
    """Other tasks run between its parts."""

    async def use(message: Message) -> None:
        turns = 0
        while not message._ended:
            turns += 1
            await asyncio.sleep(0)
        assert turns >= 50

    fetched(message("It is on. " * 10_000), use)


@settings(max_examples=50)
@given(
    st.lists(
        st.sampled_from(["好。", "a", ".", " ", "**", "[", "]", "NAS", "NA", "\n", "3"])
    ),
    st.booleans(),
)
def test_chunks_give_what_the_whole_gives(chunks: list[str], clean: bool) -> None:
    async def use(message: Message) -> str:
        return "".join(await sentences(message)).strip(" .。\n[]")

    words = {"NAS": "storage"}
    results = set()
    for parts in (chunks, ["".join(chunks)], list("".join(chunks))):
        try:
            results.add(
                fetched(
                    message(*parts, clean=clean, pronunciations=words),
                    use,
                )
            )
        except EmptyTextError:
            results.add("")
    assert len(results) == 1


@pytest.mark.parametrize(
    ("text", "more", "spoken"),
    [
        ("See [the docs", "](https://a.b).", ["See [the docs](a.b)."]),
        ("Ask NA", "S.", ["Ask NAS."]),
        ("Ask NAS", ".", ["Ask storage."]),
        ("Turn on *all lights", "*.", ["Turn on all lights."]),
        ("Checking `the * lights", "`.", ["Checking the * lights."]),
    ],
)
def test_a_pause_releases_all_words(text: str, more: str, spoken: list[str]) -> None:
    async def use(message: Message) -> None:
        loop = asyncio.get_running_loop()
        heard = ""
        async for piece in message.pieces():
            heard += piece.text
            if heard.endswith((text[-2:], "storage")):
                break
        assert loop.time() < 0.4
        assert await sentences(message) == spoken
        assert loop.time() > 6

    fetched(message(text, 6.5, more, pronunciations={"NAS": "storage"}), use)


def test_terminal_colours_are_left_out() -> None:
    async def use(message: Message) -> None:
        assert await sentences(message) == ["It is OK."]

    text = "It is \x1b[1;32mOK\x1b[0m."
    fetched(message(*text), use)
    fetched(message(text), use)


def test_a_text_that_ends_like_the_opening_of_ssml_is_text() -> None:
    async def use(message: Message) -> None:
        assert await sentences(message) == ["<speak"]
        assert not await message.is_ssml()

    fetched(message(*" <speak"), use)


@pytest.mark.parametrize(
    "text",
    [
        "Let me look at camera 2.",
        "I will switch to plan B.",
        "The ping took 5 ms.",
        "好的，我来查一下：",
        "Checking the lights now",
        "Today is the 1st.",
        "It is at St.",
        "He said “it is on.",
        "- Checking",
        "# Lights",
        "| Lights",
        "Use `ls",
        "It is 5 < x",
        "Costs $5 and [more",
        "See https://a.b/c",
        "The **light",
        "1. Milk",
        "12",
        "&co",
        "![a picture",
        "a * b",
        "[very well",
    ],
)
@pytest.mark.parametrize("whole", [True, False])
def test_finished_words_do_not_wait_for_the_end_of_a_pause(
    text: str, whole: bool
) -> None:
    async def use(message: Message) -> None:
        heard = ""
        pieces = message.pieces()
        with suppress(TimeoutError):
            async with asyncio.timeout(0.36):
                async for piece in pieces:
                    heard += piece.text
        words = re.findall(r"\w+", text.partition("https://a.b/c")[0])
        assert re.findall(r"\w+", heard)[: len(words)] == words

    for clean in (True, False):
        chunks = [text] if whole else text
        fetched(
            message(
                *chunks, 9.0, " done.", clean=clean, pronunciations={"St. Paul": "x"}
            ),
            use,
        )
