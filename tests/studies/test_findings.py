"""What is made of figures: intervals that hold together, precisions, pairing, pictures."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import dates, pyplot

from outsim import plots
from outsim.errors import StudyError
from outsim.estimates import Estimate, estimate, probability
from outsim.results.measures import MEASURES, measure_named
from outsim.studies.run_array import RunArray
from outsim.studies.runs import RunMeasures
from outsim.studies.stopping import Precision
from outsim.studies.study_result import StudyResult
from outsim.studies.variance_reduction import in_words, paired_variance_ratio

from .scenarios import chancy

NAMES = [each.name for each in MEASURES]
NAN = math.nan


def made_up(*rows: list[float], name: str = "wait_p90_s") -> StudyResult:
    """Findings of scenarios with one figure, by replication; others are 0."""
    figures = tuple(
        RunMeasures(place, k, dict.fromkeys(NAMES, 0.0) | {name: value}, 10, 0.0)
        for place, row in enumerate(rows)
        for k, value in enumerate(row)
    )
    scenarios = tuple(chancy(f"s{k}") for k in range(len(rows)))
    return StudyResult(scenarios, 1, RunArray.of(figures))


# Intervals


@given(st.integers(2, 6), st.integers(3, 12), st.integers(0, 99))
def test_differences_of_several_scenarios_hold_together(count, runs, seed):
    """Bonferroni: each of k intervals has the confidence 1 - 5 % / k."""
    rows = np.random.default_rng(seed).normal(100, 20, size=(count, runs))
    found = made_up(*rows.tolist())
    for place in range(1, count):
        support = measure_named("wait_p90_s").support
        between = support.between(rows[place], rows[0])
        alone = estimate(rows[place] - rows[0], 1 - 0.05 / (count - 1), between)
        together = found.difference(place, "wait_p90_s")
        assert together.mean == pytest.approx(alone.mean)
        assert (together.low, together.high) == pytest.approx((alone.low, alone.high), nan_ok=True)
        assert found.mean(place, "wait_p90_s") == estimate(rows[place], support=support)


@given(st.permutations(range(8)), st.integers(0, 99))
def test_sums_do_not_depend_on_who_finished_first(order, seed):
    """Figures stand in the order of their numbers, so sums are the same to the last bit."""
    values = (np.random.default_rng(seed).lognormal(size=8) * 1e3).tolist()
    in_order = made_up(values)
    measured = [
        RunMeasures(0, k, {**dict.fromkeys(NAMES, 0.0), "wait_p90_s": values[k]}, 10, 0.0)
        for k in order
    ]
    assert replace(in_order, data=RunArray.of(measured)).to_dict() == in_order.to_dict()


# Precisions


def test_a_precision_is_about_every_scenario_or_every_difference():
    found = made_up([21.0, 23.0, 25.0], [50.0, 50.5, 51.0], [31.0, 35.0, 44.0])
    for of_difference, of in ((False, found.mean), (True, found.difference)):
        places = range(1 if of_difference else 0, 3)
        widths = [of(place, "wait_p90_s").half_width for place in places]
        asked = Precision("wait_p90_s", max(widths), of_difference=of_difference)
        assert found.is_reached(asked)
        assert found.widest(asked) == max(widths)
        assert not found.is_reached(replace(asked, half_width=0.999 * max(widths)))


def test_a_precision_may_be_a_share_of_the_mean_whatever_its_sign():
    for mean in (50.0, -50.0):
        value = Estimate(mean, 2.5, 9)
        assert Precision("wait_p90_s", 0.05, is_relative=True).is_reached(value)
        assert not Precision("wait_p90_s", 0.0499, is_relative=True).is_reached(value)


def test_a_figure_that_too_few_runs_have_is_never_precise():
    found = made_up([NAN, NAN, 3.0])
    asked = Precision("wait_p90_s", 1e9)
    assert not found.is_reached(asked)
    assert math.isnan(found.widest(asked))
    document = replace(found, precisions=(asked,)).to_dict()
    assert document["precision"][0] == {
        "asked": "wait_p90_s=1e+09",
        "reached": False,
        "half_width": None,
    }


# Probabilities


def test_a_run_that_is_too_short_for_a_figure_keeps_no_promise_about_it():
    found = made_up([10.0, 20.0, 30.0, NAN], name="finish_time_s")
    assert found.probability(0, "finish_time_s", at_most=20.0) == probability(
        np.array([True, True, False, False])
    )
    assert found.probability(0, "finish_time_s", at_least=20.0).mean == 0.5
    assert found.probability(0, "finish_time_s", at_most=1e9).mean == 0.75
    with pytest.raises(StudyError, match="found no limit"):
        found.probability(0, "finish_time_s")


# What pairing saves


def test_pairing_saves_what_is_common_to_both():
    """Of figures with the correlation r and one variance, 1 / (1 - r) times the replications."""
    draws = np.random.default_rng(7).normal(size=(3, 200_000))
    for correlation in (0.0, 0.5, 0.9, -0.5):
        mine, theirs = (
            math.sqrt(abs(correlation)) * sign * draws[0] + math.sqrt(1 - abs(correlation)) * own
            for sign, own in ((1, draws[1]), (math.copysign(1, correlation), draws[2]))
        )
        assert paired_variance_ratio(mine, theirs).times == pytest.approx(
            1 / (1 - correlation), rel=0.02
        )


@pytest.mark.parametrize(("scale", "exact"), [(1.0, True), (2.0, False)])
def test_its_interval_holds_the_truth_as_often_as_it_says(scale, exact):
    """Exactly, where both vary alike; where they do not, more often."""
    draws = np.random.default_rng(11).normal(size=(4_000, 3, 8))
    common, own, other = draws[:, 0], draws[:, 1], draws[:, 2]
    ours, theirs = common + own, scale * (common + other)
    # var(ours) = 2, var(theirs) = 2 scale**2, covariance = scale
    truth = (2 + 2 * scale**2) / (2 + 2 * scale**2 - 2 * scale)
    found = [paired_variance_ratio(a, b) for a, b in zip(ours, theirs, strict=True)]
    held = np.mean([each.low <= truth <= each.high for each in found])
    deviation = math.sqrt(0.95 * 0.05 / len(found))
    assert held > 0.95 - 4 * deviation
    assert not exact or held < 0.95 + 4 * deviation


def test_pairs_that_differ_alike_are_worth_any_number_of_runs():
    found = made_up([1.1, 2.2, 3.3], [1.4, 2.5, 3.6])
    assert found.saved_by_pairing(1, "wait_p90_s").times == math.inf
    document = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    differences = document["measures"]["wait_p90_s"]["differences"]
    assert differences[0]["saved_by_pairing"]["times"] == "infinite"


@pytest.mark.parametrize("rows", [([1.0, NAN], [2.0, 3.0]), ([1.0, 1.0], [2.0, 2.0])])
def test_what_pairing_saves_is_not_known_from_one_pair_or_where_nothing_varies(rows):
    found = made_up(*rows).saved_by_pairing(1, "wait_p90_s")
    assert found.to_dict() == {"times": None, "low": None, "high": None}


def test_it_is_told_with_two_digits():
    found = paired_variance_ratio(np.array([1.0, 2.0, 3.0, 5.0]), np.array([1.1, 2.0, 3.1, 4.9]))
    assert str(found) == "610 (95 %: 40 to 9,400)"
    assert [round(each, -1) for each in (found.times, found.low)] == [610, 40]
    assert round(found.high, -2) == 9_400


KNOWN = {
    "worse": paired_variance_ratio(np.array([1.0, 2.0, 3.0, 5.0]), np.array([4.0, 3.0, 2.0, 1.0])),
    "some": paired_variance_ratio(np.array([1.0, 2.0, 3.0, 5.0]), np.array([2.0, 2.0, 3.0, 4.0])),
    "more": paired_variance_ratio(np.array([1.0, 2.0, 3.0, 5.0]), np.array([1.1, 2.0, 3.1, 4.9])),
    "alike": paired_variance_ratio(np.array([1.0, 2.0]), np.array([2.0, 3.0])),
    "not known": paired_variance_ratio(np.array([1.0]), np.array([2.0])),
}


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["more"], "as good as 610 (95 %: 40 to 9,400) times more replications (more)"),
        (["more", "not known"], "as good as 610 (95 %: 40 to 9,400) times more"),
        (
            ["more", "some"],
            "times more replications (some) to 610 (95 %: 40 to 9,400) times (more)",
        ),
        (["more", "worse"], "from no gain (worse) to as good as 610 (95 %: 40 to 9,400) times"),
        (["alike", "some"], "times more replications (some) to any number of times (alike)"),
        (["alike"], "all pairs differ alike"),
        (["worse"], "saves no replications"),
        (["not known"], "not known from so few pairs"),
    ],
)
def test_what_pairing_saved_is_said_in_plain_words(names, words):
    assert words in in_words([(name, KNOWN[name]) for name in names])


# Pictures


@pytest.fixture
def ax():
    figure, made = pyplot.subplots()
    yield made
    pyplot.close(figure)


def bars(ax) -> tuple[np.ndarray, np.ndarray]:
    """Places of the marks, and both ends of each interval."""
    (container,) = ax.containers
    line, _, (segments,) = container
    ends = [s[:, 0] if len(s) else np.full(2, NAN) for s in segments.get_segments()]
    return np.asarray(line.get_xdata()), np.array(ends)


def test_estimates_are_drawn_with_their_intervals(ax):
    found = made_up([0.50, 0.52, 0.54], [0.60, 0.61, 0.65], name="completed_share")
    assert plots.compare(found, "completed_share", ax) is ax
    marks, ends = bars(ax)
    for place in (0, 1):
        mean = found.mean(place, "completed_share")
        assert marks[place] == pytest.approx(100 * mean.mean)
        assert ends[place] == pytest.approx([100 * mean.low, 100 * mean.high])
    assert [each.get_text() for each in ax.get_yticklabels()] == ["s0", "s1"]
    assert ax.get_xlabel() == "completed in the end (%)"
    assert ax.yaxis_inverted(), "the first scenario is on top"


def test_clock_times_stand_on_an_axis_of_clock_times(ax):
    found = made_up([600.0, 660.0, 720.0], [900.0, 960.0, 1020.0], name="finish_time_s")
    plots.compare(found, "finish_time_s", ax)
    begins = found.scenarios[0].clock.begins
    marks, ends = bars(ax)
    shown = [dates.num2date(mark, tz=UTC) for mark in marks]
    for place, minutes in enumerate((11, 16)):
        assert abs(shown[place] - (begins + timedelta(minutes=minutes))) < timedelta(seconds=0.01)
    assert (ends[0].mean(), np.ptp(ends[0]) / 2 * 86_400) == (
        pytest.approx(marks[0]),
        pytest.approx(found.mean(0, "finish_time_s").half_width, abs=1e-3),
    )
    ax.figure.canvas.draw()
    labels = [each.get_text() for each in ax.get_xticklabels()]
    assert f"{begins + timedelta(minutes=10):%H:%M}" in labels


@pytest.mark.parametrize(("wait_s", "unit", "shown"), [(12.0, "s", 12.0), (600.0, "min", 10.0)])
def test_times_stand_in_the_unit_that_people_think_in(ax, wait_s, unit, shown):
    plots.compare(made_up([wait_s, wait_s, wait_s]), "wait_p90_s", ax)
    assert ax.get_xlabel() == f"p90 wait ({unit})"
    assert bars(ax)[0] == pytest.approx([shown])


def test_a_scenario_without_the_figure_keeps_its_place(ax):
    plots.compare(made_up([1.0, 2.0], [NAN, NAN], [3.0, NAN]), "wait_p90_s", ax)
    marks, _ = bars(ax)
    assert np.isnan(marks).tolist() == [False, True, False]
    assert len(ax.get_yticks()) == 3


def test_without_axes_it_makes_a_picture_of_its_own():
    drawn = plots.compare(made_up([1.0, 2.0]), "wait_p90_s")
    assert drawn.figure.axes == [drawn]
    pyplot.close(drawn.figure)


def test_a_figure_that_is_not_there_is_refused():
    with pytest.raises(StudyError, match="measure 'wait'"):
        plots.compare(made_up([1.0, 2.0]), "wait")
