"""What the emulated service is like: accounts, limits, latency, speech."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from .catalogue import models
from .differences import changed
from .facts import Facts
from .script import Fault

type Speech = Literal["voice", "signal", "silence"]
type Usage = Literal["sentence", "finished", "both", "none", "old"]


@dataclass(kw_only=True)
class EmulatorConfig:
    """Settings of one emulator; all but host and port may change while it runs.

    Attributes:
        host: The address to listen on.
        port: The port to listen on; 0 takes a free one.
        api_keys: The keys that are valid here. A mapping gives each key's region; a
            key of another region than ``region`` is an invalid key, as at the service.
        region: The region this endpoint belongs to: ``cn-beijing`` or ``ap-southeast-1``.
        speech: ``voice`` speaks with eSpeak NG; ``signal`` turns each sentence into a
            short tone sequence that ``Emulator.heard`` recognises; ``silence`` is silent.
        usage: Where the billed characters are reported. ``sentence``: in each
            sentence-end event and nowhere else, as the service was seen to do in 2026
            (models of Qwen-Audio repeat it in task-finished);
            ``finished``: in task-finished only; ``both``; ``none``: nowhere;
            ``old``: in the untyped result-generated events of 2025.
        round_trip: Network round trip in seconds.
        tls_round_trips: Round trips that TLS adds to a new connection.
        first_packet: Seconds from a sentence's arrival to its first audio.
        real_time_factor: Synthesis time divided by audio duration.
        chunk: Seconds of audio in one binary frame.
        text_gap: Seconds without text, and without audio being sent, that end a task.
        idle: Seconds after which a connection without a task is closed.
        starts_per_second: Task starts that each model takes per second; 0 for any number.
        message_limit: Characters that one continue-task may carry.
        task_limit: Characters that one task may carry.
        cloned_voices: The account's cloned voices and their status: ``OK``,
            ``DEPLOYING`` or ``UNDEPLOYED``.
        cloned_at: When those were made and last changed, as the service writes it.
        closed_models: Models that the account may not use.
        opened_models: Models that it may use though its region does not offer them.
        second_start: What becomes of run-task while a task runs: it ends the old task
            (``preempts``), or it fails and the connection with it (``refused``). The
            documentation has both.
        deploy_seconds: How long a newly created voice stays ``DEPLOYING``.
        review: Whether such a voice then is ``OK`` or ``UNDEPLOYED``.
        voice_limit: How many cloned voices the account may have.
        enrollments_per_second: Requests about cloned voices in a second; 0 for any
            number.
        free_tier_only: True if the account may not create voices, as is reported
            for the time when the console's switch of that name is on and the free tier is used up.
        cloning_here: False if the host knows neither uploads nor cloned voices, as a
            workspace's host was seen to.
        web: What the service finds at addresses of the web. It finds any recording,
            without looking at it, at ``https://example.com/``.
        policy_seconds: How long the permission to upload holds.
        upload_limit_mb: The largest file that the permission allows, in MiB.
        upload_host: Where the permission sends files; empty for the emulator itself.
        upload_rate: Bytes a second that an upload gets through; None for any number.
        word_times: Whether the times of words count from the beginning of their
            ``sentence`` or of the ``task``; the documentation and a live capture differ.
        sentence_audio_limit: Seconds after which a sentence's audio is cut off though
            all of it is billed, as once seen at 33.44 s; None for never.
        flush: What becomes of a flush, which only the vendor's SDK documents: an older
            service may ignore it, refuse it as the SDK expects, or not know the message.
        seconds_per_character: Duration of ``silence`` for each billed character.
        record: Where to keep a transcript, see ``transcript``; None for nowhere.
        record_texts: True if the transcript may have the texts.
        replay: A transcript that every connection plays; None to be the service.
        differ: The points in which the service differs from its description, by the
            names in ``differences.json``.
        faults: What goes wrong, from the start: objects, or specs as ``Fault.parse`` reads.
    """

    host: str = "127.0.0.1"
    port: int = 0
    api_keys: Collection[str] | Mapping[str, str] = frozenset({"sk-test"})
    region: str = "cn-beijing"
    speech: Speech = "voice"
    usage: Usage = "sentence"
    round_trip: float = 0.0
    tls_round_trips: int = 1
    first_packet: float = 0.0
    real_time_factor: float = 0.0
    chunk: float = 0.1
    text_gap: float = 23.0
    idle: float = 60.0
    starts_per_second: int = 3
    message_limit: int = 20_000
    task_limit: int = 200_000
    cloned_voices: dict[str, str] = field(default_factory=dict)
    cloned_at: str = "2026-10-01 10:00:00"
    closed_models: Collection[str] = ()
    opened_models: Collection[str] = ()
    second_start: Literal["preempts", "refused"] = "preempts"
    deploy_seconds: float = 1.0
    review: Literal["passes", "refuses"] = "passes"
    voice_limit: int = 1000
    enrollments_per_second: int = 10
    free_tier_only: bool = False
    cloning_here: bool = True
    web: Mapping[str, bytes] = field(default_factory=dict)
    policy_seconds: float = 300.0
    upload_limit_mb: int = 100
    upload_host: str = ""
    upload_rate: float | None = None
    word_times: Literal["sentence", "task"] = "sentence"
    sentence_audio_limit: float | None = None
    flush: Literal["works", "ignored", "refused", "unknown"] = "works"
    seconds_per_character: float = 0.1
    record: Path | None = None
    record_texts: bool = False
    replay: Path | None = None
    differ: Collection[str] = ()
    faults: Sequence[Fault | str] = ()
    facts: Facts = field(init=False)

    def __post_init__(self) -> None:
        """Differ."""
        self.differ_in(self.differ)

    def differ_in(self, names: Collection[str]) -> None:
        """Differ in these points from now on; settings that were changed stay so.

        Raises:
            ValueError: If there is no such point.
        """
        self.facts, settings = changed(names)
        self.differ = frozenset(names)
        for name, value in settings.items():
            setattr(self, name, value)
        self.models = {
            model: replace(known, **self.facts.models.get(model, {}))
            for model, known in models().items()
        }

    def is_valid_key(self, key: str) -> bool:
        """Return True if the key belongs to an account of this region."""
        if isinstance(self.api_keys, Mapping):
            region = self.api_keys.get(key)
            return region == self.region or (self.facts.any_region_key and bool(region))
        return key in self.api_keys
