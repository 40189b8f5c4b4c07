"""Start times of a campaign: paired, on one tape, each run until its campaign is over."""

from __future__ import annotations

import asyncio
import json
import math
from collections import Counter
from functools import cache

import matplotlib
import numpy as np
import pytest

import outsim
from outsim import plots
from outsim.errors import StudyError
from outsim.plan import building
from outsim.questions.schedule import SCHEDULE_MEASURES, Schedule
from outsim.scenario import Scenario, load
from outsim.studies.run_array import RunArray
from outsim.studies.runs import RunMeasures
from outsim.studies.study_result import StudyResult
from outsim.tape import Tape, drawing

NAMES = [each.name for each in SCHEDULE_MEASURES]

MORNING = {
    "name": "morning",
    "clock": {
        "zone": "America/New_York",
        "date": "2026-03-10",
        "begins": "08:30",
        "ends": "09:30",
    },
    "platform": {"ports": 20, "dial_rate": "2/s"},
    "background": {"campaigns_per_hour": 3, "median_size": 60},
    "endpoint": [{"name": "customer"}],
    "campaign": [
        {
            "name": "offer",
            "tenant": "retailer",
            "start": "09:00",
            "contacts": 120,
            "max_retry": 1,
            "retry_interval": "5 min",
            "result_url": "customer",
        },
        {"name": "notices", "tenant": "utility", "start": "08:40", "contacts": 60},
    ],
    "study": {"campaign": "offer", "deadline": "09:20"},
}


def scenario(**campaign: object) -> Scenario:
    """The morning, with other keys for the campaign under study."""
    offer, notices = MORNING["campaign"]
    return load(MORNING | {"campaign": [offer | campaign, notices]})


def scheduled(given: Scenario | None = None, **options) -> Schedule:
    """Starts at 09:00, 09:10, 09:20, in this process."""
    usual = {"every": "10min", "between": ("09:00", "09:20"), "replications": 3, "progress": None}
    return outsim.schedule(given or scenario(), **usual | {"executor": "threads"} | options).run()


def made_up(*rows: dict[str, list[float]]) -> Schedule:
    """Starts ten minutes apart from 09:00 on whose figures are these; others are 0."""
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
    return Schedule(StudyResult(starting(len(rows)), 1, RunArray.of(figures), SCHEDULE_MEASURES))


@cache
def starting(count: int) -> tuple[Scenario, ...]:
    """The morning with so many starts."""
    last = f"09:{10 * (count - 1):02d}"
    return outsim.schedule(scenario(), every="10min", between=("09:00", last)).study.scenarios


# What is run


@pytest.mark.parametrize("engine", ["simpy", "compiled"])
def test_each_start_has_the_figures_of_a_run_by_itself(engine):
    found = scheduled(engine=engine, seed=3)
    for place, start in enumerate(("09:00", "09:10", "09:20")):
        for replication in range(3):
            alone = outsim.simulate(scenario(start=start), seed=3, replication=replication)
            figures = alone.measures()
            assert [found.findings.values(place, name)[replication] for name in NAMES] == [
                figures[name] for name in NAMES
            ]


@pytest.mark.parametrize("engine", ["simpy", "compiled"])
def test_a_tape_is_drawn_once_for_all_starts(monkeypatch, engine):
    """Nothing is drawn twice in a replication, and others' campaigns are drawn once as well."""
    drawn: Counter[tuple[object, ...]] = Counter()

    def counting(module, name):
        original = getattr(module, name)

        def counted(*arguments):
            drawn[name, *map(repr, arguments)] += 1
            return original(*arguments)

        return counted

    backgrounds: Counter[int] = Counter()
    original = building.background_campaigns

    def counted_background(scenario, tape: Tape, until_us: int):
        backgrounds[tape.replication] += tape._memory is not None
        return original(scenario, tape, until_us)

    import outsim.tape as tapes

    for name in ("draw_attempts", "draw_contacts", "draw_updates", "draw_posts"):
        monkeypatch.setattr(tapes, name, counting(drawing, name))
    monkeypatch.setattr(building, "background_campaigns", counted_background)
    scheduled(engine=engine)
    assert drawn
    assert set(drawn.values()) == {1}
    assert backgrounds == {0: 1, 1: 1, 2: 1}


