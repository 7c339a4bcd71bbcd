"""What the demo's verification would not let pass."""

from dataclasses import replace
import io
import os
from pathlib import Path
from unittest.mock import AsyncMock, Mock

import pytest

from homeassistant.const import RESTART_EXIT_CODE
from tests.demo import __main__ as demo_program
from tests.demo.__main__ import check, log_faults, new_folder, say
from tests.demo.audio import Recording
from tests.demo.home import keep_running
from tests.demo.programs import ProgramError, last_words
from tests.demo.service import SpokenTask
from tests.demo.speech import Heard

TEXT = "Welcome home. The lights are on."
RECORDING = Recording(
    path=Path("speak.mp3"),
    container="mp3",
    codec="mp3",
    sample_rate=24000,
    channels=1,
    seconds=10.1,
)
TASK = SpokenTask(
    text="Welcome home.The lights are on.",
    parameters={"sample_rate": 24000},
    outcome="finished",
    audio_seconds=10.0,
)


def faults(recording: Recording = RECORDING, task: SpokenTask = TASK) -> list[str]:
    return check(Heard(recording=recording, first_audio=0.3), TEXT, [task])


def test_complete_speech_passes() -> None:
    assert faults() == []


@pytest.mark.parametrize(
    ("recording", "task", "fault"),
    [
        (replace(RECORDING, seconds=9.6), TASK, "9.60 s were heard of 10.00 s"),
        (replace(RECORDING, seconds=10.4), TASK, "10.40 s were heard of 10.00 s"),
        (replace(RECORDING, seconds=0), TASK, "There is no sound"),
        (replace(RECORDING, container="wav"), TASK, "speak.mp3 is wav"),
        (replace(RECORDING, sample_rate=22050), TASK, "The rate is 22050 Hz"),
        (RECORDING, replace(TASK, outcome="failed"), "The service was left"),
        (RECORDING, replace(TASK, text="Welcome home."), "Other words were spoken"),
    ],
)
def test_fault_is_named(recording: Recording, task: SpokenTask, fault: str) -> None:
    assert any(found.startswith(fault) for found in faults(recording, task))


def test_silence_of_the_emulator_is_a_fault() -> None:
    heard = Heard(recording=RECORDING, first_audio=0.3)
    assert check(heard, TEXT, []) == ["The emulator was not asked to speak"]
    assert check(heard, TEXT, None) == []


def test_errors_in_the_log_are_faults(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(
        "2026 WARNING (Main) [homeassistant.loader] custom integration cosyvoice\n"
        "2026 ERROR (Main) [homeassistant.components.camera] Error loading libturbojpeg\n"
        "2026 ERROR (Main) [custom_components.cosyvoice] It did not work\n"
        "2026 ERROR (Main) [custom_components.cosyvoice] It did not work\n"
    )
    assert [line[-15:] for line in log_faults(log)] == ["It did not work"]


def test_a_traceback_is_told_by_its_last_line_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    traceback = (
        "Traceback (most recent call last):\n"
        '  File "a.py", line 1, in <module>\n'
        "    raise KeyError\n"
        "\n"
        "KeyError: 'a'\n"
    )
    log.write_text("2026 ERROR (Main) [other] Failed\n" + traceback * 2 + "2026 INFO\n")
    assert log_faults(log) == ["KeyError: 'a'"]
    assert last_words(log) == "KeyError: 'a'"
    log.write_text("Nothing\nNo space left\n")
    assert last_words(log) == "No space left"


def test_a_missing_network_is_named(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(
        "Traceback (most recent call last):\nOSError: [Errno 19] No such device\n"
    )
    (fault,) = log_faults(log)
    assert "network interface" in fault


async def test_a_restart_from_home_assistants_menu_is_no_end(tmp_path: Path) -> None:
    program = Mock(log=tmp_path / "log")
    program.wait = AsyncMock(side_effect=[RESTART_EXIT_CODE, RESTART_EXIT_CODE, 1])
    program.start, program.answers = AsyncMock(), AsyncMock()
    program.ended = AsyncMock(side_effect=ProgramError)
    home = Mock()
    home.api.is_running = AsyncMock(return_value=True)
    with pytest.raises(ProgramError):
        await keep_running(home, program)
    assert program.start.await_count == 2


def test_every_run_has_a_folder_and_old_ones_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_program, "REPOSITORY", tmp_path)
    old = new_folder("demo")
    os.utime(old, (0, 0))
    first, second = new_folder("demo"), new_folder("demo")
    assert first != second
    assert sorted((tmp_path / ".work/demo").iterdir()) == sorted([first, second])


def test_a_line_is_printed_in_any_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    output = io.TextIOWrapper(io.BytesIO(), "ascii")
    monkeypatch.setattr("sys.stdout", output)
    say("Starting …")
    assert output.buffer.getvalue() == b"Starting ?\n"
