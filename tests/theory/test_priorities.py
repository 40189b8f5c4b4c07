"""Workers as a server with two priorities that does not interrupt itself.

Dial work and updates come in as two Poisson streams to the worker pool itself. With one
worker the mean waits are those of A. Cobham (`outsim.theory.formulas.cobham_s`).

Power is that of `estimation`: 24 replications of 8,000 jobs, with the same jobs in a queue
without priorities as the main control variate.
"""

from __future__ import annotations

from functools import lru_cache, partial
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pytest
import simpy

from outsim.clock import SECOND
from outsim.engine.order import EventClass
from outsim.engine.readable.events import Event, EventList
from outsim.engine.readable.recorder import Recorder
from outsim.engine.readable.workers import Workers
from outsim.theory.formulas import Stream, cobham_s
from tests.theory.estimation import (
    Comparison,
    assert_agrees,
    compare,
    lindley,
)
from tests.theory.textbook import pollaczek_khinchine_s


class Jobs(NamedTuple):
    """Jobs of both kinds, in order of arrival; microseconds."""

    arrives: np.ndarray
    lasts: np.ndarray
    is_dial: np.ndarray


class Job(Event):
    """What the workers know of an attempt or an update; `begun` is when one takes it."""

    def __init__(self, events: EventList, index: int, draws: SimpleNamespace) -> None:
        super().__init__(events.env)
        self.key = self.attempt = index
        self.kind = 0
        self.work_started = self.begun = -1
        self.draws = draws
        campaign = SimpleNamespace(update_draws=lambda _: draws)
        self.call = SimpleNamespace(index=index, campaign=campaign)


def begins_at(jobs: Jobs, workers: int) -> np.ndarray:
    """When the workers begin each job."""
    environment = simpy.Environment()
    events = EventList(environment)
    drawn_lengths = SimpleNamespace(workers=workers, dial_work_us=-1, status_work_us=-1)
    pool = Workers(events, Recorder(events), drawn_lengths)
    come = (pool.process, pool.dial)
    draws = SimpleNamespace(dial_work_us=jobs.lasts.data, status_work_us=jobs.lasts[None].data)
    made = [Job(events, index, draws) for index in range(len(jobs.lasts))]
    for job, at, is_dial in zip(made, jobs.arrives.tolist(), jobs.is_dial.tolist(), strict=True):
        events.call(at, EventClass.ENTERS_QUEUE, job.key, partial(come[is_dial], job))
    coming = environment.peek()
    while coming < float("inf"):
        events.now = int(coming)
        environment.step()
        if environment.peek() > coming:
            pool.close_instant()
        coming = environment.peek()
    return np.array([max(job.work_started, job.begun) for job in made])


def exponential(rate: float, mean: float) -> Stream:
    return Stream(rate, mean, 2 * mean**2)


def constant(rate: float, mean: float) -> Stream:
    return Stream(rate, mean, mean**2)


def drawn(kinds: tuple[Stream, Stream], count: int, random: np.random.Generator) -> Jobs:
    """About `count` jobs of both kinds."""
    dial, status = kinds
    rate = dial.rate_per_s + status.rate_per_s
    arrives = np.cumsum(random.exponential(1 / rate, count))
    is_dial = random.random(count) < dial.rate_per_s / rate
    lengths = []
    for kind in kinds:
        length = random.exponential(kind.mean_s, count)
        varies = kind.second_moment > 1.5 * kind.mean_s**2
        lengths.append(length if varies else np.full(count, kind.mean_s))
    lasts = np.where(is_dial, *lengths)
    whole = np.rint(np.array([arrives, lasts]) * SECOND).astype(np.int64)
    return Jobs(whole[0], np.maximum(whole[1], 1), is_dial.astype(np.int64))


