"""Cloning and designing voices, at the emulated service."""

import asyncio
from dataclasses import replace
import re
from typing import Any

from aiohttp import web
import pytest

from custom_components.cosyvoice.client import (
    AccessDeniedError,
    AuthenticationError,
    CosyVoiceClient,
    CosyVoiceConnectionError,
    CosyVoiceError,
    CosyVoiceTimeoutError,
    FreeQuotaError,
    ProtocolError,
    RecordingContentError,
    RecordingSilentError,
    RecordingTooLargeError,
    RecordingTooLongError,
    RecordingTooShortError,
    RecordingUnreadableError,
    RequestError,
    ServiceError,
    ThrottledError,
    TooManyVoicesError,
    UploadError,
    VoiceError,
    VoiceNotApprovedError,
    new_prefix,
    prefix_of,
)
from custom_components.cosyvoice.client.wire import http
from tests.emulator.audio import decode
from tests.emulator.recordings import speech, wav

from .enrolling import (
    MODEL,
    SAILOR,
    SAMPLE,
    TIMING,
    account,
    answering,
    cloned,
    designed,
)


async def test_a_voice_is_cloned_from_the_recording() -> None:
    async with account() as (emulator, api):
        shares: list[float] = []
        recording = wav(speech(180, 12))
        url = await api.upload(recording, shares.append)
        voice = await api.clone(
            url, model=MODEL, prefix="haab12cd34", language="zh", seconds=12
        )
        assert re.fullmatch("cosyvoice-v3-flash-haab12cd34-.+", voice)
        assert emulator.created_voices[voice].pitch == pytest.approx(180, rel=0.1)
        assert shares[0] == 0.0
        assert shares[-1] == 1.0
        assert shares == sorted(shares)
        (sent,) = emulator.storage.uploads
        assert sent.size == len(recording)
        assert "Authorization" not in sent.headers
        assert sent.fields[-1] == "file"


