"""Pauses after failures."""


class Backoff:
    """The pauses after failures in a row, each twice as long as the last one."""

    def __init__(self, first: float, longest: float) -> None:
        """Begin with the first pause.

        Args:
            first: Seconds after the first failure.
            longest: Seconds at most.
        """
        self._first = first
        self._longest = longest
        self._next = first

    def pause(self) -> float:
        """Return the seconds to wait after one more failure."""
        pause = min(self._next, self._longest)
        self._next = 2 * pause
        return pause

    def reset(self) -> None:
        """Begin again with the first pause, after a success."""
        self._next = self._first
