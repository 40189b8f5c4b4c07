"""What a scenario says of the life of its calls that is allowed, but unlikely to be meant."""

from __future__ import annotations

from outsim.clock import format_duration
from outsim.scenario.campaigns import Campaign
from outsim.scenario.lint_settings import Advised
from outsim.scenario.retries import Retry


def by_outcome(campaign: Campaign) -> Advised:
    """What has no effect in the retries of a campaign outcome by outcome, or a strange one."""
    for name, retry in campaign.said_by_outcome.items():
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
    if retry.jitter_us(interval) > interval:
        yield (
            "jitter",
            f"is up to {format_duration(retry.jitter_us(interval))}, longer than the interval of "
            f"{format_duration(interval)}",
        )
    if not retry.model_fields_set:
        yield "", "says nothing: it is as for all outcomes"
