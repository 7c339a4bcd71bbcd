"""What a probe is, what it may find, and what it may cost."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from .service import Service

BEIJING, SINGAPORE = "cn-beijing", "ap-southeast-1"
MODEL, PLUS = "cosyvoice-v3-flash", "cosyvoice-v3-plus"
QWEN_30, QWEN_31 = "qwen-audio-3.0-tts-flash", "qwen-audio-3.1-tts-flash"
VOICE, QWEN_30_VOICE, QWEN_31_VOICE = "longanyang", "loongjohn", "longanhuan_v3.1"

SOURCES = {
    "docs": "the vendor's documentation",
    "sdk": "the vendor's SDK for Python, 2.0.2",
    "seen": "seen on the wire by others",
    "guess": "nobody's word; the emulator had to do something",
}
SECTIONS = {
    "1": "Endpoints",
    "2": "Handshake",
    "3": "Task messages",
    "4": "Events and audio",
    "5": "States of a task",
    "6": "Time limits and reuse",
    "7": "Parameters",
    "8": "Formats",
    "9": "Counting and limits",
    "10": "SSML",
    "11": "Speech over HTTP",
    "12": "Temporary keys",
    "13": "Cloned voices",
    "14": "Models, regions, throttling",
    "15": "Errors",
    "Q": "Qwen-Audio: what differs from CosyVoice",
}
# CNY for 10,000 characters, in the dearer region.
_PRICES = {
    MODEL: 1.0,
    PLUS: 2.0,
    "cosyvoice-v2": 2.0,
    "cosyvoice-v1": 2.0,
    "cosyvoice-v3.5-flash": 0.8,
    QWEN_30: 1.13,
}
_OF_TEXT, _OF_AUDIO = 1.5e-6, 12e-6
_TOKENS_PER_SECOND = 12.5

_OF_ACCOUNT = (
    "AccessDenied",
    "AllocationQuota",
    "Arrearage",
    "Model.AccessDenied",
    "Workspace.AccessDenied",
    "WorkSpaceNotFound",
)

type Stand = Literal["usual", "hasty", "throttled"]
type Run = Callable[[Service], Awaitable[str]]


class DiffersError(Exception):
    """The service is otherwise; the message is what was seen."""


class RefusedError(DiffersError):
    """The service refused what it should take.

    Attributes:
        code: The service's code.
        words: Its message.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"refused: {code} {message}".strip())
        self.code = code
        self.words = message

    @property
    def is_throttled(self) -> bool:
        """True if it may be taken later."""
        return self.code.startswith("Throttling")

    @property
    def is_of_account(self) -> bool:
        """True if it tells of the account, not of the service."""
        return self.code.startswith(_OF_ACCOUNT)


class ClosedError(RefusedError):
    """The service refused what it should be open for, whatever the account."""

    is_of_account = False


class UntoldError(Exception):
    """It could not be told; the message is why."""


@dataclass(frozen=True, kw_only=True)
class Probe:
    """One belief about the service.

    Attributes:
        name: Its name.
        belief: What is believed, as a sentence.
        section: Where in the description of the protocol, see ``SECTIONS``.
        source: Where the belief is from, see ``SOURCES``.
        relies: What relies on it: a path below the integration's folder or the root.
        differ: The difference of the emulator against which it is seen to fail.
        cost: What it costs at most, in CNY.
        regions: Where it can be told.
        stand: What it needs of the emulator: short time limits (``hasty``), or a limit
            of starts (``throttled``).
        seconds: How long it may take.
        run: Does it; returns what was seen.
    """

    name: str
    belief: str
    section: str
    source: str
    relies: str
    differ: str
    cost: float
    regions: Sequence[str]
    stand: Stand
    seconds: float
    run: Run


PROBES: dict[str, Probe] = {}
"""All probes by their names, once ``probes`` was imported."""


def characters(count: int, model: str = MODEL) -> float:
    """Return what this number of characters costs."""
    return count * _PRICES[model] / 10_000


def tokens(text: int, seconds: float) -> float:
    """Return what a text of this number of characters and its audio cost."""
    audio = seconds * _TOKENS_PER_SECOND
    return 1.2 * text * _OF_TEXT + audio * _OF_AUDIO


def probe(
    section: str,
    source: str,
    relies: str,
    differ: str,
    *,
    cost: float = 0.0,
    regions: Sequence[str] = (BEIJING, SINGAPORE),
    stand: Stand = "usual",
    seconds: float = 40.0,
) -> Callable[[Run], Run]:
    """Make a probe of a function; its docstring is the belief."""

    def register(run: Run) -> Run:
        name = run.__name__.replace("_", "-")
        assert name not in PROBES, name
        PROBES[name] = Probe(
            name=name,
            belief=" ".join((run.__doc__ or "").split()),
            section=section,
            source=source,
            relies=relies,
            differ=differ,
            cost=cost,
            regions=regions,
            stand=stand,
            seconds=seconds,
            run=run,
        )
        return run

    return register


def expect(condition: object, seen: str) -> str:
    """Return what was seen if the belief holds.

    Raises:
        DiffersError: If it does not.
    """
    if not condition:
        raise DiffersError(seen)
    return seen
