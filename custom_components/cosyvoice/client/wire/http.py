"""JSON requests to the HTTP side of the service."""

from collections import defaultdict
from collections.abc import Mapping
from http import HTTPStatus
import json
from types import MappingProxyType
from typing import Any, Final

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout

from ..errors import (
    CosyVoiceConnectionError,
    CosyVoiceError,
    CosyVoiceTimeoutError,
    ProtocolError,
    error_for_status,
)
from .endpoint import Endpoint, Route, is_html, request_headers

CONNECT_TIMEOUT: Final = 5
"""Seconds to reach the server, TLS included."""

REQUEST_TIMEOUT: Final = 10
"""Seconds for a whole request, its answer included."""

LARGEST_ANSWER: Final = 4 * 1024 * 1024
"""Bytes of an answer that are read at most."""


class HttpApi:
    """Sends requests with the account's key, over the caller's session."""

    def __init__(
        self,
        session: ClientSession,
        endpoint: Endpoint,
        api_key: str,
        workspace_id: str | None = None,
    ) -> None:
        self._session = session
        self._routes = defaultdict[str, Route](
            lambda: Route(endpoint.http_urls, repeatable=False)
        )
        self._api_key = api_key
        self._workspace_id = workspace_id

    async def get(self, path: str, *, params: Mapping[str, str]) -> dict[str, Any]:
        """Return the JSON object of the answer.

        Raises:
            CosyVoiceError: The request failed, within :data:`REQUEST_TIMEOUT`.
        """
        return await self._request("GET", path, params=params)

    async def post(
        self,
        path: str,
        *,
        params: Mapping[str, int] | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] = MappingProxyType({}),
        limit: float | None = None,
    ) -> dict[str, Any]:
        """Return the JSON object of the answer.

        Args:
            path: Path below the root of the API.
            params: The query of the address.
            body: The JSON object to send.
            headers: Headers besides those of every request.
            limit: Seconds for the whole request; :data:`REQUEST_TIMEOUT` if None.

        Raises:
            CosyVoiceError: The request failed.
        """
        return await self._request(
            "POST", path, headers, limit, params=params, json=body
        )

    async def _request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] = MappingProxyType({}),
        limit: float | None = None,
        **content: Any,
    ) -> dict[str, Any]:
        async def send(root: str) -> dict[str, Any]:
            return await self._send(method, f"{root}{path}", headers, limit, content)

        return await self._routes[path].request(send)

    async def _send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        limit: float | None,
        content: Mapping[str, Any],
    ) -> dict[str, Any]:
        failure: CosyVoiceError
        account = request_headers(self._api_key, self._workspace_id)
        try:
            async with self._session.request(
                method,
                url,
                headers={**account, **headers},
                allow_redirects=False,  # the key is for this host only
                timeout=ClientTimeout(
                    total=limit or REQUEST_TIMEOUT, connect=CONNECT_TIMEOUT
                ),
                **content,
            ) as response:
                body = await _read(response)
                return self._checked(response.status, body, is_html(response.headers))
        except TimeoutError:
            failure = CosyVoiceTimeoutError("The service did not answer in time")
        except (ClientError, OSError, ValueError, RuntimeError) as error:
            # RuntimeError: the session is closed. ValueError: no such host can be.
            failure = CosyVoiceConnectionError(
                f"The service could not be reached ({type(error).__name__})"
            )
        # Raised out here because aiohttp's errors hold the headers, and so the key.
        raise failure

    def _checked(self, status: int, body: bytes, is_page: bool) -> dict[str, Any]:
        """Return the JSON object of a successful answer."""
        try:
            answer = json.loads(body)
        except ValueError, RecursionError:
            answer = None
        if status == HTTPStatus.OK and isinstance(answer, dict):
            return answer
        if status == HTTPStatus.OK and not is_page:
            raise ProtocolError("The answer is not a JSON object")
        details = answer if isinstance(answer, dict) else {}
        message = str(details.get("message") or f"HTTP status {status}")
        raise error_for_status(
            status,
            _text(details.get("code")),
            message.replace(self._api_key, "***"),
            _text(details.get("request_id")),
            is_page=is_page,
        )


async def _read(response: ClientResponse) -> bytes:
    body = bytearray()
    async for part in response.content.iter_any():
        body += part
        if len(body) > LARGEST_ANSWER:
            raise ProtocolError("The answer is too long")
    return bytes(body)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
