"""Keys and the upgrade to a WebSocket."""

import aiohttp

from ..probe import ClosedError, DiffersError, characters, expect, probe
from ..service import SOCKET_PATH, Service
from ..talk import connected, refusal

_WRONG = "sk-0123456789abcdef0123456789abcdef"
_REFUSED = (401, 403)
_UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


async def upgrade(
    service: Service,
    headers: dict[str, str],
    *,
    path: str = SOCKET_PATH,
    root: str | None = None,
) -> int:
    """Return the status that an upgrade gets; 101 is success."""
    url = (root or service.url) + path
    try:
        async with service.session.ws_connect(url, headers=headers):
            return 101
    except aiohttp.WSServerHandshakeError as error:
        return error.status


@probe("2", "docs", "client/wire/connection.py", "keys-refused")
async def right_key_opens(service: Service) -> str:
    """With the account's key the upgrade succeeds."""
    status = await upgrade(service, service.bearer())
    return expect(status == 101, f"HTTP {status}")


@probe("2", "docs", "client/client.py", "handshake-any-key")
async def wrong_key_refused(service: Service) -> str:
    """A wrong key is refused by the upgrade, with 401 or 403."""
    status = await upgrade(service, service.bearer(_WRONG))
    return expect(status in _REFUSED, f"HTTP {status}")


@probe("2", "guess", "tests/emulator", "handshake-403")
async def wrong_key_gets_401(service: Service) -> str:
    """Of the two it is 401."""
    status = await upgrade(service, service.bearer(_WRONG))
    return expect(status == 401, f"HTTP {status}")


@probe("2", "guess", "tests/emulator", "handshake-page")
async def wrong_key_gets_json(service: Service) -> str:
    """The refused upgrade's body is JSON with the code InvalidApiKey."""
    headers = {**service.bearer(_WRONG), **_UPGRADE}
    url = service.url + SOCKET_PATH
    async with service.session.get(url, headers=headers) as answer:
        kind, body = answer.content_type, (await answer.text())[:200]
    seen = f"{answer.status} {kind}: {body}"
    return expect("json" in kind and "InvalidApiKey" in body, seen)


@probe("2", "docs", "client/client.py", "no-key-needed")
async def missing_key_refused(service: Service) -> str:
    """Without a key the upgrade is refused, with 401 or 403."""
    status = await upgrade(service, {})
    return expect(status in _REFUSED, f"HTTP {status}")


@probe("1", "docs", "flows/account.py", "key-of-any-region")
async def key_of_one_region(service: Service) -> str:
    """The key is refused by the host of the other region."""
    status = await upgrade(service, service.bearer(), root=service.other_url)
    return expect(status in _REFUSED, f"HTTP {status}")


@probe("2", "docs", "tests/emulator", "scheme-case")
async def bearer_in_any_case(service: Service) -> str:
    """The word Bearer may be written in small letters."""
    status = await upgrade(service, {"Authorization": f"bearer {service.key}"})
    return expect(status == 101, f"HTTP {status}")


@probe("1", "seen", "tests/emulator", "no-slash")
async def path_with_slash(service: Service) -> str:
    """The path may end in a slash."""
    status = await upgrade(service, service.bearer(), path=f"{SOCKET_PATH}/")
    return expect(status == 101, f"HTTP {status}")


@probe("1", "guess", "client/wire/connection.py", "unknown-path-403")
async def unknown_path_404(service: Service) -> str:
    """An unknown path gets 404, whatever the key."""
    status = await upgrade(service, service.bearer(), path=f"{SOCKET_PATH}-x")
    return expect(status == 404, f"HTTP {status}")


@probe("6", "guess", "client/wire/pool.py", "pings-unanswered")
async def pings_answered(service: Service) -> str:
    """A ping is answered by a pong."""
    async with connected(service, autoping=False) as talk:
        await talk.ws.ping()
        message = await talk.until("pong")
        return message.kind


async def _token(service: Service, seconds: int) -> tuple[int, dict[str, object]]:
    path = f"/tokens?expire_in_seconds={seconds}"
    status, answer = await service.http("POST", path)
    return status, answer if isinstance(answer, dict) else {}


@probe("12", "docs", "client/account.py", "tokens-unknown")
async def temporary_key_given(service: Service) -> str:
    """A temporary key can be had: a token and the time of its end."""
    status, answer = await _token(service, 60)
    token, end = answer.get("token"), answer.get("expires_at")
    good = isinstance(token, str) and token.startswith("st-") and isinstance(end, int)
    return expect(good, f"HTTP {status}, {sorted(answer)}")


@probe("12", "docs", "client/wire/keys.py", "tokens-60-s")
async def temporary_key_for_30_minutes(service: Service) -> str:
    """A temporary key may last 1800 s."""
    status, answer = await _token(service, 1800)
    return expect(status == 200, f"HTTP {status} {answer.get('code', '')}")


@probe("12", "guess", "tests/emulator", "tokens-any-time")
async def temporary_key_for_no_longer(service: Service) -> str:
    """A temporary key for 1801 s is refused."""
    status, answer = await _token(service, 1801)
    return expect(status == 400, f"HTTP {status} {answer.get('code', '')}")


@probe("12", "docs", "client/wire/keys.py", "tokens-not-for-sockets")
async def temporary_key_opens(service: Service) -> str:
    """A temporary key opens a WebSocket."""
    status, answer = await _token(service, 60)
    token = answer.get("token")
    if not isinstance(token, str):
        raise DiffersError(f"HTTP {status}: no token")
    status = await upgrade(service, service.bearer(token))
    return expect(status == 101, f"HTTP {status}")


@probe(
    "12",
    "docs",
    "client/wire/keys.py",
    "tokens-only-open",
    cost=characters(3),
)
async def temporary_key_speaks(service: Service) -> str:
    """A connection that a temporary key has opened speaks."""
    _, answer = await _token(service, 60)
    async with connected(service, key=str(answer["token"])) as talk:
        await talk.start()
        await talk.text("好。")
        await talk.finish()
        await talk.until("task-finished")
    return "it speaks"


@probe("12", "docs", "client/errors.py", "http-key-code")
async def http_tells_of_the_key(service: Service) -> str:
    """Over HTTP a wrong key gets 401 and the code InvalidApiKey."""
    status, answer = await service.http("POST", "/tokens", key=_WRONG)
    code = (answer or {}).get("code")
    return expect((status, code) == (401, "InvalidApiKey"), f"HTTP {status} {code}")


@probe(
    "6", "guess", "client/wire/warmer.py", "opened-ahead-refused", cost=characters(3)
)
async def connection_opened_ahead(service: Service) -> str:
    """A connection that has waited some seconds takes its first task."""
    async with connected(service) as talk:
        await talk.quiet(service.pace.ahead)
        await talk.start()
        await talk.text("好。")
        await talk.finish()
        await talk.until("task-finished")
    return f"after {service.pace.ahead:g} s"


@probe("14", "docs", "client/catalogue.json", "v3-flash-closed", cost=characters(3))
async def recommended_voice_speaks(service: Service) -> str:
    """The voice longanyang speaks with cosyvoice-v3-flash."""
    if error := await refusal(service, account=True):
        raise ClosedError(error.code, error.words)
    return "it speaks"
