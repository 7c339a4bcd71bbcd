"""Qwen-Audio-TTS: its voices, its bills in tokens, its tags, and what it does otherwise."""

from decimal import Decimal
from typing import Any

import pytest

from . import Emulator, Fault, Oddity, Point
from .audio import decode
from .billing import input_tokens, output_tokens
from .catalogue import data, models, voices
from .wire import connect, emulating

FLASH_30, PLUS_30, FLASH_31 = (
    "qwen-audio-3.0-tts-flash",
    "qwen-audio-3.0-tts-plus",
    "qwen-audio-3.1-tts-flash",
)
BEIJING, SINGAPORE = "cn-beijing", "ap-southeast-1"
VOICES = {FLASH_30: "loongjohn", PLUS_30: "longanlingxin", FLASH_31: "longanhuan_v3.1"}
TEXT = "你好，欢迎回家。今天天气很好。"
SENTENCES = ["你好，欢迎回家。", "今天天气很好。"]
SAMPLE = "你好，这是一段流式语音合成测试。"
FOREIGN = "[cosyvoice:]Engine error [411]: TTS speak operation failed"


def test_the_voices_are_those_of_the_documentation() -> None:
    assert len(voices(FLASH_31, BEIJING)) == 68
    assert len(voices(FLASH_30, BEIJING)) == len(voices(FLASH_30, SINGAPORE)) == 12
    # One more was seen to work than the list has.
    assert len(voices(PLUS_30, BEIJING)) == 2 + 1
    assert voices(FLASH_31, SINGAPORE) == []


@pytest.mark.parametrize("rate", [22_050, 44_100])
async def test_opus_has_only_its_rates(rate: int) -> None:
    async with emulating() as emulator, connect(emulator) as wire:
        voice = VOICES[FLASH_31]
        await wire.run_task(FLASH_31, voice=voice, format="opus", sample_rate=rate)
        assert "sample_rate" in (await wire.failure())[1]


@pytest.mark.parametrize("model", VOICES)
async def test_every_voice_speaks(model: str) -> None:
    async with emulating() as emulator, connect(emulator) as wire:
        for voice in voices(model, BEIJING):
            audio = await wire.speak(TEXT, model=model, voice=voice)
            heard = [signal.text for signal in emulator.heard(audio, "pcm", 24000)]
            assert heard == SENTENCES


@pytest.mark.parametrize(
    ("model", "voice", "works"),
    [
        (FLASH_31, "Emily_v3.1", True),
        (FLASH_31, "emily_v3.1", False),
        (FLASH_31, "longanhuan", False),
        (FLASH_30, "longanlingxi", True),
        (PLUS_30, "longanlingxi", False),
        (FLASH_30, "longanlingxin", False),
        (PLUS_30, "longanhuan_v3.6", True),
        (FLASH_30, f"{FLASH_30}-longyunfuhong", True),
        (PLUS_30, f"{PLUS_30}-longyunfuhong", True),
        (PLUS_30, f"{FLASH_30}-longyunfuhong", False),
        (FLASH_31, f"{FLASH_31}-longyunfuhong", False),
        (FLASH_31, f"{FLASH_31}-me-1", True),
        (FLASH_30, f"{FLASH_31}-me-1", False),
    ],
)
async def test_a_voice_belongs_to_one_model(
    model: str, voice: str, works: bool
) -> None:
    cloned = {f"{FLASH_31}-me-1": "OK"}
    async with emulating(cloned_voices=cloned) as emulator, connect(emulator) as wire:
        await wire.run_task(model, voice=voice)
        if works:
            await wire.until("task-started")
        else:
            assert await wire.failure() == ("InvalidParameter", FOREIGN)


async def test_a_voice_of_qwen_is_418_to_cosyvoice() -> None:
    async with emulating() as emulator, connect(emulator) as wire:
        await wire.run_task(voice="longanhuan_v3.1")
        assert "418" in (await wire.failure())[1]


@pytest.mark.parametrize("model", [FLASH_30, PLUS_30])
async def test_characters_are_reported_twice(model: str) -> None:
    async with emulating() as emulator, connect(emulator) as wire:
        await wire.speak(TEXT, model=model, voice=VOICES[model])
        assert wire.usages == [{"characters": n} for n in (14, 27, 27)]
        assert emulator.bill == {model: 27}


