"""Short uses of the service over HTTP: speech, cloned and designed voices."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp

from . import Emulator
from .cloner import Studio, design
from .recordings import speech, wav
from .scenarios import TEXT, Scenario, talk
from .wire import KEY, MODEL, VOICE, bearer


def cloning(action: Callable[[Studio], Awaitable[Any]], **settings: Any) -> Scenario:
    async def scenario(emulator: Emulator) -> Any:
        for name, value in settings.items():
            setattr(emulator.config, name, value)
        async with aiohttp.ClientSession() as session:
            return await action(Studio(emulator, session))

    return scenario


async def clone_state(studio: Studio) -> Any:
    _, body = await studio.clone(wav(speech(120)))
    voice = body["output"]["voice_id"]
    await asyncio.sleep(studio.emulator.config.deploy_seconds + 0.05)
    _, body = await studio.call("query_voice", voice_id=voice)
    before = body["output"]["status"]
    url = await studio.uploaded(wav(speech(200)))
    await studio.call("update_voice", voice_id=voice, url=url)
    studio.emulator.config.deploy_seconds = 60
    _, body = await studio.call("query_voice", voice_id=voice)
    return before, body["output"]["status"]


async def clone_at_once(studio: Studio) -> Any:
    _, body = await studio.clone(wav(speech(120)))
    voice = body["output"]["voice_id"]
    _, body = await studio.call("query_voice", voice_id=voice)
    return body["output"]["status"]


async def clone_id(studio: Studio) -> Any:
    _, body = await studio.clone(wav(speech(120)))
    return body["output"]["voice_id"].startswith(MODEL)


async def clone_elsewhere(emulator: Emulator) -> Any:
    voice = f"{MODEL}-me-1"
    emulator.config.cloned_voices = {voice: "OK"}
    return await talk(model="cosyvoice-v3-plus", voice=voice)(emulator)


async def over_http(emulator: Emulator) -> Any:
    body = {"model": MODEL, "input": {"text": TEXT, "voice": VOICE}}
    url = f"{emulator.url}/api/v1/services/audio/tts/SpeechSynthesizer"
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, headers=bearer(KEY), json=body) as response,
    ):
        return response.status


async def upload_host(studio: Studio) -> Any:
    host = (await studio.policy())["upload_host"]
    return host == studio.emulator.url


async def upload_status(studio: Studio) -> Any:
    status, _, _ = await studio.post(await studio.policy(), wav(speech(120)))
    return status


async def short_recording(studio: Studio) -> Any:
    status, _ = await studio.clone(wav(speech(120, 1.0)))
    return status


async def deleted(studio: Studio) -> Any:
    _, body = await studio.call("query_voice", voice_id="nobody")
    return body["code"]


async def listed(studio: Studio) -> Any:
    voices = {f"{MODEL}-me-1": "OK", f"{MODEL}-me-2": "OK"}
    studio.emulator.config.cloned_voices = voices
    _, body = await studio.call("list_voice", page_size=1)
    return (
        body.get("code"),
        [[*map(sorted, found)] for found in body.get("output", {}).values()],
        str(body)[:60],
    )


async def long_page(studio: Studio) -> Any:
    status, _ = await studio.call("list_voice", page_size=100)
    return status


async def unresolved(studio: Studio) -> Any:
    url = await studio.uploaded(wav(speech(120)))
    status, _ = await studio.call(
        "create_voice", target_model=MODEL, prefix="me", url=url, resolve=False
    )
    return status


def create(model: str = MODEL, prefix: str = "me", url: str = "") -> Any:
    async def action(studio: Studio) -> Any:
        status, _ = await studio.call(
            "create_voice",
            target_model=model,
            prefix=prefix,
            url=url or "https://example.com/me.wav",
        )
        return status

    return action


async def data_uri(studio: Studio) -> Any:
    encoded = base64.b64encode(wav(speech(120))).decode()
    return await create(url=f"data:audio/wav;base64,{encoded}")(studio)


async def designed(studio: Studio) -> Any:
    return (await design(studio))[0]
