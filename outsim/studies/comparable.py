"""Which scenarios can be held against each other: those whose figures mean the same.

A figure is one of the campaign under study; some count up to the deadline, and some are local
clock times. Scenarios that differ in one of these are compared only where that is asked for, and
then it is said with every figure.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from outsim.errors import ScenarioError, StudyError
from outsim.results.measures import Measure
from outsim.scenario.campaigns import Campaign, CampaignNames
from outsim.scenario.model import Scenario

UNLIKE = ("campaign", "deadline", "zone")
"""What may make one figure of two scenarios mean two things."""

_PLURALS = {"campaign": "campaigns under study", "deadline": "deadlines", "zone": "time zones"}

_REMEDIES = {
    "campaign": "give --campaign NAME (campaign= in Python) for one campaign in all of them, or "
    "once for each scenario to compare different campaigns",
    "deadline": "give --deadline TIME (deadline= in Python) for one deadline in all of them, or "
    "once for each scenario to compare different deadlines",
    "zone": "give --across-zones (across_zones=True in Python) to compare local times of "
    "different zones",
}


def unlike(scenarios: Sequence[Scenario], measures: Sequence[Measure]) -> dict[str, list[str]]:
    """What makes these figures of some scenarios mean different things.

    Parameters
    ----------
    scenarios : sequence of Scenario
        Each with a campaign under study.
    measures : sequence of Measure
        The figures; a deadline or a zone counts only where one of them depends on it.

    Returns
    -------
    dict
        By kind of `UNLIKE`, what each scenario has; kinds in which all are alike are left out.
    """
    by_deadline = any("{deadline}" in each.label for each in measures)
    by_clock = by_deadline or any(each.kind == "clock" for each in measures)
    told = {"campaign": [campaign_of(each).full_name for each in scenarios]}
    if by_deadline:
        told["deadline"] = [_clock_time(each, each.deadline) for each in scenarios]
    if by_clock and not _share_offsets(scenarios):
        told["zone"] = [each.clock.zone for each in scenarios]
    return {kind: texts for kind, texts in told.items() if len(set(texts)) > 1}


def check_alike(
    scenarios: Sequence[Scenario], measures: Sequence[Measure], allowed: Collection[str] = ()
) -> None:
    """Refuse scenarios whose figures mean different things, unless that was asked for.

    Parameters
    ----------
    scenarios, measures
        As for `unlike`.
    allowed : collection of str
        Kinds of `UNLIKE` that were asked for.

    Raises
    ------
    StudyError
        If they are unlike in another one: the message says what differs, and what to do.
    """
    names = [scenario.name for scenario in scenarios]
    lines = [
        f"scenarios of different {_PLURALS[kind]} can't be compared: {listed(names, texts)}; "
        f"{_REMEDIES[kind]}"
        for kind, texts in unlike(scenarios, measures).items()
        if kind not in allowed
    ]
    if lines:
        raise StudyError("\n".join(lines))


def listed(names: Sequence[str], texts: Sequence[str]) -> str:
    """What each scenario has, by its name; each thing once."""
    by_text: dict[str, list[str]] = {}
    for name, text in zip(names, texts, strict=True):
        by_text.setdefault(text, []).append(name)
    return ", ".join(f"{text} ({', '.join(dict.fromkeys(of))})" for text, of in by_text.items())


def told(names: Sequence[str], found: Mapping[str, Sequence[str]]) -> list[str]:
    """What is different in scenarios that are compared all the same, one sentence a kind."""
    return [
        f"Different {_PLURALS[kind]}, as asked for: {listed(names, texts)}."
        for kind, texts in found.items()
    ]


def asked_about(
    scenarios: Sequence[Scenario],
    campaign: CampaignNames | None,
    deadline: str | Sequence[str] | None,
    *,
    across_zones: bool,
) -> tuple[tuple[Scenario, ...], frozenset[str]]:
    """Scenarios asked about these campaigns and deadlines, and what may be unlike in them.

    Parameters
    ----------
    scenarios : sequence of Scenario
        What is compared.
    campaign, deadline : str (or Campaign) or sequence of them, optional
        One for all scenarios, or one for each; default: what each scenario says.
    across_zones : bool
        Whether zones may differ.

    Raises
    ------
    StudyError
        If there is no such campaign, or they are neither one nor as many as the scenarios.
    """
    named = [campaign] if isinstance(campaign, str | Campaign) else campaign or ()
    names = [each.full_name if isinstance(each, Campaign) else each for each in named]
    campaigns = _for_each(names, scenarios, "campaign")
    deadlines = _for_each(deadline, scenarios, "deadline")
    found = []
    for scenario, name, time in zip(scenarios, campaigns, deadlines, strict=True):
        found.append(_about(scenario, name, time))
    allowed = {
        "campaign": len(set(campaigns)) > 1,
        "deadline": len(set(deadlines)) > 1,
        "zone": across_zones,
    }
    return tuple(found), frozenset(kind for kind, is_allowed in allowed.items() if is_allowed)


def _for_each(
    given: str | Sequence[str] | None, scenarios: Sequence[Scenario], what: str
) -> list[str | None]:
    texts: list[str | None] = [given] if isinstance(given, str) else [*(given or ())]
    if len(texts) not in (0, 1, len(scenarios)):
        raise StudyError(
            f"{what}: found {len(texts)} for {len(scenarios)} scenarios; give one for all of "
            "them, or one for each"
        )
    return texts if len(texts) > 1 else (texts or [None]) * len(scenarios)


def _about(scenario: Scenario, campaign: str | None, deadline: str | None) -> Scenario:
    """The same scenario, asked about this campaign by this deadline."""
    if campaign is None and deadline is None:
        return scenario
    moment = scenario.deadline
    if deadline is not None:
        try:
            moment = scenario.clock.at(deadline)
        except ValueError as error:
            raise StudyError(f"deadline: {error}") from None
    return scenario.asked_about(campaign_of(scenario, campaign), moment)


def campaign_of(scenario: Scenario, name: str | Campaign | None = None) -> Campaign:
    """Campaign that a study is about: by ``name`` or ``tenant/name``, or the one under study."""
    if not scenario.campaigns:
        raise StudyError(f"scenario {scenario.name!r} has no campaign to study; add one")
    if name is None:
        assert scenario.campaign_under_study is not None
        return scenario.campaign_under_study
    try:
        return scenario.find_campaign(name)
    except ScenarioError as error:
        raise StudyError(str(error)) from None


def _clock_time(scenario: Scenario, moment: datetime) -> str:
    """Local clock time, with the days since the run begins."""
    local = moment.astimezone(scenario.clock.zone_info)
    days = (local.date() - scenario.clock.begins.date()).days
    text = f"{local:%H:%M:%S}".removesuffix(":00")
    return f"{text} ({days:+d} d)" if days else text


def _share_offsets(scenarios: Sequence[Scenario]) -> bool:
    """Whether zones of different names have the same clock in each of the runs."""
    zones = {each.clock.zone: each.clock.zone_info for each in scenarios}
    moments = [at for each in scenarios for at in (each.clock.begins, each.clock.latest_end)]
    return len(zones) == 1 or all(
        len({at.astimezone(zone).utcoffset() for zone in zones.values()}) == 1 for at in moments
    )