def test_what_the_starts_have_in_common_is_run_once(monkeypatch):
    """Each start but the last one branches from one run, where it parts from the last one."""
    from outsim.engine.compiled.run import Run

    runs, branched = [], []
    build, branch = Run.__init__, Run.branch

    def built(self, plan, *arguments):
        runs.append(plan)
        build(self, plan, *arguments)

    def branching(self, plan):
        branched.append(self.reached_us)
        return branch(self, plan)

    monkeypatch.setattr(Run, "__init__", built)
    monkeypatch.setattr(Run, "branch", branching)
    scheduled(engine="compiled", replications=1)
    assert len(runs) == 1
    starts_us = [
        scenario(start=at).instant_us(scenario(start=at).campaign[0].start)
        for at in ("09:00", "09:10")
    ]
    jitter_us = scenario().platform.start_jitter or 0
    assert len(branched) == 2
    for start_us, parted_us in zip(starts_us, branched, strict=True):
        assert start_us <= parted_us <= start_us + jitter_us


def test_every_start_is_run_until_its_campaign_is_over():
    """The clock ends the run at 09:30; the last start is not over by then."""
    found = scheduled()
    values = found.findings.values(2, "finish_time_s")
    assert (values > scenario().instant_us(scenario().clock.ends) / 1e6).all()
    assert found.mean(found.starts[2], "finish_time_s").n_missing == 0


def test_starts_are_paired_across_a_change_to_summer_time():
    """At 02:00 clocks are put forward: the start after 01:45 is at 03:00."""
    night = MORNING | {
        "clock": {
            "zone": "America/New_York",
            "date": "2026-03-08",
            "begins": "01:00",
            "ends": "04:00",
        },
        "campaign": [{"name": "offer", "tenant": "t", "start": "01:30", "contacts": 2}],
        "study": {"campaign": "offer"},
    }
    study = outsim.schedule(load(night), every="15min", between=("01:30", "03:15"))
    labels = [f"{s.campaign_under_study.start:%H:%M}" for s in study.study.scenarios]
    assert labels == ["01:30", "01:45", "03:00", "03:15"]


# Which starts, and of which campaign


def test_the_scenarios_own_start_is_the_one_that_others_are_held_against():
    found = scheduled(scenario(start="09:10"), replications=2)
    assert found.label(found.base) == "09:10"
    assert [found.label(start) for start in found.starts] == ["09:00", "09:10", "09:20"]
    assert found.difference(found.base, "finish_time_s").mean == 0


def test_without_it_that_is_the_earliest_start():
    assert f"{scheduled(scenario(start='08:59'), replications=2).base:%H:%M}" == "09:00"


def test_the_usual_starts_are_the_quarters_of_the_hour_from_the_full_one_on():
    study = outsim.schedule(scenario(start="09:15")).study
    starts = sorted(f"{s.campaign_under_study.start:%H:%M}" for s in study.scenarios)
    assert starts == ["09:00", "09:15", "09:30", "09:45", "10:00"]


def test_no_usual_start_is_before_the_run_begins():
    study = outsim.schedule(scenario(start="08:40"), every="10min").study
    starts = sorted(f"{s.campaign_under_study.start:%H:%M}" for s in study.scenarios)
    assert starts == ["08:30", "08:40", "08:50", "09:00"]


def test_any_campaign_can_be_asked_about():
    found = scheduled(campaign="utility/notices", replications=2)
    assert found.campaign.name == "notices"
    assert [s.campaign_under_study.name for s in found.findings.scenarios] == ["notices"] * 3
    offers = {s.find_campaign("offer").start for s in found.findings.scenarios}
    assert offers == {scenario().campaign[0].start}, "others start when they did"
    assert {s.deadline for s in found.findings.scenarios} == {scenario().deadline}


