"""Designing voices by words."""

import base64
from typing import Any

import pytest

from .audio import decode
from .cloner import QWEN, design, spoken_pitch, studio
from .wire import MODEL


@pytest.mark.parametrize("rate", [16_000, 24_000, 48_000])
@pytest.mark.parametrize("container", ["pcm", "wav", "mp3"])
async def test_a_design_comes_with_a_preview(rate: int, container: str) -> None:
    parameters = {"sample_rate": rate, "response_format": container}
    async with studio() as (_, client):
        status, body = await design(client, parameters=parameters)
        assert status == 200
        output = body["output"]
        assert output["voice_id"].startswith(f"{MODEL}-vd-calm-")
        assert output["target_model"] == MODEL
        preview = output["preview_audio"]
        assert preview["sample_rate"] == rate
        assert preview["response_format"] == container
        audio = base64.b64decode(preview["data"])
        bare = "pcm" if container == "pcm" else None
        samples, found_rate = decode(audio, bare, rate)
        assert found_rate == rate
        assert 2 < len(samples) / rate < 15
        if container == "wav":
            # Unlike streamed WAV, it says how long it is.
            assert int.from_bytes(audio[40:44], "little") == len(audio) - 44


async def test_a_designed_voice_is_what_was_described() -> None:
    async with studio(deploy_seconds=0.0) as (emulator, client):
        pitches = []
        for prompt in ("A deep man", "沉稳的中年女性"):
            _, body = await design(client, voice_prompt=prompt, target_model=QWEN)
            voice = body["output"]["voice_id"]
            pitches.append(await spoken_pitch(emulator, QWEN, voice))
        assert pitches[0] < 140
        assert pitches[1] > 160


@pytest.mark.parametrize(
    ("values", "settings"),
    [
        ({"voice_prompt": ""}, {}),
        ({"voice_prompt": "x" * 501}, {}),
        ({"preview_text": "太短了。"}, {}),
        ({"preview_text": "好" * 201}, {}),
        ({"language_hints": ["en"]}, {}),
        ({"parameters": {"sample_rate": 22050}}, {}),
        ({"parameters": {"response_format": "opus"}}, {}),
        ({"target_model": "cosyvoice-v2"}, {}),
        (
            {"target_model": "qwen-audio-3.0-tts-flash"},
            {"region": "ap-southeast-1"},
        ),
    ],
)
async def test_bad_designs_are_refused(
    values: dict[str, Any], settings: dict[str, Any]
) -> None:
    async with studio(**settings) as (emulator, client):
        status, body = await design(client, **values)
        assert (status, body["code"]) == (400, "InvalidParameter")
        assert emulator.created_voices == {}
