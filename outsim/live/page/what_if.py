"""The room in which a scenario is changed, and compared with what it was."""

from __future__ import annotations

from outsim.live.page.parts import words
from outsim.live.page.session import Page


def build(page: Page) -> None:
    """Build it for a client."""
    words("p", f"Base: {page.scenario.name}")
    if page.other is not None:
        words("p", f"Beside it: {page.other.name}")
