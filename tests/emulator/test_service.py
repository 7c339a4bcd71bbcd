"""The WebSocket interface against what the documentation says of it."""

from typing import Any

import aiohttp
import pytest

from .config import Usage
from .rules import instructions, voices
from .wire import KEY, MODEL, PATH, bearer, connect, emulating, output_type

TEXT = "你好，欢迎回家。今天天气很好。"


@pytest.mark.parametrize("path", [PATH, f"{PATH}/"])
async def test_a_task_from_its_start_to_its_end(path: str) -> None:
    async with emulating() as emulator, connect(emulator, path=path) as wire:
        audio = await wire.speak("你好，欢迎", "回家。今天", "天气很好。")
        kinds = [e["header"]["event"] for e in wire.events]
        assert kinds[0] == "task-started"
        assert kinds[-1] == "task-finished"
        results = [output_type(event) for event in wire.events[1:-1]]
        chunks = len(wire.audio) // 2
        one = ["sentence-begin", *["sentence-synthesis"] * chunks, "sentence-end"]
        assert results == one * 2
        heard = emulator.heard(audio, "pcm", 24000)
        assert [h.text for h in heard] == ["你好，欢迎回家。", "今天天气很好。"]
        begins = [e["payload"] for e in wire.events if "begin" in str(output_type(e))]
        assert [b["output"]["sentence"]["index"] for b in begins] == [0, 1]
        assert begins[1]["output"]["original_text"] == "今天天气很好。"
        assert wire.usage == 27 == emulator.tasks[0].characters
        assert emulator.tasks[0].audio_seconds == pytest.approx(len(audio) / 48000)


async def test_the_last_sentence_is_held_until_more_text_comes() -> None:
    async with emulating() as emulator, connect(emulator) as wire:
        await wire.run_task()
        await wire.text("真的吗？")
        await wire.text("\n ")
        await wire.text("是")
        event = await wire.until("sentence-begin")
        assert event["payload"]["output"]["original_text"] == "真的吗？\n "
        await wire.flush()
        event = await wire.until("sentence-begin")
        assert event["payload"]["output"]["original_text"] == "是"
        await wire.finish()
        await wire.until("task-finished")
        assert emulator.tasks[0].flushes == 1


@pytest.mark.parametrize(
    ("usage", "in_sentences", "in_the_end"),
    [
        ("sentence", [14, 27], None),
        ("finished", [None, None], 27),
        ("both", [14, 27], 27),
        ("none", [None, None], None),
    ],
)
async def test_usage_is_reported_where_it_is_configured(
    usage: Usage, in_sentences: list[int | None], in_the_end: int | None
) -> None:
    async with emulating(usage=usage) as emulator, connect(emulator) as wire:
        await wire.speak(TEXT)
        figures = [
            event["payload"].get("usage", {}).get("characters")
            for event in wire.events
            if output_type(event) == "sentence-end"
        ]
        assert figures == in_sentences
        end = wire.events[-1]["payload"].get("usage", {}).get("characters")
        assert end == in_the_end
        assert emulator.bill == {MODEL: 27}


async def test_the_old_form_has_usage_and_no_sentence_events() -> None:
    async with emulating(usage="old") as emulator, connect(emulator) as wire:
        await wire.speak(TEXT)
        results = wire.events[1:-1]
        assert {output_type(event) for event in results} == {None}
        assert [e["payload"]["usage"]["characters"] for e in results][-1] == 27
        assert len(results) == len(wire.audio)


async def test_a_connection_serves_one_task_after_the_other() -> None:
    async with emulating() as emulator, connect(emulator) as wire:
        for audio_format in ("pcm", "wav", "mp3", "opus"):
            audio = await wire.speak(TEXT, format=audio_format)
            heard = emulator.heard(audio, "pcm" if audio_format == "pcm" else None)
            assert [h.complete for h in heard] == [True, True]
        assert emulator.connections[0].tasks == 4
        assert emulator.connections[0].headers.keys().isdisjoint({"Authorization"})
    assert emulator.connections[0].closed is not None


