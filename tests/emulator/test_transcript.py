"""A connection that was kept can be played again."""

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from . import Emulator
from .transcript import Recorder, Transcript
from .wire import Wire, connect, emulating

TEXT = "你好，欢迎回家。今天天气很好。"
SENTENCES = ["你好，欢迎回家。", "今天天气很好。"]


async def speak_twice(wire: Wire) -> list[tuple[list[Any], bytes]]:
    """Run two tasks; return their events, without ids, and their audio."""
    found = []
    for _ in range(2):
        audio = await wire.speak(TEXT)
        events = json.dumps(wire.events).replace(wire.task_id, "task")
        found.append((json.loads(events), audio))
    return found


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


async def recorded(path: Path, *, texts: bool) -> list[tuple[list[Any], bytes]]:
    settings = {"record": path, "record_texts": texts}
    async with emulating(**settings) as emulator, connect(emulator) as wire:
        return await speak_twice(wire)


async def test_a_transcript_is_played_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "transcript.jsonl"
    spoken = await recorded(path, texts=True)
    async with emulating(replay=path) as emulator:
        for _ in range(2):
            async with connect(emulator) as wire:
                assert await speak_twice(wire) == spoken


async def test_other_pieces_of_text_do_as_well(tmp_path: Path) -> None:
    path = tmp_path / "transcript.jsonl"
    spoken = await recorded(path, texts=True)
    async with emulating(replay=path) as emulator, connect(emulator) as wire:
        assert await wire.speak(*TEXT) == spoken[0][1]


async def test_it_tells_nothing_private(tmp_path: Path) -> None:
    path = tmp_path / "transcript.jsonl"
    voice = "cosyvoice-v3-flash-me-0123456789abcdef0123456789abcdef"
    settings = {"record": path, "cloned_voices": {voice: "OK"}, "usage": "finished"}
    async with emulating(**settings) as emulator, connect(emulator) as wire:
        await wire.speak("Hello 73519, 你好。", voice=voice, instruction="快乐")
        task_id = wire.task_id
    kept = [line for line in lines(path) if "audio" not in line]
    text = json.dumps(kept, ensure_ascii=False)
    for secret in (
        "Hello",
        "你",
        "73519",
        task_id,
        "0123456789abcdef",
        "快",
        "sk-test",
    ):
        assert secret not in text
    assert "xxxxx xxxxx, 文文。" in text
    assert "task-1" in text
    assert '"request_uuid": ""' in text


async def test_its_lines_are_frames(tmp_path: Path) -> None:
    path = tmp_path / "transcript.jsonl"
    await recorded(path, texts=True)
    head, *frames = lines(path)
    assert head == {"format": "cosyvoice-transcript", "version": 1}
    times = [frame["t"] for frame in frames]
    assert times == sorted(times)
    assert {frame["connection"] for frame in frames} == {1}
    assert frames[0]["from"] == "client"
    assert frames[0]["text"]["header"]["action"] == "run-task"
    assert frames[1]["text"]["header"]["event"] == "task-started"
    assert sum("audio" in frame for frame in frames) > 4
    assert (frames[-1]["from"], frames[-1]["close"]) == ("client", 1000)


@pytest.mark.parametrize(
    "spec",
    ["arrears@mid_sentence", "garbage_text@before_audio", "close@before_finished"],
)
async def test_failures_are_played_as_well(tmp_path: Path, spec: str) -> None:
    path = tmp_path / "transcript.jsonl"

    async def messages(emulator: Emulator) -> list[str]:
        async with connect(emulator) as wire:
            await wire.run_task()
            await wire.text(TEXT)
            await wire.finish()
            found = []
            while True:
                message = await wire.ws.receive(timeout=5)
                data = str(message.data).replace(wire.task_id, "task")
                found.append(f"{message.type} {data}")
                if message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED):
                    return found
                if "task-finished" in data:
                    return found

    async with emulating(record=path, record_texts=True) as emulator:
        emulator.script(spec)
        expected = await messages(emulator)
    async with emulating(replay=path) as emulator:
        assert await messages(emulator) == expected


async def test_the_times_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "transcript.jsonl"
    settings = {"record": path, "first_packet": 0.3}
    async with emulating(**settings) as emulator, connect(emulator) as wire:
        await wire.speak(TEXT)
    loop = asyncio.get_running_loop()
    async with emulating(replay=path) as emulator, connect(emulator) as wire:
        await wire.run_task()
        await wire.until("task-started")
        # However long the client takes, the audio comes that long after its text.
        await asyncio.sleep(0.2)
        begun = loop.time()
        await wire.text(TEXT)
        await wire.finish()
        await wire.until("sentence-synthesis")
        assert 0.28 < loop.time() - begun < 0.6


async def test_each_connection_has_its_part(tmp_path: Path) -> None:
    path = tmp_path / "transcript.jsonl"
    async with emulating(record=path, record_texts=True) as emulator:
        for text in SENTENCES:
            async with connect(emulator) as wire:
                await wire.speak(text)
    async with emulating(replay=path) as emulator:
        begun = []
        for _ in range(3):
            async with connect(emulator) as wire:
                await wire.speak("x")
                event = next(e for e in wire.events if "sentence-begin" in str(e))
                begun.append(event["payload"]["output"]["original_text"])
        assert begun == [*SENTENCES, SENTENCES[1]]


async def test_the_client_may_leave(tmp_path: Path) -> None:
    path = tmp_path / "transcript.jsonl"
    await recorded(path, texts=False)
    async with emulating(replay=path) as emulator:
        async with connect(emulator) as wire:
            await wire.run_task()
            await wire.until("task-started")
        await emulator.until(lambda: emulator.connections[0].closed is not None)


@pytest.mark.parametrize("content", ["", "{}", '{"format": "other", "version": 1}'])
def test_other_files_are_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "file"
    path.write_text(content)
    with pytest.raises(ValueError, match="no transcript"):
        Transcript(path)


def test_a_transcript_needs_a_connection(tmp_path: Path) -> None:
    path = tmp_path / "file"
    Recorder(path).close()
    with pytest.raises(ValueError, match="no connection"):
        Transcript(path)
