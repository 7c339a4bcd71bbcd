"""Samples of 16 bits, mono, little-endian: bare, as WAV and as CAF."""

import struct
from typing import Final

from .writer import AudioWriter

SAMPLE_BYTES: Final = 2


class PcmWriter(AudioWriter):
    """Passes whole samples on."""

    def __init__(self, sample_rate: int) -> None:
        super().__init__(sample_rate)
        self._half = b""
        self._samples = 0

    @property
    def seconds(self) -> float:
        """Seconds of audio returned so far, silence included."""
        return self._samples / self.sample_rate

    def feed(self, data: bytes) -> bytes:
        """Return the whole samples that are complete with this data."""
        data = self._half + data
        whole = len(data) - len(data) % SAMPLE_BYTES
        self._half = data[whole:]
        self._samples += whole // SAMPLE_BYTES
        return data[:whole]

    def end_task(self) -> None:
        """Drop half a sample."""
        self._half = b""

    def silence(self, seconds: float) -> bytes:
        """Return silence, exact to a sample."""
        samples = round(seconds * self.sample_rate)
        self._samples += samples
        return bytes(samples * SAMPLE_BYTES)


class WavWriter(PcmWriter):
    """Samples in a WAV file of unknown length."""

    def header(self) -> bytes:
        """Return a header with the sizes that mean "until the end"."""
        return struct.pack(
            "<4sI4s4sIHHIIHH4sI",
            b"RIFF",
            0xFFFFFFFF,
            b"WAVE",
            b"fmt ",
            16,
            1,  # PCM
            1,  # channel
            self.sample_rate,
            self.sample_rate * SAMPLE_BYTES,
            SAMPLE_BYTES,
            SAMPLE_BYTES * 8,
            b"data",
            0xFFFFFFFF,
        )


class CafWriter(PcmWriter):
    """Samples in a Core Audio Format file of unknown length.

    ffmpeg, and with it Home Assistant's converter, passes CAF on without delay; of
    WAV it first gathers tens of kilobytes.
    """

    def header(self) -> bytes:
        """Return a header with the size that means "until the end"."""
        return struct.pack(
            ">4sHH4sqd4sIIIII4sqI",
            b"caff",
            1,  # version
            0,  # flags
            b"desc",
            32,
            float(self.sample_rate),
            b"lpcm",
            2,  # little-endian integers
            SAMPLE_BYTES,  # a packet
            1,  # frame a packet
            1,  # channel
            SAMPLE_BYTES * 8,
            b"data",
            -1,
            0,  # edits
        )
