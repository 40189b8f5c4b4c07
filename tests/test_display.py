"""How figures are written: units people think in, and no digit too many."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from outsim.display import (
    NO_DIFFERENCE,
    UNKNOWN,
    explain_missing,
    format_estimate,
    format_figure,
    format_half_width,
    unit_of,
)
from outsim.estimates import SHARE, Estimate, estimate
from outsim.results.measures import Measure

NINE = datetime(2026, 3, 10, 9, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")
UNITS = {"min": 60.0, "s": 1.0, "ms": 0.001, "%": 0.01, "points": 0.01, "": 1.0}

SHOWN = re.compile(r"([-+]?[\d,]+(?:\.(\d+))?) ± ([\d,]+(?:\.(\d+))?) ?([a-z%]*)")
CLOCK = re.compile(r"(\d\d):(\d\d)(?::(\d\d))?(?: \(\+(\d+) d\))? ± (\d+) (s|min)")

means = st.floats(-1e5, 1e5)
half_widths = st.floats(1e-6, 1e5)
kinds = st.sampled_from(["share", "seconds", "number"])


def shown(kind: str, mean: float, half: float, *, signed: bool = False) -> str:
    return format_estimate(kind, Estimate(mean, half, 8), NINE, signed=signed)


def read_back(text: str) -> tuple[float, float, float]:
    """Mean, half-width and the worth of the last digit, as a reader takes them."""
    match = SHOWN.fullmatch(text)
    assert match is not None, text
    mean, decimals, half, same_decimals, unit = match.groups()
    assert decimals == same_decimals or len(decimals or "") == len(same_decimals or "")
    size = UNITS[unit]
    step = 10.0 ** -len(decimals or "")
    return float(mean.replace(",", "")) * size, float(half.replace(",", "")) * size, step * size


@given(kinds, means, half_widths, st.booleans())
def test_what_is_shown_differs_from_the_estimate_by_its_rounding_at_most(kind, mean, half, signed):
    text = shown(kind, mean, half, signed=signed)
    assume("±" in text or not signed)  # both ends, where rounding would put 0 between them
    mean_back, half_back, step = read_back(text)
    assert abs(mean_back - mean) <= step * 0.501 + 1e-9
    assert abs(half_back - half) <= step * 0.501 + 1e-9


@given(kinds, means, half_widths)
def test_no_digit_is_finer_than_the_second_of_the_half_width(kind, mean, half):
    text = shown(kind, mean, half)
    digits = SHOWN.fullmatch(text)[3].replace(",", "")
    if "." in digits:
        assert len(digits.replace(".", "").lstrip("0")) <= 2, text


@given(means, half_widths)
def test_times_are_in_the_unit_of_the_larger_figure(mean, half):
    larger, unit = max(abs(mean), half), shown("seconds", mean, half).split()[-1]
    assert unit == ("min" if larger >= 120 else "s" if larger >= 0.1 else "ms")


@pytest.mark.parametrize(
    ("kind", "mean", "half", "text"),
    [
        ("share", 0.6843, 0.0121, "68.4 ± 1.2 %"),
        ("share", 0.6843, 0.121, "68 ± 12 %"),
        ("share", 0.68434, 0.00121, "68.43 ± 0.12 %"),
        ("share", 0.6843, 0.0996, "68 ± 10 %"),
        ("seconds", 436.2, 33.0, "7.27 ± 0.55 min"),
        ("seconds", 11.84, 0.32, "11.84 ± 0.32 s"),
        ("seconds", 0.0119, 0.0032, "11.9 ± 3.2 ms"),
        ("seconds", 0.02, 12.0, "0 ± 12 s"),
        ("number", 1234.56, 210.0, "1,235 ± 210"),
        ("number", 1.527, 0.12, "1.53 ± 0.12"),
        ("clock", 736.4, 8.2, "09:12:16 ± 9 s"),
        ("clock", 5400.0, 95.0, "10:30 ± 2 min"),
    ],
)
def test_an_estimate_reads_as_people_write_it(kind, mean, half, text):
    assert shown(kind, mean, half) == text


@pytest.mark.parametrize(
    ("kind", "mean", "half", "text"),
    [
        ("share", 0.021, 0.012, "+2.1 ± 1.2 points"),
        ("share", -0.021, 0.012, "-2.1 ± 1.2 points"),
        ("seconds", -90.0, 31.0, "-90 ± 31 s"),
        ("clock", 780.0, 120.0, "+13.0 ± 2.0 min"),
        ("number", -0.2, 45.0, "+0 ± 45"),
        ("clock", 0.0, 0.0, NO_DIFFERENCE),
    ],
)
def test_a_difference_has_its_sign(kind, mean, half, text):
    """Of clock times it is a duration, and of shares it is points."""
    assert shown(kind, mean, half, signed=True) == text


@pytest.mark.parametrize(
    ("kind", "mean", "low", "high", "text"),
    [
        ("share", -0.0366, -0.0836, -0.00054, "-3.7 (-8.4 to -0.1) points"),
        ("share", -0.0366, -0.0747, -0.0001, "-3.7 (-7.5 to -0.01) points"),
        ("share", -0.0366, -0.0835, 0.00054, "-3.7 ± 4.7 points"),
        ("seconds", -378.0, -852.0, -30.0, "-6.3 (-14.2 to -0.5) min"),
        ("number", 3.02, 0.04, 6.0, "+3.0 (+0.04 to +6.0)"),
        ("number", 0.04, 0.01, 9.0, "+0.04 (+0.01 to +9.0)"),
    ],
)
def test_a_clear_difference_is_shown_by_an_interval_without_0(kind, mean, low, high, text):
    difference = Estimate.between(mean, low, high, 6)
    assert format_estimate(kind, difference, NINE, signed=True) == text


@pytest.mark.parametrize(
    ("kind", "mean", "low", "high", "text"),
    [
        ("share", 0.0054, 0.0011, 0.0122, "0.54 (0.11 to 1.22) %"),
        ("share", 0.9985, 0.9945, 0.9999, "99.85 (99.45 to 99.99) %"),
        ("share", 0.5, 0.45, 0.56, "50.0 ± 6.0 %"),
        ("seconds", 3.0, 0.2, 24.0, "3 (0 to 24) s"),
        ("number", 5.0, 1.2, 27.0, "5 (1 to 27)"),
        ("clock", 3600.0, 3500.0, 4500.0, "10:00 (09:58 to 10:15)"),
    ],
)
def test_an_interval_that_lies_unevenly_is_shown_by_its_ends(kind, mean, low, high, text):
    """Also where the longer side, said of both, would be an impossible figure."""
    assert format_estimate(kind, Estimate.between(mean, low, high, 20), NINE) == text


RARE = {
    "100.0 % (all 20 runs)": ("share", [1.0] * 20, 0),
    "99.8 % (all over 99.5 %)": ("share", [0.9983, 0.9981] * 10, 0),
    "5 % (1 of 20 over 0.5 %)": ("share", [0.0] * 19 + [1.0], 0),
    "0 s (all under 5 s)": ("seconds", [0.15, 0.1501, 0.1499, 0.15], 0),
    "6 s (1 of 20 over 5 s)": ("seconds", [0.0] * 19 + [120.0], 0),
    "none": ("seconds", [0.0] * 20, 1),
    "under 5 s": ("seconds", [0.003, -0.002] * 10, 1),
    "+6 s (1 of 20 beyond 5 s)": ("seconds", [0.0] * 19 + [120.0], 1),
    "+15.0 min (all 20 runs)": ("clock", [900.0] * 20, 1),
}


@pytest.mark.parametrize("text", RARE)
def test_what_is_known_stands_in_the_place_of_an_interval(text):
    kind, figures, signed = RARE[text]
    support = Measure("m", "m", kind, len, "maximize").support
    support = support.of_difference if signed else support
    found = estimate(np.array(figures), support=support)
    assert format_estimate(kind, found, NINE, signed=bool(signed)) == text


def test_it_says_what_so_few_runs_can_know():
    none, one = (estimate(np.array([0.0] * 19 + [last]), support=SHARE) for last in (0.0, 1.0))
    assert "none of 20 runs met may still come in up to 14 % of days (95 %)" in explain_missing(
        [none]
    )
    assert "an interval takes some 160 runs" in explain_missing([none, one])
    assert explain_missing([Estimate(0.5, 0.1, 20)]) == ""


def test_estimates_side_by_side_have_one_unit():
    lags = [Estimate(380.0, 4.0, 20), Estimate(55.2, 0.7, 20)]
    unit = unit_of("seconds", lags)
    texts = [format_estimate("seconds", each, NINE, unit=unit) for each in lags]
    assert texts == ["6.333 ± 0.067 min", "0.920 ± 0.012 min"]


def test_what_floating_point_leaves_behind_is_no_figure():
    """Five minutes in every replication, less the last bit in one of them."""
    half = 1.8e-13
    assert shown("clock", 299.99999999999994, half, signed=True) == "+5.0 ± 0.0 min"
    assert shown("share", 1e-17, 2e-17, signed=True) == NO_DIFFERENCE


def test_figures_that_no_replication_gave_are_not_made_up():
    unknown = Estimate(math.nan, math.nan, 0, n_missing=8)
    kinds_and_signs = [(kind, sign) for kind in ("share", "clock", "number") for sign in (0, 1)]
    texts = {format_estimate(k, unknown, NINE, signed=bool(s)) for k, s in kinds_and_signs}
    assert texts == {UNKNOWN}
    assert {format_figure(kind, math.nan, NINE) for kind, _ in kinds_and_signs} == {UNKNOWN}


@pytest.mark.parametrize(
    ("kind", "text"), [("share", "50.0 %"), ("seconds", "0.5 s"), ("number", "0.5")]
)
def test_one_replication_has_a_mean_and_no_interval(kind, text):
    assert format_estimate(kind, Estimate(0.5, math.nan, 1), NINE) == text


@given(st.floats(0, 3 * 86400), half_widths, st.integers(0, 59))
def test_a_clock_time_is_read_back_within_its_rounding(seconds, half, begin_second):
    begins = NINE + timedelta(seconds=begin_second)
    match = CLOCK.fullmatch(format_estimate("clock", Estimate(seconds, half, 8), begins))
    assert match is not None
    hour, minute, second, days, half_back, unit = match.groups()
    read = datetime(2026, 3, 10, int(hour), int(minute), int(second or 0), tzinfo=UTC)
    read += timedelta(days=int(days or 0))
    step = 1 if unit == "s" else 60
    assert abs((read - begins).total_seconds() - seconds) <= step / 2 + 1e-6
    assert half <= int(half_back) * step < half + step
    assert (unit == "s") == (half < 60)


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("share", 0.78333, "78.3 %"),
        ("seconds", 436.0, "7 min 16 s"),
        ("seconds", 0.693, "693 ms"),
        ("clock", 740.4, "09:12:20"),
        ("clock", 15 * 3600.0 + 90, "00:01:30 (+1 d)"),
        ("number", 1.5, "1.5"),
        ("number", 12345.0, "12,345"),
    ],
)
def test_a_figure_of_one_run_is_shown_as_it_happened(kind, value, text):
    assert format_figure(kind, value, NINE) == text


def test_clock_times_are_local_across_a_change_to_summer_time():
    """An hour and a half after 01:00 the clock shows 03:30: 02:30 never comes that night."""
    begins = datetime(2026, 3, 8, 1, tzinfo=NEW_YORK)
    assert format_figure("clock", 5400.0, begins) == "03:30:00"
    assert format_estimate("clock", Estimate(5400.0, 3.0, 8), begins) == "03:30:00 ± 3 s"


@given(kinds, half_widths)
def test_a_half_width_alone_is_as_an_estimate_has_it(kind, half):
    """The same figure in the same unit as behind the sign of an estimate around 0."""
    estimated = shown(kind, 0.0, half, signed=True)
    assert format_half_width(kind, half) == estimated.partition(" ± ")[2]


def test_no_half_width_at_all_is_told_as_it_is():
    assert [format_half_width(kind, 0.0) for kind in ("share", "number")] == ["0.0 points", "0.0"]
