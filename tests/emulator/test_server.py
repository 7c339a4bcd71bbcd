"""The emulator's own side: its latency, its control interface, its end."""

import asyncio
import json

import aiohttp
import pytest

from . import Fault, FaultKind, Point
from .wire import KEY, MODEL, PATH, bearer, connect, emulating

TEXT = "你好，欢迎回家。今天天气很好。"


async def test_latency_is_as_configured() -> None:
    clock = asyncio.get_running_loop().time
    settings = {"round_trip": 0.2, "tls_round_trips": 2, "real_time_factor": 0.5}
    async with emulating(first_packet=5.0, **settings) as emulator:
        begun = clock()
        async with connect(emulator) as wire:
            # TCP and TLS take three round trips, the upgrade takes one.
            assert clock() - begun == pytest.approx(0.8, abs=0.01)
            begun = clock()
            await wire.run_task(format="pcm")
            await wire.until("task-started")
            assert clock() - begun == pytest.approx(0.2, abs=0.01)
            await wire.text("你好")
            await wire.flush()
            arrivals: list[float] = []
            while len(arrivals) < 8:
                if (await wire.ws.receive()).type is aiohttp.WSMsgType.BINARY:
                    arrivals.append(clock() - begun)
            # 0.8 s of audio come in pieces of 0.1 s, each taking 0.05 s to make.
            expected = [5.4 + 0.05 * number for number in range(8)]
            assert arrivals == pytest.approx(expected, abs=0.01)
            # finish-task and the close frame travel as well.
            begun = clock()
            await wire.finish()
            await wire.until("task-finished")
            assert clock() - begun == pytest.approx(0.2, abs=0.01)
            begun = clock()
            await wire.ws.close()
            assert clock() - begun == pytest.approx(0.2, abs=0.01)


async def test_the_control_interface() -> None:
    async with emulating() as emulator, aiohttp.ClientSession(emulator.url) as session:
        async with connect(emulator) as wire:
            await wire.speak(TEXT)
        await emulator.until(lambda: emulator.open_connections == 0)
        async with session.get("/_emulator/state") as response:
            state = await response.json()
        assert state["bill"] == {MODEL: 27}
        assert state["tasks"][0]["pieces"][0][1] == TEXT
        assert state["tasks"][0]["outcome"] == "finished"
        assert state["connections"][0]["key"] == "api_key"
        assert KEY not in json.dumps(state)

        async def post(name: str, body: object) -> int:
            async with session.post(f"/_emulator/{name}", json=body) as response:
                return response.status

        fault = {"kind": "arrears", "at": "before_started", "times": None}
        assert await post("faults", [fault, "reset@idle"]) == 200
        async with connect(emulator) as wire:
            await wire.run_task()
            assert (await wire.failure())[0] == "Arrearage"
        assert await post("faults", []) == 200
        assert await post("faults", [{"kind": "nonsense"}]) == 400
        assert await post("settings", {"api_keys": ["sk-new"]}) == 200
        assert await post("settings", {"port": 1}) == 400
        assert await post("settings", []) == 400
        assert await post("settings", {"differ": ["nothing"]}) == 400
        assert await post("settings", {"differ": ["flush-refused"]}) == 200
        assert emulator.config.flush == "refused"
        async with connect(emulator, "sk-new") as wire:
            await wire.speak(TEXT)
        assert await post("reset", {}) == 200
        assert (emulator.tasks, emulator.connections, emulator.bill) == ([], [], {})


async def test_stopping_cuts_what_is_open() -> None:
    async with emulating() as emulator:
        emulator.script(Fault(FaultKind.HANG, Point.BEFORE_STARTED))
        async with aiohttp.ClientSession() as session:
            ws = await session.ws_connect(emulator.url + PATH, headers=bearer(KEY))
            await emulator.__aexit__()
            assert (await ws.receive()).type is aiohttp.WSMsgType.CLOSED
    assert emulator.open_connections == 0


async def test_a_task_that_runs_outlives_a_reset() -> None:
    async with emulating() as emulator, connect(emulator) as wire:
        await wire.speak("你好。")
        await wire.run_task()
        await wire.until("task-started")
        emulator.reset()
        await wire.text("再见。")
        await wire.finish()
        await wire.until("task-finished")
        audio = b"".join(wire.audio)
        assert [h.text for h in emulator.heard(audio, "pcm", 24000)] == ["再见。"]
        assert [task.number for task in emulator.tasks] == [1]
        assert emulator.bill == {MODEL: 5}
