"""What is drawn over the day is what the study has, and no more than all replications bear."""

from __future__ import annotations

import numpy as np
import pytest

from outsim.live.page.what_if.bands import QUANTITIES, days
from outsim.studies.study import run_of

from .pages import what_if_of, write_scenarios


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    what_if = what_if_of(write_scenarios(tmp_path_factory.mktemp("bands"))[0])
    what_if.set({"platform.ports": "3"})
    run = run_of(
        (what_if.base, what_if.changed),
        replications=6,
        keep_series=True,
        engine="compiled",
        progress=None,
    )
    run.run()
    return run.study


def test_the_day_goes_on_while_all_replications_do(study):
    runs = study.series().groupby(["scenario", "replication"], observed=True)["at"].max()
    queue = days(study, range(6))[0]
    assert queue.options["xAxis"]["data"][0] == "09:00"
    assert queue.options["xAxis"]["data"][-1] == f"{runs.min():%H:%M}"


@pytest.mark.parametrize("place", [0, 1])
def test_bands_lie_upon_each_other_as_the_study_has_them(study, place):
    queue = days(study, range(6))[0]
    series = queue.options["series"][5 * place : 5 * place + 5]
    at = len(queue.options["xAxis"]["data"])
    outer, inner = (
        study.bands("queue", share).loc[study.labels[place]][:at] for share in (0.9, 0.5)
    )
    low, width, inner_low, inner_width = (np.array(one["data"]) for one in series[:4])
    assert (low == outer["low"]).all()
    assert (low + width == outer["high"]).all()
    assert (inner_low + inner_width == inner["high"]).all()
    assert [point["value"] for point in series[4]["data"]] == inner["median"].tolist()
    assert series[4]["lineStyle"]["type"] == ("dashed", "solid")[place]


def test_a_quantity_of_few_replications_is_left_out(study):
    lag = days(study, range(6))[2]
    bands = study.bands("status_lag_p90_s").loc[study.labels[0]]
    shown = [point["value"] is not None for point in lag.options["series"][4]["data"]]
    assert shown == (bands["replications"] >= 3).tolist()[: len(shown)]
    assert not all(shown)
    assert any(shown)


def test_each_chart_is_told_in_words_and_as_a_table(study):
    found = days(study, range(6))
    assert [day.title for day in found] == [quantity.title for quantity in QUANTITIES]
    for day in found:
        assert day.alt.startswith(f"{day.title}, minute by minute, over 6 replications. ")
        assert all(f"{name}: highest at 09:" in day.alt for name in study.labels)
        assert day.columns == ["time", *(f"{name} (6 replications)" for name in study.labels)]
        assert all(len(row) == 3 for row in day.rows)
