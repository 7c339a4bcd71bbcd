"""A WebSocket to the service and the task on it, without the client's help."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
import json
from typing import Any
import uuid

import aiohttp

from ..emulator.audio import Samples, decode
from .probe import MODEL, VOICE, DiffersError, RefusedError, UntoldError
from .service import SOCKET_PATH, Service

RATE = 24_000


@dataclass(frozen=True, slots=True)
class Message:
    """Something that the service has sent.

    Attributes:
        at: When, by the event loop's clock.
        kind: The type of a result (``sentence-begin``), else the event (``task-started``);
            ``audio``, or ``close``.
        body: An event's JSON; ``code`` and ``reason`` of a close.
        data: The audio.
    """

    at: float
    kind: str
    body: dict[str, Any] = field(default_factory=dict)
    data: bytes = b""

    @property
    def payload(self) -> dict[str, Any]:
        """The event's payload."""
        return self.body.get("payload") or {}

    @property
    def output(self) -> dict[str, Any]:
        """The output in the payload."""
        return self.payload.get("output") or {}

    @property
    def sentence(self) -> dict[str, Any]:
        """The sentence in the output."""
        return self.output.get("sentence") or {}


class Talk:
    """One connection."""

    def __init__(self, service: Service, ws: aiohttp.ClientWebSocketResponse) -> None:
        """Begin without a task."""
        service.sockets += 1
        self.service = service
        self.ws = ws
        self.task = ""
        self.messages: list[Message] = []
        self._number = service.sockets
        self._loop = asyncio.get_running_loop()
        self._opened = self._loop.time()

    async def begin(
        self,
        model: str = MODEL,
        *,
        task: str | None = None,
        gated: bool = True,
        payload: dict[str, Any] | None = None,
        **parameters: Any,
    ) -> None:
        """Send run-task, forgetting what was received."""
        if gated:
            await self.service.gate(model).turn()
        self.task = task or uuid.uuid4().hex
        self.messages.clear()
        values = {"voice": VOICE, "format": "pcm", "sample_rate": RATE, **parameters}
        body = {
            "task_group": "audio",
            "task": "tts",
            "function": "SpeechSynthesizer",
            "model": model,
            "parameters": {k: v for k, v in values.items() if v is not None},
            "input": {},
            **(payload or {}),
        }
        await self.send("run-task", {k: v for k, v in body.items() if v is not None})

    async def start(self, model: str = MODEL, **parameters: Any) -> None:
        """Start a task."""
        await self.begin(model, **parameters)
        await self.until("task-started")

    async def text(self, text: str) -> None:
        """Send continue-task."""
        await self.send("continue-task", {"input": {"text": text}})

    async def flush(self) -> None:
        """Ask for what is held back."""
        await self.send("continue-task", {"input": {"flush": True}})

    async def finish(self, **values: Any) -> None:
        """Send finish-task."""
        await self.send("finish-task", {"input": values})

    async def send(
        self, action: str, payload: dict[str, Any], *, task: str | None = None
    ) -> None:
        """Send a message of the task, or of another one."""
        header = {
            "action": action,
            "task_id": task or self.task,
            "streaming": "duplex",
        }
        await self.send_text(json.dumps({"header": header, "payload": payload}))

    async def send_text(self, text: str) -> None:
        """Send a text frame."""
        self._keep(text)
        # If the connection is gone, what was received tells why.
        with suppress(ConnectionResetError):
            await self.ws.send_str(text)

    async def receive(self, within: float | None = None) -> Message:
        """Return what comes next.

        Raises:
            DiffersError: If nothing comes in time.
        """
        patience = self.service.pace.patience if within is None else within
        try:
            frame = await self.ws.receive(timeout=patience)
        except TimeoutError:
            raise DiffersError(f"nothing came within {patience:g} s") from None
        message = self._message(frame)
        self.messages.append(message)
        return message

    async def until(self, *kinds: str, within: float | None = None) -> Message:
        """Receive until something of these kinds.

        Raises:
            RefusedError: If the task fails.
            DiffersError: If the connection ends, or it does not come in time.
        """
        patience = self.service.pace.patience if within is None else within
        due = self._loop.time() + patience
        while True:
            left = due - self._loop.time()
            try:
                message = await self.receive(max(left, 0.001))
            except DiffersError:
                wanted = " or ".join(kinds)
                raise DiffersError(f"no {wanted} within {patience:g} s") from None
            if message.kind in kinds:
                return message
            if message.kind == "task-failed":
                raise RefusedError(*failure(message))
            if message.kind == "close":
                raise DiffersError(f"the connection was closed: {ending(message)}")

    async def quiet(self, seconds: float | None = None) -> list[Message]:
        """Return what comes in some seconds."""
        before = len(self.messages)
        due = self._loop.time() + (seconds or self.service.pace.silence)
        while (left := due - self._loop.time()) > 0:
            try:
                message = await self.receive(left)
            except DiffersError:
                break
            if message.kind == "close":
                break
        return self.messages[before:]

    def _message(self, frame: aiohttp.WSMessage) -> Message:
        now = self._loop.time()
        if frame.type is aiohttp.WSMsgType.BINARY:
            self._keep(frame.data, "service")
            return Message(now, "audio", data=frame.data)
        if frame.type is aiohttp.WSMsgType.TEXT:
            self._keep(frame.data, "service")
            return _event(now, frame.data)
        if frame.type is aiohttp.WSMsgType.PONG:
            return Message(now, "pong")
        if frame.type is aiohttp.WSMsgType.ERROR:
            raise UntoldError(f"the connection was lost: {frame.data!r}")
        is_frame = frame.type is aiohttp.WSMsgType.CLOSE
        code = int((frame.data if is_frame else self.ws.close_code) or 1006)
        reason = str(frame.extra or "")
        if (recorder := self.service.recorder) is not None:
            elapsed = now - self._opened
            recorder.end(self._number, elapsed, "service", code, reason)
        return Message(now, "close", {"code": code, "reason": reason})

    def _keep(self, data: str | bytes, side: Any = "client") -> None:
        if (recorder := self.service.recorder) is not None:
            elapsed = self._loop.time() - self._opened
            recorder.frame(self._number, elapsed, side, data)

    def keep_end(self) -> None:
        """Keep in the transcript that the connection is closed from here."""
        closed = any(message.kind == "close" for message in self.messages)
        if (recorder := self.service.recorder) is not None and not closed:
            elapsed = self._loop.time() - self._opened
            recorder.end(self._number, elapsed, "client", 1000)


