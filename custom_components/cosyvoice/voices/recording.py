"""Recordings to clone voices from: read, checked, trimmed and converted.

Limits of the service: Model Studio's guide to voice cloning.
"""

from array import array
import asyncio
from contextlib import ExitStack, suppress
from io import BytesIO
from itertools import groupby
from math import sumprod
from pathlib import Path
from typing import Final, NamedTuple
import wave

from homeassistant.components.ffmpeg import get_ffmpeg_manager
from homeassistant.components.file_upload import process_uploaded_file
from homeassistant.components.media_source import async_resolve_media
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from ..client import (
    RecordingSilentError,
    RecordingTooLargeError,
    RecordingTooLongError,
    RecordingTooShortError,
    RecordingUnreadableError,
)

LARGEST: Final = 50 * 1024 * 1024
"""Bytes of a file; a minute of stereo at 96 kHz and 32 bits has 46 MB."""
SHORTEST: Final = 10.0
LONGEST: Final = 60.0
"""Seconds of a recording without the silence around it."""
TOLERANCE: Final = 0.5
"""Seconds that a recording may lack, for a quiet beginning and end."""
READING_LIMIT: Final = 30.0
"""Seconds for reading a file."""
LONGEST_READ: Final = 180
"""Seconds of sound that are read of a file."""

RATE: Final = 24_000
QUIET: Final = 0.003
"""Level of silence, as a share of full scale (-50 dBFS). The service hears nothing
below it."""
BELOW_SPEECH: Final = 0.018
"""Level of a pause relative to the speech (-35 dB)."""
MARGIN: Final = 0.25
"""Seconds of silence kept at both ends."""
LONGEST_PAUSE: Final = 1.5
KEPT_PAUSE: Final = 1.0
"""Seconds of the longest pause, and of a longer one after it was shortened.

The service allows 2 s."""
LOUD_PEAK: Final = 0.7
HIGHEST_GAIN: Final = 10.0
"""A quiet recording is amplified to this peak, but not more than this."""

_FRAME: Final = RATE // 50
_FULL_SCALE: Final = 32768
_CLEAR_FRAMES: Final = 100
"""The speech is as loud as the quietest of the loudest 2 s."""
# No playlists, which can make FFmpeg read other files
_CONTAINERS: Final = (
    "aac,aiff,amr,asf,au,avi,caf,flac,flv,matroska,mov,mp3,mpeg,mpegts,ogg,w64,wav,wv"
)


class Recording(NamedTuple):
    """A recording that a voice can be cloned from.

    Attributes:
        wav: The sound as WAV: 24 kHz, mono, 16 bits.
        seconds: Its length.
    """

    wav: bytes
    seconds: float


async def async_read_upload(hass: HomeAssistant, file_id: str) -> Recording:
    """Return the recording that was uploaded to Home Assistant, and delete the file.

    Raises:
        RecordingError: No voice can be cloned from it.
    """
    with ExitStack() as files:
        upload = process_uploaded_file(hass, file_id)
        try:
            path = await hass.async_add_executor_job(files.enter_context, upload)
        except ValueError as err:
            raise RecordingUnreadableError("The file is no longer there") from err
        try:
            return await async_read(hass, path)
        finally:
            with suppress(OSError):
                await hass.async_add_executor_job(files.close)


async def async_read_media(hass: HomeAssistant, media_content_id: str) -> Recording:
    """Return a recording of the media folder, whose file stays.

    Raises:
        RecordingError: No voice can be cloned from it.
    """
    try:
        media = await async_resolve_media(hass, media_content_id, None)
    except HomeAssistantError as err:
        raise RecordingUnreadableError(str(err)) from err
    if media.path is None:
        raise RecordingUnreadableError("It is not in the media folder")
    return await async_read(hass, media.path)


async def async_delete_upload(hass: HomeAssistant, file_id: str) -> None:
    """Delete a file that was uploaded to Home Assistant, if it exists."""

    def delete() -> None:
        with suppress(ValueError, OSError), process_uploaded_file(hass, file_id):
            pass

    await hass.async_add_executor_job(delete)


