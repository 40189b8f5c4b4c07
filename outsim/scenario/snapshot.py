"""A live queue at a moment: where every campaign's calls stand, and since when.

It is what a forecast begins with. A snapshot is a JSON document, or the table
``snapshot`` of a scenario; what it leaves out is estimated.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from outsim.scenario.parts import Count, Name, Part, Positive, written
from outsim.text import brief_document
from outsim.units import ContradictionError, Duration, LocalTime, shown
from outsim.units import Problem as Contradiction

STATES = ("queued", "waiting_retry", "dialing", "connected", "scheduled")
"""Statuses of calls that are not over, in the order in which a forecast takes them up."""

_WRITE = (
    'write a count without quotes, such as 30; or a table, such as {"count": 30, "oldest": '
    '"09:02"}; or a list of clock times and durations, such as ["09:02:11", "20 s"]'
)
_DURATION = re.compile(r"\s*[0-9.]+\s*[a-zµ]", re.IGNORECASE)


class Standing(Part):
    """One call that stands in a state, or several of which the same is known."""

    count: Positive = 1
    """How many calls."""
    since: LocalTime | None = None
    """When it came into its state."""
    lasting: Duration | None = None
    """For how long it has been in its state, instead of `since`."""
    oldest: LocalTime | None = None
    """When the first of several calls came into it; the others are spread evenly from there to
    the moment; queued ones of a campaign that was stopped, to the stop."""
    attempts: Annotated[int, Field(ge=0, le=11, strict=True)] | None = None
    """Attempts that are over; default: 1 where it waits for a retry, else 0."""
    failures: Annotated[int, Field(ge=0, le=11, strict=True)] | None = None
    """Those of them that reached the callee and were not answered; default: all."""
    call_id: Count | None = None
    """Number of the call; of several, that of the first, and the others follow it."""
    number: Annotated[str, Field(pattern=r"^[0-9]{10}$")] | None = None
    """National number that it dials."""

    @model_validator(mode="after")
    def _one_instant(self) -> Standing:
        given = [k for k in ("since", "lasting", "oldest") if getattr(self, k) is not None]
        if len(given) > 1:
            message = f"give one of since, lasting and oldest; found {' and '.join(given)}"
            raise ContradictionError([((given[1],), message)])
        if (self.failures or 0) > (self.attempts or 0) and self.attempts is not None:
            message = f"found {self.failures}; must not be more than attempts ({self.attempts})"
            raise ContradictionError([(("failures",), message)])
        return self

    @property
    def is_timed(self) -> bool:
        """Whether it is said since when."""
        return any(each is not None for each in (self.since, self.lasting, self.oldest))


def _one(value: Any) -> Any:
    if isinstance(value, str):
        return {"lasting" if _DURATION.match(value) else "since": value}
    return value


def _listed(value: Any) -> Any:
    """What stands for a list of calls: a count, a table, or a list of tables and texts."""
    if isinstance(value, int) and not isinstance(value, bool):
        if value < 0:
            raise ValueError(f"found {value}; must be at least 0")
        return [{"count": value}] if value else []
    if isinstance(value, dict):
        return [value]
    if isinstance(value, list):
        return [_one(each) for each in value]
    raise ValueError(f"found {shown(value)}; {_WRITE}")


Standings = Annotated[
    list[Standing],
    BeforeValidator(_listed, json_schema_input_type=int | Standing | list[Standing | str]),
]
"""Calls in one state: a count; or one table, such as ``{"count": 300, "oldest": "09:02"}``; or
a list of tables and of texts, which are clock times (``"09:02:11"``) or durations (``"20 s"``).
Queued ones are in the order of the queue, scheduled ones in that of the list."""


class CampaignSnapshot(Part):
    """Where the calls of one campaign stand."""

    name: Name
    """Its name."""
    tenant: Name
    """The customer that it belongs to."""
    start: LocalTime | None = None
    """When it started; default: as the scenario says, else when its oldest call came in."""
    scheduled: Standings = []
    """Calls that are not loaded into the queue yet."""
    queued: Standings = []
    """Calls in the outbound queue."""
    dialing: Standings = []
    """Calls that are dialed and not answered yet."""
    connected: Standings = []
    """Calls that are answered and not over."""
    waiting_retry: Standings = []
    """Calls that wait for their retry interval to end."""
    completed: Count = 0
    """Calls answered in the end."""
    failed: Count = 0
    """Calls dialed and never answered."""
    canceled: Count = 0
    """Calls canceled."""
    expired: Count = 0
    """Calls expired."""
    undialed: Count = 0
    """Those of the expired calls that were never dialed."""

    @property
    def key(self) -> tuple[str, str]:
        """Tenant and name."""
        return self.tenant, self.name

    @model_validator(mode="after")
    def _of_the_expired(self) -> CampaignSnapshot:
        if self.undialed > self.expired:
            message = f"found {self.undialed}; must not be more than expired ({self.expired})"
            raise ContradictionError([(("undialed",), message)])
        return self

    def standing(self, state: str) -> list[Standing]:
        """Calls in one of `STATES`."""
        standings: list[Standing] = getattr(self, state)
        return standings

    def count(self, state: str) -> int:
        """How many calls stand in one of `STATES`."""
        return sum(each.count for each in self.standing(state))

    @cached_property
    def kept(self) -> dict[Any, Any]:
        """What has been worked out of it, for the next replication."""
        return {}


class Snapshot(Part):
    """A live queue: the moment, and where the calls of every campaign stand then."""

    at: LocalTime
    """The moment."""
    campaign: list[CampaignSnapshot] = []
    """Every campaign that has started, of all tenants, as far as it is known."""

    @model_validator(mode="after")
    def _is_of_one_moment(self) -> Snapshot:
        problems: list[Contradiction] = []
        seen: set[tuple[str, str]] = set()
        for i, campaign in enumerate(self.campaign):
            if campaign.key in seen:
                message = f"{'/'.join(campaign.key)} is there twice; give each campaign once"
                problems.append((("campaign", i, "name"), message))
            seen.add(campaign.key)
            for state in STATES:
                for k, standing in enumerate(campaign.standing(state)):
                    for key in ("since", "oldest"):
                        instant = getattr(standing, key)
                        if instant is not None and instant > self.at:
                            message = f"found {written(instant)}, after the moment"
                            place = ("campaign", i, state, k, key)
                            problems.append((place, f"{message} ({written(self.at)})"))
        if problems:
            raise ContradictionError(problems)
        return self

    def find(self, key: tuple[str, str]) -> CampaignSnapshot | None:
        """The campaign with this key, tenant and name; None if it is not there."""
        return next((each for each in self.campaign if each.key == key), None)

    @brief_document
    def to_dict(self) -> dict[str, Any]:
        """The document that `with_snapshot` reads."""
        return self.model_dump(mode="json", exclude_defaults=True)


def json_schema() -> dict[str, Any]:
    """JSON Schema, draft 2020-12, of a snapshot file."""
    schema = Snapshot.model_json_schema(mode="validation")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "outsim snapshot",
    }


def attempts_of(standing: Standing, state: str) -> int:
    """Attempts of a call that are over, estimated where they are not said."""
    if standing.attempts is not None:
        return standing.attempts
    return 1 if state == "waiting_retry" else 0
