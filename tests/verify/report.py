"""The results of a run: at the terminal, in the report, and in docs/verify.md."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
import json
from pathlib import Path
import platform
import re
import textwrap

import aiohttp

from .probe import PROBES, SECTIONS, SOURCES
from .runner import Result, Verdict

ROOT = Path(__file__).parents[2]
MARK = "<!-- probes -->"
"""What stands above the table in docs/verify.md."""
_MANIFEST = ROOT / "custom_components/cosyvoice/manifest.json"
# Ids of requests, tasks, voices, workspaces and accounts; addresses; keys.
_PRIVATE = (
    (re.compile(r"\b(?:sk|st|llm|ws)-[\w-]+"), "(key or id)"),
    (re.compile(r"\b(?:https?|wss?|oss)://\S+"), "(address)"),
    (re.compile(r"\b(?=[\da-f-]*\d)[\da-f]{8}(?:-?[\da-f]{2,}){2,}\b"), "(id)"),
    (re.compile(r"\bLTAI\w+"), "(id)"),
    (re.compile(r"\b\d{10,}\b"), "(number)"),
)


def redacted(text: str, key: str = "") -> str:
    """Return a text without anything that tells whose it is."""
    if key:
        text = text.replace(key, "(key)")
    for pattern, instead in _PRIVATE:
        text = pattern.sub(instead, text)
    return " ".join(text.split())


def line(result: Result, key: str = "") -> str:
    """Return the line of a result at the terminal."""
    seen = textwrap.shorten(redacted(result.seen, key), 110, placeholder=" …")
    return f"{result.verdict:18} {result.probe.name:32} {seen}"


def summary(results: Iterable[Result]) -> str:
    """Return how many there are of each verdict."""
    counts = Counter(result.verdict for result in results)
    return ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict)


def report(
    results: Sequence[Result], *, region: str, real: bool, key: str, seconds: float
) -> str:
    """Return the report, to be read by others."""
    version = json.loads(_MANIFEST.read_text("utf-8"))["version"]
    python = platform.python_version()
    what = "service" if real else "emulator"
    head = [
        "# Report of scripts/verify",
        "",
        f"- {what}, {region}, {datetime.now(UTC):%Y-%m-%d}, {seconds:.0f} s",
        f"- CosyVoice {version}, Python {python}, aiohttp {aiohttp.__version__}",
        f"- {summary(results)}",
        "",
        "| probe | section | verdict | seen | difference |",
        "| --- | --- | --- | --- | --- |",
    ]
    order = [Verdict.DIFFERS, Verdict.UNTOLD, Verdict.HOLDS]
    ordered = sorted(results, key=lambda result: order.index(result.verdict))
    rows = [
        f"| {result.probe.name} | {result.probe.section} | {result.verdict} "
        f"| {_cell(redacted(result.seen, key))} | {result.probe.differ} |"
        for result in ordered
    ]
    return "\n".join([*head, *rows, ""])


def table() -> str:
    """Return the table of all probes for docs/verify.md."""
    rows = ["| probe | holds if | source | relied on by | CNY | seen to fail with |"]
    rows.append("| --- | --- | --- | --- | --- | --- |")
    parts = []
    for section, title in SECTIONS.items():
        found = [probe for probe in PROBES.values() if probe.section == section]
        where = {
            probe.name: f" ({probe.regions[0]})" if len(probe.regions) == 1 else ""
            for probe in found
        }
        lines = [
            f"| `{probe.name}` | {_cell(probe.belief)}{where[probe.name]} "
            f"| {probe.source} | `{probe.relies}` | {probe.cost:.4f} "
            f"| `{probe.differ}` |"
            for probe in found
        ]
        parts.append("\n".join([f"### {section}. {title}", *rows, *lines]))
    sources = "; ".join(f"`{name}` {what}" for name, what in SOURCES.items())
    total = sum(probe.cost for probe in PROBES.values())
    head = (
        f"{len(PROBES)} probes, together at most {total:.2f} CNY. Sources: {sources}."
    )
    return "\n\n".join([head, *parts]) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
