"""Speech over HTTP, by the vendor's SDK and by hand."""

import base64
import json
from typing import Any

import aiohttp
from dashscope.audio.http_tts import HttpSpeechSynthesizer
import pytest

from . import Emulator
from .audio import decode
from .sdk import SENTENCES, TEXT, in_thread, texts
from .wire import KEY, MODEL, VOICE, bearer

pytestmark = pytest.mark.real_time

PATH = "/api/v1/services/audio/tts/SpeechSynthesizer"
QWEN, HUAN = "qwen-audio-3.1-tts-flash", "longanhuan_v3.1"
# The SDK is typed only in parts.
synthesizer: Any = HttpSpeechSynthesizer


async def get(url: str) -> bytes:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        assert response.status == 200
        return await response.read()


async def test_the_sdk_gets_an_address(emulator: Emulator) -> None:
    result = await in_thread(lambda: synthesizer.call(MODEL, TEXT, VOICE))
    assert result.usage["characters"] == 27
    assert emulator.bill == {MODEL: 27}
    audio = await get(result.audio_url)
    assert texts(emulator, audio) == SENTENCES
    assert decode(audio)[1] == 24000


async def test_the_sdk_gets_a_stream(emulator: Emulator) -> None:
    parts = await in_thread(
        lambda: list(synthesizer.call(QWEN, f"[sad]{TEXT}", HUAN, stream=True))
    )
    audio = b"".join(part.audio_data for part in parts[:-1])
    assert texts(emulator, audio) == SENTENCES
    assert parts[-1].audio_data == audio == await get(parts[-1].audio_url)
    assert [part.sentences[-1]["index"] for part in parts[:-1]][-1] == 1
    (entry,) = emulator.bill.entries
    assert entry.tokens > 0


async def post(
    emulator: Emulator, body: Any, headers: dict[str, str] | None = None
) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            emulator.url + PATH, headers=bearer(KEY) | (headers or {}), json=body
        ) as response,
    ):
        return response.status, await response.text()


def body(model: str = MODEL, voice: str = VOICE, **values: Any) -> dict[str, Any]:
    return {"model": model, "input": {"text": TEXT, "voice": voice, **values}}


@pytest.mark.parametrize(
    ("values", "settings", "status", "code"),
    [
        (body(), {"closed_models": [MODEL]}, 403, "AccessDenied"),
        (body(QWEN, HUAN), {"region": "ap-southeast-1"}, 403, "AccessDenied"),
        (body(), {"region": "ap-southeast-1"}, 400, "InvalidParameter"),
        (body("cosyvoice-v1", "longcheng"), {}, 400, "InvalidParameter"),
        (body("cosyvoice-v9"), {}, 404, "ModelNotFound"),
        (body(voice="nobody"), {}, 400, "InvalidParameter"),
        (body(text="。"), {}, 400, "InvalidParameter"),
        (body(text=None), {}, 400, "InvalidParameter"),
        (body(text="好" * 10_001), {}, 400, "InvalidParameter"),
        (body(text="<speak>", enable_ssml=True), {}, 400, "InvalidParameter"),
        ({"model": MODEL}, {}, 400, "InvalidParameter"),
        (body(), {"api_keys": []}, 401, "InvalidApiKey"),
    ],
)
async def test_what_is_refused(
    emulator: Emulator,
    values: dict[str, Any],
    settings: dict[str, Any],
    status: int,
    code: str,
) -> None:
    for name, value in settings.items():
        setattr(emulator.config, name, value)
    answer = await post(emulator, values)
    assert (answer[0], json.loads(answer[1])["code"]) == (status, code)
    assert emulator.bill.entries == []


async def test_starts_are_throttled(emulator: Emulator) -> None:
    emulator.config.starts_per_second = 1
    assert [(await post(emulator, body()))[0] for _ in range(2)] == [200, 429]


async def test_a_stream_is_refused_by_an_event(emulator: Emulator) -> None:
    enable = {"X-DashScope-SSE": "enable"}
    status, text = await post(emulator, body(voice="nobody"), enable)
    assert status == 200
    assert "event:error" in text
    assert ":HTTP_STATUS/400" in text
    assert "418" in text


async def test_markup_and_other_settings(emulator: Emulator) -> None:
    values = body(text="<speak>你好。</speak>", enable_ssml=True, format="mp3")
    _, text = await post(emulator, values)
    audio = await get(json.loads(text)["output"]["audio"]["url"])
    assert texts(emulator, audio) == ["你好。"]
    _, text = await post(emulator, body(QWEN, HUAN, text="<speak>你好。</speak>"))
    audio = await get(json.loads(text)["output"]["audio"]["url"])
    assert texts(emulator, audio) == ["你好。"]


async def test_events_are_those_of_sentences(emulator: Emulator) -> None:
    enable = {"X-DashScope-SSE": "enable"}
    _, text = await post(emulator, body(format="pcm", sample_rate=24000), enable)
    lines = [line[5:] for line in text.splitlines() if line.startswith("data:")]
    outputs = [json.loads(line)["output"] for line in lines]
    kinds = [output.get("type", output["finish_reason"]) for output in outputs]
    assert kinds[0] == "sentence-begin"
    assert kinds[-2:] == ["sentence-end", "stop"]
    assert kinds.count("sentence-begin") == 2
    data = [base64.b64decode(o["audio"]["data"]) for o in outputs[:-1] if "audio" in o]
    assert texts(emulator, b"".join(data), "pcm", 24000) == SENTENCES


async def test_it_can_go_wrong(emulator: Emulator) -> None:
    emulator.script("http_503@http,request=synthesis")
    assert (await post(emulator, body()))[0] == 503
    url = f"{emulator.url}/_audio/none.mp3"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        assert response.status == 404