def test_stop_expiry_and_submission_keep_their_clock_times():
    given = scenario(submitted_at="08:50", stop_at="09:25", expires_at="09:29")
    for each in scheduled(given, replications=2).findings.scenarios:
        campaign = each.campaign_under_study
        assert [f"{at:%H:%M}" for at in (campaign.submitted_at, campaign.stop_at)] == [
            *("08:50", "09:25")
        ]
        assert f"{campaign.expires_at:%H:%M}" == "09:29"


@pytest.mark.parametrize(
    ("campaign", "options", "message"),
    [
        ({"stop_at": "09:20"}, {}, r"start 09:20:00: .*can't start when it is stopped already"),
        ({"stop_at": "09:05"}, {}, r"start 09:10:00: .*at 09:05:00 \(stop_at, which keeps"),
        ({"expires_at": "09:15"}, {}, "start 09:20:00: .*when it has expired already"),
        ({"submitted_at": "09:00"}, {"between": ("08:50", "09:20")}, "before it is handed in"),
        ({}, {"between": ("08:00", "09:00")}, "start 2026-03-10 08:00:00: the run begins at"),
        ({}, {"between": ("09:00", "09:05")}, "latest start must be later than the first by 10"),
        ({}, {"between": ("9 am", "09:05")}, "between: found '9 am'; write a local clock"),
        ({}, {"every": "often"}, "every: found 'often'; write a number and a unit"),
        ({}, {"every": "100 ms"}, "every '100 ms': must be 1 s or more"),
        ({}, {"every": "1 s"}, "that makes 1,201 starts; at most 100 are allowed"),
        (
            {},
            {"campaign": "ofer"},
            "campaign 'ofer': there is no such campaign in scenario 'morning'; did you mean ",
        ),
        ({"contacts": None, "requests": {"rate": "1/s"}}, {}, "only a list has a start"),
    ],
)
def test_a_start_that_makes_no_sense_is_refused(campaign, options, message):
    given = {key: value for key, value in campaign.items() if value is not None}
    offer, notices = MORNING["campaign"]
    kept = {key: value for key, value in offer.items() if campaign.get(key, 1) is not None}
    changed = load(MORNING | {"campaign": [kept | given, notices]})
    with pytest.raises(StudyError, match=message):
        scheduled(changed, **options)


def test_a_schedule_can_be_awaited_and_streamed():
    async def in_a_notebook() -> tuple[list[int], Schedule, Schedule]:
        study = outsim.schedule(
            scenario(), between=("09:00", "09:15"), replications=3, progress=None
        )
        indexes = [replication.index async for replication in study]
        return sorted(indexes), study.answer, await study

    indexes, so_far, whole = asyncio.run(in_a_notebook())
    assert indexes == [0, 1, 2]
    assert so_far.to_dict() == whole.to_dict()


# What it says

BETTER = {"completed_share": [0.1, 0.11, 0.12], "duration_s": [-60.0, -61.0, -62.0]}
WORSE = {"completed_share": [-0.1, -0.11, -0.12], "duration_s": [-60.0, -61.0, -62.0]}
SAME = {"completed_share": [0.0, 0.0, 0.0], "duration_s": [0.0, 0.0, 0.0]}


def test_a_best_start_is_named_where_it_is_clearly_better_than_all_others():
    found = made_up(SAME, BETTER, WORSE)
    assert found.ranking("completed_share").best == found.starts[1]
    ranking = found.ranking("duration_s")
    assert ranking.best is None
    assert ranking.candidates == found.starts[1:]


def test_no_start_is_best_where_all_are_the_same():
    ranking = made_up(SAME, SAME, SAME).ranking("completed_share")
    assert (ranking.best, ranking.any_clear) == (None, False)
    assert len(ranking.candidates) == 3


