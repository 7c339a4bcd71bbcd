"""Find the service's sentences in the text that was sent."""

from bisect import bisect_left
from collections.abc import Sequence
import unicodedata


class Letters:
    """The letters and digits of a text, normalized in width and case.

    The service may report a sentence with other punctuation and without spaces.
    """

    def __init__(self) -> None:
        self._letters = ""
        self._places: list[int] = []  # of each letter in the text
        self._text = ""

    def add(self, text: str) -> None:
        """Append to the text."""
        begin = len(self._text)
        self._text += text
        folded: Sequence[str] = _folded(text)
        if len(folded) != len(text):
            folded = [_folded(character) for character in text]
        found = [
            (letter, place)
            for place, letters in enumerate(folded, begin)
            for letter in letters
            if letter.isalnum()
        ]
        self._letters += "".join(letter for letter, _ in found)
        self._places.extend(place for _, place in found)

    def find(self, sentence: str, start: int) -> tuple[int, int] | None:
        """Return the start and end of a sentence after an index, or None."""
        letters = letters_of(sentence)
        at = bisect_left(self._places, start)
        while letters and (at := self._letters.find(letters, at)) >= 0:
            begin, last = self._places[at], self._places[at + len(letters) - 1]
            if begin in (0, start) or not self._text[begin - 1].isalnum():
                return begin, self._end(last, sentence)
            at += 1
        return None

    def _end(self, last: int, sentence: str) -> int:
        """Return the end of a sentence including its closing punctuation."""
        ends = (
            number for number, mark in enumerate(reversed(sentence)) if mark.isalnum()
        )
        marks = next(ends)
        end = last + 1
        while marks and end < len(self._text) and not self._text[end].isalnum():
            end, marks = end + 1, marks - 1
        return end


def letters_of(text: str) -> str:
    """Return the letters and digits of a text, normalized."""
    return "".join(filter(str.isalnum, _folded(text)))


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
