"""Decide which part of a text is spoken when."""

import asyncio
from collections import deque
from collections.abc import AsyncIterable, Iterable
import math
import re
from typing import Literal, NamedTuple, Protocol

from ..counting import is_speakable
from ..errors import CosyVoiceConnectionError
from ..timing import Timing
from .playback import Playback


class Piece(Protocol):
    """A part of a text that is being written.

    A sentence is the joined text of the pieces up to and including one whose ``end``
    is ``sentence``; after ``clause`` a long sentence can be cut.
    """

    @property
    def text(self) -> str:
        """Text, possibly empty."""

    @property
    def end(self) -> Literal["sentence", "clause", ""]:
        """Unit of text that ends with this piece."""


class Part(NamedTuple):
    """Text to send: a whole sentence or the beginning of one."""

    text: str
    ends_sentence: bool


class TextSource:
    """Hands out whole sentences, and parts of one if the player would run out.

    Marks that cannot be pronounced alone, such as a lone ``。``, are joined to the text
    after them. They are left out at the end of the text.

    Attributes:
        failure: Error of the text's source, which ends the text.
        ended: True if the whole text has been read.
        taken: Code points of the text that were handed out and not put back.
    """

    def __init__(
        self,
        text: str | AsyncIterable[Piece],
        playback: Playback,
        timing: Timing,
        *,
        whole: bool = False,
    ) -> None:
        """Prepare to read.

        Args:
            text: One sentence, or the pieces of a text that is still being written.
            playback: Audio that the player has.
            timing: Time limits.
            whole: Send the text in one part, as required for SSML.
        """
        self.failure: Exception | None = None
        self.ended = isinstance(text, str)
        self.taken = 0
        self._pieces = None if isinstance(text, str) else text
        self._playback = playback
        self._timing = timing
        self._whole = whole
        self._parts: deque[Part] = deque()
        self._open = ""
        self._clause = 0  # where the last clause of the open sentence ends
        self._open_since = 0.0
        self._piece_at = 0.0
        self._taken_at = -math.inf
        self._more = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None
        self._closing = False
        if isinstance(text, str):
            self._open = _sendable(text)
            self._close_sentence()

    @property
    def waiting(self) -> bool:
        """True if there is text to send now."""
        return bool(self._parts) or self._due() <= asyncio.get_running_loop().time()

    async def ready(self) -> bool:
        """Wait for text to send and return False at the end of the text.

        May be cancelled and called again: nothing is lost.
        """
        if self._reader is None and self._pieces is not None:
            self._reader = asyncio.create_task(
                self._read(self._pieces), name="CosyVoice text"
            )
        while not self.waiting:
            if self.ended:
                return False
            self._more.clear()
            due = self._due()
            try:
                async with asyncio.timeout_at(None if math.isinf(due) else due):
                    await self._more.wait()
            except TimeoutError:
                continue
        return True

    def peek(self) -> str:
        """Return the text to send now."""
        return self._parts[0].text if self._parts else self._open[: self._cut()]

    def pop(self) -> Part:
        """Remove the text to send now from the source and return it."""
        now = asyncio.get_running_loop().time()
        if self._parts:
            part = self._parts.popleft()
        else:
            cut = self._cut()
            part = Part(self._open[:cut], ends_sentence=False)
            self._open, self._clause = self._open[cut:], 0
            self._open_since = now
        self._taken_at = now
        self.taken += len(part.text)
        return part

    def put_back(self, parts: Iterable[Part]) -> None:
        """Insert parts before all others."""
        parts = tuple(parts)
        self.taken -= sum(len(part.text) for part in parts)
        self._parts.extendleft(reversed(parts))

    def fail(self, failure: Exception) -> None:
        """End the text with an error, whatever its source does."""
        self.failure = failure
        self.ended = True
        self._more.set()

    async def close(self) -> None:
        """Stop reading."""
        self._closing = True
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.wait({self._reader})
        if (close := getattr(self._pieces, "aclose", None)) is not None:
            await close()

    async def _read(self, pieces: AsyncIterable[Piece]) -> None:
        try:
            async for piece in pieces:
                self._take(piece)
        except asyncio.CancelledError:
            if self._closing:
                raise
            self.failure = CosyVoiceConnectionError("The text was cut off")
        except Exception as err:  # noqa: BLE001 - the source may raise anything
            self.failure = err
        self._close_sentence()
        self.ended = True
        self._more.set()

    def _take(self, piece: Piece) -> None:
        now = asyncio.get_running_loop().time()
        if not self._open:
            self._open_since = now
        if piece.text.strip():
            self._piece_at = now
        self._open += _sendable(piece.text)
        if piece.end == "clause" and is_speakable(self._open):
            self._clause = len(self._open)
        if piece.end == "sentence" and not self._whole:
            self._close_sentence()
        self._more.set()

    def _close_sentence(self) -> None:
        if is_speakable(self._open):
            self._parts.append(Part(self._open, ends_sentence=True))
            self._open, self._clause = "", 0

    def _due(self) -> float:
        """Return the loop time at which the open sentence is sent, or infinity."""
        if self._whole or not is_speakable(self._open):
            return math.inf
        return min(self._cut_due(), self._pause_due())

    def _cut_due(self) -> float:
        """Return when the player has waited too long for the end of the sentence."""
        if not self._clause:
            return math.inf
        waiting_since = max(
            self._open_since, self._taken_at, self._playback.speech_until
        )
        return waiting_since + self._timing.patience

    def _pause_due(self) -> float:
        """Return when the text counts as paused and all of it is sent.

        That is not before the player has little audio left. If text was sent whose
        audio has not arrived, it gets time to arrive.
        """
        due = max(
            self._piece_at + self._timing.text_pause,
            self._playback.speech_until - self._timing.text_ahead,
        )
        if self._playback.speech_at < self._taken_at:
            due = max(due, self._taken_at + self._timing.text_pause_limit)
        return due

    def _cut(self) -> int:
        """Return the length of the text of the open sentence to send now."""
        paused = self._pause_due() <= asyncio.get_running_loop().time()
        return len(self._open) if paused else self._clause


def _sendable(text: str) -> str:
    """Replace lone surrogates, which cannot be encoded."""
    return _SURROGATE.sub("\ufffd", text)


_SURROGATE = re.compile("[\ud800-\udfff]")
