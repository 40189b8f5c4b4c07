"""Studies keep their promises: the same answer whoever works, nothing twice, nothing left over."""

from __future__ import annotations

import asyncio
import math
import multiprocessing
import random
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outsim.errors import StudyError
from outsim.estimates import estimate
from outsim.questions.compare import compare
from outsim.results.measures import MEASURES, measure_named
from outsim.studies.study import run_of
from outsim.studies.study_result import StudyResult
from outsim.studies.study_run import StudyRun
from outsim.studies.synchronous import run_sync

from .scenarios import LongAfter, MadeUp, chancy

BOTH = (chancy("a"), chancy("b"))
NAMES = ("completed_share", "wait_p90_s", "duration_s")
MEASURED = tuple(each for each in MEASURES if each.name in NAMES)


@cache
def chance(place: int, seed: int, replication: int) -> dict[str, float]:
    """Figures around 0.5, 100 and 1000, some of which not every run has."""
    draws = np.random.default_rng((seed, replication)).normal(size=4)
    own = np.random.default_rng((seed, replication, place)).normal()
    return {
        "completed_share": 0.5 + 0.01 * draws[0] + 0.001 * own,
        "duration_s": math.nan if draws[3] > 1.5 else 1000 + 10 * draws[2] + own,
        "wait_p90_s": 100 + 20 * draws[1] + 5 * own + 3 * place,
    }


def study(executor: Executor, scenarios=BOTH, **options) -> StudyRun:
    return run_of(scenarios, executor=executor, measures=MEASURED, engine="simpy", **options)


def in_order(**options) -> StudyResult:
    """What a study finds whose replications finish one after the other."""
    return study(MadeUp(chance), **options).run()


def streamed(studied: StudyRun) -> list[int]:
    async def indexes() -> list[int]:
        return [replication.index async for replication in studied]

    return run_sync(indexes())


# Streaming


def test_replications_come_as_they_finish():
    executor = MadeUp(chance, random.Random(3))
    indexes = streamed(study(executor, replications=30))
    assert indexes == executor.finished
    assert indexes != sorted(indexes) == [*range(30)]


def test_a_replication_has_the_figures_of_every_scenario_in_their_order():
    async def first():
        async for replication in study(MadeUp(chance, random.Random(3)), replications=5):
            return replication
        raise AssertionError("there is none")

    replication = run_sync(first())
    assert replication.scenarios == 2
    for scenario in (0, 1):
        made = chance(scenario, BOTH[0].seed, replication.index)
        for name in replication.measures:
            assert replication.values(scenario, name) == pytest.approx([made[name]], nan_ok=True)


def test_findings_can_be_looked_at_while_the_study_runs():
    """They are of the replications without a gap, so they never turn on who was lucky."""
    seen = []

    async def look() -> None:
        studied = study(MadeUp(chance, random.Random(5)), replications=12)
        have = set()
        async for replication in studied:
            have.add(replication.index)
            complete = next(k for k in range(13) if k not in have)
            if complete:
                assert studied.result.data.replications == tuple(range(complete))
                seen.append(complete)

    run_sync(look())
    assert seen[-1] == 12
    assert len(set(seen)) > 2


def test_findings_are_refused_while_there_are_none():
    with pytest.raises(StudyError, match="no replication is over"):
        _ = study(MadeUp(chance)).result


# When it ends


ASKED = st.dictionaries(
    st.sampled_from([prefix + name for name in NAMES for prefix in ("", "difference:")]),
    st.sampled_from(["0.003", "0.3%", "2", "6", "4%"]),
    min_size=1,
    max_size=3,
)


def is_precise(key: str, width: str, first: np.ndarray, second: np.ndarray) -> bool:
    support = measure_named(key.rpartition(":")[2]).support
    if ":" in key:
        found = [estimate(second - first, support=support.between(second, first))]
    else:
        found = [estimate(values, support=support) for values in (first, second)]
    most = float(width.rstrip("%"))
    return all(
        each.precision <= (most / 100 * abs(each.mean) if "%" in width else most) for each in found
    )


