"""What the emulator remembers, for tests to ask."""

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

type Outcome = Literal[
    "running",
    "finished",
    "cancelled",
    "failed",
    "preempted",
    "disconnected",
]


class TextPiece(NamedTuple):
    """The text of one continue-task."""

    time: float
    """Arrival, by the event loop's clock."""
    text: str


@dataclass
class SentenceRecord:
    """One sentence that the service began to speak."""

    index: int
    text: str
    characters: int
    audio_seconds: float = 0.0
    spoken: str = ""
    """The text without what is not spoken."""
    complete: bool = False
    """True once its sentence-end was sent."""


@dataclass
class TaskRecord:
    """One run-task and what became of it.

    Attributes:
        number: Counts the tasks of the emulator from 1.
        connection: The number of its connection.
        id: The client's task id.
        model: The model as asked for.
        parameters: The parameters as sent.
        pieces: The text of each continue-task, with the time of its arrival.
        sentences: The sentences that were begun.
        characters: What it cost: the characters of all sentences that were begun; 0
            for a model that bills tokens.
        input_tokens: What its text cost, for a model that bills tokens.
        output_tokens: What its audio cost, for a model that bills tokens.
        outcome: What became of it. ``disconnected``: the client left, or a fault
            cut the connection.
        error_code: The service's error code if it failed.
        error_message: The service's error message if it failed.
        flushes: How often the client asked to speak what was held back.
        audio_bytes: Bytes of audio that were sent.
        audio_seconds: Duration of the audio that was sent.
        started: When run-task came, by the event loop's clock.
        ended: When the outcome was known.
    """

    number: int
    connection: int
    id: str
    model: str
    parameters: dict[str, Any]
    started: float
    pieces: list[TextPiece] = field(default_factory=list)
    sentences: list[SentenceRecord] = field(default_factory=list)
    characters: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    outcome: Outcome = "running"
    error_code: str | None = None
    error_message: str | None = None
    flushes: int = 0
    audio_bytes: int = 0
    audio_seconds: float = 0.0
    ended: float | None = None

    def usage(self, unit: str) -> dict[str, int]:
        """Return the bill so far in a unit, as the service reports it."""
        if unit == "characters":
            return {"characters": self.characters}
        return {
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "total_tokens": self.input_tokens + self.output_tokens,
        }

    @property
    def texts(self) -> list[str]:
        """The text of each continue-task."""
        return [piece.text for piece in self.pieces]

    @property
    def text(self) -> str:
        """All text that was sent."""
        return "".join(self.texts)


@dataclass
class ConnectionRecord:
    """One attempt to open a WebSocket.

    Attributes:
        number: Counts the attempts from 1.
        opened: When the upgrade request came, by the event loop's clock.
        headers: The request's headers without its key.
        key: ``api_key``, ``temporary`` or, if it was refused, ``invalid``.
        status: The answer: 101, or the HTTP status of the refusal; None if there was none.
        tasks: How many tasks were run on it.
        closed: When it ended; None while it is open.
        close_code: The WebSocket close code, if one was sent or received.
    """

    number: int
    opened: float
    headers: dict[str, str]
    key: Literal["api_key", "temporary", "invalid"]
    status: int | None = None
    tasks: int = 0
    closed: float | None = None
    close_code: int | None = None


class Heard(NamedTuple):
    """One signal found in audio (``speech="signal"``)."""

    text: str | None
    """The sentence; None if too little was heard to tell."""
    complete: bool
    """True if it was heard from its beginning to its end."""
