"""What is counted, by the usage of short texts."""

from typing import Any

from ..probe import (
    BEIJING,
    QWEN_30,
    QWEN_30_VOICE,
    QWEN_31,
    QWEN_31_VOICE,
    DiffersError,
    characters,
    expect,
    probe,
    tokens,
)
from ..service import Service
from ..talk import connected, speak

_COUNTING = "client/counting.py"


async def _count(service: Service, text: str, expected: int, **more: Any) -> str:
    """Check what a text counts."""
    counted = (await speak(service, text, **more)).counted
    return expect(counted == expected, f"{counted}, expected {expected}")


@probe("9", "docs", _COUNTING, "han-counts-one", cost=characters(8))
async def han_counts_2(service: Service) -> str:
    """An ideograph counts 2, a letter or digit 1."""
    return await _count(service, "中A文1。", 7)


@probe("9", "docs", _COUNTING, "kana-counts-two", cost=characters(6))
async def kana_counts_1(service: Service) -> str:
    """Kana count 1, kanji 2."""
    return await _count(service, "こ日本", 5, language_hints=["ja"])


@probe("9", "docs", _COUNTING, "wide-mark-counts-two", cost=characters(8))
async def wide_mark_counts_1(service: Service) -> str:
    """Punctuation counts 1, full-width as well."""
    return await _count(service, "好，好！", 6)


@probe("9", "docs", _COUNTING, "blanks-free", cost=characters(8))
async def blank_counts_1(service: Service) -> str:
    """A blank within a sentence counts 1."""
    return await _count(service, "Oh my.", 6)


@probe("9", "docs", _COUNTING, "markup-counts", cost=characters(24))
async def markup_is_free(service: Service) -> str:
    """The elements of SSML are not counted."""
    text = "<speak>你好</speak>"
    return await _count(service, text, 4, enable_ssml=True)


@probe("9", "guess", "usage/ledger.py", "instruction-counts", cost=characters(14))
async def instruction_is_free(service: Service) -> str:
    """The instruction is not counted."""
    instruction = "你说话的情感是happy。"
    return await _count(service, "好。", 3, instruction=instruction)


@probe("Q", "guess", _COUNTING, "qwen-tags-free", cost=characters(20, QWEN_30))
async def tags_count(service: Service) -> str:
    """The tags of Qwen-Audio are counted."""
    text = "[serious]Good day."
    return await _count(service, text, 18, model=QWEN_30, voice=QWEN_30_VOICE)


@probe(
    "9",
    "docs",
    "client/utterance/sender.py",
    "message-limit-2000",
    cost=tokens(2001, 0),
    regions=(BEIJING,),
)
async def long_message_is_taken(service: Service) -> str:
    """A text of 2,001 is taken; here it is blank, and never spoken."""
    async with connected(service) as talk:
        await talk.start(QWEN_31, voice=QWEN_31_VOICE)
        await talk.text(" " * 2001)
        kinds = [message.kind for message in await talk.quiet()]
        if kinds:
            raise DiffersError(f"{kinds} came")
        return "nothing came"
