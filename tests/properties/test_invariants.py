"""Every invariant of the platform holds in random scenarios, and a broken one is reported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outsim.clock import MINUTE, MISSING, SECOND
from outsim.engine.records import Columns
from outsim.errors import InvariantError
from outsim.results.checkpoint import simulate
from outsim.results.invariants import INVARIANTS, Invariant, check_invariants, violations
from outsim.results.result import Result
from outsim.results.tables.run_tables import RunTables
from outsim.scenario import Scenario, load
from outsim.units import WHOLE
from outsim.vocabulary import (
    ACCEPTED,
    BUSY,
    CANCELED,
    CARRIER_CHANNELS,
    CARRIER_RATE,
    COMPLETED,
    DIALING,
    DROPPED,
    EXPIRED,
    FAILED,
    MISSING_ANI,
    NO_CAUSE,
    QUEUED,
    REJECTED,
    SCHEDULED,
)
from tests.occurrences import occurrences
from tests.strategies import (
    LISTS,
    PROFILES,
    crowded_scenarios,
    scenarios,
    sharing_scenarios,
    standing_scenarios,
)

TIED: dict[str, Any] = {
    "clock": {"zone": "UTC", "date": date(2026, 3, 10), "begins": "09:00", "ends": "09:05"},
    "platform": {"ports": 9, "dial_rate": "9/s", "dial_burst": 9, "start_jitter": "none"},
    "carrier": {"rate": "1/s", "burst": 1, "other_traffic": 0.0},
    "background": {
        "tenants": 1,
        "campaigns_per_hour": 1,
        "median_size": 9,
        "size_log_sd": 0.0,
        "start_minutes": {"top": 1, "half": 0, "quarter": 0, "other": 0},
    },
    "campaign": [{"name": "a", "tenant": "zulu", "start": "09:00", "contacts": 9}],
}
"""Background tenants come before the scenario's own by name, and after it by call_id."""

invariants = SimpleNamespace(**{each.__name__: each for each in INVARIANTS})

DEPTHS = ("quick", pytest.param("deep", marks=pytest.mark.deep))


@pytest.mark.parametrize("depth", DEPTHS)
def test_random_scenarios_keep_every_invariant(depth: str) -> None:
    """And every rule has had something to do in some of them, or the test would mean nothing."""
    occurred: Counter[str] = Counter()

    @settings(max_examples=max(250, settings.default.max_examples))
    @given(st.one_of(scenarios(), crowded_scenarios(), sharing_scenarios()))
    def keeps(scenario: Scenario) -> None:
        result = simulate(scenario)
        check_invariants(result)
        occurred.update(occurrences(result.arrays))

    keeps()
    # These come seldom; the queues of the next test have them.
    del occurred["ties: dials that share an instant, not in the order of call_id"]
    assert [name for name, count in occurred.items() if count == 0] == []


@pytest.mark.parametrize("depth", DEPTHS)
def test_random_queues_as_they_stand_keep_every_invariant(depth: str) -> None:
    """And dials share an instant whose calls are numbered in another order than they go."""
    ties: Counter[str] = Counter()

    @settings(max_examples=max(300, settings.default.max_examples))
    @given(standing_scenarios())
    def keeps(scenario: Scenario) -> None:
        result = simulate(scenario)
        check_invariants(result)
        ties.update({k: v for k, v in occurrences(result.arrays).items() if k.startswith("ties")})

    keeps()
    assert min(ties.values()) >= 10, ties


def test_dials_at_one_instant_are_in_the_order_of_tenants() -> None:
    """Not of call_id, by which those of background tenants come last."""
    result = simulate(load(TIED))
    dialed = result.attempts.groupby("dialed_at")["call_id"]
    assert (dialed.nunique() > 1).any()
    assert "carrier_rate" in set(result.attempts["cause"])
    check_invariants(result)


