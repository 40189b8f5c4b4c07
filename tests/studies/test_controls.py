"""Control variates: their means are known, and what they explain is taken out of a figure.

The queue with a known answer is a list that is there at once before one port. Each attempt is on
it for a time that depends on what becomes of it: when the last call goes out is the sum of the
times of those before it, and so its mean is known.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from outsim.estimates import estimate
from outsim.plan import build_plan
from outsim.studies.control_variates import DOUBT, LEAST_FREEDOM, controlled, controls_of
from outsim.studies.runs import runs_of
from outsim.studies.study import run_of
from outsim.tape import Purpose, Tape
from tests.engine import scenarios

from .scenarios import chancy

REPLICATIONS = 30
BOTH = runs_of(antithetic=True, stratified=True)


def studied(*several, **options):
    """Findings of a study made in one thread."""
    with ThreadPoolExecutor(1) as thread:
        return run_of(several, **{"executor": thread, "progress": None} | options).run()


def explained(seed: int, count: int, share: float, controls: int = 2):
    """Figures with mean 3, of whose variance the first control explains a share; and controls."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(count, controls))
    noise = random.normal(size=count)
    return 3 + math.sqrt(share) * x[:, 0] + math.sqrt(1 - share) * noise, x


# Means of controls


ANSWERS = {"human": 40, "voicemail": 30, "no_answer": 20, "busy": 5, "invalid": 5}


def morning():
    """A small campaign at 10:00 among background campaigns, a list with invalid numbers."""
    return scenarios.scenario(
        scenarios.campaign(contacts=40, start=3600, profile="list"),
        profiles={"list": ANSWERS},
        clock={"ends": "12:00"},
        background={"campaigns_per_hour": 4},
        callees={"hour_factors": dict.fromkeys(["morning", "afternoon"], 0.7)
                 | {"evening": 1.0, "night": 1.0}},
    )  # fmt: skip


@pytest.mark.parametrize("member", [BOTH[0], BOTH[1], BOTH[4]])
def test_the_mean_of_every_control_is_0(member):
    """Over 800 tapes of a kind of run; each control by Student's t test at 1 in 10,000."""
    scenario = morning()
    plan = build_plan(scenario, Tape(1))
    tapes = [member.tape_of(Tape(1, replication)) for replication in range(800)]
    rows = [controls_of(plan, scenario, tape) for tape in tapes]
    for name in rows[0]:
        values = [row[name] for row in rows]
        assert np.std(values) > 0, name
        assert stats.ttest_1samp(values, 0).pvalue > 1e-4, name


def test_controls_are_counts_of_the_tape():
    scenario = morning()
    tape = Tape(3, 2)
    plan = build_plan(scenario, tape)
    controls = controls_of(plan, scenario, tape)
    outcome = plan.campaigns[plan.under_study].attempts(1).outcome
    human = 40 / 95 * 0.7
    assert controls["up to human"] == pytest.approx((outcome < human).mean() - human)
    invalid = (plan.campaigns[plan.under_study].contacts.trait == 1).mean()
    assert controls["invalid"] == pytest.approx(invalid - 0.05)
    sizes = {
        minute: sum(
            campaign.size
            for campaign in plan.campaigns
            if campaign.background and campaign.name.startswith("h01") and minute in campaign.name
        )
        for minute in (":00", "")
    }
    background = scenario.background
    mean = 4 * background.median_size * math.exp(background.size_log_sd**2 / 2)
    weights = background.start_minutes
    top = weights.top / (weights.top + weights.half + weights.quarter + weights.other)
    rounded = 4 / mean
    assert controls["background at the hour"] == pytest.approx(
        sizes[":00"] / mean - top, abs=rounded
    )
    assert controls["background in the hour"] == pytest.approx(sizes[""] / mean - 1, abs=rounded)


def test_without_a_background_there_are_no_controls_of_it():
    tape = Tape(1)
    controls = controls_of(build_plan(chancy(), tape), chancy(), tape)
    assert not any("background" in name for name in controls)


# The regression


@given(seed=st.integers(0, 10_000), share=st.floats(0.5, 0.99), count=st.integers(20, 60))
def test_the_estimate_is_the_intercept_of_least_squares(seed, share, count):
    """Against scipy's simple regression: its intercept, and the error that it gives for it."""
    values, controls = explained(seed, count, share, controls=1)
    found = controlled(values, controls)
    known = stats.linregress(controls[:, 0], values)
    width = stats.t.ppf(0.975, count - 2) * known.intercept_stderr
    if known.pvalue <= DOUBT and width < estimate(values).half_width:
        assert found.is_used
        assert found.estimate.mean == pytest.approx(known.intercept)
        assert found.estimate.half_width == pytest.approx(width)
    else:
        assert found == controlled(values, controls)
        assert found.estimate == estimate(values)


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_what_is_saved_is_what_the_controls_explain(share):
    """With many replications: all the variance over that which is left."""
    found = controlled(*explained(1, 20_000, share))
    assert found.is_used
    assert found.saved == pytest.approx(1 / (1 - share), rel=0.05)


def test_controls_that_explain_everything_leave_no_doubt():
    values, controls = explained(1, 30, 1.0)
    found = controlled(values, controls)
    assert found.estimate.mean == pytest.approx(3)
    assert found.estimate.half_width == pytest.approx(0, abs=1e-6)


