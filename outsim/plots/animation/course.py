"""The course of a run: queue, ports, dial rate, carrier, workers, campaigns, on a grid of time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from outsim.clock import DAY, MISSING, RATE_SECONDS, SECOND
from outsim.plots.animation.calls import calls_of
from outsim.plots.animation.numbers import finite, rounded, seconds, utc_offsets
from outsim.plots.style import COLOURS, GREY
from outsim.results.result import Result
from outsim.results.tables.flows import (
    CARRIED,
    Grid,
    Moves,
    flows,
    moves,
    port_phases,
    worker_tasks,
)
from outsim.results.tables.lanes import LANE_INSTANTS, campaign_lanes
from outsim.results.tables.over_time import (
    SIDES,
    group_of_calls,
    status_counts,
    status_lag_p90_s,
    tenant_groups,
)

FORMAT = 1
"""Raised whenever data of before can't be drawn any more."""

MOST_STEPS = 1_500
STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600)

MOST_LANES = 200
"""Campaigns with a lane of their own at most."""
MOST_COUNTERS = 50
"""Campaigns with counters of their own at most; the others are counted together."""

_ALWAYS_COUNTED = ("pending", "completed", "failed")


def animation(
    result: Result,
    *,
    step_s: int | None = None,
    tenants: int = 7,
    with_calls: bool = True,
    with_phases: bool = True,
    is_live: bool = False,
) -> dict[str, Any]:
    """Everything that is drawn of a run over time, ready for JSON.

    Parameters
    ----------
    result : Result
        A run, or a session of the sandbox so far.
    step_s : int, optional
        Seconds from one instant to the next; default: a round number of them, so that there are
        at most 1,500.
    tenants : int
        Tenants that are told apart, 2 to 7: that of the campaign under study, the others of the
        scenario in its order, then background ones, those with the most contacts first; the last
        stands for all that are left. As far as a run goes changes nothing about their order.
    with_calls : bool
        Whether the calls of the scenario's own campaigns are in it, with their attempts.
    with_phases : bool
        Whether their phases are, too, for where nobody can be asked for a `story`.
    is_live : bool
        Whether the run goes on.

    Returns
    -------
    dict
        Lists have an entry for each instant from ``from_s`` on, ``step_s`` apart. What is an
        amount is that of the instant; ``most``, counts, rates, lags and the mean numbers of
        workers at ``dial_work`` and ``status_work`` are of the time from there to the next; the
        last of these in a run that goes on are those of the step before, as its own is not over.
        ``by_tenant``, ``dialing``, ``ringing`` and ``talking`` have a list for each of
        ``tenants``.
    """
    run = result.arrays
    step_s = step_s or round_step_s(run.ended_us)
    grid = Grid(run.origin_us, step_s * SECOND, run.ended_us // (step_s * SECOND) + 1)
    campaign = result.scenario.campaign_under_study
    own, others = _planned_tenants(result)
    ranked = sorted([*own, *others], key=lambda name: campaign is None or name != campaign.tenant)
    groups = tenant_groups(ranked, min(tenants, len(COLOURS)))
    lanes = campaign_lanes(run)
    return {
        "format": FORMAT,
        "title": result.scenario.name,
        "seed": result.seed,
        "replication": result.replication,
        "engine": result.engine,
        "zone": result.scenario.clock.zone,
        "begins": result.start.isoformat(),
        "utc_offsets": utc_offsets(run),
        "step_s": step_s,
        "from_s": 0,
        "until_s": seconds(run.ended_us),
        "is_live": is_live,
        "tenants": _tenants(groups, own),
        **_load(result, grid, groups, is_live=is_live),
        "counters": _counters(result, grid, lanes, is_live=is_live),
        "campaigns": _campaigns(lanes, groups, run.ended_us),
        "campaigns_left_out": max(0, len(lanes) - MOST_LANES),
        "incidents": _incidents(result),
        **({"calls": calls_of(result, with_phases=with_phases)} if with_calls else {}),
    }


def round_step_s(duration_us: int) -> int:
    """The shortest round step that cuts so much time into `MOST_STEPS` or fewer parts."""
    duration_s = duration_us / SECOND
    days = -(-duration_us // (DAY * MOST_STEPS))
    fitting = (step_s for step_s in STEPS_S if duration_s <= step_s * MOST_STEPS)
    return next(fitting, days * DAY // SECOND)


def _planned_tenants(result: Result) -> tuple[list[str], list[str]]:
    """The scenario's own tenants in its order, and background ones by contacts, of a whole day."""
    own: dict[str, int] = {}
    others: dict[str, int] = {}
    run, scenario = result.arrays, result.scenario
    for plan in run.plan.in_run(max(scenario.instant_us(scenario.clock.ends), run.ended_us)):
        found = others if plan.background else own
        found[plan.tenant] = found.get(plan.tenant, 0) + plan.size
    background = [name for name in others if name not in own]
    return [*own], sorted(background, key=lambda name: -others[name])


def _tenants(groups: Mapping[str, list[str]], own: list[str]) -> list[dict[str, Any]]:
    shown = []
    for place, (label, names) in enumerate(groups.items()):
        is_alone = names == [label]
        shown.append(
            {
                "name": label if is_alone else "",
                "label": label if is_alone else f"{len(names)} other tenants",
                "color": COLOURS[place] if is_alone else GREY,
                "mark": place if is_alone else len(COLOURS),
                "is_background": not any(name in own for name in names),
            }
        )
    return shown


def _of_steps(values: list[Any], *, is_live: bool) -> list[Any]:
    """Values of steps; the last of a run that goes on is not over, and has what was known last."""
    return [*values[:-1], values[-2]] if is_live and len(values) > 1 else values


def _load(
    result: Result, grid: Grid, groups: dict[str, list[str]], *, is_live: bool
) -> dict[str, Any]:
    run, attempts, updates = result.arrays, result.attempts, result.updates
    amounts, tasks = flows(result.calls, attempts, updates), worker_tasks(run, attempts, updates)
    group_of, count = group_of_calls(result.calls, groups), len(groups)
    at_us, end = grid.marks - run.origin_us, run.origin_us + run.ended_us
    queue, dialed = amounts["queue"], moves(attempts, "dialed_at")
    refused = dialed.cut(~attempts["cause"].isin(CARRIED).to_numpy())
    backlog = amounts["status_backlog"]

    def per_s(come: Moves) -> list[Any]:
        rates = finite(grid.number(come)[0] * SECOND / grid.step_us, 2)
        return _of_steps(rates, is_live=is_live)

    limit = rounded(run.plan.platform.dial_rate / RATE_SECONDS, 3)
    return {
        "queue": {
            "by_tenant": grid.level(queue, group_of, count).tolist(),
            "most": grid.most(queue).tolist(),
        },
        "ports": {
            "in_service": run.ports_in_service(at_us).tolist(),
            **{
                phase: grid.level(flow, group_of, count).tolist()
                for phase, flow in port_phases(attempts).items()
            },
        },
        "dial_rate": {
            "dispatched_per_s": per_s(amounts["busy_ports"].comes),
            "dialed_per_s": per_s(dialed),
            "limit_per_s": [limit] * grid.count,
        },
        "carrier": {
            "busy": grid.level(amounts["busy_channels"])[0].tolist(),
            "channels": run.channels_in_service(at_us).tolist(),
            "refused": _of_steps(grid.number(refused)[0].tolist(), is_live=is_live),
        },
        "workers": {
            "in_service": run.workers_in_service(at_us).tolist(),
            # Tasks take milliseconds: whether one is under way at an instant is chance.
            **{
                task: _of_steps(finite(grid.mean(flow, end), 2), is_live=is_live)
                for task, flow in tasks.items()
            },
            "status_backlog": grid.level(backlog)[0].tolist(),
            "status_backlog_most": grid.most(backlog).tolist(),
        },
    }


def _counters(
    result: Result, grid: Grid, lanes: pd.DataFrame, *, is_live: bool
) -> list[dict[str, Any]]:
    """Calls of the scenario's own campaigns by status, as it is and as it is seen."""
    run, updates = result.arrays, result.updates
    own = lanes[~lanes["background"]]
    study = result.scenario.campaign_under_study
    key = (study.tenant, study.name) if study else ("", "")
    is_first = own["tenant"].eq(key[0]) & own["campaign"].eq(key[1])
    order = own.assign(is_first=is_first).sort_values(
        ["is_first", "contacts"], ascending=False, kind="stable"
    )
    groups: list[dict[str, Any]] = [
        {"tenant": lane["tenant"], "campaign": lane["campaign"], "label": lane["campaign"]}
        | {"contacts": lane["contacts"]}
        for lane in order.head(MOST_COUNTERS).to_dict(orient="records")
    ]
    others = order.iloc[MOST_COUNTERS:]
    if len(others):
        label, contacts = f"{len(others)} other campaigns", int(others["contacts"].sum())
        groups.append({"tenant": "", "campaign": "", "label": label, "contacts": contacts})
    group_of_lane = np.full(len(lanes), -1, dtype=np.int64)
    group_of_lane[order.index] = np.minimum(np.arange(len(order)), MOST_COUNTERS)
    sizes = [campaign.size for campaign in run.campaigns]
    whose = np.repeat(group_of_lane, sizes), len(groups)
    happened, seen = (status_counts(grid, updates, side, *whose) for side in SIDES)
    lags_s = status_lag_p90_s(grid, updates, *whose)
    for place, group in enumerate(groups):
        words = [
            word for word in happened if word in _ALWAYS_COUNTED or happened[word][place].any()
        ]
        group["happened"] = {word: happened[word][place].tolist() for word in words}
        group["seen"] = {word: seen[word][place].tolist() for word in words}
        group["status_lag_p90_s"] = _of_steps(finite(lags_s[place], 1), is_live=is_live)
    return groups


def _campaigns(
    lanes: pd.DataFrame, groups: Mapping[str, list[str]], ended_us: int
) -> list[dict[str, Any]]:
    place = {tenant: k for k, names in enumerate(groups.values()) for tenant in names}
    order = lanes.sort_values(
        ["background", "contacts"], ascending=[True, False], kind="stable"
    ).head(MOST_LANES)
    return [
        {
            "tenant": lane["tenant"],
            "name": lane["campaign"],
            "label": lane["campaign"],
            "tenant_place": place.get(lane["tenant"]),
            "is_background": lane["background"],
            **{f"{name}_s": seconds(lane[name]) for name in LANE_INSTANTS},
            "contacts": lane["contacts"],
            "calls_after_stop": lane["dispatched_after_stop"]
            if MISSING < lane["stop_requested"] <= ended_us
            else None,
        }
        for lane in order.to_dict(orient="records")
    ]


def _incidents(result: Result) -> list[dict[str, Any]]:
    """Outages, suspensions and pauses that begin before the run ends."""
    scenario, shown = result.scenario, []
    for kind, incidents in (
        ("outage", scenario.outage),
        ("suspension", scenario.suspensions),
        ("pause", [pause for _, pause in scenario.pauses]),
    ):
        for incident in incidents:
            if incident.begins < result.end:
                ends = incident.ends
                shown.append(
                    {
                        "kind": kind,
                        "label": incident.label,
                        "from_s": seconds(scenario.instant_us(incident.begins)),
                        "until_s": None if ends is None else seconds(scenario.instant_us(ends)),
                    }
                )
    return shown
