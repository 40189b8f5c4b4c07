"""Runs that were made once serve other studies, and change no number."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from outsim.questions.compare import compare
from outsim.results.measures import MEASURES
from outsim.scenario.loading import with_snapshot
from outsim.studies.run_cache import RUN_BYTES, RunCache
from outsim.studies.runs import run_job
from outsim.studies.study import run_of

from .scenarios import chancy

BASE = chancy("base")
PORTS = {ports: BASE.with_({"platform.ports": ports}, name=f"{ports} ports") for ports in (8, 9)}


class Counting(ThreadPoolExecutor):
    """Threads that note for which scenarios and replications they were asked."""

    def __init__(self) -> None:
        super().__init__(2)
        self.begun: list[tuple[str, int]] = []

    def submit(self, _work, /, job):  # type: ignore[override]
        self.begun += [(scenario.name, job.replication) for scenario in job.scenarios]
        return super().submit(run_job, job)


@pytest.fixture
def executor():
    with Counting() as counting:
        yield counting


def asked(executor, *scenarios, cache=None, **options):
    made = {"replications": 3, "executor": executor, "progress": None} | options
    question = compare(*scenarios, cache=cache, engine="compiled", **made)
    return question, question.run()


def times(executor, name):
    return [index for called, index in executor.begun if called == name]


def test_what_is_there_is_not_made_again_and_changes_no_number(executor):
    cache = RunCache()
    asked(executor, BASE, PORTS[8], cache=cache)
    for _ in range(2):
        _, answer = asked(executor, BASE, PORTS[9], cache=cache)
        assert answer.to_dict() == asked(None, BASE, PORTS[9])[1].to_dict()
    assert times(executor, "base") == [0, 1, 2]
    assert times(executor, "9 ports") == [0, 1, 2]


def test_only_missing_replications_are_made(executor):
    cache = RunCache()
    asked(executor, BASE, PORTS[8], cache=cache)
    asked(executor, PORTS[8], BASE, cache=cache, replications=5)
    assert times(executor, "8 ports") == times(executor, "base") == [0, 1, 2, 3, 4]


def test_series_are_found_if_they_were_kept(executor):
    cache = RunCache()
    asked(executor, BASE, PORTS[8], cache=cache)
    question, _ = asked(executor, BASE, PORTS[8], cache=cache, keep_series=True)
    assert len(times(executor, "base")) == 6  # those without series were of no use
    again, _ = asked(executor, BASE, PORTS[8], cache=cache, keep_series=True)
    assert len(times(executor, "base")) == 6
    assert again.study.bands("queue").equals(question.study.bands("queue"))


@pytest.mark.parametrize(
    ("scenario", "options"),
    [
        (BASE, {"seed": 2}),
        (BASE, {"measures": MEASURES[:1]}),
        (BASE, {"controls": True}),
        (BASE.with_({"platform.ports": 11}), {}),
        (with_snapshot(BASE, {"at": "09:30"}), {}),
    ],
)
def test_another_study_has_other_runs(executor, scenario, options):
    cache = RunCache()
    for of, more in ((BASE, {}), (scenario, options)):
        made = {"replications": 2, "executor": executor, "progress": None} | more
        run_of(of, cache=cache, engine="compiled", **made).run()
    assert len(executor.begun) == 4


def test_a_directory_with_tables_has_all_of_them(executor, tmp_path):
    cache = RunCache()
    asked(executor, BASE, PORTS[8], cache=cache)
    question, _ = asked(
        executor, BASE, PORTS[8], cache=cache, directory=tmp_path / "study", keep_tables=True
    )
    assert set(question.study.tables(2, 1)) >= {"calls", "attempts"}


def test_those_not_needed_for_longest_make_room(executor):
    cache = RunCache(most_bytes=6 * RUN_BYTES)
    asked(executor, BASE, PORTS[8], cache=cache)
    asked(executor, BASE, PORTS[9], cache=cache)
    assert len(cache) == 6
    assert times(executor, "base") == [0, 1, 2]
    asked(executor, BASE, PORTS[8], cache=cache)
    assert times(executor, "8 ports") == [0, 1, 2] * 2


def test_a_run_with_its_minutes_takes_the_room_of_several(executor):
    cache = RunCache(most_bytes=6 * RUN_BYTES)
    asked(executor, BASE, PORTS[8], cache=cache, keep_series=True)
    assert len(cache) < 6
    asked(executor, BASE, PORTS[8], cache=cache, replications=2)
    asked(executor, BASE, PORTS[9], cache=cache, replications=3)
    assert len(cache) == 6


def test_what_is_there_comes_though_the_rest_is_given_up(executor):
    cache = RunCache()
    asked(executor, BASE, PORTS[8], cache=cache, replications=2)

    async def first_two() -> list[int]:
        question = compare(
            BASE, PORTS[8], replications=9, cache=cache, executor=executor, engine="compiled"
        )
        came = []
        async for replication in question:
            came.append(replication.index)
            if len(came) == 2:
                break
        assert question.answer.findings.replications == 2
        return came

    assert asyncio.run(first_two()) == [0, 1]
