"""Repetitions of one measurement, and what they come to."""

from collections.abc import Iterable
import math
import statistics


def median(values: Iterable[float]) -> float:
    """Return the middle value."""
    return statistics.median(values)


def high(values: Iterable[float], share: float = 0.95) -> float:
    """Return the value that a share of all values, from 0 to 1, does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]


def milliseconds(values: Iterable[float]) -> str:
    """Return median and 95th percentile of seconds, in ms."""
    values = list(values)
    return f"{median(values) * 1000:.0f} ({high(values) * 1000:.0f})"


def markdown(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table."""
    lines = [list(head)]
    lines.append(["---"] * len(lines[0]))
    lines.extend(list(row) for row in rows)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