def test_no_best_start_is_named_by_a_figure_that_runs_were_too_short_for():
    late = {"finish_time_s": [60.0, 61.0, math.nan, 62.0]}
    ranking = made_up({"finish_time_s": [0.0, 1.0, 2.0, 3.0]}, late).ranking("finish_time_s")
    assert ranking.incomplete
    assert ranking.best is None


def test_figures_conflict_where_they_order_two_starts_differently():
    agree, differ = made_up(SAME, BETTER), made_up(SAME, WORSE)
    assert agree.conflicts == []
    (conflict,) = differ.conflicts
    assert (conflict.start, conflict.other) == differ.starts
    assert [each.name for each in conflict.by] == ["completed_share"]
    assert [each.name for each in conflict.other_by] == ["duration_s"]


def test_two_figures_that_conflict_are_named_by_the_starts_furthest_apart():
    halfway = {name: [value / 2 for value in values] for name, values in WORSE.items()}
    found = made_up(SAME, halfway, WORSE)
    (conflict,) = found.conflicts
    assert (conflict.start, conflict.other) == (found.starts[0], found.starts[2])


def test_the_true_best_start_is_among_the_candidates():
    """It is missed by 5 % of studies at most, or 8.3 % of 400: three standard errors more.

    One of six starts is better than the others by half a standard deviation.
    """
    rng = np.random.default_rng(5)
    missed = named = 0
    for _ in range(400):
        values = rng.normal(size=(6, 10)) + rng.normal(size=10)
        values[4] += 0.5
        found = made_up(*({"completed_share": row.tolist()} for row in values))
        ranking = found.ranking("completed_share")
        missed += found.starts[4] not in ranking.candidates
        named += ranking.best is not None and ranking.best != found.starts[4]
    assert missed <= 400 * 0.083
    assert named <= missed


def test_differences_are_wider_the_more_starts_there_are():
    few, many = made_up(SAME, BETTER), made_up(SAME, BETTER, WORSE, SAME, SAME)
    widths = [
        found.difference(found.starts[1], "completed_share").half_width for found in (few, many)
    ]
    assert widths[1] > widths[0]


def test_the_table_has_a_row_for_each_start_and_figure():
    found = scheduled()
    table = found.table().set_index(["start", "measure"])
    assert len(table) == 3 * len(NAMES)
    row = table.loc[(found.starts[1], "status_lag_p90_s")]
    assert row["mean"] == found.mean(found.starts[1], "status_lag_p90_s").mean
    assert row["difference"] == found.difference(found.starts[1], "status_lag_p90_s").mean


def test_the_json_document_names_starts_and_what_is_best():
    found = made_up(SAME, WORSE)
    document = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert document["base"] == document["starts"][0]
    assert document["best"]["completed_share"]["best"] == document["starts"][0]
    assert document["conflicts"] == [
        {"starts": document["starts"], "better_by": [["completed_share"], ["duration_s"]]}
    ]


def test_it_shows_itself():
    found = made_up(SAME, WORSE)
    assert repr(found) == f"Schedule: {found.document().answer}"
    assert ">start</th>" in found._repr_html_()


# The picture


def test_the_picture_has_a_panel_for_each_figure_with_every_start():
    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    found = made_up(SAME, BETTER, WORSE)
    axes = plots.schedule(found)
    assert [axis.get_title() for axis in axes] == [*map(found.findings.label, SCHEDULE_MEASURES)]
    shares = dict(zip(NAMES, axes, strict=True))["completed_share"]
    line = shares.get_lines()[0]
    assert line.get_ydata() == pytest.approx([0, 11, -11])
    assert [label.get_text() for label in shares.get_xticklabels()] == ["09:00", "09:10", "09:20"]
    assert all(
        again is axis for again, axis in zip(plots.schedule(found, axes), axes, strict=True)
    )
    with pytest.raises(StudyError, match="2 axes: this picture takes 5"):
        plots.schedule(found, axes[:2])
    plt.close("all")
