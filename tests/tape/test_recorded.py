"""A tape from recorded data: what is recorded happens, the rest is drawn as ever."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from outsim import Tape as PublicTape
from outsim.errors import TapeError
from outsim.results.checkpoint import simulate
from outsim.results.result import Result
from outsim.scenario import load
from outsim.tape import Tape

SCENARIO: dict[str, Any] = {
    "clock": {"zone": "UTC", "date": date(2026, 3, 10), "begins": "09:00", "ends": "10:00"},
    "platform": {"start_jitter": "none", "lost_updates": 0.0, "wedged_calls": 0.0},
    "carrier": {"channels": 1000, "rate": "1000/s", "burst": 1000},
    "campaign": [
        {
            "name": name,
            "tenant": tenant,
            "start": "09:00",
            "contacts": 6,
            "max_retry": 1,
            "retry_interval": "60 s",
        }
        for tenant, name in (("acme", "list"), ("bolt", "list"), ("bolt", "other"))
    ],
}


def run(tape: Tape) -> Result:
    return simulate(load(SCENARIO), tape=tape)


def attempts(result: Result, tenant: str, name: str) -> pd.DataFrame:
    table = result.attempts.merge(result.calls[["call_id", "index"]], on="call_id")
    mine = table[(table["tenant"] == tenant) & (table["campaign"] == name)]
    return mine.set_index(["index", "attempt"]).sort_index()


RECORDED = pd.DataFrame(
    {
        "tenant": "acme",
        "campaign": "list",
        "index": [0, 0, 1, 2, 3],
        "attempt": [1, 2, 1, 1, 1],
        "outcome": ["busy", "human", "voicemail", None, "no_answer"],
        "post_dial_s": [1.5, 2.0, np.nan, 3.0, 0.25],
        "ring_s": [np.nan, 4.0, 5.0, 6.0, np.nan],
        "talk_s": [np.nan, 7.25, 8.0, 9.0, np.nan],
    }
)


def test_what_is_recorded_happens() -> None:
    mine = attempts(run(Tape.from_table(RECORDED)), "acme", "list")
    assert mine.loc[(0, 1), "outcome"] == "busy"
    assert mine.loc[(0, 2), "outcome"] == "human"
    assert mine.loc[(1, 1), "outcome"] == "voicemail"
    assert mine.loc[(3, 1), "outcome"] == "no_answer"

    def seconds(row: tuple[int, int], begin: str, end: str) -> float:
        return (mine.loc[row, f"{end}_at"] - mine.loc[row, f"{begin}_at"]).total_seconds()

    assert seconds((0, 1), "dialed", "ended") == 1.5
    assert seconds((0, 2), "dialed", "ringing") == 2.0
    assert seconds((0, 2), "ringing", "answered") == 4.0
    assert seconds((0, 2), "answered", "ended") == 7.25
    assert seconds((1, 1), "answered", "ended") == 8.0
    assert seconds((2, 1), "dialed", "ringing") == 3.0


def test_the_rest_is_drawn_from_the_seed() -> None:
    recorded, drawn = run(Tape.from_table(RECORDED, seed=9)), run(Tape(9))
    columns = ["outcome", "callee_type", "number"]
    for key in (("bolt", "list"), ("bolt", "other")):
        one, two = attempts(recorded, *key), attempts(drawn, *key)
        pd.testing.assert_frame_equal(one[columns], two[columns])
    one, two = attempts(recorded, "acme", "list"), attempts(drawn, "acme", "list")
    for index in (4, 5):
        assert one.loc[(index, 1), "outcome"] == two.loc[(index, 1), "outcome"]
    assert one.loc[(2, 1), "outcome"] == two.loc[(2, 1), "outcome"]


def test_without_a_tenant_a_record_counts_for_every_campaign_of_the_name() -> None:
    table = {"campaign": ["list"] * 6, "index": range(6), "outcome": ["busy"] * 6}
    result = run(Tape.from_table(table))
    for tenant in ("acme", "bolt"):
        firsts = attempts(result, tenant, "list").xs(1, level="attempt")
        assert (firsts["outcome"] == "busy").all()
    assert not (attempts(result, "bolt", "other")["outcome"] == "busy").all()


def test_the_seed_of_a_recorded_tape_counts_for_the_rest() -> None:
    tape = Tape.from_table(RECORDED, seed=5, replication=2)
    assert (tape.seed, tape.replication) == (5, 2)
    assert "recorded=1 campaigns" in repr(tape)
    assert PublicTape is Tape


def test_the_order_of_the_rows_does_not_count() -> None:
    shuffled = RECORDED.sample(frac=1, random_state=np.random.RandomState(1))
    one, two = run(Tape.from_table(RECORDED)), run(Tape.from_table(shuffled))
    pd.testing.assert_frame_equal(one.attempts, two.attempts)


def test_records_of_more_calls_than_there_are_are_left_over() -> None:
    table = {"campaign": ["list"] * 2, "index": [0, 99], "outcome": ["busy", "human"]}
    assert attempts(run(Tape.from_table(table)), "acme", "list").loc[(0, 1), "outcome"] == "busy"


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no index": ({"campaign": ["list"]}, "lacks the columns index"),
    "no campaign": ({"index": [0]}, "lacks the columns campaign"),
    "unknown column": (
        {"campaign": ["list"], "index": [0], "outcomes": ["busy"]},
        "has unknown columns outcomes",
    ),
    "twice": ({"campaign": ["list"] * 2, "index": [3, 3]}, "attempt 1 of call 3 of 'list'"),
    "unknown outcome": (
        {"campaign": ["list"], "index": [0], "outcome": ["engaged"]},
        "recorded outcome 'engaged' in row 0",
    ),
    "congestion": (
        {"campaign": ["list"], "index": [0], "outcome": ["congestion"]},
        "recorded outcome 'congestion' in row 0",
    ),
    "negative": (
        {"campaign": ["list"] * 2, "index": [0, 1], "ring_s": [1.0, -2.0]},
        "recorded ring_s -2.0 in row 1",
    ),
    "infinite": (
        {"campaign": ["list"], "index": [0], "talk_s": [np.inf]},
        "recorded talk_s inf in row 0",
    ),
    "no duration": (
        {"campaign": ["list"], "index": [0], "talk_s": ["long"]},
        "recorded talk_s",
    ),
    "negative index": ({"campaign": ["list"], "index": [-1]}, "recorded index -1 in row 0"),
    "broken index": ({"campaign": ["list"], "index": [0.5]}, "recorded index 0.5 in row 0"),
    "attempt 0": (
        {"campaign": ["list"], "index": [0], "attempt": [0]},
        "recorded attempt 0 in row 0",
    ),
}


@pytest.mark.parametrize(("table", "message"), WRONG.values(), ids=WRONG)
def test_a_table_that_cannot_be_used_is_refused(table: dict[str, Any], message: str) -> None:
    with pytest.raises(TapeError) as caught:
        Tape.from_table(table)
    assert message in str(caught.value)


@pytest.mark.parametrize("key", ["tenant", "campaign"])
def test_a_row_without_a_name_is_not_dropped_in_silence(key: str) -> None:
    table = pd.DataFrame(
        {"tenant": ["acme", "acme"], "campaign": ["list", "list"], "index": [0, 1]}
    )
    table.loc[1, key] = None
    with pytest.raises(TapeError, match=key):
        Tape.from_table(table.assign(outcome="busy"))


def test_a_record_of_a_campaign_that_is_not_there_is_refused() -> None:
    scenario = load(
        {
            "clock": {"zone": "UTC", "date": "2026-03-10", "begins": "09:00", "ends": "10:00"},
            "campaign": [{"name": "list", "tenant": "acme", "start": "09:00", "contacts": 1}],
        }
    )
    tape = Tape.from_table({"campaign": ["lits"], "index": [0], "outcome": ["busy"]})
    with pytest.raises(
        TapeError, match="campaign 'lits': there is no such campaign; did you mean"
    ):
        simulate(scenario, tape=tape)
