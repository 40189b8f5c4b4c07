"""What a scenario says of its load by hour and weekday that is unlikely to be meant."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from outsim.scenario import load
from outsim.scenario.lint import advice

CLASS = {"name": "banks", "kind": "batch", "tenants": 2, "contacts": 5}


def warned(*campaigns: dict[str, Any], **parts: Any) -> list[str]:
    """What is said of a Tuesday's hour, about load and what comes again."""
    clock = {"date": date(2026, 3, 10), "begins": "09:00", "ends": "10:00"}
    lists = [{"name": "a", "tenant": "t", "start": "09:00", "contacts": 5} | c for c in campaigns]
    scenario = load({"clock": clock, "campaign": lists} | parts)
    keys = ("load", "background.tenant_class", "suspension")
    return [
        str(warning)
        for warning in advice(scenario)
        if warning.key.startswith(keys) or warning.key.endswith("repeats")
    ]


def test_load_does_not_scale_a_contact_list(tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("destination\n2125550100\n")
    listed = {"contacts": None, "contact_list": str(rows)}
    assert warned(listed, load=4) == ["load: is 4, and does not scale a contact list: that of t/a"]
    assert warned(listed) == []


def test_load_does_not_scale_recorded_requests() -> None:
    recorded = {"contacts": None, "requests": {"times_s": [1.0]}}
    assert warned({}, recorded | {"name": "b"}, load=0.5) == [
        "load: is 0.5, and does not scale recorded requests: that of t/b"
    ]


@pytest.mark.parametrize(
    "rates",
    [
        {"rate_by_hour": {20: "6/h"}},
        {"rate": "6/h", "rate_by_weekday": {"tue": 0}},
        {"rate": "6/h", "repeats": ["wed"]},
    ],
)
def test_a_class_that_brings_nothing(rates: dict[str, Any]) -> None:
    background = {"tenant_class": [CLASS | rates]}
    assert warned({}, background=background) == [
        "background.tenant_class[banks]: brings no lists: the run has none of the hours and "
        "weekdays that have a rate"
    ]
    assert warned({}, background={"tenant_class": [CLASS | {"rate": "6/h"}]}) == []


def test_what_repeats_and_comes_once() -> None:
    assert warned({"repeats": ["tue", "fri"]}) == [
        "campaign[t/a].repeats: it comes once: the run has no other day of tue, fri"
    ]
    assert warned({"repeats": ["tue", "wed"]}, clock=_two_days()) == []


def test_a_suspension_that_comes_again_before_it_ends() -> None:
    again = {"begins": "09:00", "ends": "2026-03-11 09:00", "repeats": ["tue", "wed"]}
    (warning,) = warned({}, suspension=[again], clock=_two_days())
    assert "it comes again meanwhile" in warning


def _two_days() -> dict[str, Any]:
    return {"date": date(2026, 3, 10), "begins": "09:00", "ends": "2026-03-11 10:00"}
