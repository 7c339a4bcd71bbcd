"""A minimal client that clones and designs voices."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from . import Emulator, EmulatorConfig
from .audio import decode
from .enrolment import RESOLVE_HEADER
from .recording import pitch_of
from .wire import KEY, MODEL, bearer, connect

VOICES = "/api/v1/services/audio/tts/customization"
POLICY = "/api/v1/uploads?action=getPolicy&model="
QWEN = "qwen-audio-3.1-tts-flash"
PROMPT = "An old sailor, warm and slow"
PREVIEW = "晚上好，客厅的灯已经为你打开了，欢迎回家。"


class Studio:
    """A client that clones voices."""

    def __init__(self, emulator: Emulator, session: aiohttp.ClientSession) -> None:
        """Use the emulator."""
        self.emulator = emulator
        self.session = session

    async def policy(self, model: str = MODEL) -> dict[str, str]:
        """Ask for the permission to upload."""
        async with self.session.get(
            self.emulator.url + POLICY + model, headers=bearer(KEY)
        ) as response:
            assert response.status == 200
            data: dict[str, str] = (await response.json())["data"]
            return data

    async def post(
        self,
        policy: dict[str, str],
        data: bytes,
        changes: dict[str, str] | None = None,
        *,
        last: bool = True,
    ) -> tuple[int, str, str]:
        """Send the form; return status and body of the answer, and the URL."""
        fields = {
            "OSSAccessKeyId": policy["oss_access_key_id"],
            "Signature": policy["signature"],
            "policy": policy["policy"],
            "key": f"{policy['upload_dir']}/sample.wav",
            "x-oss-object-acl": policy["x_oss_object_acl"],
            "x-oss-forbid-overwrite": policy["x_oss_forbid_overwrite"],
            "success_action_status": "200",
            **(changes or {}),
        }
        form = aiohttp.FormData()
        if not last:
            form.add_field("file", data, filename="sample.wav")
        for name, value in fields.items():
            if value:
                form.add_field(name, value)
        if last:
            form.add_field("file", data, filename="sample.wav")
        async with self.session.post(
            policy["upload_host"], data=form, allow_redirects=False
        ) as response:
            return response.status, await response.text(), f"oss://{fields['key']}"

    async def uploaded(self, data: bytes, model: str = MODEL) -> str:
        """Upload a recording and return its URL."""
        status, body, url = await self.post(await self.policy(model), data)
        assert (status, body) == (200, "")
        return url

    async def call(
        self,
        action: str,
        parameters: dict[str, Any] | None = None,
        *,
        resolve: bool = True,
        **values: Any,
    ) -> tuple[int, dict[str, Any]]:
        """Call the enrolment; return status and body."""
        body = {
            "model": "voice-enrollment",
            "input": {"action": action, **values},
            **({"parameters": parameters} if parameters else {}),
        }
        headers = bearer(KEY) | ({RESOLVE_HEADER: "enable"} if resolve else {})
        async with self.session.post(
            self.emulator.url + VOICES, headers=headers, json=body
        ) as response:
            return response.status, await response.json()

    async def clone(self, data: bytes, model: str = MODEL, **values: Any) -> Any:
        """Upload and clone; return status and body."""
        url = await self.uploaded(data, model)
        return await self.call(
            "create_voice", target_model=model, prefix="me", url=url, **values
        )


@asynccontextmanager
async def studio(**settings: Any) -> AsyncIterator[tuple[Emulator, Studio]]:
    """Run an emulator and a client of it."""
    config = EmulatorConfig(**{"starts_per_second": 0, **settings})
    async with Emulator(config) as emulator, aiohttp.ClientSession() as session:
        yield emulator, Studio(emulator, session)


async def spoken_pitch(emulator: Emulator, model: str, voice: str) -> float:
    """Return the pitch in Hz that a voice speaks with."""
    async with connect(emulator) as wire:
        text = "今天天气很好，我们去散步。晚上我想看一部电影，然后早一点睡觉。"
        audio = await wire.speak(text, model=model, voice=voice)
    return pitch_of(*decode(audio, "pcm", 24000))


async def design(client: Studio, **values: Any) -> tuple[int, dict[str, Any]]:
    """Design a voice; return status and body."""
    parameters = values.pop("parameters", None)
    body = {
        "target_model": MODEL,
        "prefix": "calm",
        "voice_prompt": PROMPT,
        "preview_text": PREVIEW,
        "language_hints": ["zh"],
        **values,
    }
    return await client.call("create_voice", parameters, **body)
