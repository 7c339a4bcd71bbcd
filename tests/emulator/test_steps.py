"""Faults below and beside the events of a task: connecting, freezing, cutting, closing."""

import asyncio
from contextlib import suppress

import aiohttp
import pytest

from . import Emulator, EmulatorConfig, Fault, FaultKind, Point
from .wire import KEY, PATH, Wire, bearer, connect, emulating

TEXT = "你好，欢迎回家。今天天气很好。"
TOKENS = "/api/v1/tokens"


async def outcome(emulator: Emulator, seconds: float = 5) -> str:
    """Speak on a new connection and return how that ends."""
    try:
        async with asyncio.timeout(seconds), connect(emulator) as wire:
            await wire.speak(TEXT)
    except (TimeoutError, aiohttp.ClientError) as error:
        return type(error).__name__
    return "spoken"


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("reset@accept,times=always", "ClientOSError"),
        ("drop@accept,times=always", "ServerDisconnectedError"),
        ("hang@accept", "TimeoutError"),
        ("slow@accept,seconds=60", "TimeoutError"),
        ("slow@accept,seconds=0.05", "spoken"),
        ("freeze@accept,seconds=0.05", "spoken"),
        ("freeze@handshake,seconds=0.05", "spoken"),
        ("freeze@handshake,seconds=60", "TimeoutError"),
        ("slow@accept,seconds=60,connection=2", "spoken"),
    ],
)
async def test_a_connection_is_not_accepted(spec: str, expected: str) -> None:
    async with emulating() as emulator:
        emulator.script(spec)
        seconds = 0.1 if expected == "TimeoutError" else 5
        assert await outcome(emulator, seconds) == expected
        emulator.clear_faults()
        assert await outcome(emulator) == "spoken"


async def test_http_is_not_accepted_either() -> None:
    async with Emulator() as emulator, aiohttp.ClientSession() as session:
        emulator.script(Fault(FaultKind.RESET, Point.ACCEPT, times=2))
        url = emulator.url + TOKENS
        with pytest.raises(aiohttp.ClientError):
            await session.post(url, headers=bearer(KEY))
        emulator.clear_faults()
        assert (await session.post(url, headers=bearer(KEY))).status == 200


async def test_the_service_can_be_away() -> None:
    async with emulating() as emulator, connect(emulator) as wire:
        url = emulator.url
        emulator.stop_listening()
        assert await outcome(emulator) == "ClientConnectorError"
        # What is open stays open.
        await wire.speak(TEXT)
        await emulator.listen()
        assert emulator.url == url
        assert await outcome(emulator) == "spoken"


@pytest.mark.parametrize("point", ["before_started", "mid_sentence", "flush", "idle"])
async def test_a_frozen_network_carries_nothing_then_everything(point: str) -> None:
    async with emulating() as emulator, connect(emulator) as wire:
        emulator.script(f"freeze@{point},seconds=0.3")
        clock = asyncio.get_running_loop().time
        begun = clock()
        await wire.run_task()
        await wire.text(TEXT)
        await wire.flush()
        await wire.finish()
        await wire.until("task-finished")
        if point != "idle":
            assert clock() - begun >= 0.3
        audio = b"".join(wire.audio)
        assert len(emulator.heard(audio, "pcm", 24000)) == 2
        # A frozen network answers no ping, and delays messages sent meanwhile.
        await wire.speak(TEXT)
        assert clock() - begun >= 0.3


async def test_everything_can_be_frozen() -> None:
    async with emulating() as emulator, connect(emulator) as wire:
        await wire.run_task()
        await wire.until("task-started")
        emulator.freeze(0.3)
        clock = asyncio.get_running_loop().time
        begun = clock()
        assert await outcome(emulator, 0.1) == "TimeoutError"
        assert await outcome(emulator) == "spoken"
        await wire.text(TEXT)
        await wire.finish()
        await wire.until("task-finished")
        assert clock() - begun >= 0.3
        await wire.speak(TEXT)


async def test_what_was_closed_while_frozen_is_gone_afterwards() -> None:
    async with emulating() as emulator:
        async with connect(emulator) as wire:
            await wire.speak(TEXT)
            emulator.freeze(0.1)
            wire.ws._response.close()
        assert emulator.open_connections == 1
        await emulator.until(lambda: emulator.open_connections == 0)


