"""Findingss: paired replication by replication, whoever does the work."""

from __future__ import annotations

import asyncio
import json
import math
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outsim.display import format_estimate
from outsim.errors import EngineError, StudyError
from outsim.estimates import estimate
from outsim.questions.compare import Comparison, compare
from outsim.results.checkpoint import simulate
from outsim.results.measures import MEASURES, measure_named
from outsim.studies.run_array import RunArray
from outsim.studies.runs import RunMeasures
from outsim.studies.study_result import START_TIME_MEASURES, StudyResult
from outsim.studies.synchronous import run_sync
from tests.studies.scenarios import chancy, without_campaigns

NAMES = [each.name for each in MEASURES]
ALWAYS = [each.name for each in MEASURES if not each.optional]


def compared(*scenarios, replications=4, **options) -> StudyResult:
    """A comparison made in one thread: no processes to wait for."""
    with ThreadPoolExecutor(1) as thread:
        question = compare(*scenarios, replications=replications, executor=thread, **options)
        return question.run().findings


def made_up(*rows: dict[str, list[float]]) -> StudyResult:
    """Findings of scenarios whose figures are these, by replication; others are 0."""
    count = len(next(iter(rows[0].values())))
    figures = tuple(
        RunMeasures(
            scenario=place,
            replication=k,
            measures=dict.fromkeys(NAMES, 0.0) | {name: row[name][k] for name in row},
            attempts=10,
            background_share=0.0,
        )
        for place, row in enumerate(rows)
        for k in range(count)
    )
    scenarios = tuple(chancy(f"s{k}") for k in range(len(rows)))
    return StudyResult(scenarios, 1, RunArray.of(figures))


# Verdicts and what is printed

ENDS = re.compile(r"([-+][\d,.]+) \(([-+][\d,.]+) to ([-+][\d,.]+)\)")
EVEN = re.compile(r"([-+][\d,.]+) ± ([\d,.]+)")


def printed_ends(text: str) -> tuple[float, float] | None:
    """Both ends of an interval as a reader takes them; None where there is none."""
    text = text.replace(",", "")
    if match := ENDS.match(text):
        return float(match[2]), float(match[3])
    if match := EVEN.match(text):
        mean, half = Decimal(match[1]), Decimal(match[2])
        return float(mean - half), float(mean + half)
    return None


@given(
    st.sampled_from(["completed_by_deadline", "wait_p50_s", "finish_time_s", "status_lag_p90_s"]),
    st.integers(2, 25),
    st.integers(0, 2**32 - 1),
    st.floats(0, 1.5),
    st.sampled_from(["normal", "skewed to the left", "skewed to the right"]),
)
def test_a_verdict_and_the_printed_interval_agree(name, count, seed, shift, shape):
    """Better or worse if and only if the very interval that is printed leaves 0 out."""
    random = np.random.default_rng(seed)
    noise = random.normal(size=count)
    if shape != "normal":
        noise = (random.exponential(size=count) - 1) * (1 if shape.endswith("right") else -1)
    scale = 0.05 if name == "completed_by_deadline" else 400.0
    base = random.normal(10 * scale, scale, count)
    other = base + scale * (shift + noise)
    found = made_up({name: base.tolist()}, {name: other.tolist()})
    answer = Comparison(found)
    measure, difference = measure_named(name), found.difference(1, name)
    text = format_estimate(measure.kind, difference, found.scenarios[0].deadline, signed=True)
    ends = printed_ends(text)
    if ends is None:
        assert math.isnan(difference.half_width), text
        return
    leaves_0_out = ends[0] > 0 or ends[1] < 0
    assert leaves_0_out == difference.is_clear, text
    is_change = abs(difference.mean) >= found.matters_from(name) and leaves_0_out
    assert (found.verdict(1, name) not in ("small", "unclear")) == is_change, text
    assert (text in answer.document().answer) == is_change, text
    in_table = found.text_table().set_index("").loc[found.label(measure), "difference"]
    of_table = printed_ends(in_table)
    assert of_table is not None
    assert (of_table[0] > 0 or of_table[1] < 0) == leaves_0_out, in_table


# Pairing


def test_a_scenario_held_against_itself_differs_in_nothing():
    """Every replication gives both the same tape: their differences are 0, not small."""
    comparison = compared(chancy("a"), chancy("b"))
    for name in ALWAYS:
        values = comparison.values(0, name)
        assert values.tolist() == comparison.values(1, name).tolist(), name
        assert comparison.difference(1, name).mean == 0
        assert comparison.difference(1, name).is_zero
    assert list(comparison.changes(1)) == []
    assert len(set(comparison.values(0, "finish_time_s"))) > 1, "replications differ all the same"


def test_each_replication_is_a_run_of_its_own_number():
    scenario = chancy()
    comparison = compared(scenario, chancy(max_retry=0), seed=7)
    for replication in range(4):
        alone = simulate(scenario, seed=7, replication=replication).measures()
        assert [comparison.values(0, name)[replication] for name in ALWAYS] == [
            alone[name] for name in ALWAYS
        ]


