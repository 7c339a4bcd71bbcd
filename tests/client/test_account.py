"""The HTTP side of an account, against a server that says anything."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import date
import json
import logging
import socket
import traceback
from typing import Any

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
import pytest

from custom_components.cosyvoice.client import account
from custom_components.cosyvoice.client.account import AccountApi, ClonedVoice
from custom_components.cosyvoice.client.errors import (
    AccessDeniedError,
    ArrearsError,
    AuthenticationError,
    CosyVoiceConnectionError,
    CosyVoiceError,
    CosyVoiceTimeoutError,
    NotOfferedError,
    ProtocolError,
    ProxyError,
    RequestError,
    ServiceError,
    ThrottledError,
)
from custom_components.cosyvoice.client.wire import http
from custom_components.cosyvoice.client.wire.endpoint import Endpoint
from custom_components.cosyvoice.client.wire.http import HttpApi
from custom_components.cosyvoice.client.wire.keys import TemporaryKey
from tests.emulator import Emulator, EmulatorConfig

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
type Call = Callable[[AccountApi], Awaitable[object]]

KEY = "sk-0123456789abcdef"
CALLS: list[Call] = [
    lambda api: api.temporary_key(60),
    lambda api: api.list_voices(),
    lambda api: api.check(),
]


@asynccontextmanager
async def serving(
    handler: Handler, workspace_id: str | None = None
) -> AsyncGenerator[AccountApi]:
    """Serve every request with the handler; yield an API that asks there."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    async with TestServer(app) as server, ClientSession() as session:
        endpoint = Endpoint.create("cn-beijing", str(server.make_url("/")))
        yield AccountApi(HttpApi(session, endpoint, KEY, workspace_id))


def answering(**response: Any) -> Handler:
    """Return a handler that always answers the same."""

    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(**response)

    return handler


def voice_list(*ids: str, **facts: Any) -> dict[str, Any]:
    voices = [{"voice_id": voice, "status": "OK", **facts} for voice in ids]
    return {"output": {"voice_list": voices}, "request_id": "r"}


async def test_a_temporary_key_is_asked_for() -> None:
    requests = []

    async def handler(request: web.Request) -> web.StreamResponse:
        requests.append((request.method, request.path_qs, dict(request.headers)))
        return web.json_response({"token": "st-1", "expires_at": 1790000000})

    async with serving(handler, "ws-1") as api:
        key = await api.temporary_key(1800)
    assert key == TemporaryKey("st-1", 1790000000)
    assert "st-1" not in repr(key)
    ((method, path, headers),) = requests
    assert (method, path) == ("POST", "/api/v1/tokens?expire_in_seconds=1800")
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert headers["X-DashScope-WorkSpace"] == "ws-1"


async def test_all_voices_are_listed_however_long_the_pages_are() -> None:
    ids = [f"cosyvoice-v3-flash-home-{number}" for number in range(256)]
    for longest in (10, 50, 1000):
        inputs: list[dict[str, Any]] = []

        async def handler(
            request: web.Request,
            longest: int = longest,
            inputs: list[dict[str, Any]] = inputs,
        ) -> web.StreamResponse:
            body = await request.json()
            assert body["model"] == "voice-enrollment"
            inputs.append(body["input"])
            size = min(longest, body["input"]["page_size"])
            begin = body["input"]["page_index"] * size
            return web.json_response(voice_list(*ids[begin : begin + size]))

        async with serving(handler) as api:
            voices = await api.list_voices()
        assert [voice.id for voice in voices] == ids
        assert {body["action"] for body in inputs} == {"list_voice"}
        assert len(inputs) <= len(ids) // min(longest, 100) + 2


async def test_a_service_that_repeats_itself_is_not_asked_for_ever() -> None:
    asked: list[web.Request] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        asked.append(request)
        return web.json_response(voice_list(*(f"v{number}" for number in range(10))))

    async with serving(handler) as api:
        assert len(await api.list_voices()) == 10
    assert len(asked) == 2


