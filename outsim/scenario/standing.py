"""A snapshot and a scenario together: whether they fit."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from difflib import get_close_matches
from itertools import pairwise
from typing import TYPE_CHECKING

from outsim.clock import MINUTE, format_duration
from outsim.errors import Problem, ScenarioError, nearest
from outsim.scenario.campaigns import Campaign
from outsim.scenario.files import SHOWN_OF_KEYS
from outsim.scenario.parts import written
from outsim.scenario.snapshot import STATES, CampaignSnapshot, Snapshot, Standing, attempts_of
from outsim.scenario.standing_campaigns import campaign_of
from outsim.text import shortened
from outsim.units import Problem as Contradiction
from outsim.vocabulary import ENDED_STATUSES, UNDER_WAY_STATUSES

if TYPE_CHECKING:
    from outsim.scenario.model import Scenario

ROUNDED = MINUTE
"""How much a duration in a snapshot may be rounded."""


def key_path(place: tuple[str | int, ...]) -> str:
    """Key path as messages write it, such as ``campaign[0].queued[3].since``."""
    text = "".join(
        f"[{key}]" if isinstance(key, int) else f".{shortened(key, SHOWN_OF_KEYS)}"
        for key in place
    )
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
    for i, campaign in enumerate(snapshot.campaign):
        unknown = _unknown(scenario, campaign)
        if unknown is not None:
            key, message = unknown
            yield ("campaign", i, key), message
            continue
        rules = campaign_of(scenario, campaign)
        for place, message in (
            *_instants(scenario, campaign),
            *_before_start(scenario, snapshot, campaign, rules),
            *_beyond_retries(campaign, rules),
            *_beyond_list(scenario, campaign),
        ):
            yield ("campaign", i, *place), message
    yield from _twice(snapshot)
    # A call that is dialling need not be at the carrier yet.
    for states, what, limit in (
        (UNDER_WAY_STATUSES, "platform.ports", scenario.platform.ports),
        (("connected",), "carrier.channels", scenario.carrier.channels),
    ):
        found = sum(each.count(state) for each in snapshot.campaign for state in states)
        if found > limit:
            words = " or ".join(states)
            yield (
                ("campaign",),
                f"found {found} calls {words}; the scenario's {what} is {limit}",
            )


def _twice(snapshot: Snapshot) -> Iterator[Contradiction]:
    """Calls that stand in two places."""
    numbered = sorted(
        (each.call_id, each.count, ("campaign", i, state, k, "call_id"))
        for i, campaign in enumerate(snapshot.campaign)
        for state in STATES
        for k, each in enumerate(campaign.standing(state))
        if each.call_id is not None
    )
    for (first, count, _), (call_id, _, place) in pairwise(numbered):
        if call_id < first + count:
            yield place, f"found {call_id}, which stands in another place too; give each call once"


def _plain(name: str) -> str:
    """A name without what is easily written in another way: case, spaces and hyphens."""
    return "".join(each for each in name.casefold() if each.isalnum())


def _unknown(scenario: Scenario, campaign: CampaignSnapshot) -> tuple[str, str] | None:
    """Why a campaign must be one of the scenario's and is not, as (key, message).

    Campaigns of customers of whom the scenario says nothing are allowed: they are those of
    others. One whose name is nearly the scenario's is most likely misspelt.
    """
    if scenario.campaign_or_none("/".join(campaign.key)) is not None:
        return None
    tenants: dict[str, list[str]] = {}
    for each in scenario.campaign:
        tenants.setdefault(each.tenant, []).append(each.name)
    if campaign.tenant in tenants:
        names = nearest(campaign.name, tenants[campaign.tenant])
        whose = f"which is no campaign of {campaign.tenant} in the scenario"
        return "name", f"found {campaign.name!r}, {whose}; {names}"
    known = [*tenants, *(each.name for each in scenario.tenant)]
    near = [name for name in known if _plain(name) == _plain(campaign.tenant)]
    if not near and any(_plain(campaign.name) == _plain(n) for ns in tenants.values() for n in ns):
        near = get_close_matches(campaign.tenant, known, n=1, cutoff=0.7)
    if near:
        found = f"found {campaign.tenant!r}, which is no customer in the scenario"
        return "tenant", f"{found}; did you mean {near[0]!r}?"
    return None


def _instants(scenario: Scenario, campaign: CampaignSnapshot) -> Iterator[Contradiction]:
    """Instants before the scenario begins."""
    for k, standing in enumerate(campaign.queued):
        for key in ("since", "oldest"):
            instant: datetime | None = getattr(standing, key)
            if instant is not None and scenario.instant_us(instant) < 0:
                yield (
                    ("queued", k, key),
                    f"found {written(instant)}, before the scenario begins "
                    f"({written(scenario.clock.begins)}); set its clock.begins earlier",
                )


def _before_start(
    scenario: Scenario, snapshot: Snapshot, campaign: CampaignSnapshot, rules: Campaign
) -> Iterator[Contradiction]:
    """Calls that are in the queue, or further, before their campaign starts."""
    started_us = scenario.instant_us(snapshot.at) - scenario.instant_us(rules.start)
    starts = f"its campaign's start ({written(rules.start)})"
    if started_us < 0:
        for state in ("queued", "waiting_retry", "dialing", "connected", "completed", "failed"):
            count = campaign.count(state) if state in STATES else getattr(campaign, state)
            if count:
                found = f"found {count} at {written(snapshot.at)}, before {starts}"
                yield (state,), f"{found}; allowed: scheduled, canceled, expired"
        return
    for state in ("queued", "waiting_retry", "dialing", "connected"):
        for k, standing in enumerate(campaign.standing(state)):
            key, since_us = _since(scenario, snapshot, standing)
            rounded = ROUNDED if key == "lasting" else 0
            if since_us + rounded < scenario.instant_us(rules.start):
                value = getattr(standing, key)
                said = format_duration(value) if key == "lasting" else written(value)
                yield (state, k, key), f"found {said}, which is before {starts}"


def _since(scenario: Scenario, snapshot: Snapshot, standing: Standing) -> tuple[str, int]:
    """The key that says since when calls stand, and that instant; the moment where none does."""
    at_us = scenario.instant_us(snapshot.at)
    for key in ("since", "oldest"):
        if getattr(standing, key) is not None:
            return key, scenario.instant_us(getattr(standing, key))
    return "lasting", at_us - (standing.lasting or 0)


def _beyond_retries(campaign: CampaignSnapshot, rules: Campaign) -> Iterator[Contradiction]:
    """Calls with more attempts than their campaign allows, or with none before their retry."""
    most = rules.max_retry
    for state in STATES:
        for k, standing in enumerate(campaign.standing(state)):
            if state == "waiting_retry" and standing.attempts == 0:
                yield (
                    (state, k, "attempts"),
                    "found 0; a call that waits for a retry has been dialled: write at least 1",
                )
            if attempts_of(standing, state) > most:
                yield (
                    (state, k, "attempts"),
                    f"found {attempts_of(standing, state)}; allowed: at most {most}, the "
                    "max_retry of its campaign in the scenario",
                )


def _beyond_list(scenario: Scenario, campaign: CampaignSnapshot) -> Iterator[Contradiction]:
    """More calls in one state, or in all, than the campaign's list holds."""
    known = scenario.campaign_or_none("/".join(campaign.key))
    most = None if known is None else known.dialable
    if most is None:
        return
    counts = {state: campaign.count(state) for state in STATES}
    counts |= {state: getattr(campaign, state) for state in ENDED_STATUSES}
    total = sum(counts.values())
    if total > most:
        said = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
        all_of_them = f", {total} in all" if sum(map(bool, counts.values())) > 1 else ""
        yield (
            (),
            f"found {said}{all_of_them}; its list in the scenario has {most} that can be dialled",
        )
