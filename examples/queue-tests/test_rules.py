"""A golden trace for each rule of the platform: a changed rule shows itself here, by name.

Each scenario makes scarce, or makes happen, what its rule is about. The seed is fixed, so the
traces are the same in every session.
"""

from pathlib import Path

import pytest

SCENARIOS = Path(__file__).parent / "scenarios"
FILES = sorted(path for path in SCENARIOS.glob("[0-9]*.toml"))
DRAWN_ANEW = [path for path in FILES if path.name.startswith(("14-", "15-"))]


def about(path):
    """The rule that a scenario's name begins with, as a mark."""
    return pytest.param(path, marks=pytest.mark.rule(int(path.name[:2])), id=path.stem)


@pytest.mark.parametrize("path", [about(path) for path in FILES])
def test_the_rule_has_not_moved(path, simulate, golden):
    golden(simulate(path, seed=1))


@pytest.mark.parametrize("path", [about(path) for path in DRAWN_ANEW])
def test_the_rule_has_not_moved_in_another_replication(path, simulate, golden):
    golden(simulate(path, seed=1, replication=1))
