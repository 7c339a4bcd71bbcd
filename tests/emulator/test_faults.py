"""Every fault at every point: it happens, and does what its nature says."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import aiohttp
import pytest

from . import Emulator, Fault, FaultKind, Nature, Oddity, Point
from .faults import TASK_ERRORS
from .wire import KEY, PATH, Wire, bearer, connect, emulating

SENTENCES = ["你好，欢迎回家。", "今天天气很好。"]
CELLS = [(kind, point) for kind in FaultKind for point in sorted(kind.points)]
CONNECTING = (Point.HTTP, Point.ANSWER, Point.ACCEPT, Point.HANDSHAKE, Point.CLOSE)
TASK_CELLS = [cell for cell in CELLS if cell[1] not in CONNECTING]
HARMLESS = [
    (kind, point)
    for kind, point in TASK_CELLS
    if kind.nature is Nature.HARMLESS and point is not Point.CANCEL
]
# What a client sees of a connection that has ended.
CUT = {FaultKind.RESET, FaultKind.CLOSE, FaultKind.DROP, FaultKind.BAD_FRAME}


async def raw_messages(
    wire: Wire, seconds: float = 10, *, cancel: bool = False
) -> list[aiohttp.WSMessage]:
    """Run a task and return all that comes until its end or the connection's."""
    await wire.run_task()
    messages: list[aiohttp.WSMessage] = []
    started = False
    while True:
        try:
            message = await wire.ws.receive(timeout=seconds)
        except TimeoutError:
            return messages
        messages.append(message)
        if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
            return messages
        event = parsed(message, wire.task_id)
        if event == "task-started" and not started:
            started = True
            # The connection may have ended already.
            with suppress(aiohttp.ClientConnectionResetError):
                if cancel:
                    await wire.finish(directive="cancel")
                    continue
                await wire.text("".join(SENTENCES))
                await wire.flush()
                await wire.finish()
        elif event in ("task-finished", "task-failed"):
            return messages


def parsed(message: aiohttp.WSMessage, task_id: str) -> str:
    """Return the event's name if the message is an event of the task."""
    try:
        header: Any = message.json()["header"]
        return str(header["event"]) if header["task_id"] == task_id else ""
    except ValueError, TypeError, KeyError:
        return ""


@pytest.mark.parametrize(("kind", "point"), TASK_CELLS)
async def test_a_fault_happens_once(kind: FaultKind, point: Point) -> None:
    async with emulating() as emulator:
        emulator.script(Fault(kind, point, seconds=0.01))
        seconds = 0.1 if kind is FaultKind.HANG else 10
        async with connect(emulator) as wire:
            cancel = point is Point.CANCEL
            messages = await raw_messages(wire, seconds, cancel=cancel)
            if point is Point.IDLE:
                await after_task(wire, kind)
            elif kind in TASK_ERRORS:
                error = messages[-1].json()["header"]
                assert (error["error_code"], error["error_message"]) == TASK_ERRORS[
                    kind
                ]
            elif kind in CUT:
                assert messages[-1].type not in (
                    aiohttp.WSMsgType.TEXT,
                    aiohttp.WSMsgType.BINARY,
                )
            elif kind is FaultKind.HANG:
                assert "task-finished" not in str(messages)
            else:
                assert parsed(messages[-1], wire.task_id) == "task-finished"
            if kind is FaultKind.HANG:
                # It does not answer the close handshake either.
                wire.ws._response.close()
        assert [fault.kind for fault in emulator.happened] == [kind]
        assert emulator.faults.take(point, sentences=9) is None


