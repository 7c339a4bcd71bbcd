"""Real speech: languages, voices, settings, formats."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from . import EmulatorConfig
from .audio import Encoder, Samples, decode
from .rules import SAMPLE_RATES, Speaker, check_task
from .speech import Studio
from .text import Passage, Segmenter, count_characters, split_sentences
from .voice import runs, speak
from .wire import MODEL, VOICE

CHINESE = "你好，欢迎回家。今天天气很好。"
TEXTS = {
    "zh": CHINESE,
    "en": "Welcome home. The lights are on.",
    "ja": "おかえりなさい。きょうは いいてんきです。",
    "ko": "안녕하세요, 집에 오신 것을 환영합니다.",
    "ru": "Добро пожаловать домой.",
    "mixed": "请打开 living room 的灯。",
    "digits": "23.5",
}


def speaker(**parameters: Any) -> Speaker:
    payload = {
        "model": MODEL,
        "task_group": "audio",
        "task": "tts",
        "function": "SpeechSynthesizer",
        "input": {},
        "parameters": {"voice": VOICE, "sample_rate": 24000, **parameters},
    }
    return check_task(payload, EmulatorConfig())


def seconds(samples: Samples) -> float:
    return len(samples) / 24000


def pitch(samples: Samples) -> float:
    """Return the median of the fundamental frequency, by autocorrelation."""
    shortest, longest = 24000 // 400, 24000 // 60
    found = []
    for start in range(0, len(samples) - 2048, 1024):
        frame = samples[start : start + 2048] / 32768
        if frame.std() > 0.02:
            likeness = np.correlate(frame, frame, "full")[2048 - 1 :]
            found.append(shortest + int(likeness[shortest:longest].argmax()))
    return float(24000 / np.median(found))


async def produced(text: str, **parameters: Any) -> bytes:
    who = speaker(**parameters)
    studio = Studio(EmulatorConfig())
    encoder = Encoder(who.format, who.sample_rate, who.bit_rate)
    try:
        spoken = await studio.speak(Passage(text), who, encoder, final=True)
    finally:
        studio.close()
    return b"".join(spoken.chunks)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_every_language_is_heard(text: str) -> None:
    samples = speak(text, speaker(), 1.0, 1.0)
    assert 0.5 < seconds(samples) < 15
    assert np.abs(samples).max() > 3000


def test_each_script_is_read_in_its_language() -> None:
    who = speaker()
    assert runs("请打开 living room 的灯。", who) == [
        ("zh", "请打开 "),
        ("en", "living room "),
        ("zh", "的灯。"),
    ]
    assert [language for language, _ in runs("안녕 мир สวัสดี かな", who)] == [
        "ko",
        "ru",
        "th",
        "ja",
    ]
    assert runs("12:30", who) == [("zh", "12:30")]
    assert runs("bonjour", replace(who, language_hint="fr")) == [("fr", "bonjour")]
    assert runs("hello", replace(who, language="en-GB")) == [("en-GB", "hello")]
    assert runs("你好", replace(who, language="yue")) == [("yue", "你好")]


@pytest.mark.parametrize(
    "language",
    ["zh", "nan", "yue", "en", "en-US", "en-GB", "fr", "de", "pt", "id", "vi"],
)
@pytest.mark.parametrize("gender", ["male", "female"])
def test_every_voice_exists(language: str, gender: str) -> None:
    for voice in ("a", "b", "c", "d"):
        who = replace(speaker(), language=language, gender=gender, voice=voice)
        assert seconds(speak("OK 好", who, 1.0, 1.0)) > 0.3


def test_voices_are_audibly_different() -> None:
    ids = ["longanyang", "longanhuan", "longhuhu_v3", "longanrou_v3"]
    spoken = [speak(CHINESE, speaker(voice=voice), 1.0, 1.0) for voice in ids]
    assert len({len(samples) for samples in spoken} | {s.tobytes() for s in spoken}) > 4
    assert pitch(spoken[0]) < pitch(spoken[1])


def test_rate_pitch_volume_seed_and_instruction_are_heard() -> None:
    normal = speak(CHINESE, speaker(), 1.0, 1.0)
    assert seconds(speak(CHINESE, speaker(), 2.0, 1.0)) < 0.7 * seconds(normal)
    assert seconds(speak(CHINESE, speaker(), 0.5, 1.0)) > 1.4 * seconds(normal)
    assert pitch(speak(CHINESE, speaker(), 1.0, 2.0)) > pitch(normal)
    assert pitch(speak(CHINESE, speaker(), 1.0, 0.5)) < pitch(normal)
    for change in ({"seed": 3}, {"instruction": "你说话的情感是happy。"}):
        changed = speak(CHINESE, speaker(**change), 1.0, 1.0)
        assert changed.tobytes() != normal.tobytes()


async def test_volume_is_applied() -> None:
    levels = []
    for volume in (0, 50, 100):
        audio = await produced(CHINESE, format="pcm", volume=volume)
        levels.append(int(np.abs(decode(audio, "pcm", 24000)[0].astype(int)).max()))
    assert levels[0] == 0
    assert levels[2] == pytest.approx(2 * levels[1], rel=0.01)
    assert levels[2] > 5000


async def test_a_replacement_is_spoken_instead() -> None:
    plain = await produced("今天", format="pcm")
    fix = {"replace": [{"今天": "明天早上"}], "pronunciation": [{"天": "tian1"}]}
    fixed = await produced("今天", format="pcm", hot_fix=fix)
    assert len(fixed) > len(plain)


@pytest.mark.parametrize("rate", SAMPLE_RATES)
@pytest.mark.parametrize("audio_format", ["pcm", "wav", "mp3", "opus"])
async def test_every_format_and_rate_is_complete(audio_format: str, rate: int) -> None:
    audio = await produced("你好。", format=audio_format, sample_rate=rate)
    expected = seconds(speak("你好。", speaker(), 1.0, 1.0))
    samples, decoded = decode(audio, "pcm" if audio_format == "pcm" else None, rate)
    assert decoded == (48000 if audio_format == "opus" else rate)
    # MP3 pads both ends with up to three frames.
    slack = 3 * 1152 / rate if audio_format == "mp3" else 0.03
    assert len(samples) / decoded == pytest.approx(expected, abs=slack)
    assert np.abs(samples).max() > 2000


@pytest.mark.parametrize("rate", SAMPLE_RATES)
@pytest.mark.parametrize("audio_format", ["pcm", "wav", "mp3", "opus"])
def test_encoding_is_a_stream(audio_format: str, rate: int) -> None:
    """The first bytes hold the first 50 ms, and come before the rest is known."""
    encoder = Encoder(audio_format, rate, 32)
    step = np.zeros(rate // 10, np.int16)
    first = encoder.encode(np.zeros(rate // 10 + round(encoder.lead * rate), np.int16))
    samples, decoded = decode(first, "pcm" if audio_format == "pcm" else None, rate)
    assert len(samples) >= 0.05 * decoded
    later = [encoder.encode(step) for _ in range(20)]
    assert sum(map(bool, later)) >= 8


@pytest.mark.parametrize(
    ("text", "characters"),
    [
        ("你好", 4),
        ("中A文123", 8),
        ("中文。", 5),
        ("中 文。", 6),
        ("床前明月光，", 11),
        ("こんにちは", 5),
        ("日本語です", 8),
        ("안녕", 2),
        ("\U00020bb7", 2),
        ("", 0),
    ],
)
def test_characters_are_counted_as_documented(text: str, characters: int) -> None:
    assert count_characters(text) == characters


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("A。B！C？D；E…F", ["A。", "B！", "C？", "D；", "E…", "F"]),
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("Pi is 3.14. Yes.", ["Pi is 3.14.", "Yes."]),
        ("“好。”他说。", ["“好。”", "他说。"]),
        ("。。。A。😀", ["。。。A。😀"]),
        ("line\nline", ["line", "line"]),
        ("。", []),
        ("", []),
    ],
)
def test_sentences_end_where_they_end(text: str, sentences: list[str]) -> None:
    assert split_sentences(text) == sentences


@pytest.mark.parametrize("text", ["好" * 1000, "word " * 300, "。" * 400 + "A。B"])
def test_no_text_is_lost_between_sentences(text: str) -> None:
    segmenter = Segmenter()
    pieces = [s for character in text for s in segmenter.push(character)]
    pieces += segmenter.flush()
    assert "".join(pieces) == text
    assert len(pieces) >= 2
