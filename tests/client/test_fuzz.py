"""The receive path under random and mutated frames: classed errors and nothing else."""

import json
import random
from typing import Any, cast

import aiohttp
import pytest

from custom_components.cosyvoice.client.audio import audio_writer
from custom_components.cosyvoice.client.errors import CosyVoiceError
from custom_components.cosyvoice.client.utterance.playback import Position
from custom_components.cosyvoice.client.utterance.progress import TaskProgress
from custom_components.cosyvoice.client.utterance.source import Part
from custom_components.cosyvoice.client.wire.connection import Connection
from custom_components.cosyvoice.client.wire.protocol import Audio, TaskStarted

FRAMES = 25_000
TEXT = "今天天气不错。"
START = Position(0.0, 0.0)
PARAMETERS = {"voice": "longanyang", "format": "pcm"}
VALUES: list[Any] = [None, True, 0, -1, 1e400, "", "x" * 50, [], {}, [{}], {"a": []}]
FORMATS = ("mp3", "opus", "wav", "caf")


class FuzzedWebSocket:
    """Answers with what a service might send, and mostly something else."""

    closed = False

    def __init__(self, chance: random.Random) -> None:
        """Begin with no task."""
        self._chance = chance
        self._task_id = ""

    async def send_str(self, message: str) -> None:
        """Remember the task."""
        self._task_id = json.loads(message)["header"]["task_id"]

    async def receive(self) -> aiohttp.WSMessage:
        """Return a frame."""
        chance = self._chance
        kind = chance.random()
        if kind < 0.35:
            audio = chance.randbytes(chance.randrange(400))
            if chance.random() < 0.5:
                audio = chance.choice([b"\xff\xf3\x84", b"OggS\0", b"ID3\4"]) + audio
            return _frame(aiohttp.WSMsgType.BINARY, audio)
        if kind < 0.99:
            return _frame(aiohttp.WSMsgType.TEXT, self._text())
        if kind < 0.995:
            error = aiohttp.WebSocketError(1002, "reserved bits")
            return _frame(aiohttp.WSMsgType.ERROR, error)
        return _frame(aiohttp.WSMsgType.CLOSE, 1000)

    def _text(self) -> str:
        chance = self._chance
        message = self._message()
        if chance.random() < 0.5:
            _mutate(message, chance)
        text = json.dumps(message)
        if chance.random() < 0.2:
            place = chance.randrange(len(text))
            text = text[:place] + chr(chance.randrange(0x3000)) + text[place + 1 :]
        return text[: chance.randrange(len(text))] if chance.random() < 0.02 else text

    def _message(self) -> dict[str, Any]:
        chance = self._chance
        event = chance.choice(["task-started", "task-finished", "task-failed", "x"])
        if chance.random() < 0.9:
            event = "result-generated"
        kind = chance.choice(["sentence-begin", "sentence-synthesis", "sentence-end"])
        word = {"text": "今", "begin_time": 80, "end_time": 240}
        return {
            "header": {"task_id": self._task_id, "event": event, "attributes": {}},
            "payload": {
                "output": {
                    "type": kind,
                    "original_text": TEXT,
                    "sentence": {"index": 0, "words": [word]},
                },
                "usage": {"characters": chance.randrange(40)},
            },
        }


def _frame(kind: aiohttp.WSMsgType, data: Any) -> aiohttp.WSMessage:
    return aiohttp.WSMessage(kind, data, None)


def _mutate(message: dict[str, Any], chance: random.Random) -> None:
    """Change or drop something anywhere in a message."""
    at: Any = message
    while True:
        key = chance.choice(list(at) if isinstance(at, dict) else range(len(at)))
        if isinstance(at[key], dict | list) and at[key] and chance.random() < 0.7:
            at = at[key]
            continue
        if chance.random() < 0.3:
            del at[key]
        else:
            at[key] = chance.choice(VALUES)
        return


@pytest.mark.parametrize("seed", range(len(FORMATS)))
async def test_only_classed_errors_come_out(seed: int) -> None:
    """Whatever is received, and however often."""
    chance = random.Random(seed)
    received = errors = started = 0
    while received < FRAMES:
        websocket = FuzzedWebSocket(chance)
        connection = Connection(cast("aiohttp.ClientWebSocketResponse", websocket))
        writer = audio_writer(FORMATS[seed], 24000)
        progress = TaskProgress(START)
        for _ in range(3):
            progress.add(Part(TEXT, ends_sentence=True))
        await websocket.send_str(connection._protocol.run_task("m", PARAMETERS))
        try:
            while True:
                received += 1
                for event in await connection.receive():
                    if isinstance(event, Audio):
                        progress.audio(given_out=bool(writer.feed(event.data)))
                    elif isinstance(event, TaskStarted):
                        started += 1
                    else:
                        progress.note(event, Position(writer.seconds, 0.0))
        except CosyVoiceError:
            errors += 1
            writer.end_task()
    assert errors > 100
    assert started > 10
