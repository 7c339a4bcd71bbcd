"""Reading a text that arrives in pieces as if it were there as a whole."""

from collections.abc import Callable
import re

LOOK_AHEAD = 200
"""Characters that are looked at, and so held back, at most to decide about a mark."""


class PieceReader:
    """Reads a text in steps, each of which waits for what it depends on.

    A step moves on in the text, or on to another step. It raises
    :class:`UndecidedError`, before it has changed anything else, if what it would do
    depends on text that has not arrived; it is then taken again when more has. So
    the steps taken are the same wherever the text was cut.
    """

    def __init__(self, first_step: Callable[[], None]) -> None:
        """Begin with an empty text."""
        self._step = first_step
        self._text = ""  # What is not decided yet, after one character that is.
        self._at = 0  # Where in _text the first undecided character is.
        self._final = False  # Nothing follows _text.

    def _read(self) -> None:
        """Take all steps that can be taken."""
        while self._at < len(self._text):
            step = self._step
            try:
                step()
            except UndecidedError:
                self._step = step
                break
        kept = min(self._at, 1)
        self._text = self._text[self._at - kept :]
        self._at = kept

    def _character(self, index: int) -> str:
        """Return a character, or nothing at the end of the text."""
        if index >= len(self._text) and not self._final:
            raise UndecidedError
        return self._text[index : index + 1]

    def _before(self) -> str:
        """Return the character before this one, or nothing at the beginning."""
        return self._text[self._at - 1 : self._at] if self._at else ""

    def _run(self, pattern: re.Pattern[str]) -> tuple[str, str]:
        """Return what the pattern matches here, and the character after it."""
        run = self._here(pattern)
        return run, self._character(self._at + len(run))

    def _here(self, pattern: re.Pattern[str]) -> str:
        """Return what the pattern matches here, nothing if it does not."""
        match = pattern.match(self._text, self._at, self._at + LOOK_AHEAD)
        return match[0] if match else ""

    def _whole(self, whole: re.Pattern[str], begun: re.Pattern[str]) -> str:
        """Return what is here; wait for the rest if it has only begun."""
        if found := self._here(whole):
            return found
        self._wait_for(begun)
        return ""

    def _wait_for(self, begun: re.Pattern[str]) -> None:
        """Wait for the rest of what has begun here."""
        if not self._has_arrived(self._at) and self._begun(begun):
            raise UndecidedError

    def _begun(self, begun: re.Pattern[str]) -> str:
        """Return all that is looked at from here on, if the pattern matches it."""
        match = begun.fullmatch(self._text, self._at, self._at + LOOK_AHEAD)
        return match[0] if match else ""

    def _has_arrived(self, start: int) -> bool:
        """Return whether all that is looked at from there on has arrived."""
        return self._final or len(self._text) - start >= LOOK_AHEAD


class UndecidedError(Exception):
    """More text decides what this text means."""
