"""Rule 16: a call has a schedule and an expiry of its own, and a customer with some patience."""

from __future__ import annotations

from typing import Any

import pytest

from outsim.errors import ScenarioError
from outsim.plan import build_plan
from outsim.tape import Tape
from tests.both_engines import first_difference, on_both_engines

from .scenarios import (
    at,
    campaign,
    changes,
    contact_list,
    dials,
    dispatched,
    part,
    recorded,
    requests,
    run,
    scenario,
    seconds,
    statuses,
)


def rows(directory: Any, *times: tuple[float | None, float | None]) -> str:
    """Path of a list whose calls have these schedules and expiries, in seconds since the begin."""

    def cell(second: float | None) -> str:
        return "" if second is None else f"{at(second)}+00:00"

    return contact_list(
        directory,
        *(
            f"21255501{k:02d},4155550199,{cell(scheduled)},{cell(expires)}"
            for k, (scheduled, expires) in enumerate(times)
        ),
        header="destination,ani,scheduled_time,expiration_time",
    )


def own(*times: tuple[float, float, float]) -> dict[str, Any]:
    """Requests at these seconds, with their schedules and expiries; 0 for none."""
    keys = ("times_s", "scheduled_s", "expires_s")
    return {key: list(column) for key, column in zip(keys, zip(*times, strict=True), strict=True)}


# Its own schedule


def test_a_row_waits_for_its_schedule_and_holds_up_nobody(tmp_path):
    path = rows(tmp_path, (50, None), (None, None), (20, None))
    result = run(campaign(contact_list=path))
    assert [(index, second) for _, index, _, second in dials(result)] == [
        (1, 0.0),
        (2, 20.0),
        (0, 50.0),
    ]
    assert result.calls["wait_s"].tolist() == [0.0, 0.0, 0.0]
    assert seconds(result.calls["wait_starts_at"]) == [50.0, 0.0, 20.0]


def test_the_start_of_the_campaign_counts_if_it_is_later(tmp_path):
    result = run(campaign(contact_list=rows(tmp_path, (5, None), (None, None)), start=30))
    assert dispatched(result) == [30.0, 30.001]


def test_rows_of_one_schedule_are_loaded_one_after_the_other(tmp_path):
    path = rows(tmp_path, *[(20, None)] * 3, (20.001, None))
    result = run(campaign(contact_list=path))
    assert dispatched(result) == [20.0, 20.001, 20.002, 20.003]


def test_a_request_may_be_for_later():
    result = run(campaign(requests=own((5, 40, 0), (6, 0, 0), (7, 20, 0))))
    assert [(index, second) for _, index, _, second in dials(result)] == [
        (1, 6.0),
        (2, 20.0),
        (0, 40.0),
    ]
    assert changes(result)[:2] == [("scheduled", 0, 5.0), ("queued", 1, 40.0)]


def test_a_stop_cancels_what_is_scheduled_for_later(tmp_path):
    path = rows(tmp_path, (None, None), (50, None))
    result = run(campaign(contact_list=path, stop_at=20))
    assert statuses(result) == ["completed", "canceled"]
    assert seconds(result.calls["final_at"]) == [20.0, 22.0]


# Its own expiry


def test_a_call_expires_in_the_queue_and_the_others_keep_their_places(tmp_path):
    path = rows(tmp_path, (None, None), (None, 30), (None, 30), (None, None))
    result = run(campaign(contact_list=path), platform={"ports": 1})
    assert [(index, second) for _, index, _, second in dials(result)] == [
        (0, 0.0),
        (1, 20.0),
        (3, 40.0),
    ]
    assert statuses(result) == ["completed", "completed", "expired", "completed"]
    assert seconds(result.calls["final_at"])[2] == 30.0


def test_not_at_the_very_instant_either(tmp_path):
    path = rows(tmp_path, (None, None), (None, 20))
    result = run(campaign(contact_list=path), platform={"ports": 1})
    assert statuses(result) == ["completed", "expired"]


def test_it_expires_while_it_is_scheduled(tmp_path):
    result = run(campaign(contact_list=rows(tmp_path, (None, 30)), start=60))
    assert statuses(result) == ["expired"]
    assert changes(result) == [("scheduled", 0, 60.0), ("expired", 0, 60.0)]
    result = run(campaign(contact_list=rows(tmp_path, (None, 30)), submitted_at=0, start=60))
    assert changes(result) == [("scheduled", 0, 0.0), ("expired", 0, 30.0)]


