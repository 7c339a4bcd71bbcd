"""The interface of the audio writers."""

from abc import ABC, abstractmethod


class AudioWriter(ABC):
    """Turns the audio of one or more tasks into one stream.

    The service begins a new stream with every task. A writer joins them, so that a
    message spoken by several tasks, even if one was lost half-way, is one valid
    file. :meth:`header` comes first; then, for each task, :meth:`feed` for all audio
    and :meth:`end_task`; :meth:`finish` comes last.

    Attributes:
        lags: True if the service may report a sentence as complete before it has sent
            the end of its audio, in a page that is not full yet.
    """

    lags = False

    def __init__(self, sample_rate: int) -> None:
        """Begin a stream of this sample rate, in Hz."""
        self.sample_rate = sample_rate

    @property
    @abstractmethod
    def seconds(self) -> float:
        """Seconds of audio returned so far."""

    def header(self) -> bytes:
        """Return the bytes before any audio, if the format has a header."""
        return b""

    @abstractmethod
    def feed(self, data: bytes) -> bytes:
        """Add bytes of the service, cut anywhere, and return the complete part.

        Returns:
            Whole samples, MP3 frames or Ogg pages.

        Raises:
            ProtocolError: The data is damaged; only :meth:`end_task` may follow.
        """

    @abstractmethod
    def end_task(self) -> None:
        """Drop what is incomplete, be the task finished or lost.

        A finished task may have such an end: it is for the service to say that the
        audio is complete, and another attempt would end alike.
        """

    def finish(self) -> bytes:
        """Return the bytes that end the whole stream, if there are any."""
        return b""

    def silence(self, seconds: float) -> bytes:
        """Return silence: exact to a sample, of whole MP3 frames, or none in Opus."""
        del seconds
        return b""
