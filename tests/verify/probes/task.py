"""Messages of a task: what must be in them, flush, cancel, a second start."""

from typing import Any
import uuid

from ..probe import (
    BEIJING,
    QWEN_30,
    QWEN_30_VOICE,
    SINGAPORE,
    DiffersError,
    characters,
    expect,
    probe,
)
from ..service import Service
from ..talk import Talk, connected, ending, failure, speak

_LONG = "今天天气很好我们一起去公园散步然后回家吃饭晚上看一部电影早一点睡觉。再见。"
_ANSWER = 5.0
"""Seconds within which a cancellation is answered that is answered."""


@probe("3", "docs", "client/wire/protocol.py", "input-optional", cost=characters(3))
async def start_needs_input(service: Service) -> str:
    """run-task without an input is refused."""
    async with connected(service) as talk:
        await talk.begin(payload={"input": None})
        message = await talk.until("task-started", "task-failed", "close")
        return expect(message.kind != "task-started", message.kind)


@probe("3", "docs", "tests/emulator", "task-id-hexadecimal")
async def dashed_task_id(service: Service) -> str:
    """A task's id may have dashes."""
    async with connected(service) as talk:
        await talk.start(task=str(uuid.uuid4()))
        return "task-started"


@probe(
    "3", "sdk", "client/wire/protocol.py", "short-continue-refused", cost=characters(3)
)
async def short_continue(service: Service) -> str:
    """continue-task needs no more than the text."""
    spoken = await speak(service, "好。")
    return expect(spoken.audio, f"{len(spoken.audio)} bytes")


@probe("5", "guess", "tests/emulator", "early-text-refused", cost=characters(3))
async def text_before_started(service: Service) -> str:
    """Text that comes before task-started was sent is spoken."""
    async with connected(service) as talk:
        await talk.begin()
        await talk.text("好。")
        await talk.finish()
        await talk.until("audio")
        return "it was spoken"


@probe("5", "guess", "tests/emulator", "unknown-task-ignored", cost=characters(3))
async def unknown_task_fails(service: Service) -> str:
    """A message for an unknown task ends the connection."""
    async with connected(service) as talk:
        await talk.start()
        body = {"input": {"text": "好"}}
        await talk.send("continue-task", body, task=uuid.uuid4().hex)
        kinds = [message.kind for message in await talk.quiet()]
        return expect({"task-failed", "close"} & {*kinds}, f"{kinds} came")


@probe("3", "docs", "tests/emulator", "bad-text-1002")
async def no_json_closes(service: Service) -> str:
    """A text frame that is no JSON closes the connection with 1007."""
    async with connected(service) as talk:
        await talk.send_text("nothing")
        message = await talk.until("close", "task-failed")
        if message.kind == "task-failed":
            raise DiffersError(f"task-failed: {failure(message)}")
        return expect(message.body["code"] == 1007, ending(message))


@probe("3", "sdk", "client/utterance/flushing.py", "flush-ignored", cost=characters(4))
async def flush_speaks(service: Service) -> str:
    """A flush speaks what is held back, without an end of the task."""
    async with connected(service) as talk:
        await talk.start()
        await talk.text("你好")
        await talk.flush()
        await talk.until("audio")
        return "audio came"


@probe("3", "sdk", "client/utterance/flushing.py", "flush-refused", cost=characters(8))
async def flush_keeps_the_task(service: Service) -> str:
    """After a flush the task takes more text and finishes."""
    async with connected(service) as talk:
        await talk.start()
        await talk.text("你好")
        await talk.flush()
        await talk.quiet()
        await talk.text("再见")
        await talk.finish()
        await talk.until("task-finished")
        return "task-finished"


async def _cancelled(talk: Talk) -> list[str]:
    """Cancel once there is audio; return what comes until the answer."""
    await talk.text(_LONG)
    await talk.until("audio")
    await talk.finish(directive="cancel")
    before = len(talk.messages)
    patience = min(_ANSWER, talk.service.pace.patience)
    await talk.until("task-finished", within=patience)
    return [message.kind for message in talk.messages[before:]]


@probe(
    "3",
    "docs",
    "client/wire/connection.py",
    "cancel-unanswered",
    cost=characters(75),
    regions=(BEIJING,),
)
async def cancel_is_answered(service: Service) -> str:
    """A cancellation is answered with task-finished."""
    async with connected(service) as talk:
        await talk.start()
        return f"after {len(await _cancelled(talk))} messages"


@probe(
    "3",
    "docs",
    "client/wire/connection.py",
    "cancel-delivers",
    cost=characters(75),
    regions=(BEIJING,),
)
async def cancel_drops_audio(service: Service) -> str:
    """A cancellation drops the audio that was not sent yet."""
    async with connected(service) as talk:
        await talk.start()
        kinds = await _cancelled(talk)
        return expect("sentence-end" not in kinds, f"{len(kinds)}: {kinds[-3:]}")


@probe(
    "3",
    "docs",
    "client/wire/pool.py",
    "cancel-closes",
    cost=characters(78),
    regions=(BEIJING,),
)
async def cancel_keeps_the_connection(service: Service) -> str:
    """After a cancelled task the connection takes another one."""
    async with connected(service) as talk:
        await talk.start()
        await _cancelled(talk)
        await talk.start()
        return "task-started"


@probe(
    "3",
    "docs",
    "client/catalogue.json",
    "cancel-unanswered",
    cost=characters(60, QWEN_30),
)
async def cancel_of_qwen_is_answered(service: Service) -> str:
    """A cancellation is answered by Qwen-Audio in both regions."""
    async with connected(service) as talk:
        await talk.start(QWEN_30, voice=QWEN_30_VOICE)
        await talk.text("Once upon a time there was a house. It could speak.")
        await talk.until("audio")
        await talk.finish(directive="cancel")
        await talk.until("task-finished")
        return "task-finished"


@probe(
    "3",
    "docs",
    "client/catalogue.json",
    "cancel-answered",
    cost=characters(75),
    regions=(SINGAPORE,),
)
async def cancel_is_not_answered(service: Service) -> str:
    """In Singapore a cancellation changes nothing for CosyVoice."""
    async with connected(service) as talk:
        await talk.start()
        try:
            kinds = await _cancelled(talk)
        except DiffersError as error:
            return str(error)
        ended = kinds.count("sentence-end")
        return expect(ended == 2, f"answered after {ended} sentences")


@probe("5", "docs", "tests/emulator", "second-start-refused", cost=characters(75))
async def second_start_replaces(service: Service) -> str:
    """run-task while a task runs ends that task and starts another."""
    async with connected(service) as talk:
        await talk.start()
        await talk.text(_LONG)
        await talk.until("audio")
        await talk.start()
        return "task-started"


@probe("6", "docs", "client/wire/pool.py", "no-reuse", cost=characters(6))
async def connection_is_used_again(service: Service) -> str:
    """A connection takes another task after task-finished."""
    async with connected(service) as talk:
        await _short(talk)
        await _short(talk)
        return "two tasks"


@probe("6", "docs", "client/wire/pool.py", "reuse-same-only", cost=characters(6))
async def other_parameters_next_time(service: Service) -> str:
    """The next task of a connection may have other parameters."""
    async with connected(service) as talk:
        await _short(talk)
        await _short(talk, format="mp3", sample_rate=22050, volume=60)
        return "pcm, then mp3"


async def _short(talk: Talk, **parameters: Any) -> None:
    await talk.start(**parameters)
    await talk.text("好。")
    await talk.finish()
    await talk.until("task-finished")
