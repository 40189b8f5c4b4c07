"""Promises as people write them: ``p95 wait <= 10 min``, ``P(finished by 17:30) >= 0.95``."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import datetime
from functools import partial

from outsim.clock import SECOND, parse_duration_us, parse_share
from outsim.errors import StudyError, nearest, unknown_name
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
from outsim.studies.promises import Promise

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
"""What people say for a figure."""

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
    """Read a promise about a scenario's campaign under study.

    Raises
    ------
    StudyError
        If it has none of the forms of `FORMS`; the message says what was found.

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
    found = _BOUND.fullmatch(event)
    if found is None:
        raise StudyError(
            f"promise {text!r}: found no limit in {event.strip()!r}; write it like one of "
            + "; ".join(FORMS)
        )
    figure, relation, limit = found.groups()
    measure = find_measure(figure, text)
    return Promise(
        text, measure, relation.lower() in _AT_MOST, _limit(measure, limit, text, scenario)
    )


def find_measure(name: str, text: str) -> Measure:
    """Figure that people mean by a name: ``p95 wait``, ``mean wait``, ``finished``.

    Parameters
    ----------
    name : str
        A name of `MEASURES`, or one of `SHORT_NAMES`, or a quantile or mean of wait or status lag.
    text : str
        Where it stands, for the message.

    Raises
    ------
    StudyError
        If there is no such figure.
    """
    known = {measure.name: measure for measure in MEASURES}
    said = " ".join(name.split())
    if said in known:
        return known[said]
    said = said.lower().replace("median ", "p50 ")
    level = _LEVEL.fullmatch(said)
    if level is not None and 0 < float(level[1]) <= 100:
        return _at_level(level[2], float(level[1]), known)
    if said == "mean wait":
        return WAIT_MEAN
    if said in SHORT_NAMES:
        return known[SHORT_NAMES[said]]
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
        try:
            return parse_duration_us(limit) / SECOND
        except ValueError as error:
            raise StudyError(f"promise {text!r}: {error}") from None
    return _number(limit, text, "share" if measure.kind == "share" else "limit")


def _clock(time: str, text: str, scenario: Scenario) -> datetime:
    try:
        return scenario.clock.at(time)
    except ValueError as error:
        raise StudyError(f"promise {text!r}: {error}") from None


def _number(written: str, text: str, of: str) -> float:
    said = written.strip()
    try:
        number = parse_share(said) if said.endswith("%") else float(said)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or (of != "limit" and not 0 <= number <= 1):
        allowed = "a number" if of == "limit" else "a share such as 0.9 or 90 %"
        raise StudyError(f"promise {text!r}: found {written!r} for the {of}; write {allowed}")
    return number
