"""The soak in a short form; ``scripts/soak`` runs it as long as one likes."""

from contextlib import nullcontext
import random

import pytest

from tests.clock import run
from tests.soak import SoakResult, main, soak


def test_many_utterances_while_everything_goes_wrong() -> None:
    """Nothing is lost, repeated beyond the rule, or left behind."""
    seed = random.randrange(2**32)
    result = run(soak(130, seed))
    assert result.problems == [], f"seed {seed}"
    assert result.outcomes["finished"] > 70
    assert result.faults.total() > 5
    assert result.descriptors[-1] <= result.descriptors[0] + 5


@pytest.mark.parametrize("count", ["0", "-3", "many"])
def test_a_soak_of_nothing_is_refused(
    count: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["soak", count])
    with pytest.raises(SystemExit, match="2"):
        main()
    assert "count" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("problems", "verdict"),
    [([], "PASSED"), (["a"], "FAILED: 1 problem"), (["a", "b"], "FAILED: 2 problems")],
)
def test_a_soak_ends_with_its_verdict(
    problems: list[str],
    verdict: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    result = SoakResult(problems=problems, memory=[1.0], descriptors=[1])
    monkeypatch.setattr("sys.argv", ["soak", "1", "--seed", "5"])
    monkeypatch.setattr("tests.soak.soak", lambda *_: None)
    monkeypatch.setattr("tests.soak.run", lambda _: result)
    with pytest.raises(SystemExit, match="1") if problems else nullcontext():
        main()
    assert capsys.readouterr().out.splitlines()[-1] == verdict
