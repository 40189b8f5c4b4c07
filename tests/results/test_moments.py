"""A run is asked about moments of its own: by clock time, and not outside it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from outsim.errors import MomentError
from outsim.results.checkpoint import simulate
from outsim.results.result import Result
from outsim.scenario import load


@pytest.fixture(scope="module")
def result() -> Result:
    return simulate(
        load(
            {
                "clock": {
                    "zone": "America/Chicago",
                    "date": "2026-03-10",
                    "begins": "09:00",
                    "ends": "10:00",
                    "latest": "10:00",
                },
                "campaign": [{"name": "c", "tenant": "t", "start": "09:00", "contacts": 40}],
            }
        )
    )


def test_a_clock_time_is_that_of_the_runs_day_and_zone(result: Result) -> None:
    assert result.local_time("09:11") == datetime(2026, 3, 10, 14, 11, tzinfo=UTC)
    assert result.status_page("09:00:20").equals(
        result.status_page(datetime(2026, 3, 10, 14, 0, 20, tzinfo=UTC))
    )


@pytest.mark.parametrize(
    "at", ["08:59", "10:01", "2030-01-01 00:00", "25:00", "noon", datetime(2026, 3, 10, 9, 30)]
)
def test_what_is_no_moment_of_the_run_is_refused(result: Result, at: str | datetime) -> None:
    with pytest.raises(MomentError):
        result.status_page(at)
