"""Where the service is reached, and what every request to it carries."""

from dataclasses import dataclass
import re
from typing import Self

from yarl import URL

from ..catalogue import CATALOGUE
from ..errors import AuthenticationError

WEBSOCKET_PATH = "/api-ws/v1/inference"
HTTP_PATH = "/api/v1"

# Source: the vendor's SDK.
_WORKSPACE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)
_LONGEST_HOST = 253
"""Characters of a name that DNS can carry (RFC 1035)."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The addresses of one region of the service.

    Attributes:
        region: The region's id, which also decides on models, voices and prices.
        websocket_url: Where speech is synthesised.
        http_url: Root of the HTTP API, without a trailing slash.
    """

    region: str
    websocket_url: str
    http_url: str

    @classmethod
    def create(
        cls,
        region: str,
        base_url: str | None = None,
        workspace_id: str | None = None,
    ) -> Self:
        """Return a region's endpoint, or that of a server that stands in for it.

        Args:
            region: A region of the catalogue.
            base_url: ``http(s)://host[:port][/prefix]``, which replaces the region's
                hosts; a trailing slash does not matter.
            workspace_id: Only checked here. It travels in a header, see
                :func:`request_headers`; the hosts are the same for all workspaces.

        Raises:
            ValueError: The region is unknown, or the URL or the workspace id is not
                one.
        """
        if (known := CATALOGUE.regions.get(region)) is None:
            msg = f"Unknown region {region!r}"
            raise ValueError(msg)
        if workspace_id and not _WORKSPACE_ID.fullmatch(workspace_id):
            msg = "Not a workspace id"
            raise ValueError(msg)
        if not base_url:
            return cls(region, known.websocket_url, known.http_url)
        root = _checked_root(base_url)
        return cls(
            region,
            f"{root.with_scheme(root.scheme.replace('http', 'ws'))}{WEBSOCKET_PATH}",
            f"{root}{HTTP_PATH}",
        )


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
