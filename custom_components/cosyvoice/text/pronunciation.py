"""Replace words by their pronunciations in a text that arrives in chunks."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
import re
import unicodedata

from .characters import is_cjk


def pinyin_of(word: str, replacement: str) -> str | None:
    """Return a Chinese word's replacement as pinyin for the service: ``tian1 qi4``.

    The tone of a syllable is a digit, 1 to 5, or a mark: ``tiān qì``. ``v`` or ``u:``
    may stand for ``ü``. Spaces, apostrophes and capitals do not matter.

    Returns:
        None if the replacement is no pinyin, or has another number of syllables than
        the word.
    """
    word = word.strip()
    text = unicodedata.normalize("NFD", replacement.lower())
    text = " ".join(text.split()).replace("u\u0308", "ü")
    if not all(map(is_cjk, word)) or not _PINYIN.fullmatch(text):
        return None
    syllables = list(_SYLLABLE.finditer(text))
    if not len(word) - word.count("\u513f") <= len(syllables) <= len(word):
        return None
    if not any(map(_tone, syllables)):
        return None
    return " ".join(
        f"{_NO_LETTER.sub('', syllable[0])}{_tone(syllable) or 5}"
        for syllable in syllables
    )


class Replacer:
    """Replaces words in a text that arrives in chunks, the longest word first.

    Words of letters that have capitals (Latin, Greek, Cyrillic) are replaced only as
    whole words: ``NAS`` not in ``NASA``, but ``km`` in ``5km``. Words of other scripts
    are replaced anywhere. A word given in lower case is found in any case, a word with
    a capital only as given: ``IT`` does not match ``it``. Replacements are not replaced
    again.

    Replacing in the chunks gives the same as replacing in the whole, wherever the text
    was cut. Only the possible beginning of a word waits for more text.
    """

    def __init__(self, words: Mapping[str, str]) -> None:
        """Begin with an empty text.

        Args:
            words: ``{word: replacement}``. Spaces around both do not matter, an empty
                word is ignored.
        """
        self._words = {
            word.strip(): new.strip() for word, new in words.items() if word.strip()
        }
        longest_first = sorted(self._words, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(_pattern, longest_first)))
        self._sorted = sorted(map(_fold, self._words))
        self._first = frozenset(word[0] for word in self._sorted)
        self._longest = max(map(len, self._words), default=0)
        self._text = ""
        self._at = 0
        self._written = 0  # Characters that are decided.
        self._spoken = 0  # Characters that were returned for them.
        # The ends of replaced words in the spoken and in the written text.
        self._replaced: list[tuple[int, int]] = []

    def position(self, spoken: int) -> int:
        """Return the index in the written text of an index in the returned text.

        Inside a replacement it is at most the end of the replaced word.
        """
        following = bisect_right(self._replaced, (spoken, self._written))
        known = self._replaced[following - 1] if following else (0, 0)
        position = known[1] + spoken - known[0]
        if following < len(self._replaced):
            return min(position, self._replaced[following][1])
        return position

    def push(self, chunk: str) -> str:
        """Add a chunk of any length.

        Return the text that is decided.
        """
        return self._replace(chunk, final=False)

    def finish(self) -> str:
        """Return the rest: the text pauses or is complete."""
        return self._replace("", final=True)

    def _replace(self, chunk: str, *, final: bool) -> str:
        if not self._words:
            return chunk
        text, at, out = self._text + chunk, self._at, []
        begin = self._written - at
        end = len(text) if final else self._undecided(text, at)
        while (match := self._pattern.search(text, at)) and match.start() < end:
            word = match[0]
            out.append(text[at : match.start()])
            new = self._words[word if word in self._words else _fold(word)]
            out.append(new)
            self._spoken += match.start() - at + len(new)
            at = match.end()
            self._replaced.append((self._spoken, begin + at))
            if at > end:
                end = self._undecided(text, at)
        out.append(text[at:end])
        self._spoken += end - at
        self._written = begin + end
        # The character before the next word is kept.
        self._at = min(end, 1)
        self._text = text[end - self._at :]
        return "".join(out)

    def _undecided(self, text: str, at: int) -> int:
        """Return the first index from ``at`` on where a word may continue."""
        for start in range(max(at, len(text) - self._longest), len(text)):
            if _fold(text[start])[0] in self._first and self._may_continue(text, start):
                return start
        return len(text)

    def _may_continue(self, text: str, start: int) -> bool:
        if start and _joined(text[start - 1], text[start]):
            return False
        tail = _fold(text[start:])
        found = bisect_left(self._sorted, tail)
        if self._sorted[found : found + 1] == [tail]:
            if _kind(tail[-1]):
                return True
            found += 1
        return any(word.startswith(tail) for word in self._sorted[found : found + 1])


_TONE_MARKS = "\u0304\u0301\u030c\u0300"  # First to fourth tone.
_VOWEL = "(?:u:|[aeiouüv])"
_PLAIN = f"{_VOWEL}(?![{_TONE_MARKS}])"
# The consonant before a vowel begins the next syllable.
_SYLLABLE = re.compile(
    "(?:[zcs]h|[bpmfdtnlgkhjqxrzcsyw])?"
    f"(?:(?:{_PLAIN}){{0,2}}{_VOWEL}[{_TONE_MARKS}](?:{_PLAIN}){{0,2}}|(?:{_PLAIN}){{1,3}})"
    f"(?:(?:ng|n|r)(?!{_VOWEL}))?[1-5]?['’ ]?"
)
_PINYIN = re.compile(f"(?:{_SYLLABLE.pattern})+")
_NO_LETTER = re.compile(f"[{_TONE_MARKS}1-5'’ ]")


def _tone(syllable: re.Match[str]) -> int:
    """Return the tone of a syllable, 0 if it has none."""
    for character in syllable[0]:
        if character in "12345":
            return int(character)
        if character in _TONE_MARKS:
            return _TONE_MARKS.index(character) + 1
    return 0


_LETTER = "A-Z_a-z\u00c0-\u058f\u1e00-\u1fff"
_KINDS = (re.compile(f"[{_LETTER}]"), re.compile("[0-9]"))


def _kind(character: str) -> re.Pattern[str] | None:
    """Return the characters that join this one in a word: letters, digits."""
    return next((kind for kind in _KINDS if kind.match(character)), None)


def _joined(before: str, after: str) -> bool:
    kind = _kind(after)
    return kind is not None and kind.match(before) is not None


def _fold(text: str) -> str:
    # Letter by letter, as str.lower() writes a sigma by its place in the word.
    return "".join(map(str.lower, text))


def _pattern(word: str) -> str:
    in_any_case = word == _fold(word)
    pattern = "".join(
        f"[{character}{character.upper()}]"
        if in_any_case and _fold(character.upper()) == character != character.upper()
        else re.escape(character)
        for character in word
    )
    if kind := _kind(word[0]):
        pattern = f"(?<!{kind.pattern}){pattern}"
    if kind := _kind(word[-1]):
        pattern = f"{pattern}(?!{kind.pattern})"
    return pattern
