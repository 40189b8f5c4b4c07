"""Rule 5: a few workers, who dial first and tell afterwards. Nobody sets a lag; it emerges."""

from __future__ import annotations

from itertools import pairwise

from outsim.results.tables.over_time import status_lags_s

from .scenarios import campaign, requests, run, seconds


def begun(result):
    """Second at which a worker began each update that one has begun, in that order."""
    return sorted(seconds(result.updates["started_at"].dropna()))


# Two priorities


def test_no_update_is_begun_while_dial_work_waits():
    """One worker, a burst of forty: in no moment did an update go before a dial."""
    result = run(
        campaign(contacts=40),
        campaign("more", tenant="zeta", start=7, contacts=40),
        platform={"workers": 1, "dial_work": "200 ms", "status_work": "70 ms"},
    )
    rows = result.attempts
    waits = list(
        zip(seconds(rows["dispatched_at"]), seconds(rows["work_started_at"]), strict=True)
    )
    assert sum(start > since for since, start in waits) > 60
    assert not any(since <= at < start for at in begun(result) for since, start in waits)


def test_updates_wait_for_the_whole_burst():
    """Five dials of a second each: the first news of them comes when the last is out."""
    result = run(campaign(contacts=5), platform={"workers": 1, "dial_work": "1 s", "ports": 5})
    assert seconds(result.attempts["work_started_at"]) == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert begun(result)[0] == 5.0


def test_an_update_is_not_begun_at_the_instant_that_brings_dial_work():
    """The worker is idle and an update comes; so does a dial, later in the same instant."""
    result = run(campaign(), platform={"workers": 1, "dial_work": "1 s"})
    first = result.updates[result.updates["status"] == "queued"]
    assert seconds(first["happened_at"]) == [0.0]
    assert seconds(result.attempts["work_started_at"]) == [0.0]
    assert seconds(first["started_at"]) == [1.0]


def test_an_update_once_begun_is_finished():
    """Not preemptive: dial work that comes at 2 s waits for the update begun at 1 s."""
    result = run(
        campaign(requests=requests(0, 2)),
        platform={"workers": 1, "dial_work": "1 s", "status_work": "3 s"},
    )
    assert seconds(result.attempts["dispatched_at"]) == [0.0, 2.0]
    assert seconds(result.attempts["work_started_at"]) == [0.0, 4.0]


# A small pool


def test_no_more_work_is_done_at_once_than_there_are_workers():
    result = run(
        campaign(contacts=30),
        platform={"workers": 3, "dial_work": "300 ms", "status_work": "200 ms"},
    )
    rows, updates = result.attempts, result.updates
    spans = [
        *zip(seconds(rows["work_started_at"]), seconds(rows["dialed_at"]), strict=True),
        *(
            (start, end)
            for start, end in zip(
                seconds(updates["started_at"]), seconds(updates["visible_at"]), strict=True
            )
            if start is not None
        ),
    ]
    changes = sorted([(end, -1) for _, end in spans] + [(start, +1) for start, _ in spans])
    busy, most = 0, 0
    for _, change in changes:
        busy += change
        most = max(most, busy)
    assert most == 3


def test_dial_work_is_done_in_the_order_of_dispatch():
    result = run(campaign(contacts=6), platform={"workers": 2, "dial_work": "1 s"})
    # The second worker had begun an update of 10 ms when the second call came.
    assert seconds(result.attempts["dialed_at"]) == [1.0, 1.01, 2.0, 2.01, 3.0, 3.01]


def test_work_takes_its_time():
    result = run(campaign(), platform={"dial_work": "250 ms", "status_work": "40 ms"})
    assert seconds(result.attempts["dialed_at"]) == [0.25]
    processed = result.updates[result.updates["started_at"].notna()]
    lengths = (processed["visible_at"] - processed["started_at"]).dt.total_seconds()
    assert lengths.tolist() == [0.04] * 4


def test_work_can_be_drawn():
    spread = {"distribution": "uniform", "least": "1 s", "most": "3 s"}
    result = run(campaign(contacts=200), platform={"dial_work": spread, "status_work": spread})
    rows = result.attempts
    updates = result.updates[result.updates["started_at"].notna()]
    for lengths in (
        (rows["dialed_at"] - rows["dispatched_at"]).dt.total_seconds(),
        (updates["visible_at"] - updates["started_at"]).dt.total_seconds(),
    ):
        assert lengths.between(1, 3).all()
        assert 1.8 < lengths.mean() < 2.2
        assert lengths.nunique() > 150


# What follows


def test_status_lags_in_a_spike_and_is_prompt_again_afterwards():
    """The same platform and the same sixty calls, three seconds apart or all at once."""
    platform = {"workers": 1, "dial_work": "400 ms", "status_work": "100 ms"}
    spread = [3.0 * k for k in range(60)]
    calm = run(campaign(requests=requests(*spread)), platform=platform)
    assert status_lags_s(calm.updates).max() < 2
    # The burst at 0 s, and one call long after it.
    spike = run(campaign(requests=requests(*[0] * 60, 300)), platform=platform)
    in_burst = spike.updates["call_id"] < 60
    assert status_lags_s(spike.updates[in_burst]).max() > 20
    assert status_lags_s(spike.updates[~in_burst]).max() < 2


def test_the_lag_grows_with_the_burst():
    """Twice the calls at once, twice the lag of the first news."""

    def first_news(calls):
        result = run(
            campaign(contacts=calls),
            platform={"workers": 1, "dial_work": "1 s", "loader_rate": "1000000/s"},
        )
        return begun(result)[0]

    assert [first_news(calls) for calls in (5, 10, 20)] == [5.0, 10.0, 20.0]


def test_more_workers_make_the_lag_smaller_and_change_no_outcome():
    def lag_and_statuses(workers):
        result = run(
            campaign(contacts=60),
            platform={"workers": workers, "dial_work": "500 ms", "status_work": "50 ms"},
        )
        return status_lags_s(result.updates).max(), list(result.calls["status"])

    lags, found = zip(*(lag_and_statuses(workers) for workers in (1, 2, 8)), strict=True)
    assert all(fewer > 1.5 * more for fewer, more in pairwise(lags))
    assert found[0] == found[1] == found[2]
