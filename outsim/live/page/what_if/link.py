"""Changes as the query of an address, such as ``campaign.start=09:15&platform.ports=350``."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from outsim.errors import ScenarioError, nearest
from outsim.live.page.what_if.changing import FIRST, WhatIf
from outsim.scenario.adjustable import adjustable_parts, lists_of_entries
from outsim.scenario.keys import NEW, dotted, entry_names, key_path

CHANGED, BASE = "changed", "base"
"""Keys that say which of two scenarios is changed, and which one is the base."""
_READABLE = "[]:/,"
_STUDIED = "campaign."


def query(what_if: WhatIf) -> str:
    """The query that `read` reads; what is as it usually is, is left out."""
    items = {}
    if what_if.start_name != what_if.usual:
        items[CHANGED] = what_if.start_name
    if what_if.base_name != FIRST:
        items[BASE] = what_if.base_name
    studied = _studied(what_if)
    for key, text in what_if.changes.items():
        short = f"{_STUDIED}{key.removeprefix(studied)}" if key.startswith(studied) else key
        items[short] = text
    return "&".join(f"{quote(k, _READABLE)}={quote(v, _READABLE)}" for k, v in items.items())


def read(what_if: WhatIf, items: Iterable[tuple[str, str]]) -> list[str]:
    """Make the changes that an address says; what it says in vain, in words."""
    problems: list[str] = []
    changes: dict[str, str] = {}
    for key, text in items:
        if key in (CHANGED, BASE):
            if text not in what_if.scenarios:
                problems.append(f"{key}: found {text!r}; {nearest(text, what_if.scenarios)}")
            elif key == CHANGED:
                what_if.choose(text)
            else:
                what_if.base_name = text
            continue
        try:
            changes[_full_key(what_if, key)] = text
        except ScenarioError as error:
            problems.append(f"{key}: {str(error).removeprefix(f'{key}: ')}")
    if changes:
        what_if.set(changes)
    return problems


def _studied(what_if: WhatIf) -> str:
    campaign = what_if.scenario.campaign_under_study
    return "campaign[]." if campaign is None else f"campaign[{campaign.full_name}]."


def _full_key(what_if: WhatIf, key: str) -> str:
    """The key of a control; refused where there is none."""
    if key.startswith(_STUDIED):
        key = _studied(what_if) + key.removeprefix(_STUDIED)
    name, _, called = key.partition("]")[0].partition("[")
    if name in lists_of_entries() and NEW.fullmatch(called):
        new = what_if.new.setdefault(name, [])
        if called not in new:
            new.append(called)
    else:
        whole = what_if.scenario.plain_tables()
        key = dotted(key_path(key, whole), entry_names(whole))
        if key in what_if.entries(name):
            return key
    if what_if.about(key) is not None:
        return key
    part = key.partition("]")[0] + "]" if "[" in key else key.partition(".")[0]
    there = [*what_if.abouts(part)] or adjustable_parts(what_if.scenario)
    raise ScenarioError(f"found nothing that can be changed here; {nearest(key, there)}")
