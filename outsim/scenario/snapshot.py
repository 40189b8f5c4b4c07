"""A live queue at a moment: where every campaign's calls stand, and since when.

It is what a forecast begins with. A snapshot is a JSON document, or the table
``snapshot`` of a scenario; what it leaves out is estimated, and `estimates` names it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from outsim.errors import Problem, ScenarioError
from outsim.quantities import ContradictionError, Duration, LocalTime
from outsim.quantities import Problem as Contradiction
from outsim.scenario.campaigns import Campaign
from outsim.scenario.parts import Count, Name, Part, Positive, written

if TYPE_CHECKING:
    from outsim.scenario.model import Scenario

STATES = ("queued", "waiting_retry", "dialing", "connected", "scheduled")
"""Statuses of calls that are not over, in the order in which a forecast takes them up."""

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
    the moment."""
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
        return not self.since is self.lasting is self.oldest is None


def _one(value: Any) -> Any:
    if isinstance(value, str):
        return {"lasting" if _DURATION.match(value) else "since": value}
    return value


def _listed(value: Any) -> Any:
    """What stands for a list of calls: a count, a table, or a list of tables and texts."""
    if isinstance(value, int) and not isinstance(value, bool):
        return [{"count": value}] if value else []
    if isinstance(value, dict):
        return [value]
    return [_one(each) for each in value] if isinstance(value, list) else value


Standings = Annotated[
    list[Standing],
    BeforeValidator(
        _listed, json_schema_input_type=int | Standing | list[Standing | str]
    ),
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
    """Calls that are dialled and not answered yet."""
    connected: Standings = []
    """Calls that are answered and not over."""
    waiting_retry: Standings = []
    """Calls that wait for their retry interval to end."""
    completed: Count = 0
    """Calls answered in the end."""
    failed: Count = 0
    """Calls dialled and never answered."""
    canceled: Count = 0
    """Calls canceled."""
    expired: Count = 0
    """Calls expired."""
    undialed: Count = 0
    """Those of the expired calls that were never dialled."""

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
        """The campaign of this tenant and name; None if it is not there."""
        return next((each for each in self.campaign if each.key == key), None)

    def to_json(self) -> dict[str, Any]:
        """The document that `read_snapshot` reads."""
        return self.model_dump(mode="json", exclude_defaults=True)


def json_schema() -> dict[str, Any]:
    """JSON Schema, draft 2020-12, of a snapshot file."""
    schema = Snapshot.model_json_schema(mode="validation")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "outsim snapshot",
    }


def read_snapshot(path: str | Path, scenario: Scenario) -> Scenario:
    """The scenario, beginning at the moment of a snapshot file with the queue as it stands.

    Clock times in the file that name no date or offset are the scenario's.

    Raises
    ------
    ScenarioError
        If the file can't be read, or for everything in it that can't be used.
    """
    try:
        document = json.loads(Path(path).read_text())
    except OSError as error:
        raise ScenarioError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ScenarioError(f"{path}: is no text; give a JSON document") from None
    except json.JSONDecodeError as error:
        raise ScenarioError(
            [Problem(str(path), error.lineno, "", f"is no valid JSON: {error.msg}")]
        ) from None
    context = {"zone": scenario.clock.zone_info, "date": scenario.clock.date}
    try:
        snapshot = Snapshot.model_validate(document, context=context)
    except ValidationError as error:
        raise ScenarioError(list(_file_problems(str(path), error))) from None
    return standing_at(scenario, snapshot, str(path))


def _file_problems(path: str, error: ValidationError) -> Iterator[Problem]:
    for each in error.errors():
        cause = each.get("ctx", {}).get("error")
        if isinstance(cause, ContradictionError):
            found = [((*each["loc"], *place), message) for place, message in cause.problems]
        else:
            found = [(each["loc"], _message(each, cause))]
        for place, message in found:
            yield Problem(path, None, key_path(place), message)


def _message(each: Any, cause: Any) -> str:
    if cause is not None:
        return str(cause)
    if each["type"] == "extra_forbidden":
        return "unknown key; see `outsim schema --snapshot`"
    if each["type"] == "missing":
        return "is missing"
    return f"found {each['input']!r:.60}; {each['msg'][0].lower()}{each['msg'][1:]}"


def key_path(place: tuple[str | int, ...]) -> str:
    """Key path as messages write it, such as ``campaign[0].queued[3].since``."""
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in place)
    return text.removeprefix(".")


def standing_at(scenario: Scenario, snapshot: Snapshot, file: str = "snapshot") -> Scenario:
    """The scenario with the queue as a snapshot has it, to be forecast from its moment.

    Raises
    ------
    ScenarioError
        If the two don't fit together.
    """
    problems = [
        Problem(file, None, key_path(place), message)
        for place, message in snapshot_problems(scenario, snapshot)
    ]
    if problems:
        raise ScenarioError(problems)
    changed = scenario.model_copy(update={"snapshot": snapshot})
    changed._path = scenario.path
    return changed


