"""Every difference makes a difference, where it is said to."""

from typing import Any

import pytest

from . import Emulator, EmulatorConfig, count_characters
from .differences import differences
from .facts import Facts
from .scenarios import (
    FREE,
    HUAN,
    JOHN,
    QWEN_30,
    QWEN_31,
    SINGAPORE,
    Scenario,
    bad_text,
    before_finish,
    beside,
    cancel,
    dashed,
    early_text,
    failed,
    flush,
    gap,
    gap_in_audio,
    gap_length,
    handshake,
    heard,
    idle,
    idle_length,
    last_event,
    opened_ahead,
    pages,
    ping,
    pinged,
    second_start,
    setting,
    singapore,
    starts,
    starts_of_two,
    talk,
    token,
    twice,
    unknown_task,
)
from .scenarios_http import (
    clone_at_once,
    clone_elsewhere,
    clone_id,
    clone_state,
    cloning,
    create,
    data_uri,
    deleted,
    designed,
    listed,
    long_page,
    over_http,
    short_recording,
    unresolved,
    upload_host,
    upload_status,
)
from .wire import KEY, MODEL, PATH, VOICE

SSML = '<speak>你好<break time="2s"/>再见</speak>'
SSML_QWEN: dict[str, Any] = {"model": QWEN_31, "voice": HUAN, "enable_ssml": True}
SCENARIOS: dict[str, Scenario] = {
    "handshake-403": handshake("sk-wrong"),
    "handshake-page": handshake("sk-wrong"),
    "handshake-any-key": handshake("sk-wrong"),
    "key-of-any-region": handshake("sk-singapore"),
    "keys-refused": handshake(),
    "no-key-needed": handshake(None),
    "http-key-code": token(key="sk-wrong"),
    "unknown-path-403": handshake(path="/nothing"),
    "socket-elsewhere": handshake(),
    "no-slash": handshake(path=f"{PATH}/"),
    "scheme-case": handshake(scheme="bearer"),
    "input-optional": talk(payload={"input": None}),
    "bad-text-1002": bad_text,
    "task-id-hexadecimal": dashed,
    "no-default-format": talk(format="Default"),
    "default-wav": talk(format="Default", sample_rate=0, events=False),
    "default-24000": talk(sample_rate=0, events=False),
    "unknown-refused": talk(anything=1),
    "early-text-refused": early_text,
    "unknown-task-ignored": unknown_task,
    "flush-ignored": flush,
    "flush-refused": flush,
    "cancel-unanswered": cancel(),
    "cancel-answered": cancel(SINGAPORE),
    "cancel-closes": cancel(),
    "cancel-delivers": cancel(),
    "second-start-refused": second_start,
    "finished-without-id": last_event,
    "failed-without-code": talk(model="nothing"),
    "pieces-are-sentences": talk("今天", "很好。"),
    "last-at-once": before_finish,
    "all-held": before_finish,
    "cut-at-33-s": setting("sentence_audio_limit"),
    "failed-stays-open": failed,
    "comma-ends": talk("你好，再见，回家"),
    "question-ends-none": talk("你好？再见。"),
    "newline-ends-none": talk("第一行\n第二行"),
    "semicolon-ends-none": talk("你好；再见。"),
    "stop-ends-none": talk("Hello there. Good bye."),
    "wav-size-7fffffff": talk(format="wav", events=False),
    "wav-size-zero": talk(format="wav", events=False),
    "mp3-no-id3": talk(format="mp3", events=False),
    "header-each-sentence": talk(format="wav", events=False),
    "opus-page-1000": pages,
    "opus-page-20": pages,
    "opus-no-22050": talk(format="opus", sample_rate=22050),
    "text-gap-10": setting("text_gap"),
    "text-gap-half": gap_length,
    "idle-half": idle_length,
    "pings-keep-open": pinged,
    "starts-of-all-models": starts_of_two,
    "one-task": beside,
    "page-size-50": cloning(long_page),
    "qwen-opus-22050": talk(
        model=QWEN_31, voice=HUAN, format="opus", sample_rate=22050
    ),
    "text-gap-code": gap,
    "text-gap-in-audio": gap_in_audio,
    "idle-30": setting("idle"),
    "idle-code-1001": idle,
    "opened-ahead-refused": opened_ahead,
    "no-reuse": twice,
    "reuse-same-only": twice,
    "pings-unanswered": ping,
    "volume-unused": heard({}, {"volume": 90}),
    "rate-unused": heard({}, {"rate": 1.5}),
    "pitch-unused": heard({}, {"pitch": 1.5}),
    "seed-unused": heard({}, {"seed": 5}),
    "instruction-unused": heard({}, {"instruction": "你说话的情感是happy。"}),
    "hints-unused": heard({}, {"language_hints": ["fr"]}, text="bonjour madame"),
    "hot-fix-unused": heard({}, {"hot_fix": {"replace": [{"今天": "明天"}]}}),
    "bit-rate-unused": heard({"format": "opus"}, {"format": "opus", "bit_rate": 128}),
    "sample-rate-unused": heard({}, {"sample_rate": 8000}),
    "volume-limit-200": talk(volume=200),
    "rate-limit-3": talk(rate=3),
    "pitch-limit-3": talk(pitch=3),
    "seed-limit-32-bits": talk(seed=2**32 - 1),
    "bit-rate-limit-1000": talk(bit_rate=1000),
    "out-of-range-taken": talk(volume=1000),
    "instruction-limit-128": talk(model=QWEN_31, voice=HUAN, instruction="慢" * 60),
    "instruction-never": talk(instruction="你说话的情感是happy。"),
    "instruction-counts": talk(instruction="你说话的情感是happy。"),
    "rate-from-0.8": talk(rate=0.5),
    "mp3-bit-rate": heard({"format": "mp3"}, {"format": "mp3", "bit_rate": 16}),
    "blanks-free": talk("Hello there. Good bye."),
    "instruction-free": talk(instruction=FREE),
    "plain-type-only": talk(text_type="SSML"),
    "hints-seven": talk(language_hints=["vi"]),
    "v1-opus": talk(model="cosyvoice-v1", voice="longcheng", format="opus"),
    "kana-counts-two": talk("こんにちは"),
    "markup-counts": talk(SSML, enable_ssml=True),
    "message-limit-2000": talk("好" * 1001),
    "task-limit-100000": setting("task_limit"),
    "ssml-refused": talk(SSML, enable_ssml=True),
    "ssml-many-texts": talk(SSML, SSML, enable_ssml=True),
    "ssml-plain-refused": talk(enable_ssml=True),
    "ssml-no-breaks": talk(SSML, enable_ssml=True, events=False),
    "ssml-no-aliases": talk('<speak><sub alias="二">2</sub></speak>', enable_ssml=True),
    "v1-ssml": talk(SSML, model="cosyvoice-v1", voice="longcheng", enable_ssml=True),
    "ssml-one-speak": talk(SSML + SSML, enable_ssml=True),
    "words-by-task": talk(word_timestamp_enabled=True),
    "words-nowhere": talk(word_timestamp_enabled=True),
    "words-in-seconds": talk(word_timestamp_enabled=True),
    "mp3-varies": heard({"format": "mp3"}, {"format": "mp3"}),
    "words-with-audio": talk(word_timestamp_enabled=True),
    "tokens-unknown": token(),
    "tokens-60-s": token(),
    "tokens-any-time": token(1801),
    "tokens-only-open": token(),
    "tokens-not-for-sockets": token(),
    "cloning-elsewhere": cloning(listed),
    "list-ignores-page-size": cloning(listed),
    "v2-closed": talk(model="cosyvoice-v2", voice="longyingxiao"),
    "clone-any-model": clone_elsewhere,
    "upload-elsewhere": cloning(upload_host),
    "no-http-speech": over_http,
    "qwen-word-times": talk(model=QWEN_31, voice=HUAN, word_timestamp_enabled=True),
    "upload-204": cloning(upload_status),
    "clone-ids-other": cloning(clone_id),
    "deleted-voice-code": cloning(deleted),
    "short-audio-taken": cloning(short_recording),
    "list-without-models": cloning(listed),
    "oss-without-header": cloning(unresolved),
    "clone-data-uri": cloning(data_uri),
    "clone-prefix-small": cloning(create(prefix="Me")),
    "clone-in-singapore": cloning(create(), region=SINGAPORE),
    "clone-not-in-singapore": cloning(create("cosyvoice-v3-plus"), region=SINGAPORE),
    "clone-review-refuses": cloning(clone_state, deploy_seconds=0.0),
    "clone-ready-at-once": cloning(clone_at_once),
    "clone-update-keeps-ok": cloning(clone_state, deploy_seconds=0.0),
    "policy-60-s": setting("policy_seconds"),
    "no-designs": cloning(designed),
    "one-start": starts,
    "twenty-starts": starts,
    "throttling-code": starts,
    "voice-error-411": talk(voice="nobody"),
    "qwen-voice-error-418": talk(model=QWEN_31, voice="nobody"),
    "closed-model-not-found": singapore("cosyvoice-v2", "longcheng_v2"),
    "unknown-model-denied": talk(model="cosyvoice-v9"),
    "empty-text-finishes": talk("。"),
    "v3-plus-not-in-singapore": singapore("cosyvoice-v3-plus", VOICE),
    "v2-in-singapore": singapore("cosyvoice-v2", "longcheng_v2"),
    "v3.5-has-system-voices": talk(model="cosyvoice-v3.5-flash"),
    "qwen-3.1-in-singapore": singapore(QWEN_31, HUAN),
    "qwen-any-case": talk(model=QWEN_31, voice=HUAN.upper()),
    "qwen-hints-eleven": talk(model=QWEN_31, voice=HUAN, language_hints=["ar"]),
    "qwen-no-instructions": talk(model=QWEN_31, voice=HUAN, instruction=FREE),
    "qwen-mp3-bit-rate-unused": heard(
        *(
            {"model": QWEN_31, "voice": HUAN, "format": "mp3", **more}
            for more in ({}, {"bit_rate": 16})
        )
    ),
    "qwen-markup-refused": talk(SSML, **SSML_QWEN),
    "qwen-markup-spoken": talk(SSML, **SSML_QWEN, events=False),
    "qwen-tags-spoken": talk("[laughing]好。", model=QWEN_31, voice=HUAN, events=False),
    "qwen-3.0-tokens": talk(model=QWEN_30, voice=JOHN),
    "qwen-tags-free": talk("[laughing]Good day.", model=QWEN_30, voice=JOHN),
    **{
        name: talk(model=QWEN_31, voice=HUAN)
        for name in (
            "qwen-closed",
            "qwen-finish-without-usage",
            "qwen-3.1-characters",
            "qwen-tokens-25",
            "qwen-text-tokens-2",
        )
    },
}


