"""Promises about a campaign, and whether runs show that they are kept.

A promise is about the mean of a measure over runs (``p95 wait <= 10 min``: the mean of each
run's quantile), or about a probability over runs (``P(finished <= 17:30) >= 0.95``). It counts
as kept if the bound of a one-sided confidence interval keeps it: for a mean that of
`outsim.estimates.cautious_bounds`, for a probability Clopper and Pearson's (Biometrika 26, 1934).
It counts as broken if the other bound breaks it, and is undecided else.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from outsim.clock import SECOND, parse_duration_us, parse_share
from outsim.errors import StudyError, nearest, parsed, unknown_name
from outsim.estimates import cautious_bounds, exact_bounds
from outsim.results.measures import (
    MEASURES,
    WAIT_MEAN,
    Measure,
    completed_by,
    done_by,
    status_lag_at_s,
    time_to_first_dispatch_at_s,
    wait_at_s,
)
from outsim.scenario.model import Scenario

Verdict = Literal["kept", "broken", "undecided"]
"""Whether runs show that a promise is kept, that it is broken, or neither."""

Outcomes = NDArray[np.float64]
"""What counts of each run, shape (runs,): its measure, or 1 if the event came and 0 if not."""


@dataclass(frozen=True)
class Promise:
    """One promise; `outsim.studies.promises.read_promise` makes it of a text."""

    text: str
    """As it was written."""
    measure: Measure
    at_most: bool
    """Whether the measure must not be more than the limit; else it must not be less."""
    limit: float
    """In the measure's unit; a clock time in seconds since the run begins."""
    probability: float | None = None
    """Share of runs in which the measure must keep within the limit; None: its mean must."""

    def outcomes(self, values: NDArray[np.float64]) -> Outcomes:
        """What counts of each run; one that is too short for the measure breaks every promise."""
        known = np.where(np.isnan(values), self._worst, values)
        if self.probability is None:
            return known
        keeps = known <= self.limit if self.at_most else known >= self.limit
        return keeps.astype(np.float64)

    @property
    def _worst(self) -> float:
        return math.inf if self.at_most else -math.inf

    def bounds(self, outcomes: Outcomes, error: float) -> tuple[float, float]:
        """Lower and upper bound of what is promised, each wrong with probability `error`."""
        if self.probability is not None:
            return exact_bounds(int(outcomes.sum()), len(outcomes), error)
        if not np.isfinite(outcomes).all():
            return self._worst, self._worst
        if len(outcomes) < 2:
            return -math.inf, math.inf
        return cautious_bounds(outcomes, error, self.measure.support)

    @property
    def _goal(self) -> tuple[bool, float]:
        """Whether what is promised must be at most something, and what."""
        if self.probability is not None:
            return False, self.probability
        return self.at_most, self.limit

    def judge(
        self, outcomes: Outcomes, error: float, broken_error: float
    ) -> tuple[Verdict, tuple[float, float]]:
        """Verdict and its bounds, wrong with these errors as kept and as broken."""
        at_most, goal = self._goal
        errors = (broken_error, error) if at_most else (error, broken_error)
        low, high = self.bounds(outcomes, errors[0])[0], self.bounds(outcomes, errors[1])[1]
        verdict: Verdict = "undecided"
        if (high <= goal) if at_most else (low >= goal):
            verdict = "kept"
        elif (low > goal) if at_most else (high < goal):
            verdict = "broken"
        return verdict, (low, high)

    def least_runs(self, error: float) -> int:
        """Fewest runs that can show that it is kept, if all of them keep it."""
        if self.probability is None:
            return 2
        return math.ceil(round(math.log(error) / math.log(self.probability), 9))

    def least_kept(self, runs: int, error: float) -> int:
        """Fewest of so many runs that must keep it to show it, or more than all of them."""

        def is_shown(count: int) -> bool:
            events = np.repeat([1.0, 0.0], [count, runs - count])
            return self.judge(events, error, error)[0] == "kept"

        return bisect_left(range(runs + 1), True, key=is_shown)

    def lean(self, outcomes: Outcomes, runs: int, error: float) -> tuple[float, float]:
        """Margin by which so many runs may be expected to show it kept, and its standard error."""
        if self.probability is not None:
            need = min(1.0, self.least_kept(runs, error) / runs)
            noise = math.sqrt(need * (1 - need) / len(outcomes))
            return float(outcomes.mean()) - need, noise
        if not np.isfinite(outcomes).all():
            return -math.inf, 0.0
        from scipy.special import stdtrit

        sd = float(outcomes.std(ddof=1))
        room = self.limit - float(outcomes.mean())
        half_width = float(stdtrit(runs - 1, 1 - error)) * sd / math.sqrt(runs)
        margin = (room if self.at_most else -room) - half_width
        return margin, sd / math.sqrt(len(outcomes))

    @property
    def scale(self) -> float:
        """What a margin is large or small against."""
        return 1.0 if self.probability is not None else abs(self.limit) or 1.0


FORMS = (
    "p95 wait <= 10 min",
    "completed_share >= 90 %",
    "finished <= 17:30",
    "95% of calls done by 18:00",
    "P(finished <= 17:30) >= 0.95",
)
"""One example of each form that a promise may have."""

SHORT_NAMES = {
    "wait": "wait_p50_s",
    "status lag": "status_lag_p90_s",
    "time to first dispatch": "time_to_first_dispatch_p50_s",
    "finished": "finish_time_s",
    "duration": "duration_s",
    "completed": "completed_share",
}
"""What people say for a measure."""

