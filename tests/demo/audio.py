"""What a recording really holds, found by decoding it from end to end."""

from dataclasses import dataclass
from pathlib import Path

import av


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A decoded audio file.

    Attributes:
        path: Where the file lies.
        container: The container's short name, such as ``mp3``, ``wav`` or ``ogg``.
        codec: The codec's name, such as ``mp3`` or ``pcm_s16le``.
        sample_rate: In Hz.
        channels: Number of channels.
        seconds: Duration by the number of decoded samples, not by any header.
    """

    path: Path
    container: str
    codec: str
    sample_rate: int
    channels: int
    seconds: float

    @classmethod
    def read(cls, path: Path) -> Recording:
        """Decode a file.

        Raises:
            av.FFmpegError: The file is no audio, or is damaged.
        """
        with av.open(str(path)) as file:
            stream = file.streams.audio[0]
            samples = sum(frame.samples for frame in file.decode(stream))
            return cls(
                path=path,
                container=file.format.name,
                codec=stream.codec.canonical_name,
                sample_rate=stream.rate,
                channels=stream.channels,
                seconds=samples / stream.rate,
            )

    def __str__(self) -> str:
        """Say it in one line."""
        return (
            f"{self.seconds:.2f} s, {self.codec}, {self.sample_rate} Hz, "
            f"{self.channels} channel{'s' if self.channels > 1 else ''}"
        )
