"""Documents as HTML: in a cell of a notebook, and as parts of a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from outsim.display import MOST_ROWS
from outsim.text import visible_lines

if TYPE_CHECKING:
    from jinja2 import Environment

_HERE = Path(__file__).parent


def environment(*directories: Path) -> Environment:
    """Templates of documents, and those of some directories, which may import them."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader([_HERE, *directories]),
        autoescape=True,
        finalize=_shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def fragment(document: object) -> str:
    """A document as a notebook's cell shows it: without pictures, and of long tables the top."""
    template = environment().get_template("document.html")
    most = MOST_ROWS // max(1, _tables(document))
    return str(template.module.content(document, 4, None, most))  # type: ignore[attr-defined]


def _tables(document: Any) -> int:
    inner: int = sum(map(_tables, document.parts))
    return len(document.tables) + inner


def _shown(value: Any) -> Any:
    """Text as it is shown; what is HTML already stays."""
    return visible_lines(value) if type(value) is str else value