@pytest.mark.parametrize("point", [Point.BEFORE_AUDIO, Point.MID_SENTENCE])
@pytest.mark.parametrize(
    ("kind", "sign"),
    [
        (
            FaultKind.GARBAGE_TEXT,
            lambda message: message.data == "<html>Bad gateway</html>",
        ),
        (FaultKind.GARBAGE_JSON, lambda message: '["nothing"]' in str(message.data)),
        (FaultKind.TEXT_FOR_BINARY, lambda message: is_hexadecimal(message.data)),
        (FaultKind.OVERSIZED_FRAME, lambda message: len(message.data) == 2**24),
        (FaultKind.UNKNOWN_EVENT, lambda message: "task-progress" in str(message.data)),
        (FaultKind.WRONG_TASK_ID, lambda message: "f" * 32 in str(message.data)),
        (
            FaultKind.MISSING_FIELDS,
            lambda message: (
                "result-generated" in str(message.data)
                and message.json()["payload"] == {}
            ),
        ),
    ],
)
async def test_an_odd_message_comes(
    kind: FaultKind, sign: Callable[[aiohttp.WSMessage], bool], point: Point
) -> None:
    async with emulating() as emulator, connect(emulator) as wire:
        assert not any(map(sign, await raw_messages(wire)))
        emulator.script(Fault(kind, point))
        assert any(map(sign, await raw_messages(wire)))


async def test_an_event_comes_twice() -> None:
    async with emulating() as emulator, connect(emulator) as wire:
        emulator.script(Fault(FaultKind.DUPLICATE_EVENT, Point.BETWEEN_SENTENCES))
        messages = [str(message.data) for message in await raw_messages(wire)]
        begins = [text for text in messages if "sentence-begin" in text]
        assert begins[1] == begins[2]


async def test_the_usage_is_left_out() -> None:
    async with emulating() as emulator, connect(emulator) as wire:
        emulator.config.usage = "finished"
        emulator.script(Fault(FaultKind.FINISH_WITHOUT_USAGE, Point.BEFORE_FINISHED))
        await wire.speak(*SENTENCES)
        assert wire.usage is None


def is_hexadecimal(data: Any) -> bool:
    return isinstance(data, str) and set(data) <= set("0123456789abcdef")


async def after_task(wire: Wire, kind: FaultKind) -> None:
    """Check what becomes of an idle connection."""
    if kind in (FaultKind.HANG, FaultKind.FREEZE):
        with pytest.raises(TimeoutError):
            await wire.ws.receive(timeout=0.05)
        return
    message = await wire.ws.receive(timeout=10)
    frames = (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY)
    assert (message.type in frames) is (kind not in CUT)


@pytest.mark.parametrize(("kind", "point"), HARMLESS)
async def test_after_a_harmless_fault_all_is_heard(
    kind: FaultKind, point: Point
) -> None:
    async with emulating() as emulator, connect(emulator) as wire:
        emulator.script(Fault(kind, point, seconds=0.01))
        messages = await raw_messages(wire)
        audio = b"".join(m.data for m in messages if m.type is aiohttp.WSMsgType.BINARY)
        heard = emulator.heard(audio, "pcm", 24000)
        assert [h.text for h in heard if h.complete] == SENTENCES
        assert parsed(messages[-1], wire.task_id) == "task-finished"


@pytest.mark.parametrize(
    "kind", [FaultKind.RESET, FaultKind.EARLY_FINISH, FaultKind.INTERNAL_ERROR]
)
async def test_mid_sentence_half_of_it_was_sent(kind: FaultKind) -> None:
    async with emulating() as emulator, connect(emulator) as wire:
        emulator.script(Fault(kind, Point.MID_SENTENCE, after_sentences=1))
        messages = await raw_messages(wire)
        audio = b"".join(m.data for m in messages if m.type is aiohttp.WSMsgType.BINARY)
        first, second = emulator.heard(audio, "pcm", 24000)
        assert (first.text, first.complete) == (SENTENCES[0], True)
        assert not second.complete
        assert [s.complete for s in emulator.tasks[0].sentences] == [True, False]


async def test_between_sentences_one_was_complete() -> None:
    async with emulating() as emulator, connect(emulator) as wire:
        emulator.script(Fault(FaultKind.DROP, Point.BETWEEN_SENTENCES))
        await raw_messages(wire)
        await emulator.until(lambda: emulator.tasks[0].outcome == "disconnected")
        assert [s.text for s in emulator.tasks[0].sentences] == SENTENCES[:1]


