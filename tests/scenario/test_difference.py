"""Two scenarios differ in what they mean, not in how they are written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outsim.scenario import Scenario, load
from outsim.scenario.difference import differences

SCENARIOS = Path(__file__).parents[2] / "scenarios"
CAMPAIGN: dict[str, Any] = {"name": "a", "tenant": "t", "start": "09:00", "contacts": 100}


def scenario(
    *campaigns: dict[str, Any], clock: dict[str, Any] | None = None, **parts: Any
) -> Scenario:
    """One campaign on a default platform, with parts laid over it."""
    times = {"zone": "America/New_York", "date": "2026-03-10", "begins": "08:00", "ends": "13:00"}
    entries = [CAMPAIGN | campaign for campaign in campaigns or ({},)]
    return load({"clock": times | (clock or {}), "campaign": entries, **parts})


def told(left: Scenario, right: Scenario) -> list[tuple[str, str, str]]:
    return [(each.key, each.left, each.right) for each in differences(left, right)]


def test_the_headline_pair_differs_in_one_line() -> None:
    left, right = (load(SCENARIOS / f"{name}.toml") for name in ("top-of-hour", "quarter-past"))
    ((key, at_nine, quarter_past),) = told(left, right)
    assert key.endswith(".start")
    assert (at_nine, quarter_past) == ("09:00", "09:15")


@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*.toml")), ids=lambda path: path.stem)
def test_a_scenario_does_not_differ_from_itself(path: Path) -> None:
    assert differences(load(path), load(path)) == []


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"retry_interval": "30 min"}, {"retry_interval": "1800 s"}),
        ({"retry_interval": "30 min"}, {}),
        ({"pacing": "60/min"}, {"pacing": "1/s"}),
        ({"submitted_at": "09:00"}, {}),
        ({"callee_zone": "America/New_York"}, {}),
        ({"missing_ani_share": "5 %"}, {"missing_ani_share": 0.05}),
        ({"start": "09:00"}, {"start": "2026-03-10 09:00:00"}),
        ({"message": "20 s"}, {"message": {"distribution": "constant", "value": "20000 ms"}}),
    ],
)
def test_another_way_to_write_it_is_no_difference(
    left: dict[str, Any], right: dict[str, Any]
) -> None:
    assert told(scenario(left), scenario(right)) == []


def test_neither_is_the_order_of_entries_or_the_name() -> None:
    left = scenario({}, {"name": "b"}, name="one", study={"campaign": "a"})
    right = scenario({"name": "b"}, {}, name="two", study={"campaign": "t/a"})
    assert told(left, right) == []


def test_profiles_differ_by_their_shares() -> None:
    thirds = {"human": 1, "voicemail": 1, "no_answer": 1, "busy": 0}
    left = scenario({"profile": "mine"}, profiles={"mine": thirds})
    same = scenario(
        {"profile": "mine"}, profiles={"mine": {key: 7 * each for key, each in thirds.items()}}
    )
    other = scenario({"profile": "mine"}, profiles={"mine": thirds | {"busy": 1}})
    assert told(left, same) == []
    assert told(left, other) == [
        (
            "profiles.mine",
            "human 33.3 %, voicemail 33.3 %, no_answer 33.3 %, busy 0.0 %, invalid 0.0 %",
            "human 25.0 %, voicemail 25.0 %, no_answer 25.0 %, busy 25.0 %, invalid 0.0 %",
        )
    ]


def test_a_profile_that_nobody_uses_means_nothing() -> None:
    unused = {"mine": {"human": 1, "voicemail": 1, "no_answer": 1, "busy": 0}}
    assert told(scenario(), scenario(profiles=unused)) == []


@pytest.mark.parametrize(
    ("left", "right", "difference"),
    [
        ({}, {"expires_at": "12:00"}, ("expires_at", "none", "12:00")),
        (
            {"start": "09:00"},
            {"start": "2026-03-11 00:30:05", "contacts": 100},
            ("start", "09:00", "00:30:05 (+1 d)"),
        ),
        ({}, {"max_retry": 0}, ("max_retry", "2", "0")),
        (
            {},
            {"window": {"opens": "09:00", "closes": "24:00"}},
            ("window", "none", "opens 09:00, closes 24:00"),
        ),
        (
            {"window": {"opens": "09:00", "closes": "17:00"}},
            {"window": {"opens": "09:00", "closes": "18:00"}},
            ("window.closes", "17:00", "18:00"),
        ),
        (
            {"message": "21115 ms"},
            {"message": "21114 ms"},
            ("message", "21115 ms", "21114 ms"),
        ),
        (
            {"message": "20 s"},
            {"message": {"distribution": "exponential", "mean": "20 s"}},
            ("message", "20 s", "exponential mean 20 s"),
        ),
    ],
)
def test_a_campaign_that_differs(
    left: dict[str, Any], right: dict[str, Any], difference: tuple[str, str, str]
) -> None:
    key, *values = difference
    assert told(scenario(left), scenario(right)) == [(f"campaign[t/a].{key}", *values)]


def test_a_campaign_that_only_one_has_is_one_difference() -> None:
    assert told(scenario(), scenario({}, {"name": "b", "contacts": 7})) == [
        ("campaign[t/b]", "not there", "tenant t, start 09:00, contacts 7")
    ]


def test_parts_that_only_one_has() -> None:
    right = scenario(
        background={"tenants": 3},
        tenant=[{"name": "t", "weight": 2}],
        endpoint=[{"name": "e"}],
        outage=[{"of": "ports", "count": 5, "begins": "09:00"}],
        suspension=[{"begins": "09:00", "ends": "09:30"}],
    )
    assert told(scenario(), right) == [
        ("tenant[t]", "not there", "weight 2"),
        ("endpoint[e]", "not there", "defaults"),
        ("suspension[begins 09:00, ends 09:30]", "not there", "there"),
        ("outage[of ports, count 5, begins 09:00]", "not there", "there"),
        ("background", "not there", "tenants 3"),
    ]


def test_another_day_is_one_difference() -> None:
    assert told(scenario(), scenario(clock={"date": "2026-03-11"})) == [
        ("clock.date", "2026-03-10", "2026-03-11")
    ]


def test_lists_differ_by_their_rows(tmp_path: Path) -> None:
    for name, number in (("a", 2125550100), ("b", 2125550100), ("c", 2125550101)):
        (tmp_path / f"{name}.csv").write_text(f"destination\n{number}\n")
    a, b, c = (
        scenario({"contacts": None, "contact_list": str(tmp_path / f"{name}.csv")})
        for name in "abc"
    )
    assert told(a, b) == []
    ((key, left, right),) = told(a, c)
    assert key == "campaign[t/a].contact_list"
    assert left.endswith("a.csv (rows: 1)")
    assert right.endswith("c.csv (rows: 1)")


@given(
    ports=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    retries=st.tuples(st.integers(0, 3), st.integers(0, 3)),
)
def test_there_is_a_difference_exactly_where_values_differ(
    ports: tuple[int, int], retries: tuple[int, int]
) -> None:
    left, right = (
        scenario({"max_retry": retries[side]}, platform={"ports": ports[side]}) for side in (0, 1)
    )
    wanted = []
    if ports[0] != ports[1]:
        wanted.append(("platform.ports", str(ports[0]), str(ports[1])))
    if retries[0] != retries[1]:
        wanted.append(("campaign[t/a].max_retry", str(retries[0]), str(retries[1])))
    assert told(left, right) == wanted
