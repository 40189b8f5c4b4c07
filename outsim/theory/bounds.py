"""Bounds that every run keeps, whatever comes in and in whatever order."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from outsim.scenario.model import Scenario
from outsim.theory import conditions, figures
from outsim.theory.check import Check, DoesNotApply, Found, of_run


def _same(name: str, told: Mapping[str, float]) -> float:
    return told[name]


def batch(scenario: Scenario) -> Found:
    """When a list that has the platform to itself is over (Graham)."""
    reason = conditions.first([conditions.alone(scenario), conditions.undisturbed(scenario)])
    if reason:
        yield DoesNotApply("batch makespan", reason)
        return
    end = of_run(figures.last_end_s)
    for kind, compute in (
        ("at least", figures.batch_end_least_s),
        ("at most", figures.batch_end_most_s),
    ):
        bound = of_run(compute)
        yield Check(
            "batch makespan",
            "last call ends",
            "at least" if kind == "at least" else "at most",
            end,
            partial(_same, bound.name),
            (bound,),
        )


def fluid(scenario: Scenario) -> Found:
    """When the last call of a list can go out, and its updates be seen, at the earliest."""
    if scenario.snapshot is not None:
        yield DoesNotApply("fluid bound", "the run begins in the middle of a live queue")
        return
    campaign = scenario.campaign_under_study
    if campaign is None:
        yield DoesNotApply("fluid bound", "there is no campaign to ask about")
    elif campaign.requests is not None:
        yield DoesNotApply("fluid bound", "calls come in one by one: no backlog is there to drain")
    else:
        bounds = [
            ("dial rate", figures.last_by_dial_rate_s),
            ("ports", figures.last_by_ports_s),
            ("workers", figures.last_by_workers_s),
            ("loading", figures.last_by_loading_s),
        ]
        for resource, compute in bounds:
            bound = of_run(compute)
            yield Check(
                f"fluid bound, {resource}",
                f"last first call of {campaign.name} out",
                "at least",
                of_run(figures.last_first_dispatch_s),
                partial(_same, bound.name),
                (bound,),
            )
        bound = of_run(figures.last_update_by_workers_s)
        yield Check(
            "fluid bound, workers",
            "last update of these first calls visible",
            "at least",
            of_run(figures.last_update_s),
            partial(_same, bound.name),
            (bound,),
        )
