"""Every fault at every moment: the whole message is heard, or a clear error is raised.

The cells are generated from what the emulator can do wrong. What is right follows
from the fault's nature: a transient or harmless one may cost no sentence, and none may
be heard again but the one it struck; a permanent one is raised immediately, in its class.
"""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

import pytest

from custom_components.cosyvoice.client import (
    AccessDeniedError,
    ArrearsError,
    AuthenticationError,
    ContentError,
    CosyVoiceClient,
    CosyVoiceError,
    FreeQuotaError,
    ModelNotFoundError,
    NotOfferedError,
    RequestError,
    Timing,
    UtteranceReport,
    VoiceError,
)
from custom_components.cosyvoice.text.sentences import Piece
from tests.clock import run
from tests.emulator import Emulator, EmulatorConfig, Fault, FaultKind, Nature, Point
from tests.emulator.config import Usage

from .speaking import SENTENCES, TEXT, listen, options, pieces, service, whole, written

TIMING = Timing()

POINTS = [point for point in Point if point is not Point.HTTP]
# Where a sentence of which something was heard has not been reported to be complete.
STRUCK = (Point.MID_SENTENCE, Point.SENTENCE_END)
CELLS = [
    pytest.param(
        kind,
        point,
        streamed,
        container,
        id="-".join([kind, point, "streamed" if streamed else "whole", container]),
    )
    for kind in FaultKind
    for point in POINTS
    if point in Emulator.fault_points(kind)
    for streamed in (False, True)
    for container in ("mp3", "wav")
]
ERRORS = {
    FaultKind.HTTP_400: RequestError,
    FaultKind.HTTP_401: AuthenticationError,
    FaultKind.HTTP_403: AuthenticationError,
    FaultKind.HTTP_404: NotOfferedError,
    FaultKind.ARREARS: ArrearsError,
    FaultKind.FREE_QUOTA: FreeQuotaError,
    FaultKind.ACCESS_DENIED: AccessDeniedError,
    FaultKind.INVALID_PARAMETER: RequestError,
    FaultKind.VOICE_418: VoiceError,
    FaultKind.CONTENT: ContentError,
    FaultKind.MODEL_NOT_FOUND: ModelNotFoundError,
}


@dataclass
class Spoken:
    """What became of an utterance."""

    report: UtteranceReport
    audio: bytearray = field(default_factory=bytearray)
    error: CosyVoiceError | None = None
    seconds: float = 0.0
    """How long it took by the loop's clock."""


async def speak(client: CosyVoiceClient, container: str, *, streamed: bool) -> Spoken:
    """Say the text; return what came of it."""
    text = written(TEXT) if streamed else whole(TEXT)
    utterance = client.speak(text, options(format=container))
    spoken = Spoken(utterance.report)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    try:
        async for chunk in utterance:
            spoken.audio += chunk
    except CosyVoiceError as err:
        spoken.error = err
    spoken.seconds = loop.time() - begun
    return spoken


def check_heard(emulator: Emulator, spoken: Spoken, *, repeats: int) -> None:
    """Check that every sentence was heard, in order, and few of them again."""
    assert spoken.error is None
    assert spoken.report.outcome == "finished"
    everything = emulator.heard(bytes(spoken.audio))
    complete = [
        heard.text.strip() if heard.text else None
        for heard in everything
        if heard.complete
    ]
    assert [
        text for index, text in enumerate(complete) if text not in complete[:index]
    ] == SENTENCES
    assert len(everything) <= len(SENTENCES) + repeats


def check_refused(spoken: Spoken, kind: FaultKind, point: Point) -> None:
    """Check that the right error was raised immediately."""
    assert type(spoken.error) is ERRORS[kind]
    assert spoken.report.outcome == "failed"
    assert spoken.report.error is spoken.error
    assert spoken.seconds < 1
    if point in (Point.HANDSHAKE, Point.BEFORE_STARTED, Point.BEFORE_AUDIO):
        assert spoken.report.audio_seconds == 0


@pytest.mark.parametrize(("kind", "point", "streamed", "container"), CELLS)
def test_one_fault(
    kind: FaultKind, point: Point, container: str, *, streamed: bool
) -> None:
    """A fault that happens once costs no word, or is raised in its class immediately."""

    async def scenario() -> None:
        within = point in (Point.MID_SENTENCE, Point.BETWEEN_SENTENCES)
        lasting = kind.nature is Nature.PERMANENT
        fault = Fault(
            kind, point, times=None if lasting else 1, after_sentences=int(within)
        )
        async with service() as (emulator, client):
            emulator.script(fault)
            if point is Point.IDLE:
                first = await speak(client, container, streamed=streamed)
                check_heard(emulator, first, repeats=0)
                await asyncio.sleep(0.5)
            spoken = await speak(client, container, streamed=streamed)
            assert fault in emulator.happened
            if kind.nature is Nature.PERMANENT:
                check_refused(spoken, kind, point)
                emulator.clear_faults()
                again = await speak(client, container, streamed=streamed)
                check_heard(emulator, again, repeats=0)
                return
            struck = kind.nature is Nature.TRANSIENT and point in STRUCK
            check_heard(emulator, spoken, repeats=int(struck))
            assert spoken.seconds < TIMING.attempt + 2

    run(scenario())


