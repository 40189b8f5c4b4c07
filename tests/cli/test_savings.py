"""What a study says of antithetic and stratified runs and of controls."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from outsim.document import Document
from outsim.document.terminal import show
from outsim.results.measures import MEASURES
from outsim.studies.foot import variance_notes, variance_table
from outsim.studies.run_array import RunArray
from outsim.studies.runs import NONE, RunMeasures, VarianceReduction
from outsim.studies.study_result import StudyResult
from outsim.studies.variance_reduction import Reduction
from tests.studies.scenarios import chancy

from .stored import stored

NAMES = [each.name for each in MEASURES]


def findings(
    scenarios: int = 1, switches: VarianceReduction | None = None, *reductions
) -> StudyResult:
    """Twenty replications, whose waits one control explains, and whose other figures are 0."""
    random = np.random.default_rng(1)
    luck, rest = random.normal(size=20), random.normal(size=(scenarios, 20))
    figures = tuple(
        RunMeasures(
            scenario=place,
            replication=k,
            measures=dict.fromkeys(NAMES, 0.0)
            | {"wait_p90_s": 60 + 5 * (1 + place) * luck[k] + rest[place, k]},
            attempts=10,
            background_share=0.0,
            controls={"luck": luck[k]},
        )
        for place in range(scenarios)
        for k in range(20)
    )
    several = tuple(chancy(f"s{k}") for k in range(scenarios))
    return StudyResult(
        several, 1, RunArray.of(figures), switches=switches or NONE, reductions=reductions
    )


def said(capsys, *found) -> str:
    result = findings(*found)
    tables = [table for table in [variance_table(result)] if table is not None]
    show(Document("savings", "", tables=tables, notes=variance_notes(result)))
    return " ".join(capsys.readouterr().out.split())


def reduction(is_used: bool, decided_on: int, *saved: float) -> Reduction:
    about = {(k, "wait_p90_s"): value for k, value in enumerate(saved)}
    return Reduction(
        "antithetic", 2, is_used, decided_on, about | {(0, "finish_time_s"): math.nan}
    )


PAIRS = VarianceReduction(antithetic=True)


def test_without_a_switch_nothing_is_said(capsys):
    assert said(capsys) == ""


@pytest.mark.parametrize(
    ("is_used", "decided_on", "verdict"),
    [
        (True, 20, "antithetic: used, 2 runs a replication: it saves variance"),
        (False, 8, "antithetic: NOT used: by the first 8 replications it does not clearly save"),
        (True, 0, "antithetic: 2 runs a replication; whether that helps is decided on the first"),
    ],
)
def test_it_is_said_whether_a_switch_is_used_and_why(capsys, is_used, decided_on, verdict):
    text = said(capsys, 1, PAIRS, reduction(is_used, decided_on, 1.84))
    assert verdict in text
    assert "p90 wait 1.8 " in text
    assert "finished at" not in text, "nothing is known of it"


def test_what_was_saved_in_several_differences_is_a_range(capsys):
    text = said(capsys, 3, PAIRS, reduction(True, 20, 1.2, 14.4))
    assert "in the differences" in text
    assert "p90 wait 1.2 to 14 " in text


def test_what_controls_saved_is_told_where_they_are_used(capsys):
    text = said(capsys, 1, VarianceReduction(controls=True))
    saved = findings(1, VarianceReduction(controls=True)).saved_by_controls(0, "wait_p90_s").saved
    assert f"p90 wait {saved:.2g} controls: used where a number stands, and" in text
    assert saved > 4


def test_the_options_are_those_of_the_study(outsim):
    document = stored("compare with switches").facts
    found = document["variance_reduction"]
    assert [(name, found[name].get("runs")) for name in found] == [
        ("antithetic", 2),
        ("stratified", 4),
        ("controls", None),
    ]
    assert not found["antithetic"]["used"], "two replications tell nothing"
    plain = json.loads(
        outsim("compare", "small.toml", "later.toml", "--replications", "2", "--json").out
    )
    assert plain["variance_reduction"] == {}
    assert plain["runs"] == document["runs"]
