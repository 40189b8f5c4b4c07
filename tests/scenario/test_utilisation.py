"""Loads worked out on paper, beside those that `utilisation` gives."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import outsim
from outsim.scenario import Scenario, load
from outsim.scenario.offered_load import all_traffic, campaign_traffic, human_factor
from outsim.scenario.utilisation import Utilisation, utilisation

CLOCK = {"zone": "UTC", "date": "2026-03-10", "begins": "08:00", "ends": "12:00"}
FLAT = {"morning": 1, "afternoon": 1, "evening": 1, "night": 1}
EXACT: dict[str, Any] = {
    "post_dial_delay": "2 s",
    "ring_human": "8 s",
    "ring_voicemail": "20 s",
    "phone_off": 0,
    "message": "30 s",
    "early_hang_up": 0,
    "greeting": "10 s",
    "fax_share": 0,
    "hour_factors": FLAT,
    "redial_factors": [1],
}
PLATFORM: dict[str, Any] = {
    "ports": 100,
    "dial_rate": "4/s",
    "workers": 2,
    "dial_work": "100 ms",
    "status_work": "50 ms",
    "ring_timeout": "25 s",
}
CARRIER: dict[str, Any] = {"rate": "10/s", "channels": 200, "other_traffic": 0.2}
HUMAN_ONLY = {"human": 1, "voicemail": 0, "no_answer": 0, "busy": 0}
HALF = {"human": 1, "voicemail": 0, "no_answer": 1, "busy": 0}


def scenario(
    profile: dict[str, Any] | None = None,
    callees: dict[str, Any] | None = None,
    platform: dict[str, Any] | None = None,
    carrier: dict[str, Any] | None = None,
    parts: dict[str, Any] | None = None,
    **campaign: Any,
) -> Scenario:
    """One campaign on a platform of constants; everybody answers unless a test says otherwise."""
    count = {} if "requests" in campaign else {"contacts": 3600}
    entry = {"name": "a", "tenant": "t", "start": "09:00", "max_retry": 0, "profile": "mine"}
    return load(
        {
            "clock": CLOCK,
            "profiles": {"mine": profile or HUMAN_ONLY},
            "callees": EXACT | (callees or {}),
            "platform": PLATFORM | (platform or {}),
            "carrier": CARRIER | (carrier or {}),
            "campaign": [entry | count | campaign],
            **(parts or {}),
        }
    )


def load_of(resource: str, of: Scenario) -> Utilisation:
    return next(each for each in utilisation(of) if each.resource == resource)


def port_s(of: Scenario) -> float:
    return all_traffic(of)[0].means.port_s


class TestLoads:
    def test_a_person_holds_a_port_from_dispatch_to_hanging_up(self) -> None:
        # 0.1 s dial work, 2 s to the first ring, 8 s of ringing, 30 s of message
        assert port_s(scenario()) == pytest.approx(40.1)
        ports = load_of("ports", scenario())
        assert ports.load == pytest.approx(4 * 40.1 / 100)
        assert ports.explanation == "4/s x 40.1 s a call, of 100 ports"

    def test_the_dial_rate_is_what_ports_and_workers_allow_of_it(self) -> None:
        assert load_of("dial rate", scenario()).load == pytest.approx(100 / 40.1 / 4)
        roomy = scenario(platform={"ports": 10_000})
        assert load_of("dial rate", roomy).load == 1
        slow = scenario(platform={"ports": 10_000, "dial_work": "1 s"})
        assert load_of("dial rate", slow).load == pytest.approx(2 / 4)

    def test_workers_serve_one_dial_and_four_updates_of_an_answered_attempt(self) -> None:
        assert load_of("workers", scenario()).load == pytest.approx(4 * (0.1 + 4 * 0.05) / 2)

    def test_the_carrier_gives_what_other_traffic_leaves(self) -> None:
        assert load_of("carrier rate", scenario()).load == pytest.approx(4 / (10 * 0.8))
        channels = load_of("carrier channels", scenario())
        assert channels.load == pytest.approx(4 * 40 / (200 * 0.8))

    def test_a_peak_of_other_traffic_counts_by_its_minutes(self) -> None:
        peak = scenario(carrier={"other_traffic_peak": {0: 0.8}})
        left = 1 - (59 * 0.2 + 0.8) / 60
        assert load_of("carrier rate", peak).load == pytest.approx(4 / (10 * left))

    def test_offered_loads_spread_the_attempts_over_the_run(self) -> None:
        rate = 3600 / (4 * 3600)
        loads = {each.resource: each.offered for each in utilisation(scenario())}
        assert loads["dial rate"] == pytest.approx(rate / 4)
        assert loads["ports"] == pytest.approx(rate * 40.1 / 100)
        assert loads["workers"] == pytest.approx(rate * 0.3 / 2)

    def test_nothing_to_dial_has_no_load(self) -> None:
        assert utilisation(scenario(contacts=0)) == []
        assert utilisation(scenario(start="12:30")) == []

    @given(factor=st.integers(2, 10))
    def test_loads_are_in_proportion_to_the_dial_rate(self, factor: int) -> None:
        before = utilisation(scenario())
        after = utilisation(scenario(platform={"dial_rate": f"{4 * factor}/s"}))
        for one, other in zip(before[1:], after[1:], strict=True):
            assert other.load == pytest.approx(factor * one.load)
            assert other.offered == pytest.approx(one.offered)


class TestOneAttempt:
    def test_an_answer_after_the_timeout_is_a_no_answer(self) -> None:
        late = scenario(callees={"ring_human": "26 s"})
        means = all_traffic(late)[0].means
        assert means.answered == 0
        assert means.port_s == pytest.approx(0.1 + 2 + 25)
        assert means.updates == 3

    def test_half_of_uniform_rings_end_at_the_timeout(self) -> None:
        rings = {"distribution": "uniform", "least": "20 s", "most": "30 s"}
        means = all_traffic(scenario(callees={"ring_human": rings}))[0].means
        assert means.answered == pytest.approx(0.5, abs=1e-3)
        # Half ring for 22.5 s and hear the message, half ring for 25 s.
        assert means.carrier_s == pytest.approx(2 + (22.5 + 30 + 25) / 2, rel=1e-3)

    def test_voicemail_plays_its_greeting_first(self) -> None:
        voicemail = {"human": 0, "voicemail": 1, "no_answer": 0, "busy": 0}
        assert port_s(scenario(voicemail)) == pytest.approx(0.1 + 2 + 20 + 10 + 30)
        off = scenario(voicemail, callees={"phone_off": 1, "phone_off_ring": "1 s"})
        assert port_s(off) == pytest.approx(0.1 + 2 + 1 + 10 + 30)

    def test_busy_and_invalid_numbers_never_ring(self) -> None:
        busy = {"human": 0, "voicemail": 0, "no_answer": 0, "busy": 1}
        assert port_s(scenario(busy)) == pytest.approx(2.1)
        assert port_s(scenario(HUMAN_ONLY | {"invalid": 1})) == pytest.approx((2.1 + 40.1) / 2)

    def test_a_fax_is_left_once_it_is_known_as_one(self) -> None:
        fax = scenario(callees={"fax_share": 1}, platform={"detection_machine": "5 s"})
        assert port_s(fax) == pytest.approx(0.1 + 2 + 8 + 5)

    def test_people_who_leave_early_hear_half_on_average(self) -> None:
        leaving = scenario(callees={"early_hang_up": 0.5}, asks_for_key=True)
        key_s = leaving.callees.key_press.mean_s()
        assert port_s(leaving) == pytest.approx(10.1 + 0.5 * 15 + 0.5 * (30 + key_s))

    def test_people_who_are_transferred_talk_to_an_agent(self) -> None:
        agent = scenario(callees={"agent_talk": "3 min"}, transfers_to_agent=True)
        assert port_s(agent) == pytest.approx(10.1 + 180)

    def test_what_the_carrier_refuses_is_soon_over(self) -> None:
        refused = scenario(carrier={"missing_ani_refusal": 1}, missing_ani_share=0.5)
        means = all_traffic(refused)[0].means
        assert means.carried == 0.5
        assert means.port_s == pytest.approx((40.1 + 0.1 + 0.1) / 2)

    def test_hours_of_the_run_shape_the_human_share(self) -> None:
        # 08:00 to 09:00 is night, 09:00 to 12:00 morning
        assert human_factor(
            scenario(callees={"hour_factors": FLAT | {"morning": 0.8, "night": 1.2}})
        ) == pytest.approx(0.9)


class TestAttempts:
    def test_who_does_not_answer_is_dialed_again(self) -> None:
        (traffic,) = all_traffic(scenario(HALF, max_retry=2))
        assert traffic.attempts == pytest.approx(3600 * (1 + 1 / 2 + 1 / 4))

    def test_redial_factors_apply_failure_by_failure(self) -> None:
        fading = scenario(HALF, max_retry=2, callees={"redial_factors": [1, 0.5]})
        assert campaign_traffic(fading, fading.campaigns[0]).attempts == pytest.approx(
            3600 * (1 + 1 / 2 + 1 / 2 * 3 / 4)
        )

    def test_invalid_numbers_are_dialed_once(self) -> None:
        only_invalid = scenario(HUMAN_ONLY | {"human": 1e-9, "invalid": 1}, max_retry=5)
        assert all_traffic(only_invalid)[0].attempts == pytest.approx(3600)

    def test_requests_come_at_their_rate(self) -> None:
        rated = scenario(requests={"rate": "1/min", "rate_by_hour": {10: "2/min"}})
        # from 09:00 to 12:00
        assert all_traffic(rated)[0].contacts == pytest.approx(60 + 120 + 60, rel=1e-4)
        ended = scenario(requests={"rate": "1/min", "until": "10:30"})
        assert all_traffic(ended)[0].contacts == pytest.approx(90, rel=1e-4)
        recorded = scenario(requests={"times_s": [0, 10, 20]})
        assert all_traffic(recorded)[0].contacts == 3

    def test_the_background_starts_its_campaigns_every_hour(self) -> None:
        background = {"campaigns_per_hour": 5, "median_size": 100, "size_log_sd": 1.0}
        traffic = all_traffic(scenario(parts={"background": background}))[-1]
        assert traffic.name == "background"
        assert traffic.contacts == pytest.approx(4 * 5 * 100 * math.exp(0.5))

    def test_the_model_agrees_where_nothing_is_scarce(self) -> None:
        roomy = scenario(
            {"human": 30, "voicemail": 30, "no_answer": 30, "busy": 7, "invalid": 3},
            callees={"early_hang_up": 0.25, "redial_factors": [1, 0.75], "fax_share": 0.02},
            platform={"ports": 10**6, "workers": 10**5, "dial_rate": "1000/s", "wedged_calls": 0},
            carrier={"rate": "9999/s", "burst": 10**6, "channels": 10**6},
            contacts=5_000,
            max_retry=2,
            missing_ani_share=0.1,
        )
        (expected,) = all_traffic(roomy)
        attempts = outsim.simulate(roomy, seed=5).attempts
        seconds = (attempts["ended_at"] - attempts["dispatched_at"]).dt.total_seconds()
        assert len(attempts) == pytest.approx(expected.attempts, rel=0.03)
        assert seconds.mean() == pytest.approx(expected.means.port_s, rel=0.03)
        assert attempts["answered_at"].notna().mean() == pytest.approx(
            expected.means.answered, rel=0.03
        )
