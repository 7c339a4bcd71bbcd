"""Convert the service's word times to positions in the audio."""

from ..wire.protocol import WordTime
from .playback import Position
from .report import Word

CLEAR_START = 1.0
"""Seconds into the task from which on a sentence's times show their reference."""


class WordTimes:
    """The words of a task with their times in the whole audio.

    The service counts times from the start of the task or of the sentence.
    Documentation and live captures differ.

    Attributes:
        words: The words so far.
    """

    def __init__(self, start: Position) -> None:
        """Start a task at a position in the audio."""
        self.words: list[Word] = []
        self._task_start = start
        self._sentence_start = start
        self._from_task: bool | None = None

    def sentence_begins(self, at: Position) -> None:
        """Record where a sentence begins."""
        self._sentence_start = at

    def sentence_ends(self, words: tuple[WordTime, ...], at: Position) -> None:
        """Add the words of a sentence and record where it ends."""
        if words:
            start = self._start(words[0])
            self.words.extend(
                Word(text=word.text, begin=start + word.begin, end=start + word.end)
                for word in words
            )
        self._sentence_start = at

    def _start(self, first: WordTime) -> float:
        """Return the reference of a sentence's times, in seconds of the audio."""
        sentence, task = self._sentence_start, self._task_start
        silence = sentence.silence - task.silence
        position = sentence.seconds - task.seconds - silence
        from_task = self._from_task
        if from_task is None:
            from_task = first.begin > position / 2
            if position >= CLEAR_START:
                self._from_task = from_task
        return task.seconds + silence if from_task else sentence.seconds
