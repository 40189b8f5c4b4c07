"""Which rules the campaigns of a snapshot are held to."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from outsim.scenario.campaigns import Campaign
from outsim.scenario.snapshot import CampaignSnapshot

if TYPE_CHECKING:
    from outsim.scenario.model import Scenario


def campaign_of(scenario: Scenario, campaign: CampaignSnapshot) -> Campaign:
    """The rules that a campaign of a snapshot is held to, without any call of its own.

    They are the scenario's where it has this campaign; else they are taken from its
    background, or from the defaults.
    """
    known = scenario.campaign_or_none("/".join(campaign.key))
    if known is not None:
        changed: dict[str, Any] = {"contact_list": None, "requests": None, "contacts": 0}
        if campaign.start is not None:
            changed["start"] = campaign.start
        return known.model_copy(update=changed)
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
