"""Speech into a file of the media folder, with subtitles if requested."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
import secrets
import threading
from typing import IO, Any, Final, Self

from homeassistant.components.tts import ATTR_PREFERRED_FORMAT
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.util import dt as dt_util, raise_if_invalid_filename
from homeassistant.util.json import JsonValueType

from ..client import CATALOGUE, OptionError, UtteranceReport
from ..const import CONF_BIT_RATE, CONF_FORMAT, CONF_SAMPLE_RATE, DOMAIN
from ..usage.ledger import UsageLedger
from .request import PREFERRED_NUMBERS, SpeechRequest
from .session import Session
from .speaker import Speaker
from .subtitles import subrip

FOLDER: Final = "cosyvoice"
"""The folder within the media folder."""
LONGEST_NAME: Final = 200
"""Bytes of a file name without its extension; file systems allow 255 in all."""
CONTENT_TYPES: Final = {
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "opus": "audio/ogg",
    "srt": "application/x-subrip",
}
"""MIME types by extension."""


class SpeechFile:
    """Where the audio of one message is saved.

    Use it as an asynchronous context manager: the file appears under its name when
    `save` returns, and nothing of it stays behind if that is never called.

    Attributes:
        path: The file.
        media_content_id: Its media source id.
    """

    def __init__(
        self, hass: HomeAssistant, filename: str | None, extension: str
    ) -> None:
        """Check the file's name.

        Args:
            hass: Home Assistant.
            filename: The name, with or without its extension; None generates one.
            extension: The extension of the audio: mp3, wav or opus.

        Raises:
            ServiceValidationError: The name cannot be used, or there is no media
                folder.
        """
        folders = hass.config.media_dirs
        if not folders:
            raise ServiceValidationError(
                translation_domain=DOMAIN, translation_key="no_media_folder"
            )
        source = "local" if "local" in folders else next(iter(folders))
        name = f"{_file_name(filename, extension)}.{extension}"
        self.path = Path(folders[source]) / FOLDER / name
        self.media_content_id = f"media-source://media_source/{source}/{FOLDER}/{name}"
        self.media_content_type = CONTENT_TYPES[extension]
        self._hass = hass
        self._file = _AudioFile(self.path)

    async def __aenter__(self) -> Self:
        """Open the file, before anything is spoken and paid for.

        Raises:
            HomeAssistantError: The folder cannot be written.
        """
        await self._run(self._file.open)
        return self

    async def __aexit__(self, *_exc: object) -> None:
        """Remove a file that was not saved."""
        await self._hass.async_add_executor_job(self._file.discard)

    async def write(self, chunk: bytes) -> None:
        """Add a chunk of audio.

        Raises:
            HomeAssistantError: It cannot be written.
        """
        await self._run(self._file.write, chunk)

    async def save(self, subtitles: str | None) -> None:
        """Put the audio, and the subtitles beside it, in place of files of their name.

        Raises:
            HomeAssistantError: They cannot be written.
        """
        await self._run(self._file.save, subtitles)

    async def _run(self, action: Any, *args: Any) -> None:
        try:
            await self._hass.async_add_executor_job(partial(action, *args))
        except OSError as err:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="write_failed",
                translation_placeholders={"path": str(self.path), "error": str(err)},
            ) from err


async def async_record(
    speaker: Speaker,
    message: str,
    call: Mapping[str, Any],
    defaults: Mapping[str, Any],
    language: str,
    *,
    filename: str | None = None,
    word_timestamps: bool,
    subtitles: bool,
) -> dict[str, JsonValueType]:
    """Speak a message into a file: without cache and without fallback engine.

    The file is WAV if silence is configured, because padding needs raw samples.

    Args:
        speaker: The engine that speaks.
        message: The text, or an SSML document.
        call: The options of the call.
        defaults: The engine's options, the voice's settings included.
        language: Home Assistant's language tag.
        filename: The name of the file; None generates one.
        word_timestamps: Whether to return the times of the words.
        subtitles: Whether to save subtitles.

    Raises:
        CosyVoiceError: The message cannot be spoken.
        HomeAssistantError: The budget is used up, or the file cannot be written.
    """
    request = _file_request(speaker, call, defaults, language)
    if word_timestamps or subtitles:
        request = request.with_word_timestamps(*speaker.region_and_cloned)
    speaker.check(request, message)
    session = Session(speaker, request, _once(message))
    with closing(session):
        async with (
            SpeechFile(speaker.hass, filename, request.extension) as file,
            session.speaking(live=False) as utterance,
        ):
            while (chunk := await session.next_chunk()) is not None:
                await file.write(chunk)
            report, written = utterance.report, session.message.written
            shown = subrip(report.words, written, report.audio_seconds)
            await file.save(shown if subtitles else None)
    response = _response(file, report, speaker.runtime.usage)
    if word_timestamps:
        response["words"] = _words(report)
    if subtitles:
        response["subtitle_file"] = str(file.path.with_suffix(".srt"))
    return response


def _file_request(
    speaker: Speaker,
    call: Mapping[str, Any],
    defaults: Mapping[str, Any],
    language: str,
) -> SpeechRequest:
    """Return the request for a file, which Home Assistant's converter does not touch.

    Raises:
        OptionError: An option is not valid, or needs the converter.
    """
    for name in PREFERRED_NUMBERS:
        if call.get(name) is not None:
            allowed = f"{CONF_SAMPLE_RATE}, {CONF_BIT_RATE}"
            raise OptionError(name, call[name], allowed, "not_supported")
    request = speaker.request({**defaults, **call}, language)
    if request.extension == "caf":
        wanted = call.get(ATTR_PREFERRED_FORMAT)
        formats = {"wav", *CATALOGUE.models[request.synthesis.model].formats} - {"pcm"}
        if wanted not in {None, *formats}:
            allowed = ", ".join(sorted(formats))
            raise OptionError(CONF_FORMAT, wanted, allowed, "not_supported")
        as_wav = {**defaults, **call, ATTR_PREFERRED_FORMAT: "wav", CONF_FORMAT: "wav"}
        request = speaker.request(as_wav, language)
    return replace(request, fallback_engine=None)


async def _once(text: str) -> AsyncGenerator[str]:
    yield text


def _response(
    file: SpeechFile, report: UtteranceReport, ledger: UsageLedger
) -> dict[str, JsonValueType]:
    return {
        "media_content_id": file.media_content_id,
        "media_content_type": file.media_content_type,
        "file": str(file.path),
        "format": file.path.suffix[1:],
        "duration": round(report.audio_seconds, 3),
        "voice": report.voice,
        "model": report.model,
        "characters": report.characters,
        "tokens": report.input_tokens + report.output_tokens,
        "estimated": report.estimated,
        "cost": float(ledger.cost_of(report)),
        "currency": ledger.currency,
        "request_ids": list(report.request_ids),
    }


def _words(report: UtteranceReport) -> list[JsonValueType]:
    return [
        {
            "text": word.text,
            "begin": round(word.begin, 3),
            "end": round(word.end, 3),
        }
        for word in report.words
    ]


class _AudioFile:
    """A file that is written under another name until it is complete.

    Its methods block, and raise `OSError`.
    """

    _replacing = threading.Lock()
    """Keeps the audio and the subtitles of one message together."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = path.with_name(f".{secrets.token_hex(8)}.part")
        self._file: IO[bytes] | None = None

    def open(self) -> None:
        self._part.parent.mkdir(parents=True, exist_ok=True)
        if self._path.is_dir():
            raise IsADirectoryError(f"{self._path.name} is a folder")
        self._file = self._part.open("wb+")

    def write(self, chunk: bytes) -> None:
        assert self._file is not None
        self._file.write(chunk)

    def save(self, subtitles: str | None) -> None:
        assert self._file is not None
        write_true_sizes(self._file)
        self._file.close()
        beside = self._part.with_suffix(".srt")
        try:
            if subtitles is not None:
                beside.write_text(subtitles, encoding="utf-8")
            with self._replacing:
                self._part.replace(self._path)
                if subtitles is not None:
                    beside.replace(self._path.with_suffix(".srt"))
        finally:
            beside.unlink(missing_ok=True)

    def discard(self) -> None:
        assert self._file is not None
        self._file.close()
        with suppress(OSError):
            self._part.unlink(missing_ok=True)
            self._part.parent.rmdir()


