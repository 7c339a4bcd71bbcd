"""Uploading recordings to the service's storage, with its permission."""

from typing import Any

from aiohttp import web
import pytest

from custom_components.cosyvoice.client import (
    AccessDeniedError,
    CosyVoiceError,
    ProtocolError,
    ProxyError,
    RecordingTooLargeError,
    RequestError,
    Timing,
    UploadError,
)
from custom_components.cosyvoice.client.wire import http, upload
from custom_components.cosyvoice.client.wire.upload import Permission
from tests.emulator.recordings import speech, wav

from .enrolling import account, answering


@pytest.mark.parametrize(
    "fault",
    [
        *("reset@http", "drop@answer", "http_503@http", "http_500@answer"),
    ],
)
@pytest.mark.parametrize("request_name", ["upload", "policy"])
async def test_a_broken_upload_is_repeated(fault: str, request_name: str) -> None:
    async with account() as (emulator, api):
        emulator.script(f"{fault},request={request_name}")
        url = await api.upload(wav(speech(120)))
        assert url.removeprefix("oss://") in emulator.storage.objects


@pytest.mark.parametrize("fault", ["redirect@http", "http_403@http"])
async def test_what_the_storage_refuses_once_is_repeated(fault: str) -> None:
    async with account() as (emulator, api):
        emulator.script(f"{fault},request=upload")
        url = await api.upload(wav(speech(120)))
        assert url.removeprefix("oss://") in emulator.storage.objects
        assert emulator.astray == 0


@pytest.mark.parametrize(
    ("fault", "kind"),
    [("redirect", ProxyError), ("http_403", AccessDeniedError)],
)
async def test_a_permission_that_is_refused_is_an_error(
    fault: str, kind: type[CosyVoiceError]
) -> None:
    async with account() as (emulator, api):
        emulator.script(f"{fault}@http,request=policy,times=always")
        with pytest.raises(kind):
            await api.upload(wav(speech(120)))
        assert (emulator.astray, emulator.storage.uploads) == (0, [])


async def test_a_permission_that_expired_is_renewed() -> None:
    async with account(policy_seconds=-1) as (emulator, api):
        asked = 0
        get = http.HttpApi.get

        async def counted(self: http.HttpApi, *args: Any, **kwargs: Any) -> Any:
            nonlocal asked
            asked += 1
            if asked == 2:
                emulator.config.policy_seconds = 300
            return await get(self, *args, **kwargs)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(http.HttpApi, "get", counted)
            await api.upload(wav(speech(120)))
        assert asked == 2
        emulator.config.policy_seconds = -1
        with pytest.raises(UploadError, match="Policy expired") as caught:
            await api.upload(wav(speech(120)))
        assert caught.value.code == "AccessDenied"


async def test_an_upload_that_hangs_ends() -> None:
    async with account() as (emulator, api):
        emulator.script("hang@http,request=upload,times=always")
        with pytest.raises(UploadError, match="not complete after"):
            await api.upload(b"RIFF")


async def test_a_slow_line_has_the_time_that_it_needs() -> None:
    """10 kB/s for 20 kB, though the limit is half a second."""
    async with account(upload_rate=10_000) as (emulator, api):
        url = await api.upload(bytes(20_000))
        assert url.removeprefix("oss://") in emulator.storage.objects


async def test_a_slow_line_has_five_minutes() -> None:
    assert Timing().upload >= 300
    longest = 60 * 24_000 * 2
    assert longest / upload.SLOWEST_LINE > longest / 10_000


async def test_a_recording_may_be_larger_than_permitted() -> None:
    async with account(upload_limit_mb=1) as (emulator, api):
        with pytest.raises(RecordingTooLargeError):
            await api.upload(bytes(2**20 + 1))
        assert emulator.storage.uploads == []


