"""SubRip subtitles (.srt) from the times of spoken words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
import unicodedata

from .client import Word

MAX_WIDTH = 42
"""Columns of a subtitle, as broadcasters use; wide characters take two."""
MAX_SECONDS = 7.0
PAUSE = 1.0
"""Seconds without a word that end a subtitle."""
SEARCH = 120
"""Characters of the text within which the next word is looked for."""

_SENTENCE_END = tuple("。！？!?.…\n")
_CLAUSE_END = tuple("，、；：,;:")
_CLOSING = "\"'”’»」』）)] "


@dataclass(frozen=True, slots=True)
class Cue:
    """A subtitle: seconds from the start of the audio, and what is shown."""

    begin: float
    end: float
    text: str


def subrip(words: Sequence[Word], text: str, duration: float) -> str:
    """Return the content of an .srt file for a text that was spoken.

    The subtitles hold the text as it was written, with its punctuation. Without
    words there is one subtitle for the whole duration (seconds).
    """
    cues = list(_cues(words, text)) or [Cue(0.0, duration, _one_line(text))]
    return "\n".join(
        f"{number}\n{_time(cue.begin)} --> {_time(cue.end)}\n{cue.text}\n"
        for number, cue in enumerate(cues, start=1)
    )


def _cues(words: Sequence[Word], text: str) -> Iterator[Cue]:
    """Gather words until a sentence, a pause or the space on the screen ends."""
    shown, begin = "", 0.0
    pieces = _pieces(words, text)
    for index, (word, piece) in enumerate(zip(words, pieces, strict=True)):
        if not shown:
            begin = word.begin
        shown += piece
        following = words[index + 1] if index + 1 < len(words) else None
        if (
            following is None
            or _is_full(shown, pieces[index + 1])
            or following.begin - word.end >= PAUSE
            or following.end - begin > MAX_SECONDS
        ):
            if line := _one_line(shown):
                yield Cue(begin, word.end, line)
            shown = ""


def _is_full(shown: str, next_piece: str) -> bool:
    stripped = shown.rstrip(_CLOSING)
    if stripped.endswith(_SENTENCE_END):
        return True
    if stripped.endswith(_CLAUSE_END) and _width(shown) > MAX_WIDTH / 2:
        return True
    return _width(shown + next_piece.rstrip()) > MAX_WIDTH


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


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _time(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    return (
        f"{minutes // 60:02}:{minutes % 60:02}"
        f":{milliseconds // 1000:02},{milliseconds % 1000:03}"
    )
