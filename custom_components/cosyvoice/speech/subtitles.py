"""SubRip subtitles (.srt) from the times of spoken words."""

from collections.abc import Iterator, Sequence
import math
from typing import NamedTuple
import unicodedata

from ..client import Word
from ..text.characters import CLAUSE_ENDS, CLOSERS, SENTENCE_ENDS

MAX_WIDTH = 42
"""Columns of a subtitle, as broadcasters use; wide characters take two."""
MAX_SECONDS = 7.0
PAUSE = 1.0
"""Seconds without a word that end a subtitle."""
SEARCH = 120
"""Characters of the text within which the next word is looked for."""


class Cue(NamedTuple):
    """A subtitle: seconds from the start of the audio, and what is shown."""

    begin: float
    end: float
    text: str


def subrip(words: Sequence[Word], text: str, duration: float) -> str:
    """Return the content of an .srt file for a text that was spoken.

    The subtitles show the text as it was written, with its punctuation. Without
    words there is one subtitle for the whole duration (seconds).
    """
    cues = list(_cues(words, text)) or [Cue(0.0, duration, _one_line(text))]
    # Where the service's times overlap, the next subtitle ends the one before.
    limits = [cue.begin for cue in cues[1:]] + [math.inf]
    return "\n".join(
        f"{number}\n{_time(cue.begin)} --> {_time(min(cue.end, limit))}\n{cue.text}\n"
        for number, (cue, limit) in enumerate(zip(cues, limits, strict=True), start=1)
    )


def _cues(words: Sequence[Word], text: str) -> Iterator[Cue]:
    """Yield one subtitle per sentence.

    Several where a sentence is too long for one.
    """
    spoken = list(zip(words, _pieces(words, text), strict=True))
    sentence: list[tuple[Word, str]] = []
    for number, (word, piece) in enumerate(spoken, start=1):
        sentence.append((word, piece))
        pause = number < len(spoken) and spoken[number][0].begin - word.end >= PAUSE
        if pause or number == len(spoken) or _ends_with(piece, SENTENCE_ENDS):
            yield from _lines(sentence)
            sentence = []


def _lines(sentence: Sequence[tuple[Word, str]]) -> Iterator[Cue]:
    """Cut a sentence where it is too long, after a clause if there is one."""
    is_long = not _fits(sentence)
    line: list[tuple[Word, str]] = []
    for number, (word, piece) in enumerate(sentence, start=1):
        line.append((word, piece))
        if number == len(sentence) or (
            is_long
            and (
                not _fits([*line, sentence[number]])
                or (_ends_with(piece, CLAUSE_ENDS) and _width(line) > MAX_WIDTH / 2)
            )
        ):
            if text := _shown(line):
                yield Cue(line[0][0].begin, word.end, text)
            line = []


def _fits(line: Sequence[tuple[Word, str]]) -> bool:
    seconds = line[-1][0].end - line[0][0].begin
    return seconds <= MAX_SECONDS and _width(line) <= MAX_WIDTH


def _ends_with(piece: str, ends: str) -> bool:
    return piece.rstrip(f"{CLOSERS} ").endswith(tuple(ends))


def _pieces(words: Sequence[Word], text: str) -> list[str]:
    """Cut the text into one piece per word.

    A piece reaches to where the next word begins, so that the pieces are the whole
    text. A word that is not in the text, such as a number that was spoken in words,
    has an empty piece: its text is part of the piece before.
    """
    lowered = text.lower()
    if len(lowered) != len(text):  # Some capitals become two characters
        lowered = text
    starts: list[int | None] = []
    position = 0
    for word in words:
        wanted = word.text.strip().lower()
        found = lowered.find(wanted, position, position + SEARCH) if wanted else -1
        starts.append(found if found >= 0 else None)
        if found >= 0:
            position = found + len(wanted)
    pieces = [""] * len(words)
    end = len(text)
    for index in reversed(range(len(words))):
        start = starts[index]
        if index == 0:
            start = 0
        if start is not None:
            pieces[index] = text[start:end]
            end = start
    return pieces


def _shown(line: Sequence[tuple[Word, str]]) -> str:
    return _one_line("".join(piece for _, piece in line))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _width(line: Sequence[tuple[Word, str]]) -> int:
    return sum(
        2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in _shown(line)
    )


def _time(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    return (
        f"{minutes // 60:02}:{minutes % 60:02}"
        f":{milliseconds // 1000:02},{milliseconds % 1000:03}"
    )
