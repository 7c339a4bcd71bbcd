"""Speech into a file of the media folder, with subtitles if wanted."""

from pathlib import Path
import secrets
import struct
from typing import Any

import voluptuous as vol

from homeassistant.components.tts.const import DATA_COMPONENT
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util, raise_if_invalid_filename

from ..const import DOMAIN
from ..tts import CosyVoiceTTSEntity
from .subtitles import subrip

FOLDER = "cosyvoice"
"""The folder within the media folder."""
MAX_NAME = 100
CONTENT_TYPES = {
    ".mp3": "audio/mpeg",
    ".wav": "audio/wav",
    ".opus": "audio/ogg",
    ".srt": "application/x-subrip",
}
SYNTHESIZE_SCHEMA = vol.Schema(
    {
        vol.Required("entity_id"): cv.entity_id,
        vol.Required("message"): cv.string,
        vol.Optional("language"): cv.string,
        vol.Optional("options", default=dict): dict,
        vol.Optional("filename"): cv.string,
        vol.Optional("word_timestamps", default=False): cv.boolean,
        vol.Optional("subtitles", default=False): cv.boolean,
    }
)


async def async_synthesize(call: ServiceCall) -> ServiceResponse:
    """Speak a message into a file; return where it is, its length and its price.

    Raises:
        HomeAssistantError: The message cannot be spoken or the file not be written.
        ServiceValidationError: The call names no voice, an impossible option or file
            name, or the budget is used up.
    """
    hass = call.hass
    engine = _engine(hass, call.data["entity_id"])
    source, folder = _media_folder(hass)
    name = _file_name(call.data.get("filename"))
    subtitles = call.data["subtitles"]
    recording = await engine.async_synthesize(
        call.data["message"],
        call.data.get("language"),
        call.data["options"],
        word_timestamps=subtitles or call.data["word_timestamps"],
    )
    report = recording.report
    path = folder / f"{name}.{recording.extension}"
    files = {path: with_true_sizes(recording.audio)}
    if subtitles:
        text = subrip(report.words, recording.text, report.audio_seconds)
        files[path.with_suffix(".srt")] = text.encode()
    try:
        await hass.async_add_executor_job(_write, files)
    except OSError as err:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="write_failed",
            translation_placeholders={"path": str(path), "error": str(err)},
        ) from err
    ledger = engine.entry.runtime_data.usage
    response: dict[str, Any] = {
        "media_content_id": f"media-source://media_source/{source}/{FOLDER}/{path.name}",
        "media_content_type": CONTENT_TYPES[path.suffix],
        "file": str(path),
        "duration": round(report.audio_seconds, 3),
        "voice": report.voice,
        "model": report.model,
        "characters": report.characters,
        "estimated": report.estimated,
        "cost": float(ledger.cost_of(report)),
        "currency": ledger.currency,
        "request_ids": report.request_ids,
    }
    if call.data["word_timestamps"]:
        response["words"] = [
            {
                "text": word.text,
                "begin": round(word.begin, 3),
                "end": round(word.end, 3),
            }
            for word in report.words
        ]
    if subtitles:
        response["subtitle_file"] = str(path.with_suffix(".srt"))
    return response


def with_true_sizes(audio: bytes) -> bytes:
    """Return a WAV file, written while its length was unknown, with its length.

    Anything else stays as it is.
    """
    if audio[:4] != b"RIFF":
        return audio
    data = audio.index(b"data")
    return (
        audio[:4]
        + struct.pack("<I", len(audio) - 8)
        + audio[8 : data + 4]
        + struct.pack("<I", len(audio) - data - 8)
        + audio[data + 8 :]
    )


def _engine(hass: HomeAssistant, entity_id: str) -> CosyVoiceTTSEntity:
    engine = hass.data[DATA_COMPONENT].get_entity(entity_id)
    if not isinstance(engine, CosyVoiceTTSEntity):
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="not_a_voice",
            translation_placeholders={"entity_id": entity_id},
        )
    return engine


def _media_folder(hass: HomeAssistant) -> tuple[str, Path]:
    """Return the media source's name of a media folder, and our folder in it."""
    folders = hass.config.media_dirs
    if not folders:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="no_media_folder"
        )
    source = "local" if "local" in folders else next(iter(folders))
    return source, Path(folders[source]) / FOLDER


def _file_name(wanted: str | None) -> str:
    """Return a file's name without its ending."""
    if wanted is None:
        return f"{dt_util.now():%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
    name = wanted
    for ending in CONTENT_TYPES:
        name = name.removesuffix(ending)
    try:
        raise_if_invalid_filename(name)
    except ValueError:
        name = ""
    if not name.isprintable() or name.startswith(".") or not 0 < len(name) <= MAX_NAME:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="invalid_filename",
            translation_placeholders={"filename": wanted, "example": "good_evening"},
        )
    return name


def _write(files: dict[Path, bytes]) -> None:
    """Put each file in place in one step, so that no player reads half of it."""
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            part.write_bytes(content)
            part.replace(path)
        except OSError:
            part.unlink(missing_ok=True)
            raise
