"""The rules of the model, by number, and which of them a difference between two runs speaks of.

`RULE_OF_COLUMN` is the table: a column of a record, and the rule that settles its value when
everything before is the same. What a rule decides together with others, such as whether a call
is dispatched, has a name there instead, and `outsim.testing.attribution` looks at the state of
the platform to tell them apart.
"""

from __future__ import annotations

from outsim.engine import rules as model

RULES = {rule.number: rule.name for rule in model.RULES}
"""What the model's rules are called."""

RULE_OF_COLUMN: dict[tuple[str, str], int | str] = {
    ("attempts", "ready"): "entry",
    ("attempts", "queued"): "entry",
    ("attempts", "dispatched"): "dispatch",
    ("attempts", "eligible"): "eligible",
    ("attempts", "at_head"): 3,
    ("attempts", "port_free"): "port",
    ("attempts", "token_free"): 4,
    ("attempts", "work_started"): "work",
    ("attempts", "dialed"): "dialed",
    ("attempts", "outcome"): "outcome",
    ("attempts", "cause"): "outcome",
    ("attempts", "callee_type"): 7,
    ("attempts", "ringing"): "course",
    ("attempts", "answered"): "course",
    ("attempts", "detected"): "course",
    ("attempts", "ended"): "course",
    ("updates", "happened"): "change",
    ("updates", "begun"): "work",
    ("updates", "visible"): "visible",
    ("updates", "lost"): 10,
    ("updates", "repaired"): 10,
    ("deliveries", "due"): 11,
    ("deliveries", "begun"): 11,
    ("deliveries", "ended"): "post",
    ("deliveries", "result"): "post",
}
"""The rule of each column, or the question that settles it."""

RULE_OF_OUTAGE = 13

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
"""The rule of what a campaign of the scenario is when the run begins; 14 for a background one."""

RULE_OF_ENDING = {
    frozenset({"failed", "waiting_retry"}): 8,
    frozenset({"canceled", "waiting_retry"}): 12,
    frozenset({"canceled"}): 12,
}
"""The rule of a status that an attempt ends with, by the two that are found; 9 if others are
final, since there it says which comes first, and 7 where `completed` is among them."""


def named(rule: int) -> str:
    """A rule as people know it: ``"rule 5, Workers"``."""
    name = RULES[rule]
    is_code = "_" in name
    return f"rule {rule}, {name if is_code else name[0].upper() + name[1:]}"
