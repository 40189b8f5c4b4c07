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
SUSPEND = f"{READABLE}controls.py: begin"
RESUME = f"{READABLE}controls.py: end"
OWN = [
    Mutant(
        1,
        "a number that begins with 0 is cut, not rejected",
        (
            Change(
                "outsim/scenario/contacts.py",
                "_p, _n = _d.groups()",
                "_p, _n = _d.groups()\nif _n[0] == '0':\n    return int(_n[1:])",
            ),
        ),
    ),
    Mutant(
        5,
        "updates go before dial work",
        (
            Change(
                f"{READABLE}workers.py: Workers.close_instant",
                "if self.dial_work:\n    self._begin_dial(_d)\n"
                "elif _b:\n    self._begin_update(_u)\nelse:\n    return",
                "if _b:\n    self._begin_update(_u)\n"
                "elif self.dial_work:\n    self._begin_dial(_d)\nelse:\n    return",
            ),
        ),
    ),
    Mutant(
        8,
        "a refused attempt is not made again",
        (
            Change(
                f"{READABLE}calls.py: next_status",
                "_a.outcome not in RETRIED",
                "_a.outcome not in RETRIED or _a.outcome == CONGESTION",
            ),
        ),
    ),
    Mutant(
        13,
        "nobody is held back by a suspension",
        (
            Change(SUSPEND, "_p.queue.hold(_suspended(_p, _s), _rule_of(_s))", ""),
            Change(RESUME, "_p.queue.release(_suspended(_p, _s), _rule_of(_s))", ""),
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


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package of one module, to plant in."""
    code = (
        "def f(found):\n    # why\n    if found and 1:\n        g(found)\n        h(found)\n\n\n"
        "def g(found):\n    return found + 1\n"
    )
    (tmp_path / "a.py").write_text(code)
    return tmp_path


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (Change("a.py: f", "_x and 1", "_x and 2"), "if found and 2:\n"),
        (Change("a.py: f", "g(_x)\nh(_x)", "h(_x)"), "if found and 1:\n        h(found)\n\n"),
        (Change("a.py: f", "if _x and 1:\n    g(_y)\n    h(_y)", ""), "def f(found):\n    pass"),
        (Change("a.py", "_x + 1", "-_x"), "return -found"),
    ],
)
def test_a_change_is_planted_by_its_structure(
    change: Change, expected: str, package: Path
) -> None:
    change.plant(package)
    assert expected in (package / "a.py").read_text()


@pytest.mark.parametrize(
    ("place", "old", "why"),
    [
        ("a.py: f", "nothing(_x)", "a.py: f has what is to be replaced 0 times"),
        ("a.py", "_x(found)", "a.py has what is to be replaced 2 times"),
        ("a.py: f", "g(_x)\nh(other)", "0 times"),
        ("a.py: h", "_x", "a.py: h: there is no h"),
    ],
)
def test_a_change_that_fits_nowhere_or_twice_is_stale(
    place: str, old: str, why: str, package: Path
) -> None:
    with pytest.raises(StaleError, match=why):
        Change(place, old, "").plant(package)


def test_a_change_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "mutant.toml"
    file.write_text(
        'rule = 5\nwhat = "gone"\n[[change]]\nplace = "a.py"\nold = """x\n"""\nnew = ""\n'
    )
    assert read(file) == Mutant(5, "gone", (Change("a.py", "x\n", ""),))


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(1, 21))
def test_the_unchanged_model_passes_under_any_seed(seed: int) -> None:
    outcome = run_suite(Path(__file__).parents[2], f"--outsim-seed={seed}")
    assert outcome.code == 0, outcome.output