def test_controls_that_explain_nothing_are_rarely_used():
    """By the F test in 5 of 100 studies; four standard deviations above that is the bound."""
    used = np.mean([controlled(*explained(seed, 25, 0.0)).is_used for seed in range(1_000)])
    assert used < DOUBT + 4 * math.sqrt(DOUBT * (1 - DOUBT) / 1_000)


def test_where_a_replication_lacks_the_figure_the_plain_mean_stays():
    values, controls = explained(1, 30, 0.9)
    values[3] = math.nan
    assert controlled(values, controls).estimate == estimate(values)


def test_too_few_replications_for_the_controls_leave_the_plain_mean():
    few = 1 + 2 + LEAST_FREEDOM - 1
    values, controls = explained(1, few, 0.99)
    assert not controlled(values, controls).is_used
    values, controls = explained(1, few + 1, 0.99)
    assert controlled(values, controls).is_used


def test_controls_that_say_the_same_count_once():
    values, controls = explained(1, 30, 0.9)
    constant = np.full((30, 1), 0.25)
    again = np.hstack([controls, controls[:, :1] * 2, constant, controls.sum(axis=1)[:, None]])
    once, twice = controlled(values, controls), controlled(values, again)
    assert twice.estimate.mean == pytest.approx(once.estimate.mean)
    assert twice.estimate.half_width == pytest.approx(once.estimate.half_width)


def test_a_figure_that_does_not_vary_keeps_its_mean():
    found = controlled(np.full(30, 0.1), explained(1, 30, 0.5)[1])
    assert (found.estimate.mean, found.estimate.count) == (pytest.approx(0.1), 30)
    assert found.estimate.rare.times == 0
    assert not found.is_used


# In a study


def test_a_study_reads_its_figures_off_at_the_means_of_the_controls():
    findings = studied(chancy(), replications=REPLICATIONS, controls=True)
    values = findings.values(0, "completed_share")
    controls = findings.data.controls_of(0)
    found = controlled(values, controls)
    assert found.is_used
    assert found.saved > 1
    assert findings.mean(0, "completed_share") == found.estimate
    assert findings.saved_by_controls(0, "completed_share") == found
    plain = studied(chancy(), replications=REPLICATIONS)
    assert plain.values(0, "completed_share").tolist() == values.tolist()
    assert plain.mean(0, "completed_share").half_width > found.estimate.half_width
    assert plain.data.controls_of(0).size == 0


def test_a_difference_is_regressed_on_the_controls_of_both():
    findings = studied(
        chancy("a"), chancy("b", max_retry=0), replications=REPLICATIONS, controls=True
    )
    values = findings.values(1, "attempts_per_call") - findings.values(0, "attempts_per_call")
    controls = findings.saved_by_controls(1, "attempts_per_call")
    assert controls.is_used
    assert findings.difference(1, "attempts_per_call") == controls.estimate
    assert controls.estimate.half_width < estimate(values).half_width
    document = findings.to_dict()["variance_reduction"]["controls"]
    assert document["used"]["attempts_per_call"] == [True]
    assert document["saved"]["attempts_per_call"] == [controls.saved]


def test_a_precision_is_reached_sooner():
    asked = {"precision": {"completed_share": 0.02}, "max_replications": 400}
    plain = studied(chancy(), **asked)
    sooner = studied(chancy(), controls=True, **asked)
    assert sooner.is_reached(sooner.precisions[0])
    assert sooner.replications < plain.replications


# Coverage

CALLS, PEOPLE, TALK_S, RINGS_S = 20, 0.6, 30.0, 10.0
LAST_S = (CALLS - 1) * (PEOPLE * TALK_S + (1 - PEOPLE) * RINGS_S)
"""Mean of when the last call goes out: each before it talks, on average so long, or rings."""


def last_goes_out_s(tape: Tape) -> tuple[float, float]:
    """When the last call goes out, and how many more than on average are drawn to answer."""
    outcome = tape.uniforms("acme", "list", Purpose.OUTCOME, attempt=1, count=CALLS)
    talk = tape.uniforms("acme", "list", Purpose.TALK, attempt=1, count=CALLS)
    held_s = np.where(outcome < PEOPLE, -np.log1p(-talk) * TALK_S, RINGS_S)
    return float(held_s[:-1].sum()), float((outcome < PEOPLE).mean()) - PEOPLE


def covered(studies: int, replications: int) -> float:
    """Share of studies whose interval holds the known mean."""
    holding = 0
    for seed in range(studies):
        figures = np.array([last_goes_out_s(Tape(seed, k)) for k in range(replications)])
        found = controlled(figures[:, 0], figures[:, 1:]).estimate
        holding += found.low <= LAST_S <= found.high
    return holding / studies


def test_intervals_hold_the_known_mean_as_often_as_they_promise():
    """Of 300 studies 95 in 100, give or take four standard deviations of that share."""
    assert abs(covered(300, 20) - 0.95) < 4 * math.sqrt(0.95 * 0.05 / 300)


@pytest.mark.deep
@pytest.mark.parametrize("replications", [20, 50])
def test_intervals_of_many_studies_hold_the_known_mean(replications):
    assert 0.93 <= covered(1_500, replications) <= 0.97


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_intervals_cover_whatever_the_controls_explain(share):
    """Also where the F test often stands on the edge: 2,000 studies of 20 replications."""
    found = [controlled(*explained(seed, 20, share, 4)).estimate for seed in range(2_000)]
    assert 0.93 <= np.mean([each.low <= 3 <= each.high for each in found]) <= 0.97
