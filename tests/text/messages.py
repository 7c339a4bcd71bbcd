"""Messages whose text the tests let arrive."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import suppress
from typing import Any

from custom_components.cosyvoice.text.message import Message
from tests.clock import run


async def source(*chunks: str | float | Exception) -> AsyncGenerator[str]:
    """Yield texts, wait for seconds, raise errors."""
    for chunk in chunks:
        if isinstance(chunk, str):
            yield chunk
        elif isinstance(chunk, Exception):
            raise chunk
        else:
            await asyncio.sleep(chunk)


def message(
    *chunks: str | float | Exception, clean: bool = True, **options: Any
) -> Message:
    options.setdefault("pronunciations", {})
    return Message(source(*chunks), clean=clean, **options)


def fetched[T](used: Message, use: Callable[[Message], Coroutine[Any, Any, T]]) -> T:
    """Use a message while it is fetched."""

    async def scenario() -> T:
        task = asyncio.create_task(used.fetch())
        try:
            return await use(used)
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    return run(scenario())


async def sentences(message: Message) -> list[str]:
    found = [""]
    async for text, end in message.pieces():
        found[-1] += text
        if end == "sentence":
            found.append("")
    assert not found.pop()
    return found


async def plain(message: Message, start: int = 0) -> str:
    return "".join([text async for text in message.plain(start)])