@cache
def crowded(tmp: str) -> Result:
    """A run in which every invariant has something to say."""
    begins = "09:00"
    return simulate(
        load(
            {
                "clock": {
                    "zone": "UTC",
                    "date": date(2026, 3, 10),
                    "begins": begins,
                    "ends": "09:14",
                },
                "platform": {
                    "ports": 4,
                    "dial_rate": "1/s",
                    "dial_burst": 2,
                    "workers": 1,
                    "dial_work": "700 ms",
                    "status_work": "600 ms",
                    "start_jitter": "none",
                    "lost_updates": 0.1,
                    "wedged_calls": 0.05,
                    "one_call_per_number": True,
                },
                "carrier": {"channels": 3, "other_traffic": 0.0, "rate": "15/min", "burst": 1},
                "callees": {"message": "10 s"},
                "profiles": PROFILES,
                "endpoint": [{"name": "url", "failure_share": 0.5, "posts_at_once": 1}],
                "tenant": [
                    {"name": "corp", "max_simultaneous": 2, "dial_rate": "10/min"},
                    {"name": "xray", "intake_rate": "1/min"},
                ],
                "campaign": [
                    {
                        "name": "windowed",
                        "tenant": "acme",
                        "start": begins,
                        "contacts": 30,
                        "profile": "mixed",
                        "retry_interval": "60 s",
                        "window": {"opens": "09:01", "closes": "09:13"},
                        "result_url": "url",
                    },
                    {
                        "name": "stopped",
                        "tenant": "bolt",
                        "start": "09:01",
                        "contacts": 20,
                        "profile": "mixed",
                        "retry_interval": "60 s",
                        "pacing": "10/min",
                        "stop_at": "09:02",
                    },
                    {
                        "name": "limited",
                        "tenant": "corp",
                        "start": begins,
                        "contacts": 8,
                        "profile": "absent",
                        "retry_interval": "60 s",
                        "max_simultaneous": 1,
                        "missing_ani_share": 0.3,
                    },
                    {
                        "name": "expiring",
                        "tenant": "dune",
                        "start": begins,
                        "contacts": 60,
                        "profile": "absent",
                        "retry_interval": "60 s",
                        "expires_at": "09:01:30",
                    },
                    {
                        "name": "faulty",
                        "tenant": "echo",
                        "start": begins,
                        "contact_list": f"{tmp}/faulty.csv",
                        "profile": "people",
                    },
                    {
                        "name": "repeated",
                        "tenant": "zulu",
                        "start": "09:11",
                        "contact_list": f"{tmp}/repeated.csv",
                        "profile": "people",
                    },
                    {
                        "name": "canceled",
                        "tenant": "yard",
                        "start": "09:10",
                        "contacts": 30,
                        "profile": "people",
                        "stop_at": "09:10:10",
                        "stop_mode": "calls",
                        "cancel_rate": "20/min",
                    },
                    {
                        "name": "asked",
                        "tenant": "xray",
                        "start": "09:12",
                        "requests": {"rate": "1800/hour", "until": "09:13"},
                        "profile": "people",
                    },
                ],
                "suspension": [{"tenant": "acme", "begins": "09:03", "ends": "09:04"}],
                "outage": [
                    {"of": "status", "begins": "09:02", "ends": "09:03"},
                    {"of": "channels", "begins": "09:06", "ends": "09:07", "drop": True},
                ],
            }
        )
    )


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    directory = tmp_path_factory.mktemp("lists")
    for name in ("faulty", "repeated"):
        (directory / f"{name}.csv").write_text(LISTS[name])
    return crowded(str(directory))


class Copy:
    """The records of a run, to be tampered with."""

    def __init__(self, result: Result) -> None:
        def copied(columns: Columns) -> dict[str, np.ndarray]:
            return {name: column.copy() for name, column in columns.items()}

        self.result = result
        records = result.arrays.records
        self.attempts, self.updates = copied(records.attempts), copied(records.updates)
        self.deliveries, self.calls = copied(records.deliveries), copied(records.calls)
        self.requests, self.plan = copied(records.requests), result.arrays.plan

    def rank(self, name: str) -> int:
        return next(c.rank for c in self.result.arrays.plan.campaigns if c.name == name)

    def of(self, name: str, table: str = "attempts") -> np.ndarray:
        """Rows of a campaign in a table."""
        calls = getattr(self, table)["call_id"]
        return np.flatnonzero(self.result.arrays.rank_of_call[calls] == self.rank(name))

    def tampered(self) -> Result:
        arrays = self.result.arrays
        records = replace(
            arrays.records,
            attempts=self.attempts,
            updates=self.updates,
            deliveries=self.deliveries,
            calls=self.calls,
            requests=self.requests,
        )
        arrays = replace(arrays, plan=self.plan, records=records)
        return replace(self.result, frames=RunTables(arrays))


