"""Where recordings are uploaded to: permissions, the form, and objects that expire.

The signature is checked as Object Storage Service does: the policy's HMAC-SHA1 with the
secret of the access key, in Base64. A refusal is XML.
"""

import asyncio
import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
import hashlib
import hmac
import json
import secrets
from typing import TYPE_CHECKING, Any
import uuid
from xml.sax.saxutils import escape

from aiohttp import BodyPartReader, web

from .errors import ServiceError, invalid

if TYPE_CHECKING:
    from .server import Emulator

_OBJECT_SECONDS = 48 * 3600.0
_SIGNED = ("OSSAccessKeyId", "Signature", "policy", "key")
_PIECE = 65_536


@dataclass(frozen=True)
class Upload:
    """A form that was sent.

    Attributes:
        fields: The names of its fields, in order.
        headers: The names of the request's headers.
        size: Bytes of its file.
        status: The answer.
        key: Where the file was to go.
    """

    fields: list[str]
    headers: list[str]
    size: int
    status: int
    key: str


@dataclass(frozen=True)
class StoredObject:
    """A file that was uploaded, the model it was for, and until when it exists."""

    data: bytes
    model: str
    expires: float


class _StorageError(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class Storage:
    """The permissions that were given and the objects that exist.

    Attributes:
        objects: The objects by their keys.
        uploads: Every form that was sent.
    """

    def __init__(self, emulator: Emulator) -> None:
        """Begin empty, with an access key."""
        self._emulator = emulator
        self._key_id = f"LTAI{secrets.token_hex(10)}"
        self._secret = secrets.token_bytes(20)
        self._directories: dict[str, tuple[str, float]] = {}
        self.objects: dict[str, StoredObject] = {}
        self.uploads: list[Upload] = []

    async def policy(self, request: web.Request) -> web.StreamResponse:
        """Answer ``uploads?action=getPolicy``."""
        model = request.query.get("model", "")
        if request.query.get("action") != "getPolicy" or not model:
            raise invalid("Required parameter(s) missing or invalid.")
        config = self._emulator.config
        today = datetime.now(UTC)
        directory = (
            f"dashscope-instant/{secrets.token_hex(8)}/{today:%Y-%m-%d}/{uuid.uuid4()}"
        )
        expires = asyncio.get_running_loop().time() + config.policy_seconds
        self._directories[directory] = model, expires
        expiration = today + timedelta(seconds=config.policy_seconds)
        policy = {
            "expiration": expiration.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "conditions": [
                ["content-length-range", 0, config.upload_limit_mb * 2**20],
                ["starts-with", "$key", directory],
                {"x-oss-object-acl": "private"},
                {"x-oss-forbid-overwrite": "true"},
            ],
        }
        encoded = base64.b64encode(json.dumps(policy).encode()).decode()
        data = {
            "policy": encoded,
            "signature": self._sign(encoded),
            "upload_dir": directory,
            "upload_host": config.upload_host or f"http://{request.host}",
            "expire_in_seconds": round(config.policy_seconds),
            "max_file_size_mb": config.upload_limit_mb,
            "capacity_limit_mb": 999999999,
            "oss_access_key_id": self._key_id,
            "x_oss_object_acl": "private",
            "x_oss_forbid_overwrite": "true",
        }
        return web.json_response({"request_id": str(uuid.uuid4()), "data": data})

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """Answer the form."""
        order: list[str] = []
        fields: dict[str, str] = {}
        data = b""
        try:
            data = await self._read(request, order, fields)
            self._store(request, fields, data)
            asked = fields.get("success_action_status") == "200"
            status = self._emulator.config.facts.upload_status if asked else 204
            answer = web.Response(status=status)
        except _StorageError as error:
            answer = _xml(error)
        headers = list(request.headers)
        key = fields.get("key", "")
        self.uploads.append(Upload(order, headers, len(data), answer.status, key))
        self._emulator.notify()
        return answer

    def resolve(self, url: str, model: str, *, asked: bool) -> bytes:
        """Return the object of an ``oss://`` URL.

        Args:
            url: The URL.
            model: The model that a voice is cloned for.
            asked: True if the request has the header that asks for it.

        Raises:
            ServiceError: If it cannot be fetched.
        """
        if not asked:
            raise ServiceError(
                "InvalidParameter.DataInspection",
                "Unable to download the media resource during the data inspection process.",
            )
        found = self.objects.get(url.removeprefix("oss://"))
        now = asyncio.get_running_loop().time()
        if (
            found is None
            or found.expires <= now
            or found.model not in (model, "voice-enrollment")
        ):
            raise ServiceError(
                "BadRequest.InputDownloadFailed", "Failed to download the input file."
            )
        return found.data

    async def _read(
        self, request: web.Request, order: list[str], fields: dict[str, str]
    ) -> bytes:
        """Read the fields up to the file, which ends the form; return the file."""
        if request.content_length is None:
            message = "You must provide the Content-Length HTTP header."
            raise _StorageError(411, "MissingContentLength", message)
        if not request.content_type.startswith("multipart/form-data"):
            raise _StorageError(
                412, "PreconditionFailed", "Bucket POST must be of multipart/form-data."
            )
        data: bytes | None = None
        reader = await request.multipart()
        while (part := await reader.next()) is not None:
            if not isinstance(part, BodyPartReader):
                raise _StorageError(400, "MalformedPOSTRequest", "A part in a part.")
            order.append(part.name or "")
            if part.name == "file":
                data = await self._file(part)
            elif data is None:
                # Fields after the file are ignored.
                fields[part.name or ""] = await part.text()
            else:
                await part.read()
        if data is None:
            message = "Bucket POST must contain a field named 'file'."
            raise _StorageError(400, "IncorrectNumberOfFilesInPOSTRequest", message)
        return data

    async def _file(self, part: BodyPartReader) -> bytes:
        data = bytearray()
        rate = self._emulator.config.upload_rate
        while piece := await part.read_chunk(_PIECE if rate is None else 4096):
            data += piece
            if rate is not None:
                await asyncio.sleep(len(piece) / rate)
        return bytes(data)

    def _store(
        self, request: web.Request, fields: Mapping[str, str], data: bytes
    ) -> None:
        if "Authorization" in request.headers:
            message = "Only one authentication mechanism is allowed."
            raise _StorageError(400, "InvalidArgument", message)
        for name in _SIGNED:
            if name not in fields:
                message = (
                    f"Bucket POST must contain the field named '{name}'. "
                    "If it is specified, please check the order of the fields."
                )
                raise _StorageError(400, "InvalidArgument", message)
        self._check_signature(fields)
        directory = fields["key"].rpartition("/")[0]
        model, expires = self._directories.get(directory, ("", 0.0))
        conditions = json.loads(base64.b64decode(fields["policy"]))["conditions"]
        now = asyncio.get_running_loop().time()
        allowed = conditions[1][2]
        if model and now >= expires:
            raise _denied("Policy expired.")
        if not model or directory != allowed:
            raise _denied(
                f'Policy Condition failed: ["starts-with", "$key", "{allowed}"]'
            )
        for name in ("x-oss-object-acl", "x-oss-forbid-overwrite"):
            wanted = {"x-oss-object-acl": "private"}.get(name, "true")
            if fields.get(name) != wanted:
                raise _denied(f'Policy Condition failed: ["eq", "${name}", "{wanted}"]')
        if len(data) > conditions[0][2]:
            message = "Your proposed upload exceeds the maximum allowed size."
            raise _StorageError(400, "EntityTooLarge", message)
        if fields["key"] in self.objects:
            message = (
                "The object you specified already exists and can not be overwritten."
            )
            raise _StorageError(409, "FileAlreadyExists", message)
        self.objects[fields["key"]] = StoredObject(data, model, now + _OBJECT_SECONDS)

    def _check_signature(self, fields: Mapping[str, str]) -> None:
        if fields["OSSAccessKeyId"] != self._key_id:
            message = (
                "The OSS Access Key Id you provided does not exist in our records."
            )
            raise _StorageError(403, "InvalidAccessKeyId", message)
        expected = self._sign(fields["policy"])
        if not hmac.compare_digest(expected.encode(), fields["Signature"].encode()):
            message = (
                "The request signature we calculated does not match the signature you "
                "provided. Check your key and signing method."
            )
            raise _StorageError(403, "SignatureDoesNotMatch", message)

    def _sign(self, policy: str) -> str:
        digest = hmac.digest(self._secret, policy.encode(), hashlib.sha1)
        return base64.b64encode(digest).decode()


def storage_refusal(status: int) -> web.Response:
    """Return a refusal of the storage that has no reason of its own."""
    codes = {403: "AccessDenied", 404: "NoSuchBucket", 503: "ServiceUnavailable"}
    code = codes.get(status, "InternalError")
    return _xml(_StorageError(status, code, "We encountered an internal error."))


def _denied(reason: str) -> _StorageError:
    return _StorageError(403, "AccessDenied", f"Invalid according to Policy: {reason}")


def _xml(error: _StorageError) -> web.Response:
    facts: dict[str, Any] = {
        "Code": error.code,
        "Message": error.message,
        "RequestId": secrets.token_hex(12).upper(),
        "HostId": "dashscope-file-emulated.oss-cn-beijing.aliyuncs.com",
    }
    body = "".join(f"  <{k}>{escape(v)}</{k}>\n" for k, v in facts.items())
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>\n{body}</Error>\n'
    return web.Response(status=error.status, text=text, content_type="application/xml")