async def test_tokens_are_reported_and_add_up() -> None:
    async with emulating() as emulator, connect(emulator) as wire:
        await wire.speak(TEXT, model=FLASH_31, voice=VOICES[FLASH_31])
        (task,) = emulator.tasks
        seconds = [sentence.audio_seconds for sentence in task.sentences]
        expected = [
            (input_tokens(SENTENCES[0]), output_tokens(seconds[0])),
            (input_tokens(TEXT), output_tokens(sum(seconds))),
        ]
        assert wire.usages == [
            {"input_tokens": i, "output_tokens": o, "total_tokens": i + o}
            for i, o in (*expected, expected[-1])
        ]
        assert emulator.bill == {}
        (entry,) = emulator.bill.entries
        assert (entry.input_tokens, entry.output_tokens) == expected[-1]
        assert emulator.bill.tokens == sum(expected[-1])
        assert entry.voice == VOICES[FLASH_31]


def test_tokens_are_those_that_were_measured() -> None:
    assert input_tokens(SAMPLE) == 16
    assert input_tokens("好" * 56) == 60
    assert output_tokens(2.88) == 36
    assert output_tokens(11.36) == 142
    assert input_tokens("It is 21 degrees.") == 1 + 1 + 1 + 2 + 1


@pytest.mark.parametrize(
    ("model", "region", "currency", "expected"),
    [
        ("cosyvoice-v3-flash", BEIJING, "CNY", "0.0027"),
        ("cosyvoice-v3-flash", SINGAPORE, "USD", "0.000351"),
        ("cosyvoice-v3-plus", SINGAPORE, "CNY", "0.00515214"),
        (FLASH_30, BEIJING, "CNY", "0.0027"),
        (PLUS_30, SINGAPORE, "CNY", "0.004046868"),
    ],
)
async def test_the_bill_is_exact(
    model: str, region: str, currency: str, expected: str
) -> None:
    voice = VOICES.get(model, "longanyang")
    async with emulating(region=region) as emulator, connect(emulator) as wire:
        await wire.speak(TEXT, model=model, voice=voice)
        assert emulator.bill.money(currency) == Decimal(expected)


async def test_the_bill_of_tokens_is_exact() -> None:
    async with emulating() as emulator, connect(emulator) as wire:
        await wire.speak(TEXT, model=FLASH_31, voice=VOICES[FLASH_31])
        (entry,) = emulator.bill.entries
        money = entry.input_tokens * Decimal("1.5") + entry.output_tokens * 12
        assert emulator.bill.money() == money / 1_000_000


async def test_a_cancelled_task_costs_what_was_spoken() -> None:
    settings = {"real_time_factor": 1.0, "chunk": 0.2}
    async with emulating(**settings) as emulator, connect(emulator) as wire:
        await wire.run_task(FLASH_31, voice=VOICES[FLASH_31])
        await wire.text(TEXT)
        await wire.until("sentence-synthesis")
        await wire.until("sentence-synthesis")
        await wire.finish(directive="cancel")
        await wire.until("task-finished")
        (entry,) = emulator.bill.entries
        assert wire.usages[-1]["total_tokens"] == entry.tokens
        assert entry.input_tokens == input_tokens(SENTENCES[0])
        assert 0 < entry.output_tokens < output_tokens(0.8)


async def test_a_cut_task_costs_what_was_reported() -> None:
    async with emulating() as emulator, connect(emulator) as wire:
        emulator.script("reset@mid_sentence,after_sentences=1")
        await wire.run_task(FLASH_31, voice=VOICES[FLASH_31])
        await wire.text(TEXT)
        await wire.finish()
        while await wire.receive():
            pass
        (entry,) = emulator.bill.entries
        assert entry.tokens == wire.usages[-1]["total_tokens"]


@pytest.mark.parametrize(
    ("model", "region", "answered"),
    [
        (FLASH_30, SINGAPORE, True),
        (FLASH_30, BEIJING, True),
        ("cosyvoice-v3-flash", BEIJING, True),
        ("cosyvoice-v3-flash", SINGAPORE, False),
        ("cosyvoice-v1", BEIJING, False),
    ],
)
async def test_cancelling(model: str, region: str, answered: bool) -> None:
    voice = VOICES.get(model) or voices(model, region)[0]
    settings = {"region": region, "real_time_factor": 1.0}
    async with emulating(**settings) as emulator, connect(emulator) as wire:
        await wire.run_task(model, voice=voice)
        await wire.text(TEXT)
        await wire.until("sentence-synthesis")
        await wire.finish(directive="cancel")
        emulator.config.real_time_factor = 0
        if answered:
            await wire.until("task-finished")
            await wire.speak(TEXT, model=model, voice=voice)
        else:
            # It is not answered: the task continues until it is finished.
            await wire.until("sentence-end")
            await wire.finish()
            await wire.until("task-finished")
            assert emulator.tasks[0].outcome == "finished"


