"""The task protocol, against nothing but messages."""

from collections.abc import Callable
import json
import logging
from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.cosyvoice.client.errors import (
    ArrearsError,
    CosyVoiceError,
    ProtocolError,
    ServiceError,
    TextError,
)
from custom_components.cosyvoice.client.wire.protocol import (
    Audio,
    Event,
    SentenceBegin,
    SentenceEnd,
    TaskFailed,
    TaskFinished,
    TaskProtocol,
    TaskStarted,
    TaskState,
    Usage,
    WordTime,
)

PARAMETERS = {"voice": "longanyang", "format": "pcm"}


def message(protocol: TaskProtocol, event: str, **parts: Any) -> str:
    """Return a message of the service for the current task."""
    header = {"task_id": protocol.task_id, "event": event, "attributes": {}}
    header |= parts.pop("header", {})
    return json.dumps({"header": header, "payload": parts.get("payload", {})})


def result(protocol: TaskProtocol, kind: str | None, **parts: Any) -> str:
    """Return a result-generated message."""
    output: dict[str, Any] = {"sentence": {"index": 0, "words": parts.get("words", [])}}
    if kind is not None:
        output["type"] = kind
    if "text" in parts:
        output["original_text"] = parts["text"]
    payload: dict[str, Any] = {"output": output}
    if "characters" in parts:
        payload["usage"] = {"characters": parts["characters"]}
    if "usage" in parts:
        payload["usage"] = parts["usage"]
    return message(protocol, "result-generated", payload=payload)


AGAIN = {
    "task_group": "audio",
    "task": "tts",
    "function": "SpeechSynthesizer",
    "model": "cosyvoice-v3-flash",
}
"""What each text repeats."""


@pytest.fixture
def protocol() -> TaskProtocol:
    """Return a protocol whose task has been asked for."""
    protocol = TaskProtocol("connection 1")
    protocol.run_task("cosyvoice-v3-flash", PARAMETERS)
    return protocol


@pytest.fixture
def running(protocol: TaskProtocol) -> TaskProtocol:
    """Return a protocol whose task takes text."""
    assert protocol.receive_text(message(protocol, "task-started")) == [TaskStarted()]
    return protocol


def test_run_task_is_as_documented() -> None:
    """The first message has everything but text, and an empty input."""
    protocol = TaskProtocol("connection 1")
    sent = json.loads(protocol.run_task("cosyvoice-v3-flash", PARAMETERS))
    assert sent == {
        "header": {
            "action": "run-task",
            "task_id": protocol.task_id,
            "streaming": "duplex",
        },
        "payload": {
            "task_group": "audio",
            "task": "tts",
            "function": "SpeechSynthesizer",
            "model": "cosyvoice-v3-flash",
            "parameters": PARAMETERS,
            "input": {},
        },
    }
    assert len(protocol.task_id) == 32
    assert protocol.state is TaskState.STARTING


def test_a_task_from_start_to_end(running: TaskProtocol) -> None:
    """Text goes out, sentences and audio come in, and the connection is idle again."""
    sent = json.loads(running.continue_task("今天天气不错。"))
    assert sent["header"]["action"] == "continue-task"
    assert sent["payload"] == {**AGAIN, "input": {"text": "今天天气不错。"}}
    flush = json.loads(running.flush())
    assert flush["payload"] == {**AGAIN, "input": {"flush": True}}
    sent = json.loads(running.finish_task())
    assert sent["header"]["action"] == "finish-task"
    assert sent["payload"] == {"input": {}}
    words = [{"text": "今", "begin_time": 80, "end_time": 240}, {"text": "天"}]
    events: list[Event] = [
        *running.receive_text(result(running, "sentence-begin", text="今天天气不错。")),
        *running.receive_text(result(running, "sentence-synthesis")),
        *running.receive_binary(b"audio"),
        *running.receive_text(
            result(running, "sentence-end", words=words, characters=13)
        ),
        *running.receive_text(message(running, "task-finished")),
    ]
    assert events == [
        SentenceBegin("今天天气不错。"),
        Audio(b"audio"),
        Usage(13),
        SentenceEnd(None, (WordTime("今", 0.08, 0.24),)),
        TaskFinished(asked=True),
    ]
    assert running.state is TaskState.IDLE


