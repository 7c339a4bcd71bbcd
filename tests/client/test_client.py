"""The client as a whole: keys, connections, warm-ups."""

import asyncio
import logging
from types import SimpleNamespace

import aiohttp
import pytest

from custom_components.cosyvoice.client import (
    AuthenticationError,
    ClientClosedError,
    CosyVoiceClient,
    CosyVoiceConnectionError,
    CosyVoiceError,
    CosyVoiceTimeoutError,
    Endpoint,
    RequestError,
    ServiceError,
    Timing,
)
from custom_components.cosyvoice.client.wire import keys
from custom_components.cosyvoice.client.wire.http import REQUEST_TIMEOUT
from tests.clock import run
from tests.emulator import EmulatorConfig, Fault, FaultKind, Point

from .speaking import REGION, heard, listen, options, service

TEXT = "今天天气不错。"
TIMING = Timing()


async def test_a_valid_key_is_accepted_without_cost() -> None:
    """No task is started for it."""
    async with service() as (emulator, client):
        assert client.region == REGION
        await client.check_key()
        assert emulator.tasks == []


async def test_a_wrong_key_is_refused() -> None:
    """As the service refuses it."""
    async with service(EmulatorConfig(api_keys={"sk-other"})) as (_, client):
        with pytest.raises(AuthenticationError):
            await client.check_key()


@pytest.mark.parametrize("key", ["", "sk with spaces", "sk-中文", "sk-\n"])
async def test_a_key_that_cannot_be_one_is_refused(key: str) -> None:
    """It is not even sent."""
    async with service() as (emulator, _), aiohttp.ClientSession() as session:
        client = CosyVoiceClient(session, key, Endpoint.create(REGION, emulator.url))
        with pytest.raises(AuthenticationError):
            await client.check_key()
        assert emulator.connections == []


async def test_a_dead_network_has_its_own_error(unused_tcp_port: int) -> None:
    """Nobody listens there."""
    async with aiohttp.ClientSession() as session:
        endpoint = Endpoint.create(REGION, f"http://127.0.0.1:{unused_tcp_port}")
        with pytest.raises(CosyVoiceConnectionError, match="cannot be reached"):
            await CosyVoiceClient(session, "sk-test", endpoint).check_key()


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (FaultKind.HANG, CosyVoiceTimeoutError),
        (FaultKind.RESET, CosyVoiceConnectionError),
        (FaultKind.HTTP_503, ServiceError),
    ],
)
def test_a_service_in_trouble(kind: FaultKind, error: type[Exception]) -> None:
    """Each kind of trouble has its error, in bounded time."""

    async def scenario() -> None:
        async with service() as (emulator, client):
            emulator.script(Fault(kind, Point.HANDSHAKE, times=None))
            begun = asyncio.get_running_loop().time()
            with pytest.raises(error):
                await client.check_key()
            assert asyncio.get_running_loop().time() - begun <= TIMING.connect + 0.1

    run(scenario())


def test_the_limits_of_the_session_count_as_well() -> None:
    """A session may be less patient than the client."""

    async def scenario() -> None:
        timeout = aiohttp.ClientTimeout(total=1)
        async with (
            service() as (emulator, _),
            aiohttp.ClientSession(timeout=timeout) as (session),
        ):
            emulator.script(Fault(FaultKind.HANG, Point.HANDSHAKE))
            endpoint = Endpoint.create(REGION, emulator.url)
            with pytest.raises(CosyVoiceTimeoutError):
                await CosyVoiceClient(session, "sk-test", endpoint).check_key()

    run(scenario())


def test_temporary_keys_are_used_and_renewed() -> None:
    """The account's own key is sent to no WebSocket."""

    async def scenario() -> None:
        async with service(temporary_keys=True) as (emulator, client):
            for pause in (0, 100, 1700):
                await asyncio.sleep(pause)
                assert heard(emulator, await listen(client.speak(TEXT, options())))
                await asyncio.sleep(120)
            assert {record.key for record in emulator.connections} == {"temporary"}
            assert len(emulator.connections) == 3

    run(scenario())


