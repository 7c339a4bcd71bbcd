"""Models of Qwen-Audio: bills in tokens, cancellation, errors that pass."""

import asyncio
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from typing import Any

import pytest

from custom_components.cosyvoice.client import (
    CATALOGUE,
    AccessDeniedError,
    CosyVoiceClient,
    SynthesisOptions,
    UtteranceReport,
    VoiceError,
)
from custom_components.cosyvoice.text.sentences import Piece
from tests.clock import run
from tests.emulator import Emulator, EmulatorConfig, tags

from . import speaking
from .speaking import TEXT, heard, listen, timed, whole, written

BEIJING, SINGAPORE = "cn-beijing", "ap-southeast-1"
TOKENS = "qwen-audio-3.1-tts-flash"
VOICES = {
    TOKENS: "longanhuan_v3.1",
    "qwen-audio-3.0-tts-flash": "loongjohn",
    "qwen-audio-3.0-tts-plus": "longanlingxin",
}
PLACES = [
    (model, region) for model in VOICES for region in CATALOGUE.models[model].regions
]


def service(
    region: str = BEIJING, **settings: Any
) -> AbstractAsyncContextManager[tuple[Emulator, CosyVoiceClient]]:
    """Run an emulator of a region and a client of it."""
    config = EmulatorConfig(region=region, **{"speech": "signal", **settings})
    return speaking.service(config)


def options(model: str, region: str = BEIJING, **settings: Any) -> SynthesisOptions:
    """Return resolved options for a voice of a model."""
    return SynthesisOptions(voice=VOICES[model], model=model, **settings).resolve(
        region
    )


def cost(report: UtteranceReport, region: str = BEIJING) -> Decimal:
    """Return what an utterance costs by the catalogue's prices."""
    price = CATALOGUE.models[report.model].prices[region]
    return price.cost(report.characters, report.input_tokens, report.output_tokens)


def check_bill(
    emulator: Emulator, reports: list[UtteranceReport], region: str = BEIJING
) -> None:
    """Compare reports with the service's bill, to the last digit."""
    entries = emulator.bill.entries
    for name in ("characters", "input_tokens", "output_tokens"):
        assert sum(getattr(report, name) for report in reports) == sum(
            getattr(entry, name) for entry in entries
        )
    currency = CATALOGUE.regions[region].currency
    assert sum(cost(report, region) for report in reports) == emulator.bill.money(
        currency
    )


@pytest.mark.parametrize(("model", "region"), PLACES)
@pytest.mark.parametrize("streamed", [True, False])
def test_a_message_is_heard_and_billed(
    model: str, region: str, *, streamed: bool
) -> None:
    async def scenario() -> None:
        async with service(region) as (emulator, client):
            text = written(TEXT) if streamed else whole(TEXT)
            utterance = client.speak(text, options(model, region, format="wav"))
            assert heard(emulator, await listen(utterance))
            report = utterance.report
            assert not report.estimated
            assert (report.output_tokens > 0) == (model == TOKENS)
            assert (report.characters > 0) == (model != TOKENS)
            check_bill(emulator, [report], region)

    run(scenario())


@pytest.mark.parametrize("audio_format", ["wav", "mp3", "opus"])
def test_a_lost_task_costs_the_tokens_that_were_reported(audio_format: str) -> None:
    """The rest of the text is spoken by another task, whose tokens are added."""

    async def scenario() -> None:
        async with service() as (emulator, client):
            emulator.script("reset@mid_sentence,after_sentences=1")
            utterance = client.speak(whole(TEXT), options(TOKENS, format=audio_format))
            await listen(utterance)
            report = utterance.report
            assert (report.tasks, report.estimated) == (2, True)
            check_bill(emulator, [report])

    run(scenario())


@pytest.mark.parametrize("chunks", [1, 3, 8])
def test_a_listener_who_leaves_pays_the_tokens_spoken_so_far(chunks: int) -> None:
    """The cancelled task reports them, and its connection is used again."""

    async def scenario() -> None:
        settings: dict[str, Any] = {"real_time_factor": 0.5, "chunk": 0.2}
        async with service(**settings) as (emulator, client):
            reports = []
            for _ in range(2):
                utterance = client.speak(whole(TEXT), options(TOKENS, format="wav"))
                audio = aiter(utterance)
                for _ in range(1 + chunks):
                    await anext(audio)
                await utterance.aclose()
                reports.append(utterance.report)
                assert utterance.report.outcome == "cancelled"
                assert utterance.report.output_tokens > 0
                assert not utterance.report.estimated
            check_bill(emulator, reports)
            assert client.statistics.reused == 1

    run(scenario())