def test_cancel_asks_for_the_task_to_be_dropped(running: TaskProtocol) -> None:
    """Cancelling is finishing with a directive."""
    sent = json.loads(running.cancel_task())
    assert sent["header"]["action"] == "finish-task"
    assert sent["payload"] == {"input": {"directive": "cancel"}}
    assert running.state is TaskState.FINISHING


def test_each_task_has_its_own_id(running: TaskProtocol) -> None:
    """Late events of the task before are ignored, those of the new one count."""
    late = [
        message(running, name)
        for name in ("task-started", "task-finished", "task-failed")
    ]
    first = running.task_id
    running.finish_task()
    running.receive_text(message(running, "task-finished"))
    running.run_task("cosyvoice-v3-flash", PARAMETERS)
    assert running.task_id != first
    for frame in late:
        assert running.receive_text(frame) == []
    assert running.state is TaskState.STARTING
    assert running.receive_text(message(running, "task-started")) == [TaskStarted()]
    assert running.receive_text(message(running, "task-started")) == []


def test_usage_of_the_last_message_counts(running: TaskProtocol) -> None:
    """Usage is read wherever it comes, and the form without a type is understood."""
    assert running.receive_text(result(running, None, characters=15)) == [Usage(15)]
    running.finish_task()
    frame = message(running, "task-finished", payload={"usage": {"characters": 20}})
    assert running.receive_text(frame) == [Usage(20), TaskFinished(asked=True)]


def test_usage_may_be_in_tokens(running: TaskProtocol) -> None:
    usage = {"input_tokens": 16, "output_tokens": 36, "total_tokens": 52}
    frame = result(running, None, usage=usage)
    assert running.receive_text(frame) == [Usage(None, 16, 36)]


@pytest.mark.parametrize(
    "usage",
    [
        {"input_tokens": 16},
        {"output_tokens": 36},
        {"input_tokens": "16", "output_tokens": 36},
        {"input_tokens": 16, "output_tokens": -1},
        {"total_tokens": 52},
    ],
)
def test_incomplete_usage_is_ignored(
    running: TaskProtocol, usage: dict[str, Any]
) -> None:
    assert running.receive_text(result(running, None, usage=usage)) == []


def test_a_task_may_end_unasked(running: TaskProtocol) -> None:
    """The end of a task that nobody finished has a mark of its own."""
    frame = message(running, "task-finished")
    assert running.receive_text(frame) == [TaskFinished(asked=False)]


def test_a_failed_task_names_its_cause(running: TaskProtocol) -> None:
    """Code, message and id reach the error, and its class fits."""
    header = {"error_code": "Arrearage", "error_message": "Access denied, please pay."}
    [event] = running.receive_text(message(running, "task-failed", header=header))
    assert isinstance(event, TaskFailed)
    assert isinstance(event.error, ArrearsError)
    assert event.error.code == "Arrearage"
    assert event.error.message == "Access denied, please pay."
    assert event.error.request_id == running.task_id
    assert running.state is TaskState.FAILED


def test_a_failed_task_without_a_cause(running: TaskProtocol) -> None:
    """Missing fields do no harm."""
    header = {"error_code": 7, "error_message": None}
    [event] = running.receive_text(message(running, "task-failed", header=header))
    assert isinstance(event, TaskFailed)
    assert isinstance(event.error, ServiceError)


@pytest.mark.parametrize(
    "frame", ["", "nonsense", "[]", "{}", '{"header": {"event": 3}}', "[" * 100_000]
)
def test_what_is_no_message_is_an_error(running: TaskProtocol, frame: str) -> None:
    """A frame without an event cannot be trusted, nor what follows it."""
    with pytest.raises(ProtocolError):
        running.receive_text(frame)


@pytest.mark.parametrize(
    "name", ["task-started", "result-generated", "task-finished", "task-failed"]
)
def test_events_of_an_unknown_task_do_no_harm(running: TaskProtocol, name: str) -> None:
    """They are passed over: this connection has no other task."""
    stray = message(running, name, header={"task_id": "0" * 32})
    assert running.receive_text(stray) == []
    assert running.state is TaskState.RUNNING


