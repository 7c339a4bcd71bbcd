"""What was aimed at, and whether a run reached it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from .figures import high, median
from .network import NETWORKS, OURS, QWEN_ROW, STATES
from .peers import PEERS
from .world_report import world_goals

SATELLITE_FORMATS = ("wav 16 kHz", "flac 48 kHz")
OVERHEAD = 0.010
ADDED = {"MP3": 0.010, "wav 16 kHz": 0.020, "flac 48 kHz": 0.050}
PEER_SHARE = 0.45
ALLOWED_RATIO = 1.15
SET_UP = 0.100
CLEANING = 0.005
LOOP_DELAY = 0.020
AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal.

    Attributes:
        name: What is measured.
        aim: What was aimed at.
        found: What came out.
        met: Whether that is good enough.
    """

    name: str
    aim: str
    found: str
    met: bool


class Results:
    """The results of a run, by name."""

    def __init__(self, results: dict[str, Any]) -> None:
        """Take what the run collected."""
        self.all = results

    def player(self, row: str, network: str, form: str) -> list[float]:
        """Return the seconds from text to player."""
        return list(self._cell(row, network, form)["player"])

    def way(self, row: str, network: str, form: str) -> list[float]:
        """Return how many of them passed after our client had as much."""
        return list(self._cell(row, network, form)["way"])

    def client(self, row: str, network: str) -> list[float]:
        """Return the seconds from text to the first audio of a client."""
        return list(self.all["clients"][row]["latency"][network])

    def _cell(self, row: str, network: str, form: str) -> Any:
        return next(
            cell
            for cell in self.all["latency"][row]["cells"]
            if (cell["network"], cell["format"]) == (network, form)
        )


def goals(results: Results) -> Iterator[Goal]:
    """Yield the goals in the order of importance."""
    for row, (state, _) in OURS.items():
        round_trips = STATES[state]
        overheads = {
            network.name: median(results.client(row, network.name))
            - network.floor(round_trips)
            for network in NETWORKS
        }
        yield _by_name(
            f"Client, {row}: over {round_trips} round trips and the first packet",
            f"< {OVERHEAD * 1000:.0f} ms",
            overheads,
            _ms,
            OVERHEAD,
        )
    for form, limit in ADDED.items():
        ways = {
            network.name: high(
                value
                for row in (*STATES, QWEN_ROW)
                for value in results.way(row, network.name, form)
            )
            for network in NETWORKS
        }
        yield _by_name(
            f"Added between client and player, {form}, 95th percentile",
            f"< {limit * 1000:.0f} ms",
            ways,
            _ms,
            limit,
        )
    for form in SATELLITE_FORMATS:
        best = {
            network: min(
                median(results.player(peer, network.name, form)) for peer in PEERS
            )
            for network in NETWORKS
        }
        shares = {
            network.name: median(results.player("pre-started", network.name, form))
            / seconds
            for network, seconds in best.items()
        }
        floors = "; ".join(
            f"{network.name} {_ratio(network.floor(STATES['pre-started']) / seconds)}"
            for network, seconds in best.items()
        )
        yield _by_name(
            f"Of the best peer's time, {form} (the floor: {floors})",
            f"≤ {PEER_SHARE}",
            shares,
            _ratio,
            PEER_SHARE,
        )
    ratios = {
        f"{network.name}, {form}": median(results.player("warm", network.name, form))
        / network.floor(STATES["warm"])
        for network, form in product(NETWORKS, ADDED)
    }
    yield _by_name(
        "Text to player, warm, of the floor",
        f"≤ {ALLOWED_RATIO}",
        ratios,
        _ratio,
        ALLOWED_RATIO,
    )
    yield from _cost_goals(results.all)


def _cost_goals(results: dict[str, Any]) -> Iterator[Goal]:
    ours = median(results["clients"]["warm"]["cpu"])
    theirs = median(results["clients"]["callback"]["cpu"])
    yield Goal(
        "CPU per minute of audio, of the SDK's callback mode",
        "≤ 1",
        f"{ours / theirs:.2f}",
        ours <= theirs,
    )
    crowd = next(load for load in results["many"] if load["count"] == AT_ONCE)
    gap, delay = max(crowd["gaps"]), high(crowd["delays"], 0.99)
    yield Goal(f"{AT_ONCE} at once: longest gap", "none", _ms(gap), gap == 0)
    yield Goal(
        f"{AT_ONCE} at once: delay of the loop, 99th percentile",
        f"< {LOOP_DELAY * 1000:.0f} ms",
        _ms(delay),
        delay < LOOP_DELAY,
    )
    cleaning = results["cleaning"]
    later = median(cleaning["cleaned"]) - median(cleaning["as written"])
    yield from (Goal(*goal) for goal in world_goals(results))
    yield Goal(
        "Cleaning of plain text, added to the first audio",
        f"< {CLEANING * 1000:.0f} ms",
        _ms(later),
        later < CLEANING,
    )
    first = median(run["first"] for run in results["set_up"])
    yield Goal(
        "Set-up, first in a fresh Home Assistant",
        f"< {SET_UP * 1000:.0f} ms",
        _ms(first),
        first < SET_UP,
    )
    blocking = sum(len(run["blocking"]) for run in results["set_up"])
    yield Goal("Blocking calls reported", "none", str(blocking), blocking == 0)


def _by_name(
    name: str,
    aim: str,
    found: dict[str, float],
    written: Callable[[float], str],
    limit: float,
) -> Goal:
    text = "; ".join(f"{key} {written(value)}" for key, value in found.items())
    return Goal(name, aim, text, _all_within(found.values(), limit))


def _all_within(values: Iterable[float], limit: float) -> bool:
    return all(value <= limit for value in values)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def _ratio(value: float) -> str:
    return f"{value:.3f}"