@pytest.mark.parametrize("region", [BEIJING, SINGAPORE])
def test_a_cancellation_without_an_answer_ends_in_time(
    region: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is closed then, and the last report counts."""

    async def scenario() -> None:
        settings: dict[str, Any] = {
            "real_time_factor": 0.5,
            "chunk": 0.2,
            "opened_models": {TOKENS},
        }
        async with service(region, **settings) as (_, client):
            monkeypatch.setattr(
                "tests.emulator.task.Task.answers_cancel", property(lambda _: False)
            )
            chosen = options(TOKENS, region, format="wav")
            utterance = client.speak(whole(TEXT * 5), chosen)
            audio = aiter(utterance)
            await anext(audio)
            await anext(audio)
            await utterance.aclose()
            assert utterance.report.outcome == "cancelled"
            assert utterance.report.estimated
            assert client.statistics.idle == 0
            assert await listen(client.speak("好的。", chosen))

    run(scenario())


@pytest.mark.parametrize("on", ["idle", "opened_ahead", "fresh"])
@pytest.mark.parametrize(
    "fault", ["voice_411", "sporadic_418", "url_error", "invalid_action"]
)
@pytest.mark.parametrize("warm", [True, False])
def test_a_burst_survives_sockets_that_the_service_refuses(
    on: str, fault: str, *, warm: bool
) -> None:
    """Each that was kept, opened ahead or left waiting for its turn; one new one."""
    times = "1" if on == "fresh" else "always"

    async def scenario() -> None:
        async with service(real_time_factor=0.05) as (emulator, client):
            emulator.script(f"{fault}@before_started,on={on},times={times}")
            chosen = options(TOKENS, format="wav")
            reports = []
            for burst in (5, 5, 1):
                utterances = [client.speak(whole(TEXT), chosen) for _ in range(burst)]
                spoken = await asyncio.gather(*map(listen, utterances))
                assert all(heard(emulator, audio) for audio in spoken)
                reports += [utterance.report for utterance in utterances]
                if warm:
                    client.warm_up(chosen)
                    await asyncio.sleep(8)
            check_bill(emulator, reports)

    run(scenario())


@pytest.mark.parametrize("gap", [0.0499, 0.05, 0.0501, 0.2])
@pytest.mark.parametrize(("model", "region"), PLACES)
def test_a_burst_survives_connections_that_say_bye(
    model: str, region: str, gap: float
) -> None:
    """Also if they are closed in the moment in which they are wanted."""

    async def scenario() -> None:
        async with service(region, idle=0.05) as (emulator, client):
            chosen = options(model, region, format="wav")
            reports = []
            for burst in (3, 5, 1):
                utterances = [client.speak(whole(TEXT), chosen) for _ in range(burst)]
                spoken = await asyncio.gather(*map(listen, utterances))
                assert all(heard(emulator, audio) for audio in spoken)
                reports += [utterance.report for utterance in utterances]
                await asyncio.sleep(gap)
            check_bill(emulator, reports, region)

    run(scenario())


@pytest.mark.parametrize(
    "fault", ["voice_411", "sporadic_418", "url_error", "invalid_action"]
)
@pytest.mark.parametrize(("model", "region"), PLACES)
def test_an_error_that_passes_is_not_heard(model: str, region: str, fault: str) -> None:
    """Once it is survived on a new connection; twice it is the voice's error."""

    async def scenario() -> None:
        async with service(region) as (emulator, client):
            emulator.script(f"{fault}@before_started")
            utterance = client.speak(whole(TEXT), options(model, region))
            assert await listen(utterance)
            assert len(emulator.connections) >= 2
            check_bill(emulator, [utterance.report], region)

    run(scenario())


def test_an_error_of_the_voice_that_stays_is_shown() -> None:
    async def scenario() -> None:
        async with service() as (emulator, client):
            emulator.script("voice_411@before_started,times=always")
            with pytest.raises(VoiceError):
                await listen(client.speak(whole(TEXT), options(TOKENS)))

    run(scenario())


@pytest.mark.parametrize(("model", "region"), PLACES)
def test_a_model_may_be_closed_to_the_account(model: str, region: str) -> None:
    async def scenario() -> None:
        async with service(region, closed_models={model}) as (_, client):
            with pytest.raises(AccessDeniedError) as caught:
                await listen(client.speak(whole(TEXT), options(model, region)))
            assert not caught.value.retryable

    run(scenario())


@pytest.mark.parametrize(("model", "region"), PLACES)
def test_a_connection_that_was_closed_in_silence_is_replaced(
    model: str, region: str
) -> None:
    """The service closes an idle connection with code 1000 and the reason Bye."""

    async def scenario() -> None:
        async with service(region, idle=0.05) as (emulator, client):
            for _ in range(2):
                assert await listen(client.speak(whole(TEXT), options(model, region)))
                await asyncio.sleep(0.2)
            assert len(emulator.connections) >= 2

    run(scenario())


def test_a_socket_that_was_opened_ahead_may_be_refused() -> None:
    """The task is started on a new one."""

    async def scenario() -> None:
        async with service() as (emulator, client):
            emulator.script(
                "invalid_action@before_started,on=opened_ahead,times=always"
            )
            chosen = options(TOKENS)
            assert await listen(client.speak(whole(TEXT), chosen))
            client.warm_up(chosen)
            await emulator.until(lambda: len(emulator.tasks) > 1)
            assert await listen(client.speak(whole(TEXT), chosen))

    run(scenario())


@pytest.mark.parametrize("reported", [True, False])
@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize("model", VOICES)
def test_tags_may_be_neither_reported_nor_counted(
    model: str, counted: bool, reported: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is taken for lost; a loss repeats no more than one sentence."""
    said = ["Hi there!", " [sighing] Well [very slowly], bye.", " [laughing] So long!"]

    async def scenario() -> None:
        differ = () if counted else ("qwen-tags-free",)
        async with service(differ=differ) as (emulator, client):
            if not reported:
                monkeypatch.setattr("tests.emulator.tags.written", tags.spoken)
            for script in (None, "reset@mid_sentence,after_sentences=1"):
                if script:
                    emulator.script(script)
                text = timed(*said, Piece(" [gasp]", "sentence"))
                utterance = client.speak(text, options(model, format="wav"))
                found = [one.text for one in emulator.heard(await listen(utterance))]
                repeated = ["Well , bye."] if script else []
                assert found == ["Hi there!", "Well , bye.", *repeated, "So long!"]
                assert utterance.report.tasks == 1 + bool(script)
                sent = "".join(piece.text for piece in emulator.tasks[-1].pieces)
                assert sent.endswith(f"{said[-1]} [gasp]")

    run(scenario())
