"""Calls that intake refused, in the answers about failures and about one call."""

from __future__ import annotations

import pytest

import outsim
from outsim.questions.failed import Failures
from outsim.results.result import Result
from outsim.results.tables.call_history import Account
from outsim.scenario import load


@pytest.fixture(scope="module")
def result() -> Result:
    scenario = load(
        {
            "clock": {"date": "2026-03-10", "begins": "09:00", "ends": "10:00"},
            "platform": {"intake_rate": "1/min", "lost_updates": 0.0, "wedged_calls": 0.0},
            "campaign": [
                {
                    "name": "singles",
                    "tenant": "acme",
                    "start": "09:00",
                    "requests": {"times_s": [0, 10, 20, 40]},
                    "when_refused": "asks again",
                    "asks_again": {"interval": "25 s", "back_off": 2.0, "most": 2},
                },
                {"name": "list", "tenant": "zeta", "start": "09:00", "contacts": 5},
            ],
        }
    )
    return outsim.simulate(scenario, seed=1)


def test_refused_calls_are_told_apart_from_failed_ones(result: Result) -> None:
    failures = outsim.failed(result, "singles").run()
    assert isinstance(failures, Failures)
    told = failures.not_accepted.to_dict(orient="records")
    refused = int((result.view("singles").calls["status"] == "refused").sum())
    assert told == [{"status": "refused", "reason": "platform_rate", "calls": refused}]
    document = failures.document()
    assert any(
        f"{refused:,} calls were refused as they were requested" in text for text in document.more
    )
    assert "Calls that never were in the queue" in [table.caption for table in document.tables]
    assert failures.to_dict()["not_accepted"] == told


def test_a_list_that_was_refused_was_never_dialed(result: Result) -> None:
    failures = outsim.failed(result, "list").run()
    assert failures.not_accepted["calls"].tolist() == [5]
    assert failures.count == 0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (1, "Refused at request: refused 2 times, from 09:00:10 on: more requests than the"),
        (4, "Refused at request: refused once, from 09:00:00 on: more requests than the platform"),
        (8, "Refused at request: refused once"),
    ],
)
def test_the_account_of_a_refused_call_says_why(result: Result, call: int, words: str) -> None:
    account = outsim.explain(result, call=call).run()
    assert isinstance(account, Account)
    assert account.document().answer.startswith(words)
    assert account.attempts.empty


def test_the_account_of_a_call_that_was_taken_late_says_how_often_it_was_refused(
    result: Result,
) -> None:
    table = result.requests
    late = table[(table["tries"] == 2) & table["taken_at"].notna()].iloc[0]
    account = outsim.explain(result, call=int(late["call_id"])).run()
    assert (
        account.document()
        .more[0]
        .startswith(f"Taken at {late['taken_at']:%H:%M:%S} only, after it was refused once")
    )


def test_the_status_page_shows_a_refused_call_from_its_request_on(result: Result) -> None:
    status = outsim.status(result, "singles", at="09:00:15").run()
    assert status.page["status"].tolist()[1] == "refused"
    assert status.differing == 0


def test_a_call_that_is_still_asked_for_stands_as_refused_and_in_no_queue(result: Result) -> None:
    status = outsim.status(result, "singles", at="09:00:50").run()
    assert status.page["status"].tolist()[3] == "refused"
    assert len(status.page) == 4
    queue = result.snapshot("09:00:50").campaign[0]
    assert sum(queue.count(state) for state in ("queued", "scheduled")) == 0
