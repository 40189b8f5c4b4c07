"""Rule 18: requests are taken or refused as they come, and their clients give up or ask again."""

from __future__ import annotations

from typing import Any

import pytest

from outsim.errors import ScenarioError
from outsim.results.checkpoint import simulate
from outsim.results.invariants import check_invariants
from outsim.results.measures import measure
from outsim.results.result import Result

from .scenarios import campaign, dispatched, part, requests, scenario, seconds, statuses

ENGINES = ("simpy", "compiled")

AGAIN: dict[str, Any] = {
    "when_refused": "asks again",
    "asks_again": {"interval": "10 s", "back_off": 2.0, "cap": "25 s", "most": 4},
}


@pytest.fixture(params=ENGINES)
def run(request):
    """Run campaigns on the calm platform, on either engine; no invariant breaks."""

    def run(*campaigns: dict[str, Any], **parts: Any) -> Result:
        result = simulate(scenario(*campaigns, **parts), seed=1, engine=request.param)
        check_invariants(result)
        return result

    return run


def told(result: Result) -> list[tuple[str, int, int, str, float | None]]:
    """Of each request its campaign, its calls, its tries, the last reason, when it was taken."""
    table = result.requests
    return [
        (row.campaign, row.calls, row.tries, row.reason, at)
        for row, at in zip(table.itertuples(), seconds(table["taken_at"]), strict=True)
    ]


# Token buckets


def test_nothing_is_refused_where_nothing_limits_it(run):
    result = run(campaign(requests=requests(0, 0, 0)), campaign("many", contacts=500))
    assert len(result.requests) == 0
    assert set(result.calls["status"]) == {"completed"}


def test_the_platform_refuses_requests_beyond_its_rate(run):
    """Two at once, then one in ten seconds."""
    result = run(
        campaign(requests=requests(0, 0, 0, 9, 10, 11, 20)),
        platform={"intake_rate": "6/min", "intake_burst": 2},
    )
    refused, done = "refused", "completed"
    assert statuses(result) == [done, done, refused, refused, done, refused, done]
    assert dispatched(result) == [0.0, 0.0, 10.0, 20.0]
    assert [row[3] for row in told(result) if row[4] is None] == ["platform_rate"] * 3


def test_a_tenant_has_a_rate_of_its_own(run):
    result = run(
        campaign("mine", requests=requests(0, 1, 2)),
        campaign("theirs", tenant="zeta", requests=requests(0, 1, 2)),
        tenant=[{"name": "acme", "intake_rate": "1/min"}],
    )
    assert statuses(result, "mine") == ["completed", "refused", "refused"]
    assert statuses(result, "theirs") == ["completed"] * 3
    assert told(result)[1] == ("mine", 1, 1, "tenant_rate", None)


def test_only_what_is_taken_uses_up_tokens(run):
    """What its tenant's bucket refuses leaves the platform's for others."""
    result = run(
        campaign("loop", requests=requests(0, *[1] * 5)),
        campaign("other", tenant="zeta", requests=requests(1, 2)),
        tenant=[{"name": "acme", "intake_rate": "1/h"}, {"name": "zeta", "intake_rate": "1/min"}],
        platform={"intake_rate": "1/h", "intake_burst": 2},
    )
    assert statuses(result, "loop") == ["completed"] + ["refused"] * 5
    assert statuses(result, "other") == ["completed", "refused"]


def test_the_burst_is_that_of_a_second_by_default(run):
    at_once = requests(*[0] * 8)
    result = run(campaign(requests=at_once), platform={"intake_rate": "5/s"})
    assert statuses(result).count("completed") == 5
    result = run(campaign(requests=at_once), platform={"intake_rate": "1/min"})
    assert statuses(result).count("completed") == 1


def test_a_list_is_one_request_however_long_it_is(run):
    result = run(
        campaign("list", contacts=100, start=10, submitted_at=0),
        campaign("late", contacts=100, start=10, submitted_at=1),
        platform={"intake_rate": "1/min"},
    )
    assert told(result) == [("list", 100, 1, "", 0.0), ("late", 100, 1, "platform_rate", None)]
    assert set(statuses(result, "list")) == {"completed"}
    assert set(statuses(result, "late")) == {"refused"}


def test_one_client_that_loops_has_the_requests_of_others_refused(run):
    """And as one list its calls leave room for them."""
    other = campaign("other", tenant="zeta", requests=requests(*range(5, 15)))
    rate = {"intake_rate": "2/s", "intake_burst": 2}
    looped = run(
        campaign("loop", requests=requests(*[k / 10 for k in range(200)])), other, platform=rate
    )
    assert statuses(looped, "other").count("refused") > 5
    as_list = run(campaign("loop", contacts=200), other, platform=rate)
    assert set(statuses(as_list, "other")) == {"completed"}


