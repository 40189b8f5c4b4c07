"""What a stop still saves, by when it comes: against what can be worked out by hand."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from itertools import pairwise

import matplotlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import outsim
from outsim import plots
from outsim.clock import SECOND, after
from outsim.errors import StudyError
from outsim.questions.stop import StopRace
from outsim.results.measures import STOP_MEASURES
from outsim.scenario import Scenario
from tests.engine import scenarios

BUSY = {"busy": {"human": 0, "voicemail": 0, "no_answer": 0, "busy": 100}}


def offer(platform: dict[str, object] | None = None, **campaign: object) -> Scenario:
    """Ten calls from the start of the run on."""
    keys = {"contacts": 10} | campaign
    return scenarios.scenario(
        scenarios.campaign("offer", **keys), platform=platform or {}, profiles=BUSY
    )


def raced(given: Scenario, *after_s: float, **options) -> StopRace:
    """Stops so many seconds after the start; nothing is drawn, so two replications are alike."""
    times = [f"{each} s" for each in after_s] if after_s else None
    usual = {"replications": 2, "progress": None, "engine": "compiled", "executor": "threads"}
    return outsim.stop(given, after=times, **usual | options).run()


def told(race: StopRace) -> list[tuple[float, ...]]:
    """(seconds to the stop, dials before its effect, after it, calls never dialed) of each."""
    table = race.table()[["dialed_before_effect", "dialed_after_effect", "calls_never_dialed"]]
    return [tuple(row) for row in table.itertuples()]


# Worked out by hand. A stop takes effect after 2 s.

ONE_A_SECOND = [
    # A stop at d seconds lets in the calls of 0, 1 ... d+1 s, of which two come after it.
    (0, 2, 0, 8),
    (1, 2, 0, 7),
    (3, 2, 0, 5),
    (7, 2, 0, 1),
    (8, 2, 0, 0),
    (9, 1, 0, 0),
    (20, 0, 0, 0),
]


@pytest.mark.parametrize(
    "how", [{"platform": {"loader_rate": "1/s"}}, {"pacing": "60/min"}], ids=["loader", "pacing"]
)
@pytest.mark.parametrize("engine", ["simpy", "compiled"])
def test_calls_that_come_to_the_queue_one_a_second_are_saved_one_a_second(how, engine):
    race = raced(offer(**how), 0, 1, 3, 7, 8, 9, 20, engine=engine)
    assert told(race) == ONE_A_SECOND
    assert race.saved_share(SECOND).mean == 0.7


def test_what_is_in_the_queue_goes_out_on_one_port_one_call_after_the_other():
    """All calls are in the queue within 10 ms, and each takes 20 s."""
    race = raced(offer({"ports": 1}), 0, 30, 39, 190)
    # At 0 s: all loaded before the effect; dialed at 0 s before it, at 20, 40 ... 180 s after.
    assert told(race) == [(0, 1, 9, 0), (30, 0, 8, 0), (39, 1, 7, 0), (190, 0, 0, 0)]


def test_a_stop_that_reaches_the_queue_saves_what_is_in_it():
    race = raced(offer({"ports": 1}, stop_reaches="queue"), 0, 30, 39, 190)
    assert told(race) == [(0, 1, 0, 9), (30, 0, 0, 8), (39, 1, 0, 7), (190, 0, 0, 0)]


@pytest.mark.parametrize(("cancels", "dials"), [(True, 0), (False, 10)])
def test_a_retry_is_a_dial_after_the_stop_and_no_call_that_is_never_dialed(cancels, dials):
    """All are busy within 3 s and due again a minute later."""
    given = offer(profile="busy", max_retry=1, stop_cancels_retries=cancels)
    race = raced(given, 30)
    assert told(race) == [(30, 0, dials, 0)]
    assert race.dials_saved(30 * SECOND).mean == 10 - dials


def test_retries_that_a_stop_cancels_are_saved_dials():
    """Ten busy calls, dialed and dialed again: a stop in between saves the second half."""
    race = raced(offer(profile="busy", max_retry=1), 0, 30, 90)
    assert [race.dials_saved(each).mean for each in race.after_us] == [10, 10, 0]
    assert [race.calls_never_dialed(each).mean for each in race.after_us] == [0, 0, 0]
    assert race.saved_share(30 * SECOND).mean == 0.5
    table = race.document().tables[0]
    row = dict(zip(table.columns, table.rows[1], strict=True))
    assert row["dials saved"].startswith("10")
    assert row["calls never dialed"].startswith("0")


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    reaches=st.sampled_from(["loading", "queue"]),
    cancels=st.booleans(),
    ports=st.integers(1, 12),
    pacing=st.none() | st.sampled_from(["30/min", "240/min"]),
    retries=st.integers(0, 3),
    seed=st.integers(0, 10_000),
    after_s=st.lists(st.integers(0, 200), min_size=1, max_size=3, unique=True),
)
def test_dials_saved_are_those_of_the_run_without_the_stop_less_those_with_it(
    reaches, cancels, ports, pacing, retries, seed, after_s
):
    """Counted in whole runs of either scenario, with the readable engine."""
    given = offer(
        {"ports": ports},
        contacts=20,
        profile="known_list",
        max_retry=retries,
        stop_reaches=reaches,
        stop_cancels_retries=cancels,
        **({"pacing": pacing} if pacing else {}),
    )
    race = raced(given, *after_s, replications=1, seed=seed)
    unstopped = outsim.simulate(given, seed=seed, engine="simpy").attempts
    for after_us in race.after_us:
        stop_at = after(given.campaign[0].start, after_us)
        own = given.campaign[0].model_copy(update={"stop_at": stop_at})
        written = {key: getattr(given, key) for key in given.model_fields_set}
        stopped = Scenario.model_validate(written | {"campaign": [own]})
        attempts = outsim.simulate(stopped, seed=seed, engine="simpy").attempts
        assert race.dials_saved(after_us).mean == len(unstopped) - len(attempts)
        never = set(unstopped["call_id"]) - set(attempts["call_id"])
        assert race.calls_never_dialed(after_us).mean == len(never)


def test_the_usual_stops_go_on_until_no_retry_is_saved():
    race = raced(offer(profile="busy", max_retry=2))
    saved = [race.dials_saved(each).mean for each in race.after_us]
    assert saved[-1] == 0
    assert sum(0 < each <= 20 for each in saved) >= 3


def test_why_calls_still_go_out_is_said_first():
    race = raced(offer({"ports": 1}), 0, 30)
    answer = race.document().answer
    assert answer == race.to_dict()["why"]
    assert answer.startswith("A stop takes effect after 2 s, and what is in the outbound")
    assert "10.0 (all 2 runs) dials at the most, after a stop 0 s after the start." in answer


def test_of_one_stop_it_is_said_what_it_saves():
    document = raced(offer({"ports": 1}), 0).document()
    assert document.answer == (
        "A stop at 09:00:00 saves no dials. 10.0 (all 2 runs) dials still go out after it. A stop "
        "takes effect after 2 s, and what is in the outbound queue or dispatched by then still "
        "goes out."
    )
    assert "was stopped 0 s after its start, and compared with" in document.asked
    early = raced(offer(pacing="60/min"), 2).document().answer
    assert early.startswith("A stop at 09:00:02 saves 6.0 (all 2 runs) dials, 60.0 % (all 2 runs)")
    late = raced(offer(pacing="60/min"), 600).document().answer
    assert late == "A stop at 09:10:00 saves no dials. After it no call goes out."


def test_the_last_moment_lies_between_the_stops_that_save_enough_and_too_little():
    """8 s less the seconds to the stop are saved: half at 3 s; 65 % at 1.5 s, between two."""
    race = raced(offer(pacing="60/min"), 0, 1, 2, 3, 4, 8)
    half, between = race.last_moment(0.5), race.last_moment(0.65)
    assert (half.is_known, half.after_s.mean, half.after_s.half_width) == (True, 3.0, 0.5)
    assert between.after_s.mean == pytest.approx(1.5)
    assert between.between_us == (SECOND, 2 * SECOND)
    assert between.between_us == (SECOND, 2 * SECOND)


def test_a_last_moment_that_no_stop_tells_is_not_made_up():
    race = raced(offer(pacing="60/min"), 1, 2)
    early, late = race.last_moment(0.9), race.last_moment(0.5)
    assert (early.is_known, early.never, early.always) == (False, 2, 0)
    assert (late.is_known, late.never, late.always) == (False, 0, 2)
    assert early.after_s.count == late.after_s.count == 0


# Against runs, and against the run that is never stopped


@pytest.mark.parametrize("engine", ["simpy", "compiled"])
def test_each_stop_has_the_figures_of_a_run_by_itself(engine):
    given = offer(contacts=40, profile="known_list", max_retry=1, pacing="120/min")
    race = raced(given, 0, 5, 15, engine=engine, seed=4)
    start = given.campaign[0].start
    for place, stop_at in enumerate([None, *(start + timedelta(seconds=k) for k in (0, 5, 15))]):
        own = given.campaign[0].model_copy(update={"stop_at": stop_at})
        alone = Scenario.model_validate(
            {key: getattr(given, key) for key in given.model_fields_set} | {"campaign": [own]}
        )
        for replication in range(2):
            result = outsim.simulate(alone, seed=4, replication=replication)
            view = result.view(own)
            for each in STOP_MEASURES:
                found = race.findings.values(place, each.name)[replication]
                expected = each.compute(view)
                assert found == expected or (found != found and expected != expected)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    reaches=st.sampled_from(["loading", "queue"]),
    ports=st.integers(1, 12),
    per_minute=st.none() | st.integers(20, 600),
    pacing_at=st.sampled_from(["admission", "dispatch"]),
    retries=st.integers(0, 2),
    after_s=st.lists(st.integers(0, 90), min_size=2, max_size=4, unique=True),
)
def test_a_stop_saves_the_calls_that_it_comes_before(
    reaches, ports, per_minute, pacing_at, retries, after_s
):
    """They enter the queue, or are dispatched, at its effect or later if nobody stops them.

    So a later stop never saves more.
    """
    pace = {"pacing": f"{per_minute}/min", "pacing_at": pacing_at} if per_minute else {}
    given = offer(
        {"ports": ports},
        contacts=40,
        profile="known_list",
        max_retry=retries,
        stop_reaches=reaches,
        **pace,
    )
    race = raced(given, *after_s, replications=1)
    attempts = outsim.simulate(given, engine="simpy").attempts
    first = attempts[attempts["attempt"] == 1]
    reached = first["queued_at" if reaches == "loading" else "dispatched_at"]
    saved = [race.calls_never_dialed(each).mean for each in race.after_us]
    for after_us, count in zip(race.after_us, saved, strict=True):
        effect = after(given.campaign[0].start, after_us + race.effect_us)
        assert count == (reached >= effect).sum()
    assert saved == sorted(saved, reverse=True)


def test_all_stops_of_a_replication_share_one_past(monkeypatch):
    from outsim.engine.compiled.run import Run

    runs, branched = [], []
    build, branch = Run.__init__, Run.branch

    def built(self, *arguments):
        runs.append(self)
        build(self, *arguments)

    def branching(self, plan):
        branched.append(self.reached_us)
        return branch(self, plan)

    monkeypatch.setattr(Run, "__init__", built)
    monkeypatch.setattr(Run, "branch", branching)
    raced(offer(), 0, 5, 10, replications=1)
    assert len(runs) == 1
    # They part where the stops take effect.
    assert sorted({*branched}) == [2 * SECOND, 7 * SECOND, 12 * SECOND]
    assert len(branched) == 6  # of the campaign, and call by call


# Which stops, and of which campaign


def test_a_stop_of_the_scenario_is_left_out():
    given = offer(pacing="60/min", stop_at=3)
    race = raced(given, 1)
    assert race.campaign.stop_at is None
    assert told(race) == [(1, 2, 0, 7)]


def test_the_usual_stops_go_on_until_everything_is_dialed():
    """Loaded at 0, 1 ... 9 s, dialed on one port at 0, 20 ... 180 s."""
    race = raced(offer({"ports": 1, "loader_rate": "1/s"}))
    at_s = [each / SECOND for each in race.after_us]
    assert at_s[0] == 0
    assert 180 <= at_s[-1] <= 240
    assert sum(each <= 9 for each in at_s) >= 5
    assert race.calls_never_dialed(race.after_us[-1]).mean == 0
    assert race.last_moment(0.5).is_known


def test_a_stop_that_reaches_the_queue_is_tried_evenly_until_everything_is_dialed():
    race = raced(offer({"ports": 1}, stop_reaches="queue"))
    at_s = [each / SECOND for each in race.after_us]
    assert {late - early for early, late in pairwise(at_s)} == {20}
    assert at_s[-1] == 180


def test_stops_are_taken_in_order_and_once():
    assert raced(offer(), 5, 0, 5).after_us == (0, 5 * SECOND)


@pytest.mark.parametrize(
    ("campaign", "times", "message"),
    [
        ({}, ["soon"], "after: found 'soon'; write a number and a unit"),
        ({}, ["-5 s"], "after: found '-5 s'; must be more than 0"),
        ({}, [], "after: give one time or more"),
        ({}, ["30 h"], "stop 30 h after the start: the run is over by then"),
        ({}, [f"{k} s" for k in range(101)], "101 stops; at most 100 are allowed"),
        ({"contacts": 0}, None, "acme/offer: none of its calls is ever dialed"),
    ],
)
def test_a_stop_that_makes_no_sense_is_refused(campaign, times, message):
    with pytest.raises(StudyError, match=message):
        outsim.stop(offer(**campaign), after=times)


def test_a_campaign_that_is_not_there_is_refused():
    with pytest.raises(StudyError, match=r"campaign 'ofer': .* did you mean 'acme/offer'"):
        outsim.stop(offer(), "ofer", after=["0 s"])


# What it says


def test_it_can_be_awaited():
    async def in_a_notebook() -> StopRace:
        return await outsim.stop(
            offer(pacing="60/min"), after=["1 s"], replications=2, progress=None
        )

    assert told(asyncio.run(in_a_notebook())) == [(1, 2, 0, 7)]


def test_the_json_document_says_how_a_stop_works_and_what_each_does():
    race = raced(offer(pacing="60/min", stop_reaches="queue"), 0, 8)
    document = json.loads(json.dumps(race.to_dict(), allow_nan=False))
    assert document["stop_latency_s"] == 2
    assert (document["stop_reaches"], document["stop_cancels_retries"]) == ("queue", True)
    assert [each["calls_never_dialed"] for each in document["stops"]] == [8, 0]
    assert [each["share"] for each in document["last_moment"]] == [0.5, 0.9]
    # Even at once a stop saves 80 % and no more.
    assert document["last_moment"][1] == {
        "share": 0.9,
        "after_s": None,
        "low": None,
        "high": None,
        "between": [0, 0],
        "replications": 0,
        "always": 0,
        "never": 2,
    }


def test_it_shows_itself():
    race = raced(offer(), 0, 8)
    assert repr(race) == f"StopRace: {race.document().answer}"
    assert ">dials saved</th>" in race._repr_html_()


def test_the_picture_shows_dials_and_savings_over_the_time_of_the_stop():
    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    race = raced(offer(pacing="60/min"), 0, 3, 8, 20)
    dialed, saved = plots.stop(race)
    assert dialed.get_lines()[0].get_xydata().tolist() == [[0, 2], [3, 2], [8, 2], [20, 0]]
    # From 8 s on nothing is saved, and there is nothing more to see.
    np.testing.assert_allclose(saved.get_lines()[0].get_xydata(), [[0, 80], [3, 50], [8, 0]])
    with pytest.raises(StudyError, match="1 axes: this picture takes 2"):
        plots.stop(race, [dialed])
    plt.close("all")


# A stop of the campaign and one call by call, side by side


def test_call_by_call_on_one_port_saves_what_it_reaches_before_it_is_dialed():
    """Ten calls of 20 s; from 12 s on one is canceled each 10 s, the last of the list first.

    Canceled at 12, 22, 32, 42, 52 and 62 s; dialed at 0, 20, 40 and 60 s. A stop of the campaign
    reaches nothing of what is in the queue.
    """
    race = raced(offer({"ports": 1}, cancel_rate="6/min"), 10)
    at = 10 * SECOND
    assert race.mode == "campaign"
    assert race.by("campaign").dials_saved(at).mean == 0
    assert race.by("calls").dials_saved(at).mean == 6
    assert race.saved_less("campaign", at).mean == 6
    assert race.saved_less("calls", at).mean == -6
    (side_by_side,) = race.to_dict()["side_by_side"]
    assert side_by_side["dials_saved_calls"] == side_by_side["difference"] == 6
    said = " ".join(race.document().more)
    assert "saves 6.0 (all 2 runs) dials more than a stop of the campaign" in said


def test_a_retry_that_call_by_call_keeps_from_being_made_is_a_saved_dial():
    """All are busy within 3 s and due again at 62 s: canceled before that they are not dialed."""
    race = raced(offer(profile="busy", max_retry=1, cancel_rate="6/min"), 30)
    assert race.by("campaign").dials_saved(30 * SECOND).mean == 10
    assert race.by("calls").dials_saved(30 * SECOND).mean == 4
    assert race.saved_less("calls", 30 * SECOND).mean == 6


def test_a_scenario_that_stops_call_by_call_is_told_of_first():
    race = raced(offer({"ports": 1}, cancel_rate="6/min", stop_mode="calls"), 10)
    assert race.mode == "calls"
    assert race.dials_saved(10 * SECOND).mean == 6
    document = race.document()
    assert "calls are then canceled one by one" in document.answer
    assert "newest first" in " ".join(document.more)


class TestWhatWasSeen:
    """Dials that somebody saw go out after a stop, held against what days bring."""

    STOPPED = offer(stop_at="09:00:03", pacing="60/min")

    def test_it_is_about_the_stop_of_the_scenario(self) -> None:
        race = raced(self.STOPPED, observed=2)
        assert race.after_us == (3 * SECOND,)
        assert race.observed is not None
        assert race.observed.verdict == "usual"
        document = race.document()
        assert document.answer.startswith("2 dials after the stop at 09:00:03 are usual: p5 to")
        assert document.more[0].startswith("A stop at 09:00:03 saves")
        assert race.to_dict()["observed"]["band"]["p95"] == 2

    def test_more_than_any_day_brings_is_said_to_be_more(self) -> None:
        race = raced(self.STOPPED, observed=3)
        assert race.observed is not None
        assert race.observed.verdict == "more than usual"

    def test_a_stop_can_be_given(self) -> None:
        race = raced(offer(pacing="60/min"), 9, observed=1)
        assert race.observed is not None
        assert race.observed.verdict == "usual"

    def test_nobody_asks_and_the_bands_are_there_all_the_same(self) -> None:
        race = raced(offer(pacing="60/min"), 0, 9)
        assert race.observed is None
        assert race.to_dict()["observed"] is None
        assert [band["p5"] for band in race.to_dict()["by_day"]] == [2, 1]
        assert race.document().tables[2].rows == [["0 s", "2", "2", "2"], ["9 s", "1", "1", "1"]]

    @pytest.mark.parametrize("after", [None, ["1 s", "2 s"]])
    def test_it_must_be_said_after_which_stop(self, after: list[str] | None) -> None:
        with pytest.raises(StudyError, match="after which stop"):
            outsim.stop(offer(), after=after, observed=3, progress=None)
