"""Rule 11: one final POST per call to its result_url, once its end can be seen."""

from __future__ import annotations

import pandas as pd
import pytest

from .scenarios import (
    campaign,
    contact_list,
    of,
    part,
    recorded,
    requests,
    run,
    seconds,
)


def endpoint(name="hook", **keys):
    calm = {"latency": "1 s", "timeout": "5 s", "failure_share": 0.0, "posts_at_once": 1000}
    return {"name": name, **(calm | keys)}


def posts(result):
    """(call, post, due, begun, ended, result) of every POST, in order of becoming due."""
    rows = result.deliveries
    return list(
        zip(
            rows["call_id"].tolist(),
            rows["delivery_attempt"].tolist(),
            seconds(rows["due_at"]),
            seconds(rows["started_at"]),
            seconds(rows["ended_at"]),
            rows["result"],
            strict=True,
        )
    )


def hooked(name="list", **keys):
    return campaign(name, **({"result_url": "hook"} | keys))


# One POST, and when


def test_a_calls_end_is_posted_when_it_can_be_seen():
    """Over at 20 s, processed at 20.5 s: posted then, and answered a second later."""
    result = run(hooked(), platform={"status_work": "500 ms"}, endpoint=[endpoint()])
    assert posts(result) == [(0, 1, 20.5, 20.5, 21.5, "accepted")]


def test_there_is_one_post_per_call_and_not_one_per_attempt():
    result = run(
        hooked(contacts=3, max_retry=2),
        tape=recorded(list=[["busy", "busy", "busy"], ["no_answer", "human"], "human"]),
        endpoint=[endpoint()],
    )
    assert len(result.attempts) == 6
    assert sorted(call for call, *_ in posts(result)) == [0, 1, 2]


def test_a_status_backlog_holds_the_posts_back():
    """The post follows the news and not the hang-up."""
    result = run(
        hooked(contacts=30),
        platform={"workers": 1, "dial_work": "1 ms", "status_work": "1 s"},
        endpoint=[endpoint()],
    )
    final = result.updates[result.updates["status"] == "completed"].set_index("call_id")
    due = result.deliveries.set_index("call_id")["due_at"]
    assert (due == final["visible_at"].reindex(due.index)).all()
    assert (due - final["happened_at"].reindex(due.index)).dt.total_seconds().max() > 60


def test_every_kind_of_end_is_posted():
    result = run(
        hooked(contacts=3, pacing="6/min", stop_at=12),
        hooked("expires", pacing="6/min", contacts=2, expires_at=5),
        tape=recorded(list=["human", "busy"], expires=["human"]),
        endpoint=[endpoint()],
    )
    ends = result.calls.set_index("call_id")["status"]
    assert sorted(ends) == ["canceled", "completed", "completed", "expired", "failed"]
    assert sorted(result.deliveries["call_id"]) == sorted(ends.index)


def test_a_call_without_an_end_is_not_posted(tmp_path):
    path = contact_list(tmp_path, "5125550100,5125550199", "oops,")
    result = run(
        hooked("wedged", contacts=5),
        platform={"wedged_calls": 1.0},
        endpoint=[endpoint()],
    )
    assert result.deliveries.empty
    rejected = run(hooked(contact_list=path), endpoint=[endpoint()])
    assert posts(rejected) == [(0, 1, 20.01, 20.01, 21.01, "accepted")]


def test_a_campaign_without_a_result_url_gets_no_posts():
    result = run(hooked(), campaign("quiet", contacts=5), endpoint=[endpoint()])
    assert set(result.deliveries["campaign"]) == {"list"}


# Time-outs, failures and repetitions


def test_a_post_that_is_not_answered_in_time_has_failed():
    result = run(hooked(), endpoint=[endpoint(latency="10 s", retry_after=[])])
    assert posts(result) == [(0, 1, 20.01, 20.01, 25.01, "timeout")]


def test_an_answer_at_the_time_out_is_in_time():
    result = run(hooked(), endpoint=[endpoint(latency="5 s")])
    assert posts(result) == [(0, 1, 20.01, 20.01, 25.01, "accepted")]


def test_a_failed_post_is_repeated_at_growing_intervals():
    """After 2, 4 and 8 s, each counted from the failure; then the platform gives up."""
    result = run(
        hooked(), endpoint=[endpoint(failure_share=1.0, retry_after=["2 s", "4 s", "8 s"])]
    )
    assert posts(result) == [
        (0, 1, 20.01, 20.01, 21.01, "server_error"),
        (0, 2, 23.01, 23.01, 24.01, "server_error"),
        (0, 3, 28.01, 28.01, 29.01, "server_error"),
        (0, 4, 37.01, 37.01, 38.01, "server_error"),
    ]


def test_a_post_that_timed_out_is_repeated_too():
    result = run(hooked(), endpoint=[endpoint(latency="10 s", retry_after=["2 s"])])
    assert [due for _, _, due, *_ in posts(result)] == [20.01, 27.01]


def test_an_accepted_post_is_not_repeated():
    """Half of the posts fail: each call is posted until it is accepted, and never after."""
    result = run(hooked(contacts=200), endpoint=[endpoint(failure_share=0.5)])
    for _, rows in result.deliveries.sort_values("delivery_attempt").groupby("call_id"):
        *before, last = rows["result"]
        assert set(before) <= {"server_error"}
        assert last == "accepted" or len(rows) == 4
    first = result.deliveries[result.deliveries["delivery_attempt"] == 1]
    assert abs((first["result"] == "accepted").mean() - 0.5) < 0.15
    second = result.deliveries[result.deliveries["delivery_attempt"] == 2]
    assert abs((second["result"] == "accepted").mean() - 0.5) < 0.2