@pytest.mark.parametrize("model", ["cosyvoice-v1", "cosyvoice-v2", MODEL])
@pytest.mark.parametrize("seconds", [1.0, 60.0])
async def test_a_model_gets_the_parameters_that_it_takes(
    model: str, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with account() as (_, api):
        bodies: list[Any] = []
        post = http.HttpApi.post

        async def noted(self: http.HttpApi, path: str, **content: Any) -> Any:
            bodies.append(content["body"]["input"])
            return await post(self, path, **content)

        monkeypatch.setattr(http.HttpApi, "post", noted)
        await cloned(api, wav(speech(120)), model=model, language="zh", seconds=seconds)
        expected = {
            "cosyvoice-v1": set(),
            "cosyvoice-v2": {"language_hints"},
            MODEL: {"language_hints", "max_prompt_audio_length", "enable_preprocess"},
        }[model]
        always = {"action", "target_model", "prefix", "url"}
        assert set(bodies[0]) == always | expected
        if model == MODEL:
            assert 3 <= bodies[0]["max_prompt_audio_length"] <= 30


async def test_a_new_voice_is_waited_for() -> None:
    async with account(deploy_seconds=1.0) as (_, api):
        voice = await cloned(api, wav(speech(120)))
        assert await api.status(voice) == "DEPLOYING"
        shares: list[float] = []
        assert await api.wait_until_ready(voice, shares.append)
        assert shares[0] < shares[-1] <= 1
        assert await api.status(voice) == "OK"


async def test_a_voice_that_takes_too_long_is_kept() -> None:
    timing = replace(TIMING, ready=0.1)
    async with account(timing, deploy_seconds=60) as (emulator, api):
        voice = await cloned(api, wav(speech(120)))
        assert not await api.wait_until_ready(voice)
        assert voice in emulator.created_voices


async def test_a_voice_that_is_not_approved_is_deleted() -> None:
    async with account(review="refuses", deploy_seconds=0) as (emulator, api):
        voice = await cloned(api, wav(speech(120)))
        emulator.script("http_500@http,request=delete_voice,times=always")
        with pytest.raises(VoiceNotApprovedError):
            await api.wait_until_ready(voice)
        emulator.clear_faults()
        with pytest.raises(VoiceNotApprovedError):
            await api.wait_until_ready(voice)
        assert emulator.created_voices == {}


@pytest.mark.parametrize("fault", ["http_503", "reset", "garbage_json", "http_429"])
async def test_a_question_that_fails_is_asked_again(fault: str) -> None:
    async with account(deploy_seconds=0) as (emulator, api):
        voice = await cloned(api, wav(speech(120)))
        emulator.script(f"{fault}@http,request=query_voice,times=2")
        assert await api.wait_until_ready(voice)


async def test_a_voice_may_be_unknown_at_first() -> None:
    async with account(deploy_seconds=0) as (emulator, api):
        voice = await cloned(api, wav(speech(120)))
        emulator.script(
            "error@http,request=query_voice,code=BadRequest.ResourceNotExist,times=2"
        )
        assert await api.wait_until_ready(voice)


async def test_waiting_ends_with_the_account() -> None:
    async with account() as (emulator, api):
        voice = await cloned(api, wav(speech(120)))
        emulator.script("http_401@http,request=query_voice")
        with pytest.raises(AuthenticationError):
            await api.wait_until_ready(voice)
        await api.delete(voice)
        with pytest.raises(VoiceError):
            await api.wait_until_ready(voice)


async def test_a_voice_without_status_is_an_error() -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.json_response({"output": {}})

    async with answering(handler) as api:
        with pytest.raises(ProtocolError, match="no status"):
            await api.status("cosyvoice-v3-flash-me-1")
        with pytest.raises(ProtocolError, match="no voice"):
            await designed(api)


@pytest.mark.parametrize(
    "sample", [SAMPLE, "晚上好，客厅的灯已经为你打开了，欢迎回家。"]
)
async def test_a_voice_is_designed_and_heard(sample: str) -> None:
    async with account() as (emulator, api):
        voice = await api.design(SAILOR, sample, model=MODEL, prefix="haab12cd34")
        assert re.fullmatch("cosyvoice-v3-flash-vd-haab12cd34-.+", voice.id)
        assert voice.id in emulator.created_voices
        assert voice.preview_format == "mp3"
        assert voice.preview is not None
        samples, rate = decode(voice.preview, "mp3")
        assert rate == 24_000
        assert len(samples) > rate


@pytest.mark.parametrize("preview", [None, {"data": "%%"}, {"data": 1}, {}])
async def test_a_design_may_come_without_its_preview(preview: Any) -> None:
    async def handler(_: web.Request) -> web.Response:
        output = {"voice_id": "cosyvoice-v3-flash-vd-x-1", "preview_audio": preview}
        return web.json_response({"output": output})

    async with answering(handler) as api:
        voice = await designed(api)
        assert (voice.id, voice.preview) == ("cosyvoice-v3-flash-vd-x-1", None)


@pytest.mark.parametrize(
    "fault",
    [
        *("reset@answer", "drop@answer", "hang@answer", "http_500@answer"),
        *("garbage_text@answer", "garbage_json@answer", "http_503@answer"),
        *("reset@http", "http_500@http", "garbage_json@http", "drop@http"),
    ],
)
@pytest.mark.parametrize("kind", ["clone", "design"])
async def test_a_voice_whose_answer_was_lost_is_found(fault: str, kind: str) -> None:
    async with account() as (emulator, api):
        emulator.script(f"{fault},request=create_voice")
        prefix = new_prefix()
        if kind == "clone":
            voice = await cloned(api, wav(speech(120)), prefix)
        else:
            voice = (await designed(api, prefix)).id
        assert list(emulator.created_voices) == [voice]


async def test_a_slow_answer_makes_one_voice() -> None:
    """The service works on, though nobody waits for its answer any more."""
    timing = replace(TIMING, look_up=5.0)
    async with account(timing) as (emulator, api):
        emulator.script("slow@answer,request=create_voice,seconds=2")
        voice = await cloned(api, wav(speech(120)))
        assert list(emulator.created_voices) == [voice]


async def test_a_voice_that_appears_late_is_found() -> None:
    timing = replace(TIMING, look_up=5.0)
    async with account(timing) as (emulator, api):
        emulator.script("hang@http,request=create_voice")
        url = await api.upload(wav(speech(120)))
        other = CosyVoiceClient(
            api._session, "sk-test", api._endpoint, timing=TIMING
        ).enrolment

        async def late() -> str:
            await asyncio.sleep(1.2)
            return await other.clone(url, model=MODEL, prefix="haab12cd34")

        async with asyncio.TaskGroup() as group:
            made = group.create_task(late())
            found = group.create_task(api.clone(url, model=MODEL, prefix="haab12cd34"))
        assert found.result() == made.result()


async def test_a_voice_that_was_made_twice_is_kept_once() -> None:
    async with account() as (emulator, api):
        other = await cloned(api, wav(speech(120)), "haffffffff")
        first = await cloned(api, wav(speech(120)))
        # The first list does not have it yet.
        asked = api.find
        answers: list[tuple[str, ...]] = [()]

        async def find(prefix: str) -> tuple[str, ...]:
            return answers.pop() if answers else await asked(prefix)

        api.find = find  # type: ignore[method-assign]
        emulator.script("reset@http,request=create_voice")
        second = await cloned(api, wav(speech(120)))
        assert first != second
        assert set(emulator.created_voices) == {other, second}


async def test_what_cannot_be_looked_up_is_not_made_again() -> None:
    async with account() as (emulator, api):
        emulator.script(
            "reset@answer,request=create_voice",
            "http_500@http,request=list_voice,times=always",
        )
        with pytest.raises(CosyVoiceConnectionError):
            await cloned(api, wav(speech(120)))
        assert len(emulator.created_voices) == 1


async def test_a_voice_is_made_again_once_only() -> None:
    async with account() as (emulator, api):
        emulator.script("http_500@http,request=create_voice,times=always")
        with pytest.raises(ServiceError):
            await cloned(api, wav(speech(120)))
        emulator.clear_faults()
        emulator.script(
            "reset@http,request=create_voice", "reset@answer,request=create_voice"
        )
        voice = await cloned(api, wav(speech(120)))
        assert list(emulator.created_voices) == [voice]


async def test_a_time_out_is_not_followed_by_another_voice() -> None:
    async with account() as (emulator, api):
        emulator.script("hang@http,request=create_voice,times=1")
        with pytest.raises(CosyVoiceTimeoutError):
            await cloned(api, wav(speech(120)))
        assert emulator.created_voices == {}


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("error@http,request=create_voice,code=Audio.AudioShortError", RecordingTooShortError),
        ("error@http,request=create_voice,code=Audio.AudioSilentError,status=430", RecordingSilentError),
        ("error@http,request=create_voice,code=Audio.DecoderError,status=430", RecordingUnreadableError),
        ("error@http,request=create_voice,code=Audio.AudioRateError,status=430", RecordingUnreadableError),
        ("error@http,request=create_voice,code=Audio.FileSizeExceed,status=430", RecordingTooLargeError),
        ("error@http,request=create_voice,code=Audio.DurationLimitError", RecordingTooLongError),
        ("error@http,request=create_voice,code=Audio.PreprocessError", RecordingUnreadableError),
        ("error@http,request=create_voice,code=BadRequest.UnsupportedFileFormat", RecordingUnreadableError),
        ("error@http,request=create_voice,code=BadRequest.InputDownloadFailed", UploadError),
        ("error@http,request=create_voice,code=InvalidParameter.DataInspection", UploadError),
        ("error@http,request=create_voice,code=Throttling.AllocationQuota", TooManyVoicesError),
        ("error@http,request=create_voice,code=Throttling.RateQuota,status=429", ThrottledError),
        ("error@http,request=create_voice,code=AllocationQuota.FreeTierOnly,status=403", FreeQuotaError),
        ("error@http,request=create_voice,code=Model.AccessDenied,status=403", AccessDeniedError),
        ("error@http,request=create_voice,code=DataInspectionFailed", RecordingContentError),
        ("http_401@http,request=create_voice", AuthenticationError),
    ],
)  # fmt: skip
async def test_a_refused_recording_has_its_error(
    fault: str, kind: type[CosyVoiceError]
) -> None:
    async with account() as (emulator, api):
        emulator.script(f"{fault},times=always")
        with pytest.raises(CosyVoiceError) as caught:
            await cloned(api, wav(speech(120)))
        assert type(caught.value) is kind
        assert emulator.created_voices == {}


