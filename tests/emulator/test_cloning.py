"""Cloning voices: recordings, states, lists, every error."""

import asyncio
from typing import Any

import numpy as np
import pytest

from .cloner import POLICY, PREVIEW, PROMPT, QWEN, design, spoken_pitch, studio
from .recordings import RATE, coded, speech, wav
from .wire import KEY, MODEL, bearer, connect


@pytest.mark.parametrize("pitch", [90, 130, 180, 240])
async def test_a_clone_has_the_pitch_of_its_recording(pitch: float) -> None:
    async with studio(deploy_seconds=0.0) as (emulator, client):
        status, body = await client.clone(wav(speech(pitch)))
        assert (status, body["usage"]) == (200, {"count": 1})
        voice = body["output"]["voice_id"]
        assert emulator.created_voices[voice].pitch == pytest.approx(pitch, rel=0.1)
        heard = await spoken_pitch(emulator, MODEL, voice)
        assert heard == pytest.approx(pitch, rel=0.15)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(lambda: wav(speech(120)), id="wav"),
        pytest.param(lambda: wav(speech(120), channels=2), id="stereo"),
        pytest.param(lambda: coded(speech(120), "mp3", "libmp3lame"), id="mp3"),
        pytest.param(lambda: coded(speech(120), "ipod", "aac", 48_000), id="m4a"),
        pytest.param(lambda: wav(speech(120, 59)), id="long"),
        pytest.param(lambda: wav(speech(120) // 30), id="quiet"),
    ],
)
async def test_good_recordings_are_taken(data: Any) -> None:
    async with studio() as (_, client):
        status, body = await client.clone(data())
        assert (status, body.get("code")) == (200, None)


def with_pause(seconds: float) -> bytes:
    pause = np.zeros(round(seconds * RATE), np.int16)
    part = speech(120, 3)
    return wav(np.concatenate([part, pause, part, pause, part]))


def noise() -> bytes:
    samples = np.random.default_rng(1).normal(0, 3000, 8 * RATE)
    return wav(samples.astype(np.int16))


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        pytest.param(lambda: wav(speech(120, 3)), 400, "Audio.AudioShortError"),
        pytest.param(lambda: with_pause(2.5), 400, "Audio.AudioShortError"),
        pytest.param(lambda: with_pause(1.5), 200, None),
        pytest.param(lambda: wav(speech(120, 61)), 400, "Audio.DurationLimitError"),
        pytest.param(
            lambda: wav(np.zeros(8 * RATE, np.int16)), 430, "Audio.AudioSilentError"
        ),
        pytest.param(lambda: wav(speech(120) // 3000), 430, "Audio.AudioSilentError"),
        pytest.param(
            lambda: wav(speech(120, 8)[::2], 12_000), 430, "Audio.AudioRateError"
        ),
        pytest.param(lambda: bytes(11 * 2**20), 430, "Audio.FileSizeExceed"),
        pytest.param(lambda: b"<html>" * 1000, 430, "Audio.DecoderError"),
        pytest.param(lambda: b"", 430, "Audio.DecoderError"),
        pytest.param(
            lambda: coded(speech(120), "ogg", "libopus", 48_000),
            400,
            "BadRequest.UnsupportedFileFormat",
        ),
        pytest.param(
            lambda: coded(speech(120), "flac", "flac"),
            400,
            "BadRequest.UnsupportedFileFormat",
        ),
        pytest.param(
            lambda: coded(speech(120), "wav", "pcm_u8"),
            400,
            "BadRequest.UnsupportedFileFormat",
        ),
        pytest.param(noise, 500, "InternalError"),
    ],
)
async def test_recordings_are_listened_to(
    data: Any, status: int, code: str | None
) -> None:
    async with studio() as (emulator, client):
        answer = await client.clone(data())
        assert (answer[0], answer[1].get("code")) == (status, code)
        assert len(emulator.created_voices) == (status == 200)


