"""How much of a task's text has been delivered as audio.

After a lost connection the rest of the text is spoken by another task. The service
reports its progress in three ways, none of which is always there: the text of a
finished sentence, the billed characters so far, and the end of the task.
"""

import re

from ..counting import count_characters
from ..errors import ProtocolError
from ..wire.protocol import (
    Event,
    SentenceBegin,
    SentenceEnd,
    TaskFinished,
    Usage,
    WordTime,
)
from .report import Word

UNBILLED_SHARE = 0.5
"""Share of a seemingly undelivered text that has to be missing in the bill as well:
the service may only have worded it otherwise."""

_SPEAKABLE = re.compile(r"[^\W_]")
_SENTENCE_END = re.compile(
    r"[。！？!?；;…\n]+[”’\"')）】」』]*\s*|\.[”’\"')]*(?:\s+|$)"
)


def is_speakable(text: str) -> bool:
    """Return True if there is something to pronounce: a letter, a Han or a digit.

    The service refuses a text of punctuation alone.
    """
    return _SPEAKABLE.search(text) is not None


class TaskProgress:
    """The text of one task, and the place up to which it was delivered.

    Attributes:
        sent: The text given to the task.
        size: Its counted characters.
        billed: Characters that the service has billed; None if it said nothing.
        heard: True once there was audio.
        in_sentence: True while the audio is in the middle of a sentence.
        words: Word times, as far as the service reported them.
    """

    def __init__(self, audio_start: float, *, ssml: bool = False) -> None:
        """Begin with nothing said.

        Args:
            audio_start: Seconds of audio that the listener got before this task.
            ssml: Whether the text is SSML, whose tags are not counted.
        """
        self.sent = ""
        self.size = 0
        self.billed: int | None = None
        self.heard = False
        self.in_sentence = False
        self.words: list[Word] = []
        self._ssml = ssml
        self._pieces = 0
        self._delivered = 0
        self._counted = 0
        self._reports_sentences = False
        self._sentence: str | None = None
        self._last_end: tuple[str | None, int] | None = None
        self._task_start = audio_start
        self._sentence_start = audio_start
        self._last_word_end = 0.0

    @property
    def rest(self) -> str:
        """What was sent but not completely delivered."""
        return self.sent[self._delivered :]

    @property
    def owed(self) -> bool:
        """True if the service still owes audio."""
        return _SPEAKABLE.search(self.sent, self._delivered) is not None

    @property
    def begun(self) -> bool:
        """True if at least one sentence was delivered."""
        return self._delivered > 0

    @property
    def known(self) -> bool:
        """True if ``rest`` is what the listener has not heard, to the sentence."""
        return self._reports_sentences or self._pieces <= 1 or not self.heard

    def add(self, text: str) -> None:
        """Note that text was sent."""
        self.sent += text
        self.size += count_characters(text, ssml=self._ssml)
        self._pieces += 1

    def audio(self) -> None:
        """Note that audio came."""
        self.heard = self.in_sentence = True

    def note(self, event: Event, audio_seconds: float) -> None:
        """Take in what the service reports.

        Args:
            event: Any event but audio.
            audio_seconds: Seconds of audio that the listener got before it.

        Raises:
            ProtocolError: The task was finished before all was spoken.
        """
        match event:
            case Usage(characters):
                self._note_usage(characters)
            case SentenceBegin(text):
                self._reports_sentences = True
                self._sentence = text
                self._sentence_start = audio_seconds
            case SentenceEnd(text, words):
                self._reports_sentences = True
                self.in_sentence = False
                if not self._is_repeated(text):
                    self._sentence_delivered(text or self._sentence, self.billed)
                    self._note_words(words)
                self._sentence = None
                self._sentence_start = audio_seconds
            case TaskFinished(asked):
                self._check_complete(asked)
                self._deliver(len(self.sent))
                self.in_sentence = False

    def _is_repeated(self, text: str | None) -> bool:
        """Return True if the same end came before: its text, and no further bill."""
        if self.billed is None:
            return False
        repeated = self._last_end == (text, self.billed)
        self._last_end = text, self.billed
        return repeated

    def _note_usage(self, characters: int) -> None:
        """Keep the count, which is also the progress of a service that says no more.

        The sentence that a higher count belongs to may still be under way, so only
        those before it are taken for delivered.
        """
        if not self._reports_sentences and characters > (self.billed or 0):
            self._sentence_delivered(None, self.billed)
        self.billed = characters

    def _sentence_delivered(self, text: str | None, characters: int | None) -> None:
        counted = None if characters is None else self._place_of(characters)
        if sentence := (text or "").strip():
            found = self.sent.find(sentence, self._delivered)
            end = found + len(sentence)
            if found >= 0 and (
                counted is None
                or end <= counted
                or not is_speakable(self.sent[self._delivered : found])
            ):
                self._deliver(end)
                return
        if counted is not None:
            self._deliver(self._sentence_before(counted))

    def _deliver(self, end: int) -> None:
        self._counted += count_characters(self.sent[self._delivered : end])
        self._delivered = end

    def _place_of(self, characters: int) -> int:
        """Return the place in the text at which so many characters are counted."""
        place, counted = self._delivered, self._counted
        while place < len(self.sent) and counted < characters:
            counted += count_characters(self.sent[place])
            place += 1
        return place

    def _sentence_before(self, place: int) -> int:
        """Return the last sentence end up to a place: better to repeat than to lose."""
        if place == len(self.sent):
            return place
        end = self._delivered
        for match in _SENTENCE_END.finditer(self.sent, self._delivered):
            if match.end() > place + 1:
                break
            end = match.end()
        return end

    def _check_complete(self, asked: bool) -> None:
        if not self.owed:
            return
        if self.billed is None:
            short = self.in_sentence
        else:
            owed = count_characters("".join(_SPEAKABLE.findall(self.rest)))
            short = self.size - self.billed >= owed * UNBILLED_SHARE
        if not self.heard or not asked or (short and self._reports_sentences):
            raise ProtocolError("The service finished before all was spoken")

    def _note_words(self, words: tuple[WordTime, ...]) -> None:
        """Place words in the audio.

        The service counts a word's time from the start of the task or of its
        sentence; it is the latter if time seems to run backwards.
        """
        if not words:
            return
        start = self._task_start
        if words[0].begin < self._last_word_end:
            start = self._sentence_start
        self._last_word_end = words[-1].end
        self.words.extend(
            Word(text=word.text, begin=start + word.begin, end=start + word.end)
            for word in words
        )
