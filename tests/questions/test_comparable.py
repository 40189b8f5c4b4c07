"""Scenarios whose figures mean different things are compared only where that is asked for."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import outsim
from outsim.errors import StudyError
from outsim.results.measures import MEASURES
from outsim.scenario import Scenario
from outsim.studies.comparable import check_alike, unlike
from outsim.studies.study import run_of
from tests.engine import scenarios
from tests.sealing import edit_sealed
from tests.studies.scenarios import MadeUp

WAITS = tuple(each for each in MEASURES if each.name == "wait_p90_s")


def two(study: str = "acme/gold", deadline: str = "09:30", **clock: Any) -> Scenario:
    """Two campaigns, one of them asked about."""
    return scenarios.scenario(
        scenarios.campaign("gold", contacts=12),
        scenarios.campaign("silver", contacts=8),
        name=f"about {study.partition('/')[2]}",
        clock=clock,
        study={"campaign": study, "deadline": deadline},
    )


def compared(*given: Scenario, **options: Any) -> outsim.studies.study_result.StudyResult:
    usual = {"replications": 2, "executor": "threads", "engine": "compiled", "progress": None}
    return outsim.compare(*given, **usual | options).run().findings


UNLIKE = {
    "campaign": (two(study="acme/silver"), "acme/gold (about gold), acme/silver (about silver)"),
    "deadline": (two(deadline="09:45"), "09:30 (about gold), 09:45 (about gold)"),
    "zone": (two(zone="America/New_York"), "UTC (about gold), America/New_York (about gold)"),
}
ASKED: dict[str, dict[str, Any]] = {
    "campaign": {"campaign": ["gold", "acme/silver"]},
    "deadline": {"deadline": ["09:30", "09:45"]},
    "zone": {"across_zones": True},
}


@pytest.mark.parametrize("kind", UNLIKE)
class TestUnlike:
    def test_they_are_refused_with_what_differs_and_what_to_do(self, kind: str) -> None:
        other, differs = UNLIKE[kind]
        with pytest.raises(StudyError) as error:
            compared(two(), other)
        assert differs in str(error.value)
        assert "give --" in str(error.value)

    def test_a_study_of_them_is_refused_too(self, kind: str) -> None:
        with pytest.raises(StudyError, match="can't be compared"):
            run_of([two(), UNLIKE[kind][0]], replications=2)

    def test_a_sweep_of_them_is_refused_before_any_run(self, kind: str) -> None:
        with pytest.raises(StudyError, match="can't be compared"):
            outsim.sweep(
                two(), UNLIKE[kind][0], vary=["platform.ports=1:3:2"], progress=None
            ).run()

    def test_they_are_compared_where_that_is_asked_for_and_it_is_said_everywhere(
        self, kind: str, tmp_path: Path
    ) -> None:
        found = compared(two(), UNLIKE[kind][0], directory=tmp_path / "kept", **ASKED[kind])
        assert set(found.unlike) == {kind}
        (text,) = found.unlike_texts
        assert UNLIKE[kind][1] in text
        assert json.loads(json.dumps(found.to_dict()))["unlike"] == found.unlike
        assert found._repr_html_().startswith("<p>Different")
        again = outsim.load_study(tmp_path / "kept").result
        assert again.unlike == found.unlike

    def test_a_study_that_was_kept_without_being_asked_for_is_not_read_as_a_comparison(
        self, kind: str, tmp_path: Path
    ) -> None:
        compared(two(), UNLIKE[kind][0], directory=tmp_path / "kept", **ASKED[kind])
        edit_sealed(tmp_path / "kept" / "study.json", unlike=None)
        kept = outsim.load_study(tmp_path / "kept")
        assert kept.replications == [0, 1]
        with pytest.raises(StudyError, match="can't be compared"):
            _ = kept.result


def test_one_campaign_in_all_is_the_same_as_asking_each_about_it() -> None:
    asked = compared(two(), two(study="acme/silver"), campaign="silver")
    alone = compared(two(study="acme/silver"), two(study="acme/silver"))
    assert asked.unlike == {}
    assert [asked.mean(0, "wait_p90_s"), asked.mean(1, "wait_p90_s")] == [
        alone.mean(0, "wait_p90_s"),
        alone.mean(1, "wait_p90_s"),
    ]


def test_figures_of_different_campaigns_are_each_its_own() -> None:
    found = compared(two(), two(), campaign=["gold", "silver"])
    silver = compared(two(study="acme/silver"), two(study="acme/silver"))
    assert found.labels == ("about gold (gold)", "about gold (silver)")
    assert found.mean(1, "wait_p90_s") == silver.mean(0, "wait_p90_s")


def test_a_label_names_the_deadlines_in_their_order_and_the_zones_as_each_its_own() -> None:
    measure = MEASURES[0]
    deadlines = compared(two(), two(), deadline=["09:45", "09:30"])
    assert deadlines.label(measure) == "completed by 09:45 against 09:30"
    zones = compared(two(), two(zone="America/New_York"), across_zones=True)
    assert zones.label(measure) == "completed by 09:30, each in its zone"


def test_one_deadline_counts_for_all() -> None:
    found = compared(two(), two(deadline="09:45"), deadline="09:20")
    assert found.label(MEASURES[0]) == "completed by 09:20"
    assert found.unlike == {}


def test_days_sizes_and_begins_may_differ() -> None:
    other = scenarios.scenario(
        scenarios.campaign("gold", contacts=3, start="09:05"),
        clock={"date": date(2026, 3, 11), "begins": "08:00"},
        study={"campaign": "gold", "deadline": "09:30"},
    )
    check_alike([two(), other], MEASURES)


def test_zones_of_one_clock_are_alike() -> None:
    names = ("America/New_York", "America/Toronto")
    check_alike([two(zone=each) for each in names], MEASURES)


def test_what_no_figure_depends_on_may_differ() -> None:
    check_alike([two(), two(deadline="09:45"), two(zone="America/Denver")], WAITS)
    with pytest.raises(StudyError):
        check_alike([two(), two(study="acme/silver")], WAITS)


@given(st.lists(st.sampled_from(["acme/gold", "acme/silver"]), min_size=2, max_size=4))
def test_scenarios_are_unlike_only_if_they_differ(names: list[str]) -> None:
    found = unlike([two(study=each) for each in names], MEASURES)
    assert found == ({} if len(set(names)) == 1 else {"campaign": names})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"campaign": "bronze"},
            "campaign 'bronze': there is no such campaign",
        ),
        ({"campaign": ["gold"] * 3}, "campaign: found 3 for 2 scenarios"),
        ({"deadline": ["09:30"] * 3}, "deadline: found 3 for 2 scenarios"),
        ({"deadline": "soon"}, "deadline: "),
    ],
)
def test_what_can_not_be_asked_about_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(StudyError) as error:
        compared(two(), two(), **options)
    assert message in str(error.value)


def test_a_study_takes_what_it_is_told_may_differ() -> None:
    executor = MadeUp(lambda place, _seed, replication: {"wait_p90_s": place + replication})
    study = run_of(
        [two(), two(study="acme/silver")],
        replications=2,
        executor=executor,
        measures=WAITS,
        unlike=["campaign"],
        progress=None,
    )
    assert study.run().difference(1, "wait_p90_s").mean == 1
