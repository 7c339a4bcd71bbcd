"""Join the service's audio into one stream that any player can read."""

from .mp3 import Mp3Writer
from .ogg import OggOpusWriter
from .pcm import CafWriter, PcmWriter, WavWriter
from .writer import AudioWriter

__all__ = ["AudioWriter", "audio_writer"]

_WRITERS: dict[str, type[AudioWriter]] = {
    "mp3": Mp3Writer,
    "wav": WavWriter,
    "opus": OggOpusWriter,
    "pcm": PcmWriter,
    "caf": CafWriter,
}


def audio_writer(audio_format: str, sample_rate: int) -> AudioWriter:
    """Return a writer for ``mp3``, ``wav``, ``opus``, ``pcm`` or ``caf``.

    Args:
        audio_format: Format of the stream. ``pcm`` has no container; for ``wav``,
            ``pcm`` and ``caf`` the service is asked for samples.
        sample_rate: Hz.

    Raises:
        KeyError: The format is unknown.
    """
    return _WRITERS[audio_format](sample_rate)
