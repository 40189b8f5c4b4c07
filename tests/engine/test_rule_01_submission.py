"""Rule 1: how calls are handed in, from when they wait, and which of them can't be dialed."""

from __future__ import annotations

import pytest

from .scenarios import (
    campaign,
    changes,
    contact_list,
    dials,
    dispatched,
    outcomes,
    requests,
    run,
    seconds,
    statuses,
)

# Waits


def test_a_campaign_handed_in_early_waits_from_its_start():
    """Handed in at nine for five past: the first five minutes are no waiting."""
    result = run(campaign(submitted_at=0, start=300))
    assert seconds(result.calls["submitted_at"]) == [0.0]
    assert seconds(result.calls["wait_starts_at"]) == [300.0]
    assert dispatched(result) == [300.0]
    assert result.calls["wait_s"].tolist() == [0.0]


def test_a_single_call_waits_from_its_own_request():
    """The second request comes while the only port is busy: it waits, but not from the start."""
    result = run(campaign(requests=requests(10, 15)), platform={"ports": 1})
    assert seconds(result.calls["wait_starts_at"]) == [10.0, 15.0]
    assert dispatched(result) == [10.0, 30.0]
    assert result.calls["wait_s"].tolist() == [0.0, 15.0]


def test_a_single_call_requested_before_the_start_waits_from_the_start():
    result = run(campaign(submitted_at=0, start=60, requests=requests(10, 90)))
    assert seconds(result.calls["submitted_at"]) == [10.0, 90.0]
    assert seconds(result.calls["wait_starts_at"]) == [60.0, 90.0]
    assert dispatched(result) == [60.0, 90.0]


# Call by call


def test_recorded_requests_are_handed_in_when_they_were():
    result = run(campaign(requests=requests(30.25, 10, 10)))
    assert dials(result) == [
        ("list", 0, 1, 10.0),
        ("list", 1, 1, 10.0),
        ("list", 2, 1, 30.25),
    ]
    assert changes(result, call=2)[:2] == [("scheduled", 0, 30.25), ("queued", 1, 30.25)]


def test_requests_come_at_the_rate_of_their_hour():
    """Ten a minute from nine to ten and nobody afterwards: 600, give or take four deviations."""
    asked = {"rate_by_hour": {9: "10/min"}}
    result = run(campaign(requests=asked), clock={"ends": "12:00", "latest": "12:00"})
    at = seconds(result.calls["submitted_at"])
    assert abs(len(at) - 600) < 4 * 600**0.5
    assert at == sorted(at)
    assert max(at) < 3600
    assert 0.4 < sum(second < 1800 for second in at) / len(at) < 0.6


def test_an_hour_of_its_own_goes_before_the_general_rate():
    asked = {"rate": "1/min", "rate_by_hour": {10: "20/min"}, "until": "11:00"}
    result = run(campaign(requests=asked), clock={"ends": "12:00"})
    at = seconds(result.calls["submitted_at"])
    first_hour = sum(second < 3600 for second in at)
    assert abs(first_hour - 60) < 4 * 60**0.5
    assert abs(len(at) - first_hour - 1200) < 4 * 1200**0.5
    assert max(at) < 7200


def test_requests_end_when_they_are_said_to():
    asked = {"rate": "1/s", "until": "09:05"}
    at = seconds(run(campaign(requests=asked)).calls["submitted_at"])
    assert 200 < len(at) < 400
    assert 290 < max(at) < 300


# Rows that can't be dialed


def test_no_row_disappears(tmp_path):
    """A row that can't be dialed keeps its place and says why; the others go out in order."""
    path = contact_list(
        tmp_path, "5125550100,5125550199", "5550101,", ",", "5125550102,5125550199"
    )
    result = run(campaign(contact_list=path))
    assert statuses(result) == ["completed", "rejected", "rejected", "completed"]
    assert result.calls["number"].tolist() == [5125550100, 0, 0, 5125550102]
    assert list(result.calls["reject_reason"]) == ["", "wrong length", "empty", ""]
    assert [index for _, index, _, _ in dials(result)] == [0, 3]


def test_a_rejected_row_is_rejected_at_once_and_for_good(tmp_path):
    path = contact_list(tmp_path, "not a number,", "5125550102,5125550199")
    result = run(campaign(submitted_at=0, start=60, contact_list=path))
    assert changes(result, call=0) == [("rejected", 0, 0.0)]
    assert statuses(result) == ["rejected", "completed"]
    assert result.deliveries.empty


def test_a_rejected_row_takes_none_of_the_loaders_time(tmp_path):
    path = contact_list(tmp_path, "5125550100,", "oops,", "5125550102,")
    result = run(campaign(contact_list=path, ani="5125550199"), platform={"loader_rate": "1/s"})
    assert dispatched(result) == [0.0, 1.0]


@pytest.mark.parametrize(
    ("duplicates", "expected"),
    [
        ("dial", ["completed", "completed", "completed"]),
        ("reject", ["completed", "rejected", "completed"]),
    ],
)
def test_a_number_that_stands_twice_is_dialed_twice_or_rejected(tmp_path, duplicates, expected):
    path = contact_list(tmp_path, "5125550100,", "5125550100,", "5125550102,")
    result = run(campaign(contact_list=path, ani="5125550199", duplicates=duplicates))
    assert statuses(result) == expected


# Caller IDs


def test_the_carrier_refuses_a_number_without_a_caller_id(tmp_path):
    """The platform dials it; it is the carrier that does not take it."""
    path = contact_list(tmp_path, "5125550100,5125550199", "5125550101,")
    result = run(campaign(contact_list=path))
    assert statuses(result) == ["completed", "failed"]
    assert outcomes(result) == ["human", "congestion"]
    assert list(result.attempts["cause"]) == ["", "missing_ani"]


def test_the_campaigns_caller_id_serves_rows_that_bring_none(tmp_path):
    path = contact_list(tmp_path, "5125550100,5125550199", "5125550101,")
    result = run(campaign(contact_list=path, ani="5125550111"))
    assert statuses(result) == ["completed", "completed"]
    assert result.calls["ani"].tolist() == [5125550199, 5125550111]


def test_the_refused_share_is_drawn_for_each_attempt():
    """Of calls without a caller ID four in five dials are refused, redials too."""
    result = run(
        campaign(contacts=1000, missing_ani_share=1.0, max_retry=1),
        carrier={"missing_ani_refusal": 0.8},
    )
    for attempt, dialed in ((1, 1000), (2, 800)):
        rows = result.attempts[result.attempts["attempt"] == attempt]
        assert abs(len(rows) - dialed) < 60
        assert abs((rows["cause"] == "missing_ani").mean() - 0.8) < 0.06
    assert (result.calls["ani"] == 0).all()


def test_calls_with_a_caller_id_are_not_refused_for_it():
    result = run(campaign(contacts=1000, missing_ani_share=0.3))
    refused = result.attempts["cause"] == "missing_ani"
    without = set(result.calls.loc[result.calls["ani"] == 0, "call_id"])
    assert set(result.attempts.loc[refused, "call_id"]) == without
    assert abs(len(without) - 300) < 60