@pytest.mark.parametrize(
    "host",
    [
        "https://evil.example.com",
        "https://dashscope-file-x.oss-cn-beijing.aliyuncs.com.example.com",
        "http://dashscope-file-x.oss-cn-beijing.aliyuncs.com",
        "https://dashscope-file-x.oss-cn-beijing.aliyuncs.com:8443",
        "https://me@dashscope-file-x.oss-cn-beijing.aliyuncs.com",
        "https://dashscope-file-x.oss-cn-beijing.aliyuncs.com/elsewhere",
        "https://dashscope-file-x.oss-cn-beijing.aliyuncs.com?a=b",
        "https://bucket.oss-cn-beijing.aliyuncs.com",
        "https://[::1",
        "",
    ],
)
async def test_only_the_service_gets_a_recording(host: str) -> None:
    async with account(upload_host=host or "nonsense") as (_, api):
        with pytest.raises(UploadError, match="host that is not"):
            await api.upload(wav(speech(120)))


GRANTED = {
    "policy": "p",
    "signature": "s",
    "upload_dir": "dashscope-instant/0123/2026-11-20/3f0c-uuid",
    "upload_host": "https://dashscope-file-mgr.oss-cn-beijing.aliyuncs.com",
    "max_file_size_mb": 100,
    "oss_access_key_id": "LTAI",
    "x_oss_object_acl": "private",
    "x_oss_forbid_overwrite": "true",
}
API = "https://dashscope.aliyuncs.com/api/v1"


@pytest.mark.parametrize(
    ("host", "api"),
    [
        ("https://dashscope-file-mgr.oss-cn-beijing.aliyuncs.com", API),
        ("https://dashscope-file-x1.oss-ap-southeast-1.aliyuncs.com/", API),
        ("http://127.0.0.1:9000", "http://127.0.0.1:8765/api/v1"),
        ("https://proxy.example.com", "https://proxy.example.com/prefix/api/v1"),
        ("http://127.0.0.1:8765/storage", "http://127.0.0.1:8765/api/v1"),
    ],
)
def test_the_hosts_of_the_service_are_trusted(host: str, api: str) -> None:
    permission = Permission.from_answer({**GRANTED, "upload_host": host}, api)
    assert str(permission.url).rstrip("/") == host.rstrip("/")
    assert permission.largest == 100 * 2**20


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({"upload_dir": "elsewhere/x"}, UploadError, "directory"),
        ({"upload_dir": "dashscope-instant/../x"}, UploadError, "directory"),
        ({"x_oss_object_acl": "public-read"}, UploadError, "private"),
        ({"signature": None}, ProtocolError, "no permission"),
        ({"upload_host": 1}, ProtocolError, "no permission"),
        (None, ProtocolError, "no permission"),
    ],
)
def test_a_permission_is_checked(
    changes: dict[str, Any] | None, kind: type[CosyVoiceError], words: str
) -> None:
    with pytest.raises(kind, match=words):
        Permission.from_answer(changes and {**GRANTED, **changes}, API)


def test_a_permission_may_have_no_limit() -> None:
    answer = {**GRANTED, "max_file_size_mb": None}
    assert Permission.from_answer(answer, API).largest == 0


@pytest.mark.parametrize("status", [200, 201, 204])
async def test_a_storage_may_confirm_in_other_words(status: int) -> None:
    async def handler(request: web.Request) -> web.Response:
        if request.method == "GET":
            host = str(request.url.origin())
            return web.json_response({"data": {**GRANTED, "upload_host": host}})
        await request.read()
        return web.Response(status=status)

    async with answering(handler) as api:
        url = await api.upload(b"RIFF")
    assert url.startswith(f"oss://{GRANTED['upload_dir']}/")


async def test_a_refusal_without_words_is_an_error() -> None:
    async def handler(request: web.Request) -> web.Response:
        if request.method == "GET":
            host = {"upload_host": str(request.url.origin())}
            return web.json_response({"data": {**GRANTED, **host}})
        await request.read()
        return web.Response(status=502)

    async with answering(handler) as api:
        with pytest.raises(UploadError, match="HTTP status 502"):
            await api.upload(b"RIFF")


async def test_a_service_that_hides_uploads_is_an_error() -> None:
    async with account(cloning_here=False) as (_, api):
        with pytest.raises(RequestError):
            await api.upload(b"RIFF")