def test_it_expires_while_it_waits_for_its_pace(tmp_path):
    path = rows(tmp_path, (None, None), (None, 5), (None, None))
    result = run(campaign(contact_list=path, pacing="6/min"))
    assert dispatched(result) == [0.0, 10.0]
    assert statuses(result) == ["completed", "expired", "completed"]


def test_it_expires_while_it_is_held_back(tmp_path):
    path = rows(tmp_path, (None, 50), (None, None))
    result = run(campaign(contact_list=path), suspension=[part(begins=0, ends=100)])
    assert statuses(result) == ["expired", "completed"]
    assert dispatched(result) == [100.0]


def test_it_expires_while_it_waits_for_its_retry_with_its_attempts_kept(tmp_path):
    path = rows(tmp_path, (None, 40), (None, None))
    result = run(
        campaign(contact_list=path, max_retry=1), tape=recorded(list=["busy", ["busy", "human"]])
    )
    assert statuses(result) == ["expired", "completed"]
    assert result.calls["attempts"].tolist() == [1, 2]
    assert seconds(result.calls["final_at"])[0] == 40.0


@pytest.mark.parametrize(("outcome", "status"), [("human", "completed"), ("no_answer", "expired")])
def test_a_call_under_way_goes_on_and_is_not_dialed_again(tmp_path, outcome, status):
    result = run(
        campaign(contact_list=rows(tmp_path, (None, 10)), max_retry=3),
        tape=recorded(list=[outcome]),
    )
    assert statuses(result) == [status]
    assert result.calls["attempts"].tolist() == [1]
    assert seconds(result.calls["final_at"]) == [20.0 if status == "completed" else 32.0]


def test_one_whose_attempts_are_used_up_has_failed(tmp_path):
    result = run(
        campaign(contact_list=rows(tmp_path, (None, 10)), max_retry=0),
        tape=recorded(list=["no_answer"]),
    )
    assert statuses(result) == ["failed"]


def test_the_earlier_of_its_own_and_its_campaigns_counts(tmp_path):
    path = rows(tmp_path, (None, 30), (None, 90), (None, None))
    held = {"suspension": [part(begins=0, ends=200)]}
    result = run(campaign(contact_list=path, expires_at=60), **held)
    assert seconds(result.calls["final_at"]) == [30.0, 60.0, 60.0]
    assert statuses(result) == ["expired"] * 3


def test_requests_expire_some_time_after_each_of_them():
    result = run(
        campaign(requests=requests(0, 10, 20, 30), expires_after="25 s"), platform={"ports": 1}
    )
    assert dispatched(result) == [0.0, 20.0, 40.0]
    assert statuses(result) == ["completed", "completed", "completed", "expired"]
    assert seconds(result.calls["final_at"])[3] == 55.0


def test_a_list_expires_some_time_after_its_submission():
    result = run(
        campaign(contacts=4, submitted_at=0, start=20, expires_after="50 s"),
        platform={"ports": 1},
    )
    assert dispatched(result) == [20.0, 40.0]
    assert seconds(result.calls["final_at"])[2:] == [50.0, 50.0]


def test_recorded_requests_have_expiries_of_their_own():
    result = run(
        campaign(requests=own((0, 0, 0), (1, 0, 15), (2, 0, 60), (3, 30, 31))),
        platform={"ports": 1},
    )
    assert dispatched(result) == [0.0, 20.0]
    assert statuses(result) == ["completed", "expired", "completed", "expired"]


# Patience


def test_patience_changes_nothing_of_what_is_dialed():
    calm: dict[str, Any] = {"contacts": 5, "max_retry": 1}
    tape = recorded(list=["busy"] * 5)
    results = [
        run(campaign(**calm, **keys), platform={"ports": 1}, tape=tape)
        for keys in ({}, {"gives_up_after": "7 s"})
    ]
    assert dials(results[0]) == dials(results[1])
    assert statuses(results[0]) == statuses(results[1])


