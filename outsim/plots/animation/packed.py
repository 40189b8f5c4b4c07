"""What is drawn of a run, as a browser gets it over the wire."""

from __future__ import annotations

import gzip
from typing import Any

from outsim.plots.animation.course import animation
from outsim.results.result import Result


def packed(result: Result, **options: Any) -> bytes:
    """What is drawn of a run, as JSON and compressed; options are those of `animation`."""
    import orjson  # only who serves a page has it

    # Quickly: nobody else in this process gets a turn meanwhile.
    return gzip.compress(orjson.dumps(animation(result, **options)), 1)
