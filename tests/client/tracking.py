"""The progress of a task that the tests let happen."""

from custom_components.cosyvoice.client.utterance.playback import Position
from custom_components.cosyvoice.client.utterance.progress import TaskProgress
from custom_components.cosyvoice.client.utterance.source import Part
from custom_components.cosyvoice.client.wire.protocol import SentenceEnd, Usage

SENTENCES = ["今天天气不错。", " It is 3.5 degrees. ", "好的！", "再见。"]
START = Position(0.0, 0.0)


def task_of(*sentences: str, lags: bool = False) -> TaskProgress:
    """Return the progress of a task that was given sentences."""
    progress = TaskProgress(START, lags=lags)
    for sentence in sentences:
        progress.add(Part(sentence, ends_sentence=True))
    return progress


def progress_of(*sentences: str) -> TaskProgress:
    """Return the progress of a task that was given sentences and gave audio."""
    progress = task_of(*sentences)
    progress.audio(given_out=True)
    return progress


def rest_of(progress: TaskProgress) -> str:
    """Return what is to be spoken again."""
    return "".join(part.text for part in progress.rest)


def end(progress: TaskProgress, text: str | None, usage: int | None = None) -> None:
    """Let a sentence be spoken to its end."""
    progress.audio(given_out=True)
    if usage is not None:
        progress.note(Usage(usage), START)
    progress.note(SentenceEnd(text, ()), START)
