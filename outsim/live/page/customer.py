"""The room that shows what a customer sees."""

from __future__ import annotations

from outsim.live.page.parts import table
from outsim.live.page.session import Page


def build(page: Page) -> None:
    """Build it for a client."""
    table(
        "Campaigns as their customers see them",
        ["campaign", "tenant", "calls by status"],
        (
            (
                view.name,
                view.tenant,
                ", ".join(f"{count:,} {status}" for status, count in view.visible_counts.items()),
            )
            for view in page.context.sandbox.campaigns()
        ),
    )
