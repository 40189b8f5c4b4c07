"""What a search for a capacity found: the smallest value that keeps promises, in words too."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from outsim.display import format_figure, percent
from outsim.document import Answer, Document, Picture, Table
from outsim.scenario.factors import Range
from outsim.scenario.model import Scenario
from outsim.scenario.utilisation import shortages
from outsim.studies.comparable import campaign_of
from outsim.studies.foot import precision_notes
from outsim.studies.promises import Promise, Verdict
from outsim.studies.search import SearchResult
from outsim.studies.study_result import StudyResult
from outsim.text import brief, plain

if TYPE_CHECKING:
    import pandas as pd

TITLE = "How much is enough?"

BOUNDS = (
    "Fresh runs: their mean, or the share of them that kept the promise, and the one-sided bound "
    "that shows the promise to be kept or broken; undecided where neither bound does."
)
"""What a table of tested values shows."""


@dataclass(frozen=True)
class _Words:
    """How a search is told of, by what it looks for."""

    best: str
    """What is looked for."""
    end: str
    """The other end of the range."""
    less: str
    """What is still to be wished for."""
    more: str
    """What is done to get from the answer to the other end."""
    to: str
    """From the answer on to the other end."""


_VALUES = (
    _Words("smallest", "largest", "less", "more", "up to"),
    _Words("largest", "smallest", "more", "less", "down to"),
)
_MOMENTS = (
    _Words("earliest", "latest", "earlier", "later", "up to"),
    _Words("latest", "earliest", "later", "earlier", "back to"),
)
"""Of values and of clock times: looked for from the low end, and from the high one."""


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
    """Mean of each promise's measure, or share of runs that kept it."""
    bounds: tuple[tuple[float, float], ...]
    """Lower and upper bound of each, one-sided: what the verdicts are made of."""


