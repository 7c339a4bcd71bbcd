"""The service that is probed: where it is, what it is asked, what must be cleaned up."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
import secrets
from typing import Any

import aiohttp

from ..emulator.transcript import Recorder

SOCKET_PATH, HTTP_PATH = "/api-ws/v1/inference", "/api/v1"
VOICES_PATH = "/services/audio/tts/customization"
ENROLMENT = "voice-enrollment"
_ENROLMENTS = 8
"""Requests about voices in a second; the service takes ten."""
RESOLVE = {"X-DashScope-OssResourceResolve": "enable"}


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How long things take, in seconds.

    Attributes:
        patience: The longest wait for something that should come.
        silence: How long nothing must come to be sure that nothing will.
        idle: How long a connection may be without a task.
        text_gap: How long a task may be without text.
        ahead: How long a connection waits that was opened ahead.
        review: The longest wait for a cloned voice.
        poll: The pause between two looks at it.
    """

    patience: float = 15.0
    silence: float = 2.5
    idle: float = 60.0
    text_gap: float = 23.0
    ahead: float = 5.0
    review: float = 75.0
    poll: float = 2.5


class Gate:
    """Limits how many tasks of a model start in a second, in the order of asking."""

    def __init__(self, limit: int, window: float = 1.1) -> None:
        self.window = window
        self._limit = limit
        self._starts: deque[float] = deque()
        self._lock = asyncio.Lock()

    async def turn(self) -> None:
        """Wait until another task may start."""
        async with self._lock:
            loop = asyncio.get_running_loop()
            while len(self._starts) >= self._limit:
                wait = self._starts[0] + self.window - loop.time()
                if wait <= 0:
                    self._starts.popleft()
                else:
                    await asyncio.sleep(wait)
            self._starts.append(loop.time())

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Let nothing start but what is started inside."""
        async with self._lock:
            await asyncio.sleep(self.window)
            yield
            await asyncio.sleep(self.window)


@dataclass(kw_only=True)
class Service:
    """One region of the service, or an emulator of it.

    Attributes:
        url: Its root, such as ``https://dashscope.aliyuncs.com``.
        other_url: The root of the other region.
        region: Its region.
        key: The account's key.
        session: What all requests are made with.
        pace: How long things take there.
        starts: Tasks of a model that are started in a second.
        recorder: What keeps the frames, if they are kept.
        prefix: The prefix of all voices that are created in this run.
    """

    url: str
    other_url: str
    region: str
    key: str
    session: aiohttp.ClientSession
    pace: Pace = field(default_factory=Pace)
    starts: int = 2
    recorder: Recorder | None = None
    prefix: str = field(default_factory=lambda: f"vf{secrets.token_hex(3)}")
    sockets: int = 0
    created: set[str] = field(default_factory=set)
    creates: bool = False
    _gates: dict[str, Gate] = field(default_factory=dict)

    def gate(self, model: str) -> Gate:
        """Return what paces the starts of a model."""
        limit = _ENROLMENTS if model == ENROLMENT else self.starts
        return self._gates.setdefault(model, Gate(limit))

    def bearer(self, key: str | None = None) -> dict[str, str]:
        """Return the header that carries the account's key, or another one."""
        return {"Authorization": f"Bearer {self.key if key is None else key}"}

    async def http(
        self,
        method: str,
        path: str,
        *,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> tuple[int, Any]:
        """Make a request; return its status and its JSON, None if that is none."""
        async with self.session.request(
            method,
            self.url + HTTP_PATH + path,
            headers={**self.bearer(key), **(headers or {})},
            json=body,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(max(2 * self.pace.patience, 5.0)),
        ) as answer:
            try:
                return answer.status, await answer.json(content_type=None)
            except ValueError:
                return answer.status, None

    async def voices(
        self, action: str, *, resolve: bool = True, **values: Any
    ) -> tuple[int, dict[str, Any]]:
        """Ask for something about cloned voices; return status and body."""
        parameters = values.pop("parameters", None)
        body = {
            "model": ENROLMENT,
            "input": {"action": action, **values},
            **({"parameters": parameters} if parameters else {}),
        }
        await self.gate(ENROLMENT).turn()
        if action == "create_voice":
            self.creates = True
        status, answer = await self.http(
            "POST", VOICES_PATH, headers=RESOLVE if resolve else {}, body=body
        )
        answer = answer if isinstance(answer, dict) else {}
        output = answer.get("output")
        if action == "create_voice" and isinstance(output, dict):
            self.created.add(str(output.get("voice_id")))
        return status, answer

    async def clean_up(self) -> list[str]:
        """Delete every voice of this run; return those that are left.

        A voice may exist though its creation was never answered: so those that have
        the run's prefix are looked for as well.
        """
        if not self.creates:
            return []
        with suppress(aiohttp.ClientError, TimeoutError, KeyError, TypeError):
            _, answer = await self.voices(
                "list_voice", prefix=self.prefix, page_index=0, page_size=100
            )
            self.created |= {v["voice_id"] for v in answer["output"]["voice_list"]}
        for voice in sorted(self.created):
            with suppress(aiohttp.ClientError, TimeoutError):
                status, answer = await self.voices("delete_voice", voice_id=voice)
                if status == 200 or "NotExist" in str(answer.get("code")):
                    self.created.discard(voice)
        return sorted(self.created)
