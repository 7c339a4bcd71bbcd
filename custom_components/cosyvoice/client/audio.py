"""What the service sends, made into one stream that a player can read end to end."""

from abc import ABC, abstractmethod


class AudioWriter(ABC):
    """Turns the audio of one or more tasks into one stream.

    The service begins a new container with every task. A writer joins them, so that
    a message spoken by several tasks, some of which were lost half-way, is one valid
    file. Call :meth:`header` first, :meth:`feed` for all that a task sends, then
    :meth:`end_task` or :meth:`abort_task`; and so for each task; :meth:`finish` last.
    """

    @property
    def seconds(self) -> float:
        """Seconds of audio that were given out so far."""
        raise NotImplementedError

    def header(self) -> bytes:
        """Return what goes out before any audio; empty if it comes with the audio."""
        raise NotImplementedError

    @abstractmethod
    def feed(self, data: bytes) -> bytes:
        """Return the whole samples, frames or pages that are complete with this."""

    def end_task(self) -> bytes:
        """The task is complete: return what was held back; a new stream may follow."""
        raise NotImplementedError

    def abort_task(self) -> None:
        """The task is lost: drop the part of a frame; a new stream may follow."""
        raise NotImplementedError

    def finish(self) -> bytes:
        """Return what marks the end of the whole; often empty."""
        raise NotImplementedError

    def silence(self, seconds: float) -> bytes:
        """Return silence, exact to a sample; empty where samples are compressed."""
        raise NotImplementedError


def audio_writer(audio_format: str, sample_rate: int) -> AudioWriter:
    """Return a writer for ``mp3``, ``wav``, ``opus``, ``pcm`` or ``caf``.

    ``sample_rate`` is in Hz. Samples are 16-bit mono.
    """
    raise NotImplementedError
