"""What keeps a call from going out: said with its probability."""

from __future__ import annotations

from typing import Any

import pytest

import outsim
from outsim.questions.eta import Forecast, canceled_text, eta, never_out, never_out_texts, row
from outsim.questions.eta_measures import NEVER_OUT, find_call
from outsim.scenario import Scenario
from outsim.studies.study import run_of
from outsim.studies.study_result import StudyResult
from tests.engine import scenarios
from tests.engine.scenarios import part


def asked_of(given: Scenario, place: int, replications: int = 6) -> StudyResult:
    """A study of one call of the first campaign."""
    asked = find_call(given, call_id=place)
    return run_of(
        given.asked_about(given.campaign[0]),
        measures=asked.measures,
        replications=replications,
        executor="threads",
        engine="compiled",
        progress=None,
    ).run()


CLOSED = {"suspension": [part(begins=0, ends=3600)]}
KEPT_IN: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "canceled": ({"pacing": "1/min", "stop_at": 100}, {}, "the campaign is stopped at 09:01:40"),
    "expired": ({"pacing": "1/min", "expires_at": 100}, {}, "the campaign expires at 09:01:40"),
    "pending": (
        {},
        CLOSED | {"clock": {"latest": "10:00"}},
        "the run ends at the latest at 10:00:00",
    ),
}


@pytest.mark.parametrize("why", KEPT_IN)
def test_what_keeps_a_call_from_going_out_is_said_with_its_probability(why: str) -> None:
    keys, parts, because = KEPT_IN[why]
    given = scenarios.scenario(scenarios.campaign(contacts=5, **keys), **parts)
    found = asked_of(given, 4)
    (each,) = never_out(found).values()
    assert list(never_out(found)) == [why]
    assert (each.mean, each.high) == (1, 1)
    (text,) = never_out_texts(found, given.campaign[0])
    assert text.startswith("In 100 % of runs (95 %: ")
    assert NEVER_OUT[why] in text
    assert because in text
    median, _, band = row(found, found.measures[0])[1:]
    assert (median, band) == ("never", "never")


def test_a_call_that_goes_out_has_no_reason_not_to() -> None:
    given = scenarios.scenario(scenarios.campaign(contacts=5, stop_at=100))
    found = asked_of(given, 4)
    assert never_out(found) == {}
    assert never_out_texts(found, given.campaign[0]) == []


def test_the_probability_is_the_share_of_runs_in_which_it_ends_so() -> None:
    """Ten calls on one port that talk for a while: how many go out in time is drawn."""
    given = scenarios.scenario(
        scenarios.campaign(contacts=10, profile="known_list", expires_at=120),
        platform={"ports": 1},
    )
    found = asked_of(given, 5, replications=20)
    expired = [
        outsim.simulate(given, replication=k).calls["status"].iloc[5] == "expired"
        for k in range(20)
    ]
    assert 0 < sum(expired) < 20
    assert never_out(found)["expired"].mean == sum(expired) / 20


def forecast_of(given: Scenario, replications: int = 5) -> Forecast:
    return eta(given, replications=replications, executor="threads", progress=None).run()


def test_a_forecast_tells_which_share_of_the_calls_a_stop_cancels() -> None:
    """Of 20 calls at one a minute, those after the stop at 300 s never go out."""
    given = scenarios.scenario(scenarios.campaign(contacts=20, pacing="1/min", stop_at=300))
    found = forecast_of(given)
    canceled = found.canceled
    assert 0.6 < canceled.mean < 0.8
    text = canceled_text(found.findings, found.campaign)
    assert "of its calls are canceled before they go out (it is stopped at 09:05:00)" in text
    assert "of the others" in text


def test_a_forecast_of_a_stop_before_the_start_says_that_no_call_goes_out() -> None:
    given = scenarios.scenario(
        scenarios.campaign(contacts=5, start=600, submitted_at=0, stop_at=300)
    )
    found = forecast_of(given)
    assert canceled_text(found.findings, found.campaign).startswith("In every run all of its")
    assert set(row(found.findings, found.findings.measures[0])[1:]) == {
        "not in the run",
        "takes 6 runs",
    }


def test_a_forecast_without_a_stop_says_nothing_of_it() -> None:
    found = forecast_of(scenarios.scenario(scenarios.campaign(contacts=5)))
    assert found.canceled.mean == 0
    assert canceled_text(found.findings, found.campaign) == ""
