"""Why calls fail, and what can be told of those that the page still shows as pending."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest

from outsim.results.result import Result
from outsim.results.tables.failures import (
    AMBIGUOUS,
    NEVER_WENT_OUT,
    WENT_OUT,
    PendingMatch,
    failed_calls_by_cause,
    match_pending,
    unanswered_by_attempt,
    unanswered_by_hour,
)
from tests.engine.scenarios import campaign, moment, recorded, run

from .runs import EMPTY, full

BLIND: dict[str, Any] = {"lost_updates": 1.0}
"""A platform that never tells the page anything: every call stays pending there."""


def matched(result: Result, second: float, name: str = "list") -> PendingMatch:
    return match_pending(
        result.calls,
        result.attempts,
        result.updates,
        moment(second),
        result.calls["campaign"] == name,
    )


def verdicts(result: Result, second: float, name: str = "list") -> list[tuple[str, bool]]:
    """(verdict, whether it went out) of each pending call, in list order."""
    calls = matched(result, second, name).calls
    return list(zip(calls["verdict"], calls["dialed"].tolist(), strict=True))


@pytest.fixture
def numbers(tmp_path):
    """Make a contact list of these numbers."""

    def make(*endings: int) -> str:
        path = tmp_path / f"{'-'.join(map(str, endings))}.csv"
        rows = [f"21255501{ending:02d},2125550199" for ending in endings]
        path.write_text("\n".join(["destination,ani", *rows]) + "\n")
        return str(path)

    return make


# Failed calls


def test_failed_calls_are_counted_by_what_ended_them():
    outcomes = ["busy", ["busy", "no_answer"], "invalid", "human", ["no_answer", "no_answer"]]
    calls = run(campaign(contacts=5, max_retry=1), tape=recorded(list=outcomes)).calls
    table = failed_calls_by_cause(calls)
    # The first is busy and then answered, which is what everybody does who is not recorded.
    assert table["calls"].to_dict() == {"no_answer": 2, "busy": 0, "invalid": 1, "congestion": 0}
    assert table["share"].sum() == pytest.approx(1)


def test_attempts_are_counted_by_their_number():
    outcomes = [["busy", "human"], ["no_answer", "busy"], "voicemail"]
    result = run(campaign(contacts=3, max_retry=1), tape=recorded(list=outcomes))
    table = unanswered_by_attempt(result.attempts)
    assert table.reset_index().to_dict(orient="list") == {
        "attempt": [1, 2],
        "attempts": [3, 2],
        "no_answer": [1, 0],
        "busy": [1, 1],
        "invalid": [0, 0],
        "congestion": [0, 0],
        "answered_share": pytest.approx([1 / 3, 1 / 2]),
    }


def test_attempts_are_counted_by_the_local_hour_of_their_dispatch():
    times = [3500.0, 3590.0, 3600.0]
    result = run(campaign(requests={"times_s": times}), clock={"ends": "11:00"})
    assert unanswered_by_hour(result.attempts)["attempts"].to_dict() == {"09:00": 2, "10:00": 1}


def test_an_attempt_that_lasts_is_not_counted_yet():
    result = full()
    assert result.attempts["outcome"].isna().sum() == 1
    counted = unanswered_by_attempt(result.attempts)["attempts"].sum()
    assert counted == len(result.attempts) - 1


@pytest.mark.parametrize("make", EMPTY)
def test_nobody_failed_where_nobody_was_called(make):
    result = make()
    assert failed_calls_by_cause(result.calls)["calls"].sum() == 0
    assert failed_calls_by_cause(result.calls)["share"].sum() == 0
    for table in (unanswered_by_attempt(result.attempts), unanswered_by_hour(result.attempts)):
        assert len(table) == 0
        assert table.columns[0] == "attempts"


# Pending calls against the call log


def test_the_call_log_tells_calls_that_went_out_from_those_that_did_not(numbers):
    """One port, twenty seconds a call: at 30 s the first two calls have been dialed.

    The second and third go to one number, which has one entry in the log: whose it is, the
    log does not say.
    """
    result = run(campaign(contact_list=numbers(0, 1, 1, 2)), platform=BLIND | {"ports": 1})
    assert verdicts(result, 30) == [
        (WENT_OUT, True),
        (AMBIGUOUS, True),
        (AMBIGUOUS, False),
        (NEVER_WENT_OUT, False),
    ]
    match = matched(result, 30)
    assert match.counts == {WENT_OUT: 1, NEVER_WENT_OUT: 1, AMBIGUOUS: 2}
    assert (match.wrong, match.error_rate) == (0, 0.0)


def test_a_wedged_call_never_went_out():
    result = run(campaign(), platform={"wedged_calls": 1.0})
    assert verdicts(result, 3000) == [(NEVER_WENT_OUT, False)]


def test_an_entry_counts_from_its_dial_on():
    """Dispatched at once, it is in the log a second later, when the dial work is done."""
    result = run(campaign(), platform=BLIND)
    assert verdicts(result, 0.999999) == [(NEVER_WENT_OUT, False)]
    assert verdicts(result, 1) == [(WENT_OUT, True)]


def test_another_customers_calls_to_the_number_are_not_in_the_log(numbers):
    result = run(
        campaign(contact_list=numbers(0)),
        campaign("theirs", "zeta", contact_list=numbers(0)),
        platform=BLIND | {"ports": 1},
    )
    assert verdicts(result, 5) == [(WENT_OUT, True)]
    assert verdicts(result, 5, "theirs") == [(NEVER_WENT_OUT, False)]


def test_another_campaign_of_the_customer_makes_an_entry_ambiguous(numbers):
    result = run(
        campaign(contact_list=numbers(0)),
        campaign("again", contact_list=numbers(0)),
        platform=BLIND | {"ports": 1},
    )
    assert verdicts(result, 5) == [(AMBIGUOUS, False)]


def test_an_entry_from_before_the_submission_is_of_another_call(numbers):
    result = run(
        campaign("first", contact_list=numbers(0)),
        campaign(start=100, contact_list=numbers(0)),
        platform=BLIND,
    )
    assert verdicts(result, 100.5) == [(NEVER_WENT_OUT, False)]
    assert verdicts(result, 101) == [(AMBIGUOUS, True)]


def test_a_row_that_was_rejected_could_not_have_made_the_entry(numbers):
    result = run(campaign(contact_list=numbers(0, 0), duplicates="reject"), platform=BLIND)
    assert verdicts(result, 5) == [(WENT_OUT, True)]


def test_a_call_that_is_shown_as_over_is_not_asked_about():
    result = full()
    pending = matched(result, 50).calls
    assert pending["index"].tolist() == [1, 2]
    assert set(pending["status"]) == {"waiting_retry"}


def test_only_the_calls_that_are_asked_about_are_matched():
    result = full()
    assert matched(result, 99.9, "late").calls["campaign"].tolist() == ["late"]


def test_the_error_rate_is_of_the_verdicts_that_were_given():
    match = PendingMatch(
        pd.DataFrame(
            {
                "verdict": [WENT_OUT, WENT_OUT, NEVER_WENT_OUT, NEVER_WENT_OUT, AMBIGUOUS],
                "dialed": [True, False, False, True, True],
            }
        )
    )
    assert match.wrong == 2
    assert match.error_rate == 2 / 4


def test_where_no_verdict_is_given_there_is_no_error_rate():
    assert math.isnan(PendingMatch(pd.DataFrame({"verdict": [], "dialed": []})).error_rate)


@pytest.mark.parametrize("make", EMPTY)
def test_nobody_is_pending_where_nobody_was_handed_in(make):
    assert len(matched(make(), 60).calls) == 0