@pytest.mark.parametrize("tag", data()["tags"]["control"] + data()["tags"]["sound"])
async def test_a_tag_is_not_spoken(tag: str) -> None:
    async with emulating() as emulator, connect(emulator) as wire:
        text = f"好的。{tag}再见。"
        audio = await wire.speak(text, model=FLASH_31, voice=VOICES[FLASH_31])
        heard = [signal.text for signal in emulator.heard(audio, "pcm", 24000)]
        assert heard == ["好的。", "再见。"]
        # It is part of the sent text, and is billed.
        assert emulator.tasks[0].sentences[1].text == f"{tag}再见。"
        assert wire.usages[-1]["input_tokens"] == input_tokens(text)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["见 [1] 和 a[i]。"], "见 [1] 和 a[i]。"),
        (["[Laughing]好。"], "[Laughing]好。"),
        # A tag that is torn is read aloud.
        (["[laug", "hing]好。"], "[laughing]好。"),
        (["[laughing]好。"], "好。"),
    ],
)
async def test_only_whole_tags_are_left_out(texts: list[str], expected: str) -> None:
    async with emulating() as emulator, connect(emulator) as wire:
        audio = await wire.speak(*texts, model=FLASH_30, voice=VOICES[FLASH_30])
        assert [h.text for h in emulator.heard(audio, "pcm", 24000)] == [expected]


async def test_cosyvoice_reads_tags_aloud() -> None:
    async with emulating() as emulator, connect(emulator) as wire:
        audio = await wire.speak("[laughing]好。")
        assert [h.text for h in emulator.heard(audio, "pcm", 24000)] == [
            "[laughing]好。"
        ]


async def test_a_sound_may_stand_alone() -> None:
    async with emulating() as emulator, connect(emulator) as wire:
        audio = await wire.speak("[cough]", model=FLASH_30, voice=VOICES[FLASH_30])
        assert len(audio) > 0
        assert emulator.heard(audio, "pcm", 24000) == []


@pytest.mark.parametrize("text", ["<speak>你好。</speak>", "<speak rate='9'>你好。"])
@pytest.mark.parametrize("flag", [True, False])
async def test_markup_is_dropped_for_system_voices(text: str, flag: bool) -> None:
    async with emulating() as emulator, connect(emulator) as wire:
        audio = await wire.speak(
            text, model=FLASH_31, voice=VOICES[FLASH_31], enable_ssml=flag
        )
        assert [h.text for h in emulator.heard(audio, "pcm", 24000)] == ["你好。"]


async def test_cloned_voices_speak_markup() -> None:
    cloned = {f"{FLASH_31}-me-1": "OK"}
    async with emulating(cloned_voices=cloned) as emulator, connect(emulator) as wire:
        text = '<speak>你好<break time="2s"/>再见</speak>'
        audio = await wire.speak(
            text, model=FLASH_31, voice=f"{FLASH_31}-me-1", enable_ssml=True
        )
        heard = [h.text for h in emulator.heard(audio, "pcm", 24000)]
        assert heard == ["你好", "再见"]


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"instruction": "请用四川话表达，疲倦一点。"}, None),
        ({"instruction": "慢" * 50}, None),
        ({"instruction": "慢" * 51}, "428"),
        ({"language_hints": ["fil"]}, None),
        ({"language_hints": ["ar", "xx"]}, None),
        ({"language_hints": ["xx"]}, "language_hints"),
        ({"seed": 7, "word_timestamp_enabled": True}, None),
        ({"hot_fix": {"replace": [{"今天": "金天"}]}}, None),
    ],
)
async def test_parameters(parameters: dict[str, Any], code: str | None) -> None:
    async with emulating() as emulator, connect(emulator) as wire:
        await wire.run_task(FLASH_31, voice=VOICES[FLASH_31], **parameters)
        if code is None:
            await wire.until("task-started")
        else:
            assert code in (await wire.failure())[1]


async def test_cosyvoice_knows_fewer_languages() -> None:
    async with emulating() as emulator, connect(emulator) as wire:
        await wire.run_task(language_hints=["fil"])
        assert "language_hints" in (await wire.failure())[1]


async def test_the_bit_rate_of_mp3_can_be_chosen() -> None:
    async with emulating() as emulator, connect(emulator) as wire:
        sizes = {}
        for model, voice in (
            (FLASH_30, VOICES[FLASH_30]),
            ("cosyvoice-v3-flash", "longanyang"),
        ):
            for rate in (16, 64, 510):
                audio = await wire.speak(
                    TEXT, model=model, voice=voice, format="mp3", bit_rate=rate
                )
                assert decode(audio)[1] == 24000
                sizes[model, rate] = len(audio)
        assert sizes[FLASH_30, 16] * 2 < sizes[FLASH_30, 64] < sizes[FLASH_30, 510]
        assert len({sizes["cosyvoice-v3-flash", rate] for rate in (16, 64, 510)}) == 1