@dataclass(frozen=True, eq=False, repr=False)
class Capacity(Answer):
    """Smallest value of a key that keeps promises, or the largest.

    Values are in the order in which they are searched, those to be wished for first: below a
    value stands, where the largest is looked for, what is larger.
    """

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
    called: str = ""
    """What people call the key, such as ``start of bank/reminders``; empty: as it is written."""
    title: str = TITLE
    scarce: tuple[str, ...] = ()
    """What calls wait for where more of the key changes nothing, the most waited for first."""
    never: tuple[str, ...] = ()
    """Why no value can keep a promise, as far as that is known without a run."""

    @property
    def is_no(self) -> bool:  # type: ignore[override]
        """Whether no value is shown to keep the promises."""
        return self.value is None

    @property
    def words(self) -> _Words:
        """How it is told of what was looked for."""
        return (_MOMENTS if self.vary.is_clock else _VALUES)[self.vary.is_descending]

    def _set_to(self, value: str | None) -> str:
        """The key with a value, for people."""
        return f"{value}" if self.called else f"{self.vary.key} = {value}"

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

    def _text(self, place: int | None) -> str | None:
        return None if place is None else self.text(place)

    @property
    def value(self) -> str | None:
        """Smallest value that keeps every promise, as in a scenario file; None if not found."""
        return self.best if self.outcome == "found" else None

    @property
    def number(self) -> float:
        """The same as a number, in the unit of the range; NaN if not found."""
        return self.values[self.found.place or 0] if self.outcome == "found" else math.nan

    @property
    def below(self) -> str | None:
        """Largest value below that is not shown to keep every promise; None if there is none."""
        return self._text(self.found.below)

    @property
    def broken_below(self) -> str | None:
        """Largest value below that is shown to break a promise; those above it are undecided."""
        return self._text(self.found.broken_below)

    @property
    def kept_to(self) -> str | None:
        """Value up to which, from `value` on, all that were tested keep the promises."""
        return self._text(self.found.kept_to)

    @property
    def best(self) -> str | None:
        """Smallest value that is shown to keep every promise so far, also where undecided."""
        return self._text(self.found.place)

    @property
    def breaks(self) -> tuple[tuple[str, str], ...]:
        """Where larger values break a promise again: the last shown to keep all, the first not."""
        return tuple((self.text(last), self.text(first)) for last, first in self.found.breaks)

    @property
    def warnings(self) -> list[str]:
        """What the platform, with the value that keeps the promises, asks the carrier in vain."""
        if self.best is None:
            return []
        chosen = self.scenario.with_({self.vary.key: self.best}, name=self.scenario.name)
        return [f"{key}: {message}" for key, message in shortages(chosen)]

    @property
    def level_from(self) -> str | None:
        """Value from which on more of it changed nothing, as something else is scarce there."""
        if self.vary.is_clock or self.vary.is_descending:
            return None
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
        tested = []
        for place in sorted(self.found.verdicts):
            test = self.found.tests[place]
            shown = (p.outcomes(test.values[:, k]).mean() for k, p in enumerate(self.promises))
            tested.append(
                Tested(
                    self.text(place),
                    test.verdict,
                    test.promises,
                    len(test.values),
                    tuple(map(float, shown)),
                    test.bounds,
                )
            )
        return tested

    def table(self) -> pd.DataFrame:
        """One row per value that was tested on fresh replications, and promise.

        Columns: ``value``, ``promise``, ``shown`` (mean of the promise's measure, or share of
        runs that kept it), ``low`` and ``high`` (its one-sided bounds), ``replications``,
        ``promise_is`` and ``value_is`` (kept, broken or undecided).
        """
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "value": tested.value,
                    "promise": promise.text,
                    "shown": tested.shown[k],
                    "low": tested.bounds[k][0],
                    "high": tested.bounds[k][1],
                    "replications": tested.replications,
                    "promise_is": tested.promises[k],
                    "value_is": tested.verdict,
                }
                for tested in self.tested()
                for k, promise in enumerate(self.promises)
            ]
        )

    def document(self) -> Document:
        """The value that was asked for, what is shown below and above it, and what it rests on."""
        answer, tested = self._answer(), self._tested_table()
        notes = [
            f"{self.runs:,} runs; testing all {len(self.values):,} values with "
            f"{self.replications} each would have taken {self.grid_runs:,}."
        ]
        if self.base is not None:
            notes.append(
                f"{self.base.replications} runs at each value that is tested: as the scenario "
                "takes them."
            )
            notes += precision_notes(self.base)
        return Document(
            id="capacity",
            title=self.title,
            answer=answer,
            asked=self.asked,
            more=[*self._around(), *self.warning_texts()],
            tables=[tested] if tested.rows else [],
            pictures=[
                Picture(
                    "promise",
                    self,
                    alt=f"Against {self.vary.key}: {promise.text}. {answer}",
                    caption=f"{promise.text}, by {self.vary.key}",
                    options={"which": which},
                )
                for which, promise in enumerate(self.promises)
            ],
            notes=[BOUNDS, *notes] if tested.rows else notes,
        )

    @property
    def asked(self) -> str:
        """What must be kept, of what, and how surely."""
        text = (
            f"{self.scenario.name}; campaign under study: {campaign_of(self.scenario).name}; "
            f"seed {self.seed}; promises, with {100 * self.confidence:.4g} % confidence: "
            f"{'; '.join(promise.text for promise in self.promises)}."
        )
        if self.input_uncertainty:
            text += " Each run has callees of its own, out of what the call log leaves open."
        return text

    def _answer(self) -> str:
        """The value that was asked for, or why there is none."""
        value, below, last, words = self.best, self.below, self.text(-1), self.words
        name = self.called or self.vary.key
        if self.outcome == "nothing":
            low, high = (-1, 0) if self.vary.is_descending else (0, -1)
            return (
                f"No value of {name} from {self.text(low)} to {self.text(high)} keeps the "
                "promises, as far as was looked: the nearest is shown to break one."
            )
        if self.outcome == "undecided":
            spent = f"{self.replications} fresh runs are too few"
            if self.found.is_spent:
                spent = "the runs or the time ran out"
            if value is None:
                return (
                    f"Undecided: {spent} before any value of {name} was shown to keep the "
                    "promises."
                )
            lower = (
                f"whether one between {below} and it does"
                if below
                else f"whether {words.less} does"
            )
            keeps = self._set_to(value) if not self.called else f"A {name} of {value}"
            return f"Undecided: {spent}. {keeps} keeps the promises; {lower} is not known."
        what = f"{words.best.capitalize()} {self.called or 'value'}"
        if below is not None or self.kept_to == value:
            surely = below is None or below == self.broken_below
            shown = "keeps" if surely else "is shown to keep"
            found = f"{what} that {shown} the promises: {self._set_to(value)}."
        elif self.kept_to == last:
            found = (
                f"Both ends of the range keep the promises: {self._set_to(value)}, the "
                f"{words.best} that was asked about, and {last}, the {words.end}."
            )
        else:
            found = (
                f"The promises are kept from {self._set_to(value)}, the {words.best} that was "
                f"asked about, {words.to} {self.kept_to}, as far as is shown."
            )
        return f"{found} {self._how_surely()}"

    def _how_surely(self) -> str:
        """What the answer comes to by each promise, with the bound that it rests on."""
        tested = next(tested for tested in self.tested() if tested.value == self.value)
        texts = []
        for k, promise in enumerate(self.promises):
            bound = self._bound(promise, tested, k)
            if promise.probability is None:
                label = promise.measure.label_at(self.scenario.deadline)
                texts.append(
                    f"{label} {self._written(promise, tested.shown[k], 'never')} ({bound})"
                )
            else:
                texts.append(
                    f"{percent(tested.shown[k])} of {tested.replications} runs keep it ({bound})"
                )
        return f"There: {'; '.join(texts)}; {100 * self.confidence:.4g} % confidence."

    def _around(self) -> Iterator[str]:
        """What is shown of values below and above."""
        yield from self.never
        found = self.outcome == "found"
        if found:
            yield self._below()
            yield from self._undecided_above()
        elif self.level_from is not None:
            scarce = (
                f"calls wait for {self.scarce[0]}" if self.scarce else "something else is scarce"
            )
            yield f"From {self.level_from} on, more of it changes nothing: {scarce}."
        if len(self.scarce) > 1:
            yield f"Then for {', then for '.join(self.scarce[1:])}."
        yield from self.break_texts()
        if found and self.found.is_spent:
            yield f"Whether {self.further} values keep them too was not looked at to the end."

    @property
    def further(self) -> str:
        """What values on the way to the other end are."""
        return {"more": "larger", "less": "smaller"}.get(self.words.more, self.words.more)

    def _below(self) -> str:
        below, broken, words = self.below, self.broken_below, self.words
        if below is None and self.kept_to == self.value:
            return f"It is the {words.best} that was asked about; {words.less} may do, too."
        if below is None:
            than = f"{words.less.capitalize()} than that"
            return f"{than} may do, too."
        if below == broken:
            return f"{below}, the next {self.beyond}, is shown to break one."
        at = self.found.broken_below
        undecided = self._span(0 if at is None else at + 1, self.found.below or 0)
        text = f"{undecided} undecided: not shown to keep them, nor to break one"
        return f"{text}." if broken is None else f"{text}; {broken} is shown to break one."

    @property
    def beyond(self) -> str:
        """Where what is still to be wished for lies."""
        beyond = {"less": "below", "more": "above", "earlier": "before", "later": "after"}
        return beyond[self.words.less]

    def _undecided_above(self) -> Iterator[str]:
        """Up to where they are kept, if the largest value is undecided and none breaks one."""
        kept_to, verdicts = self.found.kept_to, [*self.found.verdicts.values()]
        if not self.breaks and verdicts[-1] == "undecided" and kept_to is not None:
            yield (
                f"From {self.text(kept_to + 1)} {self._to} {self.text(-1)}, the {self.words.end} "
                "asked about, it is undecided."
            )

    def break_texts(self) -> Iterator[str]:
        """Where larger values are shown to break a promise again."""
        for kept, broken in self.found.breaks:
            text = f"{self.text(broken)} is shown to break one"
            if self.below is not None or kept != self.found.kept_to:
                text = (
                    f"{self.words.more.capitalize()} is not always better: {self.text(kept)} is "
                    f"the {self.words.end} shown to keep the promises, and {text} again"
                )
            if broken - kept > 1 and self.found.is_spent:
                text += "; those between were not looked at to the end"
            elif broken - kept > 1:
                text += f"; {self._span(kept + 1, broken - 1)} undecided"
            yield f"{text}."

    @property
    def _to(self) -> str:
        return "to" if self.words.to == "up to" else self.words.to

    def _span(self, first: int, last: int) -> str:
        first, last = (last, first) if self.vary.is_descending else (first, last)
        low, high = self.text(first), self.text(last)
        return f"{low} is" if first == last else f"{low} to {high} are"

    def warning_texts(self, where: str = "") -> list[str]:
        """What the platform asks the carrier in vain with that value only, and `where` that is."""
        already = {f"{key}: {message}" for key, message in shortages(self.scenario)}
        return [
            f"warning: with {where}{self.vary.key} = {self.best}: {warning}"
            for warning in self.warnings
            if warning not in already
        ]

    def _tested_table(self) -> Table:
        """Each value that was tested: of each promise what was shown, its bound and verdict."""
        rows, key = [], self.called or self.vary.key
        for tested in self.tested():
            for k, promise in enumerate(self.promises):
                name, shown = promise.text, percent(tested.shown[k])
                if promise.probability is None:
                    name = promise.measure.label_at(self.scenario.deadline)
                    shown = self._written(promise, tested.shown[k], "never")
                bound, verdict = self._bound(promise, tested, k), tested.promises[k]
                once = [tested.value, str(tested.replications), str(tested.verdict)]
                value, *runs = [""] * 3 if k else once
                rows.append([value, name, shown, bound, verdict, *runs])
        return Table(
            "Values that were tested",
            [key, "promise", "shown", "bound", "promise is", "runs", "value is"],
            rows,
            text_columns=("promise", "promise is", "value is"),
        )

    def _written(self, promise: Promise, value: float, infinite: str) -> str:
        if not math.isfinite(value):
            return infinite
        return format_figure(promise.measure.kind, value, self.scenario.clock.begins)

    def _bound(self, promise: Promise, tested: Tested, place: int) -> str:
        """The bound that the verdict is made of; both where neither bound shows anything."""
        is_probable, verdict = promise.probability is not None, tested.promises[place]
        infinite = "any" if verdict == "undecided" else "never"
        low, high = (
            percent(bound, 1) if is_probable else self._written(promise, bound, infinite)
            for bound in tested.bounds[place]
        )
        if verdict == "undecided":
            return f"{low} to {high}"
        is_upper = (promise.at_most and not is_probable) == (verdict == "kept")
        return f"≤ {high}" if is_upper else f"≥ {low}"

    def to_dict(self) -> dict[str, Any]:
        """The answer for machines."""
        return plain(
            {
                "key": self.vary.key,
                "input_uncertainty": self.input_uncertainty,
                "outcome": self.outcome,
                "looked_for": self.words.best,
                "value": self.value,
                **(
                    {"above": self.below, "broken_above": self.broken_below}
                    if self.vary.is_descending
                    else {"below": self.below, "broken_below": self.broken_below}
                ),
                "kept_down_to" if self.vary.is_descending else "kept_up_to": self.kept_to,
                "scarce": self.scarce,
                "never": self.never,
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
                        "value": tested.value,
                        "verdict": tested.verdict,
                        "replications": tested.replications,
                        "promises": [
                            {"verdict": verdict, "shown": shown, "low": low, "high": high}
                            for verdict, shown, (low, high) in zip(
                                tested.promises, tested.shown, tested.bounds, strict=True
                            )
                        ],
                    }
                    for tested in self.tested()
                ],
            }
        )
