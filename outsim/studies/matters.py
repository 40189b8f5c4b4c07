"""Which difference matters: what somebody says, in place of the measures' own least differences.

Those are stated with the measures, see `outsim.results.measures.Measure.matters_from`. A
difference that is clear and below is called small, never better or worse.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from outsim.clock import SECOND, parse_duration_us
from outsim.errors import StudyError, nearest, parsed
from outsim.results.measures import MEASURES, Measure
from outsim.studies.promises import SHORT_NAMES

_POINTS = re.compile(r"\s*([0-9.]+)\s*(?:points?|pp)\s*", re.IGNORECASE)
_UNITS = {
    "share": "points such as 0.5points, or a fraction such as 0.005",
    "number": "a number such as 10",
}
"""How a least difference is written, by kind of measure; the others are durations."""


def split_matters(texts: Sequence[str]) -> dict[str, str]:
    """Least differences by measure, of texts ``MEASURE=DIFFERENCE``."""
    pairs: dict[str, str] = {}
    for text in texts:
        name, equals, least = text.partition("=")
        if not equals:
            raise StudyError(
                f"matters {text!r}: write MEASURE=DIFFERENCE, such as wait=1min or "
                "completed=0.5points"
            )
        pairs[name.strip()] = least
    return pairs


def read_matters(
    asked: Mapping[str, str | float] | None, measures: Sequence[Measure] = MEASURES
) -> dict[str, float]:
    """Least difference that matters by name of a measure, in its unit.

    A word such as ``wait`` or ``completed`` is about all measures whose names begin with it.

    Raises
    ------
    StudyError
        If there is no such measure, or a difference can't be read.
    """
    least: dict[str, float] = {}
    # A name says more than a word that is about several measures.
    for word, written in sorted((asked or {}).items(), key=lambda item: _is_name(item[0])):
        for measure in _meant(word, measures):
            least[measure.name] = _difference(word, written, measure.kind)
    return least


def _is_name(word: str) -> bool:
    return any(word == measure.name for measure in MEASURES)


def _meant(word: str, measures: Sequence[Measure]) -> list[Measure]:
    """Measures that a word is about: that of the name, or all whose names begin with it."""
    exact = [measure for measure in measures if measure.name == word]
    if exact:
        return exact
    stem = "_".join(word.lower().replace("-", " ").split())
    short = SHORT_NAMES.get(stem.replace("_", " "))
    meant = [m for m in measures if m.name.startswith(f"{stem}_") or m.name in (stem, short)]
    if not meant or not stem:
        names = [measure.name for measure in measures]
        raise StudyError(f"matters: found {word!r}; {nearest(word, [*SHORT_NAMES, *names])}")
    return meant


def _difference(word: str, written: str | float, kind: str) -> float:
    place = f"matters {word}={written}"
    if isinstance(written, str) and kind in ("seconds", "clock"):
        least = parsed(place, parse_duration_us, written) / SECOND
    else:
        points = _POINTS.fullmatch(str(written)) if kind == "share" else None
        try:
            least = float(points[1]) / 100 if points else float(written)
        except ValueError:
            least = math.nan
    if not (math.isfinite(least) and least >= 0) or (kind == "share" and least > 1):
        unit = _UNITS.get(kind, "a duration such as 1min, or seconds as a number")
        raise StudyError(f"{place}: found {written!r}; write {unit}")
    return least


def matters_from(measure: Measure, asked: Mapping[str, float], base: float = math.nan) -> float:
    """Least difference of a measure that matters: what was asked for, else its own."""
    return asked.get(measure.name, measure.matters_from(base))