def test_a_temporary_key_that_ends_early_is_replaced() -> None:
    async def scenario() -> None:
        async with service(temporary_keys=True) as (emulator, client):
            assert heard(emulator, await listen(client.speak(TEXT, options())))
            await asyncio.sleep(100)
            emulator.end_tokens()
            assert heard(emulator, await listen(client.speak(TEXT, options())))
            assert [record.key for record in emulator.connections if record.key] == [
                "temporary",
                "invalid",
                "temporary",
            ]

    run(scenario())


def test_a_temporary_key_is_replaced_once_for_all() -> None:
    async def scenario() -> None:
        async with service(temporary_keys=True) as (emulator, client):
            await client.check_key()
            emulator.end_tokens()
            await asyncio.gather(*(client.check_key() for _ in range(5)))
            assert emulator.tokens_issued == 2

    run(scenario())


def test_the_services_clock_may_be_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """A temporary key then lives as long as was asked for."""

    async def scenario() -> None:
        async with service(temporary_keys=True) as (emulator, client):
            for pause in (0, 1600, 300):
                await asyncio.sleep(pause)
                await client.check_key()
            assert [record.key for record in emulator.connections] == ["temporary"] * 3
            assert emulator.tokens_issued == 2

    monkeypatch.setattr(keys, "time", SimpleNamespace(time=lambda: 0.0))
    run(scenario())


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("http_500@http,times=always", ServiceError),
        ("hang@http,times=always", CosyVoiceTimeoutError),
        ("slow@http,seconds=10.1,times=always", CosyVoiceTimeoutError),
    ],
)
def test_without_a_temporary_key_nothing_is_spoken(
    fault: str, error: type[CosyVoiceError], caplog: pytest.LogCaptureFixture
) -> None:
    """The account's key does not take its place, whatever goes wrong."""

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        async with service(temporary_keys=True) as (emulator, client):
            emulator.script(fault)
            with pytest.raises(error) as caught:
                await client.check_key()
            assert loop.time() <= TIMING.http + 0.1
            assert caught.value.retryable
            with pytest.raises(error):
                await listen(client.speak(TEXT, options()))
            assert emulator.connections == []

    with caplog.at_level(logging.DEBUG):
        run(scenario())
    assert "No temporary key" in caplog.text
    assert "sk-test" not in caplog.text


def test_a_slow_temporary_key_is_waited_for() -> None:
    async def scenario() -> None:
        async with service(temporary_keys=True) as (emulator, client):
            emulator.script("slow@http,seconds=1.5")
            assert heard(emulator, await listen(client.speak(TEXT, options())))
            assert emulator.tokens_issued == 1

    run(scenario())


@pytest.mark.parametrize("seconds", [2.5, 4.5, 8])
def test_a_temporary_key_that_comes_late_is_used_by_the_next_attempt(
    seconds: float,
) -> None:
    """It is requested once, and nobody waits for it longer than 2 s."""

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        async with service(temporary_keys=True) as (emulator, client):
            emulator.script(f"slow@http,seconds={seconds},times=always")
            with pytest.raises(CosyVoiceTimeoutError):
                await client.check_key()
            assert loop.time() == pytest.approx(TIMING.http, abs=0.1)
            assert heard(emulator, await listen(client.speak(TEXT, options())))
            assert emulator.tokens_issued == 1
            assert {record.key for record in emulator.connections} == {"temporary"}

    run(scenario())


def test_a_temporary_key_is_renewed_while_the_old_one_has_time() -> None:
    """In the background: nobody waits for it, and one failure does no harm."""

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        async with service(temporary_keys=True) as (emulator, client):
            await client.check_key()
            await asyncio.sleep(keys.LIFE - keys.RENEW_BEFORE + 1)
            emulator.script("hang@http")
            for _ in range(2):
                begun = loop.time()
                await client.check_key()
                assert loop.time() - begun < 0.1
                await asyncio.sleep(REQUEST_TIMEOUT + 1)
            assert emulator.tokens_issued == 2
            await asyncio.sleep(keys.RENEW_BEFORE)
            emulator.script("hang@http,times=always")
            await client.check_key()
            assert {record.key for record in emulator.connections} == {"temporary"}

    run(scenario())


