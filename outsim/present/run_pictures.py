"""Pictures of one run, each with what is seen on it in words."""

from __future__ import annotations

from outsim.clock import SECOND, format_duration
from outsim.document import Picture
from outsim.present.context import ReportContext
from outsim.results.measures import MEASURES


def load(context: ReportContext) -> list[Picture]:
    """Queue and busy ports over time."""
    result = context.result
    timeline = result.timeline()
    found = []
    for plot, column, what in (
        ("queue", "queue", "calls in the outbound queue"),
        ("ports", "busy_ports", "busy ports"),
    ):
        most = timeline[column].max()
        at = timeline.index[int(timeline[column].to_numpy().argmax())]
        limit = f" of {result.scenario.platform.ports:,}" if column == "busy_ports" else ""
        found.append(
            Picture(
                plot,
                result,
                alt=(
                    f"Areas over the time of day, one a tenant: {what}. Minute by minute, "
                    f"together they are most at {at:%H:%M}: {most:,.0f}{limit}."
                ),
                caption=f"{what.capitalize()} by tenant, one run",
                rows=7,
            )
        )
    return found


def waits(context: ReportContext) -> Picture:
    """Waits of the campaign's calls."""
    result, campaign = context.result, context.campaign
    values = {each.name: each for each in MEASURES}
    view = result.measure_view(campaign)
    half, most = (values[name].compute(view) for name in ("wait_p50_s", "wait_p90_s"))
    told = ", ".join(
        f"{share} wait: calls {_within(seconds)}"
        for share, seconds in (("p50", half), ("p90", most))
    )
    return Picture(
        "waits",
        result,
        alt=f"A line that rises with the wait, from no call to all: {told}.",
        caption="Share of the calls that wait no longer, one run",
        options={"campaigns": [campaign]},
    )


def _within(seconds: float) -> str:
    if not seconds < float("inf"):
        return "are not dialed within the run"
    return f"wait up to {format_duration(round(seconds * SECOND))}"