def some(mask: Any) -> int:
    """First place that is marked; there must be one."""
    return int(np.flatnonzero(mask)[0])


def accept_a_rejected_row(c: Copy) -> None:
    c.calls["status"][some(c.calls["status"] == REJECTED)] = SCHEDULED


def fail_a_completed_call(c: Copy) -> None:
    c.calls["status"][some(c.calls["status"] == COMPLETED)] = FAILED


def lose_a_final_change(c: Copy) -> None:
    undialed = c.calls["attempts"][c.updates["call_id"]] == 0
    row = some((c.updates["status"] == EXPIRED) & undialed)
    c.updates = {name: np.delete(column, row) for name, column in c.updates.items()}


def skip_an_attempt_number(c: Copy) -> None:
    c.attempts["attempt"][some(c.attempts["attempt"] == 2)] = 3


def dial_once_too_often(c: Copy) -> None:
    last = some(c.attempts["attempt"] == 3)
    again = {name: np.append(column, column[last]) for name, column in c.attempts.items()}
    again["attempt"][-1] = 4
    c.attempts = again
    c.calls["attempts"][c.attempts["call_id"][-1]] += 1


def forget_the_answer(c: Copy) -> None:
    done = np.flatnonzero(c.calls["status"] == COMPLETED)
    c.attempts["outcome"][some(np.isin(c.attempts["call_id"], done))] = BUSY


def load_after_the_stop(c: Copy) -> None:
    rows = c.of("stopped", "updates")
    row = rows[c.updates["status"][rows] == QUEUED][-1]
    c.updates["happened"][row] = 3 * MINUTE


def leave_a_call_behind_the_stop(c: Copy) -> None:
    c.calls["status"][c.result.arrays.plan.campaigns[c.rank("stopped")].first_call_id] = SCHEDULED


def canceled_calls(c: Copy) -> np.ndarray:
    """Calls that were canceled one by one, in the order of that."""
    of = c.result.arrays.rank_of_call == c.rank("canceled")
    calls = np.flatnonzero(of & (c.calls["status"] == CANCELED))
    return calls[np.argsort(c.calls["final"][calls])]


def cancel_two_at_once(c: Copy) -> None:
    one, two = canceled_calls(c)[:2]
    c.calls["final"][two] = c.calls["final"][one]


def cancel_nobody_first(c: Copy) -> None:
    first = canceled_calls(c)[0]
    c.calls["status"][first], c.calls["final"][first] = QUEUED, MISSING


def dial_a_number_that_is_up(c: Copy) -> None:
    """Each third row of the list has the same number."""
    rows, plan = c.of("repeated"), c.result.arrays.plan.campaigns[c.rank("repeated")]
    number = (c.attempts["call_id"][rows] - plan.first_call_id) % 3
    one, two = rows[number == number[0]][:2]
    c.attempts["dispatched"][two] = c.attempts["dispatched"][one] + 1


def leave_a_call_behind_the_expiry(c: Copy) -> None:
    c.calls["status"][some(c.calls["status"] == EXPIRED)] = QUEUED


def dispatch(name: str, at: int) -> Callable[[Copy], None]:
    def tamper(c: Copy) -> None:
        c.attempts["dispatched"][c.of(name)[0]] = at

    return tamper


def retry_too_soon(c: Copy) -> None:
    row = some(c.attempts["attempt"] == 2)
    c.attempts["ready"][row] -= 1


def let_a_younger_call_pass(c: Copy) -> None:
    one, two = c.of("expiring")[5:7]
    for column in ("call_id", "attempt", "ready", "queued"):
        c.attempts[column][[one, two]] = c.attempts[column][[two, one]]


