"""What is drawn of a run, as a browser gets it over the wire."""

from __future__ import annotations

import gzip

from outsim.plots.animation.course import animation
from outsim.results.result import Result


def packed(result: Result, *, is_live: bool = False) -> bytes:
    """What a served page draws of a run, as JSON and compressed.

    It asks for the phases of a call when it shows them, and of a session, which is looked at over
    and over, for the calls too.
    """
    import orjson  # only who serves a page has it

    # Quickly: nobody else in this process gets a turn meanwhile.
    return gzip.compress(
        orjson.dumps(
            animation(result, with_calls=not is_live, with_phases=False, is_live=is_live)
        ),
        1,
    )
