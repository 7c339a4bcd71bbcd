"""Where the service is reached."""

import pytest
from yarl import URL

from custom_components.cosyvoice.client.catalogue import CATALOGUE
from custom_components.cosyvoice.client.errors import AuthenticationError
from custom_components.cosyvoice.client.wire.endpoint import Endpoint, request_headers


@pytest.mark.parametrize("region", CATALOGUE.regions)
def test_a_region_has_its_own_hosts(region: str) -> None:
    endpoint = Endpoint.create(region)
    known = CATALOGUE.regions[region]
    assert endpoint == Endpoint(region, (known.websocket_url,), (known.http_url,))
    assert known.websocket_url.startswith("wss://")
    assert endpoint.http_url.startswith("https://")


def test_the_regions_do_not_share_a_host() -> None:
    urls = {region.http_url for region in CATALOGUE.regions.values()}
    assert len(urls) == len(CATALOGUE.regions)


@pytest.mark.parametrize(
    ("base_url", "websocket_url", "http_url"),
    [
        (
            "http://127.0.0.1:8765",
            "ws://127.0.0.1:8765/api-ws/v1/inference",
            "http://127.0.0.1:8765/api/v1",
        ),
        (
            " HTTPS://ws-1.cn-beijing.maas.aliyuncs.com/ ",
            "wss://ws-1.cn-beijing.maas.aliyuncs.com/api-ws/v1/inference",
            "https://ws-1.cn-beijing.maas.aliyuncs.com/api/v1",
        ),
        (
            "http://proxy/speech//",
            "ws://proxy/speech/api-ws/v1/inference",
            "http://proxy/speech/api/v1",
        ),
        (
            "http://[::1]:8080",
            "ws://[::1]:8080/api-ws/v1/inference",
            "http://[::1]:8080/api/v1",
        ),
        (
            "https://häuser.example/a%20b",
            "wss://xn--huser-gra.example/a%20b/api-ws/v1/inference",
            "https://xn--huser-gra.example/a%20b/api/v1",
        ),
    ],
)
def test_a_base_url_replaces_the_hosts(
    base_url: str, websocket_url: str, http_url: str
) -> None:
    endpoint = Endpoint.create("ap-southeast-1", base_url)
    assert endpoint.websocket_urls[0] == websocket_url
    assert endpoint.http_url == http_url


GENERAL = "dashscope.aliyuncs.com"
WORKSPACE = "ws-1.cn-beijing.maas.aliyuncs.com"


def hosts(urls: tuple[str, ...]) -> list[str | None]:
    """Return the hosts of addresses."""
    return [URL(url).host for url in urls]


@pytest.mark.parametrize(
    ("base_url", "workspace_id", "sockets", "apis"),
    [
        # Speech from the recommended host, the rest from the host that has it.
        (None, "ws-1", [WORKSPACE, GENERAL], [GENERAL, WORKSPACE]),
        (None, None, [GENERAL], [GENERAL]),
        # No host's name can hold it.
        (None, "ws_1", [GENERAL], [GENERAL]),
        (None, "w" * 64, [GENERAL], [GENERAL]),
        # A typed host comes first for all.
        (f"https://{WORKSPACE}", "ws-1", [WORKSPACE, GENERAL], [WORKSPACE, GENERAL]),
        (f"https://{WORKSPACE}/", None, [WORKSPACE, GENERAL], [WORKSPACE, GENERAL]),
        (f"https://{GENERAL}", "ws-1", [GENERAL, WORKSPACE], [GENERAL, WORKSPACE]),
        (f"https://{GENERAL}", None, [GENERAL], [GENERAL]),
        # The address decides, not the account's region.
        (
            "https://ws-1.ap-southeast-1.maas.aliyuncs.com",
            None,
            ["ws-1.ap-southeast-1.maas.aliyuncs.com", "dashscope-intl.aliyuncs.com"],
            ["ws-1.ap-southeast-1.maas.aliyuncs.com", "dashscope-intl.aliyuncs.com"],
        ),
        # Any other server stands for itself.
        ("https://proxy.example", "ws-1", ["proxy.example"], ["proxy.example"]),
        (f"https://{GENERAL}/proxy", "ws-1", [GENERAL], [GENERAL]),
        (f"https://{WORKSPACE}/proxy", None, [WORKSPACE], [WORKSPACE]),
        (
            "https://ws.us-east-1.maas.aliyuncs.com",
            None,
            ["ws.us-east-1.maas.aliyuncs.com"],
            ["ws.us-east-1.maas.aliyuncs.com"],
        ),
    ],
)
def test_the_vendors_other_host_is_known(
    base_url: str | None, workspace_id: str | None, sockets: list[str], apis: list[str]
) -> None:
    endpoint = Endpoint.create("cn-beijing", base_url, workspace_id)
    assert hosts(endpoint.websocket_urls) == sockets
    assert hosts(endpoint.http_urls) == apis
    assert all(url.startswith("wss://") for url in endpoint.websocket_urls)


@pytest.mark.parametrize(
    "base_url",
    [
        "127.0.0.1:8765",
        "ftp://host",
        "wss://host",
        "http://",
        "http://:80",
        "http://host:0",
        "http://host:65536",
        "http://host:port",
        "http://[::1",
        "http://a b",
        "http://host/a b",
        "http://user:secret@host",
        "http://host?key=1",
        "http://host#part",
        "http://ho<st",
        "http://.",
        "http://a..b",
        f"http://{'a' * 64}.b",
        f"http://{'a.' * 150}",
    ],
)
def test_what_is_no_root_url_is_refused(base_url: str) -> None:
    with pytest.raises(ValueError):
        Endpoint.create("cn-beijing", base_url)


def test_an_unknown_region_is_refused() -> None:
    with pytest.raises(ValueError, match="us-east-1"):
        Endpoint.create("us-east-1")


@pytest.mark.parametrize("workspace_id", ["-ws", "ws\r\nX: 1", "w" * 65, "工作"])
def test_what_is_no_workspace_id_is_refused(workspace_id: str | None) -> None:
    with pytest.raises(ValueError, match="workspace"):
        Endpoint.create("cn-beijing", None, workspace_id)


def test_requests_carry_key_and_workspace() -> None:
    assert request_headers("sk-1") == {"Authorization": "Bearer sk-1"}
    assert request_headers("sk-1", "ws-1") == {
        "Authorization": "Bearer sk-1",
        "X-DashScope-WorkSpace": "ws-1",
    }


@pytest.mark.parametrize("api_key", ["", "sk 1", "sk-1\n", "sk-钥匙", "sk-1\x00"])
def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(
    api_key: str,
) -> None:
    with pytest.raises(AuthenticationError) as caught:
        request_headers(api_key)
    assert "sk" not in str(caught.value)
