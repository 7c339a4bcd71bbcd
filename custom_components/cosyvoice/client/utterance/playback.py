"""What the listener has, and when it runs dry."""

import asyncio
import math
from typing import NamedTuple

from ..audio.silence import Silence
from ..audio.writer import AudioWriter
from ..timing import Timing

SILENCE_STEP = 0.1
"""Seconds of silence that are given to a listener at a time."""


class Position(NamedTuple):
    """A place in the audio.

    Attributes:
        seconds: Seconds from the start of the whole audio.
        silence: Seconds of it that are not of the service.
    """

    seconds: float
    silence: float


class Playback:
    """The audio that was given out, played as it came.

    The listener is taken to play in real time from the first audio on, and to wait
    for more whenever all of it has been played.

    Attributes:
        silence: Seconds of silence given out, in ``seconds`` as well.
        speech_at: When the last speech was given out, in the loop's time; minus
            infinity before any was.
        speech_until: When the last speech will have been played; the same.
        lags: True if a sentence may be complete before its audio was given out.
    """

    def __init__(
        self, writer: AudioWriter, around: Silence, timing: Timing, *, fill: bool
    ) -> None:
        """Prepare to play.

        Args:
            writer: Makes one stream of all audio.
            around: What to put before and after the speech.
            timing: The limits to keep.
            fill: Give silence to a listener who would run dry.
        """
        self.silence = 0.0
        self.speech_at = -math.inf
        self.speech_until = -math.inf
        self.lags = writer.lags
        self._writer = writer
        self._around = around
        self._timing = timing
        self._fill = fill
        self._begun = 0.0
        self._playing_since: float | None = None

    @property
    def seconds(self) -> float:
        """Seconds of audio given out."""
        return self._writer.seconds

    @property
    def position(self) -> Position:
        """The end of the audio given out."""
        return Position(self._writer.seconds, self.silence)

    @property
    def speech_seconds(self) -> float:
        """Seconds of speech given out."""
        return self._writer.seconds - self.silence

    @property
    def silence_due(self) -> float:
        """When the listener needs silence, in the loop's time; infinite if never."""
        if not self._fill:
            return math.inf
        if math.isinf(self.speech_at):
            due = self._begun + self._timing.first_silence
        else:
            due = self.speech_at + self._timing.stall
        if self._playing_since is None:
            return due
        dry_at = self._playing_since + self.seconds
        return max(due, dry_at - self._timing.low_water)

    def begin(self) -> bytes:
        """Return what goes out before any audio; the listener waits from now on."""
        self._begun = asyncio.get_running_loop().time()
        return self._writer.header()

    def speech(self, data: bytes) -> bytes:
        """Take bytes of the service; return what can be given out with them.

        Raises:
            ProtocolError: The audio is damaged.
        """
        before = self.seconds
        if audio := self._writer.feed(data):
            self.speech_at = asyncio.get_running_loop().time()
            self.speech_until = self._play(before) + self.seconds
        return audio

    def end_task(self) -> None:
        """End a complete task.

        Raises:
            ProtocolError: The audio is cut off.
        """
        self._writer.end_task()

    def abort_task(self) -> None:
        """Drop what is held back of a lost task."""
        self._writer.abort_task()

    def lead_in(self) -> bytes:
        """Return the silence before the speech."""
        return self._quiet(self._around.before())

    def fill(self) -> bytes:
        """Return silence for a listener who would run dry; empty if there is none."""
        silence = self._quiet(SILENCE_STEP)
        self._fill = bool(silence)
        return silence

    def finish(self) -> bytes:
        """Return the silence after the speech, and what ends the stream."""
        silence = self._quiet(self._around.after(self.seconds))
        return silence + self._writer.finish()

    def _quiet(self, seconds: float) -> bytes:
        before = self.seconds
        if silence := self._writer.silence(seconds):
            self._play(before)
            self.silence += self.seconds - before
        return silence

    def _play(self, before: float) -> float:
        """Return since when the listener plays, who ran dry if all was played by now.

        Args:
            before: Seconds of audio given out before this moment.
        """
        since = asyncio.get_running_loop().time() - before
        if self._playing_since is not None:
            since = max(since, self._playing_since)
        self._playing_since = since
        return since
