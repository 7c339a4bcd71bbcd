"""The soak in a short form; ``scripts/soak`` runs it as long as one likes."""

import random

from tests.clock import run
from tests.soak import soak


def test_many_utterances_while_everything_goes_wrong() -> None:
    """Nothing is lost, repeated beyond the rule, or left behind."""
    seed = random.randrange(2**32)
    result = run(soak(80, seed))
    assert result.problems == [], f"seed {seed}"
    assert result.outcomes["finished"] > 40
    assert result.faults.total() > 5
    assert result.descriptors[-1] <= result.descriptors[0] + 5