@settings(max_examples=40)
@given(ASKED, st.integers(0, 9), st.integers(0, 2**32), st.integers(2, 40))
def test_it_ends_with_the_first_batch_that_is_precise_enough_whoever_finishes_first(
    precision, seed, order, least
):
    """Batches end at fixed counts, and the decision is by the figures up to there."""
    most = 80
    executor = MadeUp(chance, random.Random(order))
    found = study(
        executor, precision=precision, min_replications=least, max_replications=most, seed=seed
    ).run()
    end = least
    while end < most:
        runs = [[chance(place, seed, k) for k in range(end)] for place in (0, 1)]
        columns = {name: [np.array([run[name] for run in of]) for of in runs] for name in NAMES}
        if all(
            is_precise(key, width, *columns[key.rpartition(":")[2]])
            for key, width in precision.items()
        ):
            break
        end = min(most, int(end * 1.5) + 1)
    assert found.data.replications == tuple(range(end))
    assert sorted(executor.begun) == [*range(end)], "each is run once"
    again = in_order(precision=precision, min_replications=least, max_replications=most, seed=seed)
    assert found.to_dict() == again.to_dict()
    counted = in_order(replications=end, seed=seed)
    assert found.to_dict()["runs"] == counted.to_dict()["runs"]
    assert found.to_dict()["measures"] == counted.to_dict()["measures"]


def test_a_width_that_is_never_reached_ends_at_the_most_and_says_so():
    found = in_order(precision={"wait_p90_s": "1ms"}, max_replications=30)
    assert found.replications == 30
    assert not found.is_reached(found.precisions[0])
    assert found.widest(found.precisions[0]) == max(
        found.mean(place, "wait_p90_s").half_width for place in (0, 1)
    )


def test_no_decision_is_made_before_the_least():
    easy = {"wait_p90_s": "1000"}
    assert in_order(precision=easy).replications == 20
    assert in_order(precision=easy, min_replications=33).replications == 33
    assert in_order(precision=easy, max_replications=7).replications == 7


def test_twenty_replications_unless_anything_is_said():
    assert in_order().replications == 20


def test_a_part_of_a_larger_study_has_its_own_numbers():
    executor = MadeUp(chance, random.Random(1))
    found = study(executor, replications=range(20, 50)).run()
    assert sorted(executor.begun) == [*range(20, 50)]
    whole = in_order(replications=50)
    assert found.values(1, "wait_p90_s").tolist() == whole.values(1, "wait_p90_s")[20:].tolist()


def test_replications_beyond_the_batch_have_no_say(tmp_path):
    """A directory that holds more than the answer needs gives the same answer, and no other."""
    asked = {"precision": {"difference:wait_p90_s": "2"}, "max_replications": 200}
    undisturbed = in_order(**asked)
    assert 20 < undisturbed.replications < 110, "the study is one that goes on for a while"
    study(MadeUp(chance), replications=110, directory=tmp_path).run()
    executor = MadeUp(chance)
    resumed = study(executor, directory=tmp_path, **asked).run()
    assert executor.begun == []
    assert resumed.to_dict() == undisturbed.to_dict()


def test_a_study_that_broke_off_within_a_batch_ends_where_the_whole_one_does(tmp_path):
    asked = {"precision": {"difference:wait_p90_s": "2"}, "max_replications": 200}
    undisturbed = in_order(**asked)
    for done in (7, 20, 25, 31, 40):
        out = tmp_path / str(done)
        study(MadeUp(chance), replications=done, directory=out).run()
        executor = MadeUp(chance, random.Random(done))
        assert study(executor, directory=out, **asked).run().to_dict() == undisturbed.to_dict()
        assert sorted(executor.begun) == [*range(done, undisturbed.replications)]


# Time