async def test_the_number_of_pages_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account, "MOST_PAGES", 3)
    asked: list[web.Request] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        page = len(asked)
        asked.append(request)
        return web.json_response(
            voice_list(*(f"v{page}-{number}" for number in range(10)))
        )

    async with serving(handler) as api:
        assert len(await api.list_voices()) == 30
    assert len(asked) == 3


async def test_voices_come_with_model_and_status() -> None:
    answer = voice_list(
        "cosyvoice-v3.5-plus-vd-home-1",
        status="DEPLOYING",
        gmt_create="2026-10-01 10:00:00",
    )
    answer["output"]["voice_list"].append(
        {"voice_id": "other-1", "status": "UNDEPLOYED", "gmt_create": 3}
    )
    async with serving(answering(text=json.dumps(answer))) as api:
        assert await api.list_voices() == (
            ClonedVoice(
                id="cosyvoice-v3.5-plus-vd-home-1",
                model="cosyvoice-v3.5-plus",
                status="DEPLOYING",
                changed=date(2026, 10, 1),
            ),
            ClonedVoice(id="other-1", model=None, status="UNDEPLOYED"),
        )


async def test_a_row_that_names_no_voice_hides_no_other() -> None:
    answer = voice_list("a", "b")
    rows = answer["output"]["voice_list"]
    rows[1:1] = ["x", None, {}, {"voice_id": None, "status": "OK"}]
    rows.insert(1, {"voice_id": "c", "status": "ok"})
    async with serving(answering(text=json.dumps(answer))) as api:
        assert await api.list_voices() == tuple(
            ClonedVoice(id=voice, model=None, status="OK") for voice in "acb"
        )


async def test_an_account_may_have_no_voices() -> None:
    for voices in ("[]", "null"):
        answer = f'{{"output": {{"voice_list": {voices}}}}}'
        async with serving(answering(text=answer)) as api:
            assert await api.list_voices() == ()


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("status", "body", "error", "code"),
    [
        (
            401,
            {"code": "InvalidApiKey", "message": "Invalid API-key provided."},
            AuthenticationError,
            "InvalidApiKey",
        ),
        (401, None, AuthenticationError, "HTTP 401"),
        (403, {"code": "AccessDenied", "message": "no"}, AccessDeniedError, None),
        (400, {"code": "Arrearage", "message": "Access denied"}, ArrearsError, None),
        (429, {"code": "Throttling.RateQuota"}, ThrottledError, None),
        (400, {"code": "InvalidParameter", "message": "no"}, RequestError, None),
        (404, [], NotOfferedError, "HTTP 404"),
        (500, {"code": 7, "message": None}, ServiceError, "HTTP 500"),
        (503, None, ServiceError, "HTTP 503"),
        (302, None, ProxyError, "HTTP 302"),
        (407, None, ProxyError, "HTTP 407"),
    ],
)
async def test_a_refusal_is_classed(
    call: Call, status: Any, body: Any, error: type[Exception], code: str | None
) -> None:
    text = "<html>" if body is None else json.dumps(body)
    handler = answering(status=status, text=text, headers={"Location": "/elsewhere"})
    async with serving(handler) as api:
        with pytest.raises(error) as caught:
            await call(api)
    assert type(caught.value) is error
    assert getattr(caught.value, "code", None) == code or code is None


async def test_a_refusal_carries_the_services_words_but_not_the_key() -> None:
    body = {
        "code": "InvalidApiKey",
        "message": f"Incorrect key {KEY}",
        "request_id": "r-1",
    }
    async with serving(answering(status=401, text=json.dumps(body))) as api:
        with pytest.raises(AuthenticationError) as caught:
            await api.list_voices()
    assert caught.value.message == "Incorrect key ***"
    assert caught.value.request_id == "r-1"


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"\xff\xfe",
        b"[]",
        b'"text"',
        b"{}",
        b'{"token": 3, "expires_at": 1}',
        b'{"token": "st-1", "expires_at": "soon"}',
        b'{"output": null}',
        b'{"output": []}',
        b'{"output": {}}',
        b'{"output": {"voice_list": "none"}}',
        b"[" * 100_000,
        b" " * (http.LARGEST_ANSWER + 1),
    ],
    ids=lambda body: repr(body[:40]),
)
async def test_an_answer_of_the_wrong_shape_is_an_error(call: Call, body: Any) -> None:
    async with serving(answering(body=body)) as api:
        with pytest.raises(ProtocolError):
            await call(api)


