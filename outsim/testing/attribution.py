"""Which rule of the model moved: that of the first thing noted in one run and not in the other.

The readable engine notes which rule acts, on what and how. Up to the first difference two runs
are the same, so what parts there is what that rule makes of one and the same state.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from outsim.clock import SECOND
from outsim.engine.readable.run import Run
from outsim.engine.records import Note, Records
from outsim.engine.rules import RULES
from outsim.plan import Plan
from outsim.testing.differences import find_first, record_name, same, told
from outsim.testing.traces import CampaignRow, Trace
from outsim.vocabulary import REJECTED

SIDES = ("golden", "now")

AROUND = 5
"""Notes that are shown before the first one that differs, and after it."""

RULE_OF_CAMPAIGN = {
    "tenant": 1,
    "name": 1,
    "background": 14,
    "size": 1,
    "submitted": 1,
    "start": 2,
    "loading": 2,
    "stop_requested": 12,
    "stop_effect": 12,
    "expires": 9,
    "windows": 9,
}
"""The rule of what a campaign of the scenario is when the run begins; 14 or 15 for others'."""


def named(rule: int) -> str:
    """A rule as people know it: ``"rule 5, Workers"``."""
    name = next(known.name for known in RULES if known.number == rule)
    is_code = "_" in name
    return f"rule {rule}, {name if is_code else name[0].upper() + name[1:]}"


class RuleChange(NamedTuple):
    """A rule that moved, and what shows it."""

    rule: int | None
    """None where no rule did: the engines part."""
    text: str
    """Where the runs part, side by side; for people."""


def moved(plan: Plan, golden: Trace, other: Trace) -> RuleChange | None:
    """The rule by which a run differs from the one that was kept; None if they are the same.

    Parameters
    ----------
    plan : Plan
        Of the run that was found.
    """
    if golden.campaigns != other.campaigns:
        return _campaigns(golden, other)
    first = find_first(golden.records, other.records)
    if first is None:
        return None
    rejected = _rejected(plan, golden.records, other.records)
    if rejected is not None:
        return rejected
    run = Run(plan, notes=True)
    is_of_engine = not same(run.finish(), other.records)
    parting = None if is_of_engine else _parting(golden.notes, run.notes)
    rule = None if parting is None else parting.rule
    if rule is not None:
        says = f"The rule that moved: {named(rule)}"
    elif is_of_engine:
        says = "The readable engine has other records of this run: the engines part"
    else:
        says = "The rules act as they did: what is recorded of it is something else"
    lines = [
        f"The runs part at {first.at / SECOND:.6f} s, in {first.table}: "
        f"{record_name(plan, first.table, first.name)}",
        says,
        "",
        *(parting.lines if parting else ()),
        *told(plan, golden.records, other.records, first, SIDES),
    ]
    return RuleChange(rule, "\n".join(lines))


class _Parting(NamedTuple):
    """Where the notes of two runs part."""

    rule: int
    lines: list[str]


def _parting(golden: Sequence[Note], other: Sequence[Note]) -> _Parting | None:
    """The first note that only one of the runs has.

    Where each has one of its own at an instant, it is the golden one: what it says has not
    happened, and the other came of that.
    """
    size = min(len(golden), len(other))
    place = next((k for k in range(size) if golden[k] != other[k]), size)
    ours, theirs = golden[place:], other[place:]
    if not ours and not theirs:
        return None
    if not ours or (theirs and (theirs[0].at < ours[0].at or _comes_later(ours[0], theirs))):
        first = theirs[0]
    else:
        first = ours[0]
    lines = [
        f"What the rules did from {first.at / SECOND:.6f} s on:",
        *(_line(" ", "both", note) for note in golden[max(0, place - AROUND) : place]),
        *(_line("*", SIDES[0], note) for note in ours[:AROUND]),
        *(_line("*", SIDES[1], note) for note in theirs[:AROUND]),
        "",
    ]
    return _Parting(first.rule, lines)


def _comes_later(note: Note, others: Sequence[Note]) -> bool:
    """Whether other notes have this one too, at its instant."""
    for other in others:
        if other.at > note.at:
            return False
        if other == note:
            return True
    return False


def _line(mark: str, side: str, note: Note) -> str:
    return (
        f"{mark} {side:7}{note.at / SECOND:16.6f} s  rule {note.rule:2}  "
        f"{note.subject}: {note.what}"
    )


def _campaigns(golden: Trace, other: Trace) -> RuleChange:
    for ours, theirs in zip(golden.campaigns, other.campaigns, strict=False):
        if ours != theirs:
            column = next(
                name
                for name in CampaignRow._fields
                if getattr(ours, name) != getattr(theirs, name)
            )
            rule = RULE_OF_CAMPAIGN[column]
            if ours.background or theirs.background:
                rule = _of_others(ours, theirs)
            elif column == "name" and any(_DAILY.fullmatch(row.name) for row in (ours, theirs)):
                rule = 15  # what repeats comes on other days
            elif column in ("start", "loading") and ours.submitted > ours.start:
                rule = 1  # handed in after its start: it counts from there
            break
    else:
        more = max(golden.campaigns, other.campaigns, key=len)
        ours = theirs = more[min(len(golden.campaigns), len(other.campaigns))]
        rule = _of_others(ours) if ours.background else 1
        rule = 15 if _DAILY.fullmatch(ours.name) else rule
    lines = [
        "The runs have other campaigns",
        f"The rule that moved: {named(rule)}",
        "",
        f"* {SIDES[0]:8}{ours}",
        f"* {SIDES[1]:8}{theirs}",
        f"  campaigns in all: {len(golden.campaigns)} and {len(other.campaigns)}",
    ]
    return RuleChange(rule, "\n".join(lines))


_OF_CLASS = re.compile(r"[0-9]{2}:[0-9]{2} .*")
_DAILY = re.compile(r".* [0-9]{4}-[0-9]{2}-[0-9]{2}")
"""What campaigns of classes of tenants are called, and those that come again."""


def _of_others(*campaigns: CampaignRow) -> int:
    """The rule of campaigns of background tenants: of their classes, or of all hours."""
    is_of_class = any(row.background and _OF_CLASS.fullmatch(row.name) for row in campaigns)
    return 15 if is_of_class else 14


def _rejected(plan: Plan, golden: Records, found: Records) -> RuleChange | None:
    """Rows of a list that only one of the runs rejects."""
    ours, theirs = (records.calls["status"] == REJECTED for records in (golden, found))
    other = (ours != theirs).nonzero()[0].tolist()
    if not other:
        return None
    lines = ["Rows of a list are accepted in one run only", f"The rule that moved: {named(1)}", ""]
    for call_id in other[:10]:
        words = [("rejected" if side[call_id] else "accepted") for side in (ours, theirs)]
        name = record_name(plan, "calls", (call_id,))
        lines.append(f"* {name:36} {SIDES[0]}: {words[0]:10} {SIDES[1]}: {words[1]}")
    return RuleChange(1, "\n".join(lines))
