"""Values of a key between two ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outsim.errors import ScenarioError
from outsim.scenario.factors import FINE, read_range

from .test_keys import made


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