@pytest.mark.parametrize("call", CALLS)
async def test_a_slow_service_is_not_waited_for_ever(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "REQUEST_TIMEOUT", 0.05)
    leave = asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        await leave.wait()
        return web.Response()

    async with serving(handler) as api:
        with pytest.raises(CosyVoiceTimeoutError):
            await call(api)
        leave.set()


@pytest.mark.parametrize("call", CALLS)
async def test_a_service_that_is_not_there(call: Call) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        endpoint = Endpoint.create("cn-beijing", f"http://127.0.0.1:{port}")
        async with ClientSession() as session:
            with pytest.raises(CosyVoiceConnectionError) as caught:
                await call(AccountApi(HttpApi(session, endpoint, KEY)))
    assert caught.value.retryable


@pytest.mark.parametrize("call", CALLS)
async def test_a_connection_lost_in_the_answer(call: Call) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"{")
        request.transport.abort()
        return response

    async with serving(handler) as api:
        with pytest.raises(CosyVoiceConnectionError):
            await call(api)


async def test_a_host_that_cannot_be_is_a_failed_connection() -> None:
    endpoint = Endpoint("cn-beijing", ("ws://x",), ("http://:/api",))
    async with ClientSession() as session:
        with pytest.raises(CosyVoiceConnectionError):
            await AccountApi(HttpApi(session, endpoint, KEY)).list_voices()


@pytest.mark.parametrize(
    "handler",
    [
        answering(status=401, text=json.dumps({"message": f"Bad key {KEY}"})),
        answering(status=500, text=KEY),
        answering(text=KEY),
        answering(status=302, headers={"Location": "http://127.0.0.1:1/"}),
    ],
)
async def test_the_key_is_in_no_error_and_no_log(
    handler: Handler, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with serving(handler) as api:
        with pytest.raises(CosyVoiceError) as caught:
            await api.temporary_key(60)
    error: BaseException | None = caught.value
    shown = "".join(traceback.format_exception(error)) + caplog.text
    while error is not None:
        shown += repr(error) + str(error) + repr(vars(error))
        error = error.__cause__ or error.__context__
    assert KEY not in shown
    assert KEY not in repr(api)


@pytest.mark.parametrize("model", ["cosyvoice-v3-flash", "cosyvoice-v3.5-plus"])
def test_the_id_tells_designed_voices_from_cloned_ones(model: str) -> None:
    cloned, designed = (
        ClonedVoice(id=f"{model}-{name}", model=model, status="OK")
        for name in ("vdhome-5a40", "vd-home-5a40")
    )
    assert not cloned.is_designed
    assert designed.is_designed


async def test_the_emulated_service_is_understood() -> None:
    voices = {f"cosyvoice-v3-flash-home-{number}": "OK" for number in range(23)}
    config = EmulatorConfig(api_keys={KEY}, cloned_voices=voices)
    async with Emulator(config) as emulator, ClientSession() as session:
        endpoint = Endpoint.create("cn-beijing", emulator.url)
        api = AccountApi(HttpApi(session, endpoint, KEY))
        assert {voice.id for voice in await api.list_voices()} == set(voices)
        key = await api.temporary_key(60)
        assert key.token.startswith("st-")
        wrong = AccountApi(HttpApi(session, endpoint, "sk-wrong"))
        for call in CALLS:
            with pytest.raises(AuthenticationError):
                await call(wrong)
