"""Cloning voices from recordings, and designing voices from words."""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
import io
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
import uuid
import wave

from aiohttp import web
import numpy as np

from .audio import Encoder, Samples, decode
from .catalogue import Model, model_of_clone
from .errors import MESSAGES, ServiceError, invalid
from .recording import Recording, examine
from .rules import Speaker, check_model
from .text import Passage

if TYPE_CHECKING:
    from .server import Emulator

RESOLVE_HEADER = "X-DashScope-OssResourceResolve"
_PREVIEW_RATES = (16_000, 24_000, 48_000)
_PREVIEW_FORMATS = ("pcm", "wav", "mp3")
_HAN = re.compile("[\u3400-\u9fff]")
# The pitch in Hz that words of a description ask for; the first that is found counts.
_PITCHES = {
    "child|kid|boy|girl|小孩|孩子|儿童|男孩|女孩": 280.0,
    "woman|female|lady|grandmother|女|阿姨|奶奶": 205.0,
    "man|male|grandfather|sailor|男|大叔|爷爷": 105.0,
}
_MIDDLE_PITCH = 150.0


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")


@dataclass
class Voice:
    """A voice that was cloned from a recording or designed by words.

    Attributes:
        url: Where its recording was; empty for a design.
        created: When it was made or changed last, by the event loop's clock.
        pitch: The pitch of its voice in Hz; None if its recording was not examined.
        prompt: The description of a design.
        preview_text: The text of its preview.
        gmt_create: When it was made, as the service writes it.
        gmt_modified: When it was changed last.
    """

    url: str
    created: float
    pitch: float | None = None
    prompt: str = ""
    preview_text: str = ""
    gmt_create: str = field(default_factory=_now)
    gmt_modified: str = field(default_factory=_now)


