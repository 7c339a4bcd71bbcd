"""A listener who notes when what arrives."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from math import inf
import time

from tests.emulator.audio import decode

PLAYABLE = 0.05
"""Seconds of audio with which a player can begin."""


@dataclass(slots=True)
class Heard:
    """The audio of an utterance and when it came.

    Attributes:
        chunks: When each arrived, by `time.perf_counter`, and its bytes.
    """

    chunks: list[tuple[float, bytes]] = field(default_factory=list)

    def add(self, chunk: bytes) -> None:
        """Note a chunk that has just arrived."""
        self.chunks.append((time.perf_counter(), chunk))

    async def listen(self, audio: AsyncIterator[bytes], enough: float = inf) -> None:
        """Take all there is, or at least this number of bytes."""
        size = 0
        async for chunk in audio:
            self.add(chunk)
            size += len(chunk)
            if size >= enough:
                return

    def playable(self) -> float:
        """Return when there was enough to begin with, by `time.perf_counter`.

        Raises:
            ValueError: There never was.
        """
        few, enough = 0, len(self.chunks)
        if self._seconds(enough) < PLAYABLE:
            msg = f"Less than {PLAYABLE} s of audio in {enough} chunks"
            raise ValueError(msg)
        while enough - few > 1:
            middle = (few + enough) // 2
            if self._seconds(middle) < PLAYABLE:
                few = middle
            else:
                enough = middle
        return self.chunks[enough - 1][0]

    def seconds(self) -> float:
        """Return the duration of the whole audio."""
        return self._seconds(len(self.chunks))

    def gap(self, bytes_per_second: int) -> float:
        """Return how long a player that began with the first audio had nothing to play.

        Args:
            bytes_per_second: Of the audio, which is not compressed, and whose header
                comes as a chunk of its own.
        """
        audio = self.chunks[1:]
        dry_at = audio[0][0]
        gap = 0.0
        for arrived, chunk in audio:
            gap += max(0.0, arrived - dry_at)
            dry_at = max(arrived, dry_at) + len(chunk) / bytes_per_second
        return gap

    def _seconds(self, count: int) -> float:
        samples, rate = decode(b"".join(chunk for _, chunk in self.chunks[:count]))
        return len(samples) / rate
