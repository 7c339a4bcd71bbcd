"""Cut a text into sentences and clauses while it is being written."""

from enum import IntEnum
import re
from typing import Literal, NamedTuple
import unicodedata

from .characters import CLAUSE_ENDS, CLOSERS, SENTENCE_ENDS, is_speakable
from .stops import CONTEXT, ends_sentence, is_ambiguous

type End = Literal["sentence", "clause", ""]

LONGEST_SENTENCE = 400
"""Characters of the longest sentence; a longer one is cut."""

_CUT_AT_CLAUSE = 300
"""Characters of a sentence after which the next clause ends it."""
_CUT_AT_SPACE = 350
"""Characters of a sentence after which the next space ends it."""
_CUT_ANYWHERE = 390
"""Characters of a sentence after which any character ends it."""
_LONGEST_UNSPEAKABLE = 100
"""Characters without a word that are kept until a word follows."""


class _Pause(IntEnum):
    """Whether a text pauses."""

    NONE = 0
    SHORT = 1
    LONG = 2
    END = 3


class Piece(NamedTuple):
    """A part of a text and the end that it marks.

    A sentence is the joined text of the pieces up to and including one that ends a
    sentence. A long sentence is best cut at the end of a clause. A piece that only
    marks an end has no text.
    """

    text: str
    end: End


class PieceSplitter:
    """Marks the ends of sentences and clauses in a text that arrives in chunks.

    Text is passed on when it arrives. A full stop is ambiguous until the next word
    arrives (``3.14``, ``Dr. Li``, ``etc. and``): the text up to it is passed on as open
    text, and the end is marked afterwards. Text without a word, such as a lone ``。``,
    is joined to the next sentence, or dropped at the end of the text. Apart from that
    the joined pieces are the text. No sentence is longer than
    :data:`LONGEST_SENTENCE`.
    """

    def __init__(self) -> None:
        """Begin with an empty text."""
        self._text = ""  # Context, then text that is to be passed on.
        self._at = 0  # Where the latter begins.
        self._decided = 0  # Marks before it are decided.
        self._length = 0  # Characters of the sentence that were passed on.
        self._has_words = False  # In what was passed on of the sentence.
        self._quotes = ""  # Opening quotes that are not closed yet.
        self._pieces: list[Piece] = []

    def push(self, text: str) -> list[Piece]:
        """Add text of any length.

        Return the pieces that it completes.
        """
        self._text += text
        return self._read()

    def pause(self, *, long: bool) -> list[Piece]:
        """Return what a pause of the text decides.

        It ends a sentence after a full stop. After a number or an abbreviation only
        the next word decides.

        Args:
            long: Whether the pause is too long to wait for the rest of that word.
        """
        return self._read(_Pause.LONG if long else _Pause.SHORT)

    def finish(self) -> list[Piece]:
        """Return the rest: the text is complete."""
        pieces = self._read(_Pause.END)
        self._pass_on(len(self._text), "sentence")
        return pieces + self._take()

    @property
    def left_over(self) -> str:
        """Text without a word that waits for a word, or was dropped at the end."""
        return self._text[self._at :]

    def _take(self) -> list[Piece]:
        pieces, self._pieces = self._pieces, []
        dropped = max(0, self._at - CONTEXT)
        self._text = self._text[dropped:]
        self._at -= dropped
        self._decided = max(0, self._decided - dropped)
        return pieces

    def _read(self, pause: _Pause = _Pause.NONE) -> list[Piece]:
        while mark := _MARK.search(self._text, self._decided):
            quotes = _open_quotes(self._quotes, self._text, mark)
            opened = len(quotes) - len(self._quotes)
            end = _end(self._text, mark, self._begin, opened, pause)
            if end == "sentence" and quotes and "\n" not in mark[0]:
                at_end = mark.end() == len(self._text)
                end = None if at_end and not pause else "clause"
            if end is None:
                self._pass_on(mark.end(), "")
                self._decided = mark.start()
                return self._take()
            self._quotes = quotes
            if end:
                self._pass_on(mark.end(), end)
            self._decided = mark.end()
        self._pass_on(len(self._text), "")
        # The last character is a mark once the next one is there: ",".
        self._decided = max(self._decided, len(self._text) - 1)
        return self._take()

    @property
    def _begin(self) -> int:
        """The index where the sentence begins.

        Below 0 if that was dropped.
        """
        return self._at - self._length

    def _pass_on(self, end: int, kind: End) -> None:
        while (cut := self._forced_cut(end)) is not None:
            self._add(cut, "sentence")
        if kind == "clause" and end - self._begin >= _CUT_AT_CLAUSE:
            kind = "sentence"
        self._add(end, kind)

    def _add(self, end: int, kind: End) -> None:
        text = self._text[self._at : end]
        self._has_words = self._has_words or is_speakable(text)
        if not self._has_words:
            self._at = max(self._at, end - _LONGEST_UNSPEAKABLE)
            return
        if text or kind:
            self._pieces.append(Piece(text, kind))
        self._at = end
        self._length += len(text)
        if kind == "sentence":
            self._quotes = ""
            self._length = 0
            self._has_words = False

    def _forced_cut(self, end: int) -> int | None:
        """Return the index where a sentence that is too long is cut, if any."""
        begin = self._begin
        for place in range(max(self._at, begin + _CUT_AT_SPACE), end):
            length = place - begin
            if (
                length >= LONGEST_SENTENCE
                or self._text[place - 1].isspace()
                or (length >= _CUT_ANYWHERE and not _is_torn(self._text, place))
            ):
                return place
        return None