def test_when_its_time_is_up_it_ends_with_what_is_complete():
    """The clock strikes when 25 are done, with gaps among them; the answer has none."""
    executor = LongAfter(chance, random.Random(2), done=25)
    found = study(executor, timeout="10 min").run()
    done = set(executor.finished)
    assert len(done) == 25
    complete = next(k for k in range(26) if k not in done)
    assert 1 < complete < 25
    assert found.data.replications == tuple(range(complete))
    assert found.to_dict() == in_order(replications=complete).to_dict()


def test_time_ends_a_search_for_precision_too_and_the_answer_is_of_the_complete_ones():
    executor = LongAfter(chance, random.Random(2), done=29)
    found = study(executor, timeout="10 min", precision={"wait_p90_s": "1ms"}).run()
    assert 20 <= found.replications < 29
    assert found.to_dict()["precision"][0]["reached"] is False


def test_if_time_is_up_before_anything_is_done_it_says_so():
    with pytest.raises(StudyError, match="no replication is over"):
        study(LongAfter(chance, done=0), timeout="10 min").run()


def test_a_time_out_of_a_runs_own_is_an_error_and_not_the_end():
    """As of a disk far away: taken for the end, it would drop replications in silence."""

    class Unreachable(MadeUp):
        def _finish_one(self, _rounds: int) -> None:
            future, _job = self._waiting.pop()
            future.set_exception(TimeoutError("the disk does not answer"))

    for options in ({"replications": 3}, {"timeout": "10 min"}):
        with pytest.raises(TimeoutError, match="the disk does not answer"):
            study(Unreachable(chance), **options).run()


# Nothing twice


def test_what_is_there_is_not_run_again():
    executor = MadeUp(chance)
    studied = study(executor, replications=6)
    first = studied.run()
    assert streamed(studied) == [*range(6)]
    assert studied.run().to_dict() == first.to_dict()
    assert executor.begun == [*range(6)]


def test_a_study_that_was_left_goes_on_where_it_was():
    executor = MadeUp(chance, random.Random(9))
    studied = study(executor, replications=12)

    async def leave_after(count: int) -> None:
        replications = aiter(studied)
        for _ in range(count):
            await anext(replications)
        await replications.aclose()

    run_sync(leave_after(5))
    kept = executor.finished[:5]
    executor.begun.clear()
    assert studied.run().to_dict() == in_order(replications=12).to_dict()
    assert sorted(executor.begun) == [k for k in range(12) if k not in kept]


# Doors


def test_it_is_awaited_where_a_loop_runs_and_run_where_none_does():
    async def awaited() -> StudyResult:
        return await study(MadeUp(chance), replications=4)

    async def run_in_a_cell() -> StudyResult:
        return study(MadeUp(chance), replications=4).run()

    found = [in_order(replications=4), asyncio.run(awaited()), asyncio.run(run_in_a_cell())]
    assert found[0].to_dict() == found[1].to_dict() == found[2].to_dict()


@pytest.mark.parametrize("executor", ["threads", "processes", None])
def test_whoever_works_finds_the_same(executor):
    """Threads on the compiled engine, processes on the readable one."""
    engine = "compiled" if executor == "threads" else "simpy"
    scenarios = chancy("a"), chancy("b", max_retry=0)
    options = {
        "precision": {"attempts_per_call": "10%"},
        "min_replications": 3,
        "max_replications": 6,
    }
    found = run_of(scenarios, executor=executor, engine=engine, **options).run()
    with ThreadPoolExecutor(1) as alone:
        assert found.to_dict() == run_of(scenarios, executor=alone, **options).run().to_dict()


# Nothing left over


class Never(Executor):
    """Takes every job and does none of them but the first."""

    def __init__(self) -> None:
        self.first = MadeUp(chance)
        self.taken: list[Future] = []

    def submit(self, work, /, job) -> Future:  # type: ignore[override]
        self.taken.append(self.first.submit(work, job) if not self.taken else Future())
        return self.taken[-1]


