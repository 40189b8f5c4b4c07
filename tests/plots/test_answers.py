"""Pictures of answers: they are drawn where they are told to, with every interval."""

from __future__ import annotations

from typing import Any

import pytest
from matplotlib import pyplot

import outsim
from outsim.errors import StudyError
from tests.engine.scenarios import campaign, scenario
from tests.studies.scenarios import chancy

QUICK: dict[str, Any] = {"engine": "simpy", "executor": "threads", "progress": None}


@pytest.fixture(scope="module")
def schedule() -> Any:
    offer = scenario(campaign("offer", contacts=20), platform={"ports": 3}, name="offers")
    between = ("09:00", "09:20")
    return outsim.schedule(offer, every="10min", between=between, replications=3, **QUICK).run()


@pytest.fixture(scope="module")
def race() -> Any:
    offer = scenario(campaign("offer", contacts=30, pacing="60/min"), name="offers")
    return outsim.stop(offer, after=["0s", "10s", "40s"], replications=2, **QUICK).run()


@pytest.fixture(scope="module")
def compared() -> Any:
    pair = [chancy(), chancy("other", max_retry=0)]
    return outsim.compare(*pair, replications=3, **QUICK).run()


def test_each_start_has_its_mean_and_its_interval(schedule, ax):
    assert outsim.plots.start_sweep(schedule, "duration_s", ax=ax) is ax
    ((line, _, (segments,)),) = ax.containers
    for start, mean, ends in zip(
        schedule.starts, line.get_ydata(), segments.get_segments(), strict=True
    ):
        expected = schedule.mean(start, "duration_s")
        assert mean == pytest.approx(expected.mean)
        if expected.rare is None:
            assert ends[:, 1] == pytest.approx([expected.low, expected.high])
        else:
            assert len(ends) == 0, "a mark alone, where there is no interval"
    assert ax.get_ylabel() == "duration (s)"
    assert ax.get_xlabel() == "start, local time, UTC"


def test_a_figure_that_a_schedule_does_not_have_is_refused(schedule):
    with pytest.raises(
        StudyError, match="measure 'duration': there is no such measure; did you mean 'duration_s'"
    ):
        outsim.plots.start_sweep(schedule, "duration")


def test_the_race_has_a_picture_of_dials_and_one_of_savings(race):
    _, (left, right) = pyplot.subplots(1, 2)
    assert outsim.plots.dials_after_stop(race, ax=left) is left
    assert outsim.plots.saved_by_stop(race, ax=right) is right
    saved = [race.saved_share(each).mean * 100 for each in race.after_us]
    shown = right.containers[0][0]
    assert list(shown.get_ydata()) == pytest.approx(saved[: len(shown.get_ydata())])
    assert right.get_ylabel() == "dials, retries included (%)"
    assert right.get_xlabel() == "from the start to the stop (s)"
    assert len(pyplot.get_fignums()) == 1


def test_without_axes_each_makes_one_figure(schedule, race, compared):
    for draw in (
        lambda: outsim.plots.start_sweep(schedule),
        lambda: outsim.plots.dials_after_stop(race),
        lambda: outsim.plots.saved_by_stop(race),
        lambda: outsim.plots.compare(compared, "duration_s"),
    ):
        before = len(pyplot.get_fignums())
        ax = draw()
        assert len(pyplot.get_fignums()) == before + 1
        assert ax.figure.axes == [ax]