def write_true_sizes(file: IO[bytes]) -> None:
    """Fill in the sizes of a WAV file that was begun while they were unknown.

    A file of another format is left unchanged.
    """
    size = file.tell()
    file.seek(0)
    header = file.read(_LONGEST_HEADER)
    if header.startswith(b"RIFF"):
        data = header.index(b"data") + 4
        for place in (4, data):
            file.seek(place)
            file.write((size - place - 4).to_bytes(4, "little"))


_LONGEST_HEADER: Final = 128


def _file_name(wanted: str | None, extension: str) -> str:
    """Return a file's name without its extension."""
    if wanted is None:
        return f"{dt_util.now():%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
    name = wanted.strip()
    for other in CONTENT_TYPES:
        if name.endswith(f".{other}"):
            if other not in {extension, "srt"}:
                raise _invalid_name("other_format", wanted, {"format": extension})
            name = name.removesuffix(f".{other}")
    try:
        raise_if_invalid_filename(name)
    except ValueError:
        name = ""
    if (
        not 0 < len(name.encode()) <= LONGEST_NAME
        or not name.isprintable()
        or name.startswith(".")
        or name.endswith((".", " "))
        or not _SPECIAL.isdisjoint(name)
    ):
        raise _invalid_name("invalid_filename", wanted, {"example": "good_evening"})
    return name


_SPECIAL: Final = frozenset("#?%")
"""Characters that have a meaning in the address of a media file."""


def _invalid_name(
    key: str, filename: str, placeholders: Mapping[str, str]
) -> ServiceValidationError:
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders={"filename": filename, **placeholders},
    )