def test_a_difference_is_estimated_from_the_pairs():
    comparison = compared(chancy(), chancy(max_retry=0))
    differences = comparison.values(1, "attempts_per_call") - comparison.values(
        0, "attempts_per_call"
    )
    support = measure_named("attempts_per_call").support.of_difference
    assert comparison.difference(1, "attempts_per_call") == estimate(differences, support=support)
    assert (differences < 0).all()


def test_the_seed_is_that_of_the_first_scenario_unless_one_is_given():
    first, second = (chancy().model_copy(update={"seed": seed}) for seed in (5, 6))
    assert compared(first, second, replications=2).seed == 5
    assert compared(first, second, replications=2, seed=9).seed == 9


def test_clock_times_are_held_against_each_other_by_the_time_of_day():
    """The same morning, looked at from half an hour earlier: the campaign ends when it did."""
    usual = chancy("usual", start=1800)
    early = usual.model_copy(
        update={
            "name": "early",
            "clock": usual.clock.model_copy(
                update={"begins": usual.clock.begins - timedelta(minutes=30)}
            ),
        }
    )
    comparison = compared(usual, early, replications=2)
    finished = [comparison.data.values(k, "finish_time_s").tolist() for k in (0, 1)]
    assert finished[1] == [second + 1800 for second in finished[0]]
    assert comparison.values(1, "finish_time_s").tolist() == finished[0]
    shown = comparison.text_table().set_index("").loc["finished at"]
    assert shown["usual"] == shown["early"]
    assert shown["difference"] == "none"


# Whoever does the work


def test_processes_and_threads_give_the_same_figures():
    """Processes of their own, and more threads than runs, which finish in any order."""
    scenarios = chancy("a"), chancy("b", max_retry=0), chancy("c", contacts=20)
    processes = compare(*scenarios, replications=3).run().findings
    with ThreadPoolExecutor(9) as threads:
        threaded = compare(*scenarios, replications=3, executor=threads).run().findings
    alone = compared(*scenarios, replications=3)
    assert processes.to_dict() == threaded.to_dict() == alone.to_dict()


def test_figures_are_in_the_order_of_scenarios_and_replications():
    comparison = compared(chancy("a"), chancy("b"), replications=3)
    table = comparison.to_dataframe()
    assert [*zip(table["scenario"], table["replication"], strict=True)] == [
        (name, replication) for name in "ab" for replication in range(3)
    ]


def test_progress_is_told_after_each_replication():
    told = []
    compared(chancy("a"), chancy("b"), replications=3, progress=lambda *now: told.append(now))
    assert told == [(done, 6) for done in (2, 4, 6)]


def test_a_coroutine_of_the_study_can_be_awaited_as_it_stands():
    async def in_a_notebook() -> Comparison:
        with ThreadPoolExecutor(1) as thread:
            return await compare(chancy("a"), chancy("b"), replications=2, executor=thread)

    assert asyncio.run(in_a_notebook()).findings.replications == 2


# What can't be compared


@pytest.mark.parametrize(
    ("scenarios", "replications", "message"),
    [
        ([], 8, "0 scenario given: a comparison needs two or more"),
        ([chancy()], 8, "1 scenario given: a comparison needs two or more"),
        ([chancy(), chancy()], 1, "replications = 1: must be 2 or more"),
        ([chancy(), chancy()], -3, "replications = -3: must be 2 or more"),
        ([chancy(), without_campaigns()], 8, "'nobody' has no campaign to study"),
    ],
)
def test_what_cannot_be_compared_is_refused_at_once(scenarios, replications, message):
    with pytest.raises(StudyError, match=message):
        run_sync(compare(*scenarios, replications=replications))


def test_an_unknown_engine_is_an_error_of_the_run_it_was_for():
    with pytest.raises(EngineError, match="engine 'abacus'"):
        compared(chancy("a"), chancy("b"), engine="abacus")


# What it says


def test_the_four_figures_of_a_start_time_conflict_if_some_are_better_and_some_worse():
    base = {name: [0.0, 0.0, 0.0] for name in START_TIME_MEASURES}
    later = {"finish_time_s": [60.0, 61.0, 62.0], "completed_share": [0.1, 0.11, 0.12]}
    worse = {"finish_time_s": [60.0, 61.0, 62.0], "completed_share": [-0.1, -0.11, -0.12]}
    comparison = made_up(base, base | later, base | worse)
    assert [comparison.conflicts(place) for place in (1, 2)] == [True, False]


def test_figures_beside_the_four_do_not_conflict_with_them():
    base = {"finish_time_s": [0.0, 0.0, 0.0], "wait_p90_s": [9.0, 9.0, 9.0]}
    later = {"finish_time_s": [60.0, 61.0, 62.0], "wait_p90_s": [1.0, 1.1, 1.2]}
    comparison = made_up(base, later)
    assert not comparison.conflicts(1)
    assert [each.name for each, _ in comparison.changes(1)] == ["finish_time_s", "wait_p90_s"]