def test_calls_that_are_dialed_after_they_were_wanted_are_counted(tmp_path):
    """One port, 20 s a call: dialed at 0, 20, 40, 60 s, wanted for half a minute each."""
    path = rows(tmp_path, *[(None, None)] * 3, (35, None))
    result = run(campaign(contact_list=path, gives_up_after="30 s"), platform={"ports": 1})
    assert seconds(result.calls["given_up_at"]) == [30.0, 30.0, 30.0, 65.0]
    assert result.calls["dialed_after_wanted"].tolist() == [False, False, True, False]
    assert result.summary()["dialed_after_wanted_share"].tolist() == [0.25]


def test_a_retry_that_comes_too_late_counts_too():
    result = run(
        campaign(max_retry=1, gives_up_after="30 s"), tape=recorded(list=[["busy", "human"]])
    )
    assert dispatched(result) == [0.0, 62.0]
    assert result.calls["dialed_after_wanted"].tolist() == [True]


def test_without_patience_nothing_is_counted():
    result = run(campaign())
    assert result.calls["given_up_at"].isna().all()
    assert "dialed_after_wanted_share" not in result.summary().dropna(axis=1)


def test_patience_is_drawn_for_each_call_by_a_stream_of_its_own():
    patience = {"distribution": "exponential", "mean": "60 s"}
    few, many = (
        run(campaign(contacts=count, gives_up_after=patience)).calls["given_up_at"]
        for count in (20, 40)
    )
    assert few.nunique() == 20
    assert few.tolist() == many.tolist()[:20]


# Both engines


CASES: dict[str, dict[str, Any]] = {
    "rows": {},
    "paced": {"pacing": "20/min", "pacing_at": "admission"},
    "at dispatch": {"pacing": "20/min", "pacing_at": "dispatch"},
    "one at a time": {"max_simultaneous": 1},
    "stopped": {"stop_at": 120, "stop_reaches": "queue"},
    "expiring": {"expires_at": 100},
}


@pytest.mark.parametrize("queue", ["fifo", "first_attempts_first"])
@pytest.mark.parametrize("keys", CASES.values(), ids=CASES)
def test_both_engines_keep_the_rule(tmp_path, keys, queue):
    """Few ports, and retries: equal records, other ones than without the rule."""
    times = [(None if k % 3 else 5.0 * k, None if k % 4 else 7.0 * k + 9) for k in range(40)]
    parts: dict[str, Any] = {
        "profiles": {"people": {"human": 40, "voicemail": 0, "no_answer": 30, "busy": 30}},
        "platform": {"ports": 3, "dial_burst": 1, "queue": queue},
    }
    plans = [
        build_plan(
            scenario(
                campaign(contact_list=rows(directory, *some), max_retry=2, **keys),
                campaign("later", "zeta", requests=requests(*range(0, 200, 9)), **late),
                **parts,
            ),
            Tape(5),
        )
        for directory, some, late in (
            (tmp_path, times, {"expires_after": "40 s"}),
            (tmp_path, [(None, None)] * 40, {}),
        )
    ]
    (readable, compiled), (without, _) = map(on_both_engines, plans)
    assert not first_difference(plans[0], readable, compiled)
    assert first_difference(plans[0], readable, without)


# What can't be


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"expires_after": "0 s"}, "expires_after: found '0 s'; must be more than 0"),
        ({"expires_after": 60}, "expires_after: found 60; write a duration with a unit"),
        (
            {"submitted_at": 0, "start": 60, "expires_after": "30 s"},
            "expires_after: found 30 s; must be longer than from submitted_at to start (1 min)",
        ),
        ({"gives_up_after": "-3 s"}, "gives_up_after: found '-3 s'; must be more than 0"),
        (
            {"requests": {"times_s": [1, 2], "scheduled_s": [3]}},
            "requests.scheduled_s: found 1; times_s has 2: give one for each",
        ),
        (
            {"requests": {"rate": "3/min", "expires_s": [3]}},
            "requests.expires_s: found 1; times_s has none",
        ),
        (
            {"requests": {"times_s": [1, 20], "expires_s": [0, 20]}},
            "requests.expires_s[1]: found 20; must be later than the request (20)",
        ),
        (
            {"requests": own((1, 50, 40))},
            "requests.expires_s[0]: found 40; must be later than its schedule (50)",
        ),
    ],
)
def test_what_cannot_be_is_refused(keys, message):
    with pytest.raises(ScenarioError) as refused:
        scenario(campaign(**keys))
    assert message in str(refused.value)
