"""Plans of a platform whose answer is known."""

from __future__ import annotations

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import pyplot

from outsim import plots
from outsim.errors import ScenarioError, StudyError
from outsim.questions.capacity import capacity
from outsim.questions.capacity import frontier as find_frontier
from outsim.questions.capacity_answers import Capacity
from outsim.questions.capacity_frontier import Frontier
from outsim.scenario import Scenario
from tests.engine import scenarios
from tests.studies.scenarios import chancy, without_campaigns

CALL_S = 20
"""A call holds its port for so long, and everybody answers."""


def batch(calls: int = 40, **platform: Any) -> Scenario:
    """Calls that are all there at once, give or take the loading, and differ in nothing."""
    return scenarios.scenario(scenarios.campaign(contacts=calls), platform=platform)


def plan(scenario: Scenario, vary: str, *targets: str, **options: Any) -> Capacity:
    """Plan with two replications of what is always the same, in a thread."""
    with ThreadPoolExecutor(1) as thread:
        options = {"replications": 2, "executor": thread, "progress": None} | options
        return capacity(scenario, vary, targets, **options).run()


@settings(max_examples=8)
@given(st.integers(10, 40), st.integers(1, 4))
def test_ports_for_a_batch_are_those_of_the_formula(calls: int, waves: int) -> None:
    """C ports take n calls in waves of c: the k-th call goes out in wave k / c, rounded up."""
    kth = math.ceil(0.95 * calls)
    found = plan(batch(calls), "platform.ports=1:60", f"p95 wait <= {(waves - 1) * CALL_S + 1} s")
    assert found.value == str(math.ceil(kth / waves))
    assert found.number == math.ceil(kth / waves)


def test_the_answer_and_its_neighbour_say_what_they_rest_on() -> None:
    found = plan(batch(40), "platform.ports=1:60", "p95 wait <= 41 s", "p50 wait <= 21 s")
    assert (found.value, found.below) == ("13", "12")
    below, answer = (each for each in found.tested() if each.value in ("12", "13"))
    assert (below.verdict, answer.verdict) == ("broken", "kept")
    assert below.shown == pytest.approx((60, 20), abs=0.1)
    assert answer.shown == pytest.approx((40, 20), abs=0.1)
    table = found.table()
    assert set(table["promise"]) == {"p95 wait <= 41 s", "p50 wait <= 21 s"}
    assert len(table) == 2 * len(found.tested())
    of_12 = table[table["value"] == "12"].set_index("promise")
    assert list(of_12["promise_is"]) == ["broken", "kept"]
    assert list(of_12["value_is"]) == ["broken", "broken"]
    assert "Smallest value that keeps the promises: platform.ports = 13" in found._repr_html_()
    assert found.to_dict()["value"] == "13"
    assert found.runs < found.grid_runs == 60 * 2


def test_a_rate_is_found_in_its_own_unit() -> None:
    """40 calls, the first at once: the last goes out 39 steps of the dial rate later."""
    found = plan(batch(40, dial_burst=1), "platform.dial_rate=1/s:20/s", "p100 wait <= 5 s")
    assert (found.value, found.number) == ("8/s", 8)


def test_more_ports_can_mean_more_refusals_and_then_the_answer_is_a_bracket() -> None:
    """The carrier carries 12 calls: more at once are refused, and are not tried again."""
    scenario = scenarios.scenario(
        scenarios.campaign(contacts=40), carrier={"channels": 12, "burst": 1000}
    )
    found = plan(scenario, "platform.ports=1:100", "p95 wait <= 81 s", "completed_share >= 99 %")
    assert found.value == "8"
    (((kept, broken)),) = found.breaks
    assert int(kept) <= 12 < int(broken) == int(kept) + 1


def test_nothing_in_the_range_is_said_with_what_is_scarce_instead() -> None:
    """100 ports and more are never all in use: two calls a second of 20 s are 40 at most."""
    found = plan(
        batch(40, dial_rate="2/s", dial_burst=1), "platform.ports=1:200", "p95 wait <= 5 s"
    )
    assert (found.outcome, found.value, found.breaks) == ("nothing", None, ())
    assert math.isnan(found.number)
    assert found.level_from is not None
    assert int(found.level_from) >= 40


