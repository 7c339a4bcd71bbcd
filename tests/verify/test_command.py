"""The command: what it asks, tells, writes, records and cleans up."""

import asyncio
import base64
import json
import os
from pathlib import Path
import signal
import sys
from typing import Any

import pytest

from ..emulator import Emulator, EmulatorConfig
from ..emulator.wire import connect
from . import __main__ as command
from .emulated import emulated
from .probe import MODEL, PROBES, DiffersError, Probe, RefusedError, UntoldError
from .report import redacted
from .runner import InterruptedRunError, Verdict, judge, run
from .service import Service

KEY = "sk-0123456789abcdef"


def verify(*arguments: str) -> int:
    return command.main(arguments)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DASHSCOPE_API_KEY", raising=False)
    return tmp_path


def test_all_holds_against_the_emulator(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("right-key-opens", "path-with-slash", "flush-speaks")
    assert verify("--only", *names) == 0
    output = capsys.readouterr().out
    assert "3 holds, 0 differs, 0 could not be told" in output
    text = (folder / "verify-report.md").read_text()
    assert all(f"| {name} |" in text for name in names)


def test_a_part_of_a_name_chooses() -> None:
    assert len(command.chosen(["flush"])) == 2
    assert len(command.chosen(None)) == len(PROBES)
    assert PROBES["cancel-is-answered"] not in command.chosen(None, "ap-southeast-1")
    with pytest.raises(SystemExit, match="no probe unheard-of"):
        command.chosen(["unheard-of"])


def test_the_list_is_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert verify("--list") == 0
    assert capsys.readouterr().out.count("\n| `") == len(PROBES)


def test_a_key_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert verify("--real") == 2
    assert capsys.readouterr().out.splitlines() == [
        "Set DASHSCOPE_API_KEY to the key of an account of the region."
    ]


@pytest.mark.parametrize(
    ("terminal", "answer", "goes_ahead"),
    [(True, "y", True), (True, "", False), (False, "y", False)],
)
def test_it_asks_before_it_costs(
    terminal: bool,
    answer: str,
    goes_ahead: bool,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: terminal)
    monkeypatch.setattr("builtins.input", lambda _: answer)
    options = command.parse_arguments(["--real"])
    assert command.permitted(options, [*PROBES.values()]) is goes_ahead
    assert "at most 0." in capsys.readouterr().out
    assert command.permitted(command.parse_arguments(["--real", "--yes"]), [])


async def real(emulator: Emulator, *names: str) -> int:
    """Run probes against an emulator that is taken for the service."""
    options = command.parse_arguments(
        ["--real", "--url", emulator.url, "--only", *names]
    )
    return await command.verified(options, command.chosen(options.only), KEY)


async def test_a_difference_is_told_and_ends_with_1(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = EmulatorConfig(api_keys=[KEY], differ={"no-slash"})
    async with Emulator(config) as emulator:
        assert await real(emulator, "path-with-slash", "right-key-opens") == 1
    output = capsys.readouterr().out
    text = (folder / "verify-report.md").read_text()
    assert "1 holds, 1 differs" in output
    assert "| path-with-slash | 1 | differs | HTTP 404 | no-slash |" in text
    assert KEY not in output + text


async def test_nothing_is_told_where_nothing_answers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with Emulator(EmulatorConfig(api_keys=[KEY])) as emulator:
        emulator.stop_listening()
        assert await real(emulator, "one-frame-each") == 0
    assert "no connection: ClientConnectorError" in capsys.readouterr().out


def test_what_was_recorded_can_be_played(folder: Path) -> None:
    path = folder / "frames.jsonl"
    assert verify("--only", "sentences-begin", "--record", str(path)) == 0
    kept = path.read_text("utf-8")
    frames = [json.loads(line) for line in kept.splitlines()[1:]]
    audio = b"".join(base64.b64decode(frame.get("audio", "")) for frame in frames)
    assert audio
    assert "sk-test" not in kept
    assert asyncio.run(played(path)) == audio


async def played(path: Path) -> bytes:
    config = EmulatorConfig(replay=path)
    async with Emulator(config) as emulator, connect(emulator) as wire:
        return await wire.speak("你好。再见。")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"key {KEY} used", "key (key) used"),
        ("another sk-abc-123 and st-99", "another (key or id) and (key or id)"),
        ("task 5b1e0d3c9a4f4b1e8d2c7a6b5c4d3e2f", "task (id)"),
        ("id 0a9d0f6e-2b5c-4c1d-9e8f-7a6b5c4d3e2f.", "id (id)."),
        ("see https://x.oss-cn-beijing.aliyuncs.com/a?b=c", "see (address)"),
        ("account 12345678901", "account (number)"),
        (
            "voice cosyvoice-v3-flash-vfab12cd-7c1e0d3c9a4f4b1e8d2c",
            "voice cosyvoice-v3-flash-vfab12cd-(id)",
        ),
        ("audio 1605120 bytes\nin 33.44 s", "audio 1605120 bytes in 33.44 s"),
    ],
)
def test_a_report_tells_nothing_private(text: str, expected: str) -> None:
    assert redacted(text, KEY) == expected


def a_probe(work: Any, **changes: Any) -> Probe:
    values = {name: getattr(PROBES["flush-speaks"], name) for name in _FIELDS}
    return Probe(**{**values, "name": "made-up", "run": work, **changes})


_FIELDS = Probe.__dataclass_fields__


