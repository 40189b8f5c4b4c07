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
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from outsim.clock import SECOND, parse_duration_us, parse_share
from outsim.errors import StudyError, nearest, parsed, unknown_name
from outsim.estimates import cautious_bounds, exact_bounds
from outsim.results.everybody import (
    BACKGROUND,
    EVERYBODY,
    FAIR_SHARE,
    FAIRNESS,
    OF_TENANTS_ALONE,
    WAITING_SHARE,
    campaign_subject,
    is_of_every_tenant,
    tenant_subject,
)
from outsim.results.measures import (
    ALL_MEASURES,
    COUNTS,
    WAIT_MEAN,
    Measure,
    Subject,
    completed_by,
    done_by,
    out_by,
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
    "max p95 wait <= 10 min",
    "completed_share >= 90 %",
    "finished <= 17:30",
    "95% of calls done by 18:00",
    "95% of calls out by 11:00",
    "at most 300 dialed after the stop",
    "P(finished <= 17:30) >= 0.95",
)
"""One example of each form that a promise may have."""

WHOSE = (
    "p95 wait of deals <= 10 min",
    "p95 wait of tenant bank <= 10 min",
    "p95 wait of background <= 10 min",
    "max p95 wait of tenants <= 10 min",
    "every tenant's p95 wait <= 10 min",
    "every campaign's completed >= 60 %",
    "95% of calls of deals done by 18:00",
)
"""One example of each way to say whose calls a promise is about, if not the campaign under study.

``max`` and ``min`` are over all campaigns of the scenario, or with ``of tenants`` over all
tenants, those of the background too, run by run; so is ``every``, of which the worst must do.
"""

SHORT_NAMES = {
    "wait": "wait_p50_s",
    "status lag": "status_lag_p90_s",
    "time to first dispatch": "time_to_first_dispatch_p50_s",
    "finished": "finish_time_s",
    "duration": "duration_s",
    "completed": "completed_share",
    "dial throughput": "dial_throughput_per_min",
    "port use": "port_use",
    "port share": "port_share",
    "peak queue": "peak_queue",
    "dialed": "dials",
    "calls dialed": "calls_dialed",
    "dialed after the stop": "dials_after_stop",
    "completed per port-hour": "completions_per_port_hour",
    "fair share": FAIR_SHARE.name,
    "waiting port share": WAITING_SHARE.name,
    "fairness": FAIRNESS.name,
}
"""What people say for a measure."""

_AT_MOST, _AT_LEAST = ("<=", "≤", "at most", "by"), (">=", "≥", "at least")
_RELATION = r"(<=|>=|≤|≥|\bat most\b|\bat least\b|\bby\b)"
_PROBABILITY = re.compile(rf"\s*P\s*\((.*)\)\s*{_RELATION}\s*(.+)", re.IGNORECASE)
_CALLS = re.compile(
    r"\s*(.+?%)\s*of\s+(every\s+\w+'s\s+)?calls\s+(?:of\s+(.+)\s+)?(\w+)\s+by\s+(.+)",
    re.IGNORECASE,
)
_BOUND = re.compile(rf"\s*((?:\"[^\"]*\"|.)+?)\s*{_RELATION}\s*(.+)", re.IGNORECASE)
_COUNT = re.compile(r"\s*(at most|at least)\s+([\d.]+\s*%?)\s+(.+)", re.IGNORECASE)
_EVERY = re.compile(r"every\s+(tenant|campaign)'s\s+(.+)", re.IGNORECASE)
_MOST = re.compile(r"(max|min)\s+(.+)", re.IGNORECASE)
_LEVEL = re.compile(r"p(\d+(?:\.\d+)?) (wait|status lag|time to first dispatch)")
_PLURALS: dict[str, Literal["campaigns", "tenants"]] = {
    "campaign": "campaigns",
    "tenant": "tenants",
}
_SEVERAL = {
    words: plural
    for one, plural in _PLURALS.items()
    for words in (plural, f"all {plural}", f"every {one}")
}
_PICKS: dict[str, Literal["max", "min"]] = {"max": "max", "min": "min"}
_CLASSES = {
    "background": BACKGROUND,
    "background tenants": BACKGROUND,
    "everybody": EVERYBODY,
    "all calls": EVERYBODY,
}
_NAME_AT_LEVEL = re.compile(r"(wait|status_lag|time_to_first_dispatch)_p([\d.]+)_s")
_AT_LEVEL: dict[str, Callable[..., float]] = {
    "wait": wait_at_s,
    "status lag": status_lag_at_s,
    "time to first dispatch": time_to_first_dispatch_at_s,
}
_DONE: dict[str, Callable[..., float]] = {
    "out": out_by,
    "done": done_by,
    "completed": completed_by,
}


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


def promised_to(promise: Promise, subjects: Sequence[Subject]) -> tuple[Promise, ...]:
    """The promise to each of the subjects; one that says itself whose it is stays alone."""
    if promise.measure.of is not None or not subjects:
        return (promise,)
    where = f"promise {promise.text!r}"
    return tuple(
        replace(
            promise,
            text=f"{promise.text}, of {subject}",
            measure=_about(promise.measure, subject, where),
        )
        for subject in subjects
    )


