"""What customers were promised, as claims about averages over days.

A claim passes, fails or stays undecided; together the claims of a suite raise a false alarm with
at most the probability that its summary states.
"""

from pathlib import Path

import pytest

SCENARIOS = Path(__file__).parent / "scenarios"
PROMISE = SCENARIOS / "promise.toml"
TOP_OF_HOUR = SCENARIOS / "promise-top-of-hour.toml"
MORE_PORTS = SCENARIOS / "promise-more-ports.toml"


def test_nine_in_ten_reminders_go_out_within_three_minutes(claim):
    claim(PROMISE, "wait_p90_s", "<=", 180)


def test_two_in_three_reminders_reach_somebody(claim):
    claim(PROMISE, "completed_share", ">=", 0.67)


@pytest.mark.rule(5)
def test_a_status_is_seen_within_a_second(claim):
    claim(PROMISE, "status_lag_p90_s", "<=", 1)


@pytest.mark.rule(14)
def test_a_quarter_past_is_no_worse_than_the_top_of_the_hour(claim):
    claim.less(PROMISE, TOP_OF_HOUR, "wait_p90_s")


@pytest.mark.rule(4)
@pytest.mark.claims(2)
def test_more_ports_shorten_the_wait_and_reach_as_many(claim):
    claim.less(MORE_PORTS, PROMISE, "wait_p90_s")
    claim.equal(PROMISE, MORE_PORTS, "completed_share", within=0.05)