async def async_read(hass: HomeAssistant, path: Path) -> Recording:
    """Return a recording without the silence around it.

    Any file with sound is read: of a video, the sound; of several channels, the mean.

    Raises:
        RecordingTooLargeError: The file has more than `LARGEST` bytes.
        RecordingUnreadableError: It has no sound.
        RecordingSilentError: It is silent or too quiet.
        RecordingTooShortError: Less than `SHORTEST` seconds remain.
        RecordingTooLongError: More than `LONGEST` seconds remain.
    """
    try:
        size = (await hass.async_add_executor_job(path.stat)).st_size
    except OSError as err:
        raise RecordingUnreadableError("The file is no longer there") from err
    if size > LARGEST:
        raise RecordingTooLargeError(f"{size / 1024**2:.0f} MB")
    samples = await _async_decode(get_ffmpeg_manager(hass).binary, path)
    return await hass.async_add_executor_job(_prepare, samples)


async def _async_decode(ffmpeg: str, path: Path) -> bytes:
    """Return the sound of a file as samples of 16 bits.

    Raises:
        RecordingUnreadableError: The file cannot be read in time.
    """
    arguments = (
        *("-nostdin", "-v", "quiet", "-protocol_whitelist", "file"),
        *("-format_whitelist", _CONTAINERS, "-i", f"file:{path}"),
        *("-map", "0:a:0", "-t", str(LONGEST_READ), "-af", "highpass=f=50"),
        *("-ac", "1", "-ar", str(RATE), "-f", "s16le", "pipe:1"),
    )
    try:
        process = await asyncio.create_subprocess_exec(
            ffmpeg,
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError as err:
        raise RecordingUnreadableError(f"FFmpeg does not start: {err}") from err
    try:
        async with asyncio.timeout(READING_LIMIT):
            samples, _ = await process.communicate()
    except TimeoutError as err:
        raise RecordingUnreadableError("Reading takes too long") from err
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if not samples:
        raise RecordingUnreadableError("No sound was found in the file")
    return samples


def _prepare(data: bytes) -> Recording:
    samples = array("h", data)
    frames = [
        samples[start : start + _FRAME] for start in range(0, len(samples), _FRAME)
    ]
    levels = [(sumprod(frame, frame) / len(frame)) ** 0.5 for frame in frames]
    speech = sorted(levels)[-min(_CLEAR_FRAMES, (len(levels) + 1) // 2)]
    if speech < QUIET * _FULL_SCALE:
        raise RecordingSilentError(f"{speech / _FULL_SCALE:.2%} of full scale")
    threshold = max(QUIET * _FULL_SCALE, BELOW_SPEECH * speech)
    kept = _without_silence([level > threshold for level in levels])
    trimmed = array("h")
    for index in kept:
        trimmed.extend(frames[index])
    seconds = len(trimmed) / RATE
    if seconds < SHORTEST - TOLERANCE:
        raise RecordingTooShortError(f"{seconds:.1f} s")
    if seconds > LONGEST:
        raise RecordingTooLongError(f"{seconds:.1f} s")
    return Recording(_wav(_amplified(trimmed)), seconds)


def _without_silence(loud: list[bool]) -> list[int]:
    """Return the frames that remain without silent ends and with shorter pauses."""
    first, last = loud.index(True), len(loud) - loud[::-1].index(True)
    margin, longest, half = (
        round(seconds * RATE / _FRAME)
        for seconds in (MARGIN, LONGEST_PAUSE, KEPT_PAUSE / 2)
    )
    kept = list(range(max(0, first - margin), first))
    for _, group in groupby(range(first, last), key=loud.__getitem__):
        run = list(group)
        is_pause = not loud[run[0]] and len(run) > longest
        kept += run[:half] + run[-half:] if is_pause else run
    return kept + list(range(last, min(last + margin, len(loud))))


def _amplified(samples: array[int]) -> array[int]:
    """Return samples that are loud enough, quiet ones amplified."""
    peak = max(map(abs, samples)) / _FULL_SCALE
    gain = min(LOUD_PEAK / peak, HIGHEST_GAIN)
    return samples if gain <= 1 else array("h", (int(s * gain) for s in samples))


def _wav(samples: array[int]) -> bytes:
    file = BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(RATE)
        writer.writeframes(samples.tobytes())
    return file.getvalue()
