"""An account in which voices are cloned and designed, at the emulated service."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from custom_components.cosyvoice.client import (
    CosyVoiceClient,
    Endpoint,
    EnrolmentApi,
    Timing,
)
from tests.emulator import Emulator, EmulatorConfig

from .speaking import service

MODEL = "cosyvoice-v3-flash"
SAILOR = "An old sailor, warm and slow"
SAMPLE = "Good evening, the lights are on and the door is locked."
TIMING = replace(
    Timing(), backoff=0.01, create=1.0, look_up=0.3, poll=0.02, ready=3.0, upload=0.5
)


@asynccontextmanager
async def account(
    timing: Timing = TIMING, **settings: Any
) -> AsyncGenerator[tuple[Emulator, EnrolmentApi]]:
    """Run an emulator; yield it and the enrolment of an account there."""
    limits = {"deploy_seconds": 0.1, "enrollments_per_second": 0}
    config = EmulatorConfig(**{**limits, **settings})
    async with service(config, timing=timing) as (emulator, client):
        yield emulator, client.enrolment


async def cloned(
    api: EnrolmentApi, recording: bytes, prefix: str = "haab12cd34", **values: Any
) -> str:
    """Upload a recording and clone a voice from it; return the voice's id."""
    url = await api.upload(recording)
    return await api.clone(url, prefix=prefix, **{"model": MODEL, **values})


async def designed(api: EnrolmentApi, prefix: str = "haab12cd34") -> Any:
    """Design a voice."""
    return await api.design(SAILOR, SAMPLE, model=MODEL, prefix=prefix)


@asynccontextmanager
async def answering(handler: Any) -> AsyncGenerator[EnrolmentApi]:
    """Let a handler answer every request."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    async with TestServer(app) as server, ClientSession() as session:
        endpoint = Endpoint.create("cn-beijing", str(server.make_url("/")))
        client = CosyVoiceClient(session, "sk-test", endpoint, timing=TIMING)
        yield client.enrolment
