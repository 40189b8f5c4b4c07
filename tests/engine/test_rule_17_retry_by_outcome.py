"""Rule 17: what a call came to decides when it is dialed again, and how often."""

from __future__ import annotations

from typing import Any

import pytest

from outsim.errors import ScenarioError
from outsim.plan import build_plan
from outsim.results.result import Result
from outsim.tape import Tape
from outsim.vocabulary import BUSY
from tests.both_engines import first_difference, on_both_engines

from .scenarios import (
    campaign,
    dials,
    dispatched,
    outcomes,
    part,
    recorded,
    run,
    scenario,
    seconds,
)

# An attempt that comes to busy takes 2 s on the calm platform, one that nobody answers 32 s.


def gaps(*came_to: str, max_retry: int = 10, **retry: Any) -> list[float]:
    """Seconds from the end of each attempt to the next one, for a call that comes to these."""
    result = run(
        campaign(max_retry=max_retry, retry=retry), tape=recorded(list=[[*came_to, "human"]])
    )
    ends, begins = seconds(result.attempts["ended_at"]), dispatched(result)
    return [round(begin - end, 6) for end, begin in zip(ends, begins[1:], strict=False)]


def test_each_outcome_has_its_own_interval():
    found = gaps("busy", "no_answer", "busy", busy={"interval": "90 s"})
    assert found == [90.0, 60.0, 90.0]
    assert gaps("no_answer", "busy", no_answer={"interval": "5 min"}) == [300.0, 60.0]


def test_what_the_carrier_refuses_has_its_own_interval_too():
    result = run(
        campaign(max_retry=1, retry={"congestion": {"interval": "2 min"}}),
        outage=[part(of="carrier", begins=0, ends=30)],
    )
    assert outcomes(result) == ["congestion", "human"]
    assert dispatched(result) == [0.0, 122.0]


def test_back_off_counts_the_retries_after_that_outcome_and_no_others():
    busy = {"interval": "60 s", "back_off": 2}
    assert gaps("busy", "busy", "busy", busy=busy) == [60.0, 120.0, 240.0]
    assert gaps("busy", "no_answer", "busy", "no_answer", "busy", busy=busy) == [
        60.0,
        60.0,
        120.0,
        60.0,
        240.0,
    ]


def test_an_interval_grows_to_its_cap():
    busy = {"interval": "60 s", "back_off": 1.5, "cap": "2 min"}
    assert gaps("busy", "busy", "busy", "busy", busy=busy) == [60.0, 90.0, 120.0, 120.0]


def test_without_a_cap_it_grows_to_the_longest_that_the_platform_takes():
    found = scenario(campaign(max_retry=10, retry={"busy": {"back_off": 100}}))
    retries = build_plan(found, Tape(1)).campaigns[0].rules.retries
    assert retries is not None
    assert max(map(max, filter(None, retries.intervals_us))) == 172_800_000_000


def test_intervals_are_whole_microseconds():
    """60 s times 1.1 to the power of 8 is 128.6153286 s, to the microsecond from below."""
    found = scenario(campaign(max_retry=10, retry={"busy": {"back_off": 1.1}}))
    retries = build_plan(found, Tape(1)).campaigns[0].rules.retries
    assert retries is not None
    assert retries.intervals_us[BUSY][8] == 128_615_328


def ends(result: Result) -> tuple[str, int]:
    """Status and number of attempts of the one call."""
    return result.calls["status"][0], int(result.calls["attempts"][0])


def test_an_outcome_is_retried_at_most_so_often():
    retry = {"busy": {"most": 1}}
    for came_to, end in (
        (["busy", "busy", "human"], ("failed", 2)),
        (["busy", "no_answer", "no_answer", "human"], ("completed", 4)),
        (["no_answer", "busy", "no_answer", "busy", "human"], ("failed", 4)),
    ):
        result = run(campaign(max_retry=10, retry=retry), tape=recorded(list=[came_to]))
        assert ends(result) == end, came_to


def test_none_at_all_means_that_the_outcome_ends_the_call():
    result = run(
        campaign(max_retry=3, retry={"no_answer": {"most": 0}}), tape=recorded(list=["no_answer"])
    )
    assert ends(result) == ("failed", 1)
    assert seconds(result.calls["final_at"]) == [32.0]


def test_max_retry_bounds_all_retries_together():
    retry = {"busy": {"most": 2}, "no_answer": {"most": 2}}
    came_to = ["busy", "no_answer", "busy", "no_answer"]
    result = run(campaign(max_retry=2, retry=retry), tape=recorded(list=[came_to]))
    assert ends(result) == ("failed", 3)


def test_an_invalid_number_is_never_dialed_again():
    retry = {name: {"most": 3} for name in ("busy", "no_answer", "congestion")}
    result = run(campaign(max_retry=3, retry=retry), tape=recorded(list=["invalid"]))
    assert ends(result) == ("failed", 1)


def jittered(jitter: str | float, **parts: Any) -> Result:
    """Fifty calls whose line is busy once."""
    return run(
        campaign(contacts=50, max_retry=1, retry={"busy": {"jitter": jitter}}, **parts),
        tape=recorded(list=[["busy", "human"]] * 50),
    )


def waits(result: Result) -> dict[tuple[int, int], float]:
    """Seconds between the attempts of each call, by campaign index."""
    first, again = {}, {}
    for _, index, number, at in dials(result):
        (first if number == 1 else again)[index] = at
    return {(index, 2): round(again[index] - first[index] - 2, 6) for index in again}


@pytest.mark.parametrize("jitter", ["20 %", 0.2, "12 s"])
def test_jitter_spreads_calls_over_what_it_adds_at_most(jitter):
    found = waits(jittered(jitter)).values()
    assert len(found) == 50
    assert 60 <= min(found) < 62
    assert 70 < max(found) < 72
    assert len(set(found)) > 40


