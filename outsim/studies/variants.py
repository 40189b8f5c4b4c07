"""Scenarios that differ from another one in the campaign that is asked about."""

from __future__ import annotations

from typing import Any

from outsim.errors import ScenarioError, StudyError
from outsim.scenario.campaigns import Campaign
from outsim.scenario.model import Scenario, Study
from outsim.text import title


def campaign_of(scenario: Scenario, name: str | Campaign | None = None) -> Campaign:
    """Campaign that a study is about: by ``name`` or ``tenant/name``, or the one under study.

    Raises
    ------
    StudyError
        If there is no such campaign, more than one, or none at all.
    """
    if not scenario.campaigns:
        raise StudyError(f"scenario {scenario.name!r} has no campaign to study; add one")
    if name is None:
        assert scenario.campaign_under_study is not None
        return scenario.campaign_under_study
    try:
        return scenario.find_campaign(name)
    except ScenarioError as error:
        raise StudyError(str(error)) from None


def with_campaign(
    scenario: Scenario, campaign: Campaign, name: str, changes: dict[str, Any]
) -> Scenario:
    """Scenario of this name in which a campaign has other keys, and is the one under study.

    Values are what the campaign holds: aware datetimes, integers. Whether a campaign can have
    them is for the caller to check; how it fits into the scenario is validated here.
    """
    changed = campaign.model_copy(update=changes)
    under_study = f"{campaign.tenant}/{campaign.name}"
    study = Study(campaign=under_study)
    if scenario.study is not None:
        study = scenario.study.model_copy(update={"campaign": under_study})
    # Not a copy: it would keep what the scenario has worked out, such as what is under study.
    said = {key: getattr(scenario, key) for key in scenario.model_fields_set}
    campaigns = [changed if each is campaign else each for each in scenario.campaign]
    return Scenario.model_validate(
        said | {"name": title(name), "campaign": campaigns, "study": study}
    )
