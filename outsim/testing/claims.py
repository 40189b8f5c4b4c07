"""Claims about what a scenario does on average, with three verdicts and a stated error rate.

A claim is tested on independent replications, the units of every statistic here. After 40, 80
and 160 of them one-sided bounds of the mean are drawn; a claim passes if the bound leaves
no room for its opposite, fails if the other bound leaves no room for it, and is undecided if
neither is so after the last replication. The chance of a wrong verdict, of either kind, is at most
the claim's share of the error rate of the suite: looks and claims share it out in equal parts
(Bonferroni), so it holds however they hang together. The bounds are those of
`outsim.estimates.cautious_bounds`; they are approximate for figures that are mostly one value and
seldom another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from outsim.engine import Engine
from outsim.errors import StudyError, unknown_name
from outsim.estimates import ANYTHING, Support, cautious_bounds
from outsim.results.measures import Measure, measure_named
from outsim.scenario.model import Scenario
from outsim.studies.default_replications import CLAIM, MOST_CLAIM
from outsim.studies.study import Study

Word = Literal["pass", "fail", "undecided"]
Values = NDArray[np.float64]
Draw = Callable[[range], Values]
"""Figures of these replications."""


@dataclass(frozen=True)
class Verdict:
    """What became of a claim."""

    word: Word
    claim: str
    mean: float
    low: float
    """Lower one-sided bound of the mean at the claim's error rate."""
    high: float
    replications: int
    alpha: float
    """Chance that the verdict is wrong, at most."""

    def __str__(self) -> str:
        return (
            f"{self.word}: {self.claim}; found {self.mean:.4g}, bounds {self.low:.4g} and "
            f"{self.high:.4g}, from {self.replications} replications"
        )

    def to_dict(self) -> dict[str, str | float]:
        """For machines."""
        return asdict(self)


def looks(most: int) -> list[int]:
    """Counts of replications at which a claim is looked at; the last is `most`."""
    ends = []
    end = CLAIM
    while end < most:
        ends.append(end)
        end *= 2
    return [*ends, most]


def decide(
    claim: str,
    draw: Draw,
    low: float,
    high: float,
    alpha: float,
    most: int,
    support: Support = ANYTHING,
) -> Verdict:
    """Test whether a mean lies from `low` to `high`, either of which may be infinite.

    Parameters
    ----------
    claim : str
        In words.
    draw : callable
        Gives the figures of a range of replications.
    low, high : float
        Where the claim says that the mean is.
    alpha : float
        Chance of a wrong verdict, at most.
    most : int
        Replications at the last look, at least 2.
    support : Support
        What the figure can be.

    Raises
    ------
    StudyError
        If a replication has no such figure, or there are too few.
    """
    if most < 2:
        raise StudyError(f"most = {most}: a claim needs 2 replications or more")
    ends = looks(most)
    sides = 2 if np.isfinite(low) and np.isfinite(high) else 1
    error = alpha / len(ends) / sides
    values: Values = np.empty(0)
    word: Word = "undecided"
    below = above = float("nan")
    for end in ends:
        values = np.concatenate([values, draw(range(len(values), end))])
        if np.isnan(values).any():
            missing = int(np.isnan(values).sum())
            raise StudyError(
                f"{claim}: {missing} of {len(values)} replications have no such figure; let the "
                "run go on until the campaign is over, or claim something that each run has"
            )
        below, above = cautious_bounds(values, error, support)
        if below == above and end < most:
            continue  # nothing varied yet, which says little of how much it may
        if below >= low and above <= high:
            word = "pass"
        elif below > high or above < low:
            word = "fail"
        if word != "undecided":
            break
    return Verdict(word, claim, float(values.mean()), below, above, len(values), alpha)


class Replications:
    """Draws figures of one or two scenarios from outsim's studies."""

    def __init__(self, engine: Engine, seed: int | None) -> None:
        self.engine = engine
        self.seed = seed

    def of(self, measure: str | Measure, *scenarios: Scenario) -> Draw:
        """Figures of one scenario, or paired differences of the second from the first."""
        chosen = find_measure(measure)

        def draw(indexes: range) -> Values:
            study = Study(scenarios, measures=(chosen,), seed=self.seed)
            result = study.run(
                replications=indexes, engine=self.engine, executor="threads", progress=None
            )
            values: Values = result.values(len(scenarios) - 1, chosen.name)
            return values - result.values(0, chosen.name) if len(scenarios) > 1 else values

        return draw


