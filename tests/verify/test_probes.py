"""Every probe holds against the emulator, and fails where the emulator differs."""

import asyncio
from collections.abc import Collection
from itertools import batched

import pytest

from ..emulator.differences import differences
from . import probes
from .emulated import emulated
from .probe import PROBES, SECTIONS, SINGAPORE, SOURCES, Probe
from .report import MARK, ROOT, table
from .runner import Verdict, judge, run

assert probes
_TOGETHER = 8
BATCHES = [*batched(PROBES, _TOGETHER, strict=False)]


async def found(probe: Probe, differ: Collection[str] = ()) -> tuple[Verdict, str]:
    """Run a probe against emulators for it alone; check what it costs."""
    async with emulated(differ) as places:
        place = places.place(probe)
        result = await judge(probe, place.service)
        entries = place.emulator.bill.entries
    if not differ:
        cost = sum(float(entry.cost["CNY"]) for entry in entries)
        assert cost <= probe.cost + 1e-9, f"{probe.name} costs {cost:.4f}"
    return result.verdict, result.seen


@pytest.mark.parametrize("names", BATCHES, ids=lambda names: names[0])
async def test_probes_hold_and_cost_no_more_than_they_say(
    names: tuple[str, ...],
) -> None:
    results = await asyncio.gather(*(found(PROBES[name]) for name in names))
    wrong = {
        name: result
        for name, result in zip(names, results, strict=True)
        if result[0] is not Verdict.HOLDS
    }
    assert not wrong


@pytest.mark.parametrize("names", BATCHES, ids=lambda names: names[0])
async def test_each_probe_fails_where_the_service_differs(
    names: tuple[str, ...],
) -> None:
    results = await asyncio.gather(
        *(found(PROBES[name], {PROBES[name].differ}) for name in names)
    )
    wrong = {
        f"{name} with {PROBES[name].differ}": result
        for name, result in zip(names, results, strict=True)
        if result[0] is not Verdict.DIFFERS
    }
    assert not wrong


async def test_probes_of_both_regions_hold_in_singapore() -> None:
    both = [
        probe
        for probe in PROBES.values()
        if SINGAPORE in probe.regions and probe.stand == "usual"
    ]
    async with emulated() as places:
        service = places.regions[SINGAPORE].service
        results, left = await run(both, lambda _: service, [service], seconds=50)
    wrong = {r.probe.name: r.seen for r in results if r.verdict is not Verdict.HOLDS}
    assert not wrong
    assert not left


@pytest.mark.parametrize("name", PROBES)
def test_a_probe_is_described(name: str) -> None:
    probe = PROBES[name]
    assert probe.belief.endswith(".")
    assert probe.section in SECTIONS
    assert probe.source in SOURCES
    assert probe.differ in differences()
    integration = ROOT / "custom_components/cosyvoice"
    assert (integration / probe.relies).exists() or (ROOT / probe.relies).exists()


def test_there_are_many_and_they_cost_little() -> None:
    assert len(PROBES) >= 60
    assert sum(probe.cost for probe in PROBES.values()) < 0.2


def test_the_documentation_has_all() -> None:
    _, _, listed = (ROOT / "docs/verify.md").read_text("utf-8").partition(MARK)
    assert listed.strip() == table().strip(), "run scripts/verify --list"
