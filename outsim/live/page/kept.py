"""Where one was in a room: reload, the way back and the links to it lead there again."""

from __future__ import annotations

import json

from nicegui import ui

_LINK = """
for (const link of document.querySelectorAll('nav.rooms a')) {
    const kept = sessionStorage.getItem('outsim ' + link.pathname);
    if (kept !== null && link.search !== kept) link.search = kept;
}
"""


def keep(query: str) -> None:
    """Have the address say where one is in the room that is open: ``ports=350``, or nothing."""
    search = json.dumps(f"?{query}" if query else "")
    ui.run_javascript(
        f"history.replaceState(history.state, '', location.pathname + {search});"
        f"sessionStorage.setItem('outsim ' + location.pathname, {search});{_LINK}"
    )


def lead_back() -> None:
    """Have the links to the rooms lead to where one was in them."""
    ui.run_javascript(_LINK)
