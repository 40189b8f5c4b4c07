"""What a search for a capacity found: the smallest value that keeps promises, in words too."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from outsim.display import format_figure
from outsim.document import Answer, Document, Picture, Table
from outsim.scenario.factors import Range
from outsim.scenario.model import Scenario
from outsim.scenario.utilisation import shortages
from outsim.studies.foot import precision_notes
from outsim.studies.promises import Promise, Verdict
from outsim.studies.search import SearchResult
from outsim.studies.study_result import StudyResult
from outsim.text import brief, plain

if TYPE_CHECKING:
    import pandas as pd

TITLE = "How much is enough?"


@dataclass(frozen=True)
class Tested:
    """A value that was tested on fresh replications."""

    __repr__ = brief

    value: str
    """As a scenario file has it."""
    verdict: Verdict
    """Whether it is shown to keep all promises, to break one, or neither."""
    promises: tuple[Verdict, ...]
    """The same of each promise by itself."""
    replications: int
    shown: tuple[float, ...]
    """Mean of each promise's figure, or share of runs that kept it."""
    bounds: tuple[tuple[float, float], ...]
    """Lower and upper bound of each, one-sided: what the verdicts are made of."""


@dataclass(frozen=True, eq=False, repr=False)
class Capacity(Answer):
    """Smallest value of a key that keeps promises."""

    scenario: Scenario
    vary: Range
    promises: tuple[Promise, ...]
    confidence: float
    replications: int
    """Runs that a test rests on."""
    seed: int
    found: SearchResult = field(repr=False)
    input_uncertainty: bool = False
    """Whether each run has callees of its own, out of what a calibration's data leave open."""
    base: StudyResult | None = None
    """Runs of the scenario as it stands, if a precision decided how many a test rests on."""

    @property
    def is_no(self) -> bool:  # type: ignore[override]
        """Whether no value is shown to keep the promises."""
        return self.value is None

    @property
    def outcome(self) -> Literal["found", "nothing", "undecided"]:
        """What came of it.

        found: a value is shown to keep all promises, and the one below it is not, be it broken
        or undecided. nothing: no value in the range does, as far as it was looked at: each one
        that was tested is shown to break one. undecided: neither could be shown with the runs
        or the time there was.
        """
        return self.found.outcome

    @property
    def values(self) -> tuple[float, ...]:
        """All values that were searched among, in the unit of the range."""
        return self.vary.values()

    def text(self, place: int) -> str:
        """Value at a place among them, as a scenario file has it."""
        return self.vary.text(self.values[place])

    @property
    def value(self) -> str | None:
        """Smallest value that keeps every promise, as in a scenario file; None if not found."""
        return self.best if self._is_found else None

    @property
    def number(self) -> float:
        """The same as a number, in the unit of the range; NaN if not found."""
        return self.values[self.found.place or 0] if self._is_found else math.nan

    @property
    def _is_found(self) -> bool:
        return self.outcome == "found"

    @property
    def below(self) -> str | None:
        """Largest value below that is not shown to keep every promise; None if there is none."""
        return self._text(self.found.below)

    @property
    def broken_below(self) -> str | None:
        """Largest value below that is shown to break a promise; None if there is none.

        Those between it and `value` are undecided.
        """
        return self._text(self.found.broken_below)

    @property
    def kept_to(self) -> str | None:
        """Value up to which, from `value` on, all that were tested keep the promises."""
        return self._text(self.found.kept_to)

    def _text(self, place: int | None) -> str | None:
        return None if place is None else self.text(place)

    @property
    def best(self) -> str | None:
        """Smallest value that is shown to keep every promise so far, also where undecided."""
        return self._text(self.found.place)

    @property
    def warnings(self) -> list[str]:
        """What the platform, with the value that keeps the promises, asks the carrier in vain."""
        if self.best is None:
            return []
        chosen = self.scenario.with_({self.vary.key: self.best}, name=self.scenario.name)
        return [f"{key}: {message}" for key, message in shortages(chosen)]

    @property
    def breaks(self) -> tuple[tuple[str, str], ...]:
        """Where larger values are shown to break a promise again.

        The last that is shown to keep all, the first that is shown not to; those between are
        undecided.
        """
        return tuple((self.text(last), self.text(first)) for last, first in self.found.breaks)

    @property
    def level_from(self) -> str | None:
        """Value from which on more of it changed nothing, as far as was looked; None if it did.

        What keeps the promises from being kept there is something else.
        """
        places = sorted(self.found.screenings, reverse=True)
        scores = [self.found.screenings[place].score for place in places]
        alike = [p for p, score in zip(places, scores, strict=True) if score == scores[0]]
        level = alike == places[: len(alike)] and len(alike) > 1
        return self.text(alike[-1]) if level else None

    @property
    def runs(self) -> int:
        """Runs that it took."""
        return self.found.runs

    @property
    def grid_runs(self) -> int:
        """Runs that testing every value of the range would have taken."""
        return len(self.values) * self.replications

    def tested(self) -> list[Tested]:
        """Values that were tested on fresh replications, the smallest first."""
        return [self._tested(place) for place in sorted(self.found.verdicts)]

    def _tested(self, place: int) -> Tested:
        test = self.found.tests[place]
        outcomes = [p.outcomes(test.values[:, k]) for k, p in enumerate(self.promises)]
        return Tested(
            self.text(place),
            test.verdict,
            test.promises,
            len(test.values),
            tuple(float(each.mean()) for each in outcomes),
            test.bounds,
        )

    def table(self) -> pd.DataFrame:
        """One row per value that was tested on fresh replications, and promise.

        Columns: ``value``, ``promise``, ``shown`` (mean of the promise's figure, or share of
        runs that kept it), ``low`` and ``high`` (its one-sided bounds), ``replications``,
        ``promise_is`` and ``value_is`` (kept, broken or undecided).
        """
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "value": each.value,
                    "promise": promise.text,
                    "shown": shown,
                    "low": low,
                    "high": high,
                    "replications": each.replications,
                    "promise_is": verdict,
                    "value_is": each.verdict,
                }
                for each in self.tested()
                for promise, shown, (low, high), verdict in zip(
                    self.promises, each.shown, each.bounds, each.promises, strict=True
                )
            ]
        )

    def document(self) -> Document:
        """The value that was asked for, what is shown below and above it, and what it rests on."""
        tested = self.tested()
        tables = [
            Table("Values that were tested", _columns(self), _rows(self), text_columns=_WORDS)
        ]
        return Document(
            id="capacity",
            title=TITLE,
            answer=_answer(self),
            asked=_asked(self),
            more=[*_notes(self), *_warnings(self)],
            tables=tables if tested else [],
            pictures=[
                Picture(
                    "promise",
                    self,
                    alt=f"Against {self.vary.key}: {promise.text}. {_answer(self)}",
                    caption=f"{promise.text}, by {self.vary.key}",
                    options={"which": which},
                )
                for which, promise in enumerate(self.promises)
            ],
            notes=[
                *([BOUNDS] if tested else []),
                f"{self.runs:,} runs; testing all {len(self.values):,} values with "
                f"{self.replications} each would have taken {self.grid_runs:,}.",
                *(_base_notes(self.base) if self.base is not None else []),
            ],
        )

    def to_dict(self) -> dict[str, Any]:
        """The answer for machines."""
        return plain(
            {
                "key": self.vary.key,
                "input_uncertainty": self.input_uncertainty,
                "outcome": self.outcome,
                "value": self.value,
                "below": self.below,
                "broken_below": self.broken_below,
                "kept_up_to": self.kept_to,
                "kept_so_far": self.best,
                "warnings": self.warnings,
                "promises": [promise.text for promise in self.promises],
                "confidence": self.confidence,
                "replications": self.replications,
                "seed": self.seed,
                "runs": self.runs,
                "grid_runs": self.grid_runs,
                "out_of_budget": self.found.is_spent,
                "breaks_again": [{"kept": last, "broken": first} for last, first in self.breaks],
                "looked_at": [self.text(place) for place in sorted(self.found.screenings)],
                "tested": [
                    {
                        "value": each.value,
                        "verdict": each.verdict,
                        "replications": each.replications,
                        "promises": [
                            {
                                "verdict": verdict,
                                "shown": shown,
                                "low": low,
                                "high": high,
                            }
                            for verdict, shown, (low, high) in zip(
                                each.promises, each.shown, each.bounds, strict=True
                            )
                        ],
                    }
                    for each in self.tested()
                ],
            }
        )


