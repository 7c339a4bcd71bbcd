"""Recordings of phones and browsers: read, checked, trimmed, converted."""

import asyncio
from collections.abc import Callable
from functools import cache
import io
import os
from pathlib import Path
import shutil
import subprocess
import tempfile
import wave

import imageio_ffmpeg
import numpy as np
import pytest

from custom_components.cosyvoice.client import (
    RecordingError,
    RecordingSilentError,
    RecordingTooLargeError,
    RecordingTooLongError,
    RecordingTooShortError,
    RecordingUnreadableError,
)
from custom_components.cosyvoice.voices import recording as module
from custom_components.cosyvoice.voices.recording import (
    Recording,
    async_delete_upload,
    async_read,
    async_read_upload,
)
from homeassistant.components.file_upload import FileUploadData
from homeassistant.core import HomeAssistant
from tests.emulator.audio import Samples
from tests.emulator.recording import examine
from tests.emulator.recordings import RATE, speech, wav

FFMPEG = shutil.which("ffmpeg") or imageio_ffmpeg.get_ffmpeg_exe()
PITCH = 140.0

pytestmark = pytest.mark.usefixtures("ffmpeg")


def spoken(seconds: float = 15.0) -> Samples:
    return speech(PITCH, seconds)


def quiet(samples: Samples, factor: float) -> Samples:
    return (samples * factor).astype(np.int16)


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE), np.int16)


def with_noise(samples: Samples, level: float) -> Samples:
    noise = np.random.default_rng(1).normal(0, level * 32768, len(samples))
    return np.clip(samples + noise, -32768, 32767).astype(np.int16)


