"""Pictures of one run, each with what is seen on it in words."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from outsim.clock import SECOND, format_duration
from outsim.document import Picture
from outsim.plots import explain as draw_causes
from outsim.plots import outcome_mix, truth_and_seen
from outsim.plots import ports as draw_ports
from outsim.plots import queue as draw_queue
from outsim.plots import status_lag as draw_lag
from outsim.plots import waits as draw_waits
from outsim.present.context import Subject
from outsim.questions.explain import Explanation
from outsim.results.measures import MEASURES
from outsim.results.tables.over_time import hourly_outcomes
from outsim.results.tables.over_time import status_lag as lag_of
from outsim.results.tables.views import counts


def load(subject: Subject) -> list[Picture]:
    """Queue and busy ports over time."""
    result = subject.result
    timeline = result.timeline()
    found = []
    for draw, column, what in (
        (draw_queue, "queue", "calls in the outbound queue"),
        (draw_ports, "busy_ports", "busy ports"),
    ):
        most = timeline[column].max()
        at = timeline.index[int(timeline[column].to_numpy().argmax())]
        limit = f" of {result.scenario.platform.ports:,}" if column == "busy_ports" else ""
        found.append(
            Picture(
                partial(draw, result),
                alt=(
                    f"Areas over the time of day, one a tenant: {what}. Minute by minute, "
                    f"together they are most at {at:%H:%M}: {most:,.0f}{limit}."
                ),
                caption=f"{what.capitalize()} by tenant, one run",
                rows=7,
            )
        )
    return found


def waits(subject: Subject) -> Picture:
    """Waits of the campaign's calls."""
    result, campaign = subject.result, subject.campaign
    values = {each.name: each for each in MEASURES}
    view = result.measured(campaign)
    half, most = (values[name].compute(view) for name in ("wait_p50_s", "wait_p90_s"))
    told = ", ".join(
        f"{share} of the calls {_within(seconds)}"
        for share, seconds in (("half", half), ("9 in 10", most))
    )
    return Picture(
        lambda ax: draw_waits(result, ax=ax, campaigns=[campaign]),
        alt=f"A line that rises with the wait, from no call to all: {told}.",
        caption="Share of the calls that wait no longer, one run",
    )


def wait_causes(found: Explanation) -> Picture:
    """Where the time of the campaign's calls went, by when they came."""
    causes = found.table().sort_values("share", ascending=False).head(3)
    told = ", ".join(
        f"{label} {share:.1%}"
        for label, share in zip(causes["label"], causes["share"], strict=True)
    )
    told = f"of all that time most went to: {told}" if told else "no call took any time"
    return Picture(
        partial(draw_causes, found),
        alt=f"Bars over the time of day, as high as a call's mean time, parted by cause; {told}.",
        caption="Where the time of the calls went, by when they came, one run",
        rows=7,
    )


def _within(seconds: float) -> str:
    if not seconds < float("inf"):
        return "are not dialled within the run"
    return f"wait up to {format_duration(round(seconds * SECOND))}"


def truth_beside_page(subject: Subject, at: datetime) -> Picture:
    """Truth and page over time, with a moment marked."""
    result, campaign = subject.result, subject.campaign
    page = result.status_page(at)
    page = page[page["campaign"].eq(campaign.name) & page["tenant"].eq(campaign.tenant)]
    told = "; ".join(f"{word} {true:,} and {seen:,}" for word, seen, true in counts(page))
    return Picture(
        lambda ax: truth_and_seen(result, ax=ax, campaign=campaign, at=at),
        alt=(
            "Lines over the time of day: pending, completed and failed calls in truth, and "
            f"behind them what the customer sees. At {at:%H:%M}, truth and page: {told}."
        ),
        caption=f"Truth and page over the day, one run; {at:%H:%M} is marked",
        rows=7,
    )


def lag(subject: Subject) -> Picture:
    """Status lag over time with the dial load."""
    result, campaign = subject.result, subject.campaign
    found = lag_of(result.view(campaign).updates, result.begins, result.ended)["p90"].dropna()
    told = "no change of status is shown"
    if len(found):
        longest = format_duration(round(float(found.max()) * SECOND))
        told = (
            f"for 9 in 10 changes of a minute it is longest at {found.idxmax():%H:%M}: {longest}"
        )
    return Picture(
        lambda ax: draw_lag(result, ax=ax, campaign=campaign),
        alt=f"Lag of the page over the time of day, above the dial load of all tenants: {told}.",
        caption="How far the page is behind, by when it happened, one run",
        rows=7,
    )


def outcomes(subject: Subject) -> Picture:
    """Outcomes of attempts by hour."""
    result, campaign = subject.result, subject.campaign
    table = hourly_outcomes(result.view(campaign).attempts, result.begins)
    total = int(table.to_numpy().sum())
    shares = table.sum().sort_values(ascending=False) / max(1, total)
    told = ", ".join(
        f"{str(name).replace('_', ' ')} {share:.1%}" for name, share in shares.items() if share
    )
    return Picture(
        lambda ax: outcome_mix(result, ax=ax, campaign=campaign),
        alt=f"A bar an hour, parted by outcome. Of all {total:,} attempts: {told or 'none'}.",
        caption="Outcomes of the attempts by hour, one run",
        rows=8,
    )
