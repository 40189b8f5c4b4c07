"""Rule 10: every change of status, and when the customer can see it."""

from __future__ import annotations

from itertools import pairwise

import pytest

from .scenarios import (
    at,
    campaign,
    changes,
    moment,
    part,
    recorded,
    requests,
    run,
    seconds,
    statuses,
)

FINAL = ("completed", "failed", "canceled", "expired")

# The sequence


def words(result, call=0):
    return [status for status, _, _ in changes(result, call)]


@pytest.mark.parametrize(
    ("outcome", "middle", "final"),
    [
        ("human", ["connected"], "completed"),
        ("voicemail", ["connected"], "completed"),
        ("fax", ["connected"], "completed"),
        ("no_answer", [], "failed"),
        ("busy", [], "failed"),
        ("invalid", [], "failed"),
    ],
)
def test_each_attempt_is_told_exactly(outcome, middle, final):
    result = run(campaign(), tape=recorded(list=[outcome]))
    assert words(result) == ["scheduled", "queued", "dialing", *middle, final]


def test_a_refused_attempt_is_told_like_one_that_nobody_answered():
    result = run(campaign(), outage=[part(of="carrier", begins=0)])
    assert words(result) == ["scheduled", "queued", "dialing", "failed"]


def test_a_redial_is_told_from_the_queue_on():
    result = run(campaign(submitted_at=0, start=10, max_retry=2), tape=recorded(list=["busy"]))
    assert changes(result) == [
        ("scheduled", 0, 0.0),
        ("queued", 1, 10.0),
        ("dialing", 1, 10.0),
        ("waiting_retry", 1, 12.0),
        ("queued", 2, 72.0),
        ("dialing", 2, 72.0),
        ("connected", 2, 77.0),
        ("completed", 2, 92.0),
    ]


def test_the_truth_and_the_calls_table_agree():
    result = run(
        campaign(contacts=6, max_retry=1, stop_at=40),
        tape=recorded(list=["busy", "no_answer", "human", "fax", "invalid", "voicemail"]),
    )
    last = result.updates.drop_duplicates("call_id", keep="last").sort_values("call_id")
    assert list(last["status"]) == statuses(result)
    assert seconds(last["happened_at"]) == seconds(result.calls["final_at"])


# Seeing it


def test_a_submission_is_visible_at_once():
    """Nobody has to process it: the answer to the request says so."""
    result = run(
        campaign(submitted_at=0, start=100, contacts=3),
        outage=[part(of="workers", begins=0, ends=50)],
    )
    first = result.updates[result.updates["status"] == "scheduled"]
    assert seconds(first["visible_at"]) == [0.0, 0.0, 0.0]
    assert first["started_at"].isna().all()


def test_an_update_is_visible_when_a_worker_has_processed_it():
    result = run(campaign(), platform={"status_work": "30 ms"})
    rows = result.updates.iloc[1:]
    assert seconds(rows["happened_at"]) == seconds(rows["started_at"]) == [0.0, 0.0, 5.0, 20.0]
    assert seconds(rows["visible_at"]) == [0.03, 0.03, 5.03, 20.03]


def test_the_page_shows_what_was_processed_and_not_what_happened():
    """Queued and dialing since 0 s; with 3 s a piece the page says so at 3 s and at 6 s."""
    result = run(campaign(), platform={"workers": 1, "dial_work": "1 ms", "status_work": "3 s"})

    def page(second):
        return result.status_page(moment(second)).iloc[0][["status", "true_status"]].tolist()

    assert page(2.9) == ["scheduled", "dialing"]
    assert page(3.1) == ["queued", "dialing"]
    assert page(6.1) == ["dialing", "connected"]
    assert page(19.1) == ["connected", "completed"]
    assert page(22.1) == ["completed", "completed"]


def test_updates_are_processed_in_the_order_in_which_they_happened():
    """First in, first out, whoever's they are: a final status waits for others' small news."""
    result = run(
        campaign("mine", contacts=20, max_retry=1),
        campaign("theirs", tenant="zeta", start=0.5, contacts=20),
        platform={"workers": 2, "dial_work": "50 ms", "status_work": "300 ms"},
        tape=recorded(mine=["busy"] * 20),
    )
    rows = result.updates[result.updates["started_at"].notna()]
    happened, began = seconds(rows["happened_at"]), seconds(rows["started_at"])
    assert happened == sorted(happened)
    assert began == sorted(began)
    assert max(b - h for b, h in zip(began, happened, strict=True)) > 5


def test_nothing_is_visible_before_it_happened_and_in_no_other_order():
    result = run(
        campaign(contacts=50, max_retry=2),
        platform={"workers": 1, "dial_work": "100 ms", "status_work": "100 ms"},
        tape=recorded(list=[["busy", "no_answer"]] * 50),
    )
    shown = result.updates[result.updates["visible_at"].notna()]
    assert (shown["visible_at"] >= shown["happened_at"]).all()
    for _, rows in shown.groupby("call_id"):
        assert all(a <= b for a, b in pairwise(seconds(rows["visible_at"])))


