"""Files that a browser has uploaded to Home Assistant."""

from pathlib import Path
from uuid import UUID

from homeassistant.components.file_upload import FileUploadData
from homeassistant.core import HomeAssistant

UPLOAD = str(UUID(int=1))


def uploads(hass: HomeAssistant, folder: Path) -> FileUploadData:
    """Return Home Assistant's place for uploads, empty at first."""
    if "file_upload" not in hass.data or not isinstance(
        hass.data["file_upload"], FileUploadData
    ):
        folder.mkdir()
        hass.data["file_upload"] = FileUploadData(folder, {})
    data: FileUploadData = hass.data["file_upload"]
    return data


def upload(data: FileUploadData, content: bytes, file_id: str = UPLOAD) -> str:
    """Put a file there, and return its id."""
    data.files[file_id] = "memo.m4a"
    data.file_dir(file_id).mkdir()
    data.file_path(file_id).write_bytes(content)
    return file_id
