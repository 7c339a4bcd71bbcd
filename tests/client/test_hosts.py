"""The vendor's two kinds of hosts, and what answers in their place."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from custom_components.cosyvoice.client import (
    AuthenticationError,
    CosyVoiceClient,
    CosyVoiceConnectionError,
    CosyVoiceError,
    Endpoint,
    NotOfferedError,
    ProxyError,
)
from custom_components.cosyvoice.client.wire.endpoint import HTTP_PATH, WEBSOCKET_PATH
from tests.clock import run
from tests.emulator import Emulator, EmulatorConfig
from tests.proxy import proxy

from .speaking import REGION, heard, listen, options, service

TEXT = "今天天气不错。"
CLONE = "cosyvoice-v3-flash-myhome-7c1e"


def endpoint(*urls: str) -> Endpoint:
    """Return an endpoint of several hosts."""
    return Endpoint(
        REGION,
        tuple(f"{url.replace('http', 'ws')}{WEBSOCKET_PATH}" for url in urls),
        tuple(f"{url}{HTTP_PATH}" for url in urls),
    )


@asynccontextmanager
async def two_hosts(
    first: dict[str, Any], second: dict[str, Any]
) -> AsyncIterator[tuple[Emulator, Emulator, CosyVoiceClient]]:
    """Run two hosts of one service."""
    usual = {"speech": "signal", "cloned_voices": {CLONE: "OK"}}
    async with (
        Emulator(EmulatorConfig(**usual | first)) as one,
        Emulator(EmulatorConfig(**usual | second)) as other,
        aiohttp.ClientSession() as session,
    ):
        client = CosyVoiceClient(session, "sk-test", endpoint(one.url, other.url))
        yield one, other, client
        await client.close()


@pytest.mark.parametrize(
    "first",
    [
        {"differ": {"socket-elsewhere"}},
        {"api_keys": {"sk-other"}},
        {"api_keys": {"sk-other"}, "differ": {"handshake-403"}},
    ],
)
def test_speech_comes_from_the_host_that_has_it(first: dict[str, Any]) -> None:
    """The next connection begins there."""

    async def scenario() -> None:
        async with two_hosts(first, {}) as (one, other, client):
            for _ in range(3):
                audio = await listen(client.speak(TEXT, options()))
                assert heard(other, audio) == [TEXT]
                other.cut()
            assert len(one.connections) == 1
            assert len(other.connections) >= 3
            used = other.url.replace("http", "ws")
            assert client.speech_urls[0] == f"{used}{WEBSOCKET_PATH}"

    run(scenario())


def test_a_host_that_is_gone_is_only_passed_over() -> None:
    """It may be back: it stays the first one."""

    async def scenario() -> None:
        async with two_hosts({}, {}) as (one, other, client):
            one.stop_listening()
            assert await listen(client.speak(TEXT, options()))
            assert one.connections == []
            await one.listen()
            other.cut()
            assert await listen(client.speak(TEXT, options()))
            assert len(one.connections) >= 1

    run(scenario())


def test_a_host_that_is_silent_is_not_replaced() -> None:
    """Another attempt is as likely to help as another host."""

    async def scenario() -> None:
        async with two_hosts({}, {}) as (one, other, client):
            one.script("hang@handshake")
            assert await listen(client.speak(TEXT, options()))
            assert other.connections == []

    run(scenario())


def test_voices_are_read_from_the_host_that_knows_them() -> None:
    async def scenario() -> None:
        async with two_hosts({"differ": {"cloning-elsewhere"}}, {}) as (
            one,
            other,
            client,
        ):
            for _ in range(2):
                (voice,) = await client.list_voices()
                assert voice.id == CLONE
            # The second time nothing is asked of the first host.
            one.stop_listening()
            one.cut()
            assert await client.list_voices()
            # What changes there is found again.
            await one.listen()
            other.config.cloning_here = False
            one.config.cloning_here = True
            assert await client.list_voices()

    run(scenario())


def test_a_request_that_may_have_arrived_is_not_sent_elsewhere() -> None:
    """A voice would be made twice."""

    async def scenario() -> None:
        async with two_hosts({}, {}) as (one, _, client):
            one.script("drop@answer")
            with pytest.raises(CosyVoiceConnectionError):
                await client.list_voices()

    run(scenario())


@pytest.mark.parametrize(
    ("first", "second", "error"),
    [
        ({"api_keys": {"a"}}, {"api_keys": {"a"}}, AuthenticationError),
        ({"api_keys": {"a"}}, {"differ": {"socket-elsewhere"}}, NotOfferedError),
        ({"differ": {"socket-elsewhere"}}, {"api_keys": {"a"}}, AuthenticationError),
    ],
)
def test_no_host_serves(
    first: dict[str, Any], second: dict[str, Any], error: type[CosyVoiceError]
) -> None:
    async def scenario() -> None:
        async with two_hosts(first, second) as (one, other, client):
            with pytest.raises(error):
                await client.check_key()
            assert len(one.connections) == len(other.connections) == 1

    run(scenario())


def test_a_refusal_outweighs_a_host_that_is_gone() -> None:
    async def scenario() -> None:
        async with two_hosts({"api_keys": {"a"}}, {}) as (_, other, client):
            other.stop_listening()
            with pytest.raises(AuthenticationError):
                await client.check_key()

    run(scenario())


# A proxy


def test_a_proxy_in_front_has_a_path() -> None:
    """Speech, keys and voices all take it."""

    async def scenario() -> None:
        config = EmulatorConfig(speech="signal", cloned_voices={CLONE: "OK"})
        async with (
            Emulator(config) as emulator,
            proxy(emulator.url) as url,
            aiohttp.ClientSession() as session,
        ):
            client = CosyVoiceClient(
                session, "sk-test", Endpoint.create(REGION, url), temporary_keys=True
            )
            await client.check_key()
            assert heard(emulator, await listen(client.speak(TEXT, options()))) == [
                TEXT
            ]
            assert len(await client.list_voices()) == 1
            assert emulator.tokens_issued == 1
            await client.close()

    run(scenario())


@pytest.mark.parametrize("temporary", [False, True])
@pytest.mark.parametrize(
    "kind",
    ["proxy_403", "proxy_426", "proxy_407", "proxy_502", "proxy_200"],
)
def test_what_a_proxy_answers_is_no_word_about_the_key(
    kind: str, *, temporary: bool
) -> None:
    async def scenario() -> None:
        async with service(temporary_keys=temporary) as (emulator, client):
            emulator.script(f"{kind}@handshake,times=always")
            with pytest.raises(ProxyError, match=kind[-3:]):
                await client.check_key()
            emulator.clear_faults()
            await client.check_key()

    run(scenario())


@pytest.mark.parametrize("kind", ["proxy_403", "proxy_407", "proxy_502", "proxy_200"])
def test_nor_on_the_http_side(kind: str) -> None:
    async def scenario() -> None:
        async with service() as (emulator, client):
            emulator.script(f"{kind}@http")
            with pytest.raises(ProxyError, match=kind[-3:]):
                await client.list_voices()

    run(scenario())


@pytest.mark.parametrize("differ", [(), {"handshake-page"}, {"handshake-403"}])
@pytest.mark.parametrize("answer", [None, "proxy_403@http", "http_503@http"])
def test_a_wrong_key_is_one_even_if_the_service_answers_with_a_page(
    differ: Any, answer: str | None
) -> None:
    """The HTTP side knows; if it is not reached either, a page is a proxy's."""

    async def scenario() -> None:
        config = EmulatorConfig(api_keys={"sk-other"}, differ=differ)
        async with service(config) as (emulator, client):
            if answer:
                emulator.script(answer)
            page = answer and differ == {"handshake-page"}
            with pytest.raises(ProxyError if page else AuthenticationError):
                await client.check_key()

    run(scenario())


async def test_a_proxy_that_wants_a_password_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A proxy of the whole machine, as the environment names it."""
    async with (
        Emulator(EmulatorConfig()) as emulator,
        aiohttp.ClientSession(trust_env=True) as session,
    ):
        monkeypatch.setenv("wss_proxy", emulator.url)
        client = CosyVoiceClient(
            session, "sk-test", Endpoint.create(REGION, "https://service.invalid")
        )
        with pytest.raises(ProxyError):
            await client.check_key()
        await client.close()
