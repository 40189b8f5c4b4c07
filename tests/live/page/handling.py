"""What tests do with the rooms in which orders are given."""

from __future__ import annotations

import httpx
from playwright.sync_api import Locator, Page, expect

NUMBERS = [f"212555{k:04}" for k in range(100, 160)]
LIST = "destination,first_name\n" + "".join(
    f"tel:+1{number};ani=2125550199,<b>Ann</b>\n" for number in NUMBERS
)


def queue(page: Page, campaign: str, numbers: str = LIST, **fields: str) -> None:
    """Fill in the form of a list, and hand it in."""
    page.get_by_label("Phone number list").set_input_files(
        {"name": "<i>numbers</i>.csv", "mimeType": "text/csv", "buffer": numbers.encode()}
    )
    expect(page.get_by_text("is there", exact=True)).to_be_visible()
    for label, value in {"campaign name": campaign, **fields}.items():
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_role("button", name="Queue calls").click()


def advance(page: Page, by: str, until: str) -> None:
    """Advance the clock on the page, and wait until it is there."""
    if page.get_by_label("Duration").is_hidden():
        page.get_by_text("Move the clock", exact=True).click()
    page.get_by_label("Duration").fill(by)
    page.get_by_role("button", name="Advance by").click()
    expect(page.get_by_text(f"It is 2026-03-10 {until}, and the clock is held.")).to_be_visible()


def refresh(page: Page, as_of: str) -> None:
    """Load what the customer sees anew."""
    page.get_by_role("button", name="Refresh", exact=True).click()
    expect(page.get_by_text(f"As of {as_of}.")).to_be_visible()


def table(page: Page, caption: str) -> Locator:
    """A table by the beginning of its caption."""
    return page.get_by_role("group", name=caption)


def cells(page: Page, caption: str, row: str) -> dict[str, str]:
    """Cells of the row of this name, by what stands above them."""
    found = table(page, caption)
    heads = found.get_by_role("columnheader").all_inner_texts()
    named = found.get_by_role("row").filter(has=page.get_by_role("rowheader", name=row))
    return dict(zip(heads, named.locator("th, td").all_inner_texts(), strict=False))


def has_settled(page: Page) -> None:
    """Wait until nothing fades in or out any more: half there, its colors are others."""
    page.wait_for_function(
        "() => document.getAnimations().every((moving) => moving.playState !== 'running')"
    )


def state_of(url: str, path: str) -> dict[str, object]:
    """What the interface says of it."""
    answer = httpx.get(f"{url}/sandbox/{path}", trust_env=False)
    found: dict[str, object] = answer.raise_for_status().json()
    return found
