"""Track how much of a task's text was delivered as audio and what it cost.

After a lost connection the rest of the text is spoken by another task. The service
reports its progress in three ways, none of which is always there: the text of a
sentence that begins or ends, the billed characters so far, and the end of the task.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
import re
from typing import NamedTuple

from ..counting import count_characters, is_speakable
from ..errors import ProtocolError
from ..wire.protocol import Event, SentenceBegin, SentenceEnd, TaskFinished, Usage
from .matching import Letters, letters_of
from .playback import Position
from .report import Word
from .source import Part
from .words import WordTimes

UNBILLED_SHARE = 0.5
"""Fraction of the undelivered text that must also be unbilled before it is resent.

Otherwise the service may have reworded it."""

FRACTION = 0.5
"""A service sentence is part of a sent sentence if it has less than this fraction of
its letters."""

PACE = 10.0
"""Counted characters that a second of speech has, roughly, in any language."""

_TAG = re.compile(r"\[[a-z ]+\]")


class Cost(NamedTuple):
    """Billed characters or tokens of a task.

    Attributes:
        characters: Billed characters.
        estimated: True if the service did not report all of the cost.
        input_tokens: Billed tokens of text.
        output_tokens: Billed tokens of audio.
    """

    characters: int
    estimated: bool
    input_tokens: int = 0
    output_tokens: int = 0


class TaskProgress:
    """The text of one task, and the place up to which it was delivered.

    The service has spoken the text up to one index. The player has it up to the same
    index, or to an earlier one if the audio lags behind the reports.

    Attributes:
        size: Counted characters of the text given to the task.
        billed: Billed characters reported by the service, or None.
        heard: True once there was audio.
        in_sentence: True while the audio is inside a sentence.
        cut_short: True if the task was finished before all was spoken.
    """

    def __init__(
        self,
        start: Position,
        *,
        ssml: bool = False,
        lags: bool = False,
        by_tokens: bool = False,
        tags: bool = False,
    ) -> None:
        """Start without text.

        Args:
            start: End of the audio before this task.
            ssml: True if the text is SSML, which can only be resumed at its start.
            lags: True if audio lags behind the reports, see :class:`AudioWriter`.
            by_tokens: True if the model bills tokens.
            tags: True if the model makes sounds of tags such as ``[laughing]``. It is
                not known whether it reports and bills them with the words.
        """
        self.size = 0
        self.billed: int | None = None
        self.heard = False
        self.in_sentence = False
        self.cut_short = False
        self._start = start
        self._times = WordTimes(start)
        self._ssml = ssml
        self._lags = lags
        self._tokens: Usage | None = Usage(None) if by_tokens else None
        self._has_tags = tags
        self._text = ""
        self._words = ""  # The text, with blanks in place of its tags.
        self._letters = Letters()
        # Where each part ends, and the counted characters up to there.
        self._ends: list[int] = []
        self._sizes: list[int] = []
        self._whole: list[bool] = []
        self._spoken = 0
        self._delivered = 0
        # Counted characters up to an index, and the billed characters there.
        self._anchor_place = 0
        self._anchor_size = 0
        self._anchor_billed = 0
        self._contradicted = False  # the reported characters make no sense
        self._unmatched = 0  # sentences that were not found in the text
        self._reports_sentences = False
        self._reports_ends = False
        self._infers_ends = False  # a sentence began before the last one had ended
        self._under_way = False  # a sentence has begun at the service
        self._sentence: str | None = None
        self._finished = False

    @property
    def sent(self) -> bool:
        """True once text was given to the task."""
        return bool(self._ends)

    @property
    def words(self) -> list[Word]:
        """The words with their times."""
        return self._times.words

    @property
    def rest(self) -> list[Part]:
        """Sent text that was not completely delivered."""
        parts = []
        begin = self._delivered
        for end, whole in zip(self._ends, self._whole, strict=True):
            if is_speakable(self._text[begin:end]):
                parts.append(Part(self._text[begin:end], whole))
                begin = end
        return parts if is_speakable(self._words, self._delivered) else []

    @property
    def undelivered(self) -> int:
        """Code points of the sent text that were not completely delivered."""
        return len(self._text) - self._delivered

    @property
    def is_pending(self) -> bool:
        """True if the service has not spoken all of the text yet."""
        return is_speakable(self._words, self._spoken)

    @property
    def begun(self) -> bool:
        """True if at least one sentence was delivered."""
        return self._delivered > 0

    @property
    def known(self) -> bool:
        """True if ``rest`` is exact to the sentence."""
        if not self.heard:
            return True
        if self._ssml:
            return False
        has_reports = self._reports_sentences or self.billed is not None
        return has_reports or len(self._ends) == 1

    @property
    def is_broken_off(self) -> bool:
        """True if part of a sentence may have been delivered."""
        return self.in_sentence or self._delivered < self._spoken

    def add(self, part: Part) -> int:
        """Record sent text and return its counted characters."""
        size = count_characters(part.text, ssml=self._ssml)
        self._text += part.text
        words = self._without_tags(part.text)
        self._words = self._words + words if self._has_tags else self._text
        self._letters.add(words)
        self.size += size
        self._ends.append(len(self._text))
        self._sizes.append(self.size)
        self._whole.append(part.ends_sentence)
        return size

    def audio(self, *, given_out: bool) -> None:
        """Record audio.

        Args:
            given_out: False if it waits for the rest of its page.
        """
        if given_out:
            self._delivered = self._spoken
        self.heard = self.in_sentence = self._under_way = True

    def note(self, event: Event, at: Position) -> None:
        """Record an event of the service.

        Args:
            event: Any event except audio.
            at: End of the audio before it.

        Raises:
            ProtocolError: The task was finished before all was spoken.
        """
        match event:
            case Usage(None):
                self._tokens = event
            case Usage(int(characters)):
                self._note_usage(characters)
            case SentenceBegin(text):
                self._end_unreported()
                self._reports_sentences = self._under_way = True
                self._begin(text)
                self._times.sentence_begins(at)
            case SentenceEnd(text, words) if self._under_way:
                self._reports_sentences = self._reports_ends = True
                self._end(text or self._sentence)
                self._times.sentence_ends(words, at)
            case TaskFinished(asked):
                if self._infers_ends:
                    self._end_unreported()
                self._check_complete(asked)
                self._spoken = self._delivered = len(self._text)
                self._under_way = self.in_sentence = False
                self._finished = True
        if not self._lags:
            self._delivered = self._spoken

    def note_cancelled(self, events: Iterable[Event]) -> None:
        """Take in the bill of a task that was cancelled.

        Args:
            events: What the service sent up to its confirmation.
        """
        for event in events:
            if isinstance(event, Usage):
                self.note(event, Position(0.0, 0.0))
        self._finished = True

    def cost(self, at: Position) -> Cost:
        """Return the cost of the task so far, as far as tokens were reported.

        Args:
            at: End of the audio.
        """
        if not self.sent:
            return Cost(0, estimated=False)
        if self._tokens is not None and self.billed is None:
            tokens = (self._tokens.input_tokens, self._tokens.output_tokens)
            return Cost(0, not (self._finished and any(tokens)), *tokens)
        if self._finished:
            size = self.size if self.billed is None else self.billed
            return Cost(size, estimated=self.billed is None)
        if not self._reports_sentences:
            size = self._size_by_pace(at) if self.billed is None else self.billed
            return Cost(size, estimated=True)
        spoken = count_characters(self._text[: self._spoken], ssml=self._ssml)
        spoken = max(spoken, self.billed or 0)
        return Cost(min(spoken + self._size_under_way(), self.size), estimated=True)

    def _size_by_pace(self, at: Position) -> int:
        """Return the counted characters of the parts that the audio may have."""
        if not self.heard:
            return 0
        seconds = at.seconds - at.silence - (self._start.seconds - self._start.silence)
        part = bisect_left(self._sizes, seconds * PACE)
        return self._sizes[min(part, len(self._sizes) - 1)]

    def _size_under_way(self) -> int:
        """Return the counted characters of the sentence that is being spoken."""
        if not self._under_way:
            return 0
        if self._sentence:
            return count_characters(self._sentence)
        text = self._text[self._spoken : self._end_under_way()]
        return count_characters(text, ssml=self._ssml)

    def _end_under_way(self) -> int:
        """Return the end of the part that is spoken now or next."""
        part = bisect_right(self._ends, self._spoken)
        return self._ends[part] if part < len(self._ends) else self._spoken

    # Sentences

    def _without_tags(self, text: str) -> str:
        """Return a text with blanks in place of its tags, as long as before."""
        if not self._has_tags:
            return text
        return _TAG.sub(lambda tag: " " * len(tag[0]), text)

    def _begin(self, text: str | None) -> None:
        """Let a sentence that begins end the unmatched ones before it."""
        self._sentence = text
        if self._unmatched and text and (found := self._find(text)):
            self._reach(found[0], matched=True)

    def _end_unreported(self) -> None:
        """End the sentence under way if the service reports only beginnings."""
        if self._reports_sentences and self.in_sentence and not self._reports_ends:
            self._infers_ends = True
            self._end(self._sentence)

    def _end(self, text: str | None) -> None:
        self._under_way = self.in_sentence = False
        self._sentence = None
        if text and (found := self._find(text)):
            # Within a part, the text may be only the beginning of the sentence.
            self._reach(found[1], matched=self._is_end(found[1]))
        else:
            self._reach(self._after_one_part(text, self.billed), matched=False)

    def _find(self, sentence: str) -> tuple[int, int] | None:
        """Return the start and end of a service sentence in the text, or None."""
        sentence = self._without_tags(sentence)
        if self._ssml or (found := self._letters.find(sentence, self._spoken)) is None:
            return None
        begin, end = found
        part = bisect_left(self._ends, end)
        if part < len(self._ends) and not is_speakable(
            self._words[end : self._ends[part]]
        ):
            end = self._ends[part]
        skipped = is_speakable(self._words[self._spoken : begin])
        if skipped and end > self._place_of(self.billed):
            return None
        return begin, end

    def _after_one_part(self, text: str | None, billed: int | None) -> int:
        """Return the index after one more part for an unmatched sentence.

        Never beyond the billed characters, as repeating text is better than losing it.
        """
        following = bisect_right(self._ends, self._spoken)
        if self._ssml or following == len(self._ends):
            return self._spoken
        end = self._ends[following]
        if text is not None:
            part = letters_of(self._words[self._spoken : end])
            if len(letters_of(self._without_tags(text))) < len(part) * FRACTION:
                return self._spoken
        return end if end <= self._place_of(billed) else self._spoken

    def _reach(self, place: int, *, matched: bool) -> None:
        self._spoken = max(self._spoken, place)
        self._unmatched = 0 if matched else self._unmatched + 1
        # Within a part, the bill may cover more than the words that were found.
        if matched and self.billed is not None and self._is_end(self._spoken):
            text = self._text[self._anchor_place : self._spoken]
            self._anchor_size += count_characters(text)
            self._anchor_place = self._spoken
            self._anchor_billed = self.billed

    def _is_end(self, place: int) -> bool:
        """Return whether a part ends at an index of the text, ignoring blanks."""
        part = bisect_right(self._ends, place)
        return part > 0 and not is_speakable(self._text[self._ends[part - 1] : place])

    # The bill

    def _note_usage(self, characters: int) -> None:
        """Store the billed count.

        It is the only sign of progress if sentences are not reported. The sentence
        that raised the count may be incomplete, so only those before it are counted.
        """
        if self._contradicted:
            return
        if self._reports_sentences and self.billed and characters != self.billed:
            is_alone = self._under_way and characters == self._size_under_way()
            if is_alone or characters < self.billed:
                # Not the sum of the sentences: they are counted here instead.
                self._contradicted, self.billed = True, None
                return
        rises = self.billed is not None and characters > self.billed
        if rises and not self._reports_sentences:
            self._reach(self._after_one_part(None, self.billed), matched=False)
        self.billed = characters

    def _place_of(self, billed: int | None) -> int:
        """Return the end of the last part covered by the billed characters.

        The end of the text if the count is missing or does not grow.
        """
        if billed is None or billed <= self._anchor_billed:
            return len(self._text)
        size = self._anchor_size + billed - self._anchor_billed
        covered = bisect_right(self._sizes, size + 1)  # A blank may not be billed.
        return self._ends[covered - 1] if covered else 0

    def _check_complete(self, asked: bool) -> None:
        """Raise an error if the service has not spoken everything."""
        self._delivered = self._spoken
        if not self.is_pending:
            return
        if self.billed is None:
            is_certain = self.in_sentence or not self._unmatched
            short = self._reports_sentences and is_certain
        else:
            billed = self.billed - self._anchor_billed
            missing = self.size - self._anchor_size - billed
            untouched = letters_of(self._words[self._begun_place() :])
            unspoken = untouched or letters_of(self._words[self._spoken :])
            short = missing >= count_characters(unspoken) * UNBILLED_SHARE
        self.cut_short = not self.heard or not asked or short
        if self.cut_short:
            raise ProtocolError("The service finished before all was spoken")

    def _begun_place(self) -> int:
        """Return the end of the last part that the service has begun to speak."""
        if not self._reports_sentences:
            return self._place_of(self.billed)
        return self._end_under_way() if self._under_way else self._spoken
