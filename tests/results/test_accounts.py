"""Why a call failed or was refused, with the platform as it was just before."""

from __future__ import annotations

import pytest

from outsim.results.result import Result
from outsim.results.tables.call_history import account, platform_at, reasons
from tests.engine.scenarios import campaign, part, recorded, run


def why(result: Result, call_id: int = 0) -> list[str]:
    return account(result, call_id).attempts["why"].tolist()


def test_every_attempt_is_told_with_why_it_came_to_nothing() -> None:
    result = run(campaign(max_retry=2), tape=recorded(list=[["busy", "no_answer", "human"]]))
    found = account(result, 0)
    assert found.attempts["why"].tolist() == [
        "the line was busy",
        "rang for 30 s, and nobody answered",
        "answered by a person",
    ]
    assert found.attempts["attempt"].tolist() == [1, 2, 3]
    assert found.ending.startswith("completed at 09:0")


@pytest.mark.parametrize(
    ("carrier", "said"),
    [
        ({"rate": "2/s", "burst": 1}, "more calls than its rate of 2/s leaves room for"),
        ({"channels": 1}, "all its channels were in use"),
    ],
)
def test_a_refusal_is_told_with_what_the_carrier_lacked(
    carrier: dict[str, object], said: str
) -> None:
    result = run(campaign(contacts=2), carrier=carrier)
    found = account(result, 1)
    assert found.attempts["why"].tolist() == [f"refused by the carrier: {said}"]
    assert found.ending == "failed at 09:00:02: its only attempt was not answered"


def test_other_refusals_name_their_cause() -> None:
    assert why(run(campaign(), outage=[part(of="carrier", begins=0, ends=60)])) == [
        "refused: the carrier was out of service"
    ]
    assert why(run(campaign(missing_ani_share=1.0))) == [
        "refused by the carrier: the call had no caller ID"
    ]
    dropped = run(campaign(), outage=[part(of="carrier", begins=10, ends=60, drop=True)])
    assert why(dropped) == ["cut off by an outage"]


def test_an_invalid_number_is_not_dialed_again() -> None:
    result = run(campaign(max_retry=3), tape=recorded(list=["invalid"]))
    assert account(result, 0).ending == (
        "failed at 09:00:02: an invalid number is not dialed again"
    )


def test_calls_that_were_never_dialed_are_told_why() -> None:
    stopped = run(campaign(start=60, submitted_at=0, stop_at=10))
    assert account(stopped, 0).ending == "canceled at 09:00:12 by a stop, after 0 attempts"
    expired = run(campaign(contacts=2, expires_at=15), platform={"ports": 1})
    assert account(expired, 1).ending == "expired at 09:00:15, after 0 attempts"
    wedged = run(campaign(), platform={"wedged_calls": 1.0})
    assert account(wedged, 0).ending.startswith("wedged: accepted")


def test_the_platform_is_told_as_it_was_just_before() -> None:
    """Five calls at 1 s apart on 3 ports and 2 channels, each of 20 s."""
    result = run(
        campaign(contacts=5),
        platform={"ports": 3, "dial_rate": "1/s", "dial_burst": 1},
        carrier={"channels": 2},
        outage=[part(of="ports", begins=3000, ends=3100, count=1)],
    )
    state = platform_at(result, result.attempts["dialed_at"])
    # The third call comes to the carrier at 3 s, and finds both channels in use.
    third = state.iloc[2]
    assert (third["busy_channels"], third["channels"]) == (2, 2)
    assert (third["busy_ports"], third["ports"]) == (3, 3)
    assert third["queue"] == 2
    assert state["refused_last_minute"].tolist()[:4] == [0, 0, 0, 1]


def test_reasons_count_every_call_that_was_not_completed() -> None:
    result = run(
        campaign(contacts=5),
        tape=recorded(list=["human", "busy", "busy", "no_answer", "invalid"]),
    )
    found = reasons(result, result.calls["call_id"].to_numpy())
    assert found[["status", "reason", "calls"]].to_numpy().tolist() == [
        ["failed", "busy", 2],
        ["failed", "invalid", 1],
        ["failed", "no_answer", 1],
    ]
    assert found["examples"].tolist() == [[1, 2], [4], [3]]
