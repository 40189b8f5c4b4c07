"""The room in which the morning moves."""

from __future__ import annotations

from outsim.live.page.parts import table
from outsim.live.page.session import Page


def build(page: Page) -> None:
    """Build it for a client."""
    sandbox = page.context.sandbox
    table(
        "Campaigns",
        ["campaign", "tenant", "calls", "start"],
        (
            (view.name, view.tenant, f"{view.calls:,}", f"{sandbox.clock.local(view.start):%H:%M}")
            for view in sandbox.campaigns()
        ),
    )