def snapshot_problems(scenario: Scenario, snapshot: Snapshot) -> Iterator[Contradiction]:
    """What in a snapshot does not fit a scenario, as (key path, message)."""
    clock = scenario.clock
    if not 0 <= scenario.instant_us(snapshot.at) < scenario.instant_us(clock.latest_end):
        yield (
            ("at",),
            f"found {written(snapshot.at)}, outside of the scenario's run "
            f"({written(clock.begins)} to {written(clock.latest_end)}); set its clock.date",
        )
        return
    under_way = 0
    for i, campaign in enumerate(snapshot.campaign):
        under_way += campaign.count("dialing") + campaign.count("connected")
        for k, standing in enumerate(campaign.queued):
            for key in ("since", "oldest"):
                instant: datetime | None = getattr(standing, key)
                if instant is not None and scenario.instant_us(instant) < 0:
                    yield (
                        ("campaign", i, "queued", k, key),
                        f"found {written(instant)}, before the scenario begins "
                        f"({written(clock.begins)}); set its clock.begins earlier",
                    )
        yield from _beyond_retries(scenario, i, campaign)
    for what, limit in (
        ("platform.ports", scenario.platform.ports),
        ("carrier.channels", scenario.carrier.channels),
    ):
        if under_way > limit:
            yield (
                ("campaign",),
                f"found {under_way} calls dialing or connected; the scenario's {what} is {limit}",
            )


def _beyond_retries(
    scenario: Scenario, i: int, campaign: CampaignSnapshot
) -> Iterator[Contradiction]:
    """Calls with more attempts than their campaign allows."""
    most = campaign_of(scenario, campaign).max_retry
    for state in STATES:
        for k, standing in enumerate(campaign.standing(state)):
            if attempts_of(standing, state) > most:
                yield (
                    ("campaign", i, state, k, "attempts"),
                    f"found {attempts_of(standing, state)}; allowed: at most {most}, the "
                    "max_retry of its campaign in the scenario",
                )


def attempts_of(standing: Standing, state: str) -> int:
    """Attempts of a call that are over, estimated where they are not said."""
    if standing.attempts is not None:
        return standing.attempts
    return 1 if state == "waiting_retry" else 0


def campaign_of(scenario: Scenario, campaign: CampaignSnapshot) -> Campaign:
    """The rules that a campaign of a snapshot is held to, without any call of its own.

    They are the scenario's where it has this campaign; else they are taken from its
    background, or from the defaults.
    """
    known = scenario.find_campaign("/".join(campaign.key))
    if known is not None:
        return known.model_copy(update={"contact_list": None, "requests": None, "contacts": 0})
    background = scenario.background
    rules: dict[str, Any] = {}
    if background is not None:
        rules = {
            rule: getattr(background, rule)
            for rule in ("max_retry", "retry_interval", "profile", "pacing", "result_url")
        }
    return Campaign(
        name=campaign.name,
        tenant=campaign.tenant,
        start=campaign.start or _oldest(campaign) or scenario.clock.begins,
        contacts=0,
        **rules,
    )


def _oldest(campaign: CampaignSnapshot) -> datetime | None:
    """When the oldest call of a campaign came into the queue, if it is said."""
    instants = [each.since or each.oldest for each in campaign.queued]
    return min((instant for instant in instants if instant is not None), default=None)


def estimates(scenario: Scenario) -> list[str]:
    """What a forecast from the scenario's snapshot estimates, one sentence each."""
    snapshot = scenario.snapshot
    return [] if snapshot is None else [*_estimates(scenario, snapshot)]


_SPREAD = {
    "queued": "since its start",
    "waiting_retry": "over the last retry interval",
    "dialing": "over the last ring timeout",
    "connected": "over the last mean talk",
}
"""Over what time calls are spread of which it is not said since when."""


def said(state: str) -> str:
    """A state in a sentence: calls are ..."""
    return "waiting for a retry" if state == "waiting_retry" else state


def _estimates(scenario: Scenario, snapshot: Snapshot) -> Iterator[str]:
    for campaign in snapshot.campaign:
        whose = "/".join(campaign.key)
        rules = campaign_of(scenario, campaign)
        if scenario.find_campaign(whose) is None:
            source = "the background's" if scenario.background else "the defaults"
            yield f"{whose}: not in the scenario, its rules are {source}"
            if campaign.start is None:
                yield f"{whose}: when it started; taken as {rules.start:%H:%M:%S}"
        for state, spread in _SPREAD.items():
            untimed = [s for s in campaign.standing(state) if not s.is_timed]
            if untimed:
                count = sum(s.count for s in untimed)
                yield f"{whose}: since when {count:,} are {said(state)}; spread evenly {spread}"
            spread_out = sum(s.count for s in campaign.standing(state) if s.oldest is not None)
            if spread_out > 1:
                yield f"{whose}: since when {spread_out:,} are {said(state)}; spread from the oldest on"
            unknown = sum(
                s.count for s in campaign.standing(state) if s.attempts is None and s.count
            )
            if unknown and rules.max_retry and state != "connected":
                assumed = 1 if state == "waiting_retry" else 0
                yield f"{whose}: attempts made by {unknown:,} that are {said(state)}; taken as {assumed}"
    there = {campaign.key for campaign in snapshot.campaign}
    for each in scenario.campaigns:
        if (each.tenant, each.name) not in there:
            fate = "over" if each.start <= snapshot.at else "still to start"
            yield f"{each.tenant}/{each.name}: not in the snapshot, taken as {fate}"
