"""Durations, rates, shares and clock times: what people write, and the integers behind it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outsim.clock import (
    DAY,
    HOUR,
    MILLISECOND,
    MINUTE,
    RATE_SECONDS,
    SECOND,
    after,
    existing,
    format_duration,
    format_rate,
    local_segments,
    microseconds_between,
    parse_clock_time,
    parse_duration_us,
    parse_rate,
    parse_share,
)

NEW_YORK = ZoneInfo("America/New_York")
UNITS = {"us": 1, "ms": MILLISECOND, "s": SECOND, "min": MINUTE, "h": HOUR, "d": DAY}


class TestDurations:
    @given(count=st.integers(1, 10_000), unit=st.sampled_from(sorted(UNITS)), space=st.booleans())
    def test_a_number_with_a_unit(self, count: int, unit: str, space: bool) -> None:
        assert parse_duration_us(f"{count}{' ' * space}{unit}") == count * UNITS[unit]

    @given(hours=st.integers(0, 99), minutes=st.integers(0, 59), seconds=st.integers(0, 59))
    def test_parts_add_up(self, hours: int, minutes: int, seconds: int) -> None:
        text = f"{hours} h {minutes} min, {seconds} s"
        assert parse_duration_us(text) == hours * HOUR + minutes * MINUTE + seconds * SECOND

    @pytest.mark.parametrize(
        ("text", "duration"),
        [
            ("1.5 h", 90 * MINUTE),
            ("2 Minutes", 2 * MINUTE),
            ("1_000 s", 1000 * SECOND),
            ("350 µs", 350),
            ("0.5 us", 0),
        ],
    )
    def test_other_ways_to_write_them(self, text: str, duration: int) -> None:
        assert parse_duration_us(text) == duration

    @pytest.mark.parametrize(
        "text", ["", "10", "min", "10 mn", "1,5 h", "-3 s", "10 min x", "1e3 s"]
    )
    def test_what_is_no_duration(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"^found "):
            parse_duration_us(text)

    @pytest.mark.parametrize(
        ("duration", "text"),
        [
            (0, "0 us"),
            (350, "350 us"),
            (350 * MILLISECOND, "350 ms"),
            (12_500 * MILLISECOND, "12.5 s"),
            (3 * MINUTE + 20 * SECOND, "3 min 20 s"),
            (30 * MINUTE, "30 min"),
            (2 * HOUR + 5 * MINUTE, "2 h 5 min"),
            (-90 * SECOND, "-1 min 30 s"),
            (float("nan"), "-"),
        ],
    )
    def test_how_they_are_shown(self, duration: float, text: str) -> None:
        assert format_duration(duration) == text

    @given(seconds=st.integers(1, 59), minutes=st.integers(0, 59))
    def test_what_is_shown_can_be_read_again(self, seconds: int, minutes: int) -> None:
        duration = minutes * MINUTE + seconds * SECOND
        assert parse_duration_us(format_duration(duration)) == duration


class TestRatesAndShares:
    @given(count=st.integers(1, 100_000), unit=st.sampled_from(["s", "min", "h"]))
    def test_rates_count_tokens_per_million_seconds(self, count: int, unit: str) -> None:
        exact = Fraction(count * RATE_SECONDS, UNITS[unit] // SECOND)
        assert abs(parse_rate(f"{count}/{unit}") - exact) <= Fraction(1, 2)

    @pytest.mark.parametrize(
        "text", ["90/min", "90 a minute", "90 per min", "1.5/s", "5400 an hour"]
    )
    def test_the_same_rate_in_other_words(self, text: str) -> None:
        assert parse_rate(text) == 1_500_000

    @pytest.mark.parametrize("text", ["", "20", "20/", "20 s", "/s", "20/day", "-3/s", "x/s"])
    def test_what_is_no_rate(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"^found "):
            parse_rate(text)

    def test_how_rates_are_shown(self) -> None:
        assert format_rate(parse_rate("20/s")) == "20/s"
        assert format_rate(parse_rate("30/min")) == "30/min"

    def test_shares_are_percentages(self) -> None:
        assert parse_share("2 %") == 0.02
        assert parse_share("12.5%") == 0.125
        for text in ("2", "2 percent", "-2 %", "%"):
            with pytest.raises(ValueError, match=r"^found "):
                parse_share(text)


class TestClockTimes:
    def test_a_time_without_a_date_falls_on_the_given_day(self) -> None:
        local = parse_clock_time("9:15", date(2026, 3, 10), NEW_YORK)
        assert local == datetime(2026, 3, 10, 13, 15, tzinfo=UTC)

    def test_a_date_seconds_and_fractions_may_be_given(self) -> None:
        local = parse_clock_time("2026-03-11T09:15:30.25", date(2026, 3, 10), NEW_YORK)
        assert local == datetime(2026, 3, 11, 13, 15, 30, 250_000, tzinfo=UTC)

    @pytest.mark.parametrize(
        "text", ["", "9", "9 am", "25:00", "09:60", "2026-02-30 09:00", "now"]
    )
    def test_what_is_no_clock_time(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"^found "):
            parse_clock_time(text, date(2026, 3, 10), NEW_YORK)

    def test_an_hour_that_summer_time_skips_does_not_exist(self) -> None:
        with pytest.raises(ValueError, match="the clock is put forward over it"):
            existing(datetime(2026, 3, 8, 2, 30, tzinfo=NEW_YORK))

    def test_an_hour_that_comes_twice_means_the_first_time(self) -> None:
        local = existing(datetime(2026, 11, 1, 1, 30, tzinfo=NEW_YORK))
        assert microseconds_between(datetime(2026, 11, 1, 5, 30, tzinfo=UTC), local) == 0

    def test_a_year_at_the_edge_of_time_is_out_of_range(self) -> None:
        with pytest.raises(ValueError, match="out of range"):
            existing(datetime(1, 1, 1, tzinfo=ZoneInfo("Asia/Tokyo")))

    @given(elapsed=st.integers(0, 400 * DAY))
    def test_elapsed_time_is_real_time_across_clock_changes(self, elapsed: int) -> None:
        begins = datetime(2026, 1, 1, 8, tzinfo=NEW_YORK)
        assert microseconds_between(begins, after(begins, elapsed)) == elapsed

    @given(
        zone=st.sampled_from(
            ["America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Europe/Berlin", "UTC"]
        ),
        day=st.dates(date(2026, 1, 1), date(2026, 12, 28)),
        minute=st.integers(0, 24 * 60 - 1),
        instants=st.lists(st.integers(0, 2 * DAY), min_size=1, max_size=5),
    )
    def test_every_instant_lies_in_the_segment_of_its_local_hour(
        self, zone: str, day: date, minute: int, instants: list[int]
    ) -> None:
        begins = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=minute)
        starts, hours = local_segments(begins, 2 * DAY, ZoneInfo(zone))
        assert starts[0] <= 0
        assert len(starts) == len(hours)
        for instant in instants:
            segment = int((starts <= instant).sum()) - 1
            local = after(begins, instant).astimezone(ZoneInfo(zone))
            assert hours[segment] == (local.weekday(), local.hour)
