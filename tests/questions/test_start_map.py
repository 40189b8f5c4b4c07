"""The map of when a quarter past helps: regimes, signs that are known, what is kept and drawn."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from outsim import plots
from outsim.errors import OutsimError, ScenarioError, StudyError
from outsim.plots.start_maps import _cells
from outsim.questions.start_map import GAINS, StartMap, start_map
from outsim.results.checkpoint import is_family
from outsim.results.measures import MEASURES
from outsim.results.tables.load import LOAD_MEASURES
from outsim.scenario.background import Background
from outsim.scenario.difference import differences
from outsim.scenario.model import Scenario
from outsim.studies import study_run as studies
from outsim.studies.run_array import RunArray
from outsim.studies.runs import RunMeasures
from outsim.studies.study_result import StudyResult
from outsim.studies.variants import Condition, scaled_load, starts_under
from tests.engine import scenarios
from tests.studies.scenarios import chancy, without_campaigns

TOP = {"top": 1.0, "half": 0.0, "quarter": 0.0, "other": 0.0}


def shared(size: int = 60, **parts) -> Scenario:
    """A campaign of 20 calls at 09:00; four others of so many start on the hour, all of them."""
    people = {"profile": "people", "max_retry": 0}
    background = {"campaigns_per_hour": 4, "median_size": size, "size_log_sd": 0.0} | people
    return scenarios.scenario(
        scenarios.campaign("studied", contacts=20, profile="known_list"),
        name="shared",
        background=background | {"start_minutes": TOP},
        **parts,
    )


def mapped(scenario: Scenario, **options) -> StartMap:
    """A map of one regime and two replications, made in one thread, but for what is said."""
    usual = {"loads": (1,), "carriers": (1,), "retries": (0,), "replications": 2, "progress": None}
    with ThreadPoolExecutor(1) as thread:
        return start_map(scenario, executor=thread, **usual | options).run()


# Regimes


@given(st.integers(5, 90), st.floats(0.05, 20))
def test_scaling_the_hour_leaves_the_other_minutes_as_they_are(count, load):
    """So many campaigns at other minutes as before, to one, and so many times those at :00."""
    usual = Background(campaigns_per_hour=count)
    changed = scaled_load(usual, load)
    scaled = Background(
        campaigns_per_hour=changed["background.campaigns_per_hour"],
        start_minutes=changed["background.start_minutes"],
    )

    def at(background: Background) -> tuple[float, float]:
        weights = background.start_minutes
        top = weights.top / (weights.top + weights.half + weights.quarter + weights.other)
        return background.campaigns_per_hour * top, background.campaigns_per_hour * (1 - top)

    top, others = at(scaled)
    assert top == pytest.approx(load * at(usual)[0], abs=1)
    assert others == pytest.approx(at(usual)[1], abs=1)


def test_the_starts_of_a_regime_differ_in_nothing_else_and_share_their_past():
    starts = starts_under(shared(), Condition(2, 1.5, 0.5), (0, 15, 45)).scenarios
    assert is_family(starts)
    assert [f"{each.campaign_under_study.start:%H:%M}" for each in starts] == [
        "09:00",
        "09:15",
        "09:45",
    ]
    assert {each.campaign_under_study.max_retry for each in starts} == {2}
    keys = {each.key for other in starts[1:] for each in differences(starts[0], other)}
    assert keys == {"campaign[acme/studied].start"}


def test_a_regime_of_factors_1_is_the_scenario_itself():
    assert (
        differences(shared(), starts_under(shared(), Condition(0, 1, 1), (0,)).scenarios[0]) == []
    )


def test_the_carrier_of_a_regime_has_less_of_rate_and_channels():
    usual = shared()
    half = starts_under(usual, Condition(0, 1, 0.5), (0,)).scenarios[0].carrier
    assert (half.rate, half.channels) == (usual.carrier.rate // 2, usual.carrier.channels // 2)


# Signs that are known


@cache
def idle() -> StartMap:
    """Others have a single call each, on a platform that has room for a thousand."""
    return mapped(shared(size=1))


@cache
def saturated() -> StartMap:
    """At :00, 240 calls of others are in front of one worker and 40 ports for minutes."""
    return mapped(
        shared(
            platform={
                "ports": 40,
                "workers": 1,
                "dial_work": "500 ms",
                "status_work": "200 ms",
            },
            carrier={"channels": 1000},
        ),
        replications=3,
    )


@pytest.mark.parametrize("name", ["completed_share", "duration_s", "status_lag_p90_s"])
def test_on_an_idle_platform_no_start_is_better_and_all_cells_are_blank(name):
    found = idle()
    assert [found.verdict(0, minute, name) for minute in found.minutes] == [0, 0, 0]


def test_on_an_idle_platform_the_end_comes_later_by_what_the_start_does():
    for minute in idle().minutes:
        assert idle().gain(0, minute, "finish_time_s").mean == pytest.approx(-60 * minute)


def test_after_a_spike_that_has_drained_waits_and_lags_are_shorter_and_nothing_is_lost():
    found = saturated()
    assert 60 < found.drain_s(0).mean < 15 * 60
    for name in ("wait_p50_s", "wait_p90_s"):
        assert (found.findings[0].values(1, name) < found.findings[0].values(0, name)).all()
    assert found.verdict(0, 15, "duration_s") == 1
    assert found.verdict(0, 15, "status_lag_p90_s") == 1
    assert found.verdict(0, 15, "completed_share") == 0


def test_a_smaller_carrier_has_less_headroom_and_a_larger_load_drains_later():
    platform = {"ports": 40, "dial_rate": "2/s", "dial_burst": 2}
    found = mapped(shared(platform=platform), loads=(0.5, 2), carriers=(0.01, 1))
    assert [(each.load, each.carrier) for each in found.regimes] == [
        (0.5, 0.01),
        (0.5, 1),
        (2, 0.01),
        (2, 1),
    ]
    drains = [found.drain_s(k).mean for k in range(4)]
    assert drains[0] < drains[2]
    assert drains[1] < drains[3]
    headrooms = [found.headroom(k).mean for k in range(4)]
    assert headrooms[0] < headrooms[1]
    assert headrooms[2] < headrooms[3]


# Intervals


def made_up(gains: dict[tuple[int, int], list[float]], drains=(300, 1800), minutes=(15, 30)):
    """A map of four regimes whose completions are up by this much, by regime and minute."""
    count = len(next(iter(gains.values())))
    regimes = tuple(Condition(retries, load, 1) for retries in (1, 4) for load in (1, 2))
    names = [each.name for each in MEASURES + LOAD_MEASURES]

    def figures(k: int) -> tuple[RunMeasures, ...]:
        rows = [[0.0] * count, *(gains.get((k, minute), [0.0] * count) for minute in minutes)]
        axes = {"drain_s": float(drains[k % 2]), "carrier_headroom": 0.1 * k}
        return tuple(
            RunMeasures(
                scenario=place,
                replication=r,
                measures=dict.fromkeys(names, 0.0) | axes | {"completed_share": row[r]},
                attempts=10,
                background_share=0.0,
            )
            for place, row in enumerate(rows)
            for r in range(count)
        )

    starts = tuple(chancy(f":{minute:02d}") for minute in (0, *minutes))
    found = tuple(
        StudyResult(starts, 1, RunArray.of(figures(k)), measures=MEASURES + LOAD_MEASURES)
        for k in range(len(regimes))
    )
    return StartMap(shared(), minutes, regimes, found)


def test_the_intervals_of_a_figure_hold_together_over_the_whole_map():
    values = [0.03, 0.031, 0.029, 0.033]
    gain = made_up({(0, 15): values}).gain(0, 15)
    error = np.std(values, ddof=1) / 2
    assert gain.mean == pytest.approx(np.mean(values))
    assert gain.half_width == pytest.approx(stats.t.ppf(1 - 0.05 / 8 / 2, df=3) * error)


def test_a_gain_is_what_is_better_whichever_way_the_figure_goes():
    found = saturated()
    shorter = found.findings[0].difference(1, "duration_s").mean
    assert found.gain(0, 15, "duration_s").mean == pytest.approx(-shorter)
    assert shorter < 0


def test_a_gain_that_the_map_does_not_have_is_refused():
    with pytest.raises(
        StudyError, match=r"start 20: there is no such start in the map; allowed: 15, 30"
    ):
        made_up({(0, 15): [0.0, 1.0]}).gain(0, 20)
    with pytest.raises(StudyError, match="measure 'wait_p90_s': there is no such measure in"):
        made_up({(0, 15): [0.0, 1.0]}).gain(0, 15, "wait_p90_s")


def test_the_table_and_the_json_have_every_gain_of_every_regime():
    found = saturated()
    table = found.table()
    assert len(table) == len(found.regimes) * len(found.minutes) * len(GAINS)
    document = json.loads(json.dumps(found.to_dict()))
    for row in table.itertuples():
        gain = document["regimes"][0]["gains"][row.measure][f":{row.minute:02d}"]
        ends = [None if np.isnan(end) else end for end in (row.low, row.high)]
        assert [gain["mean"], gain["low"], gain["high"]] == [row.gain, *ends]
    assert document["regimes"][0]["drain_s"]["mean"] == table["drain_s"].iloc[0]
    assert document["comparisons"] == 3


# What is kept


def test_a_map_that_is_asked_for_again_runs_nothing(tmp_path, monkeypatch):
    first = mapped(shared(size=5), directory=tmp_path, loads=(1, 2))
    jobs = []
    stream = studies.stream

    def watched(work, executor):
        jobs.extend(work)
        return stream(work, executor)

    monkeypatch.setattr(studies, "stream", watched)
    again = mapped(shared(size=5), directory=tmp_path, loads=(1, 2))
    assert jobs == []
    assert again.to_dict() == first.to_dict()
    more = mapped(shared(size=5), directory=tmp_path, loads=(1, 2), replications=3)
    assert [job.replication for job in jobs] == [2, 2]
    assert more.to_dict() == mapped(shared(size=5), loads=(1, 2), replications=3).to_dict()


def test_progress_counts_the_runs_of_the_whole_map():
    told = []
    mapped(shared(size=1), loads=(1, 2), progress=lambda *now: told.append(now))
    assert told[-1] == (16, 16)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_a_map_may_be_given_a_time_or_a_precision():
    found = mapped(
        shared(size=1), replications=None, precision={"duration_s": "1h"}, max_replications=2
    )
    assert found.findings[0].replications == 2
    timed = mapped(shared(size=1), replications=None, timeout="20s", max_replications=2)
    assert timed.findings[0].replications == 2


# The picture


def test_a_cell_is_filled_where_its_gain_is_clear_and_blank_elsewhere():
    found = made_up({(0, 15): [0.2, 0.21, 0.2, 0.21], (3, 30): [-0.3, -0.31, -0.3, -0.31]})
    axes = plots.start_map(found)
    assert axes.shape == (2, 2)
    filled = [[len(ax.patches) for ax in row] for row in axes]
    assert filled == [[1, 0], [0, 1]]
    better, worse = axes[0, 0].patches[0], axes[1, 1].patches[0]
    red, _, blue, _ = better.get_facecolor()
    assert blue > red
    red, _, blue, _ = worse.get_facecolor()
    assert red > blue


def test_a_map_draws_on_axes_that_it_is_given_and_gives_them_back():
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(2, 2)
    drawn = plots.start_map(made_up({(0, 15): [0.0, 0.1]}), "duration_s", axes=axes)
    assert [*drawn.flat] == [*axes.flat]
    plt.close("all")


points = st.lists(
    st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=12, unique=True
)


@given(points)
def test_what_lies_in_a_cell_is_nearest_to_its_point(places):
    at = np.array(places) / 20
    for k, corners in enumerate(_cells(at)):
        inside = corners.mean(axis=0)
        distances = np.linalg.norm(at - inside, axis=1)
        assert distances[k] == pytest.approx(distances.min())


# What can't be mapped


@pytest.mark.parametrize(
    ("scenario", "options", "message"),
    [
        (chancy(), {}, r"has no \[background\]"),
        (without_campaigns(), {}, "no campaign to study"),
        (shared(), {"loads": ()}, "loads none: give one or more"),
        (shared(), {"loads": (1, 1)}, "loads 1, 1: give one or more factors"),
        (shared(), {"carriers": (0,)}, "carriers 0: give one or more factors, each above 0"),
        (shared(), {"carriers": (float("nan"),)}, "carriers nan"),
        (shared(), {"retries": ()}, "retries none: give each count once"),
        (shared(), {"retries": (11,)}, r"max_retry: found 11"),
        (shared(), {"minutes": ()}, "starts none: give minutes"),
        (shared(), {"minutes": (0, 15)}, "starts 0, 15: give minutes of the hour"),
        (shared(), {"replications": 1}, "replications = 1: must be 2 or more"),
        (shared(), {"replications": None, "timeout": "soon"}, "timeout 'soon'"),
    ],
)
def test_what_cannot_be_mapped_is_refused_at_once(scenario, options, message):
    with pytest.raises(OutsimError, match=message):
        mapped(scenario, **options)


def test_a_start_after_the_campaign_has_expired_is_refused():
    scenario = shared()
    campaign = scenario.campaign[0].model_copy(update={"expires_at": scenarios.moment(1200)})
    early = scenario.model_copy(update={"campaign": [campaign]})
    with pytest.raises(ScenarioError, match=r"09:30:00.*expires_at"):
        mapped(early)
