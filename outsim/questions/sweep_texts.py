"""What a sweep says, as people write it."""

from __future__ import annotations

from dataclasses import replace

from outsim.display import Unit, format_estimate, format_matters, unit_of
from outsim.estimates import Estimate
from outsim.questions.sweep_answers import Sweep
from outsim.results.measures import MEASURES, Measure
from outsim.studies.crossover import Crossing, Flip
from outsim.studies.sensitivity import LABELS, MAIN, Sensitivity

FLIP_COLUMNS = ("assumption", "flips", "difference, low end", "difference, high end")
"""Headers of `flip_rows`."""


def label(found: Sweep, measure: Measure) -> str:
    """What people call a figure of a sweep."""
    return measure.label_at(*(scenario.deadline for scenario in found.scenarios))


def written(
    found: Sweep, value: Estimate, measure: Measure, *, signed: bool, unit: Unit | None = None
) -> str:
    """An estimate of a figure with its interval."""
    begins = found.scenarios[0].clock.begins
    return format_estimate(measure.kind, value, begins, signed=signed, unit=unit)


def _index(found: Sweep, sensitivity: Sensitivity, index: str, name: str, measure: Measure) -> str:
    value, begins = sensitivity.of(index, name), found.scenarios[0].clock.begins
    of_size = sensitivity.indices.get("mu_star")
    is_unknown = value.half_width != value.half_width
    shown = replace(value, count=1) if is_unknown else value
    if of_size is not None:
        unit = unit_of(measure.kind, of_size, signed=True)
        text = format_estimate(measure.kind, shown, begins, signed=True, unit=unit)
        text = text.replace("+", "")
    else:
        text = format_estimate("share", shown, begins)
    return f"{text} (too few points for an interval)" if is_unknown else text


def matters_columns(found: Sweep) -> list[str]:
    """Headers of `matters_rows`."""
    main = MAIN[next(iter(found.sensitivities.values())).kind]
    return ["figure", "matters most", LABELS[main]]


def matters_rows(found: Sweep) -> list[list[str]]:
    """By figure, which assumption matters most, and how much."""
    main = MAIN[next(iter(found.sensitivities.values())).kind]
    rows = []
    for measure in MEASURES:
        sensitivity = found.sensitivities.get(measure.name)
        if sensitivity is None:
            continue
        if not sensitivity.ranked:
            rows.append([label(found, measure), sensitivity.nothing, "-"])
            continue
        first = sensitivity.ranked[0]
        index = _index(found, sensitivity, main, first, measure)
        clear = "" if sensitivity.is_clear else " (not clearly)"
        rows.append([label(found, measure), first + clear, index])
    return rows


def index_columns(chosen: Sensitivity) -> list[str]:
    """Headers of `index_rows`."""
    return ["assumption", *(LABELS[index] for index in chosen.indices)]


def index_rows(found: Sweep, chosen: Sensitivity) -> list[list[str]]:
    """How much each assumption matters for the figure that is asked about."""
    return [
        [name, *(_index(found, chosen, each, name, found.measure) for each in chosen.indices)]
        for name in chosen.ranked
    ]


def base_texts(found: Sweep) -> tuple[str, str]:
    """What the two scenarios differ by as they stand, and which of them is better."""
    base = found.base_difference
    assert base is not None
    told = written(found, base, found.measure, signed=True)
    first, second = (scenario.name for scenario in found.scenarios)
    differ = f"As the scenarios stand, {second} less {first}: {told}."
    assert found.base is not None
    verdict = found.base.verdict(1, found.measure.name)
    if verdict == "small":
        least = found.base.matters_from(found.measure.name)
        limit = format_matters(found.measure.kind, least)
        return differ, f"That is too small to matter (less than {limit}): neither is better."
    if verdict == "unclear":
        return differ, "That may be luck: neither is clearly better; more replications may tell."
    better = "better" if found.measure.sign else "higher"
    return differ, f"So {found.preferred(1 if base.mean > 0 else -1)} is {better}."


def flip_rows(found: Sweep) -> list[list[str]]:
    """What each assumption does to the sign of the difference."""
    ends = [rung.difference for flip in found.flips for rung in (flip.rungs[0], flip.rungs[-1])]
    unit = unit_of(found.measure.kind, ends, signed=True)
    return [
        [
            flip.name,
            _verdict(flip),
            written(found, flip.rungs[0].difference, found.measure, signed=True, unit=unit),
            written(found, flip.rungs[-1].difference, found.measure, signed=True, unit=unit),
        ]
        for flip in found.flips
    ]


def _verdict(flip: Flip) -> str:
    if not flip.crossings:
        return flip.verdict
    shown = flip.factor.shown
    return "; ".join(
        f"at {shown(each.position)} ({shown(each.low.position)} to {shown(each.high.position)})"
        + ("" if each.is_confirmed else ", not confirmed")
        for each in flip.crossings
    )


def crossing_text(found: Sweep, flip: Flip, crossing: Crossing) -> str:
    """Where a recommendation is turned round."""
    shown, better = flip.factor.shown, "better" if found.measure.sign else "higher"
    low, high = crossing.low, crossing.high
    fresh = [written(found, each, found.measure, signed=True) for each in crossing.fresh]
    again = "Confirmed" if crossing.is_confirmed else "NOT confirmed"
    return (
        f"{flip.name}: {found.preferred(low.sign)} is {better} up to {shown(low.position)}, "
        f"{found.preferred(high.sign)} from {shown(high.position)} on. {again} by "
        f"{crossing.fresh[0].count} fresh replications on both sides: {fresh[0]} and {fresh[1]}."
    )
