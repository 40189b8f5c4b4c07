"""The short answers of a report answer their questions: why, and over what."""

from __future__ import annotations

import math

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

import outsim
from outsim.present.report import Report
from outsim.present.sources import read_context
from outsim.results.tables.failures import FAILURE_MEASURES, REASONS, why_failed
from outsim.scenario import Scenario
from outsim.scenario.loading import load
from outsim.studies.variants import over_the_day
from tests.engine import scenarios

from .reports import kept, parsed, scenario, section, words

pytestmark = pytest.mark.usefixtures("undrawn")


def answer(page, name: str) -> str:
    return words(section(page, name).find(class_="answer"))


def report(given: Scenario, tmp_path, replications: int = 3):
    place = outsim.simulate(given, engine="simpy").save(tmp_path / "run")
    subject = read_context(place, replications=replications, engine="simpy")
    return subject, parsed(Report(subject, "outsim report").html())


@pytest.fixture(scope="module")
def stopped(tmp_path_factory, undrawn):
    """The small morning, stopped a minute after its start."""
    given = scenario().model_dump(mode="json", exclude_unset=True)
    given["campaign"][0]["stop_at"] = "09:06"
    return report(load(given), tmp_path_factory.mktemp("stopped"))


def test_it_says_why_calls_failed_and_on_whose_side(stopped):
    subject, page = stopped
    by = {name: subject.means.get(f"failed_by_{name}") for name in REASONS}
    known = {name: each for name, each in by.items() if each is not None}
    first = max(known, key=lambda name: known[name].estimate.mean)
    reason, side = REASONS[first]
    said = answer(page, "failed")
    assert f"The leading reason, with {side}, is that {reason}: {known[first].text} of" in said
    assert subject.means.get("failed_share").text in said


def test_a_study_without_causes_tells_them_of_one_run(tmp_path):
    place = kept("compare", tmp_path / "study")
    page = parsed(Report(read_context(place), "outsim report").html())
    said = answer(page, "failed")
    assert "one run (seed" in said
    assert "The leading reason, with" in said


def test_it_says_why_calls_go_out_after_the_stop_and_where_they_stood(stopped):
    _, page = stopped
    said = answer(page, "stop")
    assert said.startswith("A stop takes effect after 2 s, and what is in the outbound")
    assert "took effect at 09:06:02; its calls by status then:" in words(section(page, "stop"))


def test_starts_are_tried_over_the_whole_day_and_the_answer_says_over_what(stopped, tmp_path):
    subject, page = report(scenario(), tmp_path)
    labels = [subject.schedule.label(start) for start in subject.schedule.starts]
    assert (labels[0], labels[-1]) == ("09:00", "09:55")
    assert "12 starts from 09:00 to 09:55" in answer(page, "schedule")
    # A stop bounds what makes sense.
    bounded, _ = stopped
    assert bounded.schedule.starts[-1] < bounded.campaign.stop_at


@drawn(
    begins=st.integers(6, 9),
    minute=st.integers(0, 59),
    hours=st.integers(1, 12),
    bound=st.sampled_from([None, "stop_at", "expires_at"]),
)
def test_starts_of_a_day_make_sense_and_hold_the_scenarios_own(begins, minute, hours, bound):
    start = f"{begins:02d}:{minute:02d}"
    keys = {bound: f"{begins + 1:02d}:30"} if bound else {}
    given = scenarios.scenario(
        scenarios.campaign(start=start, **keys),
        clock={"begins": f"{begins:02d}:00", "ends": f"{begins + hours:02d}:00"},
    )
    own = given.campaign[0]
    every, between = over_the_day(given, own)
    assert between is not None
    first, last = between
    assert given.clock.begins <= first <= own.start <= last < given.deadline
    assert bound is None or last < getattr(own, bound)
    step_s = 60 * int(every.removesuffix("min"))
    assert math.remainder((own.start - first).total_seconds(), step_s) == 0
    assert 1 <= (last - first).total_seconds() / step_s < 12


def test_shares_of_reasons_add_up_to_the_failed_calls():
    mixed = {"mixed": {"human": 20, "voicemail": 10, "no_answer": 40, "busy": 30}}
    given = scenarios.scenario(
        scenarios.campaign(contacts=80, profile="mixed"),
        profiles=mixed,
        carrier={"rate": "2/s", "burst": 1},
    )
    result = outsim.simulate(given)
    view = result.measure_view(given.campaign[0])
    share, *by = (each.compute(view) for each in FAILURE_MEASURES)
    failed = result.calls[result.calls["status"] == "failed"]
    assert share == len(failed) / 80
    assert sum(by) == pytest.approx(1)
    refused = dict(zip(REASONS, by, strict=True))["congestion"]
    assert refused == (failed["outcome"] == "congestion").mean() > 0


def test_the_leading_reason_comes_first_and_nothing_is_said_of_nothing():
    said = why_failed({"busy": (0.2, "20 %"), "congestion": (0.8, "80 %"), "invalid": (0, "0 %")})
    assert said.startswith("The leading reason, with the carrier, is that the carrier refused")
    assert "80 % of the failed calls" in said
    assert "Next, with the callee: the line was busy at the last attempt, 20 %." in said
    assert why_failed({"busy": (0.0, "0 %")}) == ""