async def test_a_new_task_preempts_the_old_one() -> None:
    async with emulating(real_time_factor=1.0) as emulator, connect(emulator) as wire:
        await wire.run_task()
        await wire.text(TEXT)
        await wire.until("sentence-synthesis")
        emulator.config.real_time_factor = 0
        await wire.speak("再见。")
        ids = {event["header"]["task_id"] for event in wire.events}
        assert wire.task_id in ids
        assert [t.outcome for t in emulator.tasks] == ["preempted", "finished"]


async def test_cancelling_drops_the_rest_and_keeps_the_connection() -> None:
    async with emulating(real_time_factor=1.0) as emulator, connect(emulator) as wire:
        await wire.run_task()
        await wire.text(TEXT)
        await wire.until("sentence-synthesis")
        await wire.finish(directive="cancel")
        await wire.until("task-finished")
        emulator.config.real_time_factor = 0
        await wire.speak("再见。")
        assert [t.outcome for t in emulator.tasks] == ["cancelled", "finished"]
        assert emulator.tasks[0].characters == 14


async def test_leaving_ends_the_task() -> None:
    async with emulating(real_time_factor=1.0) as emulator:
        async with connect(emulator) as wire:
            await wire.run_task()
            await wire.text(TEXT)
            await wire.until("sentence-synthesis")
        await emulator.until(lambda: emulator.open_connections == 0)
        assert emulator.tasks[0].outcome == "disconnected"


@pytest.mark.parametrize(
    "message",
    [
        "no JSON",
        "[]",
        '{"header": {}}',
        '{"header": {"action": "run-task", "task_id": "1"}, "payload": {}}',
        '{"header": {"action": "jump", "task_id": "1", "streaming": "duplex"}, "payload": {}}',
        '{"header": {"action": "run-task", "task_id": "", "streaming": "duplex"}, "payload": {}}',
        '{"header": {"action": "run-task", "task_id": "1", "streaming": "duplex"}, "payload": []}',
        '{"header": {"action": "run-task", "task_id": "\\ud800", "streaming": "duplex"}, "payload": {}}',
    ],
)
async def test_what_is_no_message_closes_with_1007(message: str) -> None:
    async with emulating() as emulator, connect(emulator) as wire:
        await wire.ws.send_str(message)
        assert await wire.receive() is None
        assert wire.ws.close_code == aiohttp.WSCloseCode.INVALID_TEXT
    async with emulating() as emulator, connect(emulator) as wire:
        await wire.ws.send_bytes(b"{}")
        assert await wire.receive() is None
        assert wire.ws.close_code == aiohttp.WSCloseCode.INVALID_TEXT


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ({"model": None}, "Missing required parameter 'payload.model'!"),
        ({"input": None}, "task can not be null"),
        ({"task": "asr"}, "task can not be null"),
        ({"parameters": None}, "Request voice is invalid!"),
        ({"parameters": {"voice": 1}}, "Request voice is invalid!"),
    ],
)
async def test_a_bad_start_fails(payload: dict[str, Any], message: str) -> None:
    async with emulating() as emulator, connect(emulator) as wire:
        await wire.run_task(payload=payload)
        code, text = await wire.failure()
        assert code == "InvalidParameter"
        assert message in text


@pytest.mark.parametrize(
    "parameters",
    [
        {"rate": 0.4},
        {"rate": True},
        {"pitch": "1"},
        {"volume": 50.5},
        {"volume": -1},
        {"seed": 70000},
        {"bit_rate": 5},
        {"sample_rate": 11025},
        {"format": "flac"},
        {"enable_ssml": 1},
        {"instruction": 5},
        {"language_hints": "zh"},
        {"language_hints": [["zh"]]},
        {"hot_fix": {"replace": "x"}},
    ],
)
async def test_a_bad_parameter_fails(parameters: dict[str, Any]) -> None:
    async with emulating() as emulator, connect(emulator) as wire:
        await wire.run_task(**parameters)
        assert (await wire.failure())[0] == "InvalidParameter"
        assert emulator.tasks[0].outcome == "failed"