class Enrolment:
    """The model ``voice-enrollment``."""

    def __init__(self, emulator: Emulator) -> None:
        """Work for an emulator."""
        self._emulator = emulator

    @staticmethod
    async def action(request: web.Request) -> str:
        """Return what a request wants to be done; empty if that cannot be read."""
        try:
            return str(json.loads(await request.text())["input"]["action"])
        except ValueError, KeyError, TypeError:
            return ""

    async def customise(self, request: web.Request) -> web.StreamResponse:
        """Answer a request."""
        try:
            body = json.loads(await request.text())
            values, action = body["input"], body["input"]["action"]
            parameters = body.get("parameters") or {}
        except (ValueError, KeyError, TypeError) as error:
            raise invalid("Required parameter(s) missing or invalid.") from error
        resolves = request.headers.get(RESOLVE_HEADER) == "enable"
        handlers: dict[str, Callable[[], Awaitable[dict[str, Any]]]] = {
            "create_voice": lambda: self._create(values, parameters, resolves=resolves),
            "list_voice": lambda: self._list(values),
            "query_voice": lambda: self._query(values),
            "update_voice": lambda: self._update(values, resolves=resolves),
            "delete_voice": lambda: self._delete(values),
        }
        if body.get("model") != "voice-enrollment" or action not in handlers:
            raise invalid("Required parameter(s) missing or invalid.")
        if not self._emulator.take_request("voice-enrollment"):
            raise _refusal("Throttling.RateQuota")
        output = await handlers[action]()
        return web.json_response(
            {"output": output, "usage": {"count": 1}, "request_id": str(uuid.uuid4())}
        )

    async def _create(
        self,
        values: Mapping[str, Any],
        parameters: Mapping[str, Any],
        *,
        resolves: bool,
    ) -> dict[str, Any]:
        emulator = self._emulator
        model = check_model(values.get("target_model"), emulator.config)
        prefix = values.get("prefix")
        letters = "0-9A-Za-z" if emulator.config.facts.prefix_capitals else "0-9a-z"
        if not isinstance(prefix, str) or not re.fullmatch(
            f"[{letters}]{{1,10}}", prefix
        ):
            raise invalid("prefix is invalid")
        if emulator.config.free_tier_only:
            raise _refusal("AllocationQuota.FreeTierOnly")
        if "voice_prompt" in values:
            return await self._design(model, prefix, values, parameters)
        if emulator.config.region not in model.clones:
            raise invalid(f"target_model {model.id} is not supported")
        _check_clone(model, values)
        recording = await self._fetch(values, model.id, resolves=resolves)
        pitch = recording.pitch if recording else None
        voice = Voice(str(values["url"]), self._time(), pitch)
        names = {"model": model.id, "prefix": prefix}
        stem = emulator.config.facts.clone_ids.format(**names)
        return {"voice_id": self._add(stem, voice)}

    async def _design(
        self,
        model: Model,
        prefix: str,
        values: Mapping[str, Any],
        parameters: Mapping[str, Any],
    ) -> dict[str, Any]:
        config = self._emulator.config
        if config.region not in model.designs or not config.facts.offers_designs:
            raise invalid(f"target_model {model.id} is not supported")
        prompt, text = _check_design(values)
        rate = parameters.get("sample_rate", 24_000)
        container = parameters.get("response_format", "wav")
        if rate not in _PREVIEW_RATES or container not in _PREVIEW_FORMATS:
            raise invalid("sample_rate or response_format is invalid")
        voice = Voice("", self._time(), _designed_pitch(prompt), prompt, text)
        voice_id = self._add(f"{model.id}-vd-{prefix}", voice)
        hint = (values.get("language_hints") or ["zh"])[0]
        preview = await self._preview(voice_id, voice, hint, rate, container)
        return {
            "voice_id": voice_id,
            "target_model": model.id,
            "preview_audio": {
                "data": base64.b64encode(preview).decode(),
                "sample_rate": rate,
                "response_format": container,
            },
        }

    async def _preview(
        self, voice_id: str, voice: Voice, language: str, rate: int, container: str
    ) -> bytes:
        """Return the preview's audio, as a whole file."""
        speaker = Speaker(
            voice=voice_id,
            language=language,
            gender=None,
            format="pcm",
            sample_rate=rate,
            bit_rate=32,
            volume=50,
            rate=1.0,
            pitch=1.0,
            seed=0,
            instruction="",
            language_hint=language,
            word_timestamps=False,
            ssml=False,
            knows_ssml=False,
            replacements=(),
            fundamental=voice.pitch,
        )
        encoder = Encoder("pcm" if container == "wav" else container, rate, 32)
        spoken = await self._emulator.studio.speak(
            Passage(voice.preview_text), speaker, encoder, final=True
        )
        audio = b"".join(spoken.chunks)
        return (
            audio if container != "wav" else _wav(decode(audio, "pcm", rate)[0], rate)
        )

    async def _list(self, values: Mapping[str, Any]) -> dict[str, Any]:
        index, size = values.get("page_index", 0), values.get("page_size", 10)
        longest = self._emulator.config.facts.longest_page
        numbers = isinstance(index, int) and isinstance(size, int)
        if not numbers or not 1 <= size <= longest:
            raise invalid("page_index or page_size is invalid")
        prefix = values.get("prefix") or ""
        found: list[dict[str, Any]] = [
            {"voice_id": voice_id, **self._facts(voice_id)}
            for voice_id in self._emulator.config.cloned_voices
            if _name(voice_id).startswith(prefix)
        ]
        if not self._emulator.config.facts.lists_models:
            for facts in found:
                del facts["target_model"]
        if not self._emulator.config.facts.lists_pages:
            return {"voice_list": found}
        return {"voice_list": found[index * size : (index + 1) * size]}

    async def _query(self, values: Mapping[str, Any]) -> dict[str, Any]:
        voice_id = self._known(values)
        voice = self._emulator.created_voices.get(voice_id)
        facts = self._facts(voice_id)
        if voice is None or voice.url:
            facts["resource_link"] = voice.url if voice else ""
        return facts

    async def _update(
        self, values: Mapping[str, Any], *, resolves: bool
    ) -> dict[str, Any]:
        voice_id = self._known(values)
        recording = await self._fetch(
            values, model_of_clone(voice_id), resolves=resolves
        )
        voice = self._emulator.created_voices.get(voice_id)
        if voice is not None:
            voice.url, voice.gmt_modified = str(values["url"]), _now()
            voice.created = self._time()
            voice.pitch = recording.pitch if recording else None
            if self._emulator.config.facts.update_redeploys:
                self._emulator.config.cloned_voices[voice_id] = "DEPLOYING"
        return {}

    async def _delete(self, values: Mapping[str, Any]) -> dict[str, Any]:
        voice_id = self._known(values)
        del self._emulator.config.cloned_voices[voice_id]
        self._emulator.created_voices.pop(voice_id, None)
        self._emulator.notify()
        return {}

    async def _fetch(
        self, values: Mapping[str, Any], model: str, *, resolves: bool
    ) -> Recording | None:
        """Return what is found at a URL; None where nobody looks."""
        emulator = self._emulator
        url = values.get("url")
        facts = emulator.config.facts
        schemes = ("http", "oss://", *(("data:",) if facts.takes_data_uri else ()))
        if not isinstance(url, str) or not url.startswith(schemes):
            raise invalid("url is invalid")
        if url.startswith("oss://"):
            asked = resolves or not facts.oss_needs_header
            data = emulator.storage.resolve(url, model, asked=asked)
        elif url.startswith("data:"):
            data = base64.b64decode(url.partition(",")[2])
        elif urlsplit(url).hostname == "example.com":
            return None
        elif url in emulator.config.web:
            data = emulator.config.web[url]
        else:
            raise _refusal("BadRequest.InputDownloadFailed")
        if not facts.needs_speech:
            return None
        return await emulator.studio.run(examine, data)

    def _add(self, stem: str, voice: Voice) -> str:
        emulator = self._emulator
        if len(emulator.config.cloned_voices) >= emulator.config.voice_limit:
            raise _refusal("Throttling.AllocationQuota", 400)
        voice_id = f"{stem}-{uuid.uuid4().hex}"
        emulator.created_voices[voice_id] = voice
        emulator.config.cloned_voices[voice_id] = "DEPLOYING"
        emulator.notify()
        return voice_id

    def _known(self, values: Mapping[str, Any]) -> str:
        voice_id = values.get("voice_id")
        if voice_id not in self._emulator.config.cloned_voices:
            raise _refusal(self._emulator.config.facts.deleted_voice)
        return str(voice_id)

    def _facts(self, voice_id: str) -> dict[str, Any]:
        self._emulator.deploy_voices()
        voice = self._emulator.created_voices.get(voice_id)
        config = self._emulator.config
        facts = {
            "gmt_create": voice.gmt_create if voice else config.cloned_at,
            "gmt_modified": voice.gmt_modified if voice else config.cloned_at,
            "status": config.cloned_voices[voice_id],
            "target_model": model_of_clone(voice_id),
        }
        if voice is not None and voice.prompt:
            facts |= {
                "voice_prompt": voice.prompt,
                "preview_text": voice.preview_text,
            }
        return facts

    def _time(self) -> float:
        return asyncio.get_running_loop().time()


