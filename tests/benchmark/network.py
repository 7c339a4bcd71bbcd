"""The networks and the service that all rows share, and what they cannot beat."""

from dataclasses import dataclass

FIRST_PACKET = 0.3
"""Seconds from a sentence's arrival at the service to its first audio."""
REAL_TIME_FACTOR = 0.3
COST_REAL_TIME_FACTOR = 0.05
"""Used where only processor and memory are measured, to wait less."""

CONNECT = 3
"""Round trips of a new connection: TCP and TLS two, the upgrade to WebSocket one."""
RUN_TASK = 1
TEXT = 1


@dataclass(frozen=True, slots=True)
class Network:
    """A network to the service.

    Attributes:
        name: What the tables call it.
        round_trip: Seconds.
    """

    name: str
    round_trip: float

    def floor(self, round_trips: int) -> float:
        """Return the seconds to the first audio that physics demands."""
        return round_trips * self.round_trip + FIRST_PACKET


NETWORKS = (Network("near", 0.02), Network("far", 0.2))

STATES = {
    "cold": CONNECT + RUN_TASK + TEXT,
    "warm": RUN_TASK + TEXT,
    "pre-started": TEXT,
}
"""Round trips to the first audio by what is ready beforehand."""

TEXTS = tuple(
    f"{number}号房间的灯已打开。"
    for number in "一二三四五六七八九十甲乙丙丁戊己庚辛壬癸"
)
"""Short answers of a voice assistant; a new one each time, so that nothing is cached."""

LONG_TEXT = "今天白天多云转晴，最高气温二十六度，夜间有小雨，请记得关好窗户。" * 4
STREAMED_TEXT = (
    "从前有一座山，山上有一座庙，庙里有一个老和尚，他在给小和尚讲故事。"
    "故事说的是很久以前，海边住着一位渔夫，他每天清晨出海，傍晚才回来。"
) * 5
STREAMED_LENGTH = 200
PIECE_LENGTH = 3
PIECE_INTERVAL = 0.06
"""Seconds between two pieces of a streamed text: about 50 characters a second."""

MODEL = "cosyvoice-v3-flash"
VOICE = "longanyang"
QWEN_VOICE = "longanhuan_v3.1"
"""A voice of Qwen-Audio, whose model has a row of its own in most tables."""

QWEN = {f"Qwen-Audio, {state}": state for state in STATES}
OURS = {state: (state, VOICE) for state in STATES} | {
    row: (state, QWEN_VOICE) for row, state in QWEN.items()
}
"""What is ready beforehand, and the voice, by the row of our client."""
QWEN_ROW = "Qwen-Audio, pre-started"
"""The one of these rows that is measured through Home Assistant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Where the services of a run are.

    Attributes:
        emulators: URL of the emulated service by the network's name.
        https: URL of the service that speaks over HTTPS, likewise.
        fast: URL of an emulated service without a network, that speaks at
            `COST_REAL_TIME_FACTOR`.
        fast_https: The same over HTTPS.
        silent: URL of an emulated service that speaks silence, and at once.
        ffmpeg: The program that converts audio.
    """

    emulators: dict[str, str]
    https: dict[str, str]
    fast: str
    fast_https: str
    silent: str
    ffmpeg: str