async def test_a_voice_is_ready_after_a_while() -> None:
    async with studio(deploy_seconds=0.2) as (emulator, client):
        _, body = await client.clone(wav(speech(120)))
        voice = body["output"]["voice_id"]
        assert voice.startswith(f"{MODEL}-me-")
        _, body = await client.call("query_voice", voice_id=voice)
        assert body["output"]["status"] == "DEPLOYING"
        assert body["output"]["target_model"] == MODEL
        async with connect(emulator) as wire:
            await wire.run_task(voice=voice)
            assert "418" in (await wire.failure())[1]
        await asyncio.sleep(0.2)
        _, body = await client.call("query_voice", voice_id=voice)
        assert body["output"]["status"] == "OK"
        async with connect(emulator) as wire:
            await wire.speak("你好。", voice=voice)


async def test_the_review_may_refuse_a_voice() -> None:
    async with studio(deploy_seconds=0.0, review="refuses") as (emulator, client):
        _, body = await client.clone(wav(speech(120)), QWEN)
        voice = body["output"]["voice_id"]
        _, body = await client.call("query_voice", voice_id=voice)
        assert body["output"]["status"] == "UNDEPLOYED"
        async with connect(emulator) as wire:
            await wire.run_task(QWEN, voice=voice)
            assert "[411]" in (await wire.failure())[1]


async def test_a_recording_can_be_replaced() -> None:
    async with studio(deploy_seconds=0.0) as (emulator, client):
        _, body = await client.clone(wav(speech(100)))
        voice = body["output"]["voice_id"]
        await client.call("query_voice", voice_id=voice)
        emulator.config.deploy_seconds = 60
        url = await client.uploaded(wav(speech(220)))
        status, _ = await client.call("update_voice", voice_id=voice, url=url)
        assert status == 200
        _, body = await client.call("query_voice", voice_id=voice)
        assert (body["output"]["status"], body["output"]["resource_link"]) == (
            "DEPLOYING",
            url,
        )
        assert emulator.created_voices[voice].pitch == pytest.approx(220, rel=0.1)
        status, body = await client.call(
            "update_voice", voice_id=voice, url=url, resolve=False
        )
        assert body["code"] == "InvalidParameter.DataInspection"


async def test_voices_are_listed_by_prefix_and_deleted() -> None:
    async with studio(deploy_seconds=0.0) as (_, client):
        _, body = await client.clone(wav(speech(120)))
        clone = body["output"]["voice_id"]
        _, body = await design(client, prefix="me2")
        designed = body["output"]["voice_id"]
        _, body = await client.call("list_voice", prefix="me")
        found = {v["voice_id"]: v for v in body["output"]["voice_list"]}
        assert set(found) == {clone, designed}
        assert found[designed]["voice_prompt"] == PROMPT
        assert found[designed]["preview_text"] == PREVIEW
        assert "voice_prompt" not in found[clone]
        _, body = await client.call("list_voice", prefix="me2")
        assert len(body["output"]["voice_list"]) == 1
        for voice in (clone, designed):
            status, body = await client.call("delete_voice", voice_id=voice)
            assert (status, body["output"]) == (200, {})
            _, body = await client.call("query_voice", voice_id=voice)
            assert body["code"] == "BadRequest.ResourceNotExist"
        _, body = await client.call("list_voices")
        assert body["code"] == "InvalidParameter"


@pytest.mark.parametrize(
    ("region", "model", "status"),
    [
        ("cn-beijing", "cosyvoice-v1", 200),
        ("cn-beijing", QWEN, 200),
        ("ap-southeast-1", "cosyvoice-v3-plus", 200),
        ("ap-southeast-1", "qwen-audio-3.0-tts-flash", 200),
        ("ap-southeast-1", "cosyvoice-v3-flash", 400),
        ("ap-southeast-1", QWEN, 403),
        ("cn-beijing", "cosyvoice-v9", 404),
    ],
)
async def test_not_every_model_can_be_cloned_for_everywhere(
    region: str, model: str, status: int
) -> None:
    async with studio(region=region) as (_, client):
        url = "https://example.com/sample.wav"
        answer = await client.call(
            "create_voice", target_model=model, prefix="me", url=url
        )
        assert answer[0] == status