def _event(now: float, text: str) -> Message:
    try:
        body = json.loads(text)
        header, payload = body["header"], body.get("payload") or {}
        kind = (payload.get("output") or {}).get("type") or header["event"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DiffersError(f"a text frame that is no event: {text[:80]!r}") from error
    return Message(now, str(kind), body)


def failure(message: Message) -> tuple[str, str]:
    """Return the code and the words of a task-failed."""
    header = message.body.get("header", {})
    return str(header.get("error_code", "")), str(header.get("error_message", ""))


def ending(message: Message) -> str:
    """Return the code and the reason of a close."""
    return f"{message.body['code']} {message.body['reason']!r}"


@asynccontextmanager
async def connected(
    service: Service, *, key: str | None = None, autoping: bool = True
) -> AsyncIterator[Talk]:
    """Open a connection for the length of a block."""
    async with service.session.ws_connect(
        service.url + SOCKET_PATH,
        headers=service.bearer(key),
        max_msg_size=0,
        autoping=autoping,
        timeout=aiohttp.ClientWSTimeout(ws_close=2.0),
    ) as ws:
        talk = Talk(service, ws)
        try:
            yield talk
        finally:
            talk.keep_end()


@dataclass(frozen=True)
class Spoken:
    """What came of a task.

    Attributes:
        messages: All that was received.
        audio_format: The format that was asked for.
        rate: The sample rate that was asked for, in Hz.
    """

    messages: list[Message]
    audio_format: str | None
    rate: int

    @property
    def audio(self) -> bytes:
        """The audio."""
        return b"".join(message.data for message in self.messages)

    @property
    def samples(self) -> Samples:
        """The samples that can be heard."""
        return self.decoded()[0]

    def decoded(self) -> tuple[Samples, int]:
        """Return the samples and their rate in Hz."""
        known = "pcm" if self.audio_format == "pcm" else None
        return decode(self.audio, known, self.rate)

    @property
    def seconds(self) -> float:
        """How long the audio is."""
        samples, rate = self.decoded()
        return len(samples) / rate

    @property
    def kinds(self) -> list[str]:
        """The kinds of the messages."""
        return [message.kind for message in self.messages]

    def of(self, kind: str) -> list[Message]:
        """Return the messages of a kind."""
        return [message for message in self.messages if message.kind == kind]

    @property
    def sentences(self) -> list[str]:
        """The texts of the sentences, as they began or ended."""
        begun = self.of("sentence-begin") or self.of("sentence-end")
        return [str(message.output.get("original_text", "")) for message in begun]

    @property
    def usages(self) -> list[dict[str, int]]:
        """What the events say was counted."""
        found = [message.payload.get("usage") for message in self.messages]
        return [usage for usage in found if usage]

    @property
    def usage(self) -> dict[str, int]:
        """What the last of them says.

        Raises:
            DiffersError: If none says anything.
        """
        if not self.usages:
            raise DiffersError("no event has a usage")
        return self.usages[-1]

    @property
    def counted(self) -> int:
        """The characters that were counted.

        Raises:
            DiffersError: If that is in no event.
        """
        if "characters" not in self.usage:
            raise DiffersError(f"the usage is {self.usage}")
        return self.usage["characters"]

    @property
    def words(self) -> list[list[dict[str, Any]]]:
        """The words of each sentence-end."""
        ends = self.of("sentence-end")
        return [message.sentence.get("words") or [] for message in ends]


async def said(
    talk: Talk, *texts: str, model: str = MODEL, **parameters: Any
) -> Spoken:
    """Do a task on a connection.

    Raises:
        RefusedError: If the service refuses it.
    """
    await talk.begin(model, **parameters)
    await talk.until("task-started")
    for text in texts:
        await talk.text(text)
    await talk.finish()
    # Speech takes long: what counts is that something comes.
    while (message := await talk.receive()).kind != "task-finished":
        if message.kind == "task-failed":
            raise RefusedError(*failure(message))
        if message.kind == "close":
            raise DiffersError(f"the connection was closed: {ending(message)}")
    wanted = {"format": "pcm", "sample_rate": RATE, **parameters}
    rate = wanted["sample_rate"] or 0
    return Spoken([*talk.messages], wanted["format"], rate)


async def speak(
    service: Service, *texts: str, model: str = MODEL, **parameters: Any
) -> Spoken:
    """Do a task on a new connection.

    Raises:
        RefusedError: If the service refuses it.
    """
    async with connected(service) as talk:
        return await said(talk, *texts, model=model, **parameters)


async def taken(service: Service, *texts: str, **parameters: Any) -> str:
    """Check that a task is not refused.

    Raises:
        RefusedError: If it is.
    """
    if error := await refusal(service, *texts, **parameters):
        raise error
    return "taken"


async def refusal(
    service: Service,
    *texts: str,
    model: str = MODEL,
    account: bool = False,
    **parameters: Any,
) -> RefusedError | None:
    """Return how a task is refused, or None if it is not.

    A refusal may come before or after the text.

    Args:
        service: The service.
        texts: The texts of the task.
        model: Its model.
        account: True to return also a refusal that tells of the account.
        parameters: Its parameters.

    Raises:
        RefusedError: If the refusal is not the task's fault.
    """
    try:
        await speak(service, *(texts or ("好。",)), model=model, **parameters)
    except RefusedError as error:
        if error.is_throttled or (error.is_of_account and not account):
            raise
        return error
    return None
