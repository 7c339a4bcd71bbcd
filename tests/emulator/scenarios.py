"""Short uses of the service, each of which shows one point of its behaviour.

A scenario returns what was seen, without what is random in it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
import json
import re
from typing import Any
import uuid

import aiohttp

from . import Emulator
from .wire import KEY, MODEL, PATH, VOICE, Wire, bearer, connect

SINGAPORE = "ap-southeast-1"
QWEN_30, QWEN_31 = "qwen-audio-3.0-tts-flash", "qwen-audio-3.1-tts-flash"
JOHN, HUAN = "loongjohn", "longanhuan_v3.1"
TEXT = "你好，欢迎回家。今天天气很好。"
FREE = "开心一点"

type Scenario = Callable[[Emulator], Awaitable[Any]]


def plain(event: dict[str, Any]) -> str:
    """Return an event without what is random in it."""
    return re.sub(r'"(task_id|request_uuid)": "[^"]*"', "", json.dumps(event))


async def talked(
    wire: Wire, *texts: str, model: str = MODEL, **parameters: Any
) -> dict[str, Any]:
    """Run a task; return its events, its frames, its error and its audio."""
    await wire.run_task(model, **parameters)
    seen: list[str] = []
    begun = False
    while True:
        message = await wire.ws.receive(timeout=10)
        if message.type is aiohttp.WSMsgType.BINARY:
            wire.audio.append(message.data)
            seen.append("audio")
            continue
        if message.type is not aiohttp.WSMsgType.TEXT:
            seen.append(f"closed {message.data} {message.extra}")
            break
        event = json.loads(message.data)
        seen.append(plain(event))
        name = event["header"]["event"]
        if name == "task-started" and not begun:
            begun = True
            for text in texts:
                await wire.text(text)
            await wire.finish()
        elif name in ("task-finished", "task-failed"):
            break
    return {"events": seen, "audio": b"".join(wire.audio)}


def talk(*texts: str, events: bool = True, **parameters: Any) -> Scenario:
    """Return a scenario: one task on a new connection."""

    async def scenario(emulator: Emulator) -> Any:
        async with connect(emulator) as wire:
            found = await talked(wire, *(texts or (TEXT,)), **parameters)
            return found["events"] if events else found["audio"]

    return scenario


def heard(*changes: dict[str, Any], text: str = TEXT) -> Scenario:
    """Return a scenario: whether changes of parameters change what is heard."""

    async def scenario(emulator: Emulator) -> Any:
        emulator.config.speech = "voice"
        async with connect(emulator) as wire:
            spoken = [
                (await talked(wire, text, **change))["audio"] for change in changes
            ]
            if "format" not in changes[0]:
                return [audio == spoken[0] for audio in spoken]
            # The serial number of an Ogg stream is random, its length is not.
            return [len(audio) for audio in spoken]

    return scenario


def handshake(
    key: str | None = KEY, path: str = PATH, scheme: str = "Bearer"
) -> Scenario:
    async def scenario(emulator: Emulator) -> Any:
        async with aiohttp.ClientSession() as session:
            headers = {"Authorization": f"{scheme} {key}"} if key else {}
            try:
                ws = await session.ws_connect(emulator.url + path, headers=headers)
            except aiohttp.WSServerHandshakeError as error:
                kind = error.headers.get("Content-Type") if error.headers else None
                return error.status, kind
            await Wire(ws).run_task()
            message = await ws.receive(timeout=5)
            await ws.close()
            return re.sub(r'"task_id": "[^"]*"', "", str(message.data))

    return scenario


async def flush(emulator: Emulator) -> Any:
    async with connect(emulator) as wire:
        await wire.run_task()
        await wire.text("你好")
        await wire.flush()
        await asyncio.sleep(0.05)
        with suppress(aiohttp.ClientConnectionResetError):
            await wire.text("再见")
            await wire.finish()
        while (event := await wire.receive()) and "task-f" not in str(event):
            pass
        task = emulator.tasks[0]
        return task.outcome, [sentence.text for sentence in task.sentences]


def cancel(region: str = "cn-beijing") -> Scenario:
    async def scenario(emulator: Emulator) -> Any:
        emulator.config.region = region
        emulator.config.real_time_factor = 1.0
        async with connect(emulator) as wire:
            await wire.run_task()
            await wire.text(TEXT)
            await wire.until("sentence-synthesis")
            await wire.finish(directive="cancel")
            emulator.config.real_time_factor = 0.0
            try:
                await asyncio.wait_for(wire.until("task-finished"), 1.5)
            except TimeoutError:
                return "no answer"
            complete = [sentence.complete for sentence in emulator.tasks[0].sentences]
            await asyncio.sleep(0.05)
            return complete, emulator.open_connections

    return scenario


async def second_start(emulator: Emulator) -> Any:
    emulator.config.real_time_factor = 1.0
    async with connect(emulator) as wire:
        await wire.run_task()
        await wire.text(TEXT)
        await wire.until("sentence-synthesis")
        await wire.run_task()
        while True:
            event = await wire.receive()
            assert event
            if event["header"]["event"] in ("task-started", "task-failed"):
                return event["header"]["event"]


async def early_text(emulator: Emulator) -> Any:
    emulator.script("slow@before_started,seconds=0.05")
    async with connect(emulator) as wire:
        await wire.run_task()
        await wire.text(TEXT)
        await wire.receive()
        event = await asyncio.wait_for(wire.receive(), 5)
        assert event
        return event["header"]["event"]


async def unknown_task(emulator: Emulator) -> Any:
    async with connect(emulator) as wire:
        await wire.run_task()
        await wire.until("task-started")
        await wire.send("continue-task", {"input": {"text": "x"}}, task_id="other")
        await wire.text(TEXT)
        await wire.finish()
        while (event := await wire.receive()) and "task-f" not in str(event):
            pass
        return emulator.tasks[0].outcome


async def before_finish(emulator: Emulator) -> Any:
    async with connect(emulator) as wire:
        await wire.run_task()
        await wire.until("task-started")
        await wire.text(TEXT)
        await asyncio.sleep(0.1)
        return [sentence.text for sentence in emulator.tasks[0].sentences]


async def twice(emulator: Emulator) -> Any:
    """Run two tasks of different parameters on a connection."""
    async with connect(emulator) as wire:
        first = await talked(wire, TEXT)
        try:
            second = await talked(wire, TEXT, volume=60)
        except ConnectionResetError:
            return "reset"
        return first["events"] == second["events"]


async def failed(emulator: Emulator) -> Any:
    async with connect(emulator) as wire:
        await wire.run_task(volume=1000)
        await wire.until("task-failed")
        await asyncio.sleep(0.05)
        return emulator.open_connections


def setting(name: str) -> Scenario:
    async def scenario(emulator: Emulator) -> Any:
        return getattr(emulator.config, name)

    return scenario


async def idle(emulator: Emulator) -> Any:
    emulator.config.idle = 0.05
    async with connect(emulator) as wire:
        await talked(wire, TEXT)
        message = await wire.ws.receive(timeout=5)
        return message.data, message.extra


async def idle_length(emulator: Emulator) -> Any:
    """Return whether an idle connection is closed before its time."""
    emulator.config.idle = 1.0
    async with connect(emulator):
        await asyncio.sleep(0.75)
        return emulator.open_connections


async def gap_length(emulator: Emulator) -> Any:
    """Return whether a task without text fails before its time."""
    emulator.config.text_gap = 1.0
    async with connect(emulator) as wire:
        await wire.run_task()
        await asyncio.sleep(0.75)
        return emulator.tasks[0].outcome


async def gap(emulator: Emulator) -> Any:
    emulator.config.text_gap = 0.05
    return await talk_gap(emulator)


async def gap_in_audio(emulator: Emulator) -> Any:
    emulator.config.text_gap = 0.3
    emulator.config.real_time_factor = 0.5
    return await talk_gap(emulator, TEXT)


async def talk_gap(emulator: Emulator, *texts: str) -> Any:
    async with connect(emulator) as wire:
        await wire.run_task()
        await wire.until("task-started")
        for text in texts:
            await wire.text(text)
        await wire.until("task-failed")
        sentences = emulator.tasks[0].sentences
        return wire.events[-1]["header"]["error_code"], [s.complete for s in sentences]


async def pinged(emulator: Emulator) -> Any:
    """Return whether an idle connection that is pinged stays open."""
    emulator.config.idle = 0.3
    async with connect(emulator) as wire:
        for _ in range(6):
            await asyncio.sleep(0.1)
            with suppress(ConnectionResetError):
                await wire.ws.ping()
        return emulator.open_connections


async def starts_of_two(emulator: Emulator) -> Any:
    """Return how tasks of two models start in the same second."""
    codes = []
    for model in (MODEL, "cosyvoice-v3-plus") * 2:
        async with connect(emulator) as wire:
            await wire.run_task(model)
            event = await wire.receive()
            assert event
            codes.append(event["header"].get("error_code"))
    return codes


async def beside(emulator: Emulator) -> Any:
    async with connect(emulator) as first, connect(emulator) as second:
        await first.run_task()
        await first.until("task-started")
        await second.run_task()
        event = await second.receive()
        assert event
        return event["header"].get("error_code")


async def opened_ahead(emulator: Emulator) -> Any:
    async with connect(emulator) as wire:
        await asyncio.sleep(0.15)
        return (await talked(wire, TEXT))["events"]


async def ping(emulator: Emulator) -> Any:
    async with aiohttp.ClientSession() as session:
        ws = await session.ws_connect(
            emulator.url + PATH, headers=bearer(KEY), autoping=False
        )
        await ws.ping()
        try:
            return (await ws.receive(timeout=0.2)).type
        except TimeoutError:
            return "none"
        finally:
            await ws.close()


async def pages(emulator: Emulator) -> Any:
    emulator.config.speech = "voice"
    async with connect(emulator) as wire:
        found = await talked(wire, TEXT, format="opus")
        return found["audio"].count(b"OggS")


async def starts(emulator: Emulator) -> Any:
    codes = []
    for _ in range(5):
        async with connect(emulator) as wire:
            await wire.run_task()
            event = await wire.receive()
            assert event
            codes.append(event["header"].get("error_code"))
    return codes


def token(seconds: int = 100, key: str = KEY) -> Scenario:
    async def scenario(emulator: Emulator) -> Any:
        async with aiohttp.ClientSession() as session:
            url = f"{emulator.url}/api/v1/tokens?expire_in_seconds={seconds}"
            async with session.post(url, headers=bearer(key)) as response:
                answer = await response.json()
        if response.status != 200:
            return response.status, answer["code"]
        return await handshake(answer["token"])(emulator)

    return scenario


async def bad_text(emulator: Emulator) -> Any:
    async with connect(emulator) as wire:
        await wire.ws.send_str("nothing")
        return (await wire.ws.receive(timeout=5)).data


async def last_event(emulator: Emulator) -> Any:
    async with connect(emulator) as wire:
        await wire.speak(TEXT)
        return sorted(wire.events[-1]["header"])


async def in_singapore(emulator: Emulator, model: str, voice: str) -> Any:
    emulator.config.region = SINGAPORE
    return await talk(model=model, voice=voice)(emulator)


def singapore(model: str, voice: str) -> Scenario:
    return lambda emulator: in_singapore(emulator, model, voice)


async def dashed(emulator: Emulator) -> Any:
    async with connect(emulator) as wire:
        await wire.run_task()
        await wire.until("task-started")
        wire.task_id = str(uuid.uuid4())
        await wire.send(
            "run-task",
            {
                "task_group": "audio",
                "task": "tts",
                "function": "SpeechSynthesizer",
                "model": MODEL,
                "parameters": {"voice": VOICE},
                "input": {},
            },
        )
        event = await wire.receive()
        assert event
        return event["header"]["event"]