@pytest.mark.parametrize(
    "values",
    [
        {"prefix": "elevenchars"},
        {"prefix": "a-b"},
        {"language_hints": ["fil"]},
        {"language_hints": "zh"},
        {"max_prompt_audio_length": 2},
        {"max_prompt_audio_length": "10"},
        {"max_prompt_audio_length": True},
        {"enable_preprocess": "true"},
        {"url": "data:audio/wav;base64,AAAA"},
        {"url": None},
    ],
)
async def test_bad_clones_are_refused(values: dict[str, Any]) -> None:
    async with studio() as (_, client):
        arguments = {"prefix": "me", "url": "https://example.com/a.wav", **values}
        status, body = await client.call(
            "create_voice", target_model=MODEL, **arguments
        )
        assert (status, body["code"]) == (400, "InvalidParameter")


async def test_recordings_may_lie_in_the_web() -> None:
    address = "https://files.example.org/me.wav"
    async with studio(web={address: wav(speech(120))}) as (emulator, client):
        for url, expected in (
            (address, None),
            ("https://files.example.org/other.wav", "BadRequest.InputDownloadFailed"),
        ):
            _, body = await client.call(
                "create_voice", target_model=MODEL, prefix="me", url=url
            )
            assert body.get("code") == expected
        (voice,) = emulator.created_voices.values()
        assert voice.pitch == pytest.approx(120, rel=0.1)


async def test_the_account_may_be_full() -> None:
    settings = {"voice_limit": 1, "cloned_voices": {f"{MODEL}-old-1": "OK"}}
    async with studio(**settings) as (_, client):
        status, body = await client.clone(wav(speech(120)))
        assert (status, body["code"]) == (400, "Throttling.AllocationQuota")


async def test_the_free_tier_may_be_used_up() -> None:
    async with studio(free_tier_only=True) as (_, client):
        status, body = await client.clone(wav(speech(120)))
        assert (status, body["code"]) == (403, "AllocationQuota.FreeTierOnly")


async def test_requests_are_throttled() -> None:
    async with studio(enrollments_per_second=2) as (_, client):
        codes = [(await client.call("list_voice"))[0] for _ in range(3)]
        assert codes == [200, 200, 429]


async def test_a_host_may_not_know_of_cloning() -> None:
    async with studio(cloning_here=False) as (emulator, client):
        assert (await client.call("list_voice"))[0] == 404
        async with client.session.get(
            emulator.url + POLICY, headers=bearer(KEY)
        ) as response:
            assert response.status == 404


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("error@http,request=create_voice,code=Audio.PreprocessError", 400),
        ("error@http,request=create_voice,code=Audio.DecoderError,status=430", 430),
        ("error@http,request=create_voice,code=DataInspectionFailed", 400),
        ("http_500@http,request=create_voice", 500),
        ("http_403@answer,request=create_voice", 403),
        ("reset@http,request=create_voice", "ClientOSError"),
        ("drop@answer,request=create_voice", "ServerDisconnectedError"),
        ("hang@answer,request=create_voice", "TimeoutError"),
        ("slow@http,request=create_voice,seconds=60", "TimeoutError"),
        ("garbage_text@http,request=create_voice", "ContentTypeError"),
        ("http_503@http,request=upload", "AssertionError"),
        ("reset@http,request=upload", "ClientOSError"),
        ("redirect@http,request=upload", "AssertionError"),
        ("http_403@http,request=policy", "AssertionError"),
        ("hang@http,request=policy", "TimeoutError"),
    ],
)
async def test_every_step_can_fail(spec: str, expected: int | str) -> None:
    async with studio() as (emulator, client):
        emulator.script(spec)
        outcome: int | str
        try:
            async with asyncio.timeout(0.5 if expected == "TimeoutError" else 10):
                outcome, _ = await client.clone(wav(speech(120)))
        except Exception as error:  # noqa: BLE001
            outcome = type(error).__name__
        assert outcome == expected
        # What was carried out before its answer was lost exists.
        assert len(emulator.created_voices) == ("@answer" in spec)
        assert emulator.astray == 0
        status, _ = await client.clone(wav(speech(120)))
        assert status == 200


async def test_any_error_can_end_a_task() -> None:
    async with studio(speech="signal") as (emulator, _), connect(emulator) as wire:
        emulator.script("error@before_started,code=Workspace.AccessDenied")
        await wire.run_task()
        assert (await wire.failure())[0] == "Workspace.AccessDenied"
