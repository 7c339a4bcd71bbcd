"""A run's tables, in Markdown."""

from collections.abc import Iterator
from typing import Any

from .figures import high, markdown, median, milliseconds
from .goals import Results, goals
from .home import FORMATS
from .network import (
    FIRST_PACKET,
    NETWORKS,
    OURS,
    QWEN,
    QWEN_ROW,
    REAL_TIME_FACTOR,
    STATES,
    STREAMED_LENGTH,
    Network,
)
from .peers import PEERS, floor_round_trips
from .world_report import world_tables

CLIENTS = {
    **{f"ours, {row}": (row, STATES[state]) for row, (state, _) in OURS.items()},
    "SDK, callback mode": ("callback", STATES["cold"]),
    "SDK, object pool": ("pool", STATES["warm"]),
    "SDK, `call()`, whole audio": ("call", STATES["cold"]),
}
ROWS = {
    **{f"**CosyVoice, {state}**": (state, trips) for state, trips in STATES.items()},
    f"**{QWEN_ROW}**": (QWEN_ROW, STATES[QWEN[QWEN_ROW]]),
    **{name: (name, floor_round_trips(name)) for name in PEERS},
}


def report(results: dict[str, Any]) -> str:
    """Return everything that a run measured."""
    return "\n".join(_parts(Results(results)))


def home_table(results: Results, network: Network) -> str:
    """Return the table of a network, from text to player inside Home Assistant."""
    rows = []
    for title, (row, round_trips) in ROWS.items():
        floor = network.floor(round_trips)
        cells = [results.player(row, network.name, form) for form in FORMATS]
        ratios = " / ".join(f"{median(cell) / floor:.2f}" for cell in cells)
        rows.append([title, f"{floor * 1000:.0f}", *map(milliseconds, cells), ratios])
    return markdown(["", "floor", *FORMATS, "of the floor"], rows)


def _parts(results: Results) -> Iterator[str]:
    everything = results.all
    yield (
        f"{everything['machine']}, {everything['date']};"
        f" {everything['repetitions']} repetitions of each time, in ms: median"
        " (95th percentile)."
        f" First packet {FIRST_PACKET * 1000:.0f} ms after a sentence, real-time factor"
        f" {REAL_TIME_FACTOR}; a new connection takes three round trips, run-task and"
        " text one each.\n"
    )
    for network in NETWORKS:
        yield (
            f"### Text to player in Home Assistant, {network.name}"
            f" ({network.round_trip * 1000:.0f} ms round trip)\n"
        )
        yield home_table(results, network)
    yield "### Cost in Home Assistant, the converter's processor time included\n"
    yield _cost_table(everything["cost"])
    yield "### Text to first audio of the client alone\n"
    yield _client_table(results)
    yield (
        f"### Streamed text: {STREAMED_LENGTH} characters, 3 every 60 ms,"
        " first piece to player\n"
    )
    yield markdown(
        ["", *(network.name for network in NETWORKS)],
        [
            [_title(row), *(milliseconds(cell["player"]) for cell in result["cells"])]
            for row, result in everything["streamed"].items()
        ],
    )
    yield "### Many at once, in one event loop\n"
    yield _crowd_table(everything["many"])
    yield "### A text of 200,000 characters\n"
    yield _memory_line(everything["long_text"])
    yield from world_tables(everything)
    yield "### Set-up and replay\n"
    yield _other_table(everything)
    yield "### Goals\n"
    yield markdown(
        ["", "goal", "found", ""],
        [
            [goal.name, goal.aim, goal.found, "met" if goal.met else "**missed**"]
            for goal in goals(results)
        ],
    )


def _title(row: str) -> str:
    return next(title for title, (name, _) in ROWS.items() if name == row)


def _cost_table(costs: dict[str, Any]) -> str:
    head = [f"CPU s per minute, {form}" for form in FORMATS]
    rows = [
        [
            _title(row),
            *(f"{median(cell['cpu']):.2f}" for cell in result["cells"]),
            f"{max(cell['memory'] for cell in result['cells']):.0f}",
        ]
        for row, result in costs.items()
    ]
    return markdown(["", *head, "peak memory over Home Assistant's, MiB"], rows)


def _client_table(results: Results) -> str:
    rows = []
    for title, (row, round_trips) in CLIENTS.items():
        client = results.all["clients"][row]
        times: list[str] = []
        for network in NETWORKS:
            floor = network.floor(round_trips)
            if row == "call":
                floor += (median(client["audio"]) - 0.1) * REAL_TIME_FACTOR
            seconds = results.client(row, network.name)
            times += [
                f"{floor * 1000:.0f}",
                milliseconds(seconds),
                f"{median(seconds) / floor:.2f}",
            ]
        cpu = f"{median(client['cpu']):.2f}" if client["cpu"] else "–"
        rows.append([title, *times, cpu, f"{client['memory']:.0f}"])
    head = [""]
    for network in NETWORKS:
        head += [f"floor {network.name}", network.name, "of the floor"]
    return markdown([*head, "CPU s per minute", "peak memory more, MiB"], rows)


def _crowd_table(loads: list[dict[str, Any]]) -> str:
    rows = []
    for load in loads:
        gaps = [gap for gap in load["gaps"] if gap > 0]
        rows.append(
            [
                str(load["count"]),
                f"{median(load['delays']) * 1000:.1f}",
                f"{high(load['delays'], 0.99) * 1000:.1f}",
                f"{len(gaps)} of {len(load['gaps'])}",
                f"{max(gaps, default=0) * 1000:.0f}",
            ]
        )
    head = ["utterances", "loop delay, median", "99th percentile"]
    return markdown([*head, "with a gap", "longest gap"], rows)


def _memory_line(memory: list[tuple[float, float]]) -> str:
    shares = [0.0, 0.25, 0.5, 0.75, 1.0]
    found = [
        min(memory, key=lambda point: abs(point[0] - share))[1] for share in shares
    ]
    return markdown(
        ["share spoken", *(f"{share:.0%}" for share in shares)],
        [["memory, MiB", *(f"{value:.0f}" for value in found)]],
    )


def _other_table(results: dict[str, Any]) -> str:
    reloads = [value for run in results["set_up"] for value in run["reloads"]]
    replay = results["replay"]
    return markdown(
        ["", "ms"],
        [
            [
                "first set-up, imports included: what it adds to Home Assistant's start",
                milliseconds(run["first"] for run in results["set_up"]),
            ],
            ["reload", milliseconds(reloads)],
            ["replay from memory", _fine(replay["memory"])],
            ["replay from disk", _fine(replay["disk"])],
        ],
    )


def _fine(values: list[float]) -> str:
    return f"{median(values) * 1000:.1f} ({high(values) * 1000:.1f})"
