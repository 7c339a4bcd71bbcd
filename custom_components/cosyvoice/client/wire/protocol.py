"""The CosyVoice task protocol without I/O: messages in, events out.

One :class:`TaskProtocol` stands for one WebSocket connection, which runs one task
at a time and, after ``task-finished``, the next. It builds the messages to send
and turns the received frames into events. It refuses to send what the service would
refuse. It knows no socket, no clock and no ``await``. Source: Model Studio,
"CosyVoice WebSocket API" and "Client events"; flush: the vendor's SDK.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
import json
import logging
from typing import Any, NamedTuple, TypeIs
from uuid import uuid4

from ..errors import CosyVoiceError, ProtocolError, TextError, error_for

_LOGGER = logging.getLogger(__name__)


class TaskState(Enum):
    """Where the connection's current task stands."""

    IDLE = "idle"
    """No task; one may be started."""
    STARTING = "starting"
    """``run-task`` was sent, ``task-started`` is awaited."""
    RUNNING = "running"
    """The task takes text."""
    FINISHING = "finishing"
    """No more text; the rest of the audio and ``task-finished`` are awaited."""
    FAILED = "failed"
    """The task failed: the connection cannot be used any more."""


class WordTime(NamedTuple):
    """A word's place in the audio, in seconds as the service counts them."""

    text: str
    begin: float
    end: float


@dataclass(frozen=True, slots=True)
class TaskStarted:
    """The task takes text from now on."""


@dataclass(frozen=True, slots=True)
class SentenceBegin:
    """The audio of a sentence follows."""

    text: str | None


@dataclass(frozen=True, slots=True)
class Audio:
    """A piece of audio in the requested format."""

    data: bytes


@dataclass(frozen=True, slots=True)
class SentenceEnd:
    """A sentence's audio is complete.

    ``text`` may be missing on a task's last sentence.
    """

    text: str | None
    words: tuple[WordTime, ...]


@dataclass(frozen=True, slots=True)
class Usage:
    """Bill of the task so far.

    It precedes the event of the same frame.

    Attributes:
        characters: Billed characters; None if the service bills tokens.
        input_tokens: Billed tokens of text.
        output_tokens: Billed tokens of audio.
    """

    characters: int | None
    input_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True, slots=True)
class TaskFinished:
    """The task is over.

    ``asked`` is False if the service ended it by itself.
    """

    asked: bool


@dataclass(frozen=True, slots=True)
class TaskFailed:
    """The task failed and the service closes the connection."""

    error: CosyVoiceError


type Event = (
    TaskStarted
    | SentenceBegin
    | Audio
    | SentenceEnd
    | Usage
    | TaskFinished
    | TaskFailed
)

_RUN_TASK = {
    "task_group": "audio",
    "task": "tts",
    "function": "SpeechSynthesizer",
}


