"""How long things may take, and how many may begin."""

import asyncio
from contextlib import AsyncExitStack

from ..probe import (
    PLUS,
    QWEN_30,
    QWEN_30_VOICE,
    DiffersError,
    characters,
    expect,
    probe,
)
from ..service import Service
from ..talk import Talk, connected, failure

_LOOSE = 1.3
_TASKS = 8


async def _ending_of_gap(talk: Talk, text: str) -> tuple[float, float, str]:
    """Return when the last audio came, how much later the task failed, and how."""
    await talk.start()
    begun = asyncio.get_running_loop().time()
    if text:
        await talk.text(text)
    patience = talk.service.pace.text_gap * _LOOSE + 3 * bool(text)
    failed = await talk.until("task-failed", within=patience)
    heard = [message.at for message in talk.messages if message.kind == "audio"]
    last = heard[-1] if heard else begun
    code, words = failure(failed)
    return last - begun, failed.at - last, f"{code}: {words}"


@probe("6", "docs", "client/timing.py", "text-gap-10", stand="hasty", seconds=60)
async def text_gap(service: Service) -> str:
    """A task without text fails after 23 s, and not before."""
    async with connected(service) as talk:
        _, after, how = await _ending_of_gap(talk, "")
        limit = service.pace.text_gap
        return expect(limit * 0.9 < after, f"{after:.1f} s of {limit:g}: {how}")


@probe("6", "docs", "client/errors.py", "text-gap-code", stand="hasty", seconds=60)
async def text_gap_has_a_code(service: Service) -> str:
    """Then the code is InvalidParameter, and the words name a timeout."""
    async with connected(service) as talk:
        _, _, how = await _ending_of_gap(talk, "")
        good = how.startswith("InvalidParameter: request timeout after")
        return expect(good, how)


@probe(
    "6",
    "seen",
    "client/timing.py",
    "text-gap-in-audio",
    stand="hasty",
    cost=characters(70),
    seconds=70,
)
async def text_gap_begins_after_audio(service: Service) -> str:
    """While audio is sent that time does not run."""
    async with connected(service) as talk:
        text = "今天天气很好，我们一起去公园散步，然后回家吃饭，晚上看一部电影。好"
        audio, after, how = await _ending_of_gap(talk, text)
        limit = service.pace.text_gap
        seen = f"{after:.1f} s after {audio:.1f} s of sending: {how}"
        return expect(after > limit * 0.93 or audio < limit * 0.02, seen)


async def _idle(talk: Talk) -> tuple[float, str]:
    """Return after how long an idle connection is closed, and how."""
    await talk.start()
    await talk.text("好。")
    await talk.finish()
    begun = (await talk.until("task-finished")).at
    patience = talk.service.pace.idle * _LOOSE
    closed = await talk.until("close", within=patience)
    body = closed.body
    return closed.at - begun, f"{body['code']} {body['reason']}".strip()


@probe(
    "6",
    "docs",
    "client/timing.py",
    "idle-30",
    stand="hasty",
    cost=characters(3),
    seconds=100,
)
async def idle_is_closed(service: Service) -> str:
    """A connection without a task is closed after 60 s, and not before 55 s."""
    async with connected(service) as talk:
        after, how = await _idle(talk)
        limit = service.pace.idle
        return expect(after > limit * 0.92, f"{after:.1f} s of {limit:g}: {how}")


@probe(
    "6",
    "seen",
    "tests/emulator",
    "idle-code-1001",
    stand="hasty",
    cost=characters(3),
    seconds=100,
)
async def idle_closes_with_bye(service: Service) -> str:
    """It is closed with 1000 and the reason Bye."""
    async with connected(service) as talk:
        _, how = await _idle(talk)
        return expect(how == "1000 Bye", how)


async def _spoken(talk: Talk) -> None:
    await talk.text("好。")
    await talk.finish()
    await talk.until("task-finished")


