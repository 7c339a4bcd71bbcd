"""Long and odd messages, all the way from Home Assistant to the listener's ear."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.demo.api import RefusedError
from tests.demo.home import Home
from tests.demo.service import EmulatedService
from tests.demo.speech import Heard, converse, letters, speak

# One process for all of these tests, as they share one house
pytestmark = [pytest.mark.xdist_group("e2e"), pytest.mark.timeout(300)]
CHINESE = (
    "从前有一座山，山上有一座庙，庙里住着一位老和尚。他每天清晨起来扫地、挑水、煮饭，"
    "傍晚就坐在门口给孩子们讲故事。有人问他：今天讲什么？他笑着说：还是那座山，还是那座庙！"
)
ENGLISH = (
    "Once upon a time there was a house that could speak. It said good morning when "
    "the sun came up, and good night when the last lamp was out. Nobody knew where its "
    "voice came from; but everybody in the village was glad of it! "
)
LONG = [
    pytest.param((CHINESE * 7)[:500], id="500 Chinese characters"),
    pytest.param(" ".join((ENGLISH * 11).split()[:500]), id="500 English words"),
]
ODD = {
    "empty": "",
    "blank": " \n\t",
    "emoji": "😀",
    "full stop": "。",
    "with NUL": "Good\0 morning. 早上\0好。",
    "control characters": "Good\x07 morning\x1b[0m.",
}


@pytest.mark.parametrize("text", LONG)
async def test_spoken_message_is_complete(
    home: Home, emulator: EmulatedService, engine: str, text: str
) -> None:
    async def say() -> Heard:
        return await speak(home, engine, text)

    await _is_heard_in_full(say, emulator, text)


@pytest.mark.parametrize("text", LONG)
async def test_streamed_answer_is_complete(
    home: Home, emulator: EmulatedService, engine: str, text: str, tmp_path: Path
) -> None:
    pipeline = await home.pipeline(engine)

    async def say() -> Heard:
        return await converse(home, pipeline, text, tmp_path / "answer")

    assert (await _is_heard_in_full(say, emulator, text)).streamed


@pytest.mark.parametrize("message", ODD.values(), ids=ODD.keys())
async def test_odd_message_is_spoken_or_refused(
    home: Home, engine: str, message: str
) -> None:
    before = home.log.stat().st_size
    if any(character.isalpha() for character in message):
        assert (await speak(home, engine, message)).recording.seconds > 0
    else:
        with pytest.raises(RefusedError, match="nothing that can be spoken"):
            await speak(home, engine, message)
    with home.log.open(encoding="utf-8") as log:
        log.seek(before)
        assert "Traceback" not in log.read()


async def test_megabyte_of_text_is_refused(home: Home, engine: str) -> None:
    with pytest.raises(RefusedError, match="too long"):
        await speak(home, engine, "a house that speaks. " * 50_000)


async def test_lone_surrogate_is_refused_by_home_assistant(
    home: Home, engine: str
) -> None:
    with pytest.raises(RefusedError, match="400"):
        await home.api.post(
            "/api/services/tts/speak",
            {
                "entity_id": engine,
                "media_player_entity_id": "media_player.living_room_speaker",
                "message": "Good \ud800 morning",
            },
        )


async def _is_heard_in_full(
    say: Callable[[], Awaitable[Heard]], emulator: EmulatedService, text: str
) -> Heard:
    """Assert that the listener got what the emulator spoke, and it spoke the text."""
    before = len(await emulator.tasks())
    heard = await say()
    tasks = (await emulator.tasks())[before:]
    assert {task.outcome for task in tasks} == {"finished"}
    assert letters("".join(task.text for task in tasks)) == letters(text)
    seconds = sum(task.audio_seconds for task in tasks)
    assert heard.recording.seconds == pytest.approx(seconds, rel=0.03)
    return heard
