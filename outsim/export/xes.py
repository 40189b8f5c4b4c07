"""An event log for process mining in XES, IEEE 1849-2016: a case is a call.

Events are the changes of a call's status, at the instant at which they happened; when the
customer could see them is an attribute.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from outsim.export.events import calls_of
from outsim.export.selection import Selection
from outsim.export.writing import binary_file
from outsim.text import visible

_EXTENSIONS = {
    "Concept": ("concept", "http://www.xes-standard.org/concept.xesext"),
    "Time": ("time", "http://www.xes-standard.org/time.xesext"),
    "Lifecycle": ("lifecycle", "http://www.xes-standard.org/lifecycle.xesext"),
    "Organizational": ("org", "http://www.xes-standard.org/org.xesext"),
}
_HEAD = (
    """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1849-2016" xes.features="" xmlns="http://www.xes-standard.org/">
"""
    + "".join(
        f'<extension name="{name}" prefix="{prefix}" uri="{uri}"/>\n'
        for name, (prefix, uri) in _EXTENSIONS.items()
    )
    + """<global scope="trace"><string key="concept:name" value=""/></global>
<global scope="event"><string key="concept:name" value=""/>\
<date key="time:timestamp" value="1970-01-01T00:00:00.000+00:00"/></global>
<classifier name="status" keys="concept:name"/>
"""
)


def write_xes(selection: Selection, path: Path) -> None:
    """Write the calls as an XES event log."""
    with binary_file(path) as file:
        file.write(_HEAD.encode())
        file.write(_attribute("concept:name", selection.result.scenario.name).encode())
        for call in calls_of(selection):
            values = {"concept:name": str(call.values["call_id"])} | call.values
            lines = ["<trace>", *_attributes(values)]
            for event in call.events:
                standard = {
                    "concept:name": event["status"],
                    "lifecycle:transition": "complete",
                    "org:resource": call.values["tenant"],
                    "time:timestamp": event["happened_at"],
                }
                rest = {k: v for k, v in event.items() if k not in ("status", "happened_at")}
                lines += ["<event>", *_attributes(standard | rest), "</event>"]
            file.write("".join([*lines, "</trace>\n"]).encode())
        file.write(b"</log>\n")


def _attributes(values: Mapping[str, Any]) -> list[str]:
    """Attributes that have a value."""
    return [_attribute(key, value) for key, value in values.items() if value not in (None, "")]


def _attribute(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return f'<boolean key="{key}" value="{str(value).lower()}"/>'
    if isinstance(value, int):
        return f'<int key="{key}" value="{value}"/>'
    if isinstance(value, float):
        return f'<float key="{key}" value="{value}"/>'
    kind = "date" if key == "time:timestamp" or key.endswith(("_at", "_from")) else "string"
    return f'<{kind} key="{key}" value={quoteattr(visible(value))}/>'