def test_unknown_events_do_no_harm(running: TaskProtocol) -> None:
    """A later version of the service may have more of them."""
    assert running.receive_text(message(running, "task-progress")) == []
    assert running.receive_text(result(running, "sentence-news")) == []


def test_an_unknown_message_before_announced_audio_says_nothing(
    running: TaskProtocol,
) -> None:
    running.receive_text(result(running, "sentence-synthesis"))
    assert running.receive_text(message(running, "task-progress")) == []
    assert running.receive_binary(b"audio") == [Audio(b"audio")]


def test_the_same_message_may_come_again(running: TaskProtocol) -> None:
    """Chunks of audio are announced alike; the ends of two sentences may be alike."""
    announced, ended = (
        result(running, "sentence-synthesis"),
        result(running, "sentence-end"),
    )
    for _ in range(2):
        assert running.receive_text(announced) == []
        assert running.receive_text(announced) == []
        assert running.receive_text(ended) == [SentenceEnd(None, ())]


def test_audio_belongs_to_a_running_task(protocol: TaskProtocol) -> None:
    """Audio before the task has started belongs to nothing."""
    with pytest.raises(ProtocolError):
        protocol.receive_binary(b"audio")


def test_empty_audio_says_nothing(running: TaskProtocol) -> None:
    """An empty frame is no audio."""
    assert running.receive_binary(b"") == []


def test_a_task_that_does_not_run_cannot_finish(protocol: TaskProtocol) -> None:
    """Finishing before the start makes no sense."""
    with pytest.raises(ProtocolError):
        protocol.receive_text(message(protocol, "task-finished"))


def test_a_failure_without_a_task_id_concerns_the_running_task(
    running: TaskProtocol,
) -> None:
    """The service may not have been able to read whose task it was."""
    header = {"task_id": None, "error_code": "Arrearage", "error_message": "Pay."}
    frame = message(running, "task-failed", header=header)
    [event] = running.receive_text(frame)
    assert isinstance(event, TaskFailed)
    assert isinstance(event.error, ArrearsError)
    assert running.state is TaskState.FAILED
    assert running.receive_text(frame) == []


def test_a_task_may_be_reported_as_finished_twice(running: TaskProtocol) -> None:
    running.finish_task()
    running.receive_text(message(running, "task-finished"))
    assert running.receive_text(message(running, "task-finished")) == []
    assert running.state is TaskState.IDLE


SENDS: dict[str, Callable[[TaskProtocol], str]] = {
    "run": lambda protocol: protocol.run_task("cosyvoice-v3-flash", PARAMETERS),
    "text": lambda protocol: protocol.continue_task("Hello."),
    "flush": lambda protocol: protocol.flush(),
    "finish": lambda protocol: protocol.finish_task(),
    "cancel": lambda protocol: protocol.cancel_task(),
}
PERMITTED = {
    TaskState.IDLE: {"run"},
    TaskState.STARTING: set(),
    TaskState.RUNNING: {"text", "flush", "finish", "cancel"},
    TaskState.FINISHING: {"cancel"},
    TaskState.FAILED: set(),
}


@pytest.mark.parametrize("name", SENDS)
@pytest.mark.parametrize("state", TaskState)
def test_only_what_the_state_permits_can_be_sent(state: TaskState, name: str) -> None:
    """The service would refuse everything else, and close the connection."""
    protocol = TaskProtocol("connection 1")
    protocol.task_id, protocol.state = "1", state
    if name in PERMITTED[state]:
        assert json.loads(SENDS[name](protocol))["header"]["task_id"]
        return
    with pytest.raises(ProtocolError):
        SENDS[name](protocol)
    assert (protocol.task_id, protocol.state) == ("1", state)


def test_text_that_cannot_be_encoded_is_refused(running: TaskProtocol) -> None:
    """Half a surrogate pair is no text: the service would close the connection."""
    with pytest.raises(TextError) as caught:
        running.continue_task("Hello \ud83d")
    assert "Hello" not in repr((caught.value.__cause__, caught.value.__context__))
    assert not caught.value.retryable
    assert running.state is TaskState.RUNNING


