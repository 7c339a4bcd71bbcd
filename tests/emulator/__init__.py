"""A stand-in for the CosyVoice service of Model Studio, for tests and demonstrations.

``async with Emulator(EmulatorConfig(...)) as emulator`` runs it inside a test,
``python -m tests.emulator`` by itself. One line such as
``emulator.script("slow@before_started,seconds=2")`` lets something go wrong: ``faults``
lists all that can. It knows nothing of the integration: its
voices, rules and errors are its own reading of the service's documentation.
"""

from .billing import Bill, BillEntry
from .config import EmulatorConfig
from .faults import FaultKind, Nature, Oddity, Point
from .records import ConnectionRecord, Heard, SentenceRecord, TaskRecord, TextPiece
from .script import Fault
from .server import Emulator
from .text import count_characters, split_sentences

__all__ = [
    "Bill",
    "BillEntry",
    "ConnectionRecord",
    "Emulator",
    "EmulatorConfig",
    "Fault",
    "FaultKind",
    "Heard",
    "Nature",
    "Oddity",
    "Point",
    "SentenceRecord",
    "TaskRecord",
    "TextPiece",
    "count_characters",
    "split_sentences",
]
