"""The cases of theory beside simulation: each a figure of the platform, and its formula.

Runs are long enough for every case to find an error of 2 % (see `estimation`): how long is given
beside each. The level is that of the whole table: where every formula is right, one table in a
hundred says that some case is not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any

import numpy as np

from outsim.clock import SECOND
from outsim.results.checkpoint import simulate
from outsim.theory import formulas
from outsim.theory.formulas import Stream
from outsim.vocabulary import CARRIER_RATE
from tests.theory import textbook
from tests.theory.bare import bare
from tests.theory.estimation import LEVEL, Comparison, compare
from tests.theory.test_erlang import (
    EXPONENTIAL,
    TALK_S,
    Talk,
    refusals_by_channels,
    waits_for_ports,
)
from tests.theory.test_priorities import LOADS, against_cobham

CONSTANT = Talk("10 s", TALK_S, TALK_S**2)
UNIFORM = Talk(
    {"distribution": "uniform", "least": "2 s", "most": "18 s"}, TALK_S, TALK_S**2 + 16**2 / 12
)
_LOG_SD = 0.6
LOGNORMAL = Talk(
    {
        "distribution": "lognormal",
        "median": f"{round(TALK_S * np.exp(-(_LOG_SD**2) / 2) * 1e6)} us",
        "log_sd": _LOG_SD,
    },
    TALK_S,
    TALK_S**2 * float(np.exp(_LOG_SD**2)),
)

SEED = 1917


@dataclass(frozen=True)
class Case:
    """One line of the table."""

    name: str
    formula: str
    """Name of the function of `outsim.theory.formulas` or `tests.theory.textbook`."""
    found: Callable[[], Comparison]


def _runs(scenario: Any, count: int) -> Any:
    return (simulate(scenario, seed=SEED, replication=k, engine="compiled") for k in range(count))


@lru_cache
def _ports(servers: int, offered: float, talk: str, count: int, calls: int) -> Any:
    return waits_for_ports(servers, offered, TALKS[talk], count=count, calls=calls)


TALKS = {
    "exponential": EXPONENTIAL,
    "constant": CONSTANT,
    "uniform": UNIFORM,
    "lognormal": LOGNORMAL,
}


def ports(figure: str, *asked: Any) -> Comparison:
    found: Comparison = _ports(*asked)[figure]
    return found


def channels(servers: int, offered: float, talk: str, count: int, calls: int) -> Comparison:
    return refusals_by_channels(servers, offered, TALKS[talk], count=count, calls=calls)


@lru_cache
def _workers(load: str) -> tuple[Comparison, Comparison]:
    return against_cobham(LOADS[load], count=40, jobs=30_000)


def workers(load: str, kind: int) -> Comparison:
    return _workers(load)[kind]


def dial_work(rate_per_s: float, dial: str, count: int, calls: int) -> Comparison:
    """Wait of dial work for the only worker, where calls come in one by one."""
    dial_s, status_s, updates = 0.02, 0.03, 4
    mapping = (
        {"distribution": "exponential", "mean": "20 ms"} if dial == "exponential" else "20 ms"
    )
    scenario = bare(
        calls / rate_per_s,
        {"requests": {"rate": f"{rate_per_s * 3600:.6f} / hour"}},
        EXPONENTIAL.mapping,
        platform={"workers": 1, "dial_work": mapping, "status_work": "30 ms"},
    )
    square = 2 * dial_s**2 if dial == "exponential" else dial_s**2
    theory = formulas.first_class_wait_s(
        Stream(rate_per_s, dial_s, square),
        [Stream(updates * rate_per_s, status_s, status_s**2)],
        grid_s=0.001,
    )
    waits, known = [], []
    for result in _runs(scenario, count):
        a = result.arrays.records.attempts
        wait = (a["work_started"] - a["dispatched"])[300:-200] / SECOND
        waits.append(float(wait.mean()))
        gaps = np.diff(a["dispatched"] / SECOND)
        known.append(_of_gaps(gaps, 1 / rate_per_s))
    return compare(theory, waits, known)


def _of_gaps(gaps_s: np.ndarray, mean_s: float) -> list[float]:
    """What random gaps are less what they should be: their mean, and their mean square."""
    return [float(gaps_s.mean()) - mean_s, float((gaps_s**2).mean()) - 2 * mean_s**2]


def tokens(where: str, load: float, burst: int, count: int, calls: int) -> Comparison:
    """Wait for a token of the platform's dial rate, or of a campaign's pacing."""
    tokens_per_s = 2.0
    rate_per_s = load * tokens_per_s
    campaign: dict[str, Any] = {"requests": {"rate": f"{rate_per_s * 3600:.6f} / hour"}}
    platform: dict[str, Any] = {}
    if where == "dial rate":
        platform = {"dial_rate": f"{tokens_per_s}/s", "dial_burst": burst}
    else:
        campaign |= {"pacing": f"{tokens_per_s}/s", "pacing_at": where}
    scenario = bare(calls / rate_per_s, campaign, "1 s", platform=platform)
    waits, known = [], []
    for result in _runs(scenario, count):
        submitted = result.arrays.plan.campaigns[0].submitted_at_us
        dispatched = result.arrays.records.attempts["dispatched"]
        wait = (dispatched - submitted[: len(dispatched)])[300:] / SECOND
        waits.append(float(wait.mean()))
        known.append(_of_gaps(np.diff(submitted / SECOND), 1 / rate_per_s))
    return compare(formulas.token_wait_s(rate_per_s, tokens_per_s, burst), waits, known)


def carrier_rate(load: float, burst: int, count: int, calls: int) -> Comparison:
    """Share of calls that the carrier refuses because its bucket is empty."""
    tokens_per_s = 2.0
    rate_per_s = load * tokens_per_s
    scenario = bare(
        calls / rate_per_s,
        {"requests": {"rate": f"{rate_per_s * 3600:.6f} / hour"}},
        "1 s",
        carrier={"rate": f"{tokens_per_s}/s", "burst": burst},
    )
    shares, known = [], []
    for result in _runs(scenario, count):
        a = result.arrays.records.attempts
        shares.append(float((a["cause"] == CARRIER_RATE)[300:].mean()))
        known.append(_of_gaps(np.diff(a["dispatched"] / SECOND), 1 / rate_per_s))
    return compare(formulas.token_refusals(rate_per_s, tokens_per_s, burst), shares, known)


@lru_cache
def _batches(calls: int, servers: int, count: int) -> tuple[Comparison, Comparison]:
    scenario = bare(36_000, {"contacts": calls}, EXPONENTIAL.mapping, ports=servers)
    waits, ends, known = [], [], []
    for result in _runs(scenario, count):
        a = result.arrays.records.attempts
        waits.append(float((a["dispatched"] - a["queued"]).mean()) / SECOND)
        ends.append(float(a["ended"].max()) / SECOND)
        known.append([float((a["ended"] - a["answered"]).mean()) / SECOND - TALK_S])
    return (
        compare(textbook.batch_wait_s(calls, servers, TALK_S), waits, known),
        compare(textbook.batch_end_s(calls, servers, TALK_S), ends, known),
    )


def batch(figure: int, *asked: int) -> Comparison:
    return _batches(*asked)[figure]


@lru_cache
def _retried(answered: float, retries: int, count: int) -> tuple[Comparison, Comparison]:
    campaign = {"contacts": 4_000, "max_retry": retries, "profile": "some"}
    missed = 1 - answered
    some = {"human": answered, "voicemail": 0, "no_answer": 0, "busy": missed}
    base = bare(86_000, campaign | {"profile": "people"}, "1 s")
    scenario = base.model_copy(
        update={
            "profiles": base.profiles | {"some": base.profiles["people"].model_copy(update=some)},
            "campaign": [base.campaign[0].model_copy(update={"profile": "some"})],
        }
    )
    shares, attempts = [], []
    for result in _runs(scenario, count):
        figures = result.measures()
        shares.append(figures["completed_share"])
        attempts.append(figures["attempts_per_call"])
    nothing: list[list[float]] = [[] for _ in shares]
    return (
        compare(textbook.answered_in_the_end(answered, retries), shares, nothing),
        compare(textbook.attempts_a_call(answered, retries), attempts, nothing),
    )


def retried(figure: int, *asked: Any) -> Comparison:
    return _retried(*asked)[figure]


def _cases() -> tuple[Case, ...]:
    cases: list[Case] = []

    def add(name: str, formula: Any, found: Callable[..., Comparison], *asked: Any) -> None:
        cases.append(Case(name, formula.__name__, partial(found, *asked)))

    for servers, offered, count, calls in (
        (1, 0.5, 40, 40_000),
        (2, 1.4, 40, 20_000),
        (3, 2.1, 40, 20_000),
        (5, 3.5, 40, 45_000),
        (10, 8.0, 40, 60_000),
    ):
        asked = (servers, offered, "exponential", count, calls)
        of = f"{servers} port{'s' * (servers > 1)}, {offered:g} erlang"
        add(f"mean wait, {of}", formulas.erlang_c_wait_s, ports, "wait", *asked)
        add(f"share that waits, {of}", formulas.erlang_c, ports, "waiting", *asked)
        if servers in (2, 3):
            add(f"waits over 10 s, {of}", textbook.erlang_c_longer_than, ports, "long", *asked)
    for talk in ("constant", "uniform", "lognormal"):
        add(
            f"mean wait, 1 port, 0.5 erlang, {talk} talk",
            *(textbook.pollaczek_khinchine_s, ports, "wait", 1, 0.5, talk, 40, 40_000),
        )
    for servers, offered, talk in (
        (1, 0.7, "exponential"),
        (5, 3.5, "exponential"),
        (10, 7.0, "exponential"),
        (20, 16.0, "exponential"),
        (5, 3.5, "constant"),
        (5, 3.5, "lognormal"),
    ):
        add(
            f"refused, {servers} channel{'s' * (servers > 1)}, {offered:g} erlang, {talk} talk",
            *(formulas.erlang_b, channels, servers, offered, talk, 40, 30_000),
        )
    for load in LOADS:
        add(f"worker, dial work, {load}", formulas.cobham_s, workers, load, 0)
        add(f"worker, updates, {load}", formulas.cobham_s, workers, load, 1)
    for rate, dial in ((3.0, "constant"), (3.0, "exponential"), (5.0, "constant")):
        add(
            f"platform with 1 worker, {rate:g} calls/s, {dial} dial work",
            *(formulas.first_class_wait_s, dial_work, rate, dial, 40, 20_000),
        )
    for where, load, burst in (
        ("dial rate", 0.7, 1),
        ("dial rate", 0.8, 2),
        ("admission", 0.7, 1),
        ("dispatch", 0.6, 1),
    ):
        of = "dial rate" if where == "dial rate" else f"pacing at {where}"
        add(
            f"wait for a token, {of}, {burst} in the bucket, load {load:g}",
            *(formulas.token_wait_s, tokens, where, load, burst, 40, 50_000 * burst**2),
        )
    for load, burst in ((0.8, 1), (0.8, 3), (1.2, 5)):
        add(
            f"refused, carrier's rate, {burst} in the bucket, load {load:g}",
            *(formulas.token_refusals, carrier_rate, load, burst, 40, 20_000),
        )
    for calls, servers in ((60, 7), (400, 20)):
        of = f"{calls} calls on {servers} ports"
        add(f"mean wait, {of}", textbook.batch_wait_s, batch, 0, calls, servers, 1_500)
        add(f"last end, {of}", textbook.batch_end_s, batch, 1, calls, servers, 1_500)
    of = "0.3 answered, 3 retries"
    add(f"completed, {of}", textbook.answered_in_the_end, retried, 0, 0.3, 3, 40)
    add(f"attempts a call, {of}", textbook.attempts_a_call, retried, 1, 0.3, 3, 40)
    return tuple(cases)


CASES = _cases()


def found(case: Case) -> Comparison:
    """What a case gives, tested at its share of the table's level."""
    return replace(case.found(), level=LEVEL / len(CASES))


TITLE = "theory beside simulation: case | formula | theory | simulated | standard errors"


def line(case: Case, comparison: Comparison) -> str:
    """The case as a line of the table."""
    decimals = max(0, 1 - int(f"{comparison.error:e}".partition("e")[2]))
    return (
        f"| {case.name} | `{case.formula}` | {comparison.theory:.{decimals}f} | "
        f"{comparison.mean:.{decimals}f} ± {comparison.error:.{decimals}f} | "
        f"{comparison.errors:+.1f} |"
    )