def test_a_task_that_cannot_be_encoded_is_not_begun() -> None:
    protocol = TaskProtocol("connection 1")
    with pytest.raises(TextError):
        protocol.run_task("cosyvoice-v3-flash", {"instruction": "\ud83d"})
    assert (protocol.state, protocol.task_id) == (TaskState.IDLE, "")


def test_every_state_is_logged_with_the_connection_but_not_the_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    protocol = TaskProtocol("connection 7")
    protocol.run_task("cosyvoice-v3-flash", PARAMETERS)
    protocol.receive_text(message(protocol, "task-started"))
    protocol.continue_task("A secret.")
    protocol.finish_task()
    protocol.receive_text(message(protocol, "task-finished"))
    assert [record.getMessage() for record in caplog.records] == [
        f"connection 7: task {protocol.task_id} is {state}"
        for state in ("starting", "running", "finishing", "idle")
    ]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
names = st.sampled_from(
    ["task-started", "result-generated", "task-finished", "task-failed", "", "x"]
)
kinds = st.sampled_from(["sentence-begin", "sentence-synthesis", "sentence-end", 4])


@st.composite
def plausible_payloads(draw: st.DrawFn) -> Any:
    """Return a payload with the right keys and any values."""
    output = draw(
        json_values
        | st.fixed_dictionaries(
            {},
            optional={
                "type": kinds,
                "original_text": json_values,
                "sentence": st.fixed_dictionaries(
                    {}, optional={"words": st.lists(json_values) | json_values}
                ),
            },
        )
    )
    usage = draw(json_values | st.fixed_dictionaries({"characters": json_values}))
    return draw(st.sampled_from([output, {"output": output}, {"usage": usage}]))


@settings(max_examples=300)
@given(data=st.data())
def test_whatever_comes_only_classed_errors_come_out(data: st.DataObject) -> None:
    """Any sequence of frames gives events or a CosyVoiceError."""
    protocol = TaskProtocol("connection 1")
    protocol.run_task("cosyvoice-v3-flash", PARAMETERS)
    for _ in range(data.draw(st.integers(1, 8))):
        try:
            if data.draw(st.booleans()):
                protocol.receive_binary(data.draw(st.binary(max_size=8)))
            elif data.draw(st.booleans()):
                protocol.receive_text(data.draw(st.text(max_size=40)))
            else:
                task_id = data.draw(st.sampled_from([protocol.task_id, "", None, 3]))
                payload = data.draw(plausible_payloads())
                frame = message(
                    protocol,
                    data.draw(names),
                    header={"task_id": task_id},
                    payload=payload,
                )
                protocol.receive_text(frame)
        except CosyVoiceError:
            return


@settings(max_examples=200)
@given(data=st.data())
def test_noise_between_messages_changes_nothing(data: st.DataObject) -> None:
    """Unknown events and those of other tasks, anywhere, leave the audio unchanged."""
    protocol = TaskProtocol("connection 1")
    protocol.run_task("cosyvoice-v3-flash", PARAMETERS)
    protocol.receive_text(message(protocol, "task-started"))
    chunks = data.draw(st.lists(st.binary(min_size=1, max_size=8), max_size=6))
    heard: list[bytes] = []
    for chunk in chunks:
        for _ in range(data.draw(st.integers(0, 2))):
            noise = data.draw(
                st.sampled_from(
                    [
                        message(protocol, "task-progress"),
                        result(protocol, "sentence-news"),
                        result(protocol, None),
                        message(
                            protocol, "result-generated", header={"task_id": "other"}
                        ),
                    ]
                )
            )
            assert protocol.receive_text(noise) == []
        assert protocol.receive_text(result(protocol, "sentence-synthesis")) == []
        events = protocol.receive_binary(chunk)
        heard += [event.data for event in events if isinstance(event, Audio)]
    assert heard == chunks


def test_an_end_that_was_asked_for_may_come_without_a_task_id(
    running: TaskProtocol,
) -> None:
    """One that was not is another task's."""
    frame = message(running, "task-finished", header={"task_id": None})
    assert running.receive_text(frame) == []
    running.finish_task()
    assert running.receive_text(frame) == [TaskFinished(True)]