def _refusal(code: str, status: int = 0) -> ServiceError:
    return ServiceError(code, MESSAGES[code], status)


def _name(voice_id: str) -> str:
    """Return the prefix and what follows it in a voice's id."""
    return voice_id.removeprefix(f"{model_of_clone(voice_id)}-").removeprefix("vd-")


def _check_clone(model: Model, values: Mapping[str, Any]) -> None:
    hints = values.get("language_hints", [])
    if not isinstance(hints, list) or not set(map(str, hints[:1])) <= {
        *model.clone_hints
    }:
        raise invalid("language_hints is invalid")
    seconds = values.get("max_prompt_audio_length", 10.0)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise invalid("max_prompt_audio_length is invalid")
    if not 3 <= seconds <= 30:
        raise invalid("max_prompt_audio_length must be in [3, 30]")
    for name in ("enable_preprocess", "enable_volume_normalization"):
        if not isinstance(values.get(name, False), bool):
            raise invalid(f"{name} is invalid")


def _check_design(values: Mapping[str, Any]) -> tuple[str, str]:
    prompt, text = values.get("voice_prompt"), values.get("preview_text")
    if not isinstance(prompt, str) or not 1 <= len(prompt) <= 500:
        raise invalid("voice_prompt is invalid")
    if not isinstance(text, str) or not 15 <= len(text) <= 200:
        raise invalid("preview_text is invalid")
    hints = values.get("language_hints") or ["zh"]
    language = "zh" if _HAN.search(text) else "en"
    if not isinstance(hints, list) or hints[0] != language:
        raise invalid("language_hints is invalid")
    return prompt, text


def _designed_pitch(prompt: str) -> float:
    words = prompt.lower()
    pitches = (hz for pattern, hz in _PITCHES.items() if re.search(pattern, words))
    # The same description gives another voice each time.
    return next(pitches, _MIDDLE_PITCH) * (0.95 + uuid.uuid4().int % 11 / 100)


def _wav(samples: Samples, rate: int) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, rate, len(samples), "NONE", ""))
        file.writeframes(samples.astype(np.int16).tobytes())
    return out.getvalue()
