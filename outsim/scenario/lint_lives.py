"""What a scenario says of the life of its calls that is allowed, but unlikely to be meant."""

from __future__ import annotations

import numpy as np

from outsim.clock import SECOND, format_duration
from outsim.scenario.back_off import Retry
from outsim.scenario.campaigns import Campaign
from outsim.scenario.lint_settings import Advised, wide_jitter
from outsim.scenario.model import Scenario


def lives(scenario: Scenario, campaign: Campaign) -> Advised:
    """What can't be meant of the times at which calls expire, or are given up."""
    ends_us = [scenario.instant_us(scenario.clock.latest_end)]
    since_us = scenario.instant_us(max(campaign.start, campaign.submitted))
    if campaign.expires_after is not None:
        ends_us.append(scenario.instant_us(campaign.submitted) + campaign.expires_after)
        if campaign.requests is not None and campaign.max_retry > 0:
            shortest = min(
                retry.interval or campaign.retry_interval
                for retry in (Retry(), *campaign.retry_by_outcome.values())
            )
            if campaign.expires_after <= shortest:
                yield (
                    "expires_after",
                    f"is {format_duration(campaign.expires_after)}, no longer than the shortest "
                    f"retry interval ({format_duration(shortest)}): nobody is dialed again",
                )
    if campaign.expires_at is not None:
        ends_us.append(scenario.instant_us(campaign.expires_at))
    if campaign.gives_up_after is not None:
        shortest_s = float(campaign.gives_up_after.quantile_s(np.array([0.01]))[0])
        if since_us + shortest_s * SECOND >= min(ends_us):
            what = "they expire" if len(ends_us) > 1 else "the run ends at the latest"
            yield (
                "gives_up_after",
                f"nearly all calls are still wanted when {what}: none is given up",
            )
    contacts = campaign.contact_list
    if contacts is not None and contacts.expiries_us is not None:
        start = round(campaign.start.timestamp() * SECOND)
        early = int(((contacts.expiries_us >= 0) & (contacts.expiries_us <= start)).sum())
        if early:
            yield "contact_list", f"rows that expire before the campaign starts: {early:,}"
    has_times = contacts is not None and (
        contacts.schedules_us is not None or contacts.expiries_us is not None
    )
    if has_times and campaign.repeats:
        yield "repeats", "the times of the list's rows stay those of their own days"


def by_outcome(campaign: Campaign) -> Advised:
    """What has no effect in the retries of a campaign outcome by outcome, or a strange one."""
    for name, retry in campaign.retry_by_outcome.items():
        for key, message in _of_outcome(campaign, retry):
            yield f"retry.{name}.{key}" if key else f"retry.{name}", message


def _of_outcome(campaign: Campaign, retry: Retry) -> Advised:
    interval = retry.interval or campaign.retry_interval
    if campaign.max_retry == 0:
        yield "", "has no effect: max_retry is 0"
        return
    if retry.most is not None and retry.most > campaign.max_retry:
        yield (
            "most",
            f"is {retry.most}, and max_retry is {campaign.max_retry}, which bounds all retries "
            "together",
        )
    if "cap" in retry.model_fields_set and retry.back_off == 1:
        yield "cap", "has no effect without back_off"
    yield from wide_jitter(retry, interval)
    if not retry.model_fields_set:
        yield "", "says nothing: it is as for all outcomes"