class TaskProtocol:
    """The client's side of one connection.

    Every method that returns a message raises a ProtocolError if the state does not
    permit the message, and a TextError if it cannot be encoded.

    Attributes:
        state: State of the current task.
        task_id: Id of the current or last task; empty before the first one.
    """

    def __init__(self, name: str) -> None:
        """Begin with an idle connection, which the log calls by this name."""
        self._name = name
        self.state = TaskState.IDLE
        self.task_id = ""
        self._model = ""
        self._announcement: str | None = None  # The last frame without an event

    # Messages to send

    def run_task(self, model: str, parameters: Mapping[str, Any]) -> str:
        """Return the message that starts a task on an idle connection.

        A running task cannot be replaced: the documentation promises it, but the
        service has answered ``Invalid action('run-task')!`` (Model Studio,
        "CosyVoice in high-concurrency scenarios").
        """
        self._require(TaskState.IDLE)
        task_id = uuid4().hex
        message = _message(
            "run-task",
            task_id,
            {**_RUN_TASK, "model": model, "parameters": dict(parameters), "input": {}},
        )
        self.task_id, self._model = task_id, model
        self._enter(TaskState.STARTING)
        return message

    def continue_task(self, text: str) -> str:
        """Return the message that adds text to the running task."""
        return self._continue({"text": text})

    def flush(self) -> str:
        """Return the message that has all text spoken that was sent so far."""
        return self._continue({"flush": True})

    def finish_task(self) -> str:
        """Return the message that ends the text of the running task."""
        self._require(TaskState.RUNNING)
        self._enter(TaskState.FINISHING)
        return _message("finish-task", self.task_id, {"input": {}})

    def cancel_task(self) -> str:
        """Return the message that ends the task and drops undelivered audio.

        Only some models and regions answer it.
        """
        self._require(TaskState.RUNNING, TaskState.FINISHING)
        self._enter(TaskState.FINISHING)
        return _message("finish-task", self.task_id, {"input": {"directive": "cancel"}})

    # Received frames

    def receive_text(self, frame: str) -> list[Event]:
        """Return the events of a text frame.

        Unknown events and those of other tasks are ignored.

        Raises:
            ProtocolError: It is no message of this protocol, or the state of the
                task does not permit it.
        """
        if frame == self._announcement:
            return []
        try:
            message = json.loads(frame)
        except (ValueError, RecursionError) as err:
            raise ProtocolError("The service sent a message that is not JSON") from err
        header = _mapping(_mapping(message).get("header"))
        name = header.get("event")
        if not isinstance(name, str):
            raise ProtocolError("The service sent a message without an event")
        if not self._concerns_task(name, header.get("task_id")):
            return []
        payload = _mapping(_mapping(message).get("payload"))
        if name == "task-failed":
            return [self._failed(header)]
        if name == "task-started":
            return self._started()
        events: list[Event] = _usage(payload)
        if name == "task-finished":
            return [*events, *self._finished()]
        if name == "result-generated":
            events += _result(payload)
            if not events:
                self._announcement = frame
            return events
        return []

    def receive_binary(self, frame: bytes) -> list[Event]:
        """Return the audio of a binary frame.

        Raises:
            ProtocolError: No task is running that could have audio.
        """
        if self.state not in (TaskState.RUNNING, TaskState.FINISHING):
            raise ProtocolError("The service sent audio that belongs to no task")
        return [Audio(frame)] if frame else []

    # Private

    def _require(self, *states: TaskState) -> None:
        if self.state not in states:
            raise ProtocolError(f"Not possible: the task is {self.state.value}")

    def _enter(self, state: TaskState) -> None:
        _LOGGER.debug("%s: task %s is %s", self._name, self.task_id, state.value)
        self.state = state

    def _continue(self, content: Mapping[str, Any]) -> str:
        """Return a message to the running task.

        It names the model again as the vendor's SDK does; the documentation leaves
        that out.
        """
        self._require(TaskState.RUNNING)
        payload = {**_RUN_TASK, "model": self._model, "input": content}
        return _message("continue-task", self.task_id, payload)

    def _concerns_task(self, event: str, task_id: object) -> bool:
        """Decide whether an event concerns the current task.

        A failure may come without an id, as when the service could not read the
        message. So may the end that was asked for.
        """
        if event == "task-failed" and not task_id:
            return self.state not in (TaskState.IDLE, TaskState.FAILED)
        if event == "task-finished" and not task_id:
            return self.state is TaskState.FINISHING
        return task_id == self.task_id

    def _started(self) -> list[Event]:
        if self.state is not TaskState.STARTING:
            return []
        self._enter(TaskState.RUNNING)
        return [TaskStarted()]

    def _finished(self) -> list[Event]:
        if self.state is TaskState.IDLE:
            return []
        if self.state not in (TaskState.RUNNING, TaskState.FINISHING):
            raise ProtocolError("The service finished a task that was not running")
        asked = self.state is TaskState.FINISHING
        self._enter(TaskState.IDLE)
        return [TaskFinished(asked)]

    def _failed(self, header: Mapping[str, Any]) -> TaskFailed:
        self._enter(TaskState.FAILED)
        code, text = header.get("error_code"), header.get("error_message")
        return TaskFailed(
            error_for(
                code if isinstance(code, str) else None,
                text if isinstance(text, str) else "The task failed",
                self.task_id,
            )
        )


def _message(action: str, task_id: str, payload: Mapping[str, Any]) -> str:
    header = {"action": action, "task_id": task_id, "streaming": "duplex"}
    message = json.dumps({"header": header, "payload": payload}, ensure_ascii=False)
    if not _is_encodable(message):
        raise TextError("The text holds half a character and cannot be sent")
    return message


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _usage(payload: Mapping[str, Any]) -> list[Event]:
    usage = _mapping(payload.get("usage"))
    if _is_count(characters := usage.get("characters")):
        return [Usage(characters)]
    of_text, of_audio = usage.get("input_tokens"), usage.get("output_tokens")
    if _is_count(of_text) and _is_count(of_audio):
        return [Usage(None, of_text, of_audio)]
    return []


def _result(payload: Mapping[str, Any]) -> list[Event]:
    output = _mapping(payload.get("output"))
    text = output.get("original_text")
    text = text if isinstance(text, str) else None
    match output.get("type"):
        case "sentence-begin":
            return [SentenceBegin(text)]
        case "sentence-end":
            return [SentenceEnd(text, _words(output))]
    return []


def _is_count(value: object) -> TypeIs[int]:
    return isinstance(value, int) and value >= 0


def _words(output: Mapping[str, Any]) -> tuple[WordTime, ...]:
    words = _mapping(output.get("sentence")).get("words")
    if not isinstance(words, list):
        return ()
    return tuple(
        WordTime(text, begin / 1000, end / 1000)
        for text, begin, end in (
            (word.get("text"), word.get("begin_time"), word.get("end_time"))
            for word in map(_mapping, words)
        )
        if isinstance(text, str)
        and isinstance(begin, int | float)
        and isinstance(end, int | float)
    )
