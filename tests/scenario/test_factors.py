"""What a sweep varies: every assumption has a range, or a reason why it has none."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outsim.errors import ScenarioError
from outsim.scenario import Scenario, load
from outsim.scenario.defaults import DEFAULTS
from outsim.scenario.factors import FINE, Factor, Range, assumed, check, read_factor, read_range

from .test_keys import made

FILES = sorted(Path("scenarios").glob("*.toml"))

CLOCK = {"date": "2026-03-10", "begins": "09:00", "ends": "11:00"}


def everything(**parts) -> Scenario:
    """A scenario that rests on every default there is, but for what `parts` says."""
    campaign = {"tenant": "acme", "start": "09:00", "contacts": 3, "result_url": "page"}
    mapping = {
        "clock": CLOCK,
        "campaign": [campaign | {"name": name} for name in ("calls", "news")],
        "endpoint": [{"name": "page"}],
        "background": {},
    }
    return load(mapping | parts)


def by_name(scenario: Scenario) -> dict[str, Factor]:
    return {factor.name: factor for factor in assumed(scenario).factors}


# Assumptions


def test_every_default_graded_a_is_swept_or_told_why_not():
    graded = {key for key, entry in DEFAULTS.items() if entry.grade == "A"}
    found = assumed(everything())
    swept = {factor.name.removesuffix(".median") for factor in found.factors}
    left_out = dict(found.left_out)
    assert swept | set(left_out) == graded
    assert not swept & set(left_out)
    assert all(left_out.values())


def test_nothing_but_assumptions_is_swept():
    names = {factor.name.removesuffix(".median") for factor in assumed(everything()).factors}
    assert {DEFAULTS[name].grade for name in names} == {"A"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_both_ends_and_the_middle_of_each_range_can_be_run(path):
    scenario = load(path)
    for factor in assumed(scenario).factors:
        made = [scenario.with_(factor.changes(position)) for position in (0.0, 0.5, 1.0)]
        assert made[0] != made[2], factor.name


def test_a_range_holds_the_default_that_it_is_about():
    """Plain numbers and durations, whose value stands in the range's own unit."""
    scenario = everything()
    for factor in assumed(scenario).factors:
        if factor.settings is None and not factor.name.endswith(".median"):
            key = factor.name
            own = read_factor(f"{key}={factor.text(0)}:{factor.text(1)}", scenario)
            part, _, name = key.partition(".")
            value = getattr(getattr(scenario, part), name)
            ends = [
                getattr(getattr(scenario.with_(own.changes(p)), part), name) for p in (0.0, 1.0)
            ]
            plain = [getattr(each, "value", each) for each in (*ends, value)]
            assert plain[0] <= plain[2] <= plain[1], key


def test_ranges_are_those_of_the_dialing_facts():
    factors = by_name(everything())
    ends = {
        "platform.ports": "100 to 2000",
        "platform.loader_rate": "50/s to 5000/s",
        "platform.workers": "1 to 3",
        "platform.dial_work": "5 ms to 100 ms",
        "carrier.other_traffic": "0 % to 60 %",
        "callees.early_hang_up": "0 % to 50 %",
        "endpoint.latency.median": "50 ms to 5 s",
        "background.campaigns_per_hour": "4 to 30",
    }
    assert {name: factors[name].ends for name in ends} == ends
    assert {factors[name].source for name in ends} == {"dialing facts"}


def test_where_the_facts_give_no_range_it_is_half_to_double_and_says_so():
    burst = by_name(everything())["platform.dial_burst"]
    assert (burst.ends, burst.source) == ("10 to 40", "none given: half to double")


@pytest.mark.parametrize(
    ("name", "share_of"),
    [
        ("background.start_minutes", lambda made: _share(made.background.start_minutes, "top")),
        ("profiles.known_list", lambda made: _share(made.all_profiles["known_list"], "human")),
    ],
)
@given(position=st.floats(0, 1))
def test_a_share_among_weights_is_that_share(name, share_of, position):
    scenario = everything()
    factor = by_name(scenario)[name]
    made = scenario.with_(factor.changes(position))
    assert share_of(made) == pytest.approx(factor.value(position) / 100, abs=1e-4)


def _share(weights, name: str) -> float:
    found = weights.model_dump()
    return found[name] / sum(found.values())


def test_the_peak_of_other_traffic_goes_from_none_to_what_the_facts_name():
    scenario = everything()
    factor = by_name(scenario)["carrier.other_traffic_peak"]
    peaks = [
        scenario.with_(factor.changes(position)).carrier.other_traffic_peak
        for position in (0.0, 0.5, 1.0)
    ]
    assert peaks[0] == {}
    assert peaks[1] == pytest.approx({0: 0.175, 1: 0.15, 2: 0.1, 3: 0.05})
    assert peaks[2] == pytest.approx({0: 0.35, 1: 0.3, 2: 0.2, 3: 0.1})