def test_closing_ends_the_renewal_of_a_key() -> None:
    async def scenario() -> None:
        async with service(temporary_keys=True) as (emulator, client):
            await client.check_key()
            await asyncio.sleep(keys.LIFE - keys.RENEW_BEFORE + 1)
            emulator.script("hang@http")
            await client.check_key()

    run(scenario())


def test_closing_ends_the_wait_for_a_key() -> None:
    async def scenario() -> None:
        async with service(temporary_keys=True) as (emulator, client):
            emulator.script("hang@http")
            checking = asyncio.create_task(client.check_key())
            await asyncio.sleep(1)
            await client.close()
            with pytest.raises(ClientClosedError):
                await checking

    run(scenario())


async def test_a_client_that_was_never_used_can_be_closed() -> None:
    async with service(temporary_keys=True) as (emulator, _):
        pass
    assert emulator.tokens_issued == 0


def test_a_key_that_gets_no_temporary_one_is_refused() -> None:
    """A wrong key is a wrong key."""

    async def scenario() -> None:
        config = EmulatorConfig(api_keys={"sk-other"})
        async with service(config, temporary_keys=True) as (_, client):
            with pytest.raises(AuthenticationError):
                await client.check_key()

    run(scenario())


def test_a_warm_task_saves_all_round_trips_but_one() -> None:
    """Cold, on a connection whose task is cancelled, and with a task started in advance."""

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        config = EmulatorConfig(
            speech="signal", round_trip=0.2, first_packet=0.3, tls_round_trips=2
        )
        async with service(config) as (_, client):

            async def first_audio() -> float:
                begun = loop.time()
                utterance = client.speak(TEXT, options())
                async for _ in utterance:
                    break
                taken = loop.time() - begun
                async for _ in utterance:
                    pass
                return taken

            cold = await first_audio()
            await asyncio.sleep(1)
            prestarted = await first_audio()
            client.warm_up(options(voice="longanhuan"))
            await asyncio.sleep(1)
            warm = await first_audio()
            assert prestarted == pytest.approx(0.2 + 0.3, abs=0.02)
            assert warm == pytest.approx(3 * 0.2 + 0.3, abs=0.02)
            assert cold == pytest.approx((4 + 2) * 0.2 + 0.3, abs=0.02)
            assert client.statistics.hits == 1

    run(scenario())


def test_warming_up_bills_nothing() -> None:
    """However long and often it is done."""

    async def scenario() -> None:
        async with service() as (emulator, client):
            for _ in range(50):
                client.warm_up(options())
                await asyncio.sleep(7)
            assert emulator.bill == {}
            assert not any(task.error_code for task in emulator.tasks)

    run(scenario())


async def test_own_voices_are_listed() -> None:
    """With the model that each one belongs to."""
    voice_id = "cosyvoice-v3-flash-home-0123"
    config = EmulatorConfig(speech="signal", cloned_voices={voice_id: "OK"})
    async with service(config) as (_, client):
        [voice] = await client.list_voices()
        assert (voice.id, voice.model) == (voice_id, "cosyvoice-v3-flash")


def test_a_service_whose_temporary_keys_last_a_minute() -> None:
    """The longest life is asked for once; a key is renewed after half a minute."""

    async def scenario() -> None:
        config = EmulatorConfig(speech="signal", differ={"tokens-60-s"})
        async with service(config, temporary_keys=True) as (emulator, client):
            for pause in (0, 10, 25, 90, 90):
                await asyncio.sleep(pause)
                emulator.cut()
                assert heard(emulator, await listen(client.speak(TEXT, options())))
            assert {record.key for record in emulator.connections} == {"temporary"}
            assert emulator.tokens_issued <= 5

    run(scenario())


async def test_any_other_refusal_of_a_temporary_key_is_an_error() -> None:
    async with service(temporary_keys=True) as (emulator, client):
        always = "error@http,request=tokens,code=InvalidParameter,times=always"
        emulator.script(always)
        with pytest.raises(RequestError):
            await client.check_key()
        # Also where short keys were granted before.
        emulator.clear_faults()
        emulator.config.differ_in({"tokens-60-s"})
        await client.check_key()
        emulator.script(always)
        client._keys._token = None
        with pytest.raises(RequestError):
            await client.check_key()
