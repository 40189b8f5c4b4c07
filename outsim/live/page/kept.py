"""Where one was in a room: reload, the way back and the links to it lead there again."""

from __future__ import annotations

import json

from nicegui import ui

_RETURN = """<script>
(() => {
    const kept = sessionStorage.getItem('outsim ' + location.pathname);
    if (!location.search && kept) location.replace(location.pathname + kept);
})();
</script>"""


def keep(query: str) -> None:
    """Have the address say where one is in the room that is open: ``ports=350``, or nothing."""
    search = json.dumps(f"?{query}" if query else "")
    ui.run_javascript(
        f"history.replaceState(history.state, '', location.pathname + {search});"
        f"sessionStorage.setItem('outsim ' + location.pathname, {search});"
    )


def return_to() -> None:
    """Have a room that is opened without a query open where one was in it.

    The browser does so before it connects: nothing of the room as it usually is can come first
    and take the place of what was kept.
    """
    ui.add_head_html(_RETURN)
