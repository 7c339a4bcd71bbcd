"""From the wish to speak to the started task, whatever happens on the way.

Each step can be refused, fail, be slow or be silent, and a connection can be new, kept,
have its task started in advance, or be about to. One fault never costs the message, and
costs no more time than its cell permits.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
import socket
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
import pytest

from custom_components.cosyvoice.client import (
    AccessDeniedError,
    AuthenticationError,
    ClientClosedError,
    CosyVoiceClient,
    CosyVoiceConnectionError,
    CosyVoiceError,
    Endpoint,
    RequestError,
    Timing,
)
from custom_components.cosyvoice.text.sentences import Piece
from tests.clock import run
from tests.emulator import Emulator, EmulatorConfig

from .speaking import REGION, heard, listen, options, service, timed, written

TEXT = "今天天气不错。"
ROUND_TRIP = 0.05
COLD = 4 * ROUND_TRIP
"""Seconds to open a connection; a task start takes one round trip more, a text another."""
TIMING = Timing()


def config(**settings: Any) -> EmulatorConfig:
    """Return a service that is some way off."""
    usual: dict[str, Any] = {"speech": "signal", "round_trip": ROUND_TRIP}
    return EmulatorConfig(**usual | settings)


async def first_audio(client: CosyVoiceClient, voice: str = "longanyang") -> float:
    """Speak; return the seconds until there was audio."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    taken = None
    async for _ in client.speak(TEXT, options(voice)):
        taken = taken or loop.time() - begun
    assert taken is not None
    return taken


CONNECTING = ("reset", "drop", "slow,seconds=0.5", "slow,seconds=2", "hang")
STARTING = (
    "reset",
    "throttled",
    "internal_error",
    "invalid_action",
    "slow,seconds=0.5",
    "slow,seconds=2",
    "hang",
)
FAULTS = {
    ("cold", "accept"): CONNECTING,
    ("cold", "handshake"): ("http_503", "http_429", *CONNECTING),
    ("cold", "before_started"): STARTING,
    ("warming", "accept"): CONNECTING,
    ("warming", "handshake"): ("http_503", "http_429", *CONNECTING),
    ("warming", "before_started"): STARTING,
    ("idle", "before_started"): STARTING,
    ("idle", "idle"): ("reset", "drop", "close", "unknown_event", "hang"),
    ("warmed", "started"): (
        "reset",
        "drop",
        "close",
        "internal_error",
        "unknown_event",
        "slow,seconds=0.5",
        "slow,seconds=2",
        "hang",
    ),
}
CELLS = [
    pytest.param(before, step, fault, id=f"{before}-{step}-{fault}")
    for (before, step), faults in FAULTS.items()
    for fault in faults
]
NEW = COLD + 2 * ROUND_TRIP
"""Seconds until there is audio on a new connection."""
SLACK = 0.1


def permitted(before: str, step: str, fault: str) -> float:
    """Return the seconds within which there has to be audio."""
    kind, _, seconds = fault.partition(",seconds=")
    again = NEW + TIMING.backoff
    if (kind, before, step) == ("slow", "cold", "before_started"):
        return float(seconds) + NEW
    if kind == "slow":  # What is slow for long is overtaken by another connection.
        return min(float(seconds), TIMING.reuse) + NEW
    if kind == "hang" and before == "warmed":
        return TIMING.reuse + again
    if kind == "hang" and before == "idle":
        return TIMING.reuse + NEW
    if kind == "hang" and (step, before) == ("before_started", "cold"):
        return COLD + TIMING.attempt + again
    if kind == "hang":
        return TIMING.another + NEW
    if kind == "throttled":
        return NEW + TIMING.start_window + NEW
    return NEW + again


async def prepare(emulator: Emulator, client: CosyVoiceClient, before: str) -> None:
    """Bring the client's connections into the state that a cell begins with."""
    match before:
        case "warming":
            client.warm_up(options())
            await asyncio.sleep(COLD / 2)
        case "warmed":
            client.warm_up(options())
            await asyncio.sleep(1)
        case "idle":
            await first_audio(client)
            await asyncio.sleep(2)


@pytest.mark.parametrize(("before", "step", "fault"), CELLS)
def test_one_fault_costs_no_message_and_little_time(
    before: str, step: str, fault: str
) -> None:
    kind, _, settings = fault.partition(",")
    spec = ",".join(filter(None, (f"{kind}@{step}", settings)))

    async def scenario() -> None:
        # Without a warm-up, a connection falls idle.
        timing = Timing(keep_warm=0.0) if before == "idle" else TIMING
        async with service(config(), timing=timing) as (emulator, client):
            early = (before, step) != ("idle", "before_started")
            if early:
                emulator.script(spec)
            await prepare(emulator, client, before)
            if not early:
                emulator.script(spec)
            taken = await first_audio(client)
            assert emulator.happened
            assert taken <= permitted(before, step, fault) + SLACK

    run(scenario())


