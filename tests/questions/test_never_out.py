"""What keeps a call from going out: said with its probability."""

from __future__ import annotations

from typing import Any

import pytest

import outsim
from outsim.questions.eta import BAND_RUNS, Forecast, eta
from outsim.questions.eta_measures import NEVER_OUT
from outsim.scenario import Scenario
from tests.engine import scenarios
from tests.engine.scenarios import part


def of_call(given: Scenario, place: int, replications: int = 6) -> Forecast:
    """A forecast of one call of the first campaign."""
    return eta(
        given, call=place, replications=replications, executor="threads", progress=None
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
    forecast = of_call(given, 4)
    (share,) = forecast.never_out.values()
    assert list(forecast.never_out) == [why]
    assert (share.mean, share.high) == (1, 1)
    (text,) = forecast.document().more
    assert text.startswith("In 100 % of runs (95 %: ")
    assert NEVER_OUT[why] in text
    assert because in text
    median, _, band = forecast.row(forecast.findings.measures[0])[1:]
    assert (median, band) == ("never", "never")


def test_a_call_that_goes_out_has_no_reason_not_to() -> None:
    given = scenarios.scenario(scenarios.campaign(contacts=5, stop_at=100))
    forecast = of_call(given, 4)
    assert forecast.never_out == {}
    assert forecast.document().more == []


def test_the_probability_is_the_share_of_runs_in_which_it_ends_so() -> None:
    """Ten calls on one port that talk for a while: how many go out in time is drawn."""
    given = scenarios.scenario(
        scenarios.campaign(contacts=10, profile="known_list", expires_at=120),
        platform={"ports": 1},
    )
    forecast = of_call(given, 5, replications=20)
    expired = [
        outsim.simulate(given, replication=k).calls["status"].iloc[5] == "expired"
        for k in range(20)
    ]
    assert 0 < sum(expired) < 20
    assert forecast.never_out["expired"].mean == sum(expired) / 20


def forecast_of(given: Scenario, replications: int = 5) -> Forecast:
    return eta(given, replications=replications, executor="threads", progress=None).run()


def test_a_forecast_tells_which_share_of_the_calls_a_stop_cancels() -> None:
    """Of 20 calls at one a minute, those after the stop at 300 s never go out."""
    given = scenarios.scenario(scenarios.campaign(contacts=20, pacing="1/min", stop_at=300))
    forecast = forecast_of(given)
    assert 0.6 < forecast.canceled.mean < 0.8
    text = forecast.canceled_text
    assert "of its calls are canceled before they go out (it is stopped at 09:05:00)" in text
    assert "of the others" in text


def test_a_forecast_of_a_stop_before_the_start_says_that_no_call_goes_out() -> None:
    given = scenarios.scenario(
        scenarios.campaign(contacts=5, start=600, submitted_at=0, stop_at=300)
    )
    forecast = forecast_of(given)
    assert forecast.canceled_text.startswith("In every run all of its")
    assert set(forecast.row(forecast.findings.measures[0])[1:]) == {
        "not in the run",
        "takes 6 runs",
    }


def test_a_forecast_without_a_stop_says_nothing_of_it() -> None:
    forecast = forecast_of(scenarios.scenario(scenarios.campaign(contacts=5)))
    assert forecast.canceled.mean == 0
    assert forecast.canceled_text == ""


@pytest.mark.parametrize(
    ("replications", "band"), [(BAND_RUNS - 1, "all runs"), (BAND_RUNS, "90 % of runs")]
)
def test_a_band_is_headed_by_the_runs_that_it_holds(replications: int, band: str) -> None:
    """Of 19 runs the first and the last hold the next one in 18 of 20 cases."""
    given = scenarios.scenario(scenarios.campaign(contacts=5))
    (table,) = forecast_of(given, replications).document().tables
    assert BAND_RUNS == 19
    assert table.columns[-1] == band