# Bounds on the calls that wait


def test_a_list_is_taken_whole_or_not_at_all(run):
    result = run(
        campaign("first", contacts=6, start=1),
        campaign("second", contacts=5, start=1),
        campaign("third", contacts=4, start=1),
        platform={"queue_limit": 10},
    )
    assert set(statuses(result, "first")) == {"completed"}
    assert set(statuses(result, "second")) == {"refused"}
    assert set(statuses(result, "third")) == {"completed"}
    assert told(result)[1] == ("second", 5, 1, "platform_queue", None)


def test_rows_that_cannot_be_dialed_take_no_room(run, tmp_path):
    contacts = tmp_path / "list.csv"
    contacts.write_text("destination\n2125550100\nnonsense\n2125550101\n")
    rows = campaign("list", contact_list=str(contacts), ani="4155550100")
    result = run(rows, platform={"queue_limit": 2})
    assert statuses(result, "list") == ["completed", "rejected", "completed"]
    refused = run(rows, platform={"queue_limit": 1})
    assert statuses(refused) == ["refused", "rejected", "refused"]


def test_calls_wait_for_their_start_in_the_queue_and_for_a_retry(run):
    """One is dialed, and does not wait; one more may come when one of the others is dialed."""
    result = run(
        campaign("scheduled", start=100, submitted_at=0),
        campaign("queued", contacts=2, start=1),
        campaign("more", requests=requests(2, 21.5, 21.6)),
        platform={"queue_limit": 3, "ports": 1},
    )
    assert told(result)[2:] == [
        ("more", 1, 1, "", 2.0),
        ("more", 1, 1, "", 21.5),
        ("more", 1, 1, "platform_queue", None),
    ]


def test_a_call_that_waits_for_its_retry_takes_room(run):
    busy = {"busy": {"human": 0, "voicemail": 0, "no_answer": 0, "busy": 100}}
    result = run(
        campaign("again", profile="busy", max_retry=1),
        campaign("more", requests=requests(1, 30, 70)),
        platform={"queue_limit": 1},
        profiles=busy,
    )
    assert statuses(result, "more") == ["completed", "refused", "completed"]


def test_a_tenant_has_a_bound_of_its_own(run):
    result = run(
        campaign("mine", contacts=3),
        campaign("theirs", tenant="zeta", contacts=3),
        tenant=[{"name": "acme", "queue_limit": 2}],
    )
    assert set(statuses(result, "mine")) == {"refused"}
    assert set(statuses(result, "theirs")) == {"completed"}
    assert told(result) == [("mine", 3, 1, "tenant_queue", None)]


def test_requests_come_before_everything_else_at_their_instant(run):
    """A call that is dispatched at 20 s still waits then."""
    result = run(
        campaign("first", contacts=3),
        campaign("more", requests=requests(5, 20, 20.000001)),
        platform={"queue_limit": 3, "ports": 1},
    )
    assert dispatched(result, "first")[1] == 20.0
    assert [row[4] for row in told(result)] == [0.0, 5.0, None, 20.000001]


# The client


def test_a_client_gives_up_unless_it_asks_again(run):
    limit = {"intake_rate": "1/min"}
    result = run(campaign(requests=requests(0, 1)), platform=limit)
    assert told(result)[1] == ("list", 1, 1, "platform_rate", None)
    result = run(campaign(requests=requests(0, 1), **AGAIN), platform=limit)
    # At 11 s, 31 s and 56 s, and that was the last time.
    assert told(result)[1] == ("list", 1, 4, "platform_rate", None)


def test_waits_grow_up_to_the_cap_and_count_from_the_first_request(run):
    result = run(campaign(requests=requests(0, 6), **AGAIN), platform={"intake_rate": "1/min"})
    assert told(result)[1] == ("list", 1, 4, "platform_rate", 61.0)
    call = result.calls.iloc[1]
    assert seconds(result.calls["submitted_at"]) == [0.0, 6.0]
    assert call["wait_s"] == 55.0
    spent = result.time_by_cause("list", until="wait").iloc[1]
    assert spent["asking_again"].total_seconds() == 55.0


def test_a_list_that_is_taken_late_is_loaded_from_then_on(run):
    result = run(
        campaign("first"),
        campaign("second", contacts=3, **AGAIN),
        platform={"intake_rate": "5/min", "intake_burst": 1, "loader_rate": "1/s"},
    )
    assert told(result)[1] == ("second", 3, 3, "platform_rate", 30.0)
    assert dispatched(result, "second") == [30.0, 31.0, 32.0]


def test_a_list_that_is_taken_before_its_start_waits_for_it(run):
    result = run(
        campaign("first"),
        campaign("second", start=60, submitted_at=0, **AGAIN),
        platform={"intake_rate": "6/min"},
    )
    assert told(result)[1][4] == 10.0
    assert dispatched(result, "second") == [60.0]
    assert result.calls["wait_s"].tolist() == [0.0, 0.0]


