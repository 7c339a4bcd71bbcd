"""What the demo's verification would not let pass."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.demo.__main__ import check, log_faults
from tests.demo.audio import Recording
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
    )
    assert [line[-15:] for line in log_faults(log)] == ["It did not work"]