def find_measure(measure: str | Measure) -> Measure:
    """A measure by its name.

    Raises
    ------
    StudyError
        If there is none of that name.
    """
    if isinstance(measure, Measure):
        return measure
    return measure_named(measure)


def _range(relation: str, value: float) -> tuple[float, float]:
    """Where a mean lies that stands so to a value."""
    ranges = {"<=": (-np.inf, value), ">=": (value, np.inf)}
    if relation not in ranges:
        raise StudyError(unknown_name("relation", relation, ranges))
    return ranges[relation]


class Claims:
    """Makes the claims of one test.

    Parameters
    ----------
    replications : Replications
        Where figures come from.
    alphas : iterator of float
        Chance of a wrong verdict that each claim may have; ends when the test has made as many
        as it declared.
    scenario : callable
        Makes a scenario of whatever a test gives.
    conclude : callable
        Told each verdict; raises where that ends the test.
    """

    def __init__(
        self,
        replications: Replications,
        alphas: Iterator[float],
        scenario: Callable[[object], Scenario],
        conclude: Callable[[Verdict], None],
    ) -> None:
        self._replications = replications
        self._alphas = alphas
        self._scenario = scenario
        self._conclude = conclude

    def __call__(
        self,
        scenario: object,
        measure: str | Measure,
        relation: Literal["<=", ">="],
        value: float,
        *,
        most: int = MOST_CLAIM,
    ) -> Verdict:
        """Claim that a figure of the campaign under study is on average at most, or least, this.

        Parameters
        ----------
        scenario : Scenario, path, mapping or TOML text
            What to run.
        measure : str or Measure
            A figure of `outsim.results.measures.MEASURES`, or one of the test's own.
        relation : "<=" or ">="
            How the mean over replications stands to `value`, in the measure's unit.
        most : int
            Replications after which it stays undecided.

        Raises
        ------
        StudyError
            If it can't be tested as it stands.
        """
        low, high = _range(relation, value)
        draw = self._replications.of(measure, self._scenario(scenario))
        support = find_measure(measure).support
        claim = f"{_name(measure)} {relation} {value:g}"
        return self._decided(claim, draw, low, high, most, support)

    def equal(
        self,
        one: object,
        other: object,
        measure: str | Measure,
        *,
        within: float,
        most: int = MOST_CLAIM,
    ) -> Verdict:
        """Claim that a figure is on average the same in two scenarios, but for `within`.

        Two one-sided tests (Schuirmann 1987) of the mean of paired differences.

        Raises
        ------
        StudyError
            If it can't be tested as it stands.
        """
        if not within > 0:
            raise StudyError(f"within = {within:g}: must be more than 0, in the measure's unit")
        draw = self._replications.of(measure, self._scenario(one), self._scenario(other))
        claim = f"{_name(measure)} equal within {within:g}"
        support = find_measure(measure).support.of_difference
        return self._decided(claim, draw, -within, within, most, support)

    def less(
        self, one: object, other: object, measure: str | Measure, *, most: int = MOST_CLAIM
    ) -> Verdict:
        """Claim that a figure is on average not more in the first of two scenarios, paired.

        Raises
        ------
        StudyError
            If it can't be tested as it stands.
        """
        draw = self._replications.of(measure, self._scenario(one), self._scenario(other))
        support = find_measure(measure).support.of_difference
        claim = f"{_name(measure)} not more than in the other"
        return self._decided(claim, draw, 0, np.inf, most, support)

    def _decided(
        self, claim: str, draw: Draw, low: float, high: float, most: int, support: Support
    ) -> Verdict:
        alpha = next(self._alphas, None)
        if alpha is None:
            raise StudyError(
                "more claims than the test declares: mark it with @pytest.mark.claims(COUNT), "
                "so that the error rate of the suite can be shared out"
            )
        verdict = decide(claim, draw, low, high, alpha, most, support)
        self._conclude(verdict)
        return verdict


def _name(measure: str | Measure) -> str:
    return measure if isinstance(measure, str) else measure.name