async def test_the_account_may_be_full() -> None:
    full = {f"{MODEL}-old-1": "OK"}
    async with account(voice_limit=1, cloned_voices=full) as (emulator, api):
        with pytest.raises(TooManyVoicesError) as caught:
            await cloned(api, wav(speech(120)))
        assert caught.value.code == "Throttling.AllocationQuota"
        await api.delete(f"{MODEL}-old-1")
        assert await cloned(api, wav(speech(120))) in emulator.created_voices


async def test_nothing_is_heard_in_noise() -> None:
    async with account() as (emulator, api):
        emulator.script(
            "error@http,request=create_voice,code=request asr failed,status=500"
        )
        with pytest.raises(RecordingSilentError):
            await cloned(api, wav(speech(120)))


@pytest.mark.parametrize("fault", ["http_500", "reset", "hang", "http_429"])
async def test_a_voice_is_deleted_once_the_service_answers(
    fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "REQUEST_TIMEOUT", 0.2)
    async with account() as (emulator, api):
        voice = await cloned(api, wav(speech(120)))
        emulator.script(f"{fault}@answer,request=delete_voice")
        await api.delete(voice)
        assert emulator.created_voices == {}
        # It is gone already.
        await api.delete(voice)


async def test_a_voice_that_cannot_be_deleted_is_an_error() -> None:
    async with account() as (emulator, api):
        emulator.script("http_500@http,request=delete_voice,times=always")
        with pytest.raises(ServiceError):
            await api.delete("cosyvoice-v3-flash-me-1")
        emulator.clear_faults()
        emulator.script("http_401@http,request=delete_voice")
        with pytest.raises(AuthenticationError):
            await api.delete("cosyvoice-v3-flash-me-1")