def converted(samples: Samples, *arguments: str, file: str) -> bytes:
    """Return samples as FFmpeg writes them into a file of this name."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / file
        command = [FFMPEG, "-v", "error", "-i", "pipe:0", *arguments, str(target)]
        subprocess.run(command, input=wav(samples), check=True)  # noqa: S603
        return target.read_bytes()


# Ten recordings as phones and browsers make them.
PHONES: dict[str, Callable[[], bytes]] = {
    "iphone.m4a": lambda: converted(
        spoken(), "-c:a", "aac", "-ar", "48000", "-b:a", "64k", file="a.m4a"
    ),
    "android.3gp": lambda: converted(
        spoken(), "-c:a", "aac", "-ar", "16000", "-b:a", "24k", file="b.3gp"
    ),
    "whatsapp.ogg": lambda: converted(
        spoken(), "-c:a", "libopus", "-b:a", "16k", file="c.ogg"
    ),
    "chrome.webm": lambda: converted(
        spoken(), "-c:a", "libopus", "-ac", "2", "-live", "1", file="d.webm"
    ),
    "memo.mp3": lambda: converted(
        with_noise(spoken(), 0.003), "-ar", "44100", "-ac", "2", "-b:a", "128k", file="e.mp3"
    ),
    "studio.wav": lambda: converted(
        spoken(), "-c:a", "pcm_f32le", "-ar", "96000", "-ac", "2", file="f.wav"
    ),
    "old.wav": lambda: converted(spoken(), "-c:a", "pcm_u8", "-ar", "16000", file="g.wav"),
    "deep.wav": lambda: converted(
        quiet(spoken(), 0.05), "-c:a", "pcm_s24le", "-ar", "48000", file="h.wav"
    ),
    "archive.flac": lambda: converted(
        np.concatenate([silence(4), spoken(), silence(9)]), "-c:a", "flac", file="i.flac"
    ),
    "video.mp4": lambda: converted(
        spoken(), "-f", "lavfi", "-i", "testsrc=size=64x64:rate=5", "-shortest",
        "-c:v", "mpeg4", "-c:a", "aac", file="j.mp4",
    ),
}  # fmt: skip


async def read(hass: HomeAssistant, path: Path, data: bytes) -> Recording:
    await hass.async_add_executor_job(path.write_bytes, data)
    return await async_read(hass, path)


@pytest.mark.parametrize("name", PHONES)
async def test_recordings_of_phones_are_taken(
    hass: HomeAssistant, tmp_path: Path, name: str
) -> None:
    """Nothing is left that the service would refuse, and the voice is the same."""
    found = await read(hass, tmp_path / name, PHONES[name]())
    with wave.open(io.BytesIO(found.wav)) as file:
        assert (file.getframerate(), file.getnchannels()) == (24_000, 1)
        assert file.getsampwidth() == 2
        assert file.getnframes() / 24_000 == pytest.approx(found.seconds)
    assert found.seconds == pytest.approx(15, abs=0.7)
    assert examine(found.wav).pitch == pytest.approx(PITCH, rel=0.1)


@cache
def stereo_with_silent_channel() -> bytes:
    return wav(spoken(), channels=2)


@pytest.mark.parametrize(
    ("data", "seconds"),
    [
        pytest.param(stereo_with_silent_channel, 15, id="one channel is silent"),
        pytest.param(lambda: wav(spoken(59.5)), 59.5, id="long"),
        pytest.param(lambda: wav(spoken(10)), 10, id="just long enough"),
        pytest.param(
            lambda: wav(np.concatenate([silence(50), spoken(20), silence(20)])),
            20,
            id="much silence around it",
        ),
        pytest.param(
            lambda: wav(
                np.concatenate(
                    [spoken(8), silence(5), spoken(8), silence(3), spoken(5)]
                )
            ),
            23,
            id="long pauses",
        ),
        pytest.param(
            lambda: wav(with_noise(quiet(spoken(), 0.1), 0.0005)), 15, id="quiet"
        ),
    ],
)
async def test_what_the_service_dislikes_is_mended(
    hass: HomeAssistant, tmp_path: Path, data: Callable[[], bytes], seconds: float
) -> None:
    found = await read(hass, tmp_path / "a.wav", data())
    assert found.seconds == pytest.approx(seconds, abs=0.7)
    assert examine(found.wav).pitch == pytest.approx(PITCH, rel=0.1)


async def test_a_quiet_recording_becomes_louder(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    def peak(data: bytes) -> int:
        return int(np.abs(np.frombuffer(data[44:], "<i2").astype(int)).max())

    loud = await read(hass, tmp_path / "a.wav", wav(spoken()))
    original = peak(wav(spoken()))
    assert peak(loud.wav) == pytest.approx(original, rel=0.1)
    soft = await read(hass, tmp_path / "b.wav", wav(quiet(spoken(), 0.05)))
    assert peak(soft.wav) == pytest.approx(original * 0.05 * 10, rel=0.1)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        pytest.param(lambda: wav(spoken(8)), RecordingTooShortError, id="short"),
        pytest.param(lambda: wav(spoken(1)), RecordingTooShortError, id="very short"),
        pytest.param(
            lambda: wav(np.concatenate([spoken(5), silence(30), spoken(2)])),
            RecordingTooShortError,
            id="mostly silence",
        ),
        pytest.param(lambda: wav(spoken(61)), RecordingTooLongError, id="long"),
        pytest.param(lambda: wav(spoken(240)), RecordingTooLongError, id="very long"),
        pytest.param(lambda: wav(silence(15)), RecordingSilentError, id="silent"),
        pytest.param(
            lambda: wav(quiet(spoken(), 0.0004)), RecordingSilentError, id="too quiet"
        ),
        pytest.param(
            lambda: wav(np.concatenate([silence(15), spoken(0.2)])),
            RecordingSilentError,
            id="a click",
        ),
        pytest.param(lambda: b"", RecordingUnreadableError, id="empty"),
        pytest.param(lambda: b"<html>" * 999, RecordingUnreadableError, id="a page"),
        pytest.param(
            lambda: wav(spoken())[:40], RecordingUnreadableError, id="a header"
        ),
        pytest.param(
            lambda: converted(
                spoken(1), "-f", "lavfi", "-i", "testsrc=size=64x64:rate=5", "-t", "1",
                "-map", "1:v", "-c:v", "mpeg4", file="k.mp4",
            ),
            RecordingUnreadableError,
            id="a video without sound",
        ),
        pytest.param(
            lambda: b"#EXTM3U\n#EXTINF:15,\nother.wav\n#EXT-X-ENDLIST\n",
            RecordingUnreadableError,
            id="a playlist",
        ),
    ],
)  # fmt: skip
async def test_others_are_refused(
    hass: HomeAssistant,
    tmp_path: Path,
    data: Callable[[], bytes],
    error: type[RecordingError],
) -> None:
    (tmp_path / "other.wav").write_bytes(wav(spoken()))
    with pytest.raises(error):
        await read(hass, tmp_path / "recording.m4a", data())


async def test_a_large_file_is_not_read(
    hass: HomeAssistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.wav"
    with path.open("wb") as file:
        file.truncate(module.LARGEST + 1)
    monkeypatch.setattr(module, "_async_decode", None)
    with pytest.raises(RecordingTooLargeError):
        await async_read(hass, path)
    path.unlink()
    with pytest.raises(RecordingUnreadableError):
        await async_read(hass, path)


@pytest.fixture
def slow_ffmpeg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let FFmpeg never end; return a pipe that gives its process id."""
    script, pipe = tmp_path / "ffmpeg", tmp_path / "pipe"
    script.write_text(f"#!/bin/sh\necho $$ > {pipe}\nexec sleep 60\n")
    script.chmod(0o755)
    os.mkfifo(pipe)

    class Manager:
        binary = str(script)

    monkeypatch.setattr(module, "get_ffmpeg_manager", lambda _: Manager)
    return pipe