# Limits


def test_an_endpoint_is_sent_no_more_posts_at_once_than_it_takes():
    result = run(hooked(requests=requests(*[0] * 5)), endpoint=[endpoint(posts_at_once=2)])
    assert [(call, begun) for call, _, _, begun, _, _ in posts(result)] == [
        (0, 20.01),
        (1, 20.01),
        (2, 21.01),
        (3, 21.01),
        (4, 22.01),
    ]


def test_a_post_that_waits_for_its_repetition_takes_no_place():
    """While the first call's post waits 60 s, the others are posted."""
    result = run(
        hooked(requests=requests(*[0] * 3)),
        endpoint=[endpoint(posts_at_once=1, failure_share=1.0, retry_after=["60 s"])],
    )
    assert [(call, begun) for call, _, _, begun, _, _ in posts(result)] == [
        (0, 20.01),
        (1, 21.01),
        (2, 22.01),
        (0, 81.01),
        (1, 82.01),
        (2, 83.01),
    ]


def test_the_pool_of_senders_is_everybodys():
    """Two senders for two endpoints: the oldest post goes next, whosever it is."""
    result = run(
        hooked("a", requests=requests(*[0] * 3), result_url="one"),
        hooked("b", requests=requests(*[0.001] * 3), result_url="two"),
        platform={"delivery_pool": 2},
        endpoint=[endpoint("one"), endpoint("two")],
    )
    begun = seconds(result.deliveries["started_at"])
    assert begun == [20.01, 20.01, 21.01, 21.01, 22.01, 22.01]
    assert list(result.deliveries["endpoint"]) == ["one"] * 3 + ["two"] * 3


def test_a_slow_endpoint_does_not_block_another():
    """Its own limit keeps the slow one from taking all senders."""
    result = run(
        hooked("slow", requests=requests(*[0] * 4), result_url="slow"),
        hooked("quick", requests=requests(0.5), result_url="quick"),
        platform={"delivery_pool": 2},
        endpoint=[endpoint("slow", latency="4 s", posts_at_once=1), endpoint("quick")],
    )
    assert seconds(of(result.deliveries, "slow")["started_at"]) == [20.01, 24.01, 28.01, 32.01]
    assert seconds(of(result.deliveries, "quick")["started_at"]) == [20.51]


def test_latencies_are_drawn_for_each_post():
    spread = {"distribution": "uniform", "least": "1 s", "most": "3 s"}
    result = run(hooked(contacts=200), endpoint=[endpoint(latency=spread)])
    lasted = (result.deliveries["ended_at"] - result.deliveries["started_at"]).dt.total_seconds()
    assert lasted.between(1, 3).all()
    assert lasted.nunique() > 150


# Lost updates hold posts back


def test_a_lost_final_update_holds_its_post_back_until_it_is_repaired():
    result = run(
        hooked(),
        platform={"lost_updates": 1.0, "reconciliation_every": "60 s"},
        endpoint=[endpoint()],
    )
    assert posts(result) == [(0, 1, 60.0, 60.0, 61.0, "accepted")]


def test_a_lost_final_update_that_nobody_repairs_is_never_posted():
    result = run(hooked(contacts=300), platform={"lost_updates": 0.2}, endpoint=[endpoint()])
    final = result.updates[result.updates["status"] == "completed"]
    kept = final.loc[~final["lost"], "call_id"]
    assert sorted(result.deliveries["call_id"]) == sorted(kept)
    assert 200 < len(kept) < 280


def test_a_lost_update_before_the_last_holds_nothing_back():
    result = run(hooked(contacts=300), platform={"lost_updates": 0.2}, endpoint=[endpoint()])
    rows = result.updates[result.updates["status"].isin(("queued", "dialing", "connected"))]
    lost = set(rows.loc[rows["lost"], "call_id"])
    assert lost & set(result.deliveries["call_id"])


# An endpoint that is out


def test_posts_to_an_endpoint_that_is_out_fail_and_are_repeated():
    """Out from 10 s to 30 s: the first post fails after its time-out, the second gets through."""
    result = run(
        hooked(),
        endpoint=[endpoint(retry_after=["6 s", "60 s"])],
        outage=[part(of="endpoint", endpoint="hook", begins=10, ends=30)],
    )
    assert posts(result) == [
        (0, 1, 20.01, 20.01, 25.01, "unreachable"),
        (0, 2, 31.01, 31.01, 32.01, "accepted"),
    ]


@pytest.mark.parametrize("out", ["hook", "other"])
def test_an_outage_is_of_one_endpoint(out):
    result = run(
        hooked(),
        endpoint=[endpoint(retry_after=[]), endpoint("other")],
        outage=[part(of="endpoint", endpoint=out, begins=0)],
    )
    expected = "unreachable" if out == "hook" else "accepted"
    assert list(result.deliveries["result"]) == [expected]


def test_what_is_under_way_when_the_run_ends_has_no_result_yet():
    result = run(
        hooked(),
        endpoint=[endpoint(latency="4 s")],
        clock={"ends": "09:00:22", "latest": "09:00:22"},
    )
    assert seconds(result.deliveries["started_at"]) == [20.01]
    assert result.deliveries["ended_at"].isna().all()
    assert pd.isna(result.deliveries["result"].iloc[0])
