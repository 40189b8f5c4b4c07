"""Rule 9: calls expire, wait for their hours, and end with the status of what ended them."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from .scenarios import (
    campaign,
    changes,
    contact_list,
    dials,
    dispatched,
    of,
    part,
    recorded,
    requests,
    run,
    seconds,
    statuses,
)

# Expiry


def test_an_expired_call_is_never_dispatched():
    """Five in the queue for one port, and an hour that ends at 50 s: two never get it."""
    result = run(campaign(contacts=5, expires_at=50), platform={"ports": 1})
    assert dispatched(result) == [0.0, 20.0, 40.0]
    assert statuses(result) == ["completed"] * 3 + ["expired"] * 2
    assert seconds(result.calls["final_at"])[3:] == [50.0, 50.0]


def test_not_at_the_very_instant_either():
    """The port falls free at 20 s, which is when the calls expire."""
    result = run(campaign(contacts=2, expires_at=20), platform={"ports": 1})
    assert dispatched(result) == [0.0]
    assert statuses(result) == ["completed", "expired"]


def test_expired_calls_make_room_for_others():
    result = run(
        campaign("mine", contacts=3, expires_at=10),
        campaign("theirs", tenant="zeta", start=1),
        platform={"ports": 1},
    )
    assert dispatched(result, "theirs") == [20.0]


def test_what_was_not_loaded_yet_expires_too():
    result = run(campaign(contacts=4, pacing="6/min", expires_at=15))
    assert dispatched(result) == [0.0, 10.0]
    assert statuses(result) == ["completed", "completed", "expired", "expired"]


def test_a_call_that_is_handed_in_too_late_expires_at_once():
    result = run(campaign(requests=requests(5, 40), expires_at=30))
    assert statuses(result) == ["completed", "expired"]
    assert changes(result, call=1) == [("scheduled", 0, 40.0), ("expired", 0, 40.0)]


def test_a_call_under_way_is_not_cut_short():
    result = run(campaign(expires_at=10))
    assert statuses(result) == ["completed"]
    assert seconds(result.calls["final_at"]) == [20.0]


def test_a_call_that_waits_for_its_retry_expires_with_its_attempts_kept():
    result = run(campaign(max_retry=3, expires_at=50), tape=recorded(list=["busy"]))
    assert statuses(result) == ["expired"]
    assert result.calls["attempts"].tolist() == [1]
    assert changes(result)[-2:] == [("waiting_retry", 1, 2.0), ("expired", 1, 50.0)]


def test_a_call_without_expiry_waits_for_as_long_as_it_takes():
    result = run(campaign(contacts=2), suspension=[part(begins=0, ends=3000)])
    assert dispatched(result) == [3000.0, 3000.0]
    assert statuses(result) == ["completed"] * 2


# What ended it


@pytest.mark.parametrize(
    ("outcome", "retries", "status"),
    [
        ("human", 3, "completed"),
        ("voicemail", 3, "completed"),
        ("no_answer", 3, "expired"),
        ("busy", 3, "expired"),
        ("no_answer", 0, "failed"),
        ("invalid", 3, "failed"),
    ],
)
@pytest.mark.parametrize("end", ["expired", "canceled"])
def test_a_status_is_what_ended_the_call(end, outcome, retries, status):
    """Dialed at 1 s, and at 1.5 s the campaign expires or is stopped: the dial counts first."""
    ending = {"expires_at": 1.5} if end == "expired" else {"stop_at": 0.5}
    result = run(
        campaign(max_retry=retries, **ending),
        tape=recorded(list=[outcome]),
        platform={"stop_latency": "1 s"},
    )
    assert statuses(result) == [end if status == "expired" else status]
    assert result.calls["attempts"].tolist() == [1]


def test_a_call_that_ran_out_of_attempts_before_has_failed():
    result = run(campaign(max_retry=0, expires_at=100, stop_at=50), tape=recorded(list=["busy"]))
    assert statuses(result) == ["failed"]
    assert seconds(result.calls["final_at"]) == [2.0]


def test_what_comes_first_decides_between_expired_and_canceled():
    rules = {"contacts": 2, "max_retry": 3}
    tape = recorded(list=["busy", "busy"])
    first_stop = run(campaign(stop_at=20, expires_at=40, **rules), tape=tape)
    assert statuses(first_stop) == ["canceled", "canceled"]
    first_expiry = run(campaign(stop_at=40, expires_at=20, **rules), tape=tape)
    assert statuses(first_expiry) == ["expired", "expired"]


# Calling window


def test_nothing_is_dispatched_outside_the_window():
    """Open from 9:01 to 9:02: one port, five calls, and the rest the next day."""
    result = run(
        campaign(contacts=5, window={"opens": "09:01", "closes": "09:02"}),
        platform={"ports": 1},
    )
    day = 86_400.0
    assert dispatched(result) == [60.0, 80.0, 100.0, day + 60, day + 80]


def test_the_window_opens_at_its_first_instant_and_is_shut_at_its_last():
    window = {"opens": "09:01", "closes": "09:02"}
    result = run(
        campaign(requests=requests(59.999999, 60, 119.999999, 120), window=window),
        clock={"latest": "11:00"},
    )
    assert dispatched(result) == [60.0, 60.0, 119.999999]
    assert statuses(result)[-1] == "queued"


def test_a_window_that_is_open_when_the_run_begins_is_open():
    result = run(campaign(window={"opens": "08:00", "closes": "12:00"}))
    assert dispatched(result) == [0.0]


def test_a_window_may_last_to_the_end_of_the_day():
    """Open day and night: midnight is no instant at which anybody is held back."""
    result = run(
        campaign(start="23:59:30", contacts=3, window={"opens": "00:00", "closes": "24:00"}),
        clock={"begins": "23:00", "ends": "2026-03-11 01:00"},
        platform={"ports": 1},
    )
    assert result.calls["wait_s"].tolist() == [0.0, 20.0, 40.0]
    assert seconds(result.attempts["eligible_at"])[0] == 14 * 3600 + 3570.0


def test_the_window_opens_on_its_weekdays_only():
    """Tuesday is no day for calls: they go out on Wednesday at eight."""
    window = {"opens": "08:00", "closes": "20:00", "days": ["mon", "wed"]}
    result = run(campaign(window=window))
    assert dispatched(result) == [23 * 3600.0]


def test_a_retry_waits_for_the_window_too():
    result = run(
        campaign(max_retry=1, window={"opens": "09:00", "closes": "09:01"}),
        tape=recorded(list=["busy"]),
    )
    assert dispatched(result) == [0.0, 86_400.0]


def test_the_window_follows_the_callees_clock(tmp_path):
    """Nine to ten for each of them: New York has not begun, Berlin is over till tomorrow."""
    path = contact_list(
        tmp_path,
        "5125550100,5125550199,America/New_York",
        "5125550101,5125550199,UTC",
        "5125550102,5125550199,Europe/Berlin",
        "5125550103,5125550199,America/New_York",
        header="destination,ani,time_zone",
    )
    result = run(
        campaign(
            contact_list=path,
            window={"opens": "09:00", "closes": "10:00", "zone": "callee"},
        )
    )
    assert dials(result) == [
        ("list", 1, 1, 0.001),
        ("list", 0, 1, 4 * 3600.0),
        ("list", 3, 1, 4 * 3600.0),
        ("list", 2, 1, 23 * 3600.0),
    ]


def test_callees_of_another_zone_are_not_held_back_with_the_first():
    window = {"opens": "10:00", "closes": "20:00", "zone": "callee"}
    result = run(
        campaign("here", window=window),
        campaign("berlin", window=window, callee_zone="Europe/Berlin"),
    )
    assert dispatched(result, "here") == [3600.0]
    assert dispatched(result, "berlin") == [0.0]


def test_a_window_opens_by_the_clock_across_a_change_to_summer_time():
    """From eight in the evening to nine in the morning that night has twelve hours."""
    zone = ZoneInfo("Europe/Berlin")
    result = run(
        campaign(start="20:00", window={"opens": "09:00", "closes": "10:00"}),
        clock={
            "zone": "Europe/Berlin",
            "date": datetime(2026, 3, 28, tzinfo=zone).date(),
            "begins": "20:00",
            "ends": "2026-03-29 12:00",
        },
    )
    first = result.attempts["dispatched_at"].iloc[0]
    assert first == datetime(2026, 3, 29, 9, tzinfo=zone)
    assert seconds([first], datetime(2026, 3, 28, 19, tzinfo=ZoneInfo("UTC"))) == [12 * 3600.0]


def test_one_campaigns_window_is_no_other_campaigns():
    result = run(
        campaign("office", window={"opens": "10:00", "closes": "20:00"}),
        campaign("any hour"),
    )
    assert dispatched(result, "office") == [3600.0]
    assert dispatched(result, "any hour") == [0.0]
    assert seconds(of(result.attempts, "office")["queued_at"]) == [0.0]


# A window that passes midnight


NIGHT = {"opens": "22:00", "closes": "02:00"}


@pytest.mark.parametrize(
    ("start", "goes_at"),
    [("21:00", "22:00"), ("23:30", "23:30"), ("00:30", "00:30"), ("02:00", "22:00")],
)
def test_a_window_may_pass_midnight(start, goes_at):
    day = "2026-03-11" if start < "12:00" else "2026-03-10"
    after = "2026-03-11" if goes_at == "00:30" or start == "02:00" else "2026-03-10"
    result = run(
        campaign(start=f"{day} {start}", window=NIGHT),
        clock={"begins": "20:00", "ends": "2026-03-12 10:00"},
    )
    assert f"{result.attempts['dispatched_at'].iloc[0]:%Y-%m-%d %H:%M}" == f"{after} {goes_at}"


def test_its_days_are_those_on_which_it_opens():
    """Open on Tuesdays: still so on Wednesday at one, no longer on Thursday at one."""
    result = run(
        campaign("wednesday", start="2026-03-11 01:00", window=NIGHT | {"days": ["tue"]}),
        campaign("thursday", start="2026-03-12 01:00", window=NIGHT | {"days": ["tue"]}),
        clock={"ends": "2026-03-18 10:00"},
    )
    went = result.attempts.set_index("campaign")["dispatched_at"]
    assert f"{went['wednesday']:%a %H:%M}" == "Wed 01:00"
    assert f"{went['thursday']:%a %d %H:%M}" == "Tue 17 22:00"


def test_it_is_open_when_the_run_begins_if_it_opened_the_day_before():
    result = run(campaign(start="01:00", window=NIGHT), clock={"begins": "01:00", "ends": "10:00"})
    assert result.calls["wait_s"].tolist() == [0.0]


@pytest.mark.parametrize(("date", "hours"), [("2026-03-28", 4), ("2026-10-24", 6)])
def test_it_closes_by_the_clock_across_a_change_of_clocks(date, hours):
    """From ten to three that night is four hours in spring and six in autumn.

    One call comes in each hour from ten on; what comes at three or later waits.
    """
    zone = ZoneInfo("Europe/Berlin")
    begins = datetime.fromisoformat(date).replace(tzinfo=zone)
    result = run(
        campaign(
            start="22:00",
            window=NIGHT | {"closes": "03:00"},
            requests=requests(*(7200 + 3600.0 * hour for hour in range(8))),
        ),
        clock={
            "zone": "Europe/Berlin",
            "date": begins.date(),
            "begins": "20:00",
            "ends": f"{begins.date() + timedelta(days=1)} 12:00",
            "latest": f"{begins.date() + timedelta(days=1)} 12:00",
        },
    )
    assert len(result.attempts) == hours


def test_one_that_opens_when_it_closes_is_always_open():
    result = run(
        campaign(contacts=3, window={"opens": "09:00", "closes": "09:00"}),
        platform={"ports": 1},
    )
    assert dispatched(result) == [0.0, 20.0, 40.0]
