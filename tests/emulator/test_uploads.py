"""Uploading recordings: permission, form, signature, objects."""

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest

from .cloner import QWEN, studio
from .recordings import speech, wav
from .wire import KEY, MODEL, bearer


async def test_objects_are_found_only_when_asked_for() -> None:
    async with studio() as (emulator, client):
        url = await client.uploaded(wav(speech(120)))
        arguments: dict[str, Any] = {"target_model": MODEL, "prefix": "me", "url": url}
        _, body = await client.call("create_voice", resolve=False, **arguments)
        assert body["code"] == "InvalidParameter.DataInspection"
        # It was uploaded for one model.
        _, body = await client.call(
            "create_voice", **arguments | {"target_model": QWEN}
        )
        assert body["code"] == "BadRequest.InputDownloadFailed"
        emulator.storage.objects.clear()
        _, body = await client.call("create_voice", **arguments)
        assert body["code"] == "BadRequest.InputDownloadFailed"


async def test_the_usual_model_of_an_upload_is_the_enrolment() -> None:
    async with studio() as (_, client):
        url = await client.uploaded(wav(speech(120)), "voice-enrollment")
        status, _ = await client.call(
            "create_voice", target_model=QWEN, prefix="me", url=url
        )
        assert status == 200


async def test_objects_expire(monkeypatch: pytest.MonkeyPatch) -> None:
    async with studio() as (_, client):
        url = await client.uploaded(wav(speech(120)))
        loop = asyncio.get_running_loop()
        now = loop.time()
        monkeypatch.setattr(loop, "time", lambda: now + 48 * 3600 + 1, raising=True)
        _, body = await client.call(
            "create_voice", target_model=MODEL, prefix="me", url=url
        )
        assert body["code"] == "BadRequest.InputDownloadFailed"


async def test_the_permission_says_what_is_allowed() -> None:
    async with studio() as (emulator, client):
        policy: dict[str, Any] = await client.policy()
        assert policy["upload_host"] == emulator.url
        assert policy["expire_in_seconds"] == 300
        assert policy["max_file_size_mb"] == 100
        assert policy["upload_dir"].startswith("dashscope-instant/")
        url = emulator.url + "/api/v1/uploads"
        for query, status in (("", 400), ("?action=getPolicy", 400)):
            async with client.session.get(url + query, headers=bearer(KEY)) as response:
                assert response.status == status
        async with client.session.get(url, headers=bearer("sk-wrong")) as response:
            assert response.status == 401


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"Signature": "AAAA"}, 403, "SignatureDoesNotMatch"),
        ({"policy": base64.b64encode(b"{}").decode()}, 403, "SignatureDoesNotMatch"),
        ({"OSSAccessKeyId": "LTAIother"}, 403, "InvalidAccessKeyId"),
        ({"key": "elsewhere/sample.wav"}, 403, "AccessDenied"),
        ({"x-oss-object-acl": "public-read"}, 403, "AccessDenied"),
        ({"x-oss-forbid-overwrite": ""}, 403, "AccessDenied"),
        ({"policy": ""}, 400, "InvalidArgument"),
        ({"key": ""}, 400, "InvalidArgument"),
    ],
)
async def test_the_form_is_checked(
    changes: dict[str, str], status: int, code: str
) -> None:
    async with studio() as (emulator, client):
        answer = await client.post(await client.policy(), b"x", changes)
        assert answer[0] == status
        assert f"<Code>{code}</Code>" in answer[1]
        assert emulator.storage.objects == {}


async def test_the_file_must_come_last() -> None:
    async with studio() as (_, client):
        status, body, _ = await client.post(await client.policy(), b"x", last=False)
        assert status == 400
        assert "check the order of the fields" in body


async def test_permission_expires() -> None:
    async with studio(policy_seconds=0.01) as (_, client):
        policy = await client.policy()
        await asyncio.sleep(0.02)
        status, body, _ = await client.post(policy, b"x")
        assert status == 403
        assert "Invalid according to Policy: Policy expired." in body


async def test_what_exists_is_not_overwritten() -> None:
    async with studio() as (_, client):
        policy = await client.policy()
        assert (await client.post(policy, b"x"))[0] == 200
        status, body, _ = await client.post(policy, b"y")
        assert (status, "FileAlreadyExists" in body) == (409, True)


async def test_a_file_may_be_too_large_for_the_permission() -> None:
    async with studio(upload_limit_mb=1) as (_, client):
        status, body, _ = await client.post(await client.policy(), bytes(2**20 + 1))
        assert (status, "EntityTooLarge" in body) == (400, True)


async def test_a_form_must_have_a_length_and_no_key() -> None:
    async with studio() as (emulator, client):

        async def stream() -> AsyncIterator[bytes]:
            yield b"--x--\r\n"

        content = {"Content-Type": "multipart/form-data; boundary=x"}
        for headers, data, status in (
            (content, stream(), 411),
            (content, b"--x--\r\n", 400),
            ({"Content-Type": "text/plain"}, b"x", 412),
        ):
            async with client.session.post(
                emulator.url, headers=headers, data=data
            ) as response:
                assert response.status == status
        client.session.headers.update(bearer(KEY))
        status, body, _ = await client.post(await client.policy(), b"x")
        assert (status, "InvalidArgument" in body) == (400, True)
        # Tests can see who sent the key along.
        assert "Authorization" in emulator.storage.uploads[-1].headers


async def test_what_was_sent_is_remembered() -> None:
    async with studio() as (emulator, client):
        url = await client.uploaded(b"abc")
        (upload,) = emulator.storage.uploads
        assert (upload.size, upload.status, upload.fields[-1]) == (3, 200, "file")
        assert url == f"oss://{upload.key}"
        assert emulator.storage.objects[upload.key].data == b"abc"


async def test_a_line_may_be_slow() -> None:
    async with studio(upload_rate=100_000) as (_, client):
        clock = asyncio.get_running_loop().time
        begun = clock()
        await client.uploaded(bytes(30_000))
        assert clock() - begun > 0.28


async def test_an_upload_that_is_refused_gives_xml() -> None:
    async with studio() as (emulator, client):
        emulator.script("http_403@http,request=upload")
        status, body, _ = await client.post(await client.policy(), b"x")
        assert (status, "<Code>AccessDenied</Code>" in body) == (403, True)


async def test_who_follows_a_redirection_is_seen() -> None:
    async with studio() as (emulator, client):
        emulator.script("redirect@http,request=upload")
        await client.session.post(emulator.url, data=b"x")
        assert emulator.astray == 1
