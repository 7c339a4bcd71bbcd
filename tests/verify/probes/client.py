"""The client itself, where it stands on several beliefs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from custom_components.cosyvoice.client import (
    AuthenticationError,
    CosyVoiceClient,
    CosyVoiceConnectionError,
    CosyVoiceError,
    Endpoint,
    SynthesisOptions,
    Timing,
    count_characters,
)
from custom_components.cosyvoice.text.sentences import Piece

from ..probe import (
    VOICE,
    DiffersError,
    RefusedError,
    UntoldError,
    characters,
    expect,
    probe,
)
from ..service import Service

_TWO = "你好。再见。"
_MIXED = "中A文1，好 1。"


@asynccontextmanager
async def _client(
    service: Service, key: str | None = None
) -> AsyncIterator[CosyVoiceClient]:
    """Run a client of the account for the length of a block."""
    endpoint = Endpoint.create(service.region, service.url)
    client = CosyVoiceClient(
        service.session,
        key or service.key,
        endpoint,
        timing=Timing(flush_patience=service.pace.patience),
    )
    await service.gate("cosyvoice-v3-flash").turn()
    try:
        yield client
    except CosyVoiceConnectionError as error:
        raise UntoldError(str(error)) from error
    except CosyVoiceError as error:
        raise RefusedError(error.code or type(error).__name__, error.message) from error
    finally:
        await client.close()


def _options(service: Service) -> SynthesisOptions:
    return SynthesisOptions(voice=VOICE).resolve(service.region)


@probe("4", "seen", "usage/ledger.py", "usage-single", cost=characters(10))
async def client_knows_the_cost(service: Service) -> str:
    """After a text of two sentences the client has the characters of both."""
    async with _client(service) as client:
        utterance = client.speak(_TWO, _options(service))
        size = sum([len(audio) async for audio in utterance])
        report = utterance.report
    seen = f"{report.characters} characters, {size} bytes"
    if report.estimated:
        seen = f"an estimate of {seen}"
    return expect(report.characters == 10 and not report.estimated, seen)


@probe("9", "docs", "client/counting.py", "han-counts-one", cost=characters(13))
async def client_counts_as_the_service(service: Service) -> str:
    """The client counts a text as the service does."""
    async with _client(service) as client:
        utterance = client.speak(_MIXED, _options(service))
        async for _ in utterance:
            pass
        counted = utterance.report.characters
    expected = count_characters(_MIXED)
    return expect(counted == expected, f"{counted}, expected {expected}")


@probe("3", "sdk", "client/utterance/flushing.py", "flush-ignored", cost=characters(10))
async def client_streams_in_one_task(service: Service) -> str:
    """A text that pauses after a sentence is spoken so far, in one task."""
    heard = asyncio.Event()

    async def pieces() -> AsyncIterator[Piece]:
        yield Piece("你好。", "sentence")
        async with asyncio.timeout(2 * service.pace.patience):
            await heard.wait()
        yield Piece("再见。", "sentence")

    async with _client(service) as client:
        utterance = client.speak(pieces(), _options(service))
        async for _ in utterance:
            heard.set()
        tasks = utterance.report.tasks
    return expect(tasks == 1, f"{tasks} tasks")


@probe("2", "docs", "client/client.py", "handshake-any-key")
async def client_notices_a_wrong_key(service: Service) -> str:
    """The client's free check refuses a wrong key."""
    async with _client(service, "sk-0123456789abcdef") as client:
        try:
            await client.check_key()
        except AuthenticationError as error:
            return str(error.code)
    raise DiffersError("it was taken")


@probe("13", "docs", "client/account.py", "cloning-elsewhere")
async def client_lists_voices(service: Service) -> str:
    """The client reads the account's cloned voices."""
    async with _client(service) as client:
        return f"{len(await client.list_voices())} voices"