TRANSIENT_CELLS = [
    pytest.param(kind, point, id=f"{kind}-{point}")
    for kind in FaultKind
    for point in POINTS
    if point in Emulator.fault_points(kind)
    and kind.nature is Nature.TRANSIENT
    and point is not Point.IDLE
]


@pytest.mark.parametrize(("kind", "point"), TRANSIENT_CELLS)
def test_a_fault_that_never_ends(kind: FaultKind, point: Point) -> None:
    """The message is heard nevertheless, or an error comes in bounded time."""

    async def scenario() -> None:
        async with service() as (emulator, client):
            emulator.script(Fault(kind, point, times=None))
            spoken = await speak(client, "wav", streamed=False)
            if spoken.error is None:
                check_heard(emulator, spoken, repeats=len(SENTENCES))
            else:
                assert spoken.error.retryable
                assert spoken.report.error is spoken.error
            assert spoken.seconds < TIMING.deadline + TIMING.attempt + 1

    run(scenario())


# --- Slow and hanging answers ---

DELAYS = ("slow,seconds=0.5", "slow,seconds=2", "hang")
STATES = ("cold", "idle", "warmed", "warming")
DELAY_CELLS = [
    pytest.param(fault, point, state, form, id=f"{fault}-{point}-{state}-{form}")
    for fault in DELAYS
    for point in POINTS
    if point in FaultKind(fault.partition(",")[0]).points
    for state in STATES
    for form in ("whole", "streamed", "paused")
]


async def paused(text: str) -> AsyncGenerator[Piece]:
    """Yield a text that pauses after its first sentence."""
    has_paused = False
    for piece in pieces(text):
        yield piece
        if piece.end == "sentence" and not has_paused:
            has_paused = True
            await asyncio.sleep(4)


FORMS = {"whole": whole, "streamed": written, "paused": paused}


@pytest.mark.parametrize(("fault", "point", "state", "form"), DELAY_CELLS)
def test_an_answer_that_is_late_or_never_comes(
    fault: str, point: Point, state: str, form: str
) -> None:
    """At every step, whatever the connection did before: all is heard, and soon."""

    async def scenario() -> None:
        config = EmulatorConfig(speech="signal", round_trip=0.05, first_packet=0.2)
        loop = asyncio.get_running_loop()
        async with service(config) as (emulator, client):
            kind, _, seconds = fault.partition(",")
            spec = f"{kind}@{point}" + f",{seconds}" * bool(seconds)
            if state == "idle":
                await listen(client.speak(whole(TEXT), options(voice="longanhuan")))
            elif state == "warmed":
                client.warm_up(options())
                await asyncio.sleep(1)
            emulator.script(spec)
            if state == "warming":
                client.warm_up(options())
                await asyncio.sleep(0.1)
            utterance = client.speak(FORMS[form](TEXT), options(format="wav"))
            spoken = Spoken(utterance.report)
            begun = loop.time()
            async for chunk in utterance:
                spoken.audio += chunk
            spoken.seconds = loop.time() - begun - 4 * (form == "paused")
            check_heard(emulator, spoken, repeats=int(kind == "hang"))
            limit = TIMING.attempt if kind == "hang" else float(seconds[8:])
            assert spoken.seconds < limit + 1.5
            await client.close()
            await asyncio.sleep(10)

    run(scenario())


# --- Services that report less ---

USAGE_CELLS = [
    pytest.param(usage, kind, point, id=f"{usage}-{kind}-{point}")
    for usage in ("finished", "none", "old")
    for kind in FaultKind
    if kind.nature is Nature.TRANSIENT
    for point in (Point.MID_SENTENCE, Point.BETWEEN_SENTENCES, Point.SENTENCE_END)
    if point in kind.points
]


@pytest.mark.parametrize(("usage", "kind", "point"), USAGE_CELLS)
def test_a_loss_where_the_service_reports_less(
    usage: Usage, kind: FaultKind, point: Point
) -> None:
    """Nothing is lost, whatever is missing in its events; a sentence is repeated."""

    async def scenario() -> None:
        config = EmulatorConfig(speech="signal", usage=usage)
        async with service(config) as (emulator, client):
            fault = Fault(kind, point, after_sentences=1)
            emulator.script(fault)
            spoken = await speak(client, "wav", streamed=False)
            assert fault in emulator.happened
            check_heard(emulator, spoken, repeats=1)

    run(scenario())
