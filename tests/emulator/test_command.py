"""The emulator by itself."""

import asyncio
from pathlib import Path
import sys

import aiohttp
import pytest

from . import Fault, FaultKind, Point
from .__main__ import configuration, parse_arguments
from .wire import PATH, bearer

pytestmark = pytest.mark.real_time

ROOT = Path(__file__).parents[2]


async def test_it_runs_by_itself() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.emulator", "--port", "0", "--api-key", "sk-one"),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout
        line = (await process.stdout.readline()).decode()
        url = line.split()[-1]
        assert line.startswith("CosyVoice emulator at http://127.0.0.1:")
        async with aiohttp.ClientSession() as session:
            ws = await session.ws_connect(url + PATH, headers=bearer("sk-one"))
            await ws.close()
            async with session.get(f"{url}/_emulator/state") as response:
                assert len((await response.json())["connections"]) == 1
    finally:
        process.terminate()
        assert await process.wait() == 0


async def test_it_knows_nothing_of_home_assistant_and_the_integration() -> None:
    code = (
        "import sys, tests.emulator.__main__, tests.emulator.voice;"
        "print([m for m in sys.modules if m.startswith(('homeassistant', 'custom_'))])"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert output.decode().strip() == "[]"


def test_the_command_line_becomes_a_configuration() -> None:
    line = (
        "--port 9 --api-key a --api-key b --host 0.0.0.0 --first-packet-ms 300"
        " --rtt-ms 20 --real-time-factor 0.3 --chunk-ms 40 --tls-round-trips 2"
        " --speech signal --text-gap 5 --idle 6 --usage both --starts-per-second 0"
        " --cloned-voice one --cloned-voice two:DEPLOYING --region ap-southeast-1"
        " --fault reset@idle,times=always --verbose"
    )
    config = configuration(parse_arguments(line.split()))
    assert (config.host, config.port) == ("0.0.0.0", 9)
    assert config.api_keys == {"a", "b"}
    assert config.first_packet == pytest.approx(0.3)
    assert config.round_trip == pytest.approx(0.02)
    assert config.chunk == pytest.approx(0.04)
    assert (config.real_time_factor, config.tls_round_trips) == (0.3, 2)
    assert (config.speech, config.usage) == ("signal", "both")
    assert (config.text_gap, config.idle, config.starts_per_second) == (5, 6, 0)
    assert config.cloned_voices == {"one": "OK", "two": "DEPLOYING"}
    assert config.region == "ap-southeast-1"
    assert config.faults == [Fault(FaultKind.RESET, Point.IDLE, times=None)]


def test_differences_and_transcripts_are_options() -> None:
    line = (
        "--differ flush-ignored --differ handshake-403 --record out.jsonl"
        " --record-texts --replay in.jsonl"
    )
    config = configuration(parse_arguments(line.split()))
    assert config.differ == {"flush-ignored", "handshake-403"}
    assert (config.flush, config.facts.refusal_status) == ("ignored", 403)
    assert (config.record, config.replay) == (Path("out.jsonl"), Path("in.jsonl"))
    assert config.record_texts


@pytest.mark.parametrize(
    "line", ["--fault x", "--speech loud", "--region mars", "--differ nothing"]
)
def test_a_bad_command_line_is_refused(line: str) -> None:
    with pytest.raises(SystemExit):
        parse_arguments(line.split())
