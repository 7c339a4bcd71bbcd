"""The vendor's SDK against the emulator: uploads, cloned and designed voices."""

from pathlib import Path
from typing import Any

import dashscope
from dashscope.audio.tts_v2.enrollment import VoiceEnrollmentException
from dashscope.common.error import RequestFailure, UploadFileException
from dashscope.utils.oss_utils import OssUtils
import pytest

from . import Emulator
from .audio import decode
from .recording import pitch_of
from .recordings import speech, wav
from .sdk import SENTENCES, TEXT, in_thread, sdk, texts
from .wire import KEY, MODEL

pytestmark = pytest.mark.real_time


async def test_voice_enrollment(emulator: Emulator) -> None:
    emulator.config.deploy_seconds = 3600
    service = await in_thread(sdk.VoiceEnrollmentService)
    sample = "https://example.com/sample.wav"
    voice = await in_thread(lambda: service.create_voice(MODEL, "myhome", sample))
    assert voice.startswith(f"{MODEL}-myhome-")

    details = await in_thread(lambda: service.query_voice(voice))
    assert (details["status"], details["target_model"]) == ("DEPLOYING", MODEL)
    with pytest.raises(RequestFailure, match="error code: 418"):
        await in_thread(lambda: sdk.SpeechSynthesizer(MODEL, voice).call(TEXT))

    emulator.config.deploy_seconds = 0
    listed = await in_thread(lambda: service.list_voices(prefix="myhome"))
    assert [(v["voice_id"], v["status"]) for v in listed] == [(voice, "OK")]
    audio = await in_thread(lambda: sdk.SpeechSynthesizer(MODEL, voice).call(TEXT))
    assert texts(emulator, audio) == SENTENCES

    await in_thread(lambda: service.update_voice(voice, sample + "?2"))
    details = await in_thread(lambda: service.query_voice(voice))
    assert details["resource_link"] == sample + "?2"

    await in_thread(lambda: service.delete_voice(voice))
    with pytest.raises(VoiceEnrollmentException, match="ResourceNotExist"):
        await in_thread(lambda: service.query_voice(voice))


async def test_a_recording_is_uploaded_and_cloned(
    emulator: Emulator, tmp_path: Path
) -> None:
    emulator.config.deploy_seconds = 0
    emulator.config.speech = "voice"
    (tmp_path / "me.wav").write_bytes(wav(speech(220)))
    base = dashscope.base_http_api_url

    def work() -> tuple[str, bytes]:
        url, certificate = OssUtils.upload(
            "voice-enrollment", str(tmp_path / "me.wav"), KEY, base_address=base
        )
        assert certificate["upload_host"] == emulator.url
        headers = {"X-DashScope-OssResourceResolve": "enable"}
        service = sdk.VoiceEnrollmentService(headers=headers)
        voice = service.create_voice(MODEL, "me", url, language_hints=["zh"])
        assert service.query_voice(voice)["status"] == "OK"
        audio = sdk.SpeechSynthesizer(MODEL, voice).call(TEXT * 2)
        service.delete_voice(voice)
        assert service.list_voices(prefix="me") == []
        return voice, audio

    voice, audio = await in_thread(work)
    assert voice.startswith(f"{MODEL}-me-")
    assert pitch_of(*decode(audio)) == pytest.approx(220, rel=0.2)


async def test_the_sdk_uploads_once_more_with_its_certificate(
    emulator: Emulator, tmp_path: Path
) -> None:
    base = dashscope.base_http_api_url
    for name in ("a.wav", "b.wav"):
        (tmp_path / name).write_bytes(b"x")

    def work() -> None:
        _, certificate = OssUtils.upload(
            MODEL, str(tmp_path / "a.wav"), KEY, base_address=base
        )
        OssUtils.upload(MODEL, str(tmp_path / "b.wav"), KEY, certificate)
        OssUtils.upload(MODEL, str(tmp_path / "b.wav"), KEY, certificate)

    with pytest.raises(UploadFileException, match="FileAlreadyExists"):
        await in_thread(work)
    assert len(emulator.storage.objects) == 2


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"free_tier_only": True}, "AllocationQuota.FreeTierOnly"),
        ({"voice_limit": 0}, "Throttling.AllocationQuota"),
        ({"closed_models": [MODEL]}, "AccessDenied"),
        ({"region": "ap-southeast-1"}, "InvalidParameter"),
    ],
)
async def test_refused_clones_surface_in_the_sdk(
    emulator: Emulator, settings: dict[str, Any], code: str
) -> None:
    for name, value in settings.items():
        setattr(emulator.config, name, value)
    service = await in_thread(sdk.VoiceEnrollmentService)
    with pytest.raises(VoiceEnrollmentException, match=f"Code: {code}"):
        await in_thread(
            lambda: service.create_voice(MODEL, "me", "https://example.com/a.wav")
        )


async def test_a_voice_is_designed_by_the_sdk(emulator: Emulator) -> None:
    emulator.config.speech = "voice"
    service = sdk.VoiceEnrollmentService()
    words = {
        "voice_prompt": "沉稳的中年女性，音色温暖",
        "preview_text": "晚上好，客厅的灯已经为你打开了，欢迎回家。",
    }
    # The SDK always sends a URL; the description decides.
    voice = await in_thread(lambda: service.create_voice(MODEL, "calm", "", **words))
    assert voice.startswith(f"{MODEL}-vd-calm-")
    (listed,) = await in_thread(lambda: service.list_voices(prefix="calm"))
    assert listed["voice_prompt"] == words["voice_prompt"]


async def test_voices_are_listed_in_pages(emulator: Emulator) -> None:
    emulator.config.cloned_voices = {f"{MODEL}-v-{n}": "OK" for n in range(12)}
    service = sdk.VoiceEnrollmentService()
    pages = await in_thread(
        lambda: [service.list_voices(page_index=page) for page in range(3)]
    )
    assert [len(page) for page in pages] == [10, 2, 0]


async def test_a_wrong_key_is_refused_by_http(emulator: Emulator) -> None:
    service = sdk.VoiceEnrollmentService(api_key="sk-wrong")
    with pytest.raises(VoiceEnrollmentException, match="InvalidApiKey") as error:
        await in_thread(service.list_voices)
    assert "Status Code: 401" in str(error.value)
