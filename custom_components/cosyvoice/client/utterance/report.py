"""Usage, timing and words of one utterance."""

from dataclasses import dataclass, field
from typing import Literal

from ..errors import CosyVoiceError

type Outcome = Literal["pending", "finished", "failed", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A word as it was spoken.

    Attributes:
        text: The word; one character where the language writes no spaces.
        begin: Where it begins, in seconds from the start of the whole audio.
        end: Where it ends, in seconds from the start of the whole audio.
    """

    text: str
    begin: float
    end: float


@dataclass(slots=True, kw_only=True)
class UtteranceReport:
    """Usage and timing of one utterance.

    Final once ``outcome`` is not ``pending``.

    Attributes:
        voice: The voice's id.
        model: The model's id.
        characters: Billed characters as the service counted them.
        input_tokens: Billed tokens of text, of models that bill tokens.
        output_tokens: Billed tokens of audio, of the same models.
        estimated: True if ``characters`` was counted locally, or the tokens may be
            incomplete, since a task did not finish or the service reported none.
        sent: Counted characters sent so far, repetitions included.
        audio_seconds: Seconds of audio delivered.
        first_packet_latency: Seconds from the first text sent to the first audio
            received; None if there was no audio.
        real_time_factor: Seconds of synthesis per second of audio; None if there
            was no audio.
        request_ids: The service's id of each task, in order.
        tasks: Tasks started at the service.
        resumed: Times that a lost task was continued by another one.
        patched: True if a sentence was begun again after a loss or interrupted by
            filler silence. Such audio should not be cached.
        words: The words with their times, where word timestamps were asked for.
        outcome: ``cancelled`` if the iteration was stopped before the end.
        error: Why it failed.
    """

    voice: str
    model: str
    characters: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    estimated: bool = False
    sent: int = 0
    audio_seconds: float = 0.0
    first_packet_latency: float | None = None
    real_time_factor: float | None = None
    request_ids: list[str] = field(default_factory=list)
    tasks: int = 0
    resumed: int = 0
    patched: bool = False
    words: list[Word] = field(default_factory=list)
    outcome: Outcome = "pending"
    error: CosyVoiceError | None = None