def test_a_difference_that_may_be_luck_is_not_told():
    comparison = made_up({"wait_p90_s": [1.0, 2.0, 3.0]}, {"wait_p90_s": [3.0, 1.0, 3.5]})
    assert list(comparison.changes(1)) == []


def test_a_replication_without_a_figure_is_in_no_difference():
    nan = math.nan
    comparison = made_up({"finish_time_s": [1.0, 2.0, nan]}, {"finish_time_s": [2.0, nan, 4.0]})
    difference = comparison.difference(1, "finish_time_s")
    assert (difference.mean, difference.count, difference.n_missing) == (1.0, 1, 2)
    assert "(2 of 3)" in comparison.text_table().set_index("").loc["finished at", "s0"]


def test_the_json_document_holds_every_run_and_every_estimate():
    comparison = made_up(
        {"finish_time_s": [1.0, 2.0, math.nan]}, {"finish_time_s": [2.0, math.nan, math.nan]}
    )
    document = json.loads(json.dumps(comparison.to_dict(), allow_nan=False))
    assert document["scenarios"] == ["s0", "s1"]
    assert (document["replications"], document["confidence"]) == (3, 0.95)
    assert list(document["measures"]) == NAMES
    finished = document["measures"]["finish_time_s"]
    assert finished["means"][1] == {
        "mean": 2.0,
        "low": None,
        "high": None,
        "replications": 1,
        "n_missing": 2,
    }
    assert len(finished["differences"]) == 1
    assert [(run["scenario"], run["finish_time_s"]) for run in document["runs"]] == [
        *[(0, 1.0), (0, 2.0), (0, None)],
        *[(1, 2.0), (1, None), (1, None)],
    ]


def test_the_tables_have_a_row_for_each_figure_or_each_run():
    comparison = compared(chancy("a"), chancy("b", max_retry=0), replications=3)
    table = comparison.table().set_index(["measure", "scenario"])
    assert len(table) == 2 * len(NAMES)
    row = table.loc["attempts_per_call", "b"]
    mean, difference = (
        of(1, "attempts_per_call") for of in (comparison.mean, comparison.difference)
    )
    assert row["mean"] == mean.mean
    np.testing.assert_equal([row["low"], row["high"]], [mean.low, mean.high])
    assert row["difference"] == difference.mean
    np.testing.assert_equal(row["difference_low"], difference.low)
    assert np.isnan(table.loc["attempts_per_call", "a"]["difference"])
    runs = comparison.to_dataframe()
    assert runs[["scenario", "replication"]].to_numpy().tolist() == [
        [name, k] for name in "ab" for k in range(3)
    ]


def test_a_comparison_shows_itself_in_a_notebook_and_in_a_terminal():
    comparison = made_up({"finish_time_s": [1.0, 2.0]}, {"finish_time_s": [2.0, 3.0]})
    assert repr(comparison) == "StudyResult(s0 against s1; 2 replications, seed 1)"
    assert "<th>difference</th>" in comparison._repr_html_()


def test_scenarios_of_one_name_keep_a_column_each():
    """Two files may well say the same name: neither hides the other."""
    comparison = made_up({"finish_time_s": [1.0, 2.0]}, {"finish_time_s": [2.0, 3.0]})
    same = replace(comparison, scenarios=(chancy("same"), chancy("same")))
    assert list(same.text_table().columns) == ["", "same (1)", "same (2)", "difference"]
    assert same.to_dict()["scenarios"] == ["same (1)", "same (2)"]


def test_there_is_a_verdict_only_once_all_replications_are_there():
    """Whoever looks at each answer would see one that errs far more often than one in twenty."""
    base = {name: [600.0, 660.0, 720.0] for name in START_TIME_MEASURES}
    found = made_up(base, base | {"finish_time_s": [60.0, 61.0, 240.0]})
    early, whole = (Comparison(found, planned=planned).document() for planned in (4, 3))
    assert early.answer == (
        "s1 compared with s0: too few replications for a verdict yet, 3 of 4; so far: completed "
        "by 10:00 none, finished at -9.0 ± 2.5 min (95 % interval), p50 wait none."
    )
    assert early.more == []
    assert early.tables == whole.tables
    assert whole.answer == (
        "s1, compared with s0, is better: finished at -9.0 ± 2.5 min (95 % interval)."
    )


def test_a_comparison_knows_how_many_replications_there_will_be():
    answers = []

    async def look() -> None:
        with ThreadPoolExecutor(1) as thread:
            asked = compare(chancy(), chancy(max_retry=0), replications=3, executor=thread)
            async for _ in asked:
                answers.append(asked.answer)

    asyncio.run(look())
    assert [(each.findings.replications, each.is_early) for each in answers] == [
        (1, True),
        (2, True),
        (3, False),
    ]
