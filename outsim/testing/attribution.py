"""Which rule of the model moved: from the first difference between two runs and the state then.

Up to the first difference both runs are the same, so what they do there is decided by one rule
from one and the same state: `outsim.testing.rules.RULE_OF_COLUMN` says by which. Where several
rules have a say in one event, the state tells them apart: a call that goes out while it is
suspended speaks of suspensions, one that goes before an older one of the queue.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from outsim.clock import MISSING
from outsim.engine.records import Records
from outsim.plan import Plan
from outsim.testing.differences import LAST, Difference, Row, find_first, record_name, told
from outsim.testing.dispatching import dispatched_at, rule_of_dispatch
from outsim.testing.rules import (
    RULE_OF_CAMPAIGN,
    RULE_OF_COLUMN,
    RULE_OF_ENDING,
    RULE_OF_OUTAGE,
    named,
)
from outsim.testing.scene import HELD_BY_RULE, Scene, rows_at
from outsim.testing.traces import CampaignRow, Trace
from outsim.vocabulary import (
    CANCELED,
    CONGESTION,
    CONNECTED,
    DIALING,
    DROPPED,
    EXPIRED,
    FAILED,
    INVALID,
    MISSING_ANI,
    QUEUED,
    REJECTED,
    STATUSES,
    WAITING_RETRY,
)

SIDES = ("golden", "now")


class Moved(NamedTuple):
    """A rule that moved, and what shows it."""

    rule: int
    text: str
    """Where the runs part, side by side, and the queue then; for people."""


def moved(plan: Plan, kept: Trace, found: Trace) -> Moved | None:
    """The rule by which a run differs from the one that was kept; None if they are the same.

    Parameters
    ----------
    plan : Plan
        Of the run that was found.
    """
    if kept.campaigns != found.campaigns:
        return _campaigns(kept, found)
    first = find_first(kept.records, found.records)
    if first is None:
        return None
    rejected = _rejected(plan, kept.records, found.records)
    if rejected is not None:
        return rejected
    scene = Scene(plan, kept.records, first.at)
    rule = _Question(scene, found.records, first).rule()
    lines = [
        f"The runs part at {first.at / 1e6:.6f} s, in {first.table}: "
        f"{record_name(plan, first.table, first.name)}",
        f"The rule that moved: {named(rule)}",
        "",
        f"The queue at that instant, in {SIDES[0]}:",
        *scene.told(),
        "",
        *told(plan, kept.records, found.records, first, SIDES),
    ]
    return Moved(rule, "\n".join(lines))


def _campaigns(kept: Trace, found: Trace) -> Moved:
    for ours, theirs in zip(kept.campaigns, found.campaigns, strict=False):
        if ours != theirs:
            column = next(
                name
                for name in CampaignRow._fields
                if getattr(ours, name) != getattr(theirs, name)
            )
            rule = RULE_OF_CAMPAIGN[column]
            if ours.background or theirs.background:
                rule = 14
            elif column in ("start", "loading") and ours.submitted > ours.start:
                rule = 1  # handed in after its start: it counts from there
            break
    else:
        more = max(kept.campaigns, found.campaigns, key=len)
        ours = theirs = more[min(len(kept.campaigns), len(found.campaigns))]
        rule = 14 if ours.background else 1
    lines = [
        "The runs have other campaigns",
        f"The rule that moved: {named(rule)}",
        "",
        f"* {SIDES[0]:8}{ours}",
        f"* {SIDES[1]:8}{theirs}",
        f"  campaigns in all: {len(kept.campaigns)} and {len(found.campaigns)}",
    ]
    return Moved(rule, "\n".join(lines))


def _rejected(plan: Plan, kept: Records, found: Records) -> Moved | None:
    """Rows of a list that only one of the runs rejects."""
    ours, theirs = (each.calls["status"] == REJECTED for each in (kept, found))
    other = (ours != theirs).nonzero()[0].tolist()
    if not other:
        return None
    lines = ["Rows of a list are accepted in one run only", f"The rule that moved: {named(1)}", ""]
    for call_id in other[:10]:
        said = [("rejected" if side[call_id] else "accepted") for side in (ours, theirs)]
        name = record_name(plan, "calls", (call_id,))
        lines.append(f"* {name:36} {SIDES[0]}: {said[0]:10} {SIDES[1]}: {said[1]}")
    return Moved(1, "\n".join(lines))


class _Question:
    """What the first difference is about, and the rule that answers it."""

    def __init__(self, scene: Scene, found: Records, first: Difference) -> None:
        self.scene = scene
        self.kept = scene.records
        self.found = found
        self.first = first
        self.at = first.at
        self.rows = [row for row in (first.one, first.other) if row is not None]
        self.call_id, self.attempt = (*first.name, 0, 0)[:2]
        self.campaign = scene.campaign(self.call_id)

    def rule(self) -> int:
        first = self.first
        if first.table in ("the run", "calls") or first.step == LAST:
            return self._repeated()
        column = (
            first.column
            or {"attempts": "dispatched", "updates": "happened", "deliveries": "due"}[first.table]
        )
        settled = RULE_OF_COLUMN[first.table, column]
        if isinstance(settled, int):
            return settled
        ask: dict[str, Callable[[], int]] = {
            "entry": self._entry,
            "dispatch": lambda: rule_of_dispatch(self.scene, self.found),
            "eligible": self._eligible,
            "port": lambda: RULE_OF_OUTAGE if self.scene.outages("ports") else 4,
            "work": self._work,
            "dialed": self._dialed,
            "outcome": self._outcome,
            "course": self._course,
            "change": self._change,
            "visible": self._visible,
            "post": lambda: RULE_OF_OUTAGE if self.scene.outages("endpoint") else 11,
        }
        return ask[settled]()

    def _repeated(self) -> int:
        """What differs in the order of equal records, in totals, or where the run ended."""
        if self.first.column == "place":
            return {"attempts": 3, "updates": 10, "deliveries": 11}.get(self.first.table, 1)
        statuses = {row["status"] for row in self.rows if "status" in row}
        if CANCELED in statuses:
            return 12
        return 9 if EXPIRED in statuses else 8

    # Entry, dispatch, work

    def _entry(self) -> int:
        """A call enters the queue at other instants, or in one run only."""
        rules = self.campaign.rules
        if rules.stop_effect_us <= self.at:
            return 12
        if rules.expires_us <= self.at:
            return 9
        is_paced = rules.pacing_rate and not rules.paced_at_dispatch
        if self.attempt <= 1:
            if not all(self._changes(each, self.call_id) for each in (self.kept, self.found)):
                return 1  # a row that disappears
            return 1 if self.campaign.requests_us is not None and not is_paced else 2
        before = [r for r in self._attempts(self.kept) if r["attempt"] == self.attempt - 1]
        if self._enters_as_another_attempt():
            return 6
        entries = [self._entries(each) for each in (self.kept, self.found)]
        if not before or max(map(len, entries)) > 1:
            return 6
        due = before[0]["ended"] + rules.retry_interval_us
        return 2 if is_paced and all(entries) and min(map(min, entries)) >= due else 8

    def _enters_as_another_attempt(self) -> bool:
        """Whether the call enters at this instant in both runs, with other numbers."""
        numbers = [
            {
                u["attempt"]
                for u in self._changes(each, self.call_id)
                if u["status"] == QUEUED and u["happened"] == self.at
            }
            for each in (self.kept, self.found)
        ]
        return bool(numbers[0] and numbers[1])

    def _entries(self, records: Records) -> list[int]:
        """When the call enters the queue for this attempt."""
        return [
            row["happened"]
            for row in self._changes(records, self.call_id)
            if row["status"] == QUEUED and row["attempt"] == self.attempt
        ]

    def _eligible(self) -> int:
        for row in self.rows:
            was_held = row["eligible"] > row["queued"]
            if was_held and (held := self.scene.released_by(self.call_id, row["eligible"])):
                return HELD_BY_RULE[held]
        return 3

    def _work(self) -> int:
        """Workers begin with other work."""
        if self.scene.outages("workers", "status"):
            return RULE_OF_OUTAGE
        dials, updates = (
            [len(rows_at(each, table, column, self.at)) for each in (self.kept, self.found)]
            for table, column in (("attempts", "work_started"), ("updates", "begun"))
        )
        same_work = dials[0] == dials[1] and updates[0] == updates[1]
        return 10 if same_work and self.first.table == "updates" else 5

    # At the carrier and beyond

    def _dialed(self) -> int:
        """The same dial work brings an attempt to the carrier at other instants."""
        return 6 if any(row["outcome"] == CONGESTION for row in self.rows) else 5

    def _outcome(self) -> int:
        causes = {row["cause"] for row in self.rows}
        outcomes = {row["outcome"] for row in self.rows}
        if DROPPED in causes:
            return RULE_OF_OUTAGE
        if MISSING_ANI in causes:
            return 1
        if CONGESTION in outcomes:
            return RULE_OF_OUTAGE if self.scene.outages("carrier", "channels") else 6
        earlier = [r for r in self._attempts(self.kept) if r["attempt"] < self.attempt]
        return 6 if any(row["outcome"] == CONGESTION for row in earlier) else 7

    def _course(self) -> int:
        if any(row["cause"] == DROPPED for row in self.rows):
            return RULE_OF_OUTAGE
        return 6 if any(row["outcome"] == CONGESTION for row in self.rows) else 7

    # What is said of it

    def _change(self) -> int:
        """A change of status that only one of the runs has."""
        status = self.rows[0]["status"]
        if status == QUEUED:
            came = [
                {r["queued"] for r in self._attempts(each) if r["attempt"] == self.attempt}
                for each in (self.kept, self.found)
            ]
            return 10 if came[0] and came[0] == came[1] else self._entry()
        if status == DIALING:
            here, there = (
                self.call_id in dispatched_at(self.at, each) for each in (self.kept, self.found)
            )
            return 10 if here == there else rule_of_dispatch(self.scene, self.found)
        if status == CONNECTED:
            answers = [
                {row["answered"] for row in self._attempts(each)}
                for each in (self.kept, self.found)
            ]
            return 10 if answers[0] == answers[1] else self._course_of_attempt()
        return self._ending(status)

    def _ending(self, status: int) -> int:
        ended = [
            [
                r
                for r in self._attempts(each)
                if r["ended"] == self.at and r["attempt"] == self.attempt
            ]
            for each in (self.kept, self.found)
        ]
        found = [
            {u["status"] for u in self._changes(each, self.call_id) if u["happened"] == self.at}
            for each in (self.kept, self.found)
        ]
        statuses = (found[0] | found[1]) - {QUEUED, DIALING, CONNECTED}
        if not any(ended):
            if statuses <= {CANCELED, EXPIRED} and len(statuses) == 1:
                if status == CANCELED:
                    return 2 if self._only_paced_calls_escape() else 12
                return 9
            return 9
        if not all(ended):
            return self._course_of_attempt()
        if not (found[0] and found[1]):
            return 10
        if any(row["cause"] == DROPPED for each in ended for row in each):
            return RULE_OF_OUTAGE
        outcome = ended[0][0]["outcome"]
        words = frozenset(STATUSES[each] for each in statuses)
        if "completed" in words:
            return 7
        uses_up = found[0] == {FAILED} and found[1] == {WAITING_RETRY} and outcome != INVALID
        if outcome == CONGESTION and uses_up:
            return 6
        if found[0] == {CANCELED} and found[1] == {FAILED}:
            return 12
        return RULE_OF_ENDING.get(words, 9)

    def _only_paced_calls_escape(self) -> bool:
        """Whether a stop reaches all calls that it did but those that wait for their pace.

        Where pacing acts settles whether those are in the queue yet.
        """
        rules = self.campaign.rules
        if not rules.pacing_rate or rules.paced_at_dispatch:
            return False
        reached = [
            {
                row["call_id"]: row["attempt"]
                for row in rows_at(each, "updates", "happened", self.at)
                if row["status"] == CANCELED
                and self.scene.campaign(row["call_id"]) is self.campaign
            }
            for each in (self.kept, self.found)
        ]
        first_call_id, ready_us = self.campaign.first_call_id, self.campaign.ready_us
        return reached[1].items() <= reached[0].items() and all(
            attempts == 0 and ready_us[call - first_call_id] <= self.at
            for call, attempts in reached[0].items() - reached[1].items()
        )

    def _course_of_attempt(self) -> int:
        """The rule of an attempt's course, seen by its update."""
        self.rows = [
            row
            for each in (self.kept, self.found)
            for row in self._attempts(each)
            if row["attempt"] == self.attempt
        ]
        return self._course()

    def _visible(self) -> int:
        lost = any(row["lost"] for row in self.rows)
        return 10 if lost or MISSING in {row["visible"] for row in self.rows} else 5

    def _attempts(self, records: Records) -> list[Row]:
        return rows_at(records, "attempts", "call_id", self.call_id)

    def _changes(self, records: Records, call_id: int) -> list[Row]:
        return rows_at(records, "updates", "call_id", call_id)