@probe(
    "6",
    "docs",
    "client/wire/pool.py",
    "text-gap-half",
    stand="hasty",
    cost=characters(3),
    seconds=60,
)
async def started_task_waits(service: Service) -> str:
    """A task that was started ahead takes its first text after 18 s."""
    async with connected(service) as talk:
        await talk.start()
        waited = service.pace.text_gap * 18 / 23
        if came := await talk.quiet(waited):
            raise DiffersError(f"{came[0].kind} came within {waited:.1f} s")
        await _spoken(talk)
        return f"after {waited:.1f} s"


@probe(
    "6",
    "docs",
    "client/timing.py",
    "idle-half",
    stand="hasty",
    cost=characters(6),
    seconds=100,
)
async def connection_waits(service: Service) -> str:
    """A connection takes another task 50 s after the last one."""
    async with connected(service) as talk:
        await talk.start()
        await _spoken(talk)
        waited = service.pace.idle * 50 / 60
        for message in await talk.quiet(waited):
            raise DiffersError(f"{message.kind} came within {waited:.1f} s")
        await talk.start()
        await _spoken(talk)
        return f"after {waited:.1f} s"


@probe(
    "6",
    "guess",
    "client/wire/warmer.py",
    "pings-keep-open",
    stand="hasty",
    cost=characters(3),
    seconds=110,
)
async def pings_do_not_keep_open(service: Service) -> str:
    """A connection without a task is closed after 60 s though it is pinged."""
    limit = service.pace.idle
    async with connected(service, autoping=False) as talk:
        await talk.start()
        await talk.text("好。")
        await talk.finish()
        begun = (await talk.until("task-finished")).at
        while (elapsed := talk.messages[-1].at - begun) < limit * _LOOSE:
            await talk.ws.ping()
            for message in await talk.quiet(limit / 8):
                if message.kind == "close":
                    return f"closed after {message.at - begun:.1f} s"
        raise DiffersError(f"it was open after {elapsed:.1f} s")


async def _begun(service: Service, *models: str) -> list[str]:
    """Start tasks of models together; return each failure's code or nothing."""
    voices = {PLUS: "longanyang", QWEN_30: QWEN_30_VOICE}

    async def one(talk: Talk, model: str) -> str:
        await talk.begin(model, gated=False, voice=voices[model])
        message = await talk.until("task-started", "task-failed")
        return failure(message)[0] if message.kind == "task-failed" else ""

    async with AsyncExitStack() as stack:
        for model in sorted({*models}):
            await stack.enter_async_context(service.gate(model).alone())
        talks = [
            (await stack.enter_async_context(connected(service)), model)
            for model in models
        ]
        return await asyncio.gather(*(one(talk, model) for talk, model in talks))


@probe("14", "docs", "client/wire/limiter.py", "one-start", stand="throttled")
async def three_starts(service: Service) -> str:
    """A model starts three tasks in a second."""
    codes = await _begun(service, *[PLUS] * 3)
    return expect(not any(codes), f"{codes}")


@probe("14", "docs", "client/wire/limiter.py", "twenty-starts", stand="throttled")
async def no_more_starts(service: Service) -> str:
    """It starts no more than three: of eight, some fail."""
    failed = [code for code in await _begun(service, *[PLUS] * _TASKS) if code]
    return expect(failed, f"{len(failed)} of {_TASKS} failed: {sorted({*failed})}")


@probe(
    "14", "docs", "client/wire/limiter.py", "starts-of-all-models", stand="throttled"
)
async def starts_are_counted_by_model(service: Service) -> str:
    """Two models start three tasks each in a second."""
    codes = await _begun(service, *[PLUS, QWEN_30] * 3)
    return expect(not any(codes), f"{codes}")


@probe("14", "guess", "client/wire/pool.py", "one-task")
async def tasks_run_together(service: Service) -> str:
    """Several tasks run beside each other, on connections of their own."""
    codes = await _begun(service, PLUS, PLUS)
    return expect(not any(codes), f"{codes}")


@probe("14", "docs", "client/errors.py", "throttling-code", stand="throttled")
async def throttling_has_a_code(service: Service) -> str:
    """Too many starts fail with Throttling.RateQuota."""
    failed = {code for code in await _begun(service, *[PLUS] * _TASKS) if code}
    if not failed:
        raise DiffersError("none failed")
    return expect(failed == {"Throttling.RateQuota"}, f"{sorted(failed)}")
