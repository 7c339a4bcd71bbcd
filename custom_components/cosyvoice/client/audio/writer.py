"""What all audio writers have in common."""

from abc import ABC, abstractmethod


class AudioWriter(ABC):
    """Turns the audio of one or more tasks into one stream.

    The service begins a new stream with every task. A writer joins them, so that a
    message spoken by several tasks, some of which were lost half-way, is one valid
    file. :meth:`header` comes first; then, for each task, :meth:`feed` for all that
    arrives and :meth:`end_task` or :meth:`abort_task`; :meth:`finish` comes last.

    Attributes:
        lags: True if the service may report a sentence as complete while the end of
            its audio is still to come, in a page that is not full yet.
    """

    lags = False

    def __init__(self, sample_rate: int) -> None:
        """Begin a stream of this sample rate, in Hz."""
        self.sample_rate = sample_rate

    @property
    @abstractmethod
    def seconds(self) -> float:
        """Seconds of audio given out so far."""

    def header(self) -> bytes:
        """Return what goes out before any audio; empty if it comes with the audio."""
        return b""

    @abstractmethod
    def feed(self, data: bytes) -> bytes:
        """Take bytes of the service, cut anywhere; return what is whole by now.

        That is whole samples, MP3 frames or Ogg pages; bytes that are none of them
        are dropped.
        """

    @abstractmethod
    def end_task(self) -> bytes:
        """Return what is held back of a complete task; a new stream may follow."""

    @abstractmethod
    def abort_task(self) -> None:
        """Drop what is held back of a lost task; a new stream may follow."""

    def finish(self) -> bytes:
        """Return what marks the end of the whole stream; often empty."""
        return b""

    def silence(self, seconds: float) -> bytes:
        """Return silence, exact to a sample; empty where the audio is compressed."""
        del seconds
        return b""