@lru_cache
def against_cobham(
    kinds: tuple[Stream, Stream], *, count: int, jobs: int, stretched: float = 1.0
) -> tuple[Comparison, Comparison]:
    """Mean waits of both kinds beside the formula; lengths are stretched unknown to it."""
    random = np.random.default_rng(1954)
    rate = kinds[0].rate_per_s + kinds[1].rate_per_s
    mean = sum(kind.rate_per_s * kind.mean_s for kind in kinds) / rate
    moment = sum(kind.rate_per_s * kind.second_moment for kind in kinds) / rate
    together = Stream(rate, mean, moment)
    waits: tuple[list[float], list[float]] = ([], [])
    known = []
    kept = slice(400, None)
    for _ in range(count):
        given = drawn(kinds, jobs, random)
        longer = np.rint(given.lasts * stretched).astype(np.int64)
        wait = (begins_at(given._replace(lasts=longer), 1) - given.arrives) / SECOND
        is_dial = given.is_dial[kept] == 1
        waits[0].append(float(wait[kept][is_dial].mean()))
        waits[1].append(float(wait[kept][~is_dial].mean()))
        gaps, lasts = np.diff(given.arrives, prepend=0) / SECOND, given.lasts / SECOND
        first = given.is_dial == 1
        dial_wait = lindley(np.diff(given.arrives[first], prepend=0) / SECOND, lasts[first])
        known.append(
            [
                float(gaps[kept].mean()) - 1 / rate,
                float(is_dial.mean()) - kinds[0].rate_per_s / rate,
                float(lasts[kept][is_dial].mean()) - kinds[0].mean_s,
                float(lasts[kept][~is_dial].mean()) - kinds[1].mean_s,
                float((lasts[kept] ** 2).mean()) - moment,
                float(lindley(gaps, lasts)[kept].mean()) - pollaczek_khinchine_s(together),
                float(dial_wait[200:].mean()) - pollaczek_khinchine_s(kinds[0]),
            ]
        )
    dial, status = cobham_s(kinds)
    return compare(dial, waits[0], known), compare(status, waits[1], known)


LOADS = {
    "both exponential": (exponential(8.0, 0.05), exponential(10.0, 0.03)),
    "constant dial work": (constant(20.0, 0.02), exponential(10.0, 0.03)),
    "updates prevail": (exponential(3.0, 0.05), exponential(11.0, 0.05)),
}
"""Loads of 0.7 in all: twice more dial work than updates, and once more updates."""


@pytest.mark.parametrize("kinds", LOADS.values(), ids=LOADS)
def test_waits_for_a_worker_are_those_of_cobham(kinds: tuple[Stream, Stream]) -> None:
    assert sum(kind.rate_per_s * kind.mean_s for kind in kinds) == pytest.approx(0.7)
    dial, status = against_cobham(kinds, count=28, jobs=5_000)
    assert_agrees(dial, 0.05)
    assert_agrees(status, 0.05)


def test_workers_that_take_a_little_longer_fail() -> None:
    """Every job lasts 1.5 % longer than the theory is told: updates wait 7 % longer."""
    kinds = LOADS["both exponential"]
    longer = tuple(
        Stream(kind.rate_per_s, kind.mean_s * 1.015, kind.second_moment * 1.015**2)
        for kind in kinds
    )
    off = cobham_s((longer[0], longer[1]))[1] / cobham_s(kinds)[1] - 1
    assert 0.05 < off < 0.08
    _, status = against_cobham(kinds, count=28, jobs=5_000, stretched=1.015)
    assert not status.agrees


def test_workers_without_priorities_fail() -> None:
    """The formula would not be met by a queue that takes jobs as they come."""
    kinds = LOADS["both exponential"]
    rate = kinds[0].rate_per_s + kinds[1].rate_per_s
    mean = sum(kind.rate_per_s * kind.mean_s for kind in kinds) / rate
    moment = sum(kind.rate_per_s * kind.second_moment for kind in kinds) / rate
    alike = pollaczek_khinchine_s(Stream(rate, mean, moment))
    dial, status = against_cobham(kinds, count=28, jobs=5_000)
    for found in (dial, status):
        assert not Comparison(alike, found.mean, found.error, found.freedom).agrees


def plainly(jobs: Jobs) -> np.ndarray:
    """When one worker begins each job, by the rule in its plainest form."""
    begins = np.zeros(len(jobs.arrives), dtype=np.int64)
    waiting = set(range(len(jobs.arrives)))
    now = 0
    while waiting:
        here = [job for job in waiting if jobs.arrives[job] <= now]
        if not here:
            now = min(int(jobs.arrives[job]) for job in waiting)
            continue
        job = min(here, key=lambda job: (-jobs.is_dial[job], job))
        waiting.remove(job)
        begins[job] = now
        now += int(jobs.lasts[job])
    return begins


def test_every_job_begins_when_the_rule_says() -> None:
    """With arrivals and ends at the same instants on purpose: an update does not slip in."""
    random = np.random.default_rng(3)
    for _ in range(30):
        arrives = np.sort(random.integers(0, 60, 40))
        jobs = Jobs(arrives, random.integers(1, 4, 40), random.integers(0, 2, 40))
        assert begins_at(jobs, 1).tolist() == plainly(jobs).tolist()
