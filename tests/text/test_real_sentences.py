"""Two hundred sentences as assistants speak them: none is torn, none runs into another."""

import asyncio
from collections.abc import AsyncGenerator
from itertools import pairwise
from pathlib import Path
import re

import pytest
import yaml

from custom_components.cosyvoice.text.characters import (
    CLAUSE_ENDS,
    CLOSERS,
    SENTENCE_ENDS,
)
from custom_components.cosyvoice.text.message import Message
from custom_components.cosyvoice.text.sentences import LONGEST_SENTENCE, PieceSplitter
from tests.clock import run

SENTENCES = {
    path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in sorted((Path(__file__).parent / "sentences").glob("*.yaml"))
}
ALL = [(language, text) for language, texts in SENTENCES.items() for text in texts]
BETWEEN = {"zh": "", "ja": ""}
"""What separates sentences, if it is not a space."""
TOKEN = re.compile(r"\s?[^\W\d_]{1,6}|\s?\d{1,3}|\s?[^\w\s]+|\s")


def split(chunks: list[str]) -> list[list[str]]:
    """Return the sentences of a text, each as the list of its clauses."""
    splitter = PieceSplitter()
    pieces = [piece for chunk in chunks for piece in splitter.push(chunk)]
    sentences = [[""]]
    for text, end in pieces + splitter.finish():
        sentences[-1][-1] += text
        if end == "clause":
            sentences[-1].append("")
        elif end == "sentence":
            sentences.append([""])
    assert sentences.pop() == [""]
    return sentences


def ways(text: str) -> list[list[str]]:
    """Return the text whole, in tokens and character by character."""
    tokens = TOKEN.findall(text)
    assert "".join(tokens) == text
    return [[text], tokens, list(text)]


def test_the_corpus_is_large() -> None:
    assert len(ALL) >= 200
    assert len({text for _, text in ALL}) == len(ALL)
    assert all(60 <= len(text) <= 300 for _, text in ALL)
    assert all(len(texts) >= 27 for texts in SENTENCES.values())


@pytest.mark.parametrize(("language", "text"), ALL)
def test_a_sentence_is_one_sentence(language: str, text: str) -> None:
    for chunks in ways(text):
        (clauses,) = split(chunks)
        assert "".join(clauses) == text
        for count in range(1, len(clauses)):
            before = "".join(clauses[:count]).rstrip(CLOSERS + "“")
            assert before[-1] in f"{SENTENCE_ENDS}{CLAUSE_ENDS}–—-"
        marks = re.findall(r"[,;:](?=[\s])|[，、：；]", text)
        assert len(clauses) - 1 >= len(marks)


@pytest.mark.parametrize("rate", [5, 15, 100])
@pytest.mark.parametrize("language", SENTENCES)
def test_sentences_are_the_same_at_any_rate(language: str, rate: float) -> None:
    """The rate is in tokens a second."""
    texts = SENTENCES[language]
    between = BETWEEN.get(language, " ")

    async def tokens() -> AsyncGenerator[str]:
        for token in TOKEN.findall(between.join(texts)):
            yield token
            await asyncio.sleep(1 / rate)

    async def scenario() -> list[str]:
        message = Message(tokens(), clean=True, pronunciations={})
        await message.fetch()
        sentences = [""]
        async for piece in message.pieces():
            sentences[-1] += piece.text
            if piece.end == "sentence":
                sentences.append("")
        return sentences

    found = [sentence.strip() for sentence in run(scenario())]
    assert found == [*(text.replace("\xa0", " ") for text in texts), ""]


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("language", SENTENCES)
def test_sentences_do_not_run_into_each_other(language: str, count: int) -> None:
    texts = SENTENCES[language]
    between = BETWEEN.get(language, " ")
    for start in range(len(texts)):
        chosen = [texts[(start + index) % len(texts)] for index in range(count)]
        expected = [chosen[0], *(between + text for text in chosen[1:])]
        for chunks in ways(between.join(chosen)):
            assert ["".join(clauses) for clauses in split(chunks)] == expected


def test_all_of_a_language_in_one_paragraph() -> None:
    for language, texts in SENTENCES.items():
        between = BETWEEN.get(language, " ")
        for chunks in ways(between.join(texts)):
            found = ["".join(clauses).strip() for clauses in split(chunks)]
            assert found == texts
    assert max(len(text) for _, text in ALL) < LONGEST_SENTENCE


@pytest.mark.parametrize("language", SENTENCES)
def test_clauses_are_short(language: str) -> None:
    """A sentence can be cut without a long wait, if it has commas at all."""
    for text in SENTENCES[language]:
        (clauses,) = split([text])
        if len(clauses) > 1:
            assert max(map(len, clauses)) <= 170
    assert any(len(split([text])[0]) == 1 for text in SENTENCES[language])


def test_the_ways_differ() -> None:
    whole, tokens, characters = ways("Mr. Li is 42 – yes.")
    assert len(whole) == 1
    assert all(len(a) <= 7 for a, _ in pairwise(tokens))
    assert len(characters) == 19
