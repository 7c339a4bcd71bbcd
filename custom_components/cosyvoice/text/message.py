"""A message that is read, cleaned and cut once, and can be replayed."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Mapping
from html import unescape
import re

from ..client.errors import CosyVoiceConnectionError, EmptyTextError, TextTooLongError
from .characters import is_speakable, scrub
from .markdown.cleaning import SpeakableText
from .pronunciation import Replacer
from .sentences import Piece, PieceSplitter
from .ssml import SSML_OPENING, check_ssml, is_ssml
from .tags import TagFilter, filtered_length, has_sound, with_tags, without_tags

LONGEST_MESSAGE = 200_000
"""Characters of the longest message: many hours of speech."""

_PART = 2000
"""Characters that are processed before other tasks may run."""
_PROBE = 1000
"""Characters that are searched for a word at a time."""
_STOP_PAUSE = 0.05
"""Seconds without text after which a full stop ends its sentence."""
_PAUSE = 0.35
"""Seconds without text after which no words wait for later text."""


class Message:
    """The text of a message, which may still be being written.

    Attributes:
        first_sentence: Set when speech is due: the first sentence is complete, or the
            text pauses or ends.
    """

    def __init__(
        self,
        source: AsyncIterable[str],
        *,
        clean: bool,
        pronunciations: Mapping[str, str],
        longest: int = LONGEST_MESSAGE,
        tags: bool = False,
    ) -> None:
        """Prepare to read.

        :meth:`fetch` reads.

        Args:
            source: The text in chunks of any length.
            clean: Whether to leave out Markdown, HTML, emoji and the like.
            pronunciations: Words and what to speak in their place.
            longest: Characters of the longest message.
            tags: Whether the model knows tags such as ``[laughing]``, which are left
                out otherwise.
        """
        self.first_sentence = asyncio.Event()
        self._source = source
        self._longest = longest
        self._cleaner = SpeakableText() if clean else None
        self._tags = TagFilter(keep=tags)
        self._replacer = Replacer(pronunciations)
        self._splitter = PieceSplitter()
        self._arrived: list[str] = []
        self._written: list[str] = []
        self._pieces: list[Piece] = []
        self._blank: list[str] = []  # The spaces before the text.
        self._opening = ""  # The text, as long as it may be SSML.
        self._is_ssml: bool | None = None
        self._decided = asyncio.Event()
        self._more = asyncio.Event()
        self._error: Exception | None = None
        self._ended = False
        self._timer: asyncio.TimerHandle | None = None

    @property
    def arrived(self) -> str:
        """The text of the source so far."""
        return "".join(self._arrived)

    @property
    def written(self) -> str:
        """The cleaned text so far, without pronunciations, tags and SSML's markup."""
        text = "".join(self._written)
        if self._is_ssml:
            return _without_markup(text)
        return without_tags(with_tags(text))

    async def fetch(self) -> None:
        """Read the source to its end.

        Run it as a task.
        """
        loop = asyncio.get_running_loop()
        length = 0
        try:
            async for text in self._source:
                self._stop_timer()
                length += len(text)
                _check_length(length, self._longest)
                self._arrived.append(text)
                for start in range(0, len(text), _PART):
                    if start:
                        await asyncio.sleep(0)
                    self._take(text[start : start + _PART])
                self._timer = loop.call_later(_STOP_PAUSE, self._short_pause)
        except asyncio.CancelledError:
            self._error = CosyVoiceConnectionError("The text was cut off")
            raise
        except Exception as err:  # noqa: BLE001 - the reader's to handle
            self._error = err
        finally:
            self._stop_timer()
            self._finish()

    async def is_ssml(self) -> bool:
        """Return whether the message is SSML, which is then complete and valid.

        Raises:
            SsmlError: The document is not valid.
            EmptyTextError: The message is empty, or its document has no text.
            TextTooLongError: The document is too long.
            Exception: The source failed before this was decided.
        """
        await self._decided.wait()
        if self._error and self._is_ssml is not False:
            raise self._error
        return bool(self._is_ssml)

    async def pieces(self) -> AsyncGenerator[Piece]:
        """Yield the text to speak from its start, for one reader at a time.

        SSML is one piece.

        Raises:
            EmptyTextError: The message has nothing that can be spoken.
            Exception: The source failed here.
        """
        async for piece in self._replay(self._pieces):
            yield piece

    async def plain(self, start: int = 0) -> AsyncGenerator[str]:
        """Yield the cleaned text for another engine, without pronunciations.

        Args:
            start: The code point of the joined pieces to begin with.

        Raises:
            Exception: The message is not valid, or the source failed here.
        """
        if await self.is_ssml():
            yield _without_markup("".join(self._written)[start:])
            return
        spoken = "".join(piece.text for piece in self._pieces)[:start]
        skip = self._replacer.position(filtered_length(spoken))
        cleaner = None if self._cleaner else SpeakableText()
        tags = TagFilter(keep=False)
        async for text in self._replay(self._written):
            rest, skip = tags.push(with_tags(text[skip:])), max(0, skip - len(text))
            if rest := cleaner.push(rest) if cleaner else rest:
                yield rest
        rest = tags.finish()
        if rest := cleaner.push(rest) + cleaner.finish() if cleaner else rest:
            yield rest

    async def _replay[T](self, items: list[T]) -> AsyncGenerator[T]:
        read = 0
        while True:
            while read < len(items):
                read += 1
                yield items[read - 1]
            if self._ended:
                break
            self._more.clear()
            await self._more.wait()
        if self._error:
            raise self._error

    def _take(self, text: str) -> None:
        if self._is_ssml is None:
            self._open(text)
        elif self._is_ssml:
            self._written.append(scrub(text))
        else:
            self._speak(text)

    def _open(self, text: str) -> None:
        """Decide whether the text is SSML, when enough of it is there."""
        if not (self._opening or scrub(text).strip()):
            self._blank.append(scrub(text))
            return
        self._opening += text
        opening = scrub(self._opening).lstrip()
        if len(opening) <= len(SSML_OPENING) and SSML_OPENING.startswith(opening):
            return
        self._is_ssml = is_ssml(opening)
        if self._is_ssml:
            self._written += [*self._blank, scrub(self._opening)]
        else:
            self._decided.set()
            self._speak(self._opening)

    def _speak(self, text: str) -> None:
        text = self._cleaner.push(text) if self._cleaner else scrub(text)
        self._write(self._tags.push(text))

    def _write(self, text: str) -> None:
        if text:
            self._written.append(text)
            self._add(self._splitter.push(self._replacer.push(text)))

    def _release(self, text: str) -> None:
        """Process the text that waits for later text, and that of the tag filter."""
        self._write(text)
        self._add(self._splitter.push(self._replacer.finish()))

    def _add(self, pieces: list[Piece]) -> None:
        self._pieces += [Piece(with_tags(text), end) for text, end in pieces]
        if any(piece.end == "sentence" for piece in pieces):
            self.first_sentence.set()
        self._more.set()

    def _short_pause(self) -> None:
        self._add(self._splitter.pause(long=False))
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(_PAUSE - _STOP_PAUSE, self._long_pause)

    def _long_pause(self) -> None:
        cleaned = self._cleaner.release() if self._cleaner else ""
        self._release(self._tags.push(cleaned) + self._tags.pause())
        self._add(self._splitter.pause(long=True))
        if self._pieces:
            self.first_sentence.set()

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()

    def _finish(self) -> None:
        """Process the rest of the text and wake all readers."""
        if self._is_ssml:
            self._finish_document()
        else:
            if self._is_ssml is None and self._opening:
                self._is_ssml = False
                self._speak(self._opening)
            cleaned = self._cleaner.finish() if self._cleaner else ""
            self._release(self._tags.push(cleaned) + self._tags.finish())
            self._add(self._splitter.finish())
            if self._pieces and has_sound(self._splitter.left_over):
                self._add([Piece(self._splitter.left_over, "sentence")])
            if not self._pieces and not self._error:
                self._error = EmptyTextError("The text has nothing that can be spoken")
        self._ended = True
        self._decided.set()
        self.first_sentence.set()
        self._more.set()

    def _finish_document(self) -> None:
        if self._error:
            return
        document = "".join(self._written)
        try:
            check_ssml(document)
        except Exception as err:  # noqa: BLE001 - the reader's to handle
            self._error = err
        else:
            self._pieces.append(Piece(document, "sentence"))


def check_message(text: str, *, clean: bool) -> None:
    """Check a whole text as :class:`Message` does, before anything is spoken.

    Raises:
        EmptyTextError: The text has nothing that can be spoken.
        SsmlError: The text is SSML and not valid.
        TextTooLongError: The text is longer than :data:`LONGEST_MESSAGE`.
    """
    _check_length(len(text), LONGEST_MESSAGE)
    document = scrub(text)
    if is_ssml(document):
        check_ssml(document)
        return
    cleaner = SpeakableText() if clean else None
    tags = TagFilter(keep=False)
    for start in range(0, len(text), _PROBE):
        part = text[start : start + _PROBE]
        if is_speakable(tags.push(cleaner.push(part) if cleaner else part)):
            return
    rest = tags.push(cleaner.finish() if cleaner else "") + tags.finish()
    if not is_speakable(rest):
        raise EmptyTextError("The text has nothing that can be spoken")


def _check_length(length: int, longest: int) -> None:
    if length > longest:
        raise TextTooLongError(f"The text has more than {longest:,} characters")


def _without_markup(document: str) -> str:
    return unescape(_TAG.sub(" ", document))


_TAG = re.compile(r"<[^>]*>")
