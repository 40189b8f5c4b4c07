"""Every case of the table: it agrees with its formula, and an error of 2 % would have shown."""

from __future__ import annotations

import pytest

from tests.measured import tell
from tests.theory import table
from tests.theory.estimation import assert_agrees

TOLD = 0.02


def test_the_table_has_what_it_should():
    assert len(table.CASES) >= 25
    assert len({case.name for case in table.CASES}) == len(table.CASES)


@pytest.mark.deep
@pytest.mark.parametrize("case", table.CASES, ids=lambda case: case.name)
def test_simulation_is_as_theory_has_it_to_2_percent(case, request):
    """`assert_agrees` also holds the figure against formulas that are 2 % off, up and down."""
    comparison = table.found(case)
    tell(request, table.TITLE, table.line(case, comparison))
    assert_agrees(comparison, TOLD)


def test_a_formula_that_is_off_fails_its_case():
    """One quick case against its formula, and against formulas that are 2 % off."""
    case = next(case for case in table.CASES if case.name.startswith("attempts a call"))
    comparison = table.found(case)
    assert comparison.agrees
    assert comparison.would_show(TOLD)
    for off in (TOLD, -TOLD):
        with pytest.raises(AssertionError):
            assert_agrees(comparison.off_by(off), TOLD)
