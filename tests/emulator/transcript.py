"""Transcripts: what went over connections, to be kept in a file and played again.

A transcript is a file of JSON Lines in UTF-8. The first line is its head,
``{"format": "cosyvoice-transcript", "version": 1}``; each other line is one frame or one
end of a connection, in the order of time:

==============  =====================================================================
``connection``  the number of the connection, from 1
``t``           seconds since the connection was opened
``from``        ``client`` or ``service``
``text``        a text frame: its JSON, or its text if that is no JSON
``audio``       a binary frame, in Base64
``close``       the code of a close frame, with ``reason``
==============  =====================================================================

Nothing in it tells whose it is: task ids become ``task-1`` and so on in the order of
their run-task, ids of requests are empty, also in the words of errors, the last part of a cloned voice's id is zeros.
Texts are kept only where that is asked for; else each ideograph becomes ``文`` and any
other letter or digit ``x``, so that what they count stays the same.

Played again, a connection waits for the client's run-task, for a first text, for
finish-task and for a close where the client had sent them; in between it keeps the times
of the transcript. The n-th connection of a client gets the n-th of the transcript, and the
last one from then on.
"""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
import contextlib
from dataclasses import dataclass, field
import json
from pathlib import Path
import re
from typing import Any, Literal

from aiohttp import WSMsgType, web

type Side = Literal["client", "service"]

_HEAD = {"format": "cosyvoice-transcript", "version": 1}
_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U000323af]")
_OTHER = re.compile(r"[^\W文x_]")
_UNIQUE_PART = re.compile("[0-9a-f]{12,}$")
_ID = re.compile("[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}")
_TEXTS = ("text", "original_text", "instruction")
_REQUEST_IDS = ("request_uuid", "request_id")


class Recorder:
    """Writes a transcript as it happens."""

    def __init__(self, path: Path, *, keep_texts: bool = False) -> None:
        """Begin the file.

        Args:
            path: The file.
            keep_texts: True if the texts may be read by others.
        """
        self._file = path.open("w", encoding="utf-8")
        self._keep_texts = keep_texts
        self._tasks: dict[str, str] = {}
        self._write(_HEAD)

    def frame(self, connection: int, t: float, side: Side, data: str | bytes) -> None:
        """Keep a frame that was sent ``t`` seconds after its connection was opened."""
        line: dict[str, Any] = {"connection": connection, "t": round(t, 4)}
        line["from"] = side
        if isinstance(data, bytes):
            line["audio"] = base64.b64encode(data).decode()
        else:
            try:
                line["text"] = self._redacted("", json.loads(data))
            except ValueError:
                line["text"] = data if self._keep_texts else _masked(data)
        self._write(line)

    def end(
        self, connection: int, t: float, side: Side, code: int, reason: str = ""
    ) -> None:
        """Keep a close frame."""
        line = {"connection": connection, "t": round(t, 4), "from": side}
        self._write({**line, "close": code, "reason": reason})

    def close(self) -> None:
        """End the file."""
        self._file.close()

    def _write(self, line: dict[str, Any]) -> None:
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")

    def _redacted(self, name: str, value: Any) -> Any:
        match value:
            case dict():
                return {key: self._redacted(key, item) for key, item in value.items()}
            case list():
                return [self._redacted(name, item) for item in value]
            case str() if name == "task_id":
                return self._tasks.setdefault(value, f"task-{len(self._tasks) + 1}")
            case str() if name in _REQUEST_IDS:
                return ""
            case str() if name == "error_message":
                return _ID.sub("", value)
            case str() if name == "voice":
                return _UNIQUE_PART.sub(lambda match: "0" * len(match[0]), value)
            case str() if name in _TEXTS and not self._keep_texts:
                return _masked(value)
        return value


def _masked(text: str) -> str:
    return _OTHER.sub("x", _HAN.sub("文", text))


@dataclass
class Frame:
    """A line of a transcript."""

    t: float
    side: Side
    text: Any = None
    audio: bytes | None = None
    close: int | None = None
    reason: str = ""

    @property
    def action(self) -> str:
        """What the client wants with it; empty for what is of the service."""
        if self.side == "service" or not isinstance(self.text, dict):
            return ""
        return str(self.text.get("header", {}).get("action", ""))