def let_an_undialed_call_wait(c: Copy) -> None:
    """A call that expired in the queue had entered it first."""
    rows = c.of("expiring", "updates")
    entered = c.updates["status"][rows] == QUEUED
    call_id = c.updates["call_id"][rows]
    over = (c.calls["attempts"][call_id] == 0) & (c.calls["final"][call_id] != MISSING)
    c.updates["happened"][rows[entered & over][0]] = 0


def hold_back_for_nothing(c: Copy) -> None:
    c.attempts["eligible"][c.of("expiring")[3]] += 1


def jump_to_the_head(c: Copy) -> None:
    c.attempts["at_head"][5] = c.attempts["eligible"][5] = c.attempts["queued"][5]


def dispatch_late(c: Copy) -> None:
    c.attempts["dispatched"][-1] += 1


def answer_before_the_ring(c: Copy) -> None:
    row = some(c.attempts["answered"] != MISSING)
    c.attempts["answered"][row] = c.attempts["ringing"][row]


def enter_earlier(c: Copy) -> None:
    c.attempts["queued"][c.of("windowed")[0]] -= 1


def process_earlier(c: Copy) -> None:
    c.updates["happened"][some(c.updates["status"] == DIALING)] -= 1


def never_hang_up(c: Copy) -> None:
    c.attempts["ended"][:] = MISSING


def idle_port(c: Copy) -> None:
    row = some(c.attempts["port_free"] > c.attempts["at_head"])
    c.attempts["ended"][: row - 2] = c.attempts["dispatched"][: row - 2] + 1


def limited_never_hangs_up(c: Copy) -> None:
    c.attempts["ended"][c.of("limited")] = MISSING


def dial_all_at_once(c: Copy) -> None:
    c.attempts["dispatched"][:] = c.attempts["dispatched"][0]


def wait_for_no_token(c: Copy) -> None:
    c.attempts["token_free"][-1] += 1


def hurry(name: str) -> Callable[[Copy], None]:
    def tamper(c: Copy) -> None:
        one, two = c.of(name)[:2]
        c.attempts["dispatched"][two] = c.attempts["dispatched"][one] + SECOND

    return tamper


def hurry_into_the_queue(c: Copy) -> None:
    rows = c.of("stopped", "updates")
    entered = rows[c.updates["status"][rows] == QUEUED]
    c.updates["happened"][entered[1]] = c.updates["happened"][entered[0]] + SECOND


def carry_what_was_refused(cause: int) -> Callable[[Copy], None]:
    def tamper(c: Copy) -> None:
        c.attempts["cause"][some(c.attempts["cause"] == cause)] = NO_CAUSE

    return tamper


def refuse_what_was_carried(cause: int) -> Callable[[Copy], None]:
    def tamper(c: Copy) -> None:
        row = some((c.attempts["cause"] == NO_CAUSE) & (c.attempts["dialed"] != MISSING))
        c.attempts["cause"][row] = cause

    return tamper


def survive_the_drop(c: Copy) -> None:
    row = some(c.attempts["cause"] == DROPPED)
    c.attempts["ended"][row] += SECOND
    c.attempts["cause"][row] = NO_CAUSE


def drop_at_any_time(c: Copy) -> None:
    c.attempts["ended"][some(c.attempts["cause"] == DROPPED)] -= 1


def keep_dial_work_waiting(c: Copy) -> None:
    c.attempts["work_started"][2] = c.attempts["work_started"][-1]


def begin_updates_at_once(c: Copy) -> None:
    c.updates["begun"][:9] = c.updates["begun"][8]


def begin_in_the_outage(c: Copy) -> None:
    row = some(c.updates["begun"] >= 3 * MINUTE)
    c.updates["begun"][row] = 3 * MINUTE - 1


def idle_worker(c: Copy) -> None:
    row = some((c.updates["begun"] > 0) & (c.updates["begun"] > c.updates["happened"] + SECOND))
    c.updates["begun"][: row - 1] = c.updates["happened"][: row - 1]
    c.updates["visible"][: row - 1] = c.updates["happened"][: row - 1] + 1


