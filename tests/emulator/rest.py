"""The service's HTTP interface: temporary keys and cloned voices."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
import json
import re
from typing import TYPE_CHECKING, Any
import uuid

from aiohttp import web

from .catalogue import model_of_clone
from .faults import Fault, FaultKind, Oddity, Point
from .network import cut, freeze, until_gone
from .rules import ServiceError, check_model

if TYPE_CHECKING:
    from .server import Emulator

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_LONGEST_TOKEN = 1800
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


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")


@dataclass
class Voice:
    """A voice that was cloned from a sample."""

    url: str
    created: float
    gmt_create: str = field(default_factory=_now)
    gmt_modified: str = field(default_factory=_now)


def error_response(
    status: int, code: str | None = None, message: str | None = None
) -> web.Response:
    """Return an HTTP error as the service words it."""
    default_code, default_message = _HTTP_ERRORS[status]
    body = {
        "code": code or default_code,
        "message": message or default_message,
        "request_id": str(uuid.uuid4()),
    }
    return web.json_response(body, status=status)


async def refusal(
    emulator: Emulator, request: web.Request, fault: Fault | None
) -> web.StreamResponse | None:
    """Return the answer to a request that is refused, or None if it is not.

    Raises:
        ConnectionResetError: If a fault has left no connection to answer on.
    """
    kind = fault.kind if fault else None
    if fault is not None and kind is FaultKind.SLOW:
        await asyncio.sleep(fault.seconds)
    elif fault is not None and kind is FaultKind.FREEZE:
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
    elif isinstance(kind, Oddity) and kind.http_status is not None:
        page = "<html><body><h1>Proxy</h1></body></html>"
        return web.Response(
            status=kind.http_status, text=page, content_type="text/html"
        )
    elif kind is not None and kind.http_status is not None:
        return error_response(kind.http_status)
    if emulator.key_kind(request) == "invalid":
        return error_response(401)
    return None


def http_routes(emulator: Emulator) -> list[web.RouteDef]:
    """Return the routes of the HTTP interface."""
    api = _Api(emulator)
    return [
        web.post("/api/v1/tokens", api.guarded(api.create_token)),
        web.post(
            "/api/v1/services/audio/tts/customization", api.guarded(api.customise)
        ),
        web.route("*", "/{path:.*}", api.not_found),
    ]


class _Api:
    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    def guarded(self, handler: Handler) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            fault = self._emulator.faults.take(Point.HTTP)
            answer = await refusal(self._emulator, request, fault)
            if answer is not None:
                return answer
            try:
                return await handler(request)
            except ServiceError as error:
                return error_response(error.status, error.code, error.message)

        return handle

    async def not_found(self, _: web.Request) -> web.StreamResponse:
        return error_response(404)

    async def create_token(self, request: web.Request) -> web.StreamResponse:
        text = request.query.get("expire_in_seconds", "60")
        if not text.isdecimal() or not 1 <= int(text) <= _LONGEST_TOKEN:
            return error_response(400, message="expire_in_seconds must be in [1, 1800]")
        return web.json_response(self._emulator.issue_token(request, int(text)))

    async def customise(self, request: web.Request) -> web.StreamResponse:
        try:
            body = json.loads(await request.text())
            values = body["input"]
            action = values["action"]
        except ValueError, KeyError, TypeError:
            return error_response(400)
        actions: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "create_voice": self._create,
            "list_voice": self._list,
            "query_voice": self._query,
            "update_voice": self._update,
            "delete_voice": self._delete,
        }
        if body.get("model") != "voice-enrollment" or action not in actions:
            return error_response(400)
        usage = {"count": 1} if action == "create_voice" else {}
        return web.json_response(
            {
                "output": actions[action](values),
                "usage": usage,
                "request_id": str(uuid.uuid4()),
            }
        )

    def _create(self, values: dict[str, Any]) -> dict[str, Any]:
        model = check_model(values.get("target_model"), self._emulator.config)
        prefix, url = values.get("prefix"), values.get("url")
        if not isinstance(prefix, str) or not re.fullmatch("[0-9a-z]{1,10}", prefix):
            raise ServiceError("InvalidParameter", "prefix is invalid")
        if not isinstance(url, str) or not url.startswith(("http", "oss://")):
            raise ServiceError("InvalidParameter", "url is invalid")
        voice_id = f"{model.id}-{prefix}-{uuid.uuid4().hex}"
        now = asyncio.get_running_loop().time()
        self._emulator.created_voices[voice_id] = Voice(url, now)
        self._emulator.config.cloned_voices[voice_id] = "DEPLOYING"
        return {"voice_id": voice_id}

    def _list(self, values: dict[str, Any]) -> dict[str, Any]:
        index, size = values.get("page_index", 0), values.get("page_size", 10)
        if not isinstance(index, int) or not isinstance(size, int) or size < 1:
            raise ServiceError("InvalidParameter", "page_index or page_size is invalid")
        prefix = values.get("prefix") or ""
        found = [
            {"voice_id": voice_id, **self._facts(voice_id)}
            for voice_id in self._emulator.config.cloned_voices
            if voice_id.startswith(f"{model_of_clone(voice_id)}-{prefix}")
        ]
        return {"voice_list": found[index * size : (index + 1) * size]}

    def _query(self, values: dict[str, Any]) -> dict[str, Any]:
        voice_id = self._known(values)
        voice = self._emulator.created_voices.get(voice_id)
        return {
            **self._facts(voice_id),
            "target_model": model_of_clone(voice_id),
            "resource_link": voice.url if voice else "",
        }

    def _update(self, values: dict[str, Any]) -> dict[str, Any]:
        voice = self._emulator.created_voices.get(self._known(values))
        if voice is not None:
            voice.url = str(values.get("url"))
            voice.gmt_modified = _now()
        return {}

    def _delete(self, values: dict[str, Any]) -> dict[str, Any]:
        voice_id = self._known(values)
        del self._emulator.config.cloned_voices[voice_id]
        self._emulator.created_voices.pop(voice_id, None)
        return {}

    def _known(self, values: dict[str, Any]) -> str:
        voice_id = values.get("voice_id")
        if voice_id not in self._emulator.config.cloned_voices:
            raise ServiceError(
                "BadRequest.ResourceNotExist", "The required resource not exist."
            )
        return str(voice_id)

    def _facts(self, voice_id: str) -> dict[str, Any]:
        self._emulator.deploy_voices()
        voice = self._emulator.created_voices.get(voice_id)
        return {
            "gmt_create": voice.gmt_create if voice else "2026-10-01 10:00:00",
            "gmt_modified": voice.gmt_modified if voice else "2026-10-01 10:00:00",
            "status": self._emulator.config.cloned_voices[voice_id],
        }
