"""Tags of Qwen-Audio in messages."""

import re

import pytest

from custom_components.cosyvoice.client import EmptyTextError
from custom_components.cosyvoice.text.message import Message, check_message
from custom_components.cosyvoice.text.tags import TAGS

from .messages import fetched, message, plain, sentences


@pytest.mark.parametrize("clean", [True, False])
@pytest.mark.parametrize("whole", [True, False])
def test_tags_are_for_models_that_know_them(clean: bool, whole: bool) -> None:
    text = "[sad] Well [sighing], it is sad. [laughing] Bye, NAS [1]!"

    async def with_tags(message: Message) -> None:
        assert await sentences(message) == [
            "[sad] Well [sighing], it is gone.",
            " [laughing] Bye, storage [1]!",
        ]
        assert message.written == "Well, it is sad. Bye, NAS [1]!"
        assert await plain(message, 33) == "Bye, NAS [1]!"
        pieces = [piece.text async for piece in message.pieces()]
        for tag in ("[sad]", "[sighing]", "[laughing]"):
            assert any(tag in piece for piece in pieces)

    async def without_tags(message: Message) -> None:
        assert await sentences(message) == ["Well, it is gone.", " Bye, storage [1]!"]
        assert message.written == "Well, it is sad. Bye, NAS [1]!"

    words = {"NAS": "storage", "sad": "gone"}
    for tags, use in ((True, with_tags), (False, without_tags)):
        fetched(
            message(
                *([text] if whole else text),
                clean=clean,
                pronunciations=words,
                tags=tags,
            ),
            use,
        )


@pytest.mark.parametrize("clean", [True, False])
@pytest.mark.parametrize("pause", [0, 0.01, 0.1, 0.5, 3])
@pytest.mark.parametrize("tags", [True, False])
def test_no_pause_tears_a_tag(clean: bool, pause: float, tags: bool) -> None:
    """Each is whole in one piece, or left out, however slowly it is written."""
    text = "".join(f"So {tag}{tag} we go. " for tag in TAGS) + "The [end"

    async def use(message: Message) -> None:
        pieces = [piece.text async for piece in message.pieces()]
        found = [tag for piece in pieces for tag in re.findall(r"\[.*?\]", piece)]
        assert found == ([tag for tag in TAGS for _ in range(2)] if tags else [])
        rest = re.sub(r" ?\[.*?\]", "", "".join(pieces))
        assert rest == "So we go. " * len(TAGS) + "The [end"
        assert message.written == rest

    made = message(
        *(part for char in text for part in (char, pause)), clean=clean, tags=tags
    )
    fetched(made, use)


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize(
    ("text", "kept", "left_out"),
    [
        ("So funny! [laughing]", ["So funny!", " [laughing]"], ["So funny!"]),
        ("好笑。[laughing][cough]", ["好笑。", "[laughing][cough]"], ["好笑。"]),
        ("Bye [sighing].", ["Bye [sighing]."], ["Bye."]),
        ("Bye. [sad]", ["Bye."], ["Bye."]),
    ],
)
def test_a_sound_may_be_the_last(
    text: str, kept: list[str], left_out: list[str], whole: bool
) -> None:
    """Unlike a tag for the manner of what follows."""
    for tags, expected in ((True, kept), (False, left_out)):

        async def use(message: Message, expected: list[str] = expected) -> None:
            assert await sentences(message) == expected
            assert message.written == "".join(left_out)
            joined = "".join(expected)
            assert "".join([part async for part in message.plain(len(joined))]) == ""

        fetched(message(*([text] if whole else text), tags=tags), use)


@pytest.mark.parametrize("tags", [True, False])
def test_a_tag_alone_is_nothing_to_speak(tags: bool) -> None:
    async def use(message: Message) -> None:
        with pytest.raises(EmptyTextError):
            await sentences(message)

    fetched(message("[laughing]", tags=tags), use)
    with pytest.raises(EmptyTextError):
        check_message("[laughing]", clean=True)