def test_a_campaign_can_be_over_before_its_statuses_are_processed():
    result = run(
        campaign(contacts=50), platform={"workers": 1, "dial_work": "1 ms", "status_work": "1 s"}
    )
    over = result.calls["final_at"].max()
    assert seconds([over])[0] < 25
    page = result.status_page(over)
    assert set(page["true_status"]) == {"completed"}
    assert "completed" not in set(page["status"])
    later = result.status_page(moment(400))
    assert set(later["status"]) == {"completed"}


# Lost updates


def test_a_call_whose_updates_are_lost_goes_out_all_the_same():
    """It was dialed, answered and heard; the page says for ever that it is to come."""
    result = run(campaign(), platform={"lost_updates": 1.0})
    assert statuses(result) == ["completed"]
    page = result.status_page(moment(3000))
    assert list(page["status"]) == ["scheduled"]
    assert list(page["true_status"]) == ["completed"]
    assert result.updates["lost"].tolist() == [False, True, True, True, True]


def test_a_lost_update_takes_a_workers_time():
    lost = run(campaign(contacts=5), platform={"workers": 1, "lost_updates": 1.0})
    kept = run(campaign(contacts=5), platform={"workers": 1})
    assert seconds(lost.updates["started_at"]) == seconds(kept.updates["started_at"])
    assert lost.updates["visible_at"].iloc[5:].isna().all()


def test_each_update_is_lost_by_itself():
    """One in ten: a call may lose its first news and show its last."""
    result = run(campaign(contacts=500), platform={"lost_updates": 0.1})
    processed = result.updates[result.updates["started_at"].notna()]
    assert len(processed) == 2000
    assert abs(processed["lost"].mean() - 0.1) < 0.03
    for _, share in processed.groupby("status", observed=True)["lost"].mean().items():
        assert 0.05 < share < 0.15
    assert (processed["lost"] == processed["visible_at"].isna()).all()
    by_call = processed.groupby("call_id")["lost"].sum()
    assert 2 < (by_call == 2).sum() < 60


# Wedged calls


def test_a_wedged_call_is_accepted_shown_as_pending_and_never_dialed():
    result = run(campaign(contacts=3, max_retry=3), platform={"wedged_calls": 1.0})
    assert result.attempts.empty
    assert statuses(result) == ["queued"] * 3
    assert list(result.status_page(moment(3000))["status"]) == ["queued"] * 3
    assert result.calls["wedged"].all()


def test_a_wedged_call_blocks_nobody():
    result = run(campaign(contacts=200), platform={"ports": 1, "wedged_calls": 0.2})
    wedged = int(result.calls["wedged"].sum())
    assert 20 < wedged < 60
    assert statuses(result).count("completed") == 200 - wedged
    assert seconds(result.calls["final_at"].dropna())[-1] == 20.0 * (200 - wedged)


def test_only_the_call_log_tells_the_two_kinds_of_stuck_calls_apart():
    """Both are pending on the page. The log has number and times of those that went out."""
    result = run(campaign(contacts=400), platform={"lost_updates": 0.1, "wedged_calls": 0.1})
    page = result.status_page(moment(3500))
    stuck = page[~page["status"].isin(FINAL)]
    log = result.call_log()
    assert not {"call_id", "index", "campaign"} & set(log.columns)
    in_log = stuck["number"].isin(log["dest"])
    assert in_log.tolist() == (~stuck["wedged"]).tolist()
    assert set(stuck["wedged"]) == {True, False}


# Reconciliation


def test_reconciliation_repairs_lost_final_statuses_at_its_next_round():
    """Every minute from the start of the run: over at 20 s and at 90 s, seen at 60 and 120 s."""
    result = run(
        campaign(requests=requests(0, 70)),
        platform={"lost_updates": 1.0, "reconciliation_every": "60 s"},
    )
    final = result.updates[result.updates["status"] == "completed"]
    assert seconds(final["happened_at"]) == [20.0, 90.0]
    assert seconds(final["visible_at"]) == [60.0, 120.0]
    assert final["reconciled"].tolist() == [True, True]
    assert list(result.status_page(moment(130))["status"]) == ["completed", "completed"]


def test_reconciliation_leaves_the_rest_lost():
    result = run(
        campaign(max_retry=1),
        platform={"lost_updates": 1.0, "reconciliation_every": "60 s"},
        tape=recorded(list=["busy"]),
    )
    rows = result.updates[~result.updates["status"].isin(("scheduled", "completed"))]
    assert rows["visible_at"].isna().all()
    assert not rows["reconciled"].any()


def test_reconciliation_does_nothing_for_wedged_calls():
    result = run(
        campaign(contacts=3),
        platform={"wedged_calls": 1.0, "reconciliation_every": "60 s"},
    )
    assert list(result.status_page(moment(3500))["status"]) == ["queued"] * 3


def test_reconciliation_is_off_unless_asked_for():
    result = run(campaign(), platform={"lost_updates": 1.0}, clock={"ends": at(86_000)})
    assert not result.updates["reconciled"].any()
    assert list(result.status_page(moment(86_000))["status"]) == ["scheduled"]
