"""When a study has seen enough: precisions asked for, and the batches it is decided on.

Whether to go on is decided on complete batches, whose ends are fixed beforehand, and on
replications in the order of their numbers: so the answer does not depend on who
finishes first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from outsim.clock import SECOND, parse_duration_us
from outsim.errors import StudyError, parsed
from outsim.estimates import Estimate
from outsim.results.measures import Measure, measure_named
from outsim.studies.default_replications import MOST, STUDY
from outsim.units import shown

_GROWTH = 1.5
"""Each decision is made on so many times the replications of the one before."""

_DIFFERENCE = "difference:"


def batch_ends(least: int = STUDY, most: int = MOST) -> Iterator[int]:
    """Counts of replications at which it is decided whether to go on; the last is `most`."""
    end = max(2, min(least, most))
    while end < most:
        yield end
        end = min(most, int(end * _GROWTH) + 1)
    yield most


@dataclass(frozen=True)
class Precision:
    """How narrow an interval has to be."""

    measure: str
    half_width: float
    """Half of the interval's width at most: in the measure's unit, or as a share of the mean."""
    is_relative: bool = False
    of_difference: bool = False
    """Whether it is about the paired difference from the first scenario."""

    def is_reached(self, value: Estimate) -> bool:
        """Whether an estimate is as precise as that. One without an interval never is."""
        most = self.half_width * abs(value.mean) if self.is_relative else self.half_width
        return value.precision <= most

    def __str__(self) -> str:
        width = f"{self.half_width:.3%}" if self.is_relative else f"{self.half_width:g}"
        return f"{_DIFFERENCE if self.of_difference else ''}{self.measure}={width}"


def read_replications(text: str) -> int | range:
    """A count such as ``30``, or a part of a larger study such as ``20:50``."""
    match = re.fullmatch(r"\s*(?:(\d{1,18}):)?(\d{1,18})\s*", text)
    if not match or int(match[2]) <= int(match[1] or 0):
        raise StudyError(
            f"replications {shown(text)}: give a count such as 30, or a part such as 20:50"
        )
    return int(match[2]) if match[1] is None else range(int(match[1]), int(match[2]))


def read_timeout(text: str | None) -> float | None:
    """Seconds of a time limit such as ``60s``; None for none."""
    return None if text is None else parsed(f"timeout {text!r}", parse_duration_us, text) / SECOND


MOST_NUMBERED = 2**63 - 1
"""No replication has a higher number."""


def batches_of(
    replications: int | range | None,
    precisions: tuple[Precision, ...],
    timeout: str | None,
    least: int | None,
    most: int,
) -> tuple[range, ...]:
    """What is run between two decisions; each batch begins with what the one before had."""
    if most < 2 or (least is not None and not 2 <= least <= most):
        raise StudyError(
            f"min_replications = {least}, max_replications = {most}: the least is 2 or more, or "
            "there is no interval, and not above the most"
        )
    if replications is not None:
        chosen = range(replications) if isinstance(replications, int) else replications
        if chosen.step != 1 or chosen.start < 0 or chosen.stop > MOST_NUMBERED or not chosen:
            total = replications if chosen.stop <= MOST_NUMBERED else "beyond 2**63"
            raise StudyError(f"replications {total!r}: give a count, or a range such as 20:50")
        if precisions or timeout:
            raise StudyError(
                "replications, and a precision or a timeout: give one or the other; "
                "min_replications and max_replications bound how many it takes"
            )
        return (chosen,)
    if not precisions:
        return (range(most if timeout else STUDY),)
    return tuple(range(end) for end in batch_ends(STUDY if least is None else least, most))


def split_precisions(texts: Sequence[str]) -> dict[str, str]:
    """What ``MEASURE=WIDTH`` texts ask for, for `read_precisions`."""
    widths: dict[str, str] = {}
    for text in texts:
        name, equals, width = text.partition("=")
        if not equals:
            raise StudyError(f"precision {text!r}: write MEASURE=WIDTH, such as wait_p90_s=30s")
        if name.strip() in widths:
            raise StudyError(
                f"precision {text!r}: {name.strip()} has one already, "
                f"{widths[name.strip()]}; give the one that is meant"
            )
        widths[name.strip()] = width.strip()
    return widths


def read_precisions(
    widths: Mapping[str, str | float], measures: tuple[Measure, ...]
) -> tuple[Precision, ...]:
    """Precisions by measure, after ``difference:`` of differences: ``"30s"``, ``"5%"`` or 0.1."""
    return tuple(_read_precision(name, width, measures) for name, width in widths.items())


def _read_precision(name: str, width: str | float, measures: tuple[Measure, ...]) -> Precision:
    measure = measure_named(name.removeprefix(_DIFFERENCE), measures, "precision of ")
    text = str(width).strip()
    is_relative = text.endswith("%")
    if is_relative and measure.kind == "clock" and name == measure.name:
        raise StudyError(
            f"precision {name}={text}: a clock time has no per cent; ask for minutes, such as 2min"
        )
    try:
        if is_relative:
            half_width = float(text[:-1]) / 100
        elif measure.kind in ("seconds", "clock") and re.search(r"[a-z]", text):
            half_width = parse_duration_us(text) / 1e6
        else:
            half_width = float(text)
    except ValueError:
        half_width = float("nan")
    if not half_width > 0:
        raise StudyError(
            f"precision {name}={text}: allowed is a share of the mean such as 5%, a number in "
            "the measure's unit, or a duration such as 30s"
        )
    return Precision(measure.name, half_width, is_relative, name != measure.name)
