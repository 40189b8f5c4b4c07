"""Runs of one plan side by side, on both engines."""

from __future__ import annotations

from outsim.clock import SECOND
from outsim.engine import execute
from outsim.engine.records import Records
from outsim.plan import Plan
from outsim.testing.differences import find_first, record_name, told


def on_both_engines(plan: Plan) -> tuple[Records, Records]:
    """Records of a plan from the readable engine and from the compiled one."""
    return execute(plan, "simpy")[0], execute(plan, "compiled")[0]


def first_difference(
    plan: Plan, one: Records, other: Records, sides: tuple[str, str] = ("simpy", "compiled")
) -> str:
    """The first record, in simulated time, in which two runs of a plan differ; '' if none."""
    first = find_first(one, other)
    if first is None:
        return ""
    name = record_name(plan, first.table, first.name)
    return "\n".join(
        [
            f"The runs part at {first.at / SECOND:.6f} s, in {first.table}: {name}",
            "",
            *told(plan, one, other, first, sides),
        ]
    )