def see_the_future(c: Copy) -> None:
    row = some(c.updates["visible"] != MISSING)
    c.updates["visible"][row] = c.updates["happened"][row]


def see_what_was_lost(c: Copy) -> None:
    row = some((c.updates["lost"] == 1) & (c.updates["begun"] != MISSING))
    c.updates["visible"][row] = c.updates["begun"][row] + 1


def connect_at_another_time(c: Copy) -> None:
    row = some(c.updates["status"] == 3)
    c.updates["happened"][row] += 1


def tell_twice(c: Copy) -> None:
    row = some(c.updates["status"] == DIALING)
    c.updates = {name: np.insert(column, row, column[row]) for name, column in c.updates.items()}


def post_twice(c: Copy) -> None:
    c.deliveries = {name: np.append(v, v[0]) for name, v in c.deliveries.items()}


def post_after_success(c: Copy) -> None:
    failed = some(c.deliveries["post"] == 2)
    again = c.deliveries["call_id"] == c.deliveries["call_id"][failed]
    c.deliveries["result"][some(again)] = ACCEPTED


def post_what_nobody_sees(c: Copy) -> None:
    call = c.deliveries["call_id"][0]
    c.updates["visible"][some((c.updates["call_id"] == call) & (c.updates["status"] > 4))] = (
        MISSING
    )


def post_in_parallel(c: Copy) -> None:
    c.deliveries["begun"][:2] = c.deliveries["begun"][1]
    c.deliveries["ended"][:2] = c.deliveries["begun"][1] + SECOND


def ask_too_often(c: Copy) -> None:
    c.requests["tries"][0] += 1


def take_what_was_refused(c: Copy) -> None:
    row = some(c.requests["taken"] == MISSING)
    c.requests["taken"][row] = c.requests["came"][row]


def guarantee_ports(c: Copy) -> None:
    """To one whose calls waited in a queue without guarantees."""
    platform = replace(c.plan.platform, queue="guaranteed")
    tenants = tuple(
        replace(tenant, guaranteed=WHOLE if tenant.name == "bolt" else 0)
        for tenant in c.plan.tenants
    )
    c.plan = replace(c.plan, platform=platform, tenants=tenants)