@pytest.mark.parametrize("step", ["accept", "handshake", "before_started"])
@pytest.mark.parametrize("before", ["cold", "warming", "idle", "warmed"])
@pytest.mark.parametrize("kind", ["reset", "hang"])
def test_a_fault_that_lasts_is_an_error_in_bounded_time(
    kind: str, before: str, step: str
) -> None:
    """Unless it does not concern the connection that is there."""

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        timing = Timing(keep_warm=0.0) if before == "idle" else TIMING
        async with service(config(), timing=timing) as (emulator, client):
            if before in ("idle", "warmed"):
                await prepare(emulator, client, before)
            emulator.script(f"{kind}@{step},times=always")
            if before == "warming":
                await prepare(emulator, client, before)
            begun = loop.time()
            serves = before == "warmed" or (
                before == "idle" and step != "before_started"
            )
            if serves:
                assert await first_audio(client) < 2 * NEW
            else:
                with pytest.raises(CosyVoiceConnectionError) as caught:
                    await first_audio(client)
                assert caught.value.retryable
                limit = TIMING.deadline + TIMING.attempt + TIMING.reuse + NEW
                assert loop.time() - begun <= limit

    run(scenario())


# Names


class FakeResolver(AbstractResolver):
    """Finds this machine under any name, in a way that a test says."""

    def __init__(self) -> None:
        self.takes: list[float] = []
        self.error: OSError | None = None

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the address, after the time that is next."""
        await asyncio.sleep(self.takes.pop(0) if self.takes else 0)
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        return [
            ResolveResult(
                hostname=host,
                host="127.0.0.1",
                port=port,
                family=family,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        """Have nothing to close."""


@asynccontextmanager
async def named_service() -> AsyncIterator[tuple[FakeResolver, CosyVoiceClient]]:
    """Run a service that is found by name."""
    resolver = FakeResolver()
    connector = aiohttp.TCPConnector(resolver=resolver, use_dns_cache=False)
    async with (
        Emulator(config()) as emulator,
        aiohttp.ClientSession(connector=connector) as session,
    ):
        url = emulator.url.replace("127.0.0.1", "speech.test")
        client = CosyVoiceClient(session, "sk-test", Endpoint.create(REGION, url))
        yield resolver, client
        await client.close()


@pytest.mark.parametrize("warming", [False, True])
@pytest.mark.parametrize(
    ("takes", "error", "limit"),
    [
        (0.0, OSError("Name or service not known"), NEW + TIMING.backoff),
        (0.5, None, 0.5 + NEW),
        (2.0, None, TIMING.another + NEW),
        (1000.0, None, TIMING.another + NEW),
    ],
)
def test_a_name_that_is_not_found_at_once(
    takes: float, error: OSError | None, limit: float, *, warming: bool
) -> None:
    """It is looked up again beside a look-up that hangs."""

    async def scenario() -> None:
        async with named_service() as (resolver, client):
            resolver.takes, resolver.error = [takes], error
            if warming:
                client.warm_up(options())
                await asyncio.sleep(0.1)
            assert await first_audio(client) <= limit + SLACK

    run(scenario())


# The cause of a refusal


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("http_403@http", AccessDeniedError),
        ("http_401@http", AuthenticationError),
        ("http_503@http", RequestError),
        (None, RequestError),
    ],
)
def test_the_http_side_knows_what_a_bad_request_was(
    answer: str | None, error: type[CosyVoiceError]
) -> None:
    """The REST API refuses an account that is in arrears with this status."""

    async def scenario() -> None:
        async with service(config()) as (emulator, client):
            emulator.script("http_400@handshake,times=always")
            if answer is not None:
                emulator.script(answer)
            with pytest.raises(error) as caught:
                await client.check_key()
            assert type(caught.value) is error

    run(scenario())


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("http_403@http", AccessDeniedError),
        ("http_401@http", AuthenticationError),
        ("http_503@http", AuthenticationError),
        ("hang@http", AuthenticationError),
        ("http_404@http", AuthenticationError),
        ("proxy_403@http", AuthenticationError),
        (None, AuthenticationError),
    ],
)
def test_the_http_side_knows_why_a_handshake_was_refused(
    status: int, answer: str | None, error: type[CosyVoiceError]
) -> None:
    """It is asked once; if it does not know either, the key is taken for wrong."""

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        async with service(config()) as (emulator, client):
            emulator.script(f"http_{status}@handshake,times=always")
            if answer is not None:
                emulator.script(answer)
            with pytest.raises(error) as caught:
                await listen(client.speak(TEXT, options()))
            assert type(caught.value) is error
            assert len(emulator.connections) <= 2
            assert loop.time() < TIMING.http + COLD + SLACK

    run(scenario())


# Slow networks


@pytest.mark.parametrize("round_trip", [1.0, 1.5, 2.0, 2.5])
@pytest.mark.parametrize("streamed", [False, True])
def test_a_slow_network_speaks(round_trip: float, *, streamed: bool) -> None:
    """Everything cold, then on a kept connection, then with a started task."""

    async def scenario() -> None:
        async with service(config(round_trip=round_trip, first_packet=0.3)) as (
            emulator,
            client,
        ):
            for voice in ("longanyang", "longanhuan", "longanhuan"):
                utterance = client.speak(
                    written(TEXT) if streamed else TEXT, options(voice)
                )
                assert heard(emulator, await listen(utterance)) == [TEXT]
                await asyncio.sleep(20)
            assert not any(task.error_code for task in emulator.tasks)
            await client.close()
            await asyncio.sleep(20)  # The emulator's close handshakes.

    run(scenario())


# Many together


@pytest.mark.parametrize("round_trip", [0.0, 0.02, 0.06, 0.1, 0.2, 0.4])
def test_sixty_at_once_are_served_in_order_at_the_permitted_rate(
    round_trip: float,
) -> None:
    """Nobody fails, no start is throttled, and connections are few."""

    async def scenario() -> None:
        settings = config(
            speech="silence", round_trip=round_trip, seconds_per_character=0.001
        )
        async with service(settings) as (emulator, client):
            spoken = [client.speak(TEXT, options(format="wav")) for _ in range(60)]
            assert all(await asyncio.gather(*map(listen, spoken)))
            assert not any(task.error_code for task in emulator.tasks)
            started = {task.id: task.started for task in emulator.tasks}
            starts = [started[utterance.report.request_ids[0]] for utterance in spoken]
            assert all(b > a - 0.01 for a, b in pairwise(starts))
            assert (starts[-1] - starts[0]) * 3 <= 57 * 1.1
            assert len(emulator.connections) <= 12

    run(scenario())


# Warm-ups


@pytest.mark.parametrize("step", ["handshake", "before_started"])
def test_a_warm_up_for_other_settings_delays_nobody(step: str) -> None:
    """Nor does one that hangs."""

    async def scenario() -> None:
        async with service(config(round_trip=0.2)) as (emulator, client):
            emulator.script(f"hang@{step}")
            client.warm_up(options("longanyang"))
            await asyncio.sleep(1.5)
            taken = await first_audio(client, "longanhuan")
            assert taken <= 6 * 0.2 + SLACK
            assert emulator.happened

    run(scenario())


def test_settings_that_change_during_a_warm_up_delay_nobody() -> None:
    async def scenario() -> None:
        async with service(config(round_trip=0.2)) as (_, client):
            client.warm_up(options("longanyang"))
            await asyncio.sleep(0.5)
            client.warm_up(options("longanhuan"))
            assert await first_audio(client, "longanhuan") <= 6 * 0.2 + SLACK

    run(scenario())


def test_several_at_once_during_one_warm_up() -> None:
    """One of them waits for it, the others open connections of their own."""

    async def scenario() -> None:
        async with service(config(round_trip=0.2)) as (_, client):
            client.warm_up(options())
            await asyncio.sleep(0.5)
            taken = await asyncio.gather(*(first_audio(client) for _ in range(3)))
            assert min(taken) <= 6 * 0.2 - 0.5 + SLACK
            assert max(taken) <= 6 * 0.2 + SLACK

    run(scenario())


# The end


@pytest.mark.parametrize("count", [1, 12])
@pytest.mark.parametrize("moment", [0.0, 0.1, 0.3, 0.5])
def test_closing_ends_whoever_connects_or_queues(count: int, moment: float) -> None:
    """They fail immediately, and nothing is started any more."""

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        async with service(config(round_trip=0.2)) as (emulator, client):
            speaking = [
                asyncio.create_task(listen(client.speak(TEXT, options())))
                for _ in range(count)
            ]
            await asyncio.sleep(moment)
            await client.close()
            tasks = len(emulator.tasks)
            begun = loop.time()
            ends = await asyncio.gather(*speaking, return_exceptions=True)
            assert {type(end) for end in ends} == {ClientClosedError}
            assert loop.time() - begun < 1
            with pytest.raises(ClientClosedError):
                await listen(client.speak(TEXT, options()))
            await asyncio.sleep(30)
            assert len(emulator.tasks) == tasks
            assert emulator.open_connections == 0

    run(scenario())


@pytest.mark.parametrize("moment", [0.1, 3.0, 15.0, 40.0])
@pytest.mark.parametrize("begin", ["", "Good", "Good morning. "])
@pytest.mark.parametrize("fill", [False, True])
def test_closing_ends_a_text_that_pauses(
    begin: str, moment: float, *, fill: bool
) -> None:
    """Whether a task takes the text or the next one waits for it."""

    async def scenario() -> None:
        async with service(config()) as (_, client):
            text = timed(*([Piece(begin, "")] if begin else []), 1000.0, "Good night.")
            utterance = client.speak(text, options(format="wav"), fill_pauses=fill)
            speaking = asyncio.create_task(listen(utterance))
            await asyncio.sleep(moment)
            await client.close()
            async with asyncio.timeout(0.1):
                with pytest.raises(ClientClosedError):
                    await speaking
            assert isinstance(utterance.report.error, ClientClosedError)

    run(scenario())
