"""A run as it moves, as one HTML file: recorded, with a slider, without a server or a network."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from outsim.document.html import environment
from outsim.plots.animation import animation
from outsim.plots.widget import script, style
from outsim.present.html_file import write
from outsim.results.result import Result

_HERE = Path(__file__).parent

_START = """
mount(document.getElementById("animation"), {
  data: JSON.parse(document.getElementById("data").textContent),
});
"""

_PAGE_STYLE = """
body { margin: 0 auto; padding: 1rem; max-width: 88rem; background: #fff; }
h1 { font: 600 1rem/1.3 system-ui, sans-serif; margin: 0; color: #1c2430; }
@media (prefers-color-scheme: dark) { body { background: #12171d; } h1 { color: #e8edf3; } }
"""


def animation_page(data: dict[str, Any]) -> str:
    """The page of an animation; its policy lets a browser run and show what is in it alone."""
    code, look = script() + _START, style() + _PAGE_STYLE
    # A browser reads a data block up to the first "</script", whatever it stands in.
    block = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", r"\u003c")
    template = environment(_HERE).get_template("animation_page.html")
    return template.render(
        title=data["title"],
        data=block,
        code=code,
        style=look,
        policy=f"default-src 'none'; script-src {_hash(code)}; style-src {_hash(look)}; "
        "img-src data:; base-uri 'none'; form-action 'none'",
    )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def save_animation(result: Result, path: Path) -> int:
    """Write the animation of a run to a file; gives its size in bytes."""
    text = animation_page(animation(result))
    write(text, path, "animation")
    return len(text.encode())
