"""Join the spoken parts of a text: spaces, pauses, ends of sentences."""

from ..characters import CLOSERS, STOPS, is_cjk

_PAUSE = ","


class SpokenText:
    """Collects spoken text and separates its parts.

    Attributes:
        started: Whether the line has spoken text.
        sentence: Whether the line is a sentence. A full stop is added if it has none,
            because the service may read on over a line break.
    """

    def __init__(self) -> None:
        """Begin with an empty text."""
        self.started = False
        self.sentence = False
        self._parts: list[str] = []
        self._tail = ""
        self._gap = ""
        self._picture = False
        self._cjk = False
        self._breaks = 2

    def take(self) -> str:
        """Return the text collected since the last call."""
        taken = "".join(self._parts)
        self._parts.clear()
        return taken

    def add(self, text: str) -> None:
        """Add text, after the gap before it."""
        if not text:
            return
        if self.started:
            self._fill_gap(text[0])
        self._gap = ""
        self._picture = False
        self.started = True
        self._breaks = 0
        self._append(text)
        for character in reversed(text):
            if character.isalpha() or is_cjk(character):
                self._cjk = is_cjk(character)
                break

    def space(self) -> None:
        """Separate words: now after the end of a sentence, otherwise before a word."""
        if not self.started or self._gap or self._tail.endswith(" "):
            return
        if self._tail[-1] in STOPS and not self.sentence:
            self._append(" ")
        else:
            self._gap = " "

    def picture(self) -> None:
        """Leave out something without a sound."""
        self._picture = True

    def pause(self) -> None:
        """Separate parts of a sentence."""
        self._gap = _PAUSE

    def end_sentence(self) -> None:
        """End a line that is a sentence with a full stop, unless a mark ended it."""
        if self.sentence and self.started and not self._has_stopped():
            self._append("。" if self._cjk else ".")
        self.started = False
        self.sentence = False
        self._gap = ""
        self._picture = False

    def end_line(self) -> None:
        """Break the line, but keep no more than one empty line."""
        if self._breaks < 2:
            self._append("\n")
            self._breaks += 1

    def _fill_gap(self, following: str) -> None:
        last = self._tail[-1]
        if self._gap == _PAUSE and not self._has_stopped():
            self._append("，" if self._cjk else ", ")
        elif self._gap == _PAUSE:
            if last.isascii() and last != " ":
                self._append(" ")
        elif self._gap:
            if not (self._picture and following in STOPS):
                self._append(" ")
        elif self._picture and _is_word(last) and _is_word(following):
            self._append(" ")

    def _has_stopped(self) -> bool:
        return self._tail.rstrip(CLOSERS + " ")[-1:] in STOPS

    def _append(self, text: str) -> None:
        self._parts.append(text)
        self._tail = (self._tail + text)[-8:] if len(text) < 8 else text[-8:]


def _is_word(character: str) -> bool:
    return character.isalnum() and not is_cjk(character)