def test_a_study_that_is_left_or_cancelled_takes_its_jobs_back():
    async def leave(executor: Never) -> None:
        replications = aiter(study(executor, replications=9))
        await anext(replications)
        await replications.aclose()

    async def cancel(executor: Never) -> None:
        task = asyncio.create_task(study(executor, replications=9)._all())
        while not executor.first.finished:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    for ending in (leave, cancel):
        executor = Never()
        run_sync(ending(executor))
        assert len(executor.taken) == 9
        assert all(future.cancelled() for future in executor.taken[1:])


@pytest.mark.parametrize(("executor", "engine"), [("threads", "compiled"), ("processes", "simpy")])
def test_a_study_that_is_left_leaves_no_worker(executor, engine):
    before = multiprocessing.active_children()

    async def leave() -> None:
        replications = aiter(run_of(chancy(), replications=300, executor=executor, engine=engine))
        await anext(replications)
        await replications.aclose()

    run_sync(leave())
    assert multiprocessing.active_children() == before
    assert not any(thread.name.startswith("outsim") for thread in threading.enumerate())


class InterruptionError(Exception):
    """What an interruption is told by, so that the tests can't be ended by it."""


@pytest.fixture
def interruption() -> Iterator[Callable[..., None]]:
    """Interrupts the main thread, as Ctrl-C does."""

    def told(_signal, _frame) -> None:
        raise InterruptionError

    before = signal.signal(signal.SIGINT, told)
    yield lambda *_: signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
    signal.signal(signal.SIGINT, before)


def test_the_interruption_of_a_cell_cancels_its_study(interruption):
    """The study waits in a thread of its own, for jobs that nobody ever does."""
    executor = Never()

    async def cell() -> None:
        study(executor, replications=9, progress=interruption).run()

    with pytest.raises(InterruptionError):
        asyncio.run(cell())
    assert all(future.cancelled() for future in executor.taken[1:])


def test_an_interruption_as_early_as_can_be_cancels_too(interruption):
    """It comes while the thread that does the work is only just starting."""
    cancelled = 0

    async def work() -> None:
        nonlocal cancelled
        try:
            interruption()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled += 1
            raise

    async def cell() -> None:
        run_sync(work())

    for _ in range(100):
        with pytest.raises(InterruptionError):
            asyncio.run(cell())
    assert cancelled == 100


# What it can't be asked


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"replications": 0}, "replications 0: give a count, or a range"),
        ({"replications": range(0, 9, 2)}, "give a count, or a range"),
        ({"replications": range(-3, 9)}, "give a count, or a range"),
        ({"replications": 9, "timeout": "1 min"}, "give one or the other"),
        ({"replications": 9, "precision": {"wait_p90_s": 1}}, "give one or the other"),
        (
            {"precision": {"wait_p90_s": 1}, "min_replications": 1},
            "min_replications = 1, max_replications = 1000",
        ),
        (
            {"precision": {"wait_p90_s": 1}, "min_replications": 30, "max_replications": 29},
            "min_replications = 30, max_replications = 29",
        ),
        (
            {"precision": {"wait_p90_s": 1}, "max_replications": 1},
            "min_replications = None, max_replications = 1",
        ),
        ({"timeout": "soon"}, "timeout 'soon': found 'soon'; write a number and a unit"),
        ({"scenarios": ()}, "no scenario given"),
        (
            {"scenarios": BOTH[0], "precision": {"difference:wait_p90_s": 1}},
            "precision of a difference: it takes two scenarios",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_run(options, message):
    executor = MadeUp(chance)
    with pytest.raises(StudyError, match=message):
        study(executor, **options).run()
    assert executor.begun == []


def test_a_comparison_takes_a_precision_or_a_time_in_the_place_of_a_count():
    def compared(**options) -> StudyResult:
        executor = MadeUp(lambda *of: chance(*of) | dict.fromkeys(ALL, 0.0))
        return compare(*BOTH, executor=executor, engine="simpy", **options).run().findings

    assert compared().replications == 40
    assert compared(precision={"wait_p90_s": "1000"}).replications == 20
    assert compared(precision={"wait_p90_s": "1000"}, max_replications=5).replications == 5


ALL = [each.name for each in MEASURES if each.name not in NAMES]
