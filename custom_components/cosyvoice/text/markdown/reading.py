"""Read a text that arrives in chunks with the same result as the whole text."""

from collections.abc import Callable
import re

LOOK_AHEAD = 200
"""Characters that are read ahead at most to decide about a mark."""


class StepReader:
    """Reads a text in steps, each of which waits for what it depends on.

    A step advances in the text or sets the next step. It raises
    :class:`UndecidedError`, before any other change, if its result depends on text
    that has not arrived. It is repeated when more text is there. So the steps are the
    same wherever the text was cut.
    """

    def __init__(self, first_step: Callable[[], None]) -> None:
        """Begin with an empty text."""
        self._step = first_step
        self._text = ""  # One decided character, then the undecided ones.
        self._at = 0  # The index of the first undecided character.
        self._final = False  # The text is complete.

    def _read(self) -> None:
        """Take all steps that the text allows."""
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
        """Return a character, or an empty string at the end of the text."""
        if index >= len(self._text) and not self._final:
            raise UndecidedError
        return self._text[index : index + 1]

    def _before(self) -> str:
        """Return the previous character, or an empty string at the beginning."""
        return self._text[self._at - 1 : self._at] if self._at else ""

    def _run(self, pattern: re.Pattern[str]) -> tuple[str, str]:
        """Return the match of a pattern here and the character after it."""
        run = self._here(pattern)
        return run, self._character(self._at + len(run))

    def _here(self, pattern: re.Pattern[str]) -> str:
        """Return the match of a pattern here, or an empty string."""
        match = pattern.match(self._text, self._at, self._at + LOOK_AHEAD)
        return match[0] if match else ""

    def _whole(self, whole: re.Pattern[str], begun: re.Pattern[str]) -> str:
        """Return the match of a pattern here, if need be when more has arrived."""
        if found := self._here(whole):
            return found
        self._wait_for(begun)
        return ""

    def _wait_for(self, begun: re.Pattern[str]) -> None:
        """Wait for more text while the text here may become a match."""
        if not self._has_arrived(self._at) and self._begun(begun):
            raise UndecidedError

    def _begun(self, begun: re.Pattern[str]) -> str:
        """Return the text that is read ahead, if the pattern matches all of it."""
        match = begun.fullmatch(self._text, self._at, self._at + LOOK_AHEAD)
        return match[0] if match else ""

    def _has_arrived(self, start: int) -> bool:
        """Return whether all text that may be read ahead has arrived."""
        return self._final or len(self._text) - start >= LOOK_AHEAD


class UndecidedError(Exception):
    """The meaning depends on text that has not arrived."""