def test_jitter_is_drawn_for_each_request_and_each_try(run):
    again = {"interval": "10 s", "back_off": 1.0, "cap": "10 s", "jitter": 0.5, "most": 100}
    result = run(
        campaign(requests=requests(*[0] * 20), when_refused="asks again", asks_again=again),
        platform={"intake_rate": "1/s"},
    )
    taken = seconds(result.requests["taken_at"])
    assert len(set(taken)) == 20
    firsts = [at for at, tries in zip(taken, result.requests["tries"], strict=True) if tries == 2]
    assert firsts
    assert all(10.0 <= at < 15.0 for at in firsts)


def test_a_client_whose_campaign_is_stopped_asks_no_more(run):
    result = run(
        campaign(requests=requests(0, 1), stop_at=5, **AGAIN), platform={"intake_rate": "6/min"}
    )
    assert statuses(result) == ["completed", "refused"]
    assert told(result)[1] == ("list", 1, 1, "platform_rate", None)


def test_a_client_that_cancels_its_calls_asks_no_more(run):
    result = run(
        campaign(requests=requests(0, 1), stop_at=5, stop_mode="calls", **AGAIN),
        platform={"intake_rate": "6/min"},
    )
    assert statuses(result) == ["completed", "refused"]


def test_a_client_whose_campaign_has_expired_asks_no_more(run):
    result = run(
        campaign(requests=requests(0, 1), expires_at=5, **AGAIN), platform={"intake_rate": "6/min"}
    )
    assert statuses(result) == ["completed", "refused"]


# What can be seen of it


def test_what_is_refused_is_told_of_at_once_and_never_in_the_queue(run):
    result = run(campaign(requests=requests(0, 1)), platform={"intake_rate": "1/min"})
    mine = result.updates[result.updates["call_id"] == 1]
    assert mine["status"].tolist() == ["refused"]
    assert seconds(mine["visible_at"]) == [1.0]
    call = result.calls.iloc[1]
    assert call["attempts"] == 0
    assert call["wait_state"] == "refused"
    assert call[["went_out_at", "final_at", "outcome"]].isna().all()


def test_a_call_that_is_taken_when_asked_again_is_scheduled_from_then_on(run):
    result = run(campaign(requests=requests(0, 1), **AGAIN), platform={"intake_rate": "6/min"})
    mine = result.updates[result.updates["call_id"] == 1]
    assert mine["status"].tolist()[:2] == ["scheduled", "queued"]
    assert seconds(mine["happened_at"])[:2] == [11.0, 11.0]


def test_a_run_is_over_when_nothing_is_asked_any_more(run):
    """Refused calls are not waited for; those whose clients may ask again are."""
    clock = {"ends": "09:00:30", "latest": "18:00"}
    limit = {"intake_rate": "1/h"}
    given_up = run(campaign(requests=requests(0, 1)), platform=limit, clock=clock)
    assert f"{given_up.end:%H:%M:%S}" == "09:00:30"
    again = {"interval": "4 h", "cap": "4 h", "most": 2}
    asks = campaign(requests=requests(0, 1), when_refused="asks again", asks_again=again)
    waited_for = run(asks, platform=limit, clock=clock)
    assert f"{waited_for.end:%H:%M:%S}" == "13:00:30"
    assert statuses(waited_for) == ["completed", "completed"]


def test_background_tenants_are_judged_like_others(run):
    background = {"tenants": 2, "campaigns_per_hour": 6, "median_size": 10}
    result = run(campaign(), background=background, platform={"intake_rate": "1/h"})
    others = result.calls[result.calls["background"]]
    assert set(others["status"]) == {"refused"}


def test_refused_calls_count_as_not_completed_and_as_waits_without_an_end(run):
    result = run(campaign(requests=requests(0, 1, 2, 3)), platform={"intake_rate": "1/min"})
    view = result.measure_view("list")
    figures = measure(view)
    assert figures["completed_share"] == 0.25
    assert figures["refused_requests_share"] == 0.75
    assert view.waits_s.tolist() == [0.0, *[float("inf")] * 3]


# Bad input


def test_a_burst_without_a_rate_is_refused():
    with pytest.raises(ScenarioError, match="without intake_rate"):
        scenario(campaign(), platform={"intake_burst": 5})
    with pytest.raises(ScenarioError, match="without intake_rate"):
        scenario(campaign(), tenant=[part(name="acme", intake_burst=5)])


def test_a_cap_below_the_interval_is_refused():
    with pytest.raises(ScenarioError, match="not be shorter than the interval"):
        scenario(campaign(asks_again={"interval": "1 min", "cap": "30 s"}))
