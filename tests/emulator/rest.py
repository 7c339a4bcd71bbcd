"""The service's HTTP interface, and what can go wrong with any request."""

import asyncio
from collections.abc import Awaitable, Callable
import contextlib
from typing import TYPE_CHECKING
import uuid

from aiohttp import web

from .enrolment import Enrolment
from .errors import MESSAGES, ServiceError
from .faults import FaultKind, Oddity, Point
from .network import cut, freeze, until_gone
from .script import Fault
from .storage import storage_refusal
from .synthesis import AUDIO_PATH, Synthesis

if TYPE_CHECKING:
    from .server import Emulator

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
type Refusal = Callable[[int], web.Response]

_HTTP_ERRORS = {
    400: ("InvalidParameter", "Required parameter(s) missing or invalid."),
    401: ("InvalidApiKey", "Invalid API-key provided."),
    403: ("AccessDenied", "Access denied."),
    404: ("NotFound", "Not found."),
    429: (
        "Throttling.RateQuota",
        "Requests rate limit exceeded, please try again later.",
    ),
    500: ("InternalError", "An internal error has occurred, please try again later."),
    503: (
        "ServiceUnavailable",
        "<503> The service is unavailable, please try again later.",
    ),
}


def error_response(
    status: int, code: str | None = None, message: str | None = None
) -> web.Response:
    """Return an HTTP error as the service words it."""
    default_code, default_message = _HTTP_ERRORS.get(status, ("", ""))
    body = {
        "code": code or default_code,
        "message": message or default_message,
        "request_id": str(uuid.uuid4()),
    }
    return web.json_response(body, status=status)


async def faulty_answer(
    request: web.Request, fault: Fault | None, refuse: Refusal = error_response
) -> web.StreamResponse | None:
    """Return the answer that a fault gives instead of the service; None if it gives none.

    Raises:
        ConnectionResetError: If it has left no connection to answer on.
    """
    if fault is None:
        return None
    kind = fault.kind
    if kind is FaultKind.SLOW:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(fault.seconds):
                await until_gone(request)
    elif kind is FaultKind.FREEZE:
        freeze(request, fault.seconds)
    elif kind in (FaultKind.RESET, FaultKind.DROP):
        cut(request, reset=kind is FaultKind.RESET)
        raise ConnectionResetError
    elif kind is FaultKind.HANG:
        await until_gone(request)
        raise ConnectionResetError
    elif kind is FaultKind.GARBAGE_TEXT:
        return web.Response(text="<html>Bad gateway</html>", content_type="text/html")
    elif kind is FaultKind.GARBAGE_JSON:
        return web.json_response({"output": ["nothing", 1, None]})
    elif kind is Oddity.REDIRECT:
        return web.Response(status=307, headers={"Location": "/_elsewhere"})
    elif kind is Oddity.ERROR:
        error = ServiceError(
            fault.code, MESSAGES.get(fault.code, fault.code), fault.status
        )
        return error_response(error.status, error.code, error.message)
    elif isinstance(kind, Oddity) and kind.http_status is not None:
        page = "<html><body><h1>Proxy</h1></body></html>"
        return web.Response(
            status=kind.http_status, text=page, content_type="text/html"
        )
    elif kind.http_status is not None:
        return refuse(kind.http_status)
    return None


async def refusal(
    emulator: Emulator, request: web.Request, fault: Fault | None
) -> web.StreamResponse | None:
    """Return the answer to a request that is refused, or None if it is not.

    Raises:
        ConnectionResetError: If a fault has left no connection to answer on.
    """
    answer = await faulty_answer(request, fault)
    if answer is None and emulator.key_kind(request) == "invalid":
        return error_response(401, emulator.config.facts.http_key_code)
    return answer


def http_routes(emulator: Emulator) -> list[web.RouteDef]:
    """Return the routes of the HTTP interface."""
    api = _Api(emulator)
    return [
        web.post("/api/v1/tokens", api.tokens),
        web.get("/api/v1/uploads", api.policy),
        web.post("/api/v1/services/audio/tts/customization", api.customise),
        web.post("/api/v1/services/audio/tts/SpeechSynthesizer", api.speak),
        web.get(f"{AUDIO_PATH}{{name}}", api.audio),
        web.post("/", api.upload),
        web.route("*", "/_elsewhere", api.astray),
        web.route("*", "/{path:.*}", api.not_found),
    ]


class _Api:
    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._enrolment = Enrolment(emulator)
        self._synthesis = Synthesis(emulator)
        self.audio = self._synthesis.file

    async def tokens(self, request: web.Request) -> web.StreamResponse:
        offered = self._emulator.config.facts.offers_tokens
        handler = self._create_token if offered else self.not_found
        return await self._guarded(request, "tokens", handler)

    async def policy(self, request: web.Request) -> web.StreamResponse:
        handler = self._offered(self._emulator.storage.policy)
        return await self._guarded(request, "policy", handler)

    async def customise(self, request: web.Request) -> web.StreamResponse:
        handler = self._offered(self._enrolment.customise)
        action = await self._enrolment.action(request)
        return await self._guarded(request, action, handler)

    async def speak(self, request: web.Request) -> web.StreamResponse:
        return await self._guarded(request, "synthesis", self._synthesis.speak)

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """Take a form; it carries no key."""
        faults = self._emulator.faults
        fault = faults.take(Point.HTTP, request="upload")
        answer = await faulty_answer(request, fault, storage_refusal)
        if answer is not None:
            # aiohttp 3.13 waits for a body that nobody reads, even if its sender has left
            await request.content.read()
            return answer
        answer = await self._emulator.storage.upload(request)
        fault = faults.take(Point.ANSWER, request="upload")
        instead = await faulty_answer(request, fault, storage_refusal)
        return answer if instead is None else instead

    async def astray(self, _: web.Request) -> web.StreamResponse:
        self._emulator.astray += 1
        return web.Response()

    async def not_found(self, _: web.Request) -> web.StreamResponse:
        return error_response(self._emulator.config.facts.unknown_path)

    def _offered(self, handler: Handler) -> Handler:
        return handler if self._emulator.config.cloning_here else self.not_found

    async def _guarded(
        self, request: web.Request, name: str, handler: Handler
    ) -> web.StreamResponse:
        faults = self._emulator.faults
        fault = faults.take(Point.HTTP, request=name)
        answer = await refusal(self._emulator, request, fault)
        if answer is not None:
            return answer
        try:
            answer = await handler(request)
        except ServiceError as error:
            return error_response(error.status, error.code, error.message)
        fault = faults.take(Point.ANSWER, request=name)
        instead = await faulty_answer(request, fault)
        return answer if instead is None else instead

    async def _create_token(self, request: web.Request) -> web.StreamResponse:
        text = request.query.get("expire_in_seconds", "60")
        longest = self._emulator.config.facts.longest_token
        if not text.isdecimal() or not 1 <= int(text) <= longest:
            message = f"expire_in_seconds must be in [1, {longest}]"
            return error_response(400, message=message)
        return web.json_response(self._emulator.issue_token(request, int(text)))
