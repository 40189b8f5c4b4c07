"""Which formulas apply to a scenario, and which don't and why."""

from __future__ import annotations

from outsim.scenario.model import Scenario
from outsim.theory import bounds, steady
from outsim.theory.check import Check, DoesNotApply


def checks(scenario: Scenario) -> tuple[list[Check], list[DoesNotApply]]:
    """Formulas that apply to a scenario or to part of it, and the others."""
    applying: list[Check] = []
    others: list[DoesNotApply] = []
    for each in (
        *steady.ports(scenario),
        *steady.channels(scenario),
        *steady.dial_rate(scenario),
        *steady.workers(scenario),
        *bounds.batch(scenario),
        *bounds.fluid(scenario),
    ):
        if isinstance(each, Check):
            applying.append(each)
        else:
            others.append(each)
    return applying, others
