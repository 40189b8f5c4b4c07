"""Suspensions and outages that are ordered in a session, and when they end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from outsim.clock import NEVER
from outsim.live.inputs import Fault, Resume, Suspend
from outsim.plan import OutagePlan, SuspensionPlan

EVERYBODY = ""
"""Whose a suspension of all tenants is."""


@dataclass(frozen=True)
class Disturbance:
    """A suspension or an outage, with its place among all of the session."""

    place: int
    plan: SuspensionPlan | OutagePlan


class Disturbances:
    """Those of a session, by the number of the input that ordered each.

    Parameters
    ----------
    first : int
        Place of the first: those of the scenario come before.
    """

    def __init__(self, first: int) -> None:
        self._first = first
        self._ordered: dict[int, Disturbance] = {}
        self._suspended: dict[tuple[str, str], int] = {}

    def __iter__(self) -> Iterator[SuspensionPlan | OutagePlan]:
        """Those that begin before they end: one may be ended before its time comes."""
        plans = (disturbance.plan for disturbance in self._ordered.values())
        return (plan for plan in plans if plan.begins_us < plan.ends_us)

    @property
    def suspensions(self) -> list[SuspensionPlan]:
        """The suspensions among them."""
        return [plan for plan in self if isinstance(plan, SuspensionPlan)]

    @property
    def outages(self) -> list[OutagePlan]:
        """The outages among them."""
        return [plan for plan in self if isinstance(plan, OutagePlan)]

    def is_suspended(self, tenant: str | None, campaign: str | None = None) -> bool:
        """Whether a suspension of a tenant, or of all, or a pause of a campaign is on."""
        return (tenant or EVERYBODY, campaign or "") in self._suspended

    def suspend(self, entry: Suspend) -> Disturbance:
        """Begin a suspension or a pause."""
        tenant, campaign = entry.tenant or EVERYBODY, entry.campaign or ""
        self._suspended[tenant, campaign] = entry.number
        plan = SuspensionPlan(entry.at, tenant, NEVER, entry.number, campaign)
        return self._add(entry.number, plan)

    def resume(self, entry: Resume) -> Disturbance | None:
        """End a suspension or a pause."""
        whose = entry.tenant or EVERYBODY, entry.campaign or ""
        return self.end(self._suspended.pop(whose), entry.at)

    def fault(self, fault: Fault, endpoint: int) -> Disturbance:
        """Begin an outage; `endpoint` is the place of the endpoint that it is of, or -1."""
        return self._add(
            fault.number,
            OutagePlan(
                begins_us=fault.at if fault.begins is None else fault.begins,
                of=fault.of,
                count=(fault.count or 0) if fault.of in ("ports", "workers", "channels") else 0,
                endpoint=endpoint,
                ends_us=NEVER if fault.ends is None else fault.ends,
                drop=fault.drop,
                order=fault.number,
            ),
        )

    def _add(self, number: int, plan: SuspensionPlan | OutagePlan) -> Disturbance:
        found = Disturbance(self._first + len(self._ordered), plan)
        self._ordered[number] = found
        return found

    def end(self, number: int, at: int) -> Disturbance | None:
        """End one now, or have it never begin; None if it has ended by itself."""
        found = self._ordered[number]
        if found.plan.ends_us <= at:
            return None
        ended = Disturbance(found.place, replace(found.plan, ends_us=at))
        self._ordered[number] = ended
        return ended
