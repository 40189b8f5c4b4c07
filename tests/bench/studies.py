"""What studies cost: two cores against one, a study over its runs, and start times compared."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Any

from headline import CALLS, headline
from starting import BETWEEN, CAMPAIGN, EVERY, MOST_ATTEMPTS, REPLICATIONS, STARTS, morning

Figures = dict[str, Any]


def _seconds(work: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def _study(scenario: Any, replications: int, executor: ThreadPoolExecutor | None) -> None:
    from outsim.studies.study import Study

    Study(scenario).run(
        replications=replications, engine="compiled", executor=executor, progress=None
    )


def cores(_calls: int, rounds: int, replications: int = 64) -> Figures:
    """So many replications of the headline scenario on one thread, and as a study is by itself.

    With two cores that is a thread and a process, whose start is counted.
    """
    from outsim.scenario import load

    scenario = load(headline(CALLS))

    def study(executor: ThreadPoolExecutor | None) -> None:
        _study(scenario, replications, executor)

    with ThreadPoolExecutor(1) as thread:
        study(None)
        pairs = [
            (_seconds(lambda: study(thread)), _seconds(lambda: study(None))) for _ in range(rounds)
        ]
    return {
        "study_replications": replications,
        "one_core_s": median(one for one, _ in pairs),
        "two_cores_over_one": median(one / two for one, two in pairs),
    }


def overhead(_calls: int, rounds: int, replications: int = 16) -> Figures:
    """A study on one thread, against its runs made and measured one by one."""
    from outsim.results.checkpoint import simulate
    from outsim.scenario import load

    scenario = load(headline(CALLS))

    def study() -> None:
        with ThreadPoolExecutor(1) as executor:
            _study(scenario, replications, executor)

    def bare() -> None:
        for k in range(replications):
            simulate(scenario, replication=k, engine="compiled").measures()

    bare()
    pairs = [(_seconds(study), _seconds(bare)) for _ in range(rounds)]
    return {"study_overhead_percent": 100 * (median(s / b for s, b in pairs) - 1)}


def schedule(_calls: int, _rounds: int, replications: int = REPLICATIONS) -> Figures:
    """`outsim schedule` over twelve start times of a campaign of 50,000 calls."""
    from outsim.questions.schedule import schedule as compare_starts
    from outsim.scenario import load

    scenario = load(morning())

    def study(count: int) -> Any:
        return compare_starts(
            scenario,
            CAMPAIGN,
            every=EVERY,
            between=BETWEEN,
            replications=count,
            engine="compiled",
            progress=None,
        ).run()

    study(1)
    begin = time.perf_counter()
    answer = study(replications)
    seconds = time.perf_counter() - begin
    assert len(answer.starts) == STARTS
    assert answer.findings.attempts[1] <= MOST_ATTEMPTS
    return {
        "schedule_s": seconds,
        "schedule_replications": replications,
        "schedule_most_attempts": answer.findings.attempts[1],
    }
