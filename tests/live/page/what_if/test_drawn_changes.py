"""Whatever is changed: the file, and the address, are what is on the screen."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from outsim.live.page.what_if.changing import WhatIf
from outsim.live.page.what_if.keeping import kept_text
from outsim.live.page.what_if.link import query, read
from outsim.scenario.adjustable import Adjustable, adjustable_parts, lists_of_entries
from outsim.scenario.difference import differences
from outsim.scenario.keys import ADDED_ENTRIES
from outsim.scenario.loading import load

from .pages import SERVED, what_if_of

ENTRIES = """
[[suspension]]
begins = "09:10"
ends = "09:12"
[[suspension]]
tenant = "clinic"
begins = "09:15"
[[outage]]
of = "ports"
count = 2
begins = "09:05"
ends = "09:10"
[[endpoint]]
name = "page"
[[campaign]]
name = "reminders"
tenant = "bank"
start = "09:10"
contacts = 10
window = { opens = "08:00", closes = "12:00", days = ["mon", "tue"] }
"""
CLOCKS = ("9:06", "09:11", "9:14:30", "09:30")
TEXTS = {
    "name": ("news", "more news"),
    "tenant": ("clinic", "bank", "shop"),
    "contacts": ("0", "5", "1e2"),
    "count": ("1", "2"),
    "opens": ("8:00", "09:00"),
    "closes": ("10:00", "24:00"),
    "days": ("tue", "mon, tue, wed"),
    "retry_after": ("none", "1 s", "2 s, 3 s"),
    "weekday_factors": ("1, 1, 1, 0.9, 1, 1, 0.5",),
    "redial_factors": ("1", "1, 0.5"),
    "other_traffic_peak": ("0: 50 %", "0: 0.9, 30: 10 %"),
    "ani": ("2125550100",),
    "callee_zone": ("America/Chicago",),
    "message": ("12 s",),
}
"""What may be written where no range says it."""


def texts(about: Adjustable) -> list[str]:
    """Some texts of a key."""
    found = [*about.choices, *TEXTS.get(about.name.rpartition(".")[2], ())]
    if about.scale is not None:
        found += [about.scale.text(k) for k in (0, about.scale.last // 2, about.scale.last)]
    if about.kind == "clock":
        found += CLOCKS
    return [*found, *(["none"] if about.is_optional else [])]


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("kept") / "served.toml"
    path.write_text(SERVED + ENTRIES)
    return path


def change(what_if: WhatIf, data: st.DataObject) -> None:
    """Make one change, of whatever kind; one that can't be used is not made."""
    kind = data.draw(st.sampled_from(("key", "key", "key", "add", "remove")), label="kind")
    lists = sorted(lists_of_entries())
    added = [e for name in lists for e in what_if.entries(name) if "[new" in e]
    if kind == "add":
        what_if.add(data.draw(st.sampled_from(lists), label="list"))
    elif kind == "remove":
        there = added + [e for name in ADDED_ENTRIES for e in what_if.entries(name)]
        what_if.remove(data.draw(st.sampled_from(there), label="entry"))
    else:
        parts = [*adjustable_parts(what_if.scenario), *3 * added]
        part = data.draw(st.sampled_from(parts), label="part")
        abouts = what_if.abouts(part)
        required = {k: one for k, one in abouts.items() if one.text == "" and one.is_new}
        about = abouts[data.draw(st.sampled_from([*abouts]), label="key")]
        keys = {about.key: about} if not about.is_new else {**required, about.key: about}
        drawn = {
            key: data.draw(st.sampled_from(said), label=key)
            for key, one in keys.items()
            if (said := [text for text in texts(one) if text])
        }
        if part.startswith("campaign[new"):
            drawn[f"{part}.contacts"] = "7"
        before = dict(what_if.changes)
        what_if.set(drawn)
        if what_if.problems:
            what_if.set({key: before.get(key, "") for key in drawn})


@given(data=st.data(), count=st.integers(1, 6))
@settings(deadline=None, max_examples=60)
def test_whatever_is_changed_can_be_kept_and_sent(file, data, count):
    what_if = what_if_of(file)
    for _ in range(count):
        change(what_if, data)
    assume(not what_if.problems)
    place = file.with_name("kept.toml")
    place.write_text(kept_text(what_if))
    assert differences(load(place), what_if.changed) == []
    assert load(place).name == what_if.changed.name

    other = what_if_of(file)
    assert read(other, parse_qsl(query(what_if), keep_blank_values=True)) == []
    assert (other.changes, other.problems) == (what_if.changes, {})
    assert differences(other.changed, what_if.changed) == []