def process(pid: str) -> Path:
    return Path("/proc", pid.strip())


async def test_a_file_that_takes_for_ever_is_refused(
    hass: HomeAssistant,
    tmp_path: Path,
    slow_ffmpeg: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "READING_LIMIT", 3.0)
    task = hass.async_create_task(read(hass, tmp_path / "a.wav", b"x"))
    pid = await hass.async_add_executor_job(slow_ffmpeg.read_text)
    with pytest.raises(RecordingUnreadableError, match="too long"):
        await task
    assert not process(pid).exists()


async def test_who_stops_waiting_stops_ffmpeg(
    hass: HomeAssistant, slow_ffmpeg: Path, uploads: FileUploadData
) -> None:
    """And nothing is left of the recording."""
    upload(uploads, wav(spoken()))
    task = hass.async_create_task(async_read_upload(hass, "file-1"))
    pid = await hass.async_add_executor_job(slow_ffmpeg.read_text)
    assert process(pid).exists()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not process(pid).exists()
    assert not uploads.files
    assert not list(uploads.temp_dir.iterdir())


async def test_without_ffmpeg_nothing_is_read(
    hass: HomeAssistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Manager:
        binary = "/nowhere/ffmpeg"

    monkeypatch.setattr(module, "get_ffmpeg_manager", lambda _: Manager)
    with pytest.raises(RecordingUnreadableError, match="does not start"):
        await read(hass, tmp_path / "a.wav", b"x")


@pytest.fixture
def uploads(hass: HomeAssistant, tmp_path: Path) -> FileUploadData:
    """Home Assistant's place for uploads, empty."""
    folder = tmp_path / "uploads"
    folder.mkdir()
    data = hass.data["file_upload"] = FileUploadData(folder, {})
    return data


def upload(uploads: FileUploadData, data: bytes, file_id: str = "file-1") -> None:
    uploads.files[file_id] = "memo.m4a"
    uploads.file_dir(file_id).mkdir()
    uploads.file_path(file_id).write_bytes(data)


@pytest.mark.parametrize("good", [True, False])
async def test_nothing_is_left_of_an_upload(
    hass: HomeAssistant, uploads: FileUploadData, good: bool
) -> None:
    upload(uploads, wav(spoken()) if good else b"nothing")
    if good:
        assert (await async_read_upload(hass, "file-1")).seconds > 14
    else:
        with pytest.raises(RecordingUnreadableError):
            await async_read_upload(hass, "file-1")
    assert not uploads.files
    assert not list(uploads.temp_dir.iterdir())
    with pytest.raises(RecordingUnreadableError, match="no longer there"):
        await async_read_upload(hass, "file-1")


async def test_an_upload_that_somebody_deleted(
    hass: HomeAssistant, uploads: FileUploadData
) -> None:
    """Such as a clean-up of temporary files."""
    upload(uploads, wav(spoken()))
    shutil.rmtree(uploads.file_dir("file-1"))
    with pytest.raises(RecordingUnreadableError):
        await async_read_upload(hass, "file-1")
    upload(uploads, wav(spoken()))
    shutil.rmtree(uploads.file_dir("file-1"))
    await async_delete_upload(hass, "file-1")
    assert not uploads.files


async def test_an_upload_that_is_not_needed_is_deleted(
    hass: HomeAssistant, uploads: FileUploadData
) -> None:
    upload(uploads, b"x")
    await async_delete_upload(hass, "file-1")
    assert not list(uploads.temp_dir.iterdir())
    await async_delete_upload(hass, "file-1")