def test_prefixes_are_unique_and_allowed() -> None:
    prefixes = {new_prefix() for _ in range(100)}
    assert len(prefixes) == 100
    assert all(re.fullmatch("[a-z0-9]{1,10}", prefix) for prefix in prefixes)


@pytest.mark.parametrize(
    ("voice", "prefix"),
    [
        ("cosyvoice-v3-flash-haab12cd34-0f0f", "haab12cd34"),
        ("cosyvoice-v3-flash-vd-haab12cd34-0f0f", "haab12cd34"),
        ("qwen-audio-3.1-tts-flash-me-1", "me"),
        ("longanyang", ""),
        ("elsewhere-v1-me-1", ""),
    ],
)
def test_the_prefix_of_a_voice_is_known(voice: str, prefix: str) -> None:
    assert prefix_of(voice) == prefix


@pytest.mark.parametrize(
    "difference",
    [
        *("list-without-models", "oss-without-header", "clone-prefix-small"),
        *("clone-ready-at-once", "policy-60-s", "clone-data-uri"),
    ],
)
async def test_a_service_that_differs_makes_one_voice_too(difference: str) -> None:
    async with account(differ=[difference]) as (emulator, api):
        emulator.script("reset@answer,request=create_voice")
        voice = await cloned(api, wav(speech(120)), new_prefix())
        assert await api.wait_until_ready(voice)
        assert list(emulator.created_voices) == [voice]


async def test_a_service_without_designs_says_so() -> None:
    async with account(differ=["no-designs"]) as (_, api):
        with pytest.raises(RequestError):
            await designed(api)