_AT_MOST, _AT_LEAST = ("<=", "≤", "at most", "by"), (">=", "≥", "at least")
_RELATION = r"(<=|>=|≤|≥|\bat most\b|\bat least\b|\bby\b)"
_PROBABILITY = re.compile(rf"\s*P\s*\((.*)\)\s*{_RELATION}\s*(.+)", re.IGNORECASE)
_CALLS = re.compile(r"\s*(.+?%)\s*of\s+calls\s+(\w+)\s+by\s+(.+)", re.IGNORECASE)
_BOUND = re.compile(rf"\s*(.+?)\s*{_RELATION}\s*(.+)", re.IGNORECASE)
_LEVEL = re.compile(r"p(\d+(?:\.\d+)?) (wait|status lag|time to first dispatch)")
_AT_LEVEL: dict[str, Callable[..., float]] = {
    "wait": wait_at_s,
    "status lag": status_lag_at_s,
    "time to first dispatch": time_to_first_dispatch_at_s,
}
_DONE: dict[str, Callable[..., float]] = {"done": done_by, "completed": completed_by}


def read_promise(text: str, scenario: Scenario) -> Promise:
    """Read a promise about a scenario's campaign under study, in one of `FORMS`.

    Examples
    --------
    >>> import outsim
    >>> scenario = outsim.load("scenarios/stop-race.toml")
    >>> read_promise("p95 wait <= 10 min", scenario).measure.name
    'wait_p95_s'
    """
    probable = _PROBABILITY.fullmatch(text)
    if probable is None:
        if re.match(r"\s*P\s*\(", text):
            raise StudyError(
                f"promise {text!r}: behind P(...) write how probable it must be, such as >= 0.9"
            )
        return _read_event(text, text, scenario)
    event, relation, share = probable.groups()
    if relation.lower() not in _AT_LEAST:
        raise StudyError(
            f"promise {text!r}: found {relation!r} behind P(...); allowed: >= or at least"
        )
    read = _read_event(event, text, scenario)
    probability = _number(share, text, "probability")
    if not 0 < probability < 1:
        raise StudyError(
            f"promise {text!r}: found {share!r} for the probability; it must be between 0 and 1 "
            "(no number of runs shows that something never happens)"
        )
    return Promise(text, read.measure, read.at_most, read.limit, probability)


def _read_event(event: str, text: str, scenario: Scenario) -> Promise:
    calls = _CALLS.fullmatch(event)
    if calls is not None:
        share, verb, time = calls.groups()
        compute = _DONE.get(verb.lower())
        if compute is None:
            raise StudyError(f"promise {text!r}: found calls {verb!r}; {nearest(verb, _DONE)}")
        at = _clock(time, text, scenario)
        name = f"{verb.lower()}_by_{at:%Y-%m-%d_%H:%M:%S}"
        label = f"{verb.lower()} by {at:%H:%M}"
        measure = Measure(name, label, "share", partial(compute, at=at), "maximize")
        return Promise(text, measure, False, _number(share, text, "share of calls"))
    bound = _BOUND.fullmatch(event)
    if bound is None:
        raise StudyError(
            f"promise {text!r}: found no limit in {event.strip()!r}; write it like one of "
            + "; ".join(FORMS)
        )
    name, relation, written = bound.groups()
    measure = find_measure(name, text)
    limit = _limit(measure, written, text, scenario)
    return Promise(text, measure, relation.lower() in _AT_MOST, limit)


def find_measure(name: str, text: str) -> Measure:
    """Measure that people mean by a name: ``p95 wait``, ``mean wait``, ``finished``."""
    known = {measure.name: measure for measure in MEASURES}
    words = " ".join(name.split())
    if words in known:
        return known[words]
    words = words.lower().replace("median ", "p50 ")
    level = _LEVEL.fullmatch(words)
    if level is not None and 0 < float(level[1]) <= 100:
        return _at_level(level[2], float(level[1]), known)
    if words == "mean wait":
        return WAIT_MEAN
    if words in SHORT_NAMES:
        return known[SHORT_NAMES[words]]
    allowed = ["p95 wait", "p90 status lag", "mean wait", *SHORT_NAMES, *known]
    raise StudyError(f"promise {text!r}: " + unknown_name("measure", name.strip(), allowed))


def _at_level(of: str, percent: float, known: dict[str, Measure]) -> Measure:
    name = f"{of.replace(' ', '_')}_p{percent:g}_s"
    if name in known:
        return known[name]
    level = partial(_AT_LEVEL[of], level=percent / 100)
    return Measure(name, f"p{percent:g} {of}", "seconds", level, "minimize")


def _limit(measure: Measure, limit: str, text: str, scenario: Scenario) -> float:
    if measure.kind == "clock":
        return scenario.instant_us(_clock(limit, text, scenario)) / SECOND
    if measure.kind == "seconds":
        return parsed(f"promise {text!r}", parse_duration_us, limit) / SECOND
    return _number(limit, text, "share" if measure.kind == "share" else "limit")


def _clock(time: str, text: str, scenario: Scenario) -> datetime:
    return parsed(f"promise {text!r}", scenario.clock.at, time)


def _number(written: str, text: str, of: str) -> float:
    words = written.strip()
    try:
        number = parse_share(words) if words.endswith("%") else float(words)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or (of != "limit" and not 0 <= number <= 1):
        allowed = "a number" if of == "limit" else "a share such as 0.9 or 90 %"
        raise StudyError(f"promise {text!r}: found {written!r} for the {of}; write {allowed}")
    return number
