"""A minimal client, which sends given messages and keeps received ones."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import json
from typing import Any
import uuid

import aiohttp

from . import Emulator, EmulatorConfig

MODEL, VOICE, KEY = "cosyvoice-v3-flash", "longanyang", "sk-test"
PATH = "/api-ws/v1/inference"


class Wire:
    """A WebSocket to the emulator and the messages of the task at hand."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        """Begin without a task."""
        self.ws = ws
        self.task_id = ""
        self.events: list[dict[str, Any]] = []
        self.audio: list[bytes] = []

    async def run_task(
        self, model: str | None = MODEL, payload: dict[str, Any] | None = None, **p: Any
    ) -> None:
        """Send run-task with the parameters, forgetting what was received."""
        self.task_id = uuid.uuid4().hex
        self.events.clear()
        self.audio.clear()
        parameters = {"voice": VOICE, "format": "pcm", "sample_rate": 24000, **p}
        body = {
            "task_group": "audio",
            "task": "tts",
            "function": "SpeechSynthesizer",
            "model": model,
            "parameters": parameters,
            "input": {},
            **(payload or {}),
        }
        await self.send("run-task", body)

    async def text(self, text: object) -> None:
        """Send continue-task."""
        await self.send("continue-task", {"input": {"text": text}})

    async def flush(self) -> None:
        """Ask for what is held back."""
        await self.send("continue-task", {"input": {"flush": True}})

    async def finish(self, **values: Any) -> None:
        """Send finish-task."""
        await self.send("finish-task", {"input": values})

    async def send(self, action: str, payload: object, **header: Any) -> None:
        """Send a message of the task."""
        head = {"action": action, "task_id": self.task_id, "streaming": "duplex"}
        await self.ws.send_json({"header": {**head, **header}, "payload": payload})

    async def receive(self) -> dict[str, Any] | None:
        """Return the next event, keeping the audio before it; None at the end."""
        while True:
            message = await self.ws.receive(timeout=10)
            if message.type is aiohttp.WSMsgType.BINARY:
                self.audio.append(message.data)
            elif message.type is aiohttp.WSMsgType.TEXT:
                event: dict[str, Any] = json.loads(message.data)
                self.events.append(event)
                return event
            else:
                return None

    async def until(self, name: str) -> dict[str, Any]:
        """Receive until an event or a sentence event of this name.

        Raises:
            AssertionError: If the connection ends before.
        """
        while event := await self.receive():
            if name in (event["header"]["event"], output_type(event)):
                return event
        raise AssertionError(f"no {name}: {self.events}")

    async def speak(self, *texts: str, model: str = MODEL, **parameters: Any) -> bytes:
        """Do a whole task and return its audio."""
        await self.run_task(model, **parameters)
        await self.until("task-started")
        for text in texts:
            await self.text(text)
        await self.finish()
        await self.until("task-finished")
        return b"".join(self.audio)

    async def failure(self) -> tuple[str, str]:
        """Receive to the end and return the code and message of the failure."""
        header = (await self.until("task-failed"))["header"]
        assert await self.receive() is None
        return header["error_code"], header["error_message"]

    @property
    def usages(self) -> list[dict[str, int]]:
        """What the events say that was billed."""
        return [e["payload"]["usage"] for e in self.events if "usage" in e["payload"]]

    @property
    def usage(self) -> int | None:
        """The last number of billed characters in the events."""
        return self.usages[-1]["characters"] if self.usages else None

    @property
    def words(self) -> list[dict[str, Any]]:
        """The words of all events."""
        outputs = [event["payload"].get("output", {}) for event in self.events]
        return [w for o in outputs for w in o.get("sentence", {}).get("words", [])]


def output_type(event: dict[str, Any]) -> str | None:
    """Return which result-generated event this is."""
    kind: str | None = event["payload"].get("output", {}).get("type")
    return kind


def emulating(**settings: Any) -> Emulator:
    """Return an emulator that speaks in signals and starts any number of tasks."""
    return Emulator(
        EmulatorConfig(**{"speech": "signal", "starts_per_second": 0, **settings})
    )


def bearer(key: str) -> dict[str, str]:
    """Return the header that carries a key."""
    return {"Authorization": f"Bearer {key}"}


@asynccontextmanager
async def connect(
    emulator: Emulator, key: str = KEY, path: str = PATH
) -> AsyncIterator[Wire]:
    """Open a WebSocket to the emulator."""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(
            emulator.url + path, headers=bearer(key), max_msg_size=0
        ) as ws,
    ):
        yield Wire(ws)
