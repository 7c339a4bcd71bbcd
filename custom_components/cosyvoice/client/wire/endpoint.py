"""Where the service is reached, and what every request to it carries."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
import re
from typing import Self

from yarl import URL

from ..catalogue import CATALOGUE, Region
from ..errors import (
    AccessDeniedError,
    AuthenticationError,
    CosyVoiceConnectionError,
    CosyVoiceError,
    CosyVoiceTimeoutError,
    NotOfferedError,
)

WEBSOCKET_PATH = "/api-ws/v1/inference"
HTTP_PATH = "/api/v1"

# Source: the vendor's SDK.
_WORKSPACE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,62}", re.ASCII)
"""A workspace id that can be part of a host's name (RFC 1123)."""
_REFUSALS = (NotOfferedError, AuthenticationError, AccessDeniedError)
"""Answers that another host may not give."""
_LONGEST_HOST = 253
"""Characters of a name that DNS can carry (RFC 1035)."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The addresses of one region of the service, for each part the best one first.

    Attributes:
        region: The region's id, which also decides on models, voices and prices.
        websocket_urls: Where speech is synthesised.
        http_urls: Roots of the HTTP API, without a trailing slash.
    """

    region: str
    websocket_urls: tuple[str, ...]
    http_urls: tuple[str, ...]

    @property
    def http_url(self) -> str:
        """The usual root of the HTTP API."""
        return self.http_urls[0]

    @classmethod
    def create(
        cls,
        region: str,
        base_url: str | None = None,
        workspace_id: str | None = None,
    ) -> Self:
        """Return a region's endpoint, or that of a server that stands in for it.

        The vendor has two kinds of hosts. A workspace's host is recommended, takes
        the keys of its workspace only, and was seen to lack the parts apart from
        speech; the general host takes every key of its region (Model Studio, base
        URLs; reports of users). Each is tried where the other does not serve.

        Args:
            region: A region of the catalogue.
            base_url: ``http(s)://host[:port][/prefix]``, which replaces the region's
                hosts; a trailing slash does not matter. If it is one of the vendor's
                hosts, the other one is still tried.
            workspace_id: Chooses the workspace's host. It also travels in a header,
                see :func:`request_headers`.

        Raises:
            ValueError: The region is unknown, or the URL or the workspace id is
                invalid.
        """
        if (known := CATALOGUE.regions.get(region)) is None:
            msg = f"Unknown region {region!r}"
            raise ValueError(msg)
        if workspace_id and not _WORKSPACE_ID.fullmatch(workspace_id):
            msg = "Not a workspace id"
            raise ValueError(msg)
        general = (known.websocket_url, known.http_url)
        workspace = _workspace_urls(known, workspace_id)
        if not base_url:
            sockets, apis = zip(*workspace, general, strict=True)
            return cls(region, sockets, apis[::-1])
        typed = _urls(_checked_root(base_url))
        hosts = dict.fromkeys((typed, *_other_hosts(typed, workspace_id)))
        sockets, apis = zip(*hosts, strict=True)
        return cls(region, sockets, apis)


class Route:
    """The addresses of one part of the service, the working address first."""

    def __init__(self, urls: Sequence[str], *, repeatable: bool) -> None:
        """Begin with the best address.

        Args:
            urls: All addresses.
            repeatable: True if a request may be sent again though it may have
                arrived.
        """
        self._urls = list(urls)
        self._repeatable = repeatable

    @property
    def urls(self) -> tuple[str, ...]:
        """All addresses, in the order in which they are tried."""
        return tuple(self._urls)

    async def request[T](self, send: Callable[[str], Awaitable[T]]) -> T:
        """Return the answer of the first address that serves.

        An address that refused is no longer the first one once another one served.

        Raises:
            CosyVoiceError: None serves, for this reason.
        """
        refused, failure = False, None
        for url in self.urls:
            try:
                answer = await send(url)
            except CosyVoiceError as err:
                if failure is None or failure.retryable or not err.retryable:
                    failure = err
                refuses = isinstance(err, _REFUSALS)
                if not refuses and not (self._repeatable and _is_unreachable(err)):
                    break
                refused |= refuses
            else:
                if refused:
                    self._urls.remove(url)
                    self._urls.insert(0, url)
                return answer
        assert failure is not None
        raise failure


def request_headers(api_key: str, workspace_id: str | None = None) -> dict[str, str]:
    """Return the headers that authorise a request or a WebSocket handshake.

    Args:
        api_key: An API key, or a temporary key made from one.
        workspace_id: The workspace to use if it is not the key's default one.

    Raises:
        AuthenticationError: The key is empty or holds characters that no key has
            and no header can carry.
    """
    if not re.fullmatch(r"[!-~]+", api_key):
        msg = "The API key is empty or holds characters that do not belong in one"
        raise AuthenticationError(msg, code="InvalidApiKey")
    headers = {"Authorization": f"Bearer {api_key}"}
    if workspace_id:
        headers["X-DashScope-WorkSpace"] = workspace_id
    return headers


def _checked_root(base_url: str) -> URL:
    """Return the URL without a trailing slash."""
    url = URL(base_url.strip())
    if url.scheme not in ("http", "https") or not url.host:
        msg = "The URL must begin with http:// or https:// and a host"
        raise ValueError(msg)
    if (
        url.user
        or url.query_string
        or url.fragment
        or re.search(r"\s", base_url.strip())
    ):
        msg = "The URL must be http(s)://host[:port][/prefix] and nothing more"
        raise ValueError(msg)
    # Names that DNS cannot carry raise a UnicodeError, which is a ValueError.
    if url.port == 0 or len(url.host.encode("idna")) > _LONGEST_HOST:
        msg = "The URL has no usable host or port"
        raise ValueError(msg)
    # Raises ValueError if the host holds a character that no host has.
    return URL.build(
        scheme=url.scheme,
        host=url.host,
        port=url.explicit_port,
        path=url.path.rstrip("/"),
    )


def is_html(headers: Mapping[str, str]) -> bool:
    """Return whether an answer with these headers is a page for a browser."""
    kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return kind in ("text/html", "application/xhtml+xml")


def _is_unreachable(error: CosyVoiceError) -> bool:
    """Return whether a connection failed soon, as to a host that does not exist."""
    slow = isinstance(error, CosyVoiceTimeoutError)
    return isinstance(error, CosyVoiceConnectionError) and not slow


def _urls(root: URL) -> tuple[str, str]:
    """Return the addresses of speech and of the HTTP API below a root."""
    socket = root.with_scheme(root.scheme.replace("http", "ws"))
    return f"{socket}{WEBSOCKET_PATH}", f"{root}{HTTP_PATH}"


def _workspace_urls(
    region: Region, workspace_id: str | None
) -> tuple[tuple[str, str], ...]:
    """Return the addresses of a workspace's host, if it can have one."""
    if not workspace_id or not _LABEL.fullmatch(workspace_id):
        return ()
    host = region.workspace_host.format(workspace_id=workspace_id)
    return (_urls(URL.build(scheme="https", host=host)),)


def _other_hosts(
    typed: tuple[str, str], workspace_id: str | None
) -> Iterator[tuple[str, str]]:
    """Yield the addresses of the vendor's other host, if one of its hosts was typed."""
    for region in CATALOGUE.regions.values():
        general = (region.websocket_url, region.http_url)
        if typed == general:
            yield from _workspace_urls(region, workspace_id)
        elif typed[1].endswith(
            region.workspace_host.format(workspace_id="") + HTTP_PATH
        ):
            yield general
