"""Forecasts as people get them in Python: a table, a picture."""

from __future__ import annotations

import matplotlib as mpl
import matplotlib.dates
import numpy as np
import pandas as pd
import pytest

import outsim
from outsim import plots
from outsim.errors import ScenarioError, StudyError
from tests.studies.scenarios import chancy

mpl.use("agg")


@pytest.fixture(scope="module")
def forecast() -> outsim.Forecast:
    return outsim.eta(chancy(), replications=9, engine="simpy", executor="threads").run()


def test_it_says_when_calls_go_out_in_their_order(forecast):
    table = forecast.table()
    medians = table["median"].tolist()
    assert medians == sorted(medians)
    assert (table["low"] <= table["median"]).all()
    assert (table["median"] <= table["high"]).all()
    assert (table["never"] == 0).all()


def test_the_first_call_goes_out_as_the_runs_have_it(forecast):
    scenario = chancy()
    firsts = [
        outsim.simulate(scenario, replication=k).attempts["dispatched_at"].min() for k in range(9)
    ]
    middle = pd.Series(firsts).sort_values().iloc[4]
    assert forecast.table().iloc[0]["median"] == middle


def test_the_picture_has_a_mark_and_a_band_for_each_figure(forecast):
    ax = plots.eta(forecast)
    marks = np.concatenate([line.get_xdata() for line in ax.lines if len(line.get_xdata()) == 1])
    expected = [matplotlib.dates.date2num(at) for at in forecast.table()["median"]]
    assert set(np.round(expected, 6)) <= set(np.round(marks.astype(float), 6))
    assert [label.get_text() for label in ax.get_yticklabels()] == list(forecast.table().index)
    mpl.pyplot.close(ax.figure)


def test_what_the_runs_do_not_come_to_has_its_place_and_no_mark():
    late = chancy(pacing="1/min", contacts=3_000)
    found = outsim.eta(
        late, replications=3, engine="simpy", executor="threads", progress=None
    ).run()
    never = found.table()["never"].tolist()
    assert never[-1] == 1
    ax = plots.eta(found)
    assert len(ax.get_yticklabels()) == 5
    assert len(ax.containers) == never.count(0)
    mpl.pyplot.close(ax.figure)


def test_a_campaign_that_is_not_there_is_named():
    with pytest.raises(
        StudyError, match="campaign 'nobody': there is no such campaign in scenario "
    ):
        outsim.eta(chancy(), "nobody")


def test_a_snapshot_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ScenarioError, match=r"none\.json: no such file"):
        outsim.eta(chancy(), snapshot=tmp_path / "none.json")