class Transcript:
    """A transcript that was read."""

    def __init__(self, path: Path) -> None:
        """Read a file.

        Raises:
            ValueError: If it is no transcript.
        """
        lines = path.read_text("utf-8").splitlines()
        if not lines or json.loads(lines[0]) != _HEAD:
            raise ValueError(f"{path} is no transcript")
        self._connections: dict[int, list[Frame]] = {}
        for line in lines[1:]:
            values = json.loads(line)
            audio = values.get("audio")
            frame = Frame(
                values["t"],
                values["from"],
                values.get("text"),
                None if audio is None else base64.b64decode(audio),
                values.get("close"),
                values.get("reason", ""),
            )
            self._connections.setdefault(values["connection"], []).append(frame)
        if not self._connections:
            raise ValueError(f"{path} has no connection")

    def connection(self, number: int) -> list[Frame]:
        """Return the frames that the n-th connection has, from 1."""
        numbers = sorted(self._connections)
        return self._connections[numbers[min(number, len(numbers)) - 1]]


@dataclass
class _Heard:
    """What the client has sent, and what of it the player has waited for."""

    starts: list[str] = field(default_factory=list)
    texts: set[str] = field(default_factory=set)
    finished: set[str] = field(default_factory=set)
    gone: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class Player:
    """Plays the frames of one connection to a client."""

    def __init__(self, ws: web.WebSocketResponse, frames: list[Frame]) -> None:
        """Prepare."""
        self._ws = ws
        self._frames = frames
        self._heard = _Heard()
        # The client's task ids by those of the transcript.
        self._ids: dict[str, str] = {}

    async def run(self) -> None:
        """Play to the end, or until the client is gone."""
        listener = asyncio.create_task(self._listen(), name="transcript listener")
        try:
            with contextlib.suppress(ConnectionError):
                await self._play()
        finally:
            listener.cancel()
            await self._ws.close()

    async def _play(self) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        for frame in self._frames:
            if frame.side == "client":
                if await self._awaited(frame):
                    begun = loop.time() - frame.t
            else:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout_at(begun + frame.t):
                        await self._until(lambda: self._heard.gone)
                if not self._heard.gone:
                    await self._send(frame)
            if self._heard.gone:
                return

    async def _awaited(self, frame: Frame) -> bool:
        """Wait for what the client had sent; return False if it had sent it already."""
        heard = self._heard
        header = frame.text["header"] if frame.action else {}
        recorded = header.get("task_id", "")
        task = self._ids.get(recorded, "")
        if frame.close is not None:
            return await self._until(lambda: heard.gone)
        if frame.action == "run-task":
            number = len(self._ids)
            waited = await self._until(lambda: len(heard.starts) > number)
            self._ids[recorded] = heard.starts[number] if not heard.gone else ""
            return waited
        if frame.action == "continue-task":
            return await self._until(lambda: task in heard.texts | heard.finished)
        return await self._until(lambda: task in heard.finished)

    async def _until(self, condition: Callable[[], object]) -> bool:
        if condition():
            return False
        while not (condition() or self._heard.gone):
            self._heard.changed.clear()
            await self._heard.changed.wait()
        return True

    async def _send(self, frame: Frame) -> None:
        if frame.close is not None:
            await self._ws.close(code=frame.close, message=frame.reason.encode())
        elif frame.audio is not None:
            await self._ws.send_bytes(frame.audio)
        elif isinstance(frame.text, str):
            await self._ws.send_str(frame.text)
        else:
            message = json.dumps(frame.text, ensure_ascii=False)
            for recorded, task in self._ids.items():
                message = message.replace(f'"{recorded}"', f'"{task}"')
            await self._ws.send_str(message)

    async def _listen(self) -> None:
        heard = self._heard
        async for message in self._messages():
            header = message.get("header", {})
            task, action = header.get("task_id", ""), header.get("action")
            if action == "run-task":
                heard.starts.append(task)
            elif action == "continue-task":
                heard.texts.add(task)
            elif action == "finish-task":
                heard.finished.add(task)
            heard.changed.set()
        heard.gone = True
        heard.changed.set()

    async def _messages(self) -> AsyncIterator[dict[str, Any]]:
        while True:
            message = await self._ws.receive()
            if message.type is WSMsgType.PING:
                await self._ws.pong(message.data)
            elif message.type is WSMsgType.TEXT:
                yield json.loads(message.data)
            elif message.type is not WSMsgType.PONG:
                return
