"""The room in which a scenario is changed, and compared with what it was."""

from __future__ import annotations

from outsim.live.page.session import Page
from outsim.live.page.what_if.room import Room


def build(page: Page) -> None:
    """Build it for a client."""
    Room(page).build()


__all__ = ["build"]