@pytest.mark.parametrize(
    ("model", "voice", "region", "works"),
    [
        ("cosyvoice-v3-flash", "longanyang", "cn-beijing", True),
        ("cosyvoice-v3-plus", "longanyang", "ap-southeast-1", True),
        ("cosyvoice-v2", "longanyang", "cn-beijing", False),
        ("cosyvoice-v2", "longcheng_v2", "cn-beijing", True),
        ("cosyvoice-v3.5-flash", "longanyang", "cn-beijing", False),
        ("cosyvoice-v3-flash", "cosyvoice-v3-flash-me-1", "cn-beijing", True),
        ("cosyvoice-v3-plus", "cosyvoice-v3-flash-me-1", "cn-beijing", False),
        ("cosyvoice-v3-flash", "cosyvoice-v3-flash-new-2", "cn-beijing", False),
    ],
)
async def test_a_voice_belongs_to_its_models(
    model: str, voice: str, region: str, works: bool
) -> None:
    cloned = {"cosyvoice-v3-flash-me-1": "OK", "cosyvoice-v3-flash-new-2": "DEPLOYING"}
    settings = {"region": region, "cloned_voices": cloned}
    async with emulating(**settings) as emulator, connect(emulator) as wire:
        await wire.run_task(model, voice=voice)
        if works:
            await wire.until("task-started")
        else:
            assert "error code: 418" in (await wire.failure())[1]


async def test_models_belong_to_regions() -> None:
    async with emulating(region="ap-southeast-1") as emulator:
        for model, code in (
            ("cosyvoice-v2", "AccessDenied"),
            ("cosyvoice-v3", "ModelNotFound"),
        ):
            async with connect(emulator) as wire:
                await wire.run_task(model)
                assert (await wire.failure())[0] == code


def test_the_voices_are_those_of_the_documentation() -> None:
    assert len(voices("cosyvoice-v3-flash", "cn-beijing")) == 88
    assert len(voices("cosyvoice-v3-flash", "ap-southeast-1")) == 66
    assert len(voices("cosyvoice-v2", "cn-beijing")) == 107
    assert len(voices("cosyvoice-v1", "cn-beijing")) == 20
    assert voices("cosyvoice-v3.5-plus", "cn-beijing") == []


@pytest.mark.parametrize(
    ("voice", "instruction", "works"),
    [
        ("longanyang", "你说话的情感是happy。", True),
        ("longanyang", "你正在进行新闻播报，你说话的情感是neutral。", True),
        ("longanyang", "你说话的情感是happy", False),
        ("longanhuan_v3", "请用四川话表达。", True),
        ("longanhuan_v3", "你说话的情感是happy。", False),
        ("cosyvoice-v3-flash-me-1", "像在讲故事一样", True),
        ("cosyvoice-v3-flash-me-1", "慢" * 51, False),
    ],
)
async def test_an_instruction_must_suit_the_voice(
    voice: str, instruction: str, works: bool
) -> None:
    cloned = {"cosyvoice-v3-flash-me-1": "OK"}
    async with emulating(cloned_voices=cloned) as emulator, connect(emulator) as wire:
        await wire.run_task(voice=voice, instruction=instruction)
        if works:
            await wire.until("task-started")
        else:
            assert "error code: 428" in (await wire.failure())[1]


def test_v3_plus_lacks_two_scenes() -> None:
    scene = "你正在进行课堂教学，你说话的情感是happy。"
    assert scene in instructions("longanhuan", "cosyvoice-v3-flash")
    assert scene not in instructions("longanhuan", "cosyvoice-v3-plus")


@pytest.mark.parametrize("text", [None, "", "。", "……\n", "😀😀", "  "])
async def test_nothing_to_say_fails_in_the_end(text: str | None) -> None:
    async with emulating() as emulator, connect(emulator) as wire:
        await wire.run_task()
        if text is not None:
            await wire.text(text)
        await wire.finish()
        message = "Please ensure input text is valid."
        assert await wire.failure() == ("InvalidParameter", message)
        assert emulator.bill == {}