def test_no_capacity_completes_what_nobody_answers() -> None:
    silent = {"people": {"human": 0, "voicemail": 0, "no_answer": 100, "busy": 0}}
    scenario = scenarios.scenario(scenarios.campaign(contacts=10), profiles=silent)
    assert plan(scenario, "platform.ports=1:50", "completed >= 1 %").outcome == "nothing"


def test_runs_that_are_too_few_leave_it_undecided_and_say_what_is_known() -> None:
    whole = plan(batch(40), "platform.ports=1:60", "p95 wait <= 41 s")
    for most in range(0, whole.runs, 4):
        cut = plan(batch(40), "platform.ports=1:60", "p95 wait <= 41 s", most=most)
        assert cut.runs <= most
        assert (cut.outcome, cut.value) in (("undecided", None), ("found", "13"))
        assert cut.found.is_spent
        assert cut.best is None or int(cut.best) >= 13


def test_time_that_is_up_leaves_it_undecided() -> None:
    found = plan(batch(40), "platform.ports=1:60", "p95 wait <= 41 s", timeout="1 us")
    assert (found.outcome, found.runs, found.found.is_spent) == ("undecided", 0, True)


def test_a_value_at_the_limit_takes_more_runs_than_there_are() -> None:
    """The share completed is the same at any number of ports, and its mean is the limit."""
    scenario = chancy(max_retry=0)
    level = plan(scenario, "platform.ports=10:14", "completed_share >= 0", replications=20)
    mean = level.tested()[0].shown[0]
    found = plan(scenario, "platform.ports=10:14", f"completed_share >= {mean}", replications=20)
    assert found.outcome == "undecided"
    assert {each.verdict for each in found.tested()} == {"undecided"}
    assert not found.found.is_spent


def test_the_answer_is_the_same_on_any_executor_and_from_what_was_kept(tmp_path: Path) -> None:
    asked = ("platform.ports=4:12", "p90 wait <= 60 s")
    first = plan(chancy(), *asked, replications=4, directory=tmp_path, executor="threads")
    again = plan(chancy(), *asked, replications=4, directory=tmp_path)
    assert first.to_dict() == again.to_dict()
    assert (tmp_path / f"platform.ports={first.value}").is_dir()
    assert plan(chancy(), *asked, replications=4, seed=2).seed == 2


def frontier(
    scenario: Scenario, first: str, second: str, *targets: str, **options: Any
) -> Frontier:
    with ThreadPoolExecutor(1) as thread:
        options = {"replications": 2, "executor": thread, "progress": None} | options
        return find_frontier(scenario, first, second, targets, **options).run()


def test_a_frontier_has_the_smallest_first_for_each_second() -> None:
    """40 calls of 20 s: at 4 calls a second the dial rate alone takes 10 s."""
    found = frontier(
        batch(40, dial_burst=1),
        "platform.ports=1:100",
        "platform.dial_rate=1/s:7/s:3",
        "p100 wait <= 25 s",
    )
    assert [found.other.text(each) for each in found.others] == ["1/s", "4/s", "7/s"]
    slow, middle, fast = found.capacities
    assert slow.outcome == "nothing"
    for each, rate in ((middle, 4), (fast, 7)):
        ports = each.number
        alone = plan(
            batch(40, dial_burst=1, dial_rate=f"{rate}/s"),
            "platform.ports=1:100",
            "p100 wait <= 25 s",
        )
        assert ports == alone.number
    assert list(found.table()["outcome"]) == [each.outcome for each in found.capacities]
    assert len(found.to_dict()["frontier"]) == 3


def test_a_frontier_shares_its_runs() -> None:
    asked = (batch(20), "platform.ports=1:40", "platform.workers=1:5:2", "p95 wait <= 41 s")
    found = frontier(*asked, most=30)
    assert sum(each.runs for each in found.capacities) <= 30
    assert found.capacities[-1].outcome == "undecided"


@pytest.fixture
def axes() -> Iterator[Any]:
    yield pyplot.subplots()[1]
    pyplot.close("all")