_FULL_WIDTH = "".join(mark for mark in CLAUSE_ENDS if not mark.isascii())
_CLOSERS = rf"[{re.escape(CLOSERS)}\ufe0e\ufe0f]*"
# What closes a quote.
_QUOTES = {"“": "”", "„": "“”", "«": "»", "»": "«", "「": "」", "『": "』", '"': '"'}
_MARK = re.compile(
    rf"(?P<stop>[{SENTENCE_ENDS}]+{_CLOSERS})|(?P<quote>[“”„«»「」『』\"])"
    rf"|(?P<clause>[{_FULL_WIDTH}]+|[,;:](?=\s|[^\x00-\x7f])|(?<=\s)[–—-](?=\s)"
    r"|(?<=—)—|(?<=[\u0e00-\u0e7f])\s)"  # Thai has no commas.
)
# After a space, a bracket or Chinese text; not after a word: 55", 好"。
_BEFORE_QUOTE = re.compile(r"[\s(\[]|[^\x00-\u2e7f]|\Z")


def _open_quotes(quotes: str, text: str, mark: re.Match[str]) -> str:
    """Return the quotes that are open after a mark."""
    for place in range(mark.start(), mark.end()):
        character = text[place]
        if quotes and character in _QUOTES[quotes[-1]]:
            quotes = quotes[:-1]
        elif character in _QUOTES:
            if character not in '"»' or _BEFORE_QUOTE.match(text[place - 1 : place]):
                quotes += character
    return quotes


def _end(
    text: str, mark: re.Match[str], begin: int, opened: int, pause: _Pause
) -> End | None:
    """Return the unit of text that a mark ends, None if later text decides.

    Args:
        text: The text.
        mark: The mark.
        begin: The index where the sentence begins.
        opened: Quotes that the mark opens; below 0 if it closes them.
        pause: Whether later text is to be expected.
    """
    if mark["clause"]:
        return "clause"
    if mark["quote"] and (
        opened >= 0 or text[mark.start() - 1 : mark.start()] not in SENTENCE_ENDS
    ):
        return ""
    ends = ends_sentence(
        text, mark, begin, after_quote=opened < 0, paused=pause >= _Pause.LONG
    )
    if ends is None:
        continues = opened < 0 or "…" in mark[0] or ".." in mark[0]
        if continues or is_ambiguous(text, mark):
            return "sentence" if pause is _Pause.END else None
        return "sentence" if pause else None
    return "sentence" if ends else "clause" if opened < 0 else ""


def _is_torn(text: str, place: int) -> bool:
    """Return whether a reader sees the characters around the place as one."""
    previous, following = text[place - 1], text[place]
    return (
        "\u200d" in (previous, following)  # zero width joiner
        or unicodedata.category(following).startswith("M")
        or "\U0001f3fb" <= following <= "\U0001f3ff"  # skin tones
        or all("\U0001f1e6" <= part <= "\U0001f1ff" for part in (previous, following))
    )
