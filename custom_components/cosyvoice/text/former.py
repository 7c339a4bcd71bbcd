"""Text for the service: what it counts, where it can be cut, what it cannot hold."""

from bisect import bisect_right
from collections.abc import Iterator
import re
import unicodedata

from ..client.counting import count_characters

PARTIAL_SENTENCE = 100
"""Counted characters of an unfinished sentence that are held back at most, if a
clause ends in them."""

LONGEST_SENTENCE = 400
"""Characters after which a sentence is cut anywhere; bounds what is held back."""


def scrub(text: str) -> str:
    """Return the text without what is neither speech nor layout.

    NUL, other control characters, lone surrogates and noncharacters go; other
    line breaks become newlines. What is left can always be sent as JSON. Scrubbing
    the pieces of a text gives the same as scrubbing the whole.
    """
    return _UNSPEAKABLE.sub("", _LINE_BREAK.sub("\n", text))


class SentenceSplitter:
    """Gives out the sentences of a text that arrives in pieces.

    A sentence goes out as soon as its end has arrived, so a full stop at the very
    end of what has arrived counts as an end, unless it may belong to a number
    (``3.``), an initial or an abbreviation (``Dr.``): then the next piece decides.
    A sentence longer than :data:`PARTIAL_SENTENCE` goes out clause by clause.
    Nothing is changed or lost: all that was given out, and :meth:`rest`, joined,
    are the text.
    """

    def __init__(self) -> None:
        """Begin with an empty text."""
        self._held = ""

    def push(self, piece: str) -> list[str]:
        """Add a piece of any length; return the sentences that are now complete."""
        text = self._held + piece
        sentences: list[str] = []
        start = 0
        while (end := _next_cut(text, start)) is not None:
            sentences.append(text[start:end])
            start = end
        self._held = text[start:]
        return sentences

    def rest(self) -> str:
        """Return what is held back, and hold it no longer."""
        rest, self._held = self._held, ""
        return rest


def split_message(text: str, limit: int) -> list[str]:
    """Cut a text into messages of at most ``limit`` counted characters.

    The cuts are at the ends of sentences where there are any, else of clauses, else
    between characters that belong together (an emoji of several code points is
    never torn unless it alone passes the limit). The messages joined are the text.

    Raises:
        ValueError: ``limit`` is below 2, the count of one ideograph.
    """
    if limit < 2:
        msg = f"limit must be at least 2, not {limit}"
        raise ValueError(msg)
    messages = []
    start = 0
    while start < len(text):
        end = _fitting(text, start, limit)
        if end < len(text):
            end = (
                max(_sentence_ends(text, start, end), default=None)
                or _last_clause_end(text, start, end)
                or _between_characters(text, start, end)
            )
        messages.append(text[start:end])
        start = end
    return messages


_LINE_BREAK = re.compile("[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_UNSPEAKABLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")

# The end of a sentence with what closes it: quotes, brackets, variation selectors.
_STOP = re.compile(
    r"""(?P<marks>[。｡！？；…\n.!?]+)[”’"')）\]】」』》〉}\ufe0e\ufe0f]*"""
)
_ASCII_STOPS = frozenset(".!?")
_CLAUSE = re.compile(r"(?:[，、：\s]|[,;:](?=[^\x00-\x7f]))+")
_WORD = re.compile(r"[^\W_]")
_INITIAL_OR_ABBREVIATION = re.compile(
    r"""(?<![^\W\d_])(?:
        [a-z\u00c0-\u2e7f]
        |mr|mrs|ms|mx|dr|prof|rev|gen|col|capt|lt|sgt|hon|st|mt|jr|sr|vs
        |approx|dept|fig|vol|inc|ltd|corp|ave|blvd
    )$""",
    re.IGNORECASE | re.VERBOSE,
)
_LONGEST_ABBREVIATION = len("approx")
_ZERO_WIDTH_JOINER = "\u200d"


def _next_cut(text: str, start: int) -> int | None:
    """Return where the first sentence after ``start`` ends, or None if it may go on."""
    stop = min(len(text), start + LONGEST_SENTENCE)
    if word := _WORD.search(text, start, stop):
        for end in _sentence_ends(text, word.end(), stop):
            return end
    if stop < len(text):
        return _last_clause_end(text, start, stop) or _between_characters(
            text, start, stop
        )
    clause_end = _last_clause_end(text, start, stop)
    if clause_end and count_characters(text[start:]) > PARTIAL_SENTENCE:
        return clause_end
    return None


def _fitting(text: str, start: int, limit: int) -> int:
    """Return the farthest end at which what follows ``start`` counts ``limit``."""
    places = range(start, min(len(text), start + limit) + 1)
    fitting = bisect_right(
        places, limit, key=lambda place: count_characters(text[start:place])
    )
    return places[fitting - 1]


def _sentence_ends(text: str, start: int, stop: int) -> Iterator[int]:
    """Yield the ends of sentences between two places, closing quotes included."""
    for match in _STOP.finditer(text, start, stop):
        if _ends_sentence(text, match["marks"], match.start(), match.end()):
            yield match.end()


def _ends_sentence(text: str, marks: str, start: int, end: int) -> bool:
    following = text[end : end + 1]
    if not _ASCII_STOPS.issuperset(marks):
        return True
    if following.isalnum() and _is_spaced_script(following):
        return False  # 3.14, example.com, main.py, Yahoo!s
    if marks != ".":
        return True
    if text[start - 1 : start].isdigit():
        return bool(following)
    return not _INITIAL_OR_ABBREVIATION.search(
        text, max(0, start - _LONGEST_ABBREVIATION), start
    )


def _is_spaced_script(character: str) -> bool:
    """Return whether the character's script separates words by spaces.

    Chinese, Japanese and (written without a space after a stop) Korean do not.
    """
    return character < "\u2e80"


def _last_clause_end(text: str, start: int, stop: int) -> int | None:
    last = None
    for match in _CLAUSE.finditer(text, start, stop):
        if not _belongs_to_previous(text, match.end()):
            last = match.end()
    return last


def _between_characters(text: str, start: int, end: int) -> int:
    """Return the last place up to ``end`` that does not tear a character apart."""
    for place in range(end, start, -1):
        if not _belongs_to_previous(text, place):
            return place
    return end


def _belongs_to_previous(text: str, place: int) -> bool:
    """Return whether a user sees what is before and after the place as one."""
    previous, following = text[place - 1 : place], text[place : place + 1]
    return bool(following) and (
        _ZERO_WIDTH_JOINER in (previous, following)
        or unicodedata.category(following).startswith("M")
        or "\U0001f3fb" <= following <= "\U0001f3ff"  # skin tones
        or all("\U0001f1e6" <= part <= "\U0001f1ff" for part in (previous, following))
    )
