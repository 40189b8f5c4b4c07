"""The example suite catches planted changes of rules, and names the rule.

The changes are in ``mutants/``, and were made by somebody who did not know the suite; those here
are for the runner alone.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.testing.planting import (
    MUTANTS,
    SUITE,
    Change,
    Mutant,
    Outcome,
    StaleError,
    read,
    run_suite,
)

TRACES = ("-k", "test_the_rule_has_not_moved")
"""The part of the suite that names rules."""

READABLE = "outsim/engine/readable/"
OWN = [
    Mutant(
        1,
        "a number that begins with 0 is cut, not rejected",
        (
            Change(
                "outsim/scenario/phone_numbers.py",
                """    plus, number = digits.groups()
""",
                """    plus, number = digits.groups()
    if number[0] == "0":
        return int(number[1:])
""",
            ),
        ),
    ),
    Mutant(
        5,
        "updates go before dial work",
        (
            Change(
                f"{READABLE}workers.py",
                "            if self.dial_work:\n",
                "            if self.dial_work and not self.backlog:\n",
            ),
        ),
    ),
    Mutant(
        8,
        "a refused attempt is not made again",
        (
            Change(
                f"{READABLE}line.py",
                "attempt.outcome == INVALID or attempt.number",
                "attempt.outcome in (INVALID, CONGESTION) or attempt.number",
            ),
        ),
    ),
    Mutant(
        13,
        "nobody is held back by a suspension",
        (
            Change(
                f"{READABLE}controls.py",
                "        self.queue.hold(self._suspended(suspension, tenants))\n",
                "",
            ),
            Change(
                f"{READABLE}controls.py",
                "        self.queue.release(self._suspended(suspension, tenants), "
                "self.agenda.now)\n",
                "",
            ),
        ),
    ),
]


def caught(mutant: Mutant, directory: Path, suite: Path = SUITE) -> Outcome:
    """Assert that the suite fails on a change, and names its rule."""
    mutant.plant(directory)
    outcome = run_suite(directory, *TRACES, suite=suite)
    assert outcome.code == 1, f"{mutant.what}: not caught\n{outcome.output}"
    assert outcome.rule == mutant.rule, f"{mutant.what}\n{outcome.output}"
    return outcome


@pytest.mark.parametrize(
    "path", [pytest.param(path, id=path.stem) for path in sorted(MUTANTS.glob("*.toml"))]
)
def test_a_planted_change_is_caught_and_its_rule_named(path: Path, tmp_path: Path) -> None:
    caught(read(path), tmp_path)


@pytest.mark.parametrize("mutant", OWN, ids=lambda mutant: mutant.what)
def test_the_runner_plants_a_change(mutant: Mutant, tmp_path: Path) -> None:
    caught(mutant, tmp_path)


def test_a_copied_suite_tells_a_rule_from_another_scenario(tmp_path: Path) -> None:
    """By contact lists, too, which are elsewhere and are read otherwise."""
    suite = tmp_path / "another place" / "suite"
    shutil.copytree(SUITE, suite)
    outcome = caught(OWN[0], tmp_path / "package", suite)
    assert "The scenario is another one" not in outcome.output


def test_an_unchanged_copy_passes(tmp_path: Path) -> None:
    Mutant(0, "nothing", ()).plant(tmp_path)
    outcome = run_suite(tmp_path, *TRACES)
    assert outcome.code == 0, outcome.output
    assert outcome.rule is None


@pytest.mark.parametrize("old", ["nothing of the kind", "import"])
def test_a_change_that_fits_nowhere_or_twice_is_stale(old: str, tmp_path: Path) -> None:
    stale = Mutant(5, "gone", (Change(f"{READABLE}workers.py", old, ""),))
    with pytest.raises(StaleError, match=r"workers\.py has what is to be replaced"):
        stale.plant(tmp_path)


def test_a_change_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "mutant.toml"
    file.write_text(
        'rule = 5\nwhat = "gone"\n[[change]]\nfile = "a.py"\nold = """x\n"""\nnew = ""\n'
    )
    assert read(file) == Mutant(5, "gone", (Change("a.py", "x\n", ""),))


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(1, 21))
def test_the_unchanged_model_passes_under_any_seed(seed: int) -> None:
    outcome = run_suite(Path(__file__).parents[2], f"--outsim-seed={seed}")
    assert outcome.code == 0, outcome.output
