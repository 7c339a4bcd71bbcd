"""Whether a message was heard as a whole."""

from custom_components.cosyvoice.client import Utterance

from .emulator import Emulator
from .emulator.audio import decode
from .emulator.signals import recognise


def problem(
    audio: bytes,
    container: str,
    sentences: list[str],
    utterance: Utterance,
    emulator: Emulator,
) -> str | None:
    """Return what is wrong with what was heard, if anything is.

    A text that pauses is heard in the parts that were written before and after.

    Where two Opus streams meet, the decoder needs some milliseconds to adapt, which
    can cost the tone that begins a signal but not what the signal says.
    """
    known = [
        sentence.spoken or sentence.text
        for task in emulator.tasks
        if task.id in utterance.report.request_ids
        for sentence in task.sentences
    ]
    everything = recognise(decode(audio), known)
    heard = [
        found.text for found in everything if found.complete or container == "opus"
    ]
    text, reached, repeats = _joined(" ".join(sentences)), 0, 0
    for part in (_joined(part) for part in heard if part is not None):
        start = text.rfind(part, 0, reached + len(part))
        if start < 0:
            return f"{sentences} was heard as {everything}; {utterance.report}"
        repeats += start < reached
        reached = max(reached, start + len(part))
    if reached < len(text) or repeats > utterance.report.resumed:
        return f"{sentences} was heard as {everything}; {utterance.report}"
    return None


def _joined(text: str) -> str:
    """Return what is pronounced of a text."""
    return "".join(filter(str.isalnum, text))