async def observed(name: str, differ: set[str]) -> Any:
    """Return what a scenario shows, by default that of a plain task."""
    settings: dict[str, Any] = {"speech": "signal", "starts_per_second": 0}
    if SCENARIOS.get(name) in (starts, starts_of_two):
        settings["starts_per_second"] = 3
    if name == "key-of-any-region":
        settings["api_keys"] = {KEY: "cn-beijing", "sk-singapore": SINGAPORE}
    config = EmulatorConfig(**settings, differ=differ)
    async with Emulator(config) as emulator:
        return await SCENARIOS.get(name, talk())(emulator)


@pytest.mark.parametrize("name", differences())
async def test_a_difference_is_seen(name: str) -> None:
    usual = await observed(name, set())
    # The scenario shows the same twice, so what differs is the difference.
    assert await observed(name, set()) == usual
    assert await observed(name, {name}) != usual


def test_no_scenario_is_left_over() -> None:
    assert SCENARIOS.keys() <= differences().keys()


def test_there_are_many() -> None:
    assert len(differences()) >= 60
    assert all(one.what and one.section for one in differences().values())


def test_an_unknown_difference_is_refused() -> None:
    with pytest.raises(ValueError, match="no difference 'nothing'"):
        EmulatorConfig(differ={"nothing"})


def test_differences_can_be_combined() -> None:
    config = EmulatorConfig(
        differ={"flush-refused", "han-counts-one", "hints-seven", "v2-in-singapore"}
    )
    assert config.flush == "refused"
    assert config.facts.count("你好。") == 3
    assert SINGAPORE in config.models["cosyvoice-v2"].regions
    assert config.models[MODEL].hints == ["zh", "en", "fr", "de", "ja", "ko", "ru"]


@pytest.mark.parametrize("text", ["你好。", "日本語です", "𠮷野家", "Ab 1!", "안녕"])
def test_the_usual_counting_is_the_same_everywhere(text: str) -> None:
    assert Facts().count(text) == count_characters(text)