async def test_a_probe_that_hangs_holds_up_nothing() -> None:
    async def hang(_: Service) -> str:
        await asyncio.Event().wait()
        return ""

    async def answer(_: Service) -> str:
        return "good"

    async with emulated() as places:
        hanging = a_probe(hang, seconds=0.1, name="hangs")
        late = a_probe(hang, seconds=60.0, name="late")
        wanted = [hanging, a_probe(answer), late]
        results, _ = await run(
            wanted, lambda probe: places.place(probe).service, [], seconds=0.5
        )
    assert [(result.verdict, result.seen) for result in results] == [
        (Verdict.UNTOLD, "it took longer than 0.1 s"),
        (Verdict.HOLDS, "good"),
        (Verdict.UNTOLD, "no time was left of 0.5 s"),
    ]


@pytest.mark.parametrize(
    ("error", "verdict", "seen"),
    [
        (DiffersError("two frames"), Verdict.DIFFERS, "two frames"),
        (RefusedError("Code", "words"), Verdict.DIFFERS, "refused: Code words"),
        (
            RefusedError("Arrearage", "Access denied."),
            Verdict.UNTOLD,
            "refused: Arrearage Access denied.",
        ),
        (UntoldError("why"), Verdict.UNTOLD, "why"),
        (KeyError("usage"), Verdict.DIFFERS, "not understood: KeyError 'usage'"),
        (RuntimeError("odd"), Verdict.UNTOLD, "the probe failed: RuntimeError odd"),
        (TimeoutError(), Verdict.UNTOLD, "no answer came in time"),
        (ConnectionResetError(), Verdict.UNTOLD, "no connection: ConnectionResetError"),
    ],
)
async def test_what_a_probe_raises_is_judged(
    error: Exception, verdict: Verdict, seen: str
) -> None:
    async def fail(_: Service) -> str:
        raise error

    async with emulated() as places:
        result = await judge(a_probe(fail), places.hasty.service)
    assert (result.verdict, result.seen) == (verdict, seen)


async def test_an_odd_refusal_is_tried_again() -> None:
    probe = PROBES["recommended-voice-speaks"]
    async with emulated() as places:
        places.place(probe).emulator.script("sporadic_418@before_started")
        result = await judge(probe, places.place(probe).service)
    assert result.verdict is Verdict.HOLDS


async def test_a_throttled_probe_is_tried_again_until_it_cannot_be_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tests.verify.runner._PAUSES", (0.0, 0.0))
    refused = RefusedError("Throttling.RateQuota", "too many")
    tried: list[int] = []

    async def throttled(_: Service) -> str:
        tried.append(1)
        raise refused

    async with emulated() as places:
        result = await judge(a_probe(throttled), places.hasty.service)
    assert (result.verdict, result.seen) == (Verdict.UNTOLD, str(refused))
    assert len(tried) == 3


async def test_what_the_account_may_not_do_cannot_be_told() -> None:
    probe = PROBES["clone-is-reviewed-first"]
    async with emulated() as places:
        places.place(probe).emulator.config.free_tier_only = True
        result = await judge(probe, places.place(probe).service)
    assert result.verdict is Verdict.UNTOLD
    assert "AllocationQuota.FreeTierOnly" in result.seen


async def test_arrears_are_no_refusal_of_a_parameter() -> None:
    probe = PROBES["volume-to-100"]
    async with emulated() as places:
        places.place(probe).emulator.script("arrears@before_audio,times=always")
        places.place(probe).emulator.config.differ_in({"volume-limit-200"})
        result = await judge(probe, places.place(probe).service)
    assert result.verdict is Verdict.UNTOLD
    assert "Arrearage" in result.seen


async def test_no_voice_is_left_when_it_is_interrupted() -> None:
    begun = asyncio.Event()

    async def clone(service: Service) -> str:
        await service.voices(
            "create_voice",
            target_model=MODEL,
            prefix=service.prefix,
            url="https://example.com/me.wav",
        )
        # The answer to the creation of another one never comes.
        service.created.clear()
        begun.set()
        await asyncio.Event().wait()
        return ""

    async with emulated() as places:
        place = places.hasty
        others = {*place.emulator.config.cloned_voices}
        work = run(
            [a_probe(clone)], lambda _: place.service, [place.service], seconds=9
        )
        task = asyncio.create_task(work)
        await begun.wait()
        assert {*place.emulator.config.cloned_voices} > others
        task.cancel()
        await asyncio.sleep(0)
        # A second Ctrl-C does not keep it from cleaning up, however long that takes.
        place.emulator.script("slow@http,seconds=0.1")
        asyncio.get_running_loop().call_later(0.01, task.cancel)
        with pytest.raises(InterruptedRunError) as raised:
            await task
        assert {*place.emulator.config.cloned_voices} == others
        assert raised.value.left == []
        assert raised.value.results[0].seen == "it was interrupted"


async def test_a_voice_that_cannot_be_deleted_is_named() -> None:
    async with emulated() as places:
        place = places.hasty
        place.service.created.add("mine")
        place.service.creates = True
        place.emulator.script("http_500@http,times=always")
        _, left = await run([], lambda _: place.service, [place.service], seconds=9)
    assert left == ["mine"]


async def test_ctrl_c_ends_it_with_a_report(folder: Path) -> None:
    async with Emulator(EmulatorConfig(api_keys=[KEY])) as emulator:
        emulator.script("hang@before_started,times=always")
        work = asyncio.create_task(real(emulator, "one-frame-each"))
        await emulator.until(lambda: emulator.tasks)
        os.kill(os.getpid(), signal.SIGINT)
        assert await work == 130
    assert "it was interrupted" in (folder / "verify-report.md").read_text()
