"""The room of whoever runs the platform."""

from __future__ import annotations

from outsim.live.page.parts import words
from outsim.live.page.session import Page


def build(page: Page) -> None:
    """Build it for a client."""
    view = page.context.sandbox.clock.view
    words("p", f"The clock is {view.state}, at {view.speed:g} times wall-clock time.")
    words("p", f"Requests seen: {len(page.context.requests.last)}")
    words("p", f"Faults: {len(page.context.sandbox.faults())}")
