"""One WebSocket connection: its messages, its tasks one after the other, its faults."""

import asyncio
import contextlib
import json
import re
from typing import TYPE_CHECKING, Any
import uuid

from aiohttp import WSCloseCode, WSMessage, WSMsgType, web
from aiohttp.client_exceptions import ClientConnectionResetError

from .catalogue import Model
from .errors import MESSAGES, ServiceError, invalid
from .facts import Facts
from .faults import TASK_ERRORS, FaultKind, GoneError, Oddity, Point
from .network import cut, freeze, until_gone
from .records import ConnectionRecord, Outcome, TaskRecord
from .rules import check_model, failure
from .script import Before, Fault
from .task import LONG, Task
from .transcript import Side

if TYPE_CHECKING:
    from .server import Emulator

_OVERSIZED = 16 * 2**20


class Connection:
    """Serves one WebSocket from its upgrade to its end."""

    def __init__(
        self,
        emulator: Emulator,
        request: web.Request,
        ws: web.WebSocketResponse,
        record: ConnectionRecord,
    ) -> None:
        """Take over a WebSocket that was just opened."""
        self.emulator = emulator
        self.record = record
        self._request = request
        self._ws = ws
        self._task: Task | None = None
        self._last_task_id = ""
        self._hung = False
        self._opened = asyncio.get_running_loop().time()
        self._opened_ahead = False
        self._parameters: object = None
        self._bend_event: FaultKind | Oddity | None = None
        self._audio_as_text = False
        self._closed_by_client = False
        self._closer: asyncio.Task[bool] | None = None
        # Messages with the time at which they have travelled here. None: a task has
        # ended, so the idle time begins.
        self._inbox: asyncio.Queue[tuple[float, WSMessage | None]] = asyncio.Queue()

    @property
    def _facts(self) -> Facts:
        return self.emulator.config.facts

    async def run(self, *, close_at_once: bool) -> None:
        """Serve until either side has ended the connection."""
        receiver = asyncio.create_task(self._receive())
        try:
            if close_at_once:
                await self.close()
            await self._serve()
        finally:
            receiver.cancel()
            if (task := self._task) is not None:
                await task.stop()
                self.end_task(task.record, "disconnected")
            await self.close()
            self.record.close_code = self._ws.close_code

    async def close(self, code: int = WSCloseCode.OK, reason: str = "") -> None:
        """Close the WebSocket and wait until the client has done so as well."""
        if self._closer is None:
            if not self._closed_by_client:
                self._keep_end("service", code, reason)
            closing = self._ws.close(code=code, message=reason.encode())
            self._closer = asyncio.create_task(closing)
        # If the waiting task is cancelled, the close handshake continues.
        await asyncio.shield(self._closer)

    async def _receive(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            message = await self._ws.receive()
            if message.type is WSMsgType.PING:
                if not self._hung and self._facts.answers_pings:
                    with contextlib.suppress(ClientConnectionResetError):
                        await self._ws.pong(message.data)
                if self._facts.pings_keep_open:
                    self._inbox.put_nowait((0.0, None))
            elif message.type is not WSMsgType.PONG:
                if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    self._keep("client", message.data)
                elif message.type is WSMsgType.CLOSE:
                    self._closed_by_client = True
                    self._keep_end("client", message.data or 1005, message.extra or "")
                    await self._before_closing()
                # Delaying what comes in by the whole round trip looks to the client
                # like half of it in each direction.
                due = loop.time() + self.emulator.config.round_trip
                self._inbox.put_nowait((due, message))
                if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                    return

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            idle = self.emulator.config.idle * self._facts.idle_factor
            try:
                async with asyncio.timeout(None if self._task or self._hung else idle):
                    due, message = await self._inbox.get()
            except TimeoutError:
                await self.close(self._facts.idle_code, self._facts.idle_reason)
                return
            if message is None:
                continue
            if (wait := due - loop.time()) > 0:
                await asyncio.sleep(wait)
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                return
            if self._hung or self._closer:
                continue
            with contextlib.suppress(GoneError, ClientConnectionResetError):
                try:
                    await self._handle(message, due)
                except ServiceError as error:
                    await self._refuse(error)

    async def _before_closing(self) -> None:
        with contextlib.suppress(GoneError):
            if not self._hung:
                await self.fault(Point.CLOSE)
        if self._hung:
            # A hung service does not answer the close handshake either.
            await until_gone(self._request)

    # Messages of the client

    async def _handle(self, message: WSMessage, arrived: float) -> None:
        try:
            body = json.loads(message.data)
            header, payload = body["header"], body["payload"]
            action, task_id = header["action"], header["task_id"]
            valid = (
                message.type is WSMsgType.TEXT
                and isinstance(payload, dict)
                and isinstance(task_id, str)
                and task_id != ""
                and header.get("streaming") == "duplex"
                and action in ("run-task", "continue-task", "finish-task")
            )
            # Lone surrogates are not valid text, though JSON can spell them.
            json.dumps(body, ensure_ascii=False).encode()
        except ValueError, KeyError, TypeError, AttributeError:
            valid = False
        if not valid:
            await self.close(self._facts.bad_text_code)
            return
        if action == "run-task":
            await self._run_task(task_id, payload, arrived)
        else:
            await self._task_message(action, task_id, payload, arrived)

    async def _run_task(
        self, task_id: str, payload: dict[str, Any], arrived: float
    ) -> None:
        emulator = self.emulator
        if self._facts.hex_task_ids and not re.fullmatch("[0-9a-f]{32}", task_id):
            raise invalid("Parameter invalid: task_id")
        was_busy = self._task is not None
        if self._task is not None:
            await self._task.stop()
            self.end_task(self._task.record, "preempted")
        parameters = payload.get("parameters")
        record = TaskRecord(
            len(emulator.tasks) + 1,
            self.record.number,
            task_id,
            str(payload.get("model")),
            parameters if isinstance(parameters, dict) else {},
            arrived,
        )
        emulator.tasks.append(record)
        emulator.notify()
        self.record.tasks += 1
        if self.record.tasks == 1:
            waited = arrived - self._opened - emulator.config.round_trip
            self._opened_ahead = waited > LONG
        self._last_task_id = task_id
        try:
            self._check_start(payload, was_busy=was_busy)
            model = check_model(payload.get("model"), emulator.config)
            self._take_start(model, arrived)
            speaker = emulator.speaker(payload)
            self._task = Task(self, record, speaker, model)
            await self.fault(Point.BEFORE_STARTED, record)
        except ServiceError as error:
            await self.fail(record, error)
            return
        self._task.start()
        await self.send_event("task-started", {})
        await self.fault(Point.STARTED, record)

    def _take_start(self, model: Model, arrived: float) -> None:
        _, message = TASK_ERRORS[FaultKind.THROTTLED]
        if not self.emulator.take_start(model.id, arrived):
            raise ServiceError(self._facts.throttling, message)
        running = [task for task in self.emulator.tasks if task.outcome == "running"]
        if 0 < self._facts.most_tasks < len(running):
            raise ServiceError("Throttling.Concurrency", message)

    def _check_start(self, payload: dict[str, Any], *, was_busy: bool) -> None:
        """Check what has been on the connection before a task."""
        parameters = payload.get("parameters")
        previous, self._parameters = self._parameters, parameters
        refused = was_busy and self.emulator.config.second_start == "refused"
        if refused or (self._opened_ahead and not self._facts.opened_ahead_works):
            raise failure(Oddity.INVALID_ACTION)
        if self.record.tasks > 1 and self._facts.reuse_same_only:
            if parameters != previous:
                raise invalid("Parameter invalid: parameters differ")
        idle_token = self.record.key == "temporary" and not self._facts.tokens_speak
        if self.record.key == "invalid" or idle_token:
            raise ServiceError("InvalidApiKey", "Invalid API-key provided.")

    async def _task_message(
        self, action: str, task_id: str, payload: dict[str, Any], arrived: float
    ) -> None:
        task = self._task
        if task is None or task.record.id != task_id:
            if task_id == self._last_task_id or not self._facts.unknown_task_fails:
                # The task ended while this message was under way.
                return
            raise invalid("Parameter invalid: task_id")
        values = payload.get("input")
        if not isinstance(values, dict):
            raise invalid("task can not be null")
        is_short = action == "continue-task" and "model" not in payload
        if is_short and self._facts.continue_needs_model:
            raise invalid("Missing required parameter 'payload.model'!")
        if arrived < task.started and not self._facts.early_text:
            raise invalid("Parameter invalid: the task has not started")
        if action == "continue-task":
            task.hear(values)
        elif values.get("directive") != "cancel":
            task.finish()
        elif task.answers_cancel:
            await task.stop(delivering=not self._facts.cancel_drops)
            await self.fault(Point.CANCEL, task.record)
            task.book()
            await self.finish(task, "cancelled")
            if self._facts.cancel_closes:
                await self.close()

    # Messages of the service

    async def send_event(
        self, event: str, payload: dict[str, Any], **header: Any
    ) -> None:
        """Send an event of the current task, bent by a fault if one is due."""
        bend, self._bend_event = self._bend_event, None
        if bend is FaultKind.MISSING_FIELDS:
            bare = {"task_id": self._last_task_id, "event": event}
            await self._send_json({"header": bare, "payload": {}})
            return
        header.setdefault("attributes", {})
        names = {"task_id": self._last_task_id, "event": event, **header}
        if event == "task-finished" and not self._facts.finished_names_task:
            del names["task_id"]
        if not self._facts.failed_code:
            names.pop("error_code", None)
        message = {"header": names, "payload": payload}
        await self._send_json(message)
        if bend is FaultKind.DUPLICATE_EVENT:
            await self._send_json(message)

    async def send_audio(self, audio: bytes) -> None:
        """Send a piece of audio, or what a fault makes of it."""
        if self._audio_as_text:
            self._audio_as_text = False
            await self._send(audio.hex())
        else:
            await self._send(audio)

    async def finish(
        self, task: Task, outcome: Outcome, *, with_usage: bool = True
    ) -> None:
        """Send task-finished; the connection is then free for another task."""
        payload: dict[str, Any] = {}
        attributes: dict[str, str] = {}
        if task.finish_has_usage and with_usage:
            payload["output"] = {"sentence": {"words": []}}
            payload["usage"] = task.report_usage()
            attributes["request_uuid"] = str(uuid.uuid4())
        self.end_task(task.record, outcome)
        await self.send_event("task-finished", payload, attributes=attributes)
        await self.fault(Point.IDLE, task.record)
        if not self._facts.reusable:
            await self.close()

    async def fail(self, record: TaskRecord, error: ServiceError) -> None:
        """Send task-failed and close the connection, as the service does."""
        record.error_code, record.error_message = error.code, error.message
        self.end_task(record, "failed")
        await self._send_failure(error)

    def end_task(self, record: TaskRecord, outcome: Outcome) -> None:
        """Note what became of a task, and let it fall silent."""
        if self._task is not None and self._task.record is record:
            self._task.cancel()
            self._task = None
        record.outcome = outcome
        record.ended = asyncio.get_running_loop().time()
        self._inbox.put_nowait((0.0, None))
        self.emulator.notify()

    async def _refuse(self, error: ServiceError) -> None:
        if self._task is None:
            await self._send_failure(error)
        else:
            await self._task.stop()
            await self.fail(self._task.record, error)

    async def _send_failure(self, error: ServiceError) -> None:
        await self.send_event(
            "task-failed", {}, error_code=error.code, error_message=error.message
        )
        if self._facts.failed_closes:
            await self.close()

    async def _send(self, data: str | bytes) -> None:
        self._keep("service", data)
        if isinstance(data, str):
            await self._ws.send_str(data)
        else:
            await self._ws.send_bytes(data)

    def _keep(self, side: Side, data: str | bytes) -> None:
        """Keep a frame in the transcript, if there is one."""
        if (recorder := self.emulator.recorder) is not None:
            elapsed = asyncio.get_running_loop().time() - self._opened
            recorder.frame(self.record.number, elapsed, side, data)

    def _keep_end(self, side: Side, code: int, reason: str) -> None:
        if (recorder := self.emulator.recorder) is not None:
            elapsed = asyncio.get_running_loop().time() - self._opened
            recorder.end(self.record.number, elapsed, side, code, reason)

    async def _send_json(self, message: Any) -> None:
        await self._send(json.dumps(message, ensure_ascii=False))

    # What goes wrong

    async def fault(
        self, point: Point, record: TaskRecord | None = None, sentences: int = 0
    ) -> Fault | None:
        """Let the fault happen that is due now, and return it.

        Raises:
            GoneError: If it ended the connection.
            ServiceError: If it makes the task fail.
        """
        before: Before = "fresh"
        if self.record.tasks > 1:
            before = "idle"
        elif self._opened_ahead:
            before = "opened_ahead"
        if self._task is not None and self._task.waited:
            before = "prestarted"
        fault = self.emulator.faults.take(
            point,
            connection=self.record.number,
            task=record.number if record else None,
            sentences=sentences,
            before=before,
        )
        if fault is None:
            return None
        kind = fault.kind
        if kind is Oddity.ERROR:
            raise ServiceError(fault.code, MESSAGES.get(fault.code, fault.code))
        if kind in TASK_ERRORS:
            raise failure(kind)
        if kind in (FaultKind.RESET, FaultKind.DROP):
            cut(self._request, reset=kind is FaultKind.RESET)
            raise GoneError
        if kind is FaultKind.CLOSE:
            await self.close()
            raise GoneError
        if kind is FaultKind.HANG:
            self._hung = True
            raise GoneError
        if kind is FaultKind.EARLY_FINISH and self._task is not None:
            await self.finish(self._task, "finished")
            raise GoneError
        if kind is FaultKind.SLOW:
            await asyncio.sleep(fault.seconds)
        elif kind is FaultKind.FREEZE:
            freeze(self._request, fault.seconds)
        elif kind is FaultKind.TEXT_FOR_BINARY:
            self._audio_as_text = True
        elif kind in (FaultKind.MISSING_FIELDS, FaultKind.DUPLICATE_EVENT):
            self._bend_event = kind
        else:
            await self._say_something_odd(kind)
        return fault

    async def _say_something_odd(self, kind: FaultKind | Oddity) -> None:
        match kind:
            case FaultKind.GARBAGE_TEXT:
                await self._send("<html>Bad gateway</html>")
            case FaultKind.GARBAGE_JSON:
                await self._send_json({"header": ["nothing"], "payload": 1})
            case FaultKind.UNKNOWN_EVENT:
                await self.send_event("task-progress", {"output": {"percent": 50}})
            case FaultKind.WRONG_TASK_ID:
                for event in ("result-generated", "task-finished"):
                    header: dict[str, Any] = {
                        "task_id": "f" * 32,
                        "event": event,
                        "attributes": {},
                    }
                    await self._send_json({"header": header, "payload": {}})
            case FaultKind.OVERSIZED_FRAME:
                if (transport := self._request.transport) is not None:
                    # Several may follow; in aiohttp 3.13, who waits for room loses the error
                    transport.set_write_buffer_limits(high=10 * _OVERSIZED)
                await self._send(bytes(_OVERSIZED))
            case FaultKind.BAD_FRAME:
                transport = self._request.transport
                if transport is not None:
                    # Reserved bits and a reserved opcode.
                    transport.write(b"\xff\xff\xff\xff")
            case _:
                pass
