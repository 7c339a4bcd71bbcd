"""The vendor's SDK, aimed at an emulator and run beside the event loop."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
import threading
from typing import Any
from unittest.mock import patch

import dashscope
from dashscope.audio import tts_v2
import websocket

from . import Emulator, EmulatorConfig
from .wire import KEY

# The SDK is typed only in parts.
sdk: Any = tts_v2
TEXT = "你好，欢迎回家。今天天气很好。"
SENTENCES = ["你好，欢迎回家。", "今天天气很好。"]

_run_forever = websocket.WebSocketApp.run_forever


def run_forever(app: websocket.WebSocketApp) -> None:
    """Receive as the SDK's threads do.

    A closed socket does not wake them: they look again after this time, by default after 10 s.
    """
    _run_forever(app, ping_timeout=0.05)


@asynccontextmanager
async def aimed(config: EmulatorConfig) -> AsyncIterator[Emulator]:
    """Run an emulator that the SDK takes for the service."""
    async with Emulator(config) as running:
        url = f"{running.url}/api-ws/v1/inference".replace("http", "ws")
        with (
            patch.object(dashscope, "base_websocket_api_url", url),
            patch.object(dashscope, "base_http_api_url", f"{running.url}/api/v1"),
            patch.object(dashscope, "api_key", KEY),
            patch.object(websocket.WebSocketApp, "run_forever", run_forever),
        ):
            yield running


async def in_thread[T](work: Callable[..., T], *arguments: Any) -> T:
    """Run the SDK, which blocks, beside the event loop."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()

    def run() -> None:
        try:
            try:
                value = work(*arguments)
            finally:
                join_sdk_threads()
        except BaseException as error:  # noqa: BLE001
            loop.call_soon_threadsafe(result.set_exception, error)
        else:
            loop.call_soon_threadsafe(result.set_result, value)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        return await result
    finally:
        thread.join()


def join_sdk_threads() -> None:
    """Wait until the threads are gone that the SDK leaves to themselves."""
    for thread in threading.enumerate():
        if "(run_forever)" in thread.name or "waiting_for_complete" in thread.name:
            thread.join()


def texts(emulator: Emulator, audio: bytes, *rest: Any) -> list[str | None]:
    """Return the sentences in audio, each from beginning to end."""
    heard = emulator.heard(audio, *rest)
    assert all(signal.complete for signal in heard)
    return [signal.text for signal in heard]
