"""A snapshot and a scenario together: whether they fit, and which rules its campaigns have."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from outsim.errors import Problem, ScenarioError
from outsim.quantities import ContradictionError
from outsim.quantities import Problem as Contradiction
from outsim.scenario.campaigns import Campaign
from outsim.scenario.parts import written
from outsim.scenario.snapshot import STATES, CampaignSnapshot, Snapshot, attempts_of

if TYPE_CHECKING:
    from outsim.scenario.model import Scenario


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
    for i, campaign in enumerate(snapshot.campaign):
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
    # A call that is dialling need not be at the carrier yet.
    for states, what, limit in (
        (("dialing", "connected"), "platform.ports", scenario.platform.ports),
        (("connected",), "carrier.channels", scenario.carrier.channels),
    ):
        found = sum(each.count(state) for each in snapshot.campaign for state in states)
        if found > limit:
            words = " or ".join(states)
            yield (
                ("campaign",),
                f"found {found} calls {words}; the scenario's {what} is {limit}",
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


def campaign_of(scenario: Scenario, campaign: CampaignSnapshot) -> Campaign:
    """The rules that a campaign of a snapshot is held to, without any call of its own.

    They are the scenario's where it has this campaign; else they are taken from its
    background, or from the defaults.
    """
    known = scenario.campaign_or_none("/".join(campaign.key))
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