@pytest.mark.parametrize("reset", [True, False])
async def test_everything_can_be_cut(reset: bool) -> None:
    async with emulating() as emulator, connect(emulator) as wire:
        await wire.speak(TEXT)
        emulator.cut(reset=reset)
        assert await wire.receive() is None
        await emulator.until(lambda: emulator.open_connections == 0)
        assert await outcome(emulator) == "spoken"


async def close_time(emulator: Emulator, seconds: float) -> float:
    """Return how long the service takes to answer a close frame."""
    async with aiohttp.ClientSession() as session:
        ws = await session.ws_connect(
            emulator.url + PATH,
            headers=bearer(KEY),
            timeout=aiohttp.ClientWSTimeout(ws_close=seconds),
        )
        clock = asyncio.get_running_loop().time
        begun = clock()
        with suppress(aiohttp.ClientError):
            await ws.close()
        return clock() - begun


@pytest.mark.parametrize(
    ("spec", "low", "high"),
    [
        ("hang@close", 0.5, 1),
        ("slow@close,seconds=0.2", 0.2, 0.5),
        ("freeze@close,seconds=0.2", 0.2, 0.5),
        ("reset@close", 0, 0.2),
        ("drop@close", 0, 0.2),
    ],
)
async def test_the_close_is_answered_late_or_never(
    spec: str, low: float, high: float
) -> None:
    async with emulating() as emulator:
        emulator.script(spec)
        assert low <= await close_time(emulator, 0.5) < high
        await emulator.until(lambda: emulator.open_connections == 0)
        assert [fault.at for fault in emulator.happened] == [Point.CLOSE]


async def speak_after(wire: Wire, seconds: float) -> str:
    """Speak after a pause before the first text; return the error's code if it fails."""
    await wire.run_task()
    await wire.until("task-started")
    await asyncio.sleep(seconds)
    await wire.text(TEXT)
    await wire.finish()
    while event := await wire.receive():
        if event["header"]["event"] in ("task-finished", "task-failed"):
            return str(event["header"].get("error_code"))
    raise AssertionError("no end")


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        ("fresh", ["InternalError", "None", "None"]),
        ("idle", ["None", "InternalError", "None"]),
        ("prestarted", ["None", "None", "InternalError"]),
    ],
)
async def test_a_fault_can_choose_by_what_was_before(
    on: str, expected: list[str]
) -> None:
    async with emulating() as emulator:
        emulator.script(f"internal_error@before_audio,times=always,on={on}")
        found = []
        async with connect(emulator) as wire:
            found.append(await speak_after(wire, 0))
        if found == ["InternalError"]:
            emulator.clear_faults()
        async with connect(emulator) as wire:
            await speak_after(wire, 0) if found[0] == "None" else None
            if found[0] != "None":
                found += ["None", "None"]
            else:
                found.append(await speak_after(wire, 0))
        if len(found) == 2:
            async with connect(emulator) as wire:
                found.append(await speak_after(wire, 0.15))
        assert found == expected


@pytest.mark.parametrize(
    "spec",
    [
        "hang@accept,on=idle",
        "hang@started,on=prestarted",
        "hang@mid_sentence,on=monday",
        "hang@mid_sentence,request=upload",
        "slow@idle",
        "arrears@accept",
    ],
)
def test_what_cannot_be_told_is_refused(spec: str) -> None:
    with pytest.raises(ValueError):
        Fault.parse(spec)


async def test_a_script_may_be_part_of_the_settings() -> None:
    async with Emulator(
        EmulatorConfig(faults=["drop@accept,times=always"])
    ) as emulator:
        assert await outcome(emulator) != "spoken"


async def test_starts_are_counted_when_they_arrive() -> None:
    async with emulating(starts_per_second=3) as emulator, connect(emulator) as wire:
        # The answer to one takes long, the others came in time.
        emulator.script("slow@before_started,seconds=1.2")
        for _ in range(4):
            await wire.run_task()
        assert await wire.failure() == (
            "Throttling.RateQuota",
            "Requests rate limit exceeded, please try again later.",
        )
        assert [task.outcome for task in emulator.tasks].count("failed") == 1
        times = [task.started for task in emulator.tasks]
        assert times[3] - times[0] < 1


async def test_a_refused_start_counts_as_well() -> None:
    async with emulating(starts_per_second=1) as emulator:
        for code in ("InvalidParameter", "Throttling.RateQuota"):
            async with connect(emulator) as wire:
                await wire.run_task(volume=200)
                assert (await wire.failure())[0] == code
