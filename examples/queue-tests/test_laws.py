"""What holds in any run, whatever its seed."""

from pathlib import Path

import pytest

from outsim.results.invariants import check_invariants

SCENARIOS = Path(__file__).parent / "scenarios"
FILES = sorted(SCENARIOS.glob("[0-9]*.toml"))


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_the_laws_of_the_platform_hold(path, simulate):
    check_invariants(simulate(path))


@pytest.mark.rule(1)
def test_a_row_is_rejected_or_called_and_none_disappears(simulate):
    calls = simulate(SCENARIOS / "01-submission.toml").calls
    of_list = calls[calls["campaign"] == "list"]
    rows = len((SCENARIOS / "contacts.csv").read_text().splitlines()) - 1
    assert len(of_list) == rows
    assert (of_list["status"] == "rejected").sum() == 7


@pytest.mark.rule(12)
def test_a_stop_before_the_start_cancels_everything(simulate):
    calls = simulate(SCENARIOS / "12-stop.toml").calls
    assert set(calls["status"][calls["campaign"] == "before its start"]) == {"canceled"}


@pytest.mark.rule(13)
def test_a_suspended_customer_is_not_dialed(simulate):
    attempts = simulate(SCENARIOS / "13-suspension.toml").attempts
    acme = attempts["dispatched_at"][attempts["tenant"] == "acme"].dt.strftime("%H:%M:%S")
    assert not acme.between("09:00:20", "09:02:39").any()


@pytest.mark.rule(11)
def test_nobody_is_posted_to_before_the_result_can_be_seen(simulate):
    result = simulate(SCENARIOS / "11-delivery.toml")
    final = result.updates["status"].isin(["completed", "failed", "canceled", "expired"])
    seen = result.updates[final].set_index("call_id")["visible_at"]
    first = result.deliveries[result.deliveries["delivery_attempt"] == 1].set_index("call_id")[
        "due_at"
    ]
    assert len(first) > 0
    assert not first.index.has_duplicates
    assert (first >= seen.reindex(first.index)).all()
