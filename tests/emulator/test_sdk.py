"""The vendor's SDK against the emulator: what the SDK believes, a client may believe."""

import asyncio
import threading
from typing import Any

import dashscope
from dashscope.audio import tts_v2
from dashscope.common.error import RequestFailure
import pytest
import websocket

from . import Emulator, Fault, FaultKind, Point
from .audio import decode
from .sdk import SENTENCES, TEXT, in_thread, join_sdk_threads, sdk, texts
from .wire import MODEL, VOICE

pytestmark = pytest.mark.real_time


class Recorder(tts_v2.ResultCallback):
    """Keeps what the SDK's callbacks were given."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.audio = b""
        self.calls: list[str] = []
        self.errors: list[str] = []
        self.begun = threading.Event()
        self.heard = threading.Event()
        self.closed = threading.Event()

    def on_open(self) -> None:
        """Note that the task has started."""
        self.calls.append("open")

    def on_complete(self) -> None:
        """Note that the task has finished."""
        self.calls.append("complete")

    def on_event(self, message: str) -> None:
        """Note that a sentence has begun."""
        self.begun.set()

    def on_error(self, message: str) -> None:
        """Keep the error."""
        self.errors.append(message)

    def on_close(self) -> None:
        """Note the end."""
        self.closed.set()

    def on_data(self, data: bytes) -> None:
        """Keep the audio."""
        self.audio += data
        self.heard.set()


def refusal(synthesizer: Any, text: str) -> tuple[str, str]:
    """Return the code and the message with which the service refuses the text.

    Where it does so between two messages of the SDK, the SDK finds its socket
    closed and raises that, and what was refused is in its last response.
    """
    try:
        synthesizer.call(text)
    except RequestFailure as error:
        return error.name, error.message
    except ConnectionError, websocket.WebSocketException:
        join_sdk_threads()
        header = synthesizer.get_response()["header"]
        return header["error_code"], header["error_message"]
    pytest.fail("the text was not refused")


async def test_call_returns_mp3_at_22050_by_default(emulator: Emulator) -> None:
    audio = await in_thread(lambda: sdk.SpeechSynthesizer(MODEL, VOICE).call(TEXT))
    assert texts(emulator, audio) == SENTENCES
    assert decode(audio)[1] == 22050
    (task,) = emulator.tasks
    assert task.outcome == "finished"
    assert task.parameters["format"] == "Default"
    assert task.parameters["enable_ssml"] is True
    assert emulator.bill == {MODEL: task.characters} == {MODEL: 27}


async def test_call_speaks_ssml(emulator: Emulator) -> None:
    ssml = '<speak rate="1.2">你好。<break time="500ms"/>再见。</speak>'
    audio = await in_thread(lambda: sdk.SpeechSynthesizer(MODEL, VOICE).call(ssml))
    assert texts(emulator, audio) == ["你好。", "再见。"]
    assert emulator.bill == {MODEL: 10}


async def test_every_format_of_the_sdk(emulator: Emulator) -> None:
    formats = [f for f in sdk.AudioFormat if f is not sdk.AudioFormat.DEFAULT]
    spoken = await asyncio.gather(
        *(
            in_thread(sdk.SpeechSynthesizer(MODEL, VOICE, format=one).call, "你好。")
            for one in formats
        )
    )
    for one, audio in zip(formats, spoken, strict=True):
        container = "pcm" if one.format == "pcm" else None
        assert texts(emulator, audio, container, one.sample_rate) == ["你好。"], one
        if one.format in ("mp3", "wav"):
            assert decode(audio)[1] == one.sample_rate


async def test_callback_mode(emulator: Emulator) -> None:
    recorder = Recorder()

    def work() -> None:
        sdk.SpeechSynthesizer(MODEL, VOICE, callback=recorder).call(TEXT)
        recorder.closed.wait()

    await in_thread(work)
    assert texts(emulator, recorder.audio) == SENTENCES
    assert recorder.calls == ["open", "complete"]
    assert recorder.errors == []


async def test_streaming_call_and_complete(emulator: Emulator) -> None:
    recorder = Recorder()

    def work() -> None:
        synthesizer = sdk.SpeechSynthesizer(MODEL, VOICE, callback=recorder)
        for character in TEXT:
            synthesizer.streaming_call(character)
        synthesizer.streaming_complete()

    await in_thread(work)
    assert texts(emulator, recorder.audio) == SENTENCES
    assert emulator.tasks[0].texts == list(TEXT)


async def test_streaming_flush_speaks_what_is_held_back(emulator: Emulator) -> None:
    recorder = Recorder()

    def work() -> bool:
        synthesizer = sdk.SpeechSynthesizer(MODEL, VOICE, callback=recorder)
        synthesizer.streaming_call("你好")
        synthesizer.streaming_flush()
        early = recorder.heard.wait(5)
        synthesizer.streaming_call("再见")
        synthesizer.streaming_complete()
        return early

    assert await in_thread(work)
    assert texts(emulator, recorder.audio) == ["你好", "再见"]
    assert emulator.tasks[0].flushes == 1


async def test_streaming_cancel_drops_the_rest(emulator: Emulator) -> None:
    emulator.script(Fault(FaultKind.SLOW, Point.BEFORE_AUDIO, seconds=60))
    recorder = Recorder()

    def work() -> None:
        synthesizer = sdk.SpeechSynthesizer(MODEL, VOICE, callback=recorder)
        synthesizer.streaming_call(TEXT)
        recorder.begun.wait()
        synthesizer.streaming_cancel()

    await in_thread(work)
    assert recorder.audio == b""
    assert recorder.calls == ["open", "complete"]
    assert [task.outcome for task in emulator.tasks] == ["cancelled"]
    # The held-back sentence was never begun, so it is not billed.
    assert emulator.bill == {MODEL: 14}


QWEN = {
    "qwen-audio-3.0-tts-flash": "loongjohn",
    "qwen-audio-3.0-tts-plus": "longanlingxin",
    "qwen-audio-3.1-tts-flash": "longanhuan_v3.1",
}


@pytest.mark.parametrize(("model", "voice"), QWEN.items())
async def test_call_speaks_with_qwen_audio(
    emulator: Emulator, model: str, voice: str
) -> None:
    def work() -> tuple[bytes, dict[str, Any]]:
        synthesizer = sdk.SpeechSynthesizer(
            model, voice, instruction="请用四川话表达。", language_hints=["zh"]
        )
        return synthesizer.call(f"[laughing]{TEXT}"), synthesizer.get_response()

    audio, last = await in_thread(work)
    assert texts(emulator, audio) == SENTENCES
    (entry,) = emulator.bill.entries
    usage = last["payload"]["usage"]
    if model.startswith("qwen-audio-3.1"):
        assert usage["total_tokens"] == entry.tokens > 0
    else:
        assert usage["characters"] == entry.characters == 27 + len("[laughing]")


@pytest.mark.parametrize("region", ["cn-beijing", "ap-southeast-1"])
async def test_streaming_cancel_works_with_qwen_audio(
    emulator: Emulator, region: str
) -> None:
    emulator.config.region = region
    emulator.script("slow@before_audio,seconds=60")
    recorder = Recorder()
    model = "qwen-audio-3.0-tts-flash"

    def work() -> None:
        synthesizer = sdk.SpeechSynthesizer(model, QWEN[model], callback=recorder)
        synthesizer.streaming_call(TEXT)
        recorder.begun.wait()
        synthesizer.streaming_cancel()

    await in_thread(work)
    assert [task.outcome for task in emulator.tasks] == ["cancelled"]


@pytest.mark.parametrize(
    ("model", "voice", "code", "message"),
    [
        ("qwen-audio-3.1-tts-flash", "loongjohn", "InvalidParameter", "[411]"),
        ("qwen-audio-3.1-tts-plus", "loongjohn", "ModelNotFound", "Model not exist"),
    ],
)
async def test_errors_of_qwen_audio_surface(
    emulator: Emulator, model: str, voice: str, code: str, message: str
) -> None:
    refused = await in_thread(
        lambda: refusal(sdk.SpeechSynthesizer(model, voice), TEXT)
    )
    assert refused[0] == code
    assert message in refused[1]


async def test_the_object_pool_reuses_its_sockets(emulator: Emulator) -> None:
    def work() -> list[bytes]:
        pool = sdk.SpeechSynthesizerObjectPool(max_size=1)
        try:
            audio = []
            for text in SENTENCES:
                recorder = Recorder()
                synthesizer = pool.borrow_synthesizer(MODEL, VOICE, callback=recorder)
                synthesizer.streaming_call(text)
                synthesizer.streaming_complete()
                pool.return_synthesizer(synthesizer)
                audio.append(recorder.audio)
            synthesizer.close()
            return audio
        finally:
            pool.shutdown()

    audio = await in_thread(work)
    assert [texts(emulator, one) for one in audio] == [[text] for text in SENTENCES]
    assert {task.connection for task in emulator.tasks} == {1}
    assert emulator.connections[0].tasks == 2


async def test_a_wrong_key_is_refused_at_the_handshake(emulator: Emulator) -> None:
    """The SDK itself polls for five seconds, so its transport is asked directly."""
    header = sdk.SpeechSynthesizer(MODEL, VOICE).request.get_websocket_headers({}, None)
    header["Authorization"] = "Bearer sk-wrong"
    url = dashscope.base_websocket_api_url
    with pytest.raises(websocket.WebSocketBadStatusException, match="401"):
        await in_thread(lambda: websocket.create_connection(url, header=header))


@pytest.mark.parametrize(
    ("values", "code", "message"),
    [
        ({"voice": "longcheng_v2"}, "InvalidParameter", "error code: 418"),
        ({"voice": "nobody"}, "InvalidParameter", "error code: 418"),
        ({"voice": f"{MODEL}-mine-1"}, "InvalidParameter", "error code: 418"),
        ({"voice": None}, "InvalidParameter", "Request voice is invalid!"),
        ({"model": "cosyvoice-v3.5-plus"}, "InvalidParameter", "error code: 418"),
        ({"model": "cosyvoice-v9"}, "ModelNotFound", "Model not found"),
        ({"model": ""}, "InvalidParameter", "'payload.model'"),
        ({"instruction": "开心一点"}, "InvalidParameter", "error code: 428"),
        ({"speech_rate": 2.5}, "InvalidParameter", "rate"),
        ({"pitch_rate": 0.1}, "InvalidParameter", "pitch"),
        ({"volume": 101}, "InvalidParameter", "volume"),
        ({"seed": 65536}, "InvalidParameter", "seed"),
        ({"language_hints": ["xx"]}, "InvalidParameter", "language_hints"),
        ({"text": "。"}, "InvalidParameter", "Please ensure input text is valid."),
        ({"text": "😀"}, "InvalidParameter", "Please ensure input text is valid."),
        ({"text": "好" * 10_001}, "InvalidParameter", "expected 20000"),
        ({"text": "<speak>你好"}, "InvalidParameter", "SSML"),
        (
            {"voice": "loongandy_v3", "text": "<speak>你好</speak>"},
            "InvalidParameter",
            "SSML text is not supported at the moment!",
        ),
    ],
)
async def test_errors_surface_in_the_sdk(
    emulator: Emulator, values: dict[str, Any], code: str, message: str
) -> None:
    text = values.pop("text", TEXT)
    arguments = {"model": MODEL, "voice": VOICE, **values}
    refused = await in_thread(lambda: refusal(sdk.SpeechSynthesizer(**arguments), text))
    assert refused[0] == code
    assert message in refused[1]
    assert emulator.tasks[-1].outcome == "failed"
    assert emulator.bill == {}


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (FaultKind.ARREARS, "Arrearage"),
        (FaultKind.FREE_QUOTA, "AllocationQuota.FreeTierOnly"),
        (FaultKind.ACCESS_DENIED, "Model.AccessDenied"),
        (FaultKind.THROTTLED, "Throttling.RateQuota"),
        (FaultKind.INTERNAL_ERROR, "InternalError"),
        (FaultKind.CONTENT, "DataInspectionFailed"),
    ],
)
@pytest.mark.parametrize("point", [Point.BEFORE_STARTED, Point.MID_SENTENCE])
async def test_faults_surface_in_the_sdk(
    emulator: Emulator, kind: FaultKind, point: Point, code: str
) -> None:
    emulator.script(Fault(kind, point))
    refused = await in_thread(
        lambda: refusal(sdk.SpeechSynthesizer(MODEL, VOICE), TEXT)
    )
    assert refused[0] == code


async def test_a_gap_in_the_text_ends_the_task(emulator: Emulator) -> None:
    emulator.config.text_gap = 0.05
    recorder = Recorder()

    def work() -> None:
        synthesizer = sdk.SpeechSynthesizer(MODEL, VOICE, callback=recorder)
        synthesizer.streaming_call("你好")
        recorder.closed.wait()
        synthesizer.close()

    await in_thread(work)
    assert "request timeout after 0.05 seconds." in recorder.errors[0]


async def test_streaming_takes_one_text_with_ssml(emulator: Emulator) -> None:
    recorder = Recorder()

    def work() -> None:
        flag = {"enable_ssml": True}
        synthesizer = sdk.SpeechSynthesizer(
            MODEL, VOICE, callback=recorder, additional_params=flag
        )
        synthesizer.streaming_call("<speak>你好</speak>")
        synthesizer.streaming_call("<speak>再见</speak>")
        recorder.closed.wait()
        synthesizer.close()

    await in_thread(work)
    assert "Text request limit violated, expected 1." in recorder.errors[0]
