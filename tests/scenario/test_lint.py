"""What a capacity planner wants to be told before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from outsim.scenario import load
from outsim.scenario.lint import advice
from outsim.scenario.utilisation import shortages

CAMPAIGN: dict[str, Any] = {"name": "a", "tenant": "t", "start": "09:00", "contacts": 1000}
ROOMY: dict[str, Any] = {"ports": 1000, "workers": 20}
CARRIER: dict[str, Any] = {"rate": "50/s", "channels": 2000}


def told(
    *campaigns: dict[str, Any],
    clock: dict[str, Any] | None = None,
    platform: dict[str, Any] | None = None,
    carrier: dict[str, Any] | None = None,
    **parts: Any,
) -> dict[str, str]:
    """Advice by key about a scenario that would get none but for what a test lays over it."""
    times = {"zone": "America/New_York", "date": "2026-03-10", "begins": "08:00", "ends": "13:00"}
    scenario = load(
        {
            "clock": times | (clock or {}),
            "platform": ROOMY | (platform or {}),
            "carrier": CARRIER | (carrier or {}),
            "campaign": [CAMPAIGN | campaign for campaign in campaigns or ({},)],
            **parts,
        }
    )
    found = advice(scenario)
    assert len({each.key for each in found}) == len(found)
    assert all(str(each) == f"{each.key}: {each.message}" for each in found)
    return {each.key.removeprefix("campaign[t/a]."): each.message for each in found}


def test_a_plausible_scenario_gets_no_advice() -> None:
    assert told() == {}


class TestRinging:
    def test_a_ring_timeout_shorter_than_voicemail_takes_to_pick_up(self) -> None:
        assert told(platform={"ring_timeout": "20 s"}) == {
            "platform.ring_timeout": "is 20 s: 57 % of voicemail would pick up later, "
            "and count as no answer"
        }
        assert told(platform={"ring_timeout": "30 s"}) == {}


class TestTimeEnough:
    def test_a_list_that_cannot_be_dialed_inside_its_window_at_its_pace(self) -> None:
        window = {"opens": "09:00", "closes": "10:00"}
        assert told(
            {"window": window, "pacing": "5/min", "max_retry": 0, "expires_at": "12:00"}
        ) == {
            "window": "the 1,000 contacts can't all be dialed: at its pacing of 5 calls a "
            "minute that takes 3 h 20 min, and there are 1 h"
        }
        assert told({"window": window, "pacing": "20/min"}) == {}

    def test_a_list_that_cannot_be_dialed_before_expiry_at_the_dial_rate(self) -> None:
        late = told({"expires_at": "09:30", "max_retry": 0}, platform={"dial_rate": "10/min"})
        assert late["expires_at"] == (
            "the 1,000 contacts can't all be dialed: at the platform's dial rate of 10 calls a "
            "minute that takes 1 h 40 min, and there are 30 min"
        )

    @pytest.mark.parametrize(
        ("limit", "name"),
        [
            ({"platform": {"loader_rate": "10/min"}}, "the loader's rate"),
            ({"platform": {"ports": 2}}, "the pace that the platform's ports allow"),
            ({"tenant": [{"name": "t", "dial_rate": "10/min"}]}, "its tenant's dial rate"),
            (
                {"tenant": [{"name": "t", "max_simultaneous": 2}]},
                "its tenant's limit on simultaneous calls",
            ),
        ],
    )
    def test_the_slowest_limit_is_named(self, limit: dict[str, Any], name: str) -> None:
        found = told({"expires_at": "09:30", "max_retry": 0}, **limit)
        assert f"at {name} of" in found["expires_at"]

    def test_a_limit_on_simultaneous_calls(self) -> None:
        found = told({"expires_at": "09:30", "max_retry": 0, "max_simultaneous": 2})
        assert "at its limit on simultaneous calls of" in found["expires_at"]

    def test_a_window_that_is_never_open(self) -> None:
        window = {"opens": "09:00", "closes": "17:00", "days": ["sun"]}
        assert told({"window": window}) == {
            "window": "leaves no time to call anybody between start and expiry or run's end"
        }

    def test_a_list_is_looked_at_zone_by_zone(self, tmp_path: Path) -> None:
        rows = "".join(f"{200 + i}5550100,2125550101,Pacific/Honolulu\n" for i in range(112))
        path = tmp_path / "a.csv"
        path.write_text(f"destination,ani,time_zone\n{rows}9195550100,2125550101,\n")
        window = {"opens": "09:00", "closes": "17:00", "zone": "callee"}
        found = told(
            {
                "contacts": None,
                "contact_list": str(path),
                "window": window,
                "expires_at": "13:30",
                "max_retry": 0,
            }
        )
        assert found == {
            "window": "leaves no time to call anybody in Pacific/Honolulu between start and "
            "expiry or run's end"
        }


class TestRetries:
    def test_a_retry_that_can_never_happen_before_expiry(self) -> None:
        assert told({"expires_at": "09:30", "retry_interval": "30 min"}) == {
            "retry_interval": "is 30 min: no retry can come before expiry"
        }

    def test_fewer_retries_than_are_allowed(self) -> None:
        assert told({"expires_at": "10:00", "max_retry": 5}) == {
            "retry_interval": "is 30 min: only 1 of 5 retries can come before expiry"
        }

    def test_retries_wait_for_the_window_to_open(self) -> None:
        window = {"opens": "09:00", "closes": "10:00"}
        found = told({"window": window, "retry_interval": "2 h", "expires_at": "20:00"})
        assert found == {
            "retry_interval": "is 2 h: no retry can come before expiry inside the window"
        }
        days = {"latest": "2026-03-12 20:00"}
        assert told({"window": window, "retry_interval": "2 h"}, clock=days) == {}


class TestCapacity:
    def test_more_attempts_than_the_platform_can_make(self) -> None:
        found = told(platform={"ports": 1, "workers": 20})
        assert found["platform.ports"] == (
            "the attempts that are to be expected take 379 % of it from begin to end of the run: "
            "calls wait ever longer"
        )

    @pytest.mark.parametrize(
        ("parts", "key", "consequence"),
        [
            ({"platform": {"dial_rate": "2/min"}}, "platform.dial_rate", "calls wait ever longer"),
            ({"platform": {"status_work": "9 min"}}, "platform.workers", "updates lag ever more"),
            ({"carrier": {"rate": "2/min"}}, "carrier.rate", "calls are refused"),
        ],
    )
    def test_each_resource_has_its_consequence(
        self, parts: dict[str, Any], key: str, consequence: str
    ) -> None:
        assert told(**parts)[key].endswith(consequence)

    def test_fewer_channels_than_ports(self) -> None:
        assert told(carrier={"channels": 1000, "other_traffic": 0.5}) == {
            "carrier.channels": "500 are left to the platform, fewer than its 1000 ports: calls "
            "on the other ports are refused"
        }

    def test_ports_and_dial_rate_that_ask_for_more_than_the_carrier_takes(self) -> None:
        """5/s, and the ports for them: the carrier takes 3/s of them, others the rest."""
        asking = {"platform": {"dial_rate": "5/s", "ports": 1000, "workers": 20}}
        assert told(**asking, carrier={"rate": "4/s", "other_traffic": 0.25}) == {
            "carrier.rate": "while calls queue, the platform makes up to 5 attempts a second, "
            "167 % of the 3/s that other traffic leaves: up to 40 % of them are refused"
        }
        assert told(**asking, carrier={"rate": "5/s", "other_traffic": 0.0}) == {}

    def test_a_refused_attempt_frees_its_port_for_the_next_at_once(self) -> None:
        """The ports make 2.0/s while nothing is refused; once it is, the full dial rate."""
        found = told(
            platform={"dial_rate": "20/s", "ports": 120, "workers": 20},
            carrier={"rate": "1/s", "other_traffic": 0.0},
        )
        assert "makes up to 20 attempts a second, 2000 % of the 1/s" in found["carrier.rate"]

    def test_a_dial_rate_that_ports_keep_from_lasting_is_refused_in_a_spike(self) -> None:
        few = {"dial_rate": "20/s", "ports": 50, "workers": 20}
        assert told(platform=few, carrier={"rate": "10/s", "other_traffic": 0.0}) == {
            "carrier.rate": "the dial rate of 20/s is 200 % of the 10/s that other traffic "
            "leaves: until the ports are busy, up to 50 % of attempts are refused"
        }
        assert told(platform=few, carrier={"rate": "14/s", "other_traffic": 0.0}) == {}

    def test_other_traffic_counts_in_the_minute_with_most_of_it(self) -> None:
        found = told(
            platform={"dial_rate": "5/s", "ports": 300, "workers": 20},
            carrier={
                "rate": "6/s",
                "channels": 500,
                "other_traffic": 0.0,
                "other_traffic_peak": {0: 0.5, 1: 0.2},
            },
        )
        assert found == {
            "carrier.rate": "while calls queue, the platform makes up to 5 attempts a second, "
            "167 % of the 3/s that other traffic leaves in the minute with most other traffic: up "
            "to 40 % of them are refused",
            "carrier.channels": "250 are left to the platform in the minute with most other "
            "traffic, fewer than its 300 ports: calls on the other ports are refused",
        }

    @pytest.mark.parametrize(
        "limit",
        [
            {"tenant": [{"name": "t", "dial_rate": "2/s"}]},
            {"campaign": {"pacing": "2/s"}},
            {"campaign": {"contacts": None, "requests": {"rate": "2/s"}}},
        ],
    )
    def test_a_rate_that_nobody_may_ask_for_is_not_refused(self, limit: dict[str, Any]) -> None:
        campaign = {k: v for k, v in (CAMPAIGN | limit.pop("campaign", {})).items() if v}
        scenario = load(
            {
                "clock": {"date": "2026-03-10", "begins": "08:00", "ends": "13:00"},
                "platform": ROOMY | {"dial_rate": "5/s", "workers": 20},
                "carrier": CARRIER | {"rate": "3/s", "other_traffic": 0.0},
                "campaign": [campaign],
                **limit,
            }
        )
        assert [*shortages(scenario)] == []

    def test_channels_that_no_limit_lets_anybody_ask_for_are_not_missed(self) -> None:
        limit = {"max_simultaneous": 40}
        channels = {"channels": 50, "other_traffic": 0.0}
        assert "carrier.channels" not in told(limit, carrier=channels)
        found = told(limit, carrier=channels | {"channels": 30})
        assert found["carrier.channels"].startswith(
            "30 are left to the platform, fewer than the 40 simultaneous calls that its limits"
        )

    def test_limits_that_limit_nothing(self) -> None:
        assert told({"pacing": "100/s", "max_simultaneous": 5000}) == {
            "pacing": "is faster than the platform's dial rate of 20/s",
            "max_simultaneous": "is more than the platform's 1000 ports",
        }


class TestClock:
    def test_a_change_to_summer_time_inside_the_run(self) -> None:
        found = told(
            {"start": "03:30"}, clock={"date": "2026-03-08", "begins": "00:00", "ends": "06:00"}
        )
        assert found == {
            "clock.date": "the clock in America/New_York is put forward during the run: "
            "2026-03-08 02:00 becomes 03:00, so local times between them are skipped"
        }

    def test_a_change_from_summer_time_inside_the_run(self) -> None:
        found = told(
            {"start": "03:30"}, clock={"date": "2026-11-01", "begins": "00:00", "ends": "06:00"}
        )
        assert found == {
            "clock.date": "the clock in America/New_York is put back during the run: "
            "2026-11-01 02:00 becomes 01:00, so local times between them come twice"
        }

    def test_a_change_where_the_callees_are(self) -> None:
        found = told(
            {"callee_zone": "Europe/Berlin", "start": "00:30"},
            clock={"zone": "UTC", "date": "2026-03-29", "begins": "00:00", "ends": "06:00"},
        )
        assert list(found) == ["clock.date"]
        assert "Europe/Berlin" in found["clock.date"]

    def test_a_deadline_that_no_call_can_keep(self) -> None:
        assert told(study={"campaign": "a", "deadline": "09:00"}) == {
            "study.deadline": "is not after the start of the campaign under study"
        }
        assert told(study={"campaign": "a", "deadline": "2026-03-12 09:00"}) == {
            "study.deadline": "is after the latest end of the run"
        }


class TestInstants:
    @pytest.mark.parametrize(
        ("campaign", "key", "message"),
        [
            (
                {"submitted_at": "08:00", "stop_at": "08:30"},
                "stop_at",
                "is not after the start: every call is canceled before it is dialed",
            ),
            (
                {"stop_at": "2026-03-12 09:00"},
                "stop_at",
                "is not before the latest end of the run: nothing is stopped",
            ),
            (
                {"start": "2026-03-12 09:00"},
                "start",
                "is not before the latest end of the run: nothing is dialed",
            ),
            ({"start": "13:00"}, "start", "is not before the end of the run"),
        ],
    )
    def test_instants_that_come_too_soon_or_too_late(
        self, campaign: dict[str, Any], key: str, message: str
    ) -> None:
        assert told(campaign) == {key: message}

    def test_events_after_the_run(self) -> None:
        late = {"begins": "2026-03-12 09:00"}
        assert told(suspension=[late], outage=[late | {"of": "ports"}]) == {
            "suspension[0].begins": "is not before the latest end of the run",
            "outage[0].begins": "is not before the latest end of the run",
        }


class TestContacts:
    def test_rows_that_cannot_be_dialed_and_rows_that_repeat(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_text("destination\n2125550100\nx\n12125550100\n555\ny\n2125550101\n")
        entry = {"contacts": None, "contact_list": str(path)}
        assert told(entry) == {
            "contact_list": "3 of 6 rows can't be dialed and are rejected (2 not a number, "
            "1 wrong length); the first is line 3: 'x'",
            "duplicates": "rows that repeat a number of the list: 1; they are dialed again",
            "ani": "100.0 % of contacts have no caller ID: the carrier refuses 80 % of the "
            "attempts at them",
        }
        assert told(entry | {"ani": "2125550109", "duplicates": "reject"})["duplicates"] == (
            "rows that repeat a number of the list: 1; they are rejected"
        )

    def test_contacts_without_a_caller_id(self) -> None:
        assert told({"missing_ani_share": 0.25}) == {
            "missing_ani_share": "25.0 % of contacts have no caller ID: the carrier refuses 80 % "
            "of the attempts at them"
        }
        assert told({"missing_ani_share": 0.25}, carrier={"missing_ani_refusal": 0}) == {}

    def test_nobody_to_call(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_text("destination\n")
        entry = {"contacts": None, "contact_list": str(tmp_path / "a.csv")}
        assert told(entry) == {"contact_list": "there is nobody to call"}
        assert told({"contacts": 0}) == {"contacts": "there is nobody to call"}


class TestNames:
    def test_entries_that_nothing_refers_to(self) -> None:
        mine = {"human": 1, "voicemail": 1, "no_answer": 1, "busy": 0}
        found = told(
            tenant=[{"name": "u", "weight": 2}],
            endpoint=[{"name": "e"}],
            profiles={"mine": mine},
        )
        assert found == {
            "tenant[u]": "has no campaign",
            "endpoint[e]": "is the result_url of no campaign",
            "profiles.mine": "is the profile of no campaign",
        }

    def test_which_of_several_campaigns_is_studied(self) -> None:
        assert told({}, {"name": "b"}) == {
            "study.campaign": "is not given: the first campaign, 'a', is taken"
        }
        assert told({}, {"name": "b"}, study={"campaign": "b"}) == {}

    def test_no_campaign_at_all(self) -> None:
        times = {"date": "2026-03-10", "begins": "08:00", "ends": "13:00"}
        found = advice(load({"clock": times, "carrier": CARRIER}))
        assert [each.key for each in found] == ["campaign"]