async def test_the_limits_of_a_message_and_of_a_task() -> None:
    settings = {"message_limit": 10, "task_limit": 15}
    async with emulating(**settings) as emulator:
        async with connect(emulator) as wire:
            await wire.run_task()
            await wire.text("一二三四五六")
            assert "expected 10" in (await wire.failure())[1]
        async with connect(emulator) as wire:
            await wire.run_task()
            await wire.text("一二三四五")
            await wire.text("一二三")
            assert "expected 15" in (await wire.failure())[1]


@pytest.mark.parametrize(
    "values", [{}, {"text": None}, {"text": 5}, {"flush": "yes"}, None]
)
async def test_a_continue_without_text_fails(values: object) -> None:
    async with emulating() as emulator, connect(emulator) as wire:
        await wire.run_task()
        await wire.send("continue-task", {"input": values})
        assert (await wire.failure())[0] == "InvalidParameter"


async def test_text_after_the_end_fails() -> None:
    async with emulating(real_time_factor=1.0) as emulator, connect(emulator) as wire:
        await wire.run_task()
        await wire.text(TEXT)
        await wire.finish()
        await wire.text("more")
        assert "after finish-task" in (await wire.failure())[1]


async def test_a_message_for_an_unknown_task_fails() -> None:
    async with emulating() as emulator, connect(emulator) as wire:
        await wire.send("continue-task", {"input": {"text": "x"}}, task_id="other")
        assert "task_id" in (await wire.failure())[1]


async def test_a_message_for_the_task_that_just_ended_is_ignored() -> None:
    async with emulating() as emulator, connect(emulator) as wire:
        await wire.speak(TEXT)
        await wire.finish(directive="cancel")
        await wire.speak(TEXT)
        assert [t.outcome for t in emulator.tasks] == ["finished", "finished"]


async def test_plain_text_may_be_sent_as_ssml() -> None:
    async with emulating() as emulator, connect(emulator) as wire:
        audio = await wire.speak("1 < 2。", enable_ssml=True)
        assert [h.text for h in emulator.heard(audio, "pcm", 24000)] == ["1 < 2。"]


@pytest.mark.parametrize(
    "ssml",
    [
        "<speak>你好",
        "<speak><speak>你好</speak></speak>",
        "<speak><b>你好</b></speak>",
        "<speak>你好</speak>外面",
        '<speak rate="9">你好</speak>',
        '<speak pitch="high">你好</speak>',
        '<speak>你好<break time="soon"/></speak>',
    ],
)
async def test_bad_ssml_fails(ssml: str) -> None:
    async with emulating() as emulator, connect(emulator) as wire:
        await wire.run_task(enable_ssml=True)
        await wire.text(ssml)
        assert "SSML" in (await wire.failure())[1]


async def test_ssml_is_spoken_without_its_tags() -> None:
    ssml = (
        '<speak volume="80">你好<break time="2s"/>再见</speak>'
        '<speak><sub alias="Model Studio">MS</sub>的<say-as interpret-as="digits">12'
        '</say-as><break time="20s"/></speak>'
    )
    async with emulating() as emulator, connect(emulator) as wire:
        audio = await wire.speak(ssml, enable_ssml=True)
        texts = [h.text for h in emulator.heard(audio, "pcm", 24000)]
        assert texts == ["你好", "再见", "Model Studio的12"]
        first, second, third = emulator.tasks[0].sentences
        # A break lasts 10 s at most.
        assert first.audio_seconds - second.audio_seconds == pytest.approx(2)
        assert third.audio_seconds - second.audio_seconds == pytest.approx(10)
        assert wire.usage == 4 + 4 + 16


@pytest.mark.parametrize(
    ("breaks", "seconds"),
    [(("1s", "2s"), 3.0), (("6s", "6s"), 10.0), (("500ms", "500ms", "1s"), 2.0)],
)
async def test_breaks_in_a_row_add_up(breaks: tuple[str, ...], seconds: float) -> None:
    pauses = "".join(f'<break time="{time}"/>' for time in breaks)
    async with emulating() as emulator, connect(emulator) as wire:
        await wire.speak(f"<speak>你好{pauses}再见</speak>", enable_ssml=True)
        first, second = emulator.tasks[0].sentences
        assert (first.text, second.text) == ("你好", "再见")
        assert first.audio_seconds - second.audio_seconds == pytest.approx(seconds)


