"""Messages to services that differ, in a short form; ``scripts/soak --variations`` tries all."""

import random

import pytest

from tests.clock import run
from tests.emulator.differences import differences
from tests.variations import REFUSED, Variation, try_variation, variations

ALWAYS = ("flush-ignored", "cancel-unanswered", "usage-nowhere", "no-reuse")


def check(name: str, seed: int) -> None:
    """Speak to a service that differs in a point."""
    outcome = run(try_variation(Variation(frozenset({name}), seed)))
    assert outcome.problems == [], f"seed {seed}"
    assert outcome.spoken == (0 if name in REFUSED else 10)


@pytest.mark.parametrize("name", ALWAYS)
def test_messages_are_whole_whatever_is_to_be_learnt(name: str) -> None:
    check(name, random.randrange(2**32))


@pytest.mark.parametrize("number", range(6))
def test_messages_are_whole_however_the_service_differs(number: int) -> None:
    """In points that are chosen anew each time."""
    check(random.choice(list(differences())), random.randrange(2**32))


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
