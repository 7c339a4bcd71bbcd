"""What is spoken of a marked-up text, put together: gaps, pauses, ends of sentences."""

from ..characters import CLOSERS, STOPS, is_cjk

_PAUSE = ","


class SpokenText:
    """Collects what is spoken and separates it as speech needs it.

    Attributes:
        started: Something of the line was spoken.
        sentence: The line is a sentence by itself: it ends with a full stop, which is
            added if it has none, because the service may read on over a line break.
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
        """Return what was collected since the last call."""
        taken = "".join(self._parts)
        self._parts.clear()
        return taken

    def say(self, text: str) -> None:
        """Add text, after the gap before it."""
        if not text:
            return
        if self.started:
            self._fill_gap(text[0])
        self._gap = ""
        self._picture = False
        self.started = True
        self._breaks = 0
        self._add(text)
        for character in reversed(text):
            if character.isalpha() or is_cjk(character):
                self._cjk = is_cjk(character)
                break

    def space(self) -> None:
        """Separate words: at once after the end of a sentence, else before a word."""
        if not self.started or self._gap or self._tail.endswith(" "):
            return
        if self._tail[-1] in STOPS and not self.sentence:
            self._add(" ")
        else:
            self._gap = " "

    def picture(self) -> None:
        """Leave out something that has no sound."""
        self._picture = True

    def pause(self) -> None:
        """Separate parts of a sentence."""
        self._gap = _PAUSE

    def end_sentence(self) -> None:
        """End what is a sentence by itself, if no mark has ended it."""
        if self.sentence and self.started and not self._has_stopped():
            self._add("。" if self._cjk else ".")
        self.started = False
        self.sentence = False
        self._gap = ""
        self._picture = False

    def end_line(self) -> None:
        """Break the line; more than one empty line is not kept."""
        if self._breaks < 2:
            self._add("\n")
            self._breaks += 1

    def _fill_gap(self, following: str) -> None:
        last = self._tail[-1]
        if self._gap == _PAUSE and not self._has_stopped():
            self._add("，" if self._cjk else ", ")
        elif self._gap == _PAUSE:
            if last.isascii() and last != " ":
                self._add(" ")
        elif self._gap:
            if not (self._picture and following in STOPS):
                self._add(" ")
        elif self._picture and _is_word(last) and _is_word(following):
            self._add(" ")

    def _has_stopped(self) -> bool:
        return self._tail.rstrip(CLOSERS + " ")[-1:] in STOPS

    def _add(self, text: str) -> None:
        self._parts.append(text)
        self._tail = (self._tail + text)[-8:] if len(text) < 8 else text[-8:]


def _is_word(character: str) -> bool:
    return character.isalnum() and not is_cjk(character)