def test_jitter_is_drawn_for_each_call_and_attempt():
    """So another list or another start leaves that of the others as it is."""
    found = waits(jittered("20 %"))
    later = waits(jittered("20 %", start=100))
    assert found == later
    twice = run(
        campaign(contacts=50, max_retry=2, retry={"busy": {"jitter": "20 %"}}),
        tape=recorded(list=[["busy", "busy", "human"]] * 50),
    )
    ready = twice.attempts.pivot(index="call_id", columns="attempt", values="ready_at")
    ended = twice.attempts.pivot(index="call_id", columns="attempt", values="ended_at")
    assert ((ready[2] - ended[1]) != (ready[3] - ended[2])).sum() > 40


def test_calls_come_back_in_the_order_in_which_their_waits_end():
    """The second is due at 92 s, the first at 122 s."""
    result = run(
        campaign(
            contacts=2,
            max_retry=1,
            retry={"busy": {"interval": "2 min"}, "no_answer": {"interval": "60 s"}},
        ),
        tape=recorded(list=[["busy", "human"], ["no_answer", "human"]]),
    )
    assert [index for _, index, number, _ in dials(result) if number == 2] == [1, 0]


@pytest.mark.parametrize(
    ("ending", "status", "at"),
    [({"expires_at": 50}, "expired", 50.0), ({"stop_at": 48}, "canceled", 50.0)],
)
def test_who_waits_by_an_outcome_is_reached_by_an_end_of_the_campaign(ending, status, at):
    result = run(
        campaign(contacts=2, max_retry=3, retry={"busy": {"interval": "90 s"}}, **ending),
        tape=recorded(list=["busy", "no_answer"]),
    )
    assert result.calls["status"].tolist() == [status] * 2
    assert seconds(result.calls["final_at"]) == [at] * 2
    assert result.calls["attempts"].tolist() == [1, 1]


def test_background_tenants_have_retries_by_outcome_too():
    result = run(
        profiles={"away": {"human": 0, "voicemail": 0, "no_answer": 0, "busy": 100}},
        background={
            "campaigns_per_hour": 4,
            "median_size": 5,
            "profile": "away",
            "max_retry": 2,
            "retry_interval": "60 s",
            "retry": {"busy": {"most": 1, "interval": "90 s"}},
        },
    )
    assert result.calls["attempts"].max() == 2
    again = result.attempts[result.attempts["attempt"] == 2].set_index("call_id")
    first = result.attempts[result.attempts["attempt"] == 1].set_index("call_id")
    gap = again["ready_at"] - first["ended_at"].reindex(again.index)
    assert set(gap.dt.total_seconds()) == {90.0}


POLICIES: dict[str, dict[str, Any]] = {
    "interval": {"busy": {"interval": "100 s"}},
    "back-off": {"no_answer": {"back_off": 1.7, "cap": "5 min"}},
    "most": {"busy": {"most": 1}, "no_answer": {"most": 0}},
    "jitter": {"busy": {"jitter": "30 s"}, "no_answer": {"jitter": "40 %"}},
    "all": {
        "busy": {"interval": "61 s", "back_off": 2, "jitter": "10 %"},
        "no_answer": {"most": 2, "back_off": 1.3},
        "congestion": {"interval": "90 s", "jitter": "1 s"},
    },
}


@pytest.mark.parametrize("retry", POLICIES.values(), ids=POLICIES)
def test_both_engines_keep_the_rule(retry):
    """Under load, with refusals: equal records, other ones than without the rule."""
    parts: dict[str, Any] = {
        "profiles": {"people": {"human": 20, "voicemail": 5, "no_answer": 40, "busy": 35}},
        "platform": {"ports": 20, "dial_rate": "2/s", "dial_burst": 1},
        "carrier": {"rate": "70/min", "burst": 2},
    }
    plans = [
        build_plan(scenario(campaign(contacts=60, max_retry=4, **keys), **parts), Tape(3))
        for keys in ({"retry": retry}, {})
    ]
    (readable, compiled), (without, _) = map(on_both_engines, plans)
    assert not first_difference(plans[0], readable, compiled)
    assert first_difference(plans[0], readable, without)


@pytest.mark.parametrize(
    ("retry", "message"),
    [
        ({"busy": {"interval": "30 s"}}, "retry.busy.interval: found 30 s; must be 60 s to"),
        ({"busy": {"most": 11}}, "retry.busy.most: found 11; must be at most 10"),
        ({"busy": {"back_off": 0.5}}, "retry.busy.back_off: found 0.5; must be at least 1"),
        ({"busy": {"jitter": "120 %"}}, "retry.busy.jitter: found '120 %'; must be 0 to 1, or"),
        (
            {"busy": {"jitter": "soon"}},
            "retry.busy.jitter: found 'soon'; write a share such as '20 %', or",
        ),
        ({"busy": {"jitter": -1}}, "retry.busy.jitter: found -1; must be 0 to 1, or"),
        (
            {"busy": {"interval": "5 min", "cap": "2 min"}},
            "retry.busy.cap: found 2 min; must not be shorter than the interval (5 min)",
        ),
        ({"congestion": {"cap": "3 d"}}, "retry.congestion.cap: found 72 h; must be 60 s to"),
        ({"invalid": {}}, 'retry.invalid: unknown key "invalid"; allowed: busy, no_answer'),
        ({"busy": {"intervall": "60 s"}}, 'did you mean "interval"?'),
    ],
)
def test_what_cannot_be_is_refused(retry, message):
    with pytest.raises(ScenarioError) as refused:
        scenario(campaign(retry=retry))
    assert message in str(refused.value)