def _read_event(event: str, text: str, scenario: Scenario) -> Promise:
    calls = _CALLS.fullmatch(event)
    if calls is not None:
        share, every, of, verb, time = calls.groups()
        compute = _DONE.get(verb.lower())
        if compute is None:
            raise StudyError(f"promise {text!r}: found calls {verb!r}; {nearest(verb, _DONE)}")
        at = _clock(time, text, scenario)
        name = f"{verb.lower()}_by_{at:%Y-%m-%d_%H:%M:%S}"
        label = f"{verb.lower()} by {at:%H:%M}"
        measure = Measure(name, label, "share", partial(compute, at=at), "maximize")
        if every or of:
            words = f"{every or ''}calls" + (f" of {of}" if of else "")
            where = f"promise {text!r}"
            subject = _subject(words, where, scenario, at_most=False)[1]
            measure = _about(measure, subject, where)
        return Promise(text, measure, False, _number(share, text, "share of calls"))
    count, bound = _COUNT.fullmatch(event), _BOUND.fullmatch(event)
    if count is None and bound is None:
        raise StudyError(
            f"promise {text!r}: found no limit in {event.strip()!r}; write it like one of "
            + "; ".join(FORMS)
        )
    if count is not None:
        relation, written, name = count.groups()
    else:
        assert bound is not None
        name, relation, written = bound.groups()
    at_most = relation.lower() in _AT_MOST
    measure = read_measure(name, f"promise {text!r}", scenario, at_most=at_most)
    return Promise(text, measure, at_most, _limit(measure, written, text, scenario))


def read_measure(
    words: str, where: str, scenario: Scenario, *, at_most: bool | None = None
) -> Measure:
    """Measure that people mean: ``p95 wait``, ``max p95 wait``, ``p95 wait of deals``.

    `where` is what an error begins with; `at_most` says which of every tenant's counts: the
    largest if the measure must be at most something. None: the one that is worse.
    """
    name, subject = _subject(words, where, scenario, at_most=at_most)
    return _about(find_measure(name, where), subject, where)


def _subject(
    words: str, where: str, scenario: Scenario, *, at_most: bool | None
) -> tuple[str, Subject | None]:
    """What of a measure's words names it, and whose calls the others say it is about."""
    words = " ".join(words.split())
    every, most = _EVERY.fullmatch(words), _MOST.fullmatch(words)
    if every is not None:
        return every[2], Subject(_PLURALS[every[1].lower()], pick=_pick(every[2], at_most))
    pick = None if most is None else _PICKS[most[1].lower()]
    base, of, whom = (words if most is None else most[2]).partition(" of ")
    whom = whom.strip().removeprefix('"').removesuffix('"')
    if pick is not None:
        kind = _SEVERAL.get(whom.lower())
        if of and kind is None:
            raise StudyError(f"{where}: found {pick} of {whom!r}; {nearest(whom, _SEVERAL)}")
        return base, Subject(kind or "campaigns", pick=pick)
    if not of:
        return base, None
    if whom.lower() in _SEVERAL:
        return base, Subject(_SEVERAL[whom.lower()], pick=_pick(base, at_most))
    if whom.lower() in _CLASSES:
        return base, _CLASSES[whom.lower()]
    try:
        if whom.startswith("tenant "):
            return base, tenant_subject(scenario, whom.removeprefix("tenant ").strip())
        return base, campaign_subject(scenario, whom)
    except StudyError as error:
        raise StudyError(f"{where}: {error}") from None


def _pick(name: str, at_most: bool | None) -> Literal["max", "min"]:
    """Which of several must do, where all of them must."""
    if at_most is None:
        known = {measure.name: measure for measure in ALL_MEASURES}
        worst_first = SHORT_NAMES.get(name, name)
        at_most = not (worst_first in known and known[worst_first].sign > 0)
    return "max" if at_most else "min"


def _about(measure: Measure, subject: Subject | None, where: str) -> Measure:
    is_of_tenant = subject is not None and subject.kind in ("tenant", "tenants")
    if measure in OF_TENANTS_ALONE and not is_of_tenant:
        raise StudyError(f"{where}: {measure.name} is of a tenant; write 'of tenant NAME'")
    if subject is None:
        return measure
    if measure.of is not None:
        raise StudyError(f"{where}: {measure.name} is of all tenants together; leave out of whom")
    if is_of_tenant and not is_of_every_tenant(measure):
        allowed = ", ".join(item.name for item in ALL_MEASURES if is_of_every_tenant(item))
        raise StudyError(
            f"{where}: {measure.name} is not had by tenant; allowed are p95 wait and the like, "
            f"fair share, {allowed}"
        )
    return measure.about(subject)


def find_measure(name: str, where: str) -> Measure:
    """Measure that people mean by a name: ``p95 wait``, ``mean wait``, ``finished``."""
    known = {
        measure.name: measure for measure in (*ALL_MEASURES, *COUNTS, *OF_TENANTS_ALONE, FAIRNESS)
    }
    words = " ".join(name.split())
    if words in known:
        return known[words]
    words = words.lower().replace("median ", "p50 ")
    level = _LEVEL.fullmatch(_NAME_AT_LEVEL.sub(r"p\2 \1", words).replace("_", " "))
    if level is not None and 0 < float(level[1]) <= 100:
        return _at_level(level[2], float(level[1]), known)
    if words == "mean wait":
        return WAIT_MEAN
    if words in SHORT_NAMES:
        return known[SHORT_NAMES[words]]
    allowed = ["p95 wait", "p90 status lag", "mean wait", *SHORT_NAMES, *known]
    raise StudyError(f"{where}: " + unknown_name("measure", name.strip(), allowed))


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