@dataclass(frozen=True, eq=False, repr=False)
class Frontier(Answer):
    """Smallest value of one key that keeps promises, for several values of another key."""

    other: Range
    others: tuple[float, ...]
    """Values of the other key, in its unit."""
    capacities: tuple[Capacity, ...]
    """What was found at each of them."""

    @property
    def is_no(self) -> bool:  # type: ignore[override]
        """Whether there is none at any of them."""
        return all(capacity.value is None for capacity in self.capacities)

    def document(self) -> Document:
        """What is needed at each value of the other key."""
        first, key = self.capacities[0], self.capacities[0].vary.key
        words = {"nothing": "none in range", "undecided": "undecided"}
        at = [self.other.text(other) for other in self.others]
        rows = [
            [
                value,
                capacity.value or words[capacity.outcome],
                capacity.broken_below or "-",
                (capacity.kept_to or "-") if capacity.breaks else "-",
                f"{capacity.runs:,}",
            ]
            for value, capacity in zip(at, self.capacities, strict=True)
        ]
        pairs = "; ".join(f"{row[0]}: {row[1]}" for row in rows)
        more = []
        for value, capacity in zip(at, self.capacities, strict=True):
            where = f"{self.other.key} = {value}"
            more += [f"{where}: {_break_text(capacity, *pair)}" for pair in capacity.breaks]
            more += _warnings(capacity, f"{where}, ")
        return Document(
            id="frontier",
            title=TITLE,
            answer=f"Smallest {key} that keeps the promises, by {self.other.key}: {pairs}.",
            asked=_asked(first),
            more=more,
            tables=[Table("", [self.other.key, key, "broken below", "kept up to", "runs"], rows)],
            pictures=[
                Picture(
                    "frontier",
                    self,
                    alt=f"Smallest {key} against {self.other.key}: {pairs}.",
                    caption=f"Smallest {key} that keeps the promises, by {self.other.key}",
                )
            ],
            notes=[
                f"Smallest {key} that is shown to keep the promises, and the largest below it "
                f"that is shown to break one, from {first.text(0)} to {first.text(-1)}; kept up "
                "to: where larger values are shown to break one again."
            ],
        )

    def table(self) -> pd.DataFrame:
        """One row per value of the other key: what is needed there."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    self.other.key: self.other.text(other),
                    each.vary.key: each.value,
                    "outcome": each.outcome,
                    "broken_below": each.broken_below,
                    "kept_up_to": each.kept_to,
                    "runs": each.runs,
                }
                for other, each in zip(self.others, self.capacities, strict=True)
            ]
        )

    def to_dict(self) -> dict[str, Any]:
        """The answers for machines."""
        return plain(
            {
                "key": self.other.key,
                "frontier": [
                    {"at": self.other.text(other), **capacity.to_dict()}
                    for other, capacity in zip(self.others, self.capacities, strict=True)
                ],
            }
        )


def _answer(capacity: Capacity) -> str:
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


def _notes(capacity: Capacity) -> list[str]:
    """What is shown of values below and above."""
    found = []
    if capacity.outcome == "found":
        found += [_below(capacity), *_undecided_above(capacity)]
    elif capacity.level_from is not None:
        found.append(
            f"From {capacity.level_from} on, more of it changes nothing: something else is scarce."
        )
    found += [_break_text(capacity, *each) for each in capacity.breaks]
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


def _break_text(capacity: Capacity, kept: str, broken: str) -> str:
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
"""What the cells of `_rows` are."""


_WORDS = ("promise", "promise is", "value is")


def _columns(capacity: Capacity) -> list[str]:
    """Headers of `_rows`."""
    return [capacity.vary.key, "promise", "shown", "bound", "promise is", "runs", "value is"]


def _rows(capacity: Capacity) -> list[list[str]]:
    """Each value that was tested: of each promise what was shown, its bound and the verdict."""
    rows = []
    for tested in capacity.tested():
        for k, promise in enumerate(capacity.promises):
            rows.append(
                [
                    "" if k else tested.value,
                    _name(promise, capacity),
                    _shown(promise, tested.shown[k], capacity),
                    _bound(promise, tested, k, capacity),
                    tested.promises[k],
                    "" if k else str(tested.replications),
                    "" if k else tested.verdict,
                ]
            )
    return rows


def _asked(capacity: Capacity) -> str:
    study = capacity.scenario.campaign_under_study
    assert study is not None
    text = (
        f"{capacity.scenario.name}; campaign under study: {study.name}; seed {capacity.seed}; "
        f"promises, with {100 * capacity.confidence:.4g} % confidence: "
        f"{'; '.join(promise.text for promise in capacity.promises)}."
    )
    if capacity.input_uncertainty:
        text += " Each run has callees of its own, out of what the call log leaves open."
    return text


def _warnings(capacity: Capacity, where: str = "") -> list[str]:
    """What the platform asks the carrier in vain with that value, and not without."""
    already = {f"{key}: {message}" for key, message in shortages(capacity.scenario)}
    return [
        f"warning: with {where}{capacity.vary.key} = {capacity.best}: {warning}"
        for warning in capacity.warnings
        if warning not in already
    ]


def _base_notes(base: StudyResult) -> list[str]:
    runs = f"{base.replications} runs at each value that is tested: as the scenario takes them."
    return [runs, *precision_notes(base)]


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
