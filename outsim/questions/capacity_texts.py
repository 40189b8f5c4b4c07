"""What a plan says in words: the value, what is shown below it and above, and what is not."""

from __future__ import annotations

import math

from outsim.display import format_figure
from outsim.questions.capacity_answers import Capacity, Tested
from outsim.studies.promises import Promise


def answer(capacity: Capacity) -> str:
    """The value that was asked for, or why there is none."""
    key, fresh = capacity.vary.key, f"{capacity.replications} fresh runs"
    if capacity.outcome == "found":
        return _found(capacity)
    if capacity.outcome == "nothing":
        return (
            f"No value of {key} from {capacity.text(0)} to {capacity.text(-1)} keeps the "
            "promises, as far as was looked: the nearest is shown to break one."
        )
    spent = "the runs or the time ran out" if capacity.found.is_spent else f"{fresh} are too few"
    best, below = capacity.best, capacity.below
    if best is None:
        return f"Undecided: {spent} before any value of {key} was shown to keep the promises."
    lower = "whether less does" if below is None else f"whether one between {below} and it does"
    return f"Undecided: {spent}. {key} = {best} keeps the promises; {lower} is not known."


def _found(capacity: Capacity) -> str:
    key, value = capacity.vary.key, capacity.value
    if capacity.below is not None:
        shown = "keeps" if capacity.below == capacity.broken_below else "is shown to keep"
        return f"Smallest value that {shown} the promises: {key} = {value}."
    kept_to, last = capacity.kept_to, capacity.text(-1)
    if kept_to == value:
        return f"Smallest value that keeps the promises: {key} = {value}."
    if kept_to == last:
        return (
            f"Both ends of the range keep the promises: {key} = {value}, the least that was asked "
            f"about, and {last}, the largest."
        )
    return (
        f"The promises are kept from {key} = {value}, the least that was asked about, up to "
        f"{kept_to}, as far as is shown."
    )


def notes(capacity: Capacity) -> list[str]:
    """What is shown of values below and above."""
    found = []
    if capacity.outcome == "found":
        found += [_below(capacity), *_undecided_above(capacity)]
    elif capacity.level_from is not None:
        found.append(
            f"From {capacity.level_from} on, more of it changes nothing: something else is scarce."
        )
    found += [break_text(capacity, *each) for each in capacity.breaks]
    if capacity.outcome == "found" and capacity.found.is_spent:
        found.append("Whether larger values keep them too was not looked at to the end.")
    return found


def _below(capacity: Capacity) -> str:
    below, broken = capacity.below, capacity.broken_below
    if below is None and capacity.kept_to == capacity.value:
        return "It is the least that was asked about; less may do, too."
    if below is None:
        return "Less than that may do, too."
    if below == broken:
        return f"{below}, the next below, is shown to break one."
    first = capacity.text(0) if broken is None else capacity.text(_place(capacity, broken) + 1)
    undecided = f"{first} to {below} are" if first != below else f"{below} is"
    text = f"{undecided} undecided: not shown to keep them, nor to break one"
    return f"{text}; {broken} is shown to break one." if broken is not None else f"{text}."


def _undecided_above(capacity: Capacity) -> list[str]:
    """Up to where they are kept, if the largest value is undecided and none is shown to break."""
    verdicts = list(capacity.found.verdicts.values())
    if capacity.breaks or verdicts[-1] != "undecided" or capacity.kept_to is None:
        return []
    first = capacity.text(_place(capacity, capacity.kept_to) + 1)
    return [f"From {first} to {capacity.text(-1)}, the largest asked about, it is undecided."]


def break_text(capacity: Capacity, kept: str, broken: str) -> str:
    """Where larger values are shown to break a promise again."""
    if capacity.below is None and kept == capacity.kept_to:
        text = f"{broken} is shown to break one"
    else:
        text = (
            f"More is not always better: {kept} is the largest shown to keep the promises, and "
            f"{broken} is shown to break one again"
        )
    first, last = _place(capacity, kept) + 1, _place(capacity, broken) - 1
    if first > last:
        return f"{text}."
    if capacity.found.is_spent:
        return f"{text}; those between were not looked at to the end."
    between = f"{capacity.text(first)} to {capacity.text(last)} are undecided"
    return f"{text}; {between if first < last else f'{capacity.text(first)} is undecided'}."


def _place(capacity: Capacity, text: str) -> int:
    return next(k for k in range(len(capacity.values)) if capacity.text(k) == text)


BOUNDS = (
    "Fresh runs: their mean, or the share of them that kept the promise, and the one-sided bound "
    "that shows the promise to be kept or broken; undecided where neither bound does."
)
"""What the cells of `rows` are."""


def columns(capacity: Capacity) -> list[str]:
    """Headers of `rows`."""
    key = capacity.vary.key
    if len(capacity.promises) == 1:
        return [key, "shown", "bound", "runs", "verdict"]
    return [key, "promise", "shown", "bound", "promise is", "runs", "value is"]


def rows(capacity: Capacity) -> list[list[str]]:
    """Each value that was tested: of each promise what was shown, its bound and the verdict."""
    found = []
    for each in capacity.tested():
        for k, promise in enumerate(capacity.promises):
            cells = [_shown(promise, each.shown[k], capacity), _bound(promise, each, k, capacity)]
            runs = str(each.replications)
            if len(capacity.promises) == 1:
                found.append([each.value, *cells, runs, each.verdict])
                continue
            name, verdict = _name(promise, capacity), each.promises[k]
            of_value = ["", ""] if k else [runs, each.verdict]
            found.append(["" if k else each.value, name, *cells, verdict, *of_value])
    return found


def _name(promise: Promise, capacity: Capacity) -> str:
    if promise.probability is not None:
        return promise.text
    return promise.measure.label_at(capacity.scenario.deadline)


def _shown(promise: Promise, shown: float, capacity: Capacity) -> str:
    if promise.probability is not None:
        return f"{shown:.0%}"
    if not math.isfinite(shown):
        return "never"
    return format_figure(promise.measure.kind, shown, capacity.scenario.clock.begins)


def _bound(promise: Promise, each: Tested, place: int, capacity: Capacity) -> str:
    """The bound that the verdict is made of; both where neither bound shows anything."""
    low, high = each.bounds[place]
    is_probable, verdict = promise.probability is not None, each.promises[place]

    def written(bound: float) -> str:
        if is_probable:
            return f"{bound:.1%}"
        if not math.isfinite(bound):
            return "any" if verdict == "undecided" else "never"
        return format_figure(promise.measure.kind, bound, capacity.scenario.clock.begins)

    if verdict == "undecided":
        return f"{written(low)} to {written(high)}"
    is_upper = (promise.at_most and not is_probable) == (verdict == "kept")
    return f"{'≤' if is_upper else '≥'} {written(high if is_upper else low)}"