async def test_a_gap_in_the_text_ends_the_task() -> None:
    async with emulating(text_gap=0.05) as emulator, connect(emulator) as wire:
        await wire.run_task()
        await wire.text("你好")
        code, message = await wire.failure()
        assert code == "InvalidParameter"
        assert message == "request timeout after 0.05 seconds."
        assert emulator.tasks[0].outcome == "failed"


async def test_the_gap_does_not_count_while_audio_is_sent() -> None:
    settings = {"text_gap": 0.5, "real_time_factor": 1.0}
    async with emulating(**settings) as emulator, connect(emulator) as wire:
        await wire.run_task()
        await wire.text(TEXT)
        await wire.until("sentence-end")
        await wire.finish()
        await wire.until("task-finished")
        assert emulator.tasks[0].outcome == "finished"


async def test_an_idle_connection_is_closed() -> None:
    async with emulating(idle=0.05) as emulator, connect(emulator) as wire:
        await wire.speak(TEXT)
        assert await wire.receive() is None
        assert wire.ws.close_code == aiohttp.WSCloseCode.OK
        await emulator.until(lambda: emulator.open_connections == 0)


async def test_task_starts_are_throttled_per_model() -> None:
    async with emulating(starts_per_second=2) as emulator, connect(emulator) as wire:
        await wire.run_task()
        await wire.run_task("cosyvoice-v3-plus")
        await wire.run_task()
        await wire.run_task()
        assert (await wire.failure())[0] == "Throttling.RateQuota"
        assert [task.outcome for task in emulator.tasks][-1] == "failed"


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ({}, 401),
        (bearer("sk-wrong"), 401),
        (bearer("sk-singapore"), 401),
        ({"Authorization": f"Basic {KEY}"}, 401),
        ({"Authorization": f"bearer {KEY}"}, 101),
    ],
)
async def test_the_key_is_checked_at_the_handshake(
    header: dict[str, str], status: int
) -> None:
    keys = {KEY: "cn-beijing", "sk-singapore": "ap-southeast-1"}
    async with emulating(api_keys=keys) as emulator, aiohttp.ClientSession() as session:
        url = emulator.url + PATH
        if status == 101:
            await (await session.ws_connect(url, headers=header)).close()
        else:
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await session.ws_connect(url, headers=header)
            async with session.get(url, headers=header) as response:
                assert (await response.json())["code"] == "InvalidApiKey"
        assert emulator.connections[0].status == status


@pytest.mark.parametrize("word_times", ["sentence", "task"])
async def test_words_have_times_when_asked_for(word_times: str) -> None:
    async with emulating(word_times=word_times) as emulator, connect(emulator) as wire:
        await wire.speak("今天好。It's late.", word_timestamp_enabled=True)
        assert [w["text"] for w in wire.words] == ["今", "天", "好", "It's", "late"]
        first = emulator.tasks[0].sentences[0].audio_seconds * 1000
        for word in wire.words:
            assert word["begin_time"] < word["end_time"]
        by_task = word_times == "task"
        assert (wire.words[3]["begin_time"] >= first) is by_task
        assert wire.words[3]["begin_index"] == (3 if by_task else 0)
        assert wire.words[4]["end_index"] == (5 if by_task else 9)
        await wire.speak("今天好。")
        assert wire.words == []


async def test_voices_without_word_timestamps_give_none() -> None:
    async with emulating() as emulator, connect(emulator) as wire:
        await wire.speak("hi", voice="loongandy_v3", word_timestamp_enabled=True)
        assert wire.words == []


async def test_a_long_sentence_may_be_cut_off_though_billed() -> None:
    async with emulating(sentence_audio_limit=0.5) as emulator:
        async with connect(emulator) as wire:
            audio = await wire.speak("你好")
        assert len(audio) == 24000
        assert emulator.bill == {MODEL: 4}
