"""The text of an utterance, sentence by sentence, also while it is being written."""

import asyncio
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator

from ...text.characters import is_speakable
from ...text.sentences import SentenceSplitter


class TextSource:
    """Hands out finished sentences.

    What cannot be pronounced, such as a lone ``。``, comes together with the
    sentence after it; at the end of the text it is left out.

    Attributes:
        failure: What the source of the text raised; the text ends there.
    """

    def __init__(self, text: str | AsyncIterable[str], *, whole: bool = False) -> None:
        """Prepare to read.

        Args:
            text: The text, or the pieces of a text that is still being written.
            whole: Hand out the text in one piece, as SSML must be.
        """
        self.failure: Exception | None = None
        pieces = _pieces(text) if isinstance(text, str) else text
        self._pieces: AsyncIterator[str] = aiter(pieces)
        self._whole = whole
        self._splitter = SentenceSplitter()
        self._unspoken = ""
        self._sentences: deque[str] = deque()
        self._ended = False
        self._next_piece: asyncio.Task[str | None] | None = None

    async def ready(self) -> bool:
        """Wait for the next sentence; return False if there is none left.

        May be cancelled and called again: nothing is lost.
        """
        while not self._sentences and not self._ended:
            if self._next_piece is None:
                self._next_piece = asyncio.create_task(self._read())
            await asyncio.wait({self._next_piece})
            piece, self._next_piece = self._next_piece.result(), None
            if piece is None:
                self._ended = True
                self._take(self._splitter.rest())
            elif self._whole:
                self._unspoken += piece
            else:
                for sentence in self._splitter.push(piece):
                    self._take(sentence)
        return bool(self._sentences)

    @property
    def waiting(self) -> bool:
        """True if a sentence is ready."""
        return bool(self._sentences)

    @property
    def ended(self) -> bool:
        """True if the whole text has been read."""
        return self._ended

    def peek(self) -> str:
        """Return the sentence that is ready."""
        return self._sentences[0]

    def pop(self) -> str:
        """Return the sentence that is ready, and go on to the next one."""
        return self._sentences.popleft()

    def put_back(self, text: str) -> None:
        """Have a text handed out again before all others."""
        splitter = SentenceSplitter()
        sentences = [text] if self._whole else [*splitter.push(text), splitter.rest()]
        self._sentences.extendleft(filter(is_speakable, reversed(sentences)))

    async def close(self) -> None:
        """Stop reading."""
        if self._next_piece is not None:
            self._next_piece.cancel()
            await asyncio.wait({self._next_piece})
            self._next_piece = None
        if (close := getattr(self._pieces, "aclose", None)) is not None:
            await close()

    async def _read(self) -> str | None:
        try:
            return await anext(self._pieces, None)
        except Exception as err:  # noqa: BLE001 - the source may raise anything
            self.failure = err
            return None

    def _take(self, sentence: str) -> None:
        self._unspoken += sentence
        if is_speakable(self._unspoken):
            self._sentences.append(self._unspoken)
            self._unspoken = ""


async def _pieces(text: str) -> AsyncIterator[str]:
    yield text
