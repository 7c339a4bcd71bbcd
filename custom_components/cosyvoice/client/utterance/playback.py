"""Track what the player has received and when it needs more."""

import asyncio
import math
from typing import NamedTuple

from ..audio.pcm import PcmWriter
from ..audio.silence import Silence
from ..audio.writer import AudioWriter
from ..timing import Timing

SILENCE_STEP = 0.1
"""Seconds of filler silence per chunk."""


class Position(NamedTuple):
    """A position in the audio.

    Attributes:
        seconds: Seconds from the start of the whole audio.
        silence: Seconds of silence up to here that the client added.
    """

    seconds: float
    silence: float


class Playback:
    """The audio delivered to a player.

    The player is assumed to play in real time from the first audio on. After an
    underrun it continues with the next audio.

    Attributes:
        silence: Seconds of added silence, included in ``seconds``.
        speech_at: Loop time at which the last speech was delivered, or minus infinity.
        speech_until: Loop time at which that speech has been played, or minus infinity.
        lags: True if a sentence may be reported complete before its audio was delivered.
    """

    def __init__(
        self, writer: AudioWriter, around: Silence, timing: Timing, *, fill: bool
    ) -> None:
        """Prepare an empty stream.

        Args:
            writer: Joins all audio to one stream.
            around: Silence before and after the speech.
            timing: Time limits.
            fill: Add silence before the player runs out of audio.
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
        """Seconds of audio delivered."""
        return self._writer.seconds

    @property
    def position(self) -> Position:
        """End of the delivered audio."""
        return Position(self._writer.seconds, self.silence)

    @property
    def speech_seconds(self) -> float:
        """Seconds of speech delivered."""
        return self._writer.seconds - self.silence

    @property
    def lead(self) -> float:
        """Seconds of delivered audio that the player has not played yet."""
        if self._playing_since is None:
            return 0.0
        return self._playing_since + self.seconds - asyncio.get_running_loop().time()

    @property
    def silence_due(self) -> float | None:
        """Loop time at which filler silence is due, or None.

        Compressed audio begins with speech: until then an error can take its place.
        """
        if not self._fill:
            return None
        if not math.isinf(self.speech_at):
            due = self.speech_at + self._timing.stall
        elif isinstance(self._writer, PcmWriter):
            due = self._begun + self._timing.first_silence
        else:
            return None
        if self._playing_since is None:
            return due
        dry_at = self._playing_since + self.seconds
        return max(due, dry_at - self._timing.low_water)

    def begin(self) -> bytes:
        """Start waiting for audio and return the stream's header."""
        self._begun = asyncio.get_running_loop().time()
        return self._writer.header()

    def speech(self, data: bytes) -> bytes:
        """Add audio from the service and return the bytes that are complete.

        Raises:
            ProtocolError: The audio is damaged.
        """
        before = self.seconds
        if audio := self._writer.feed(data):
            self.speech_at = asyncio.get_running_loop().time()
            self.speech_until = self._play(before) + self.seconds
        return audio

    def end_task(self) -> None:
        """Drop incomplete audio of a task that is finished or lost."""
        self._writer.end_task()

    def lead_in(self) -> bytes:
        """Return the silence before the speech."""
        return self._quiet(self._around.before())

    def fill(self) -> bytes:
        """Return the filler silence that is due, or nothing if the format has none."""
        due = self.silence_due
        if due is None or due > asyncio.get_running_loop().time():
            return b""
        silence = self._quiet(SILENCE_STEP)
        self._fill = bool(silence)
        return silence

    def finish(self) -> bytes:
        """Return the silence after the speech and the end of the stream."""
        silence = self._quiet(self._around.after(self.seconds))
        return silence + self._writer.finish()

    def _quiet(self, seconds: float) -> bytes:
        before = self.seconds
        if silence := self._writer.silence(seconds):
            self._play(before)
            self.silence += self.seconds - before
        return silence

    def _play(self, before: float) -> float:
        """Record incoming audio and return the loop time at which playback began.

        After an underrun, playback begins anew.

        Args:
            before: Seconds of audio delivered before.
        """
        since = asyncio.get_running_loop().time() - before
        if self._playing_since is not None:
            since = max(since, self._playing_since)
        self._playing_since = since
        return since
