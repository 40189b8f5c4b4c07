"""The animation in a notebook: a widget that moves, or a picture where there is none."""

from __future__ import annotations

import base64
import io
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from outsim.plots.animation import animation
from outsim.plots.calls import truth_and_seen
from outsim.plots.load import queue
from outsim.plots.style import draws, given_axes
from outsim.results.result import Result

STATIC = Path(__file__).parent / "static"
"""What draws an animation in a browser; `animation.js` is where it begins."""

_IMPORT = re.compile(r'^import \{[^}]*\} from "\./([^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=class|const|function)", re.MULTILINE)


@cache
def script() -> str:
    """All modules as one, which exports `mount`, and what a widget needs as its default.

    So no two of them have the same name at their top.
    """
    parts: dict[str, str] = {}

    def add(name: str) -> None:
        text = (STATIC / name).read_text(encoding="utf-8")
        for other in _IMPORT.findall(text):
            if other not in parts:
                add(other)
        parts[name] = _IMPORT.sub("", text)

    add("animation.js")
    entry = parts.pop("animation.js")
    return "\n".join([*(_EXPORT.sub("", text) for text in parts.values()), entry])


@cache
def style() -> str:
    """How it looks, in a light and in a dark theme."""
    return (STATIC / "animation.css").read_text(encoding="utf-8")


@draws
def live(result: Result) -> Any:
    """Show a run as it moves, in a notebook: queue, ports, counters, and a slider through the day.

    With the extra ``notebook`` it is a widget (anywidget). Without it, and where a notebook is
    shown and not run, it is a picture of the same run: the queue by tenant, and what happened
    beside what the customer sees.
    """
    title = f"animation of {result.scenario.name}, seed {result.seed}"
    if find_spec("anywidget") is None:
        return _Still(title, _picture(result))
    import anywidget
    import traitlets

    class Animation(anywidget.AnyWidget):
        _esm = script()
        _css = style()
        data = traitlets.Dict().tag(sync=True)

        def _repr_mimebundle_(self, **options: Any) -> Any:
            shown = super()._repr_mimebundle_(**options)
            if shown is None:
                return None
            bundle, metadata = shown
            return bundle | _Still(title, _picture(result))._repr_mimebundle_(), metadata

    return Animation(data=animation(result))


class _Still:
    """A picture that a notebook shows."""

    def __init__(self, title: str, png: bytes) -> None:
        self.title, self.png = title, png

    def __repr__(self) -> str:
        return self.title

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": self.title, "image/png": base64.b64encode(self.png).decode()}


def _picture(result: Result) -> bytes:
    import matplotlib.pyplot as plt

    upper, lower = given_axes(None, 2, columns=1, height=3.4)
    queue(result, upper)
    truth_and_seen(result, lower)
    file = io.BytesIO()
    figure = upper.get_figure(root=True)
    assert figure is not None
    figure.savefig(file, format="png", metadata={"Software": None})
    plt.close(figure)
    return file.getvalue()