@pytest.mark.parametrize(
    ("model", "settings", "expected"),
    [
        (FLASH_31, {"region": SINGAPORE}, ("AccessDenied", "Model access denied.")),
        ("qwen-audio-3.1-tts-plus", {}, ("ModelNotFound", "Model not exist.")),
        (
            FLASH_30,
            {"closed_models": [FLASH_30]},
            ("AccessDenied", "Model access denied."),
        ),
    ],
)
async def test_a_model_may_be_closed_to_the_account(
    model: str, settings: dict[str, Any], expected: tuple[str, str]
) -> None:
    async with emulating(**settings) as emulator, connect(emulator) as wire:
        await wire.run_task(model)
        assert await wire.failure() == expected


async def test_a_model_may_be_opened_for_an_account() -> None:
    settings = {"region": SINGAPORE, "opened_models": [FLASH_31]}
    async with emulating(**settings) as emulator, connect(emulator) as wire:
        await wire.speak(TEXT, model=FLASH_31, voice=VOICES[FLASH_31])
        assert emulator.bill.money("USD") > 0


@pytest.mark.parametrize("kind", [Oddity.VOICE_411, Oddity.VOICE_418, Oddity.URL_ERROR])
async def test_sporadic_errors_pass(kind: Oddity) -> None:
    async with emulating() as emulator:
        emulator.script(Fault(kind, Point.BEFORE_STARTED))
        async with connect(emulator) as wire:
            await wire.run_task()
            code, message = await wire.failure()
            assert code == "InvalidParameter"
            assert "41" in message or "url error, please check url！" in message
        async with connect(emulator) as wire:
            await wire.speak(TEXT)


INVALID_ACTION = (
    "InvalidParameter",
    "Invalid action('run-task')! Please follow the protocol!",
)


async def test_a_second_start_may_be_refused() -> None:
    settings = {"second_start": "refused", "real_time_factor": 1.0}
    async with emulating(**settings) as emulator, connect(emulator) as wire:
        await wire.run_task()
        await wire.text(TEXT)
        await wire.until("sentence-synthesis")
        await wire.run_task()
        assert await wire.failure() == INVALID_ACTION
        assert wire.events[-1]["header"]["task_id"] == wire.task_id
        assert [t.outcome for t in emulator.tasks] == ["preempted", "failed"]


async def open_ahead(emulator: Emulator, seconds: float) -> str | None:
    """Run a task some seconds after opening; return the error's message."""
    async with connect(emulator) as wire:
        if seconds:
            with pytest.raises(TimeoutError):
                await wire.ws.receive(timeout=seconds)
        # aiohttp closes a WebSocket whose receiving timed out only in its own view.
        await wire.run_task()
        event = await wire.receive()
        assert event is not None
        message: str | None = event["header"].get("error_message")
        return message


async def test_a_socket_that_was_opened_ahead_may_be_refused() -> None:
    async with emulating() as emulator:
        emulator.script("invalid_action@before_started,on=opened_ahead,times=always")
        assert await open_ahead(emulator, 0) is None
        assert await open_ahead(emulator, 0.15) == INVALID_ACTION[1]


def test_the_models_are_complete() -> None:
    assert len(models()) == 9
    for model in models().values():
        assert all(region in model.prices for region in model.regions)


async def test_an_idle_connection_is_closed_with_bye() -> None:
    async with emulating(idle=0.05) as emulator, connect(emulator) as wire:
        await wire.speak(TEXT, model=FLASH_30, voice=VOICES[FLASH_30])
        message = await wire.ws.receive(timeout=10)
        assert (message.data, message.extra) == (1000, "Bye")


async def test_its_files_begin_as_they_were_seen_to() -> None:
    async with emulating() as emulator, connect(emulator) as wire:
        voice = VOICES[FLASH_31]
        mp3 = await wire.speak(TEXT, model=FLASH_31, voice=voice, format="mp3")
        wav = await wire.speak(TEXT, model=FLASH_31, voice=voice, format="wav")
        assert mp3.startswith(b"ID3")
        assert wav[40:44] == b"\xff\xff\xff\x7f"
        for audio in (mp3, wav):
            assert [h.text for h in emulator.heard(audio)] == SENTENCES
        wav = await wire.speak(TEXT, format="wav")
        assert wav[40:44] == b"\xff\xff\xff\xff"
