"""Temporary keys, cloned voices and the faults of the HTTP interface."""

import asyncio
from typing import Any

import aiohttp
import pytest

from . import Emulator, EmulatorConfig, Fault, FaultKind, Point
from .wire import KEY, MODEL, bearer, connect

TOKENS = "/api/v1/tokens"
VOICES = "/api/v1/services/audio/tts/customization"


async def post(
    emulator: Emulator, path: str, body: Any = None, key: str = KEY
) -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(emulator.url + path, headers=bearer(key), json=body) as response,
    ):
        return response.status, await response.json()


async def test_a_temporary_key_works_until_it_expires(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with Emulator(EmulatorConfig(speech="signal")) as emulator:
        status, body = await post(emulator, f"{TOKENS}?expire_in_seconds=1800")
        assert status == 200
        token = body["token"]
        assert token.startswith("st-")
        async with connect(emulator, token) as wire:
            await wire.speak("你好。")
        assert emulator.connections[0].key == "temporary"
        # It has the rights of its parent, and loses them with it.
        _, second = await post(emulator, TOKENS, key=token)
        emulator.config.api_keys = set()
        assert (await post(emulator, TOKENS, key=second["token"]))[0] == 401
        emulator.config.api_keys = {KEY}
        now = asyncio.get_running_loop().time()
        monkeypatch.setattr(
            asyncio.get_running_loop(), "time", lambda: now + 1801, raising=True
        )
        assert (await post(emulator, TOKENS, key=token))[0] == 401


@pytest.mark.parametrize("seconds", ["0", "1801", "-1", "x", "1.5"])
async def test_a_temporary_key_lives_for_half_an_hour_at_most(seconds: str) -> None:
    async with Emulator() as emulator:
        status, body = await post(emulator, f"{TOKENS}?expire_in_seconds={seconds}")
        assert (status, body["code"]) == (400, "InvalidParameter")


async def test_a_wrong_key_gets_nothing() -> None:
    async with Emulator() as emulator:
        for path in (TOKENS, VOICES):
            status, body = await post(emulator, path, key="sk-wrong")
            assert (status, body["code"]) == (401, "InvalidApiKey")
            assert body["message"] == "Invalid API-key provided."
            assert body["request_id"]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        (None, "InvalidParameter"),
        ({"action": "sing"}, "InvalidParameter"),
        ({"action": "query_voice", "voice_id": "x"}, "BadRequest.ResourceNotExist"),
        ({"action": "delete_voice"}, "BadRequest.ResourceNotExist"),
        ({"action": "list_voice", "page_size": 0}, "InvalidParameter"),
        ({"action": "create_voice", "target_model": "x"}, "ModelNotFound"),
        (
            {"action": "create_voice", "target_model": MODEL, "prefix": "Not good"},
            "InvalidParameter",
        ),
        (
            {"action": "create_voice", "target_model": MODEL, "prefix": "good"},
            "InvalidParameter",
        ),
    ],
)
async def test_bad_requests_are_refused(values: Any, code: str) -> None:
    async with Emulator() as emulator:
        body = {"model": "voice-enrollment", "input": values}
        status, answer = await post(emulator, VOICES, body)
        assert answer["code"] == code
        assert status == (404 if code == "ModelNotFound" else 400)


async def test_only_what_exists_is_found() -> None:
    async with Emulator() as emulator:
        assert (await post(emulator, "/api/v1/other"))[0] == 404


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
async def test_requests_can_be_refused(status: int) -> None:
    async with Emulator() as emulator:
        emulator.script(Fault(FaultKind(f"http_{status}"), Point.HTTP))
        found, body = await post(emulator, TOKENS)
        assert found == status
        assert body["code"]
        assert (await post(emulator, TOKENS))[0] == 200


async def test_answers_can_be_garbage_or_late() -> None:
    async with Emulator() as emulator:
        emulator.script(
            Fault(FaultKind.GARBAGE_JSON, Point.HTTP),
            Fault(FaultKind.SLOW, Point.HTTP, seconds=0.01),
            Fault(FaultKind.GARBAGE_TEXT, Point.HTTP),
        )
        assert "token" not in (await post(emulator, TOKENS))[1]
        assert "token" in (await post(emulator, TOKENS))[1]
        with pytest.raises(aiohttp.ContentTypeError):
            await post(emulator, TOKENS)


@pytest.mark.parametrize("kind", [FaultKind.RESET, FaultKind.DROP])
async def test_requests_can_be_cut(kind: FaultKind) -> None:
    async with Emulator() as emulator:
        # aiohttp itself tries once more on a fresh connection.
        emulator.script(Fault(kind, Point.HTTP, times=None))
        with pytest.raises(aiohttp.ClientConnectionError):
            await post(emulator, TOKENS)


async def test_requests_can_hang() -> None:
    async with Emulator() as emulator, aiohttp.ClientSession() as session:
        emulator.script(Fault(FaultKind.HANG, Point.HTTP))
        with pytest.raises(TimeoutError):
            await session.post(
                emulator.url + TOKENS,
                headers=bearer(KEY),
                timeout=aiohttp.ClientTimeout(total=0.05),
            )
        assert [fault.kind for fault in emulator.happened] == [FaultKind.HANG]