def test_a_default_of_an_endpoint_is_changed_in_all_that_rest_on_it():
    scenario = everything(
        endpoint=[{"name": "page"}, {"name": "other"}, {"name": "own", "timeout": "7 s"}]
    )
    made = scenario.with_(by_name(scenario)["endpoint.timeout"].changes(1.0))
    assert [each.timeout for each in made.endpoint] == [10_000_000, 10_000_000, 7_000_000]


def test_what_one_of_two_scenarios_says_by_itself_is_left_out_and_told():
    own, silent = everything(platform={"ports": 50}), everything()
    for pair in ((own, silent), (silent, own)):
        found = assumed(*pair)
        assert "platform.ports" not in {factor.name for factor in found.factors}
        assert dict(found.left_out)["platform.ports"] == "one of the scenarios says what it is"


# Positions


@given(
    low=st.integers(1, 1000),
    width=st.integers(1, 100_000),
    positions=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    whole=st.booleans(),
    log=st.booleans(),
)
def test_values_stay_in_their_range_and_in_the_order_of_positions(
    low, width, positions, whole, log
):
    factor = Factor(Range("x", low, low + width, "", whole), is_log=log)
    assert (factor.value(0), factor.value(1)) == (low, low + width)
    first, second = (factor.value(position) for position in sorted(positions))
    assert low <= first <= second <= low + width
    assert not whole or first == int(first)


def test_equal_steps_of_a_wide_range_are_equal_factors():
    factor = Factor(Range("x", 1, 10_000, "", True), is_log=True)
    assert [factor.value(k / 4) for k in range(5)] == [1, 10, 100, 1000, 10_000]


@given(st.integers(2, 9), st.floats(0, 1))
def test_each_level_stands_for_an_equal_part_of_the_positions(levels, position):
    factor = Factor(Range("x", 0, levels - 1, "", True, levels))
    assert factor.value(factor.level(position)) == min(levels - 1, int(position * levels))


def test_a_key_is_given_once():
    scenario = everything()
    ports = read_factor("platform.ports=10:20", scenario)
    with pytest.raises(ScenarioError, match=r"platform\.ports: given 2 times"):
        check([ports, ports], [scenario])


# Ranges of keys


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("platform.ports=100:103", ["100", "101", "102", "103"]),
        ("platform.ports=100:200:3", ["100", "150", "200"]),
        ("platform.ports = 100 : 200 : 3", ["100", "150", "200"]),
        ("platform.dial_rate=5/s:8/s", ["5/s", "6/s", "7/s", "8/s"]),
        ("platform.dial_rate=5:8/s", ["5/s", "6/s", "7/s", "8/s"]),
        ("platform.ring_timeout=30 s:1 min:4", ["30 s", "40 s", "50 s", "60 s"]),
        ("platform.lost_updates=1%:3%", ["1 %", "2 %", "3 %"]),
        ("callees.hour_factors.morning=0:1:3", ["0", "0.5", "1"]),
        ("campaign[news].start=09:15:09:45:3", ["09:15", "09:30", "09:45"]),
    ],
)
def test_a_range_has_the_values_that_its_unit_counts(text: str, values: list[str]) -> None:
    found = read_range(text, made())
    assert [found.text(value) for value in found.values()] == values


def test_parts_of_a_unit_are_many_steps() -> None:
    assert len(read_range("platform.lost_updates=0.01:0.5", made()).values()) == FINE
    assert len(read_range("callees.hour_factors.morning=0:1", made()).values()) == FINE


@given(st.integers(1, 400), st.integers(1, 400), st.integers(2, 50))
def test_values_rise_from_end_to_end_and_all_of_them_can_be_used(
    low: int, width: int, count: int
) -> None:
    scenario = made()
    found = read_range(f"platform.ports={low}:{low + width}", scenario)
    values = found.values(count)
    assert values[0] == low
    assert values[-1] == low + width
    assert list(values) == sorted(set(values))
    assert len(values) <= count
    middle = values[len(values) // 2]
    assert found.set_in(scenario, middle).platform.ports == middle


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("platform.ports", "write KEY=LOW:HIGH"),
        ("=1:2", "write KEY=LOW:HIGH"),
        ("platform.ports=1", "found '1' for the ends"),
        ("platform.ports=1:2:3:4", "for the ends"),
        ("platform.ports=x:y", "for the ends"),
        ("platform.ports=5:1", "the low end must be less"),
        ("platform.ports=5:5", "the low end must be less"),
        ("platform.ports=0:5", "found 0; must be at least 1"),
        ("platform.ports=1:5:1", "found '1' for how many values; write 2 or more"),
        ("platform.portz=1:5", 'did you mean "ports"?'),
        ("platform.dial_rate=1:5", "write a rate with a unit"),
        ("platform.ring_timeout=1 week:5 min", "found the unit 'week'"),
        ("campaign[news].start=09:15:10:15", "expires_at"),
    ],
)
def test_a_mistake_is_named_with_what_is_allowed(text: str, message: str) -> None:
    with pytest.raises(ScenarioError) as error:
        read_range(text, made())
    assert message in str(error.value)
