"""Promises: what people may write, what they mean, and when runs show that they are kept."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from outsim.errors import StudyError
from outsim.estimates import estimate
from outsim.results.measures import MEASURES
from outsim.studies.promises import FORMS, WHOSE, read_measure, read_promise
from tests.engine import scenarios

SCENARIO = scenarios.scenario(scenarios.campaign(contacts=20), platform={"ports": 5})
"""Twenty people who answer, on five ports: each call holds one for 20 s."""


@pytest.fixture(scope="module")
def view() -> Any:
    result = scenarios.run(scenarios.campaign(contacts=20), platform={"ports": 5})
    return result.measure_view(result.scenario.campaign_under_study)


class TestReading:
    @pytest.mark.parametrize(
        ("text", "figure", "at_most", "limit", "probability"),
        [
            ("p95 wait <= 10 min", "wait_p95_s", True, 600, None),
            ("P95  Wait ≤ 10 min", "wait_p95_s", True, 600, None),
            ("p90 wait at most 90 s", "wait_p90_s", True, 90, None),
            ("median wait <= 1 h", "wait_p50_s", True, 3600, None),
            ("p50 wait <= 1 h", "wait_p50_s", True, 3600, None),
            ("wait_p90_s <= 5 min", "wait_p90_s", True, 300, None),
            ("mean wait <= 5 min", "wait_mean_s", True, 300, None),
            ("p90 status lag <= 2 min", "status_lag_p90_s", True, 120, None),
            ("p99.9 status lag <= 2 min", "status_lag_p99.9_s", True, 120, None),
            ("completed_share >= 0.9", "completed_share", False, 0.9, None),
            ("completed at least 90 %", "completed_share", False, 0.9, None),
            ("finished <= 09:30", "finish_time_s", True, 1800, None),
            ("finished by 09:30", "finish_time_s", True, 1800, None),
            ("at most 300 dialed after the stop", "dials_after_stop", True, 300, None),
            ("at least 40 calls dialed", "calls_dialed", False, 40, None),
            ("at most 5 % refused_share", "refused_share", True, 0.05, None),
            ("attempts_per_call <= 1.5", "attempts_per_call", True, 1.5, None),
            ("P(finished <= 09:30) >= 0.95", "finish_time_s", True, 1800, 0.95),
            ("p(p95 wait <= 1 min) at least 80%", "wait_p95_s", True, 60, 0.8),
            (
                "P(95% of calls done by 09:30) >= 0.9",
                "done_by_2026-03-10_09:30:00",
                False,
                0.95,
                0.9,
            ),
            ("95% of calls out by 09:30", "out_by_2026-03-10_09:30:00", False, 0.95, None),
            (
                "95 % of calls completed by 09:30",
                "completed_by_2026-03-10_09:30:00",
                False,
                0.95,
                None,
            ),
        ],
    )
    def test_what_is_written_is_what_is_meant(
        self, text: str, figure: str, at_most: bool, limit: float, probability: float | None
    ) -> None:
        promise = read_promise(text, SCENARIO)
        assert promise.measure.name == figure
        assert (promise.at_most, promise.probability) == (at_most, probability)
        assert promise.limit == pytest.approx(limit)
        assert promise.text == text

    @pytest.mark.parametrize("text", [*FORMS, *(f"{each.name} <= 1" for each in MEASURES)])
    def test_every_form_that_a_message_names_can_be_read_and_sent_to_a_process(
        self, text: str
    ) -> None:
        kinds = {f"{each.name} <= 1": each.kind for each in MEASURES}
        unit = {"seconds": " s", "clock": "0:00"}.get(kinds.get(text, ""), "")
        promise = read_promise(text + unit, SCENARIO)
        assert pickle.loads(pickle.dumps(promise)).limit == promise.limit

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "found no limit in ''"),
            ("p95 wait", "found no limit in 'p95 wait'"),
            ("p95 wait < 10 min", "found no limit"),
            (
                "p95 weight <= 10 min",
                "measure 'p95 weight': there is no such measure; did you mean 'p95 wait'?",
            ),
            ("p101 wait <= 10 min", "measure 'p101 wait'"),
            ("p0 wait <= 10 min", "measure 'p0 wait'"),
            ("p95 wait <= 10", "found '10'"),
            ("finished <= 10 min", "found '10 min'"),
            ("completed_share >= 90", "found '90' for the share"),
            ("completed_share >= most", "found 'most' for the share"),
            ("attempts_per_call <= few", "found 'few' for the limit"),
            ("95% of calls dialed by 09:30", "calls 'dialed'"),
            ("at most few dialed", "found no limit"),
            ("at most 300 dailed", "measure 'dailed': there is no such measure; did you mean"),
            ("120% of calls done by 09:30", "found '120%' for the share of calls"),
            ("95% of calls done by noon", "found 'noon'"),
            ("P(finished <= 09:30)", "behind P(...)"),
            ("P(finished <= 09:30) <= 0.9", "found '<=' behind P(...)"),
            ("P(finished <= 09:30) >= 1", "found '1' for the probability"),
            ("P(finished <= 09:30) >= often", "found 'often' for the probability"),
            ("P(finished) >= 0.9", "found no limit in 'finished'"),
        ],
    )
    def test_a_mistake_is_named_with_what_is_allowed(self, text: str, message: str) -> None:
        with pytest.raises(StudyError) as error:
            read_promise(text, SCENARIO)
        assert message in str(error.value)
        assert text in str(error.value)


class TestFigures:
    """Twenty calls on five ports go out in four waves, 20 s apart, give or take the loading."""

    @pytest.mark.parametrize(
        ("figure", "seconds"),
        [("p25 wait", 0), ("p26 wait", 20), ("p50 wait", 20), ("p75 wait", 40), ("p100 wait", 60)],
    )
    def test_a_quantile_of_the_wait_is_that_of_its_calls(
        self, view: Any, figure: str, seconds: float
    ) -> None:
        promise = read_promise(f"{figure} <= 1 s", SCENARIO)
        assert promise.measure.compute(view) == pytest.approx(seconds, abs=0.03)

    def test_the_mean_wait_is_the_mean_of_all_calls(self, view: Any) -> None:
        promise = read_promise("mean wait <= 1 s", SCENARIO)
        assert promise.measure.compute(view) == pytest.approx(30, abs=0.03)

    @pytest.mark.parametrize(
        ("time", "share"), [("09:00:19", 0), ("09:00:30", 0.25), ("09:00:50", 0.5), ("09:02", 1)]
    )
    def test_calls_done_by_a_time_are_those_that_ended_until_then(
        self, view: Any, time: str, share: float
    ) -> None:
        for verb in ("done", "completed"):
            promise = read_promise(f"50% of calls {verb} by {time}", SCENARIO)
            assert promise.measure.compute(view) == share


class TestShowing:
    @given(st.integers(2, 200), st.floats(0.001, 0.4), st.data())
    def test_bounds_of_a_probability_are_those_of_clopper_and_pearson(
        self, runs: int, error: float, data: st.DataObject
    ) -> None:
        kept = data.draw(st.integers(0, runs))
        promise = read_promise("P(p95 wait <= 1 s) >= 0.9", SCENARIO)
        figures = np.repeat([0.5, 2.0], [kept, runs - kept])
        low, high = promise.bounds(promise.outcomes(figures), error)
        expected = binomtest(kept, runs).proportion_ci(1 - 2 * error, method="exact")
        assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-9)

    @given(st.lists(st.floats(-100, 100), min_size=2, max_size=40), st.floats(0.001, 0.4))
    def test_bounds_of_a_mean_are_the_ends_of_its_interval(
        self, figures: list[float], error: float
    ) -> None:
        promise = read_promise("p95 wait <= 1 s", SCENARIO)
        values = np.array(figures)
        low, high = promise.bounds(promise.outcomes(values), error)
        assert low <= values.mean() + 1e-9
        assert high >= values.mean() - 1e-9
        whole = estimate(values, 1 - 2 * error, promise.measure.support)
        if whole.rare is None and not np.isnan(whole.half_width):
            assert (low, high) == pytest.approx((whole.low, whole.high))

    def test_a_mean_that_hangs_on_one_run_may_hang_on_more(self) -> None:
        """Of twenty runs one waits for 100 s: at 5 % that may be 21.6 % of them."""
        promise = read_promise("p95 wait <= 1 s", SCENARIO)
        outcomes = np.array([0.0] * 19 + [100.0])
        assert promise.bounds(outcomes, 0.05)[1] >= 100 * 0.216

    @given(
        st.lists(st.floats(0, 20), min_size=2, max_size=40),
        st.sampled_from(["p95 wait <= 10 s", "p95 wait >= 10 s", "P(p95 wait <= 10 s) >= 0.7"]),
    )
    def test_nothing_is_shown_to_be_kept_and_broken(self, figures: list[float], text: str) -> None:
        promise = read_promise(text, SCENARIO)
        outcomes = promise.outcomes(np.array(figures))
        _, (low, high) = promise.judge(outcomes, 0.05, 0.05)
        assert low <= high

    @pytest.mark.parametrize("text", ["p95 wait <= 10 s", "completed_share >= 0.5"])
    def test_one_run_without_a_figure_breaks_a_mean(self, text: str) -> None:
        promise = read_promise(text, SCENARIO)
        outcomes = promise.outcomes(np.array([1.0] * 50 + [np.nan]))
        assert promise.judge(outcomes, 0.05, 0.05)[0] == "broken"

    def test_a_run_without_a_figure_is_one_that_breaks_a_probability(self) -> None:
        promise = read_promise("P(p95 wait <= 10 s) >= 0.5", SCENARIO)
        assert promise.outcomes(np.array([1.0, np.nan, 11.0])).tolist() == [1, 0, 0]

    @pytest.mark.parametrize(
        ("probability", "runs"), [("0.5", 5), ("0.9", 29), ("0.95", 59), ("0.99", 299)]
    )
    def test_a_high_probability_takes_many_runs(self, probability: str, runs: int) -> None:
        """0.9 to the 29th is below 0.05: fewer runs show nothing, even if all keep it."""
        promise = read_promise(f"P(p95 wait <= 1 s) >= {probability}", SCENARIO)
        assert promise.least_runs(0.05) == runs
        assert promise.judge(np.ones(runs), 0.05, 0.05)[0] == "kept"
        assert promise.judge(np.ones(runs - 1), 0.05, 0.05)[0] == "undecided"
        assert promise.least_kept(runs, 0.05) == runs
        assert promise.least_kept(runs - 1, 0.05) == runs


EVERYBODY = scenarios.scenario(
    scenarios.campaign("deals", "shop", contacts=5),
    scenarios.campaign("alerts", "bank", contacts=5),
    scenarios.campaign("deals", "club", contacts=5),
)


class TestWhose:
    @pytest.mark.parametrize(
        ("text", "measure", "kind", "subject", "pick"),
        [
            ("p95 wait of alerts <= 1 min", "wait_p95_s", "campaign", "bank/alerts", None),
            ("p95 wait of club/deals <= 1 min", "wait_p95_s", "campaign", "club/deals", None),
            (
                'finished of "bank/alerts" by 10:00',
                "finish_time_s",
                "campaign",
                "bank/alerts",
                None,
            ),
            ("p95 wait of tenant shop <= 1 min", "wait_p95_s", "tenant", "shop", None),
            ("P90 wait of background <= 1 min", "wait_p90_s", "background", "", None),
            ("port use of everybody <= 0.9", "port_use", "everybody", "", None),
            ("max p95 wait <= 1 min", "wait_p95_s", "campaigns", "", "max"),
            ("max p95 wait of tenants <= 1 min", "wait_p95_s", "tenants", "", "max"),
            ("every tenant's p95 wait <= 1 min", "wait_p95_s", "tenants", "", "max"),
            ("every campaign's completed >= 0.9", "completed_share", "campaigns", "", "min"),
            ("min fair share of tenants >= 0.9", "fair_share", "tenants", "", "min"),
        ],
    )
    def test_a_promise_says_whose_calls_it_is_about(
        self, text: str, measure: str, kind: str, subject: str, pick: str | None
    ) -> None:
        promise = read_promise(text, EVERYBODY)
        of = promise.measure.of
        assert of is not None
        assert (of.kind, of.name, of.pick) == (kind, subject, pick)
        assert measure in promise.measure.name.split()
        assert pickle.loads(pickle.dumps(promise)).measure.name == promise.measure.name

    def test_calls_done_can_be_those_of_a_campaign_or_of_every_tenant(self) -> None:
        one = read_promise("95% of calls of bank/alerts done by 09:30", EVERYBODY).measure
        every = read_promise("P(95% of every tenant's calls done by 09:30) >= 0.9", EVERYBODY)
        assert one.of is not None
        assert one.of.name == "bank/alerts"
        assert every.measure.of is not None
        assert every.measure.of.pick == "min"

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("p95 wait of deals <= 1 min", "is the name of several"),
            ("p95 wait of dels <= 1 min", "there is no such campaign"),
            ("p95 wait of tenant bnk <= 1 min", "bank"),
            ("max p95 wait of deals <= 1 min", "tenants"),
            ("every tenant's peak queue <= 5", "not had by tenant"),
            ("fair share >= 0.9", "of tenant NAME"),
            ("fairness of bank/alerts >= 0.9", "leave out of whom"),
        ],
    )
    def test_whom_nobody_knows_is_refused_by_name(self, text: str, message: str) -> None:
        with pytest.raises(StudyError, match=message):
            read_promise(text, EVERYBODY)

    def test_of_several_the_worse_counts_where_no_limit_says_which(self) -> None:
        for words, pick in (
            ("every tenant's p95 wait", "max"),
            ("every tenant's completed", "min"),
        ):
            of = read_measure(words, "test", EVERYBODY).of
            assert of is not None
            assert of.pick == pick

    def test_every_way_that_is_shown_can_be_read(self) -> None:
        scenario = scenarios.scenario(
            scenarios.campaign("deals", "bank", contacts=5), clock={"ends": "18:00"}
        )
        for text in WHOSE:
            assert read_promise(text, scenario).measure.of is not None
