"""Messages to services that differ, in a short form; ``scripts/soak --variations`` tries all."""

import random

import pytest

from tests.clock import run
from tests.emulator.differences import differences
from tests.variations import REFUSED, Variation, try_variation, variations

ALWAYS = ("flush-ignored", "cancel-unanswered", "usage-nowhere", "no-reuse")
SEED = random.randrange(2**32)
SOME = random.Random(SEED).sample(sorted(differences().keys() - {*ALWAYS}), 6)


@pytest.mark.parametrize("name", [*ALWAYS, *SOME])
def test_messages_are_whole_however_the_service_differs(name: str) -> None:
    variation = Variation(frozenset({name}), SEED)
    outcome = run(try_variation(variation))
    assert outcome.problems == [], f"seed {SEED}"
    assert outcome.spoken == (0 if name in REFUSED else 10)


def test_every_difference_is_tried() -> None:
    """Alone, and some in pairs."""
    tried = list(variations(1, pairs=5))
    assert {name for variation in tried for name in variation.differ} == set(
        differences()
    )
    assert sum(len(variation.differ) == 2 for variation in tried) == 5
    assert not any(
        variation.differ & REFUSED.keys()
        for variation in tried
        if len(variation.differ) == 2
    )
