"""Pictures of single runs show what the tables hold, in local time and with units."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from matplotlib import dates, pyplot

import outsim
from outsim.plots import load
from outsim.results.result import Result
from tests.engine.scenarios import campaign, recorded, run
from tests.results.runs import EMPTY, full

DRAWN: dict[str, Callable[..., Any]] = {
    name: getattr(outsim.plots, name)
    for name in (
        "queue",
        "ports",
        "outcome_mix",
        "waits",
        "wait_causes",
        "truth_and_seen",
        "status_lag",
    )
}
each_picture = pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN)


def shared(tenants: int = 3, calls: int = 6, **parts: Any) -> Result:
    """Tenants with a campaign each, on two ports and one worker."""
    several = [
        campaign(f"list {k}", f"t{k}", contacts=calls, start=10 * k) for k in range(tenants)
    ]
    return run(*several, platform={"ports": 2, "workers": 1}, **parts)


def sums(ax: Any) -> tuple[np.ndarray, np.ndarray]:
    """The line over areas that stand upon each other, as instants since 1970 and heights."""
    line = next(line for line in ax.lines if len(line.get_xdata()) > 2)
    return np.round(np.asarray(line.get_xdata()) * 86_400e6), np.asarray(line.get_ydata())


def texts(ax: Any) -> list[str]:
    """Labels of the legend."""
    return [text.get_text() for text in ax.get_legend().get_texts()]


def labels(ax: Any) -> list[str]:
    """Labels of the axis of time, as they are drawn."""
    ax.figure.canvas.draw()
    return [label.get_text() for label in ax.get_xticklabels()]


# All of them


@each_picture
def test_it_draws_on_the_axes_that_it_is_given_and_makes_no_figure(draw, ax):
    before = pyplot.get_fignums()
    assert draw(shared(), ax=ax) is ax
    assert pyplot.get_fignums() == before


@each_picture
def test_without_axes_it_makes_one_figure_of_its_own(draw):
    ax = draw(shared())
    assert pyplot.get_fignums() == [ax.figure.number]


@each_picture
def test_axes_have_units(draw, ax):
    draw(shared(), ax=ax)
    assert ax.get_xlabel()
    assert ax.get_ylabel()
    assert "local time, UTC" in ax.get_xlabel().replace("\n", " ") or "(s)" in ax.get_xlabel()


@each_picture
@pytest.mark.parametrize("make", EMPTY, ids=lambda make: make.__name__)
def test_where_there_is_nothing_to_draw_it_says_so(draw, make, ax):
    draw(make(), ax=ax)
    (text,) = ax.texts
    assert text.get_text().startswith(("no ", "nobody"))
    ax.figure.canvas.draw()


@each_picture
@pytest.mark.parametrize("width", [3, 7])
def test_fifty_tenants_over_three_days_are_drawn_in_any_width(draw, width):
    result = run(
        *(campaign(f"list {k}", f"t{k}", start=5_000 * k) for k in range(50)),
        clock={"ends": "2026-03-12 12:00", "latest": "2026-03-13 09:00"},
    )
    _, ax = pyplot.subplots(figsize=(width, 3), layout="constrained")
    draw(result, ax=ax)
    ax.figure.canvas.draw()
    if ax.get_legend() is not None:
        assert len(texts(ax)) <= 8


@each_picture
def test_a_run_cut_off_in_the_middle_is_drawn(draw, ax):
    draw(full(), ax=ax)
    ax.figure.canvas.draw()


# Clock times


def test_times_are_those_of_the_scenarios_zone():
    result = shared(clock={"zone": "America/New_York", "begins": "09:00", "ends": "10:00"})
    ax = outsim.plots.queue(result)
    assert {"09:00", "09:30", "10:00"} <= set(labels(ax))
    assert ax.get_xlabel() == "Tue 10 Mar 2026, local time, America/New_York"


def test_across_a_change_to_summer_time_the_hour_that_is_not_there_is_not_shown():
    zone = {"zone": "Europe/Berlin", "date": "2026-03-29", "begins": "00:00", "ends": "06:00"}
    ax = outsim.plots.queue(run(campaign(start="01:00"), clock=zone))
    shown = labels(ax)
    assert "02:00" not in shown
    assert {"01:00", "03:00", "04:00"} <= set(shown)
    assert dates.num2date(ax.get_xlim()[1], tz=ZoneInfo("Europe/Berlin")).hour == 6


def rows_of(ax):
    """What the rows of a picture are called, and from and to which local times they go."""
    found = {}
    for row in ax.child_axes:
        zone = row.xaxis.get_major_locator().tz
        ends = (dates.num2date(place, tz=zone) for place in row.get_xlim())
        found[row.texts[0].get_text()] = [f"{end:%d %H:%M}" for end in ends]
    return found


DAYS = {"ends": "2026-03-12 12:00", "latest": "2026-03-12 12:00"}


@pytest.mark.parametrize(
    "name", ["queue", "ports", "truth_and_seen", "status_lag", "wait_causes", "outcome_mix"]
)
def test_over_several_days_each_has_a_row_of_its_own(name):
    lists = (campaign(), campaign("last", start=100_000), campaign("next", start=170_000))
    result = run(*lists, clock=DAYS)
    named = {"campaign": "last"} if name == "truth_and_seen" else {}
    if name == "outcome_mix":
        repeated = campaign(requests={"times_s": [0.0, 100_000.0, 170_000.0]})
        result = run(repeated, clock=DAYS)
    ax = DRAWN[name](result, **named)
    assert ax.get_xlabel() == "Tue 10 Mar 2026 to Thu 12 Mar 2026, local time, UTC"
    assert rows_of(ax) == {
        "Tue 10 Mar": ["10 00:00", "11 00:00"],
        "Wed 11 Mar": ["11 00:00", "12 00:00"],
        "Thu 12 Mar": ["12 00:00", "13 00:00"],
    }
    heights = {row.get_ylim() for row in ax.child_axes}
    assert len(heights) == 1


def test_a_day_on_which_the_clock_is_put_forward_keeps_its_hours_below_the_others():
    clock = {"zone": "America/New_York", "date": date(2026, 3, 7)}
    ends = {"ends": "2026-03-09 12:00", "latest": "2026-03-09 12:00"}
    ax = outsim.plots.queue(run(campaign(), clock=clock | ends))
    assert [*rows_of(ax).values()] == [
        ["07 00:00", "08 00:00"],
        ["07 23:00", "09 00:00"],
        ["09 00:00", "10 00:00"],
    ]


def test_each_day_shows_its_own_part_of_the_areas():
    result = run(campaign(), campaign("last", start=100_000, contacts=5), clock=DAYS)
    ax = outsim.plots.ports(result)
    lines = [row.lines[0] for row in ax.child_axes]
    assert [max(line.get_ydata()) for line in lines] == [1, 5, 0]
    tuesday, wednesday, _ = ([*line.get_xdata()] for line in lines)
    assert max(tuesday) == min(wednesday)


def test_campaigns_that_come_again_are_marked_in_each_row():
    daily = campaign(repeats=["tue", "thu"])
    ax = outsim.plots.queue(run(daily, clock=DAYS))
    marked = ["start of list" in [text.get_text() for text in row.texts] for row in ax.child_axes]
    assert marked == [True, False, True]


# Queue and ports


@pytest.mark.parametrize("name", ["queue", "ports"])
def test_the_areas_add_up_to_the_timeline_at_every_instant(name, ax):
    result = shared()
    DRAWN[name](result, ax=ax, most=2)
    at, heights = sums(ax)
    column = result.timeline(every=None)["queue" if name == "queue" else "busy_ports"]
    expected = np.concatenate([[0], column.to_numpy()])[
        np.searchsorted(column.index.asi8, at, side="right")
    ]
    assert heights.tolist() == expected.tolist()
    assert set(column[column.diff() != 0].index.asi8) <= set(at)
    assert texts(ax)[:2] == ["t0", "2 others"]


def test_a_picture_of_many_calls_has_few_points_and_the_same_extremes(monkeypatch, ax):
    monkeypatch.setattr(load, "PIECES", 10)
    result = shared(calls=300)
    outsim.plots.queue(result, ax=ax)
    at, heights = sums(ax)
    exact = result.timeline(every=None)["queue"]
    assert len(at) < len(exact) / 3
    assert heights.max() == exact.max()


def test_the_ports_that_there_are_have_a_line(ax):
    outsim.plots.ports(shared(), ax=ax)
    (line,) = [line for line in ax.lines if line.get_label() == "2 ports"]
    assert list(line.get_ydata()) == [2, 2]


def test_the_start_of_the_campaign_under_study_is_marked(ax):
    outsim.plots.queue(shared(study={"campaign": "list 2"}), ax=ax)
    (text,) = ax.texts
    assert text.get_text() == "start of list 2"
    at = dates.num2date(text.xy[0], tz=UTC)
    assert abs(at - datetime(2026, 3, 10, 9, 0, 20, tzinfo=UTC)) < timedelta(milliseconds=1)


def test_over_replications_the_band_holds_every_run(ax):
    results = [shared(calls=calls) for calls in (2, 4, 9)]
    assert outsim.plots.load_over_replications(results, ax=ax) is ax
    minutes = [result.timeline("1min")["queue"] for result in results]
    median = np.asarray(ax.lines[0].get_ydata())
    for place in range(min(map(len, minutes))):
        assert median[place] == sorted(each.iloc[place] for each in minutes)[1]
    assert texts(ax) == ["lowest to highest", "median of 3 runs"]


def test_over_replications_the_band_of_status_lag_has_gaps_where_nothing_happened(ax):
    results = [shared(calls=calls) for calls in (2, 4, 9)]
    outsim.plots.load_over_replications(results, "status_lag", ax=ax)
    median = np.asarray(ax.lines[0].get_ydata())
    lags = [result.timeline("1min")["status_lag_p90_s"] for result in results]
    assert median[0] == sorted(lag.iloc[0] for lag in lags)[1]
    assert np.isnan(median).any() or all(lag.notna().all() for lag in lags)


# Outcomes


def test_each_hour_has_the_shares_of_its_outcomes(ax):
    result = run(
        campaign(requests={"times_s": [0.0, 1.0, 2.0, 3700.0]}),
        tape=recorded(list=["human", "busy", "human", "voicemail"]),
    )
    outsim.plots.outcome_mix(result, ax=ax)
    shares = {bars.get_label(): [bar.get_height() for bar in bars] for bars in ax.containers}
    assert shares == {
        "human": pytest.approx([200 / 3, 0]),
        "voicemail": pytest.approx([0, 100]),
        "busy": pytest.approx([100 / 3, 0]),
    }
    assert [text.get_text() for text in ax.texts] == ["3", "1"]


# Waits


def test_a_line_of_waits_is_their_distribution(ax):
    result = shared(tenants=1, calls=40)
    outsim.plots.waits(result, ax=ax)
    line = ax.lines[0]
    x, y = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
    waits_min = np.sort(result.calls["wait_s"].to_numpy()) / 60
    assert ax.get_xlabel().endswith("(min)")
    for place, share in dict(zip(x, y, strict=True)).items():
        assert share == pytest.approx(100 * (waits_min <= place + 1e-12).mean())
    assert line.get_drawstyle() == "steps-post"


def test_calls_that_are_never_dispatched_keep_the_line_below_everybody(ax):
    result = run(campaign(contacts=4, expires_at=30), platform={"ports": 1})
    outsim.plots.waits(result, ax=ax)
    assert (result.calls["wait_state"] == "never").sum() == 2
    assert max(ax.lines[0].get_ydata()) == 50
    assert texts(ax) == ["list (50.0 % never)"]


def test_several_campaigns_differ_in_more_than_colour(ax):
    outsim.plots.waits(shared(), ax=ax)
    assert texts(ax) == ["list 0", "list 1", "list 2"]
    assert len({str(line._dash_pattern) for line in ax.lines}) == 3


# Causes of waits


def test_a_bar_of_causes_is_as_high_as_the_mean_wait_of_its_calls(ax):
    result = shared(tenants=1, calls=40)
    outsim.plots.wait_causes(result, ax=ax)
    assert ax.get_ylabel() == "mean wait (s)"
    (height,) = [sum(bar.get_height() for bars in ax.containers for bar in bars)]
    assert height == pytest.approx(result.calls["wait_s"].mean())
    assert any(text.startswith("no free port 9") for text in texts(ax))


def test_each_slot_has_the_causes_of_those_who_came_in_it(ax):
    result = shared(tenants=3, calls=20)
    outsim.plots.wait_causes(result, ax=ax, every="10s", by_resource=False)
    found = result.causes_over_time("10s", by_resource=False)
    (ahead,) = [bars for bars in ax.containers if bars.get_label().startswith("calls ahead")]
    unit_s = {"s": 1, "min": 60}[ax.get_ylabel().split("(")[1].rstrip(")")]
    assert [bar.get_height() * unit_s for bar in ahead] == pytest.approx(
        found["calls_ahead"].dt.total_seconds().tolist()
    )
    starts = [bar.get_x() * 86_400e6 for bar in ahead]
    assert np.round(starts).tolist() == found.index.asi8.tolist()


# Truth and page


def test_what_is_true_and_what_is_seen_are_lines_of_their_own(ax):
    result = shared(tenants=1, calls=30)
    outsim.plots.truth_and_seen(result, ax=ax, at=result.start + timedelta(minutes=1))
    truth, seen = ax.lines[:2]
    assert (truth.get_label(), truth.get_linestyle(), seen.get_linestyle()) == (
        "completed",
        "-",
        "--",
    )
    for line, name in ((truth, "happened_at"), (seen, "visible_at")):
        ends = np.sort(result.updates.query("status == 'completed'")[name].astype("int64"))
        at = np.round(np.asarray(line.get_xdata()) * 86_400e6)
        assert line.get_ydata().tolist() == np.searchsorted(ends, at, side="right").tolist()
    assert {"truth", "customer sees", "pending"} <= set(texts(ax))
    assert ax.texts[0].get_text() == "09:01"


def test_another_campaign_can_be_asked_for(ax):
    result = shared()
    outsim.plots.truth_and_seen(result, ax=ax, campaign=result.scenario.campaigns[2])
    assert ax.get_title() == "list 2: truth and page"
    assert ax.lines[0].get_ydata()[-1] == 6


# Status lag


def test_the_lag_is_that_of_the_updates_of_each_interval(ax):
    result = shared(tenants=1, calls=200)
    outsim.plots.status_lag(result, ax=ax, every="10s")
    line = next(line for line in ax.lines if line.get_label() == "p90")
    updates = result.updates[result.updates["visible_at"] != result.updates["happened_at"]]
    lags_s = (updates["visible_at"] - updates["happened_at"]).dt.total_seconds()
    place = (updates["happened_at"] - result.start) // pd.Timedelta("10s")
    unit_s = {"s": 1, "min": 60}[ax.get_ylabel().split("(")[1].rstrip(")")]
    exact = lags_s.groupby(place).apply(lambda lags: np.quantile(lags, 0.9, method="inverted_cdf"))
    drawn = np.asarray(line.get_ydata())
    assert drawn[exact.index] == pytest.approx(exact.to_numpy() / unit_s)
    assert np.isnan(np.delete(drawn, exact.index)).all()


def test_the_dial_load_stands_on_an_axis_of_its_own(ax):
    result = shared()
    outsim.plots.status_lag(result, ax=ax)
    (below,) = [each for each in ax.figure.axes if each is not ax]
    most = result.timeline("1min")["dialed"].max() / 60
    assert [label.get_text() for label in below.get_yticklabels()] == ["0", f"{most:.3g}/s"]
    assert below.get_yticks()[1] == pytest.approx(most)
    assert "dials, all tenants" in texts(ax)