TAMPERINGS: tuple[tuple[Invariant, Callable[[Copy], None]], ...] = (
    (invariants.every_row_is_rejected_refused_or_accepted, accept_a_rejected_row),
    (invariants.accepted_calls_add_up, fail_a_completed_call),
    (invariants.accepted_calls_add_up, lose_a_final_change),
    (invariants.attempts_are_counted, skip_an_attempt_number),
    (invariants.attempts_are_counted, dial_once_too_often),
    (invariants.final_status_is_what_ended_the_call, forget_the_answer),
    (invariants.stop_is_kept, load_after_the_stop),
    (invariants.stop_is_kept, leave_a_call_behind_the_stop),
    (invariants.calls_are_canceled_one_by_one, cancel_two_at_once),
    (invariants.calls_are_canceled_one_by_one, cancel_nobody_first),
    (invariants.a_number_is_up_once, dial_a_number_that_is_up),
    (invariants.expired_calls_are_over, leave_a_call_behind_the_expiry),
    (invariants.not_dispatched_before_start, dispatch("stopped", MINUTE - 1)),
    (invariants.not_dispatched_after_expiry, dispatch("expiring", 90 * SECOND)),
    (invariants.dispatched_inside_the_window, dispatch("windowed", MINUTE - 1)),
    (invariants.dispatched_inside_the_window, dispatch("windowed", 13 * MINUTE)),
    (invariants.not_dispatched_during_a_suspension, dispatch("windowed", 3 * MINUTE)),
    (invariants.not_dispatched_during_a_suspension, dispatch("windowed", 4 * MINUTE - 1)),
    (invariants.retry_interval_is_kept, retry_too_soon),
    (invariants.queue_order_is_kept, let_a_younger_call_pass),
    (invariants.queue_order_is_kept, let_an_undialed_call_wait),
    (invariants.guaranteed_shares_come_first, guarantee_ports),
    (invariants.parts_of_every_wait_add_up, hold_back_for_nothing),
    (invariants.parts_of_every_wait_add_up, jump_to_the_head),
    (invariants.parts_of_every_wait_add_up, dispatch_late),
    (invariants.parts_of_every_wait_add_up, answer_before_the_ring),
    (invariants.littles_law, enter_earlier),
    (invariants.littles_law, lose_a_final_change),
    (invariants.ports_are_enough, never_hang_up),
    (invariants.ports_are_enough, idle_port),
    (invariants.limits_on_simultaneous_calls_are_kept, limited_never_hangs_up),
    (invariants.dial_rate_is_kept, dial_all_at_once),
    (invariants.dial_rate_is_kept, wait_for_no_token),
    (invariants.tenants_keep_their_dial_rates, hurry("limited")),
    (invariants.pacing_is_kept, hurry_into_the_queue),
    (invariants.carrier_channels_are_enough, carry_what_was_refused(CARRIER_CHANNELS)),
    (invariants.carrier_channels_are_enough, refuse_what_was_carried(CARRIER_CHANNELS)),
    (invariants.carrier_rate_is_kept, carry_what_was_refused(CARRIER_RATE)),
    (invariants.carrier_rate_is_kept, refuse_what_was_carried(CARRIER_RATE)),
    (invariants.carrier_refuses_for_a_reason, refuse_what_was_carried(MISSING_ANI)),
    (invariants.drops_take_effect, survive_the_drop),
    (invariants.drops_take_effect, drop_at_any_time),
    (invariants.dial_work_goes_first, keep_dial_work_waiting),
    (invariants.workers_are_enough, begin_updates_at_once),
    (invariants.workers_are_enough, begin_in_the_outage),
    (invariants.workers_are_enough, idle_worker),
    (invariants.updates_are_seen_after_they_happen, see_the_future),
    (invariants.updates_are_seen_after_they_happen, see_what_was_lost),
    (invariants.changes_follow_the_attempts, connect_at_another_time),
    (invariants.changes_follow_the_attempts, process_earlier),
    (invariants.changes_follow_the_attempts, tell_twice),
    (invariants.one_final_delivery_per_call, post_twice),
    (invariants.one_final_delivery_per_call, post_after_success),
    (invariants.one_final_delivery_per_call, post_what_nobody_sees),
    (invariants.one_final_delivery_per_call, post_in_parallel),
    (invariants.requests_come_once_and_are_answered, ask_too_often),
    (invariants.requests_come_once_and_are_answered, take_what_was_refused),
    (invariants.no_more_is_taken_than_intake_allows, take_what_was_refused),
)


def test_the_run_that_is_tampered_with_keeps_every_invariant(result: Result) -> None:
    check_invariants(result)


@pytest.mark.parametrize(
    ("invariant", "tamper"),
    TAMPERINGS,
    ids=[f"{invariant.__name__}-{k}" for k, (invariant, _) in enumerate(TAMPERINGS)],
)
def test_a_broken_invariant_is_reported(
    invariant: Invariant, tamper: Callable[[Copy], None], result: Result
) -> None:
    copy = Copy(result)
    tamper(copy)
    tampered = copy.tampered()
    broken = {each.invariant for each in violations(tampered)}
    assert invariant.__name__.replace("_", " ") in broken


def test_every_invariant_has_been_broken() -> None:
    assert {invariant for invariant, _ in TAMPERINGS} == set(INVARIANTS)


def test_every_invariant_says_what_it_is() -> None:
    assert all((each.__doc__ or "").strip() for each in INVARIANTS)


def test_the_message_names_run_invariant_and_rows(result: Result) -> None:
    copy = Copy(result)
    dispatch("windowed", 3 * MINUTE)(copy)
    with pytest.raises(InvariantError) as caught:
        check_invariants(copy.tampered())
    message = str(caught.value)
    assert "seed 1, replication 0" in message
    assert "not dispatched during a suspension: suspended (attempts): 1 rows" in message
    assert str(3 * MINUTE) in message
