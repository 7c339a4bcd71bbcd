"""The tables and goals of speech as the world is."""

from collections.abc import Iterator
from typing import Any

from .figures import markdown, median, milliseconds
from .line import LINES, Line
from .network import FIRST_PACKET, NETWORKS, STATES

IDLE_FLOOR = STATES["warm"] * LINES[0].round_trip + FIRST_PACKET
IDLE_LIMIT = 1.15
"""Share of the floor that a text may take to the player."""


def floor(line: Line, state: str) -> float:
    """Return the seconds to the first audio that a line without loss demands."""
    lookup = line.name_lookup if state == "cold" else 0.0
    return STATES[state] * line.round_trip + FIRST_PACKET + lookup


def world_tables(results: dict[str, Any]) -> Iterator[str]:
    """Yield the tables."""
    yield "### Poor lines, far: text to first audio of the client alone, MP3 over TLS 1.3\n"
    rows = []
    for line in LINES:
        found = results["lines"][line.name]
        rows.append(
            [
                line.name,
                f"{floor(line, 'cold') * 1000:.0f}",
                milliseconds(found["cold"]),
                f"{floor(line, 'warm') * 1000:.0f}",
                milliseconds(found["ready"]),
                f"{max(found['gaps']) * 1000:.0f}",
            ]
        )
    head = ["", "floor", "new connection", "floor", "kept ready", "longest gap"]
    yield markdown(head, rows)
    yield "### After idle minutes, far: text to player, MP3\n"
    names = {"after_speech": "kept ready after speech", "always": "always kept ready"}
    minutes = list(next(iter(results["idle"].values())))
    yield markdown(
        ["", "floor", *(f"{number} min" for number in minutes)],
        [
            [
                names[option],
                f"{IDLE_FLOOR * 1000:.0f}",
                *(milliseconds(found[number]) for number in minutes),
            ]
            for option, found in results["idle"].items()
        ],
    )
    yield "### On a processor five times slower: text to player, MP3, pre-started\n"
    yield markdown(
        ["", *(network.name for network in NETWORKS)],
        [
            ["floor", *(f"{_started(n) * 1000:.0f}" for n in NETWORKS)],
            ["found", *(milliseconds(results["slowed"][n.name]) for n in NETWORKS)],
        ],
    )


def world_goals(results: dict[str, Any]) -> Iterator[tuple[str, str, str, bool]]:
    """Yield each goal's name, its aim, what was found, and whether it is met."""
    ratio = median(results["idle"]["after_speech"]["5"]) / IDLE_FLOOR
    yield (
        "Text to player after 5 idle minutes, of two round trips and the first packet",
        f"≤ {IDLE_LIMIT}",
        f"{ratio:.3f}",
        ratio <= IDLE_LIMIT,
    )
    gap = max(results["lines"]["30 kB/s"]["gaps"])
    yield "At 30 kB/s, MP3: longest gap", "none", f"{gap * 1000:.0f} ms", gap == 0
    shares = {
        network.name: median(results["slowed"][network.name]) / _started(network)
        for network in NETWORKS
    }
    yield (
        "Processor five times slower: text to player, pre-started, of the floor",
        f"≤ {IDLE_LIMIT}",
        "; ".join(f"{name} {share:.3f}" for name, share in shares.items()),
        all(share <= IDLE_LIMIT for share in shares.values()),
    )


def _started(network: Any) -> float:
    return float(network.floor(STATES["pre-started"]))