@pytest.mark.parametrize("kind", sorted(k for k in FaultKind if k.http_status))
async def test_the_handshake_can_be_refused(kind: FaultKind) -> None:
    async with emulating() as emulator, aiohttp.ClientSession() as session:
        emulator.script(Fault(kind, Point.HANDSHAKE))
        with pytest.raises(aiohttp.WSServerHandshakeError) as error:
            await session.ws_connect(emulator.url + PATH, headers=bearer(KEY))
        assert error.value.status == kind.http_status
        assert emulator.connections[0].status == kind.http_status


@pytest.mark.parametrize("kind", [Oddity.PROXY_403, Oddity.PROXY_426])
async def test_a_proxy_can_refuse_the_handshake(kind: Oddity) -> None:
    async with emulating() as emulator, aiohttp.ClientSession() as session:
        emulator.script(Fault(kind, Point.HANDSHAKE))
        url = emulator.url + PATH
        async with session.get(url, headers=bearer(KEY)) as response:
            assert response.status == kind.http_status
            assert response.content_type == "text/html"


@pytest.mark.parametrize("kind", [FaultKind.RESET, FaultKind.DROP])
async def test_the_handshake_can_be_cut(kind: FaultKind) -> None:
    async with emulating() as emulator, aiohttp.ClientSession() as session:
        # aiohttp itself tries once more on a fresh connection.
        emulator.script(Fault(kind, Point.HANDSHAKE, times=None))
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.ws_connect(emulator.url + PATH, headers=bearer(KEY))
        assert emulator.connections[0].status is None


async def test_the_handshake_can_hang() -> None:
    async with emulating() as emulator, aiohttp.ClientSession() as session:
        emulator.script(Fault(FaultKind.HANG, Point.HANDSHAKE))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await session.ws_connect(emulator.url + PATH, headers=bearer(KEY))
        await emulator.until(lambda: emulator.connections[0].closed is not None)


async def test_a_connection_can_close_at_once() -> None:
    async with emulating() as emulator:
        emulator.script(Fault(FaultKind.CLOSE, Point.HANDSHAKE))
        async with connect(emulator) as wire:
            assert await wire.receive() is None


async def test_faults_can_be_aimed() -> None:
    async with emulating() as emulator:
        emulator.script(
            Fault(FaultKind.ARREARS, Point.BEFORE_STARTED, task=3),
            Fault(FaultKind.CONTENT, Point.BEFORE_STARTED, connection=2, times=None),
        )
        outcomes = []
        for _ in range(3):
            async with connect(emulator) as wire:
                await wire.run_task()
                event = await wire.receive()
                assert event
                outcomes.append(event["header"].get("error_code"))
        assert outcomes == [None, "DataInspectionFailed", "Arrearage"]


async def test_faults_can_last_and_be_cleared() -> None:
    async with emulating() as emulator:
        emulator.script(Fault(FaultKind.ARREARS, Point.BEFORE_STARTED, times=None))
        for _ in range(3):
            async with connect(emulator) as wire:
                await wire.run_task()
                assert (await wire.failure())[0] == "Arrearage"
        emulator.clear_faults()
        async with connect(emulator) as wire:
            await wire.speak(*SENTENCES)


def test_every_fault_has_a_point() -> None:
    assert all(Emulator.fault_points(kind) for kind in FaultKind)


def test_what_cannot_happen_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot happen"):
        Fault(FaultKind.HTTP_503, Point.MID_SENTENCE)


def test_a_fault_can_be_written_down() -> None:
    spec = "slow@mid_sentence,times=2,after_sentences=1,seconds=0.5,task=3,connection=1"
    assert Fault.parse(spec) == Fault(
        FaultKind.SLOW,
        Point.MID_SENTENCE,
        times=2,
        after_sentences=1,
        seconds=0.5,
        task=3,
        connection=1,
    )
    assert Fault.parse("reset@idle,times=always").times is None


@pytest.mark.parametrize(
    "spec", ["", "reset", "reset@nowhere", "reset@idle,x=1", "reset@idle,task=a"]
)
def test_what_is_no_fault_is_refused(spec: str) -> None:
    with pytest.raises(ValueError):
        Fault.parse(spec)