class TestPictures:
    def test_a_plan_is_drawn_where_it_is_told_to(self, axes: Any) -> None:
        found = plan(
            batch(40), "platform.ports=1:60", "p95 wait <= 41 s", "P(p50 wait <= 21 s) >= 0.1"
        )
        assert plots.promise(found, ax=axes) is axes
        assert axes.get_xlabel() == "platform.ports"
        assert axes.get_ylabel() == "p95 wait (s)"
        labels = axes.get_legend_handles_labels()[1]
        assert {"p95 wait <= 41 s", "smallest: 13", "kept", "broken"} <= set(labels)
        assert plots.promise(found, 1).get_ylabel() == "runs that keep it (%)"

    def test_values_that_are_clock_times_are_marked_by_clock_times(self, axes: Any) -> None:
        """Ten calls of 20 s on one port are over 200 s after their start."""
        found = plan(batch(10, ports=1), "campaign[list].start=09:00:09:50", "finished by 09:30")
        assert (found.value, found.kept_to, found.breaks) == (
            "09:00",
            "09:26",
            (("09:26", "09:27"),),
        )
        plots.promise(found, ax=axes)
        axes.figure.canvas.draw()
        assert axes.get_xlabel() == "campaign[list].start (local time)"
        marks = [each.get_text() for each in axes.get_xticklabels()]
        assert "09:10" in marks
        assert all(len(each) == 5 and each[2] == ":" for each in marks)
        labels = axes.get_legend_handles_labels()[1]
        assert "kept up to 09:26, broken from 09:27" in labels

    def test_each_promise_is_drawn_by_its_own_verdict(self, axes: Any) -> None:
        found = plan(batch(40), "platform.ports=1:60", "p95 wait <= 41 s", "p50 wait <= 1 h")
        assert {each.promises[1] for each in found.tested()} == {"kept"}
        labels = plots.promise(found, 1, ax=axes).get_legend_handles_labels()[1]
        assert "kept" in labels
        assert "broken" not in labels

    def test_a_frontier_is_drawn_with_what_was_not_found(self, axes: Any) -> None:
        asked = (batch(20), "platform.ports=1:6", "platform.dial_rate=1/s:9/s:2")
        found = frontier(*asked, "p95 wait <= 100 s")
        assert plots.frontier(found, ax=axes) is axes
        assert axes.get_xlabel() == "platform.dial_rate (/s)"
        nothing = frontier(*asked, "p95 wait <= 1 s")
        assert "none in range" in plots.frontier(nothing).get_legend_handles_labels()[1]


@pytest.mark.parametrize(
    ("vary", "targets", "options", "message"),
    [
        ("platform.ports=1:9", (), {}, "no promise given"),
        ("platform.ports=1:9", ("soon",), {}, "promise 'soon': found no limit"),
        ("platform.portz=1:9", ("p95 wait <= 1 s",), {}, 'did you mean "ports"?'),
        ("platform.ports", ("p95 wait <= 1 s",), {}, "write KEY=LOW:HIGH"),
        ("seed=1:9", ("p95 wait <= 1 s",), {}, "seed can't be planned"),
        ("clock.ends=10:00:11:00", ("p95 wait <= 1 s",), {}, "clock.ends can't be planned"),
        ("platform.ports=1:9", ("p95 wait <= 1 s",), {"confidence": "x"}, "confidence x: write"),
        ("platform.ports=1:9", ("p95 wait <= 1 s",), {"confidence": "100%"}, "less than 100 %"),
        ("platform.ports=1:9", ("p95 wait <= 1 s",), {"confidence": 0.2}, "from 50 %"),
        ("platform.ports=1:9", ("p95 wait <= 1 s",), {"replications": 1}, "must be 2 or more"),
        ("platform.ports=1:9", ("p95 wait <= 1 s",), {"timeout": "soon"}, "timeout 'soon'"),
        ("platform.ports=1:9", ("P(p95 wait <= 1 s) >= 0.9",), {}, "it takes 30 replications"),
    ],
)
def test_what_can_not_be_planned_is_refused_before_any_run(
    vary: str, targets: tuple[str, ...], options: dict[str, Any], message: str
) -> None:
    with pytest.raises((StudyError, ScenarioError)) as error:
        plan(batch(), vary, *targets, **options)
    assert message in str(error.value)


def test_nobody_is_no_campaign_to_make_promises_about() -> None:
    with pytest.raises(StudyError, match="has no campaign to make promises about"):
        plan(without_campaigns(), "platform.ports=1:9", "p95 wait <= 1 s")


def test_one_key_varied_twice_is_refused() -> None:
    with pytest.raises(StudyError, match=r"platform\.ports is varied twice"):
        frontier(batch(), "platform.ports=1:9", "platform.ports=1:9", "p95 wait <= 1 s")
