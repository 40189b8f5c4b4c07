"""Precisions and counts as they are written, and the batches that decisions are made on."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outsim.errors import StudyError
from outsim.results.measures import MEASURES
from outsim.studies.stopping import (
    MOST,
    Precision,
    batch_ends,
    read_precisions,
    read_replications,
    split_precisions,
)


def read(name: str, width: str | float) -> Precision:
    (found,) = read_precisions({name: width}, MEASURES)
    return found


@given(st.integers(2, 500), st.integers(2, 5_000))
def test_batches_grow_from_the_least_to_the_most(least, most):
    ends = [*batch_ends(least, most)]
    assert ends[0] == min(least, most)
    assert ends[-1] == most
    for before, after in pairwise(ends):
        assert before < after <= 1.5 * before + 1


def test_the_batches_that_are_usual():
    """They are part of every answer with a precision: other ones would end elsewhere."""
    assert MOST == 1_000
    assert [*batch_ends()][:6] == [20, 31, 47, 71, 107, 161]


@pytest.mark.parametrize(
    ("name", "width", "found"),
    [
        ("wait_p90_s", "30s", Precision("wait_p90_s", 30.0)),
        ("wait_p90_s", "2 min", Precision("wait_p90_s", 120.0)),
        ("wait_p90_s", 1.5, Precision("wait_p90_s", 1.5)),
        ("finish_time_s", "1 min", Precision("finish_time_s", 60.0)),
        ("completed_share", "0.005", Precision("completed_share", 0.005)),
        ("duration_s", "5 %", Precision("duration_s", 0.05, is_relative=True)),
        (
            "difference:finish_time_s",
            "10%",
            Precision("finish_time_s", 0.1, is_relative=True, of_difference=True),
        ),
    ],
)
def test_a_precision_is_a_share_a_number_or_a_duration(name, width, found):
    assert read(name, width) == found
    assert read_precisions(split_precisions([f"{name} = {width}"]), MEASURES) == (found,)


@pytest.mark.parametrize(
    ("name", "width", "message"),
    [
        (
            "wait",
            "30s",
            r"precision of measure 'wait': there is no such measure; .*allowed: .*wait_p90_s",
        ),
        ("differences:wait_p90_s", "30s", "there is no such measure"),
        ("wait_p90_s", "soon", "precision wait_p90_s=soon: allowed is a share of the mean"),
        ("wait_p90_s", "0", "allowed is"),
        ("wait_p90_s", "-5%", "allowed is"),
        ("wait_p90_s", "nan", "allowed is"),
        ("completed_share", "30s", "allowed is"),
        ("finish_time_s", "2%", "a clock time has no per cent; ask for minutes, such as 2min"),
    ],
)
def test_another_precision_is_refused_with_what_is_allowed(name, width, message):
    with pytest.raises(StudyError, match=message):
        read(name, width)


def test_a_figure_has_one_precision():
    with pytest.raises(StudyError, match="wait_p90_s has one already, 30s"):
        split_precisions(["wait_p90_s=30s", "wait_p90_s = 5%"])
    assert len(split_precisions(["wait_p90_s=30s", "difference:wait_p90_s=5%"])) == 2


@pytest.mark.parametrize(
    ("text", "found"), [("30", 30), (" 7 ", 7), ("20:50", range(20, 50)), ("0:8", range(8))]
)
def test_replications_are_a_count_or_a_part(text, found):
    assert read_replications(text) == found


@pytest.mark.parametrize("text", ["", "many", "0", "-5", "50:20", "20:20", "20:", ":50", "1.5"])
def test_other_replications_are_refused(text):
    with pytest.raises(StudyError, match="replications"):
        read_replications(text)
