"""Uploads of recordings to the temporary storage of the service.

Source: Model Studio, "Get a temporary file URL". The storage is Object Storage Service
(OSS), reached with a signed form and without the account's key.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
import io
import re
from typing import Any, Final, Self, override

from aiohttp import ClientError, ClientSession, ClientTimeout, FormData
from yarl import URL

from ..errors import ProtocolError, RecordingTooLargeError, UploadError

CONNECT_TIMEOUT: Final = 10
"""Seconds to reach the storage, TLS included."""

SLOWEST_LINE: Final = 8_000
"""Bytes per second of the slowest line on which an upload succeeds."""

LARGEST_ANSWER: Final = 10_000
"""Bytes of a refusal that are read at most."""

_HOST = re.compile(r"dashscope-file-[a-z0-9-]+\.oss-[a-z0-9-]+\.aliyuncs\.com")
_DIRECTORY = re.compile(r"dashscope-instant/[A-Za-z0-9/_-]+", re.ASCII)
_MEGABYTE = 1024 * 1024
# A storage that does not know the field success_action_status answers 204 or 201.
_STORED = (HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NO_CONTENT)
# Fields of the form by their names in the permission.
_FIELDS = {
    "OSSAccessKeyId": "oss_access_key_id",
    "Signature": "signature",
    "policy": "policy",
    "x-oss-object-acl": "x_oss_object_acl",
    "x-oss-forbid-overwrite": "x_oss_forbid_overwrite",
}


@dataclass(frozen=True, slots=True)
class Permission:
    """The permission to upload one file.

    Attributes:
        url: Where the file goes.
        directory: The directory to put it in.
        fields: Signed fields of the form, secrets among them.
        largest: Bytes of the largest file.
    """

    url: URL
    directory: str
    fields: Mapping[str, str]
    largest: int

    @classmethod
    def from_answer(cls, data: Any, http_url: str) -> Self:
        """Check the service's answer, which decides where a recording is sent.

        Args:
            data: The answer.
            http_url: The address of the API, whose host may also take uploads.

        Raises:
            ProtocolError: The answer is incomplete.
            UploadError: The answer names a place that is not the service's, or would
                make the recording public.
        """
        names = [*_FIELDS.values(), "upload_host", "upload_dir"]
        if not isinstance(data, dict) or not all(
            isinstance(data.get(name), str) for name in names
        ):
            raise ProtocolError("The answer holds no permission to upload")
        if not _is_trusted(data["upload_host"], http_url):
            raise UploadError("The upload would go to a host that is not the service's")
        if not _DIRECTORY.fullmatch(data["upload_dir"]):
            raise UploadError("The upload would go to an unknown directory")
        if data["x_oss_object_acl"] != "private":
            raise UploadError("The upload would not be private")
        largest = data.get("max_file_size_mb")
        return cls(
            URL(data["upload_host"]),
            data["upload_dir"],
            {field: data[name] for field, name in _FIELDS.items()},
            round(largest * _MEGABYTE) if isinstance(largest, int | float) else 0,
        )


async def upload(
    session: ClientSession,
    permission: Permission,
    name: str,
    content: bytes,
    limit: float,
    on_progress: Callable[[float], None],
) -> str:
    """Upload a recording and return its ``oss://`` address, valid for 48 h.

    Args:
        session: Is used, and left open.
        permission: A permission that is not older than 300 s.
        name: Name of the file, in ASCII and unique.
        content: A WAV file.
        limit: Seconds for the upload; more on a line that is slower than the
            file needs, down to :data:`SLOWEST_LINE`.
        on_progress: Is called with the share of the file that was sent, 0 to 1.

    Raises:
        RecordingTooLargeError: The file is larger than permitted.
        UploadError: The upload failed.
    """
    if permission.largest and len(content) > permission.largest:
        raise RecordingTooLargeError("The recording is larger than the service accepts")
    key = f"{permission.directory}/{name}"
    form = FormData(default_to_multipart=True)
    for field, value in permission.fields.items():
        form.add_field(field, value)
    form.add_field("key", key)
    form.add_field("success_action_status", str(HTTPStatus.OK.value))
    # The file must be the last field
    form.add_field(
        "file",
        _Content(content, on_progress),
        filename=name,
        content_type="audio/wav",
    )
    longest = max(limit, len(content) / SLOWEST_LINE)
    try:
        async with session.post(
            permission.url,
            data=form,
            allow_redirects=False,  # the recording is for this host only
            timeout=ClientTimeout(total=longest, sock_connect=CONNECT_TIMEOUT),
        ) as response:
            if response.status in _STORED:
                return f"oss://{key}"
            body = await response.content.read(LARGEST_ANSWER)
            failure = _refusal(response.status, body)
    except TimeoutError:
        failure = UploadError(f"The upload was not complete after {longest:.0f} s")
    except (ClientError, OSError, ValueError, RuntimeError) as error:
        failure = UploadError(f"The upload was interrupted ({type(error).__name__})")
    # Raised out here because aiohttp's errors may hold the form, and so the signature.
    raise failure


class _Content(io.BytesIO):
    """The content of a file, which reports how much of it was read."""

    def __init__(self, content: bytes, on_progress: Callable[[float], None]) -> None:
        super().__init__(content)
        self._length = len(content)
        self._on_progress = on_progress

    @override
    def read(self, size: int | None = -1, /) -> bytes:
        self._on_progress(self.tell() / self._length)
        return super().read(size)


def _is_trusted(host: str, http_url: str) -> bool:
    """Return whether recordings may be sent to an address."""
    try:
        url, api = URL(host), URL(http_url)
    except ValueError:
        return False
    if url.user or url.password or url.query_string:
        return False
    if url.host == api.host and url.scheme == api.scheme:
        return True
    return (
        url.scheme == "https"
        and url.explicit_port is None
        and not url.path.strip("/")
        and _HOST.fullmatch(url.host or "") is not None
    )


def _refusal(status: int, body: bytes) -> UploadError:
    """Return the error for a refused upload, worded by the storage's XML."""
    text = body.decode(errors="replace")
    code, message = (
        found[1] if (found := re.search(rf"<{tag}>([^<]*)</{tag}>", text)) else None
        for tag in ("Code", "Message")
    )
    return UploadError(message or f"HTTP status {status}", code=code)
