"""Simulated times as the page says them."""

from __future__ import annotations

from datetime import datetime

from outsim.live.page.session import Page


def local(page: Page, at: int | None) -> str:
    """Local time of an instant, with its day if it is not that of the beginning."""
    if at is None:
        return ""
    clock = page.context.sandbox.clock
    moment: datetime = clock.local(at)
    is_first_day = moment.date() == clock.local(0).date()
    return f"{moment:%H:%M:%S}" if is_first_day else f"{moment:%Y-%m-%d %H:%M:%S}"
