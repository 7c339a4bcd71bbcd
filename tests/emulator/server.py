"""The emulator as a whole: its server, its memory and its faults."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import replace
import secrets
import time
from typing import Any, Self

from aiohttp import web

from . import signals
from .audio import decode
from .billing import Bill
from .config import EmulatorConfig
from .connection import Connection
from .control import CONTROL_PATH, control_routes
from .enrolment import Voice
from .faults import FaultKind, Point
from .network import Gate, Line, line_of
from .records import ConnectionRecord, Heard, TaskRecord
from .rest import error_response, faulty_answer, http_routes
from .rules import Speaker, check_task
from .script import Fault, FaultScript
from .speech import Studio
from .storage import Storage
from .transcript import Player, Recorder, Transcript

_WEBSOCKET_PATH = "/api-ws/v1/inference"


class Emulator:
    """The CosyVoice service on a local port, as an asynchronous context manager.

    Attributes:
        config: Its settings; they may be changed while it runs.
        url: Its root, such as ``http://127.0.0.1:43210``.
        tasks: Every task since the start, in the order of their run-task.
        connections: Every attempt to open a WebSocket since the start.
        happened: Every fault that has happened.
        tokens_issued: Temporary keys given out since the start.
        recorder: What keeps the transcript, if one is kept.
        storage: What was uploaded.
        created_voices: The voices that were cloned or designed here.
        astray: Requests that have followed a redirection.
    """

    def __init__(self, config: EmulatorConfig | None = None) -> None:
        """Prepare an emulator; entering its context starts it."""
        self.config = config or EmulatorConfig()
        self.url = ""
        self.tokens_issued = 0
        self.tasks: list[TaskRecord] = []
        self.connections: list[ConnectionRecord] = []
        self.faults = FaultScript(self.config.faults)
        self.studio = Studio(self.config)
        self.storage = Storage(self)
        self.recorder: Recorder | None = None
        self.created_voices: dict[str, Voice] = {}
        self.astray = 0
        self._tokens: dict[str, tuple[str, float]] = {}
        self._starts: defaultdict[str, deque[float]] = defaultdict(deque)
        self._open: set[Connection] = set()
        self._lines: set[Line] = set()
        self._new_lines: set[Line] = set()
        self._frozen_until = 0.0
        self._changed = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self._listener: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        """Start listening."""
        app = web.Application(middlewares=[self._new_transport])
        app.router.add_get(_WEBSOCKET_PATH, self._handshake)
        app.router.add_get(f"{_WEBSOCKET_PATH}/", self._handshake)
        app.add_routes(http_routes(self))
        app.add_routes(control_routes(self))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        if self.config.record is not None:
            texts = self.config.record_texts
            self.recorder = Recorder(self.config.record, keep_texts=texts)
        await self.listen(self.config.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Cut all connections and stop listening."""
        self.stop_listening()
        for line in self._lines:
            line.abort()
        if self._runner is not None:
            await self._runner.cleanup()
        self.studio.close()
        if self.recorder is not None:
            self.recorder.close()

    async def listen(self, port: int | None = None) -> None:
        """Listen, on the port as before where none is given."""
        assert self._runner is not None
        handler = self._runner.server
        assert handler is not None
        self._listener = await asyncio.get_running_loop().create_server(
            lambda: Gate(handler(), self._accept_fault, self._accepted),
            self.config.host,
            int(self.url.rpartition(":")[2]) if port is None else port,
        )
        host, bound = self._listener.sockets[0].getsockname()[:2]
        self.url = f"http://{host}:{bound}"

    def stop_listening(self) -> None:
        """Refuse every new connection until ``listen``; those that are open stay."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def cut(self, *, reset: bool = False) -> None:
        """End every connection that is open, with a reset or in order."""
        for line in self._lines:
            line.cut(reset=reset)

    def freeze(self, seconds: float) -> None:
        """Let the network carry nothing for some seconds, on no connection."""
        self._frozen_until = asyncio.get_running_loop().time() + seconds
        for line in self._lines:
            if not line.is_gone:
                line.freeze(seconds)

    @property
    def bill(self) -> Bill:
        """The billed characters of each model; its attributes give tokens and money."""
        return Bill(self.tasks, self.config.region)

    @property
    def happened(self) -> list[Fault]:
        """Every fault that has happened, in order."""
        return self.faults.happened

    @property
    def open_connections(self) -> int:
        """How many WebSockets are open now."""
        return len(self._open)

    @staticmethod
    def fault_points(kind: FaultKind) -> frozenset[Point]:
        """Return the moments of a plain message at which a kind of fault makes sense.

        ``FaultKind.points`` has also those that come only where a client flushes,
        cancels or closes.
        """
        return kind.unasked_points

    def script(self, *faults: Fault | str) -> None:
        """Let these faults happen: objects, or specs as ``Fault.parse`` reads them."""
        self.faults.add(*faults)

    def clear_faults(self) -> None:
        """Let no more faults happen."""
        self.faults.clear()

    def reset(self) -> None:
        """Forget all faults, tasks and connections, and the bill with them.

        Tasks that run are kept, as they will speak; they are numbered anew.
        """
        self.faults = FaultScript()
        self.tasks[:] = [task for task in self.tasks if task.outcome == "running"]
        for number, task in enumerate(self.tasks, 1):
            task.number = number
        self.connections.clear()
        self._starts.clear()

    def heard(
        self, audio: bytes, format: str | None = None, sample_rate: int | None = None
    ) -> list[Heard]:
        """Return the sentences in audio that was made with ``speech="signal"``.

        Args:
            audio: The audio, in any container that FFmpeg knows; it may be cut off.
            format: ``pcm`` for bare samples, else FFmpeg's name of the container, or
                None to recognise it.
            sample_rate: The sample rate of ``pcm`` in Hz.
        """
        known = [s.spoken for task in self.tasks for s in task.sentences]
        return signals.recognise(decode(audio, format, sample_rate), known)

    async def until(
        self, condition: Callable[[], object], timeout_seconds: float = 10.0
    ) -> None:
        """Wait until a condition on tasks or connections holds.

        Raises:
            TimeoutError: If it does not hold in time.
        """
        async with asyncio.timeout(timeout_seconds):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def notify(self) -> None:
        """Let those in ``until`` look again."""
        self._changed.set()

    def key_kind(self, request: web.Request) -> str:
        """Return what the request's key is: api_key, temporary or invalid."""
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if not (scheme or self.config.facts.needs_key):
            return "api_key"
        if not self.config.facts.scheme_any_case and scheme != "Bearer":
            return "invalid"
        if scheme.lower() == "bearer":
            if self.config.is_valid_key(key):
                return "api_key"
            parent, expiry = self._tokens.get(key, ("", 0.0))
            loop = asyncio.get_running_loop()
            if self.config.is_valid_key(parent) and loop.time() < expiry:
                return "temporary"
        return "invalid"

    def end_tokens(self) -> None:
        """End all temporary keys before their time."""
        self._tokens.clear()

    def issue_token(self, request: web.Request, seconds: int) -> dict[str, Any]:
        """Return a temporary key with the rights of the request's key."""
        _, _, key = request.headers["Authorization"].partition(" ")
        parent, _ = self._tokens.get(key, (key, 0.0))
        token = f"st-{secrets.token_hex(24)}"
        self.tokens_issued += 1
        self._tokens[token] = (parent, asyncio.get_running_loop().time() + seconds)
        return {"token": token, "expires_at": int(time.time()) + seconds}

    def take_start(self, model: str, arrived: float) -> bool:
        """Return True if the model takes a task that arrived then; count it."""
        counted = model if self.config.facts.starts_by_model else ""
        return self._take(counted, arrived, self.config.starts_per_second)

    def take_request(self, model: str) -> bool:
        """Return True if the model takes a request now; count it."""
        limit = self.config.enrollments_per_second
        return self._take(model, asyncio.get_running_loop().time(), limit)

    def _take(self, model: str, arrived: float, limit: int) -> bool:
        starts = self._starts[model]
        while starts and arrived - starts[0] >= 1.0:
            starts.popleft()
        if limit and len(starts) >= limit:
            return False
        starts.append(arrived)
        return True

    def speaker(self, payload: Mapping[str, Any]) -> Speaker:
        """Return how the task of a run-task payload sounds.

        Raises:
            ServiceError: If the service would refuse the task.
        """
        self.deploy_voices()
        speaker = check_task(payload, self.config)
        voice = self.created_voices.get(speaker.voice)
        return speaker if voice is None else replace(speaker, fundamental=voice.pitch)

    def deploy_voices(self) -> None:
        """Let the created voices be reviewed whose time has come."""
        now = asyncio.get_running_loop().time()
        cloned = self.config.cloned_voices
        for voice_id, voice in self.created_voices.items():
            due = now - voice.created >= self.config.deploy_seconds
            if due and cloned.get(voice_id) == "DEPLOYING":
                passes = self.config.review == "passes"
                cloned[voice_id] = "OK" if passes else "UNDEPLOYED"

    def _accept_fault(self) -> Fault | None:
        frozen = self._frozen_until - asyncio.get_running_loop().time()
        if frozen > 0:
            return Fault(FaultKind.FREEZE, Point.ACCEPT, seconds=frozen)
        return self.faults.take(Point.ACCEPT, connection=len(self.connections) + 1)

    def _accepted(self, line: Line) -> None:
        self._lines = {line for line in self._lines if not line.is_gone}
        self._new_lines &= self._lines
        self._lines.add(line)
        self._new_lines.add(line)

    @web.middleware
    async def _new_transport(self, request: web.Request, handler: Any) -> Any:
        if request.path.startswith(CONTROL_PATH):
            return await handler(request)
        connection = line_of(request)
        if connection is not None and connection in self._new_lines:
            self._new_lines.discard(connection)
            # The round trips of the TCP and TLS handshakes, which loopback does not take.
            trips = 1 + self.config.tls_round_trips
            await asyncio.sleep(trips * self.config.round_trip)
        await asyncio.sleep(self.config.round_trip)
        return await handler(request)

    async def _handshake(self, request: web.Request) -> web.StreamResponse:
        loop = asyncio.get_running_loop()
        headers = {k: v for k, v in request.headers.items() if k != "Authorization"}
        kind: Any = self.key_kind(request)
        record = ConnectionRecord(
            len(self.connections) + 1, loop.time(), headers, key=kind
        )
        self.connections.append(record)
        if kind == "temporary" and not self.config.facts.tokens_open_sockets:
            kind = record.key = "invalid"
        try:
            fault = self.faults.take(Point.HANDSHAKE, connection=record.number)
            response = await self._refusal(request, fault, kind)
            if response is not None:
                record.status = response.status
                return response
            ws = web.WebSocketResponse(
                autoping=False, autoclose=False, compress=False, timeout=2.0
            )
            await ws.prepare(request)
            record.status = 101
            if self.config.replay is not None:
                frames = Transcript(self.config.replay).connection(record.number)
                await Player(ws, frames).run()
                record.close_code = ws.close_code
                return ws
            connection = Connection(self, request, ws, record)
            self._open.add(connection)
            self.notify()
            try:
                await connection.run(
                    close_at_once=fault is not None and fault.kind is FaultKind.CLOSE
                )
            finally:
                self._open.discard(connection)
            return ws
        finally:
            record.closed = loop.time()
            self.notify()

    async def _refusal(
        self, request: web.Request, fault: Fault | None, key: str
    ) -> web.StreamResponse | None:
        """Return the answer to an upgrade that is refused, or None if it is not."""
        facts = self.config.facts
        slash = request.path.endswith("/")
        if not facts.socket_here or (slash and not facts.slash_path):
            return error_response(facts.unknown_path)
        answer = await faulty_answer(request, fault)
        if answer is not None or key != "invalid" or facts.any_key:
            return answer
        if facts.refusal_is_page:
            page = "<html><body><h1>Unauthorized</h1></body></html>"
            return web.Response(
                status=facts.refusal_status, text=page, content_type="text/html"
            )
        return error_response(
            facts.refusal_status, "InvalidApiKey", "Invalid API-key provided."
        )
