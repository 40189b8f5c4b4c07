"""Which scenarios can be compared: those whose measures mean the same.

A measure is about the campaign under study; some count up to the deadline, and some are local
clock times. Scenarios that differ in one of these are compared only where that is asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import compress
from operator import index

from outsim.errors import ScenarioError, StudyError, parsed, unknown_name
from outsim.results.measures import Measure
from outsim.scenario.campaigns import Campaign, CampaignNames
from outsim.scenario.model import Scenario
from outsim.text import visible

UNLIKE = ("campaign", "deadline", "zone")
"""What may make one measure of two scenarios mean two things."""

_PLURALS = {"campaign": "campaigns under study", "deadline": "deadlines", "zone": "time zones"}

_REMEDIES = {
    "campaign": "give --campaign NAME (campaign= in Python) for one campaign in all of them, or "
    "--campaign-by-scenario NAME once for each (campaign=[...]) to compare different campaigns",
    "deadline": "give --deadline TIME (deadline= in Python) for one deadline in all of them, or "
    "once for each scenario to compare different deadlines",
    "zone": "give --across-zones (across_zones=True in Python) to compare local times of "
    "different zones",
}


def unlike(scenarios: Sequence[Scenario], measures: Sequence[Measure]) -> dict[str, list[str]]:
    """What each scenario has, by kind in which they differ and that a measure depends on."""
    by_deadline = any("{deadline}" in measure.label for measure in measures)
    by_clock = by_deadline or any(measure.kind == "clock" for measure in measures)
    by_kind = {"campaign": [campaign_of(scenario).full_name for scenario in scenarios]}
    if by_deadline:
        by_kind["deadline"] = [_clock_time(scenario, scenario.deadline) for scenario in scenarios]
    if by_clock and not _share_offsets(scenarios):
        by_kind["zone"] = [scenario.clock.zone for scenario in scenarios]
    return {kind: texts for kind, texts in by_kind.items() if len(set(texts)) > 1}


def check_alike(
    scenarios: Sequence[Scenario], measures: Sequence[Measure], allowed: Collection[str] = ()
) -> None:
    """Refuse scenarios whose measures mean different things in a kind that is not allowed."""
    lines = [
        f"scenarios of different {_PLURALS[kind]} can't be compared: {_listed(scenarios, texts)}; "
        f"{_REMEDIES[kind]}"
        for kind, texts in unlike(scenarios, measures).items()
        if kind not in allowed
    ]
    if lines:
        raise StudyError("\n".join(lines))


def _listed(scenarios: Sequence[Scenario], texts: Sequence[str]) -> str:
    """What each scenario has, by its name; each thing once."""
    names: dict[str, list[str]] = {}
    for scenario, text in zip(scenarios, texts, strict=True):
        names.setdefault(text, []).append(scenario.name)
    return ", ".join(f"{text} ({', '.join(dict.fromkeys(names[text]))})" for text in names)


def describe_unlike(
    scenarios: Sequence[Scenario], differing: Mapping[str, Sequence[str]]
) -> list[str]:
    """What is different in scenarios that are compared all the same, one sentence a kind."""
    return [
        f"Different {_PLURALS[kind]}, as asked for: {_listed(scenarios, texts)}."
        for kind, texts in differing.items()
    ]


def asked_about(
    scenarios: Sequence[Scenario],
    campaign: CampaignNames | None,
    deadline: str | Sequence[str] | None,
    *,
    across_zones: bool,
) -> tuple[tuple[Scenario, ...], frozenset[str]]:
    """Scenarios asked about these campaigns and deadlines, and the kinds that may differ."""
    named = [campaign] if isinstance(campaign, str | Campaign) else campaign or ()
    names = [about.full_name if isinstance(about, Campaign) else about for about in named]
    campaigns = _for_each(names, scenarios, "campaign")
    deadlines = _for_each(deadline, scenarios, "deadline")
    about = tuple(map(_about, scenarios, campaigns, deadlines))
    differ = (len(set(campaigns)) > 1, len(set(deadlines)) > 1, across_zones)
    return about, frozenset(compress(UNLIKE, differ))


def _for_each(
    choice: str | Sequence[str] | None, scenarios: Sequence[Scenario], what: str
) -> list[str | None]:
    texts: list[str | None] = [choice] if isinstance(choice, str) else [*(choice or ())]
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
        moment = parsed("deadline", scenario.clock.at, deadline)
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
    clocks = [scenario.clock for scenario in scenarios]
    zones = {clock.zone: clock.zone_info for clock in clocks}
    moments = [at for clock in clocks for at in (clock.begins, clock.latest_end)]
    return len(zones) == 1 or all(
        len({at.astimezone(zone).utcoffset() for zone in zones.values()}) == 1 for at in moments
    )


def position_of(scenario: int | str, labels: Sequence[str]) -> int:
    """Position of a scenario, which is given by it or by its label; refused if there is none."""
    if isinstance(scenario, str) and scenario in labels:
        return labels.index(scenario)
    if not isinstance(scenario, str | bool | None):
        try:
            if 0 <= index(scenario) < len(labels):
                return index(scenario)
        except TypeError:
            pass
    raise StudyError(unknown_name("scenario", scenario, [*labels, *range(len(labels))]))


def label_scenarios(names: Sequence[str]) -> list[str]:
    """Names of scenarios; where some share a name, with their numbers."""
    names = [visible(name) for name in names]
    return [
        f"{name} ({position})" if names.count(name) > 1 else name
        for position, name in enumerate(names, 1)
    ]


def compared(labels: Sequence[str]) -> str:
    """What is compared with what, the first one being the base: ``b compared with a``."""
    base, *others = labels
    each = ", each" if len(others) > 1 else ""
    return f"{', '.join(others)}{each} compared with {base}"
