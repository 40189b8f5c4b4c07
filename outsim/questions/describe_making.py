"""What scenario and code say of data, experiments and implementation."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable
from importlib.metadata import metadata, version

from outsim.clock import format_duration
from outsim.engine.order import EventClass
from outsim.estimates import LEVEL
from outsim.questions.compare import USUAL
from outsim.questions.describe_parts import (
    Subject,
    Table,
    Told,
    called,
    referred,
    said_of,
)
from outsim.scenario.defaults import GRADES
from outsim.scenario.provenance import AUTHOR, Entry

LIBRARIES = ("simpy", "numba", "numpy", "scipy", "pandas", "pydantic", "pyarrow", "SALib")
"""Packages whose versions a description names: what runs, draws, estimates and keeps."""


def _data_sources(subject: Subject) -> Told:
    said, gaps = said_of(
        subject, "data", "who gathered the scenario's own data, when, and how many there are"
    )
    entries = [each for each in subject.ledger if each.source and each.grade != GRADES["A"]]
    by_source: dict[tuple[str, str], list[str]] = {}
    for each in entries:
        by_source.setdefault((each.source, each.grade), []).append(each.key)
    rows = tuple((source, grade, ", ".join(keys)) for (source, grade), keys in by_source.items())
    return Told(
        (
            *said,
            "Sources of the numbers that are measured, stated or calibrated; 3.4 has the rest.",
        ),
        gaps,
        table=Table(("source", "grade", "used for"), rows),
    )


def _preprocessing(subject: Subject) -> Told:
    said, gaps = said_of(subject, "preprocessing", "what was done to data before they came in")
    lists = [each for each in subject.scenario.campaign if each.contact_list is not None]
    told = tuple(
        f"Contact list of {called(each)}: {len(each.contact_list)} rows are read, "
        f"{len(each.contact_list.rejected)} of them are rejected and listed."
        for each in lists
        if each.contact_list is not None
    )
    drawn = (
        "Drawn durations are whole milliseconds; simulated time is counted in whole microseconds."
    )
    return Told((*said, *told, drawn), gaps)


def _parameters(subject: Subject) -> Told:
    rows = tuple(_row(each) for each in subject.ledger)
    counts = ", ".join(f"{count} {grade}" for grade, count in subject.ledger.by_grade.items())
    return Told(
        (f"{len(rows)} numbers and words, by grade: {counts}.",),
        table=Table(("key", "value", "from", "grade", "plausible range"), rows),
    )


def _row(entry: Entry) -> tuple[str, ...]:
    return (entry.key, entry.value, entry.written_in, entry.grade, entry.range or "none given")


def _assumptions(subject: Subject) -> Told:
    entries = [each for each in subject.ledger if each.grade == GRADES["A"]]
    own = [each.key for each in subject.ledger if each.grade == AUTHOR]
    rows = tuple((each.key, each.value, each.source) for each in entries)
    alone = (
        f"Set by the author without a source: {', '.join(own)}." if own else "No more than these."
    )
    return Told(
        (
            "Numbers that nobody has measured or stated. How far each of them moves the answer is "
            "told by `outsim assumptions SCENARIO --effect`.",
            alone,
        ),
        table=Table(("key", "value", "why"), rows),
    )


# 4 Experimentation


def _initialisation(subject: Subject) -> Told:
    snapshot = subject.scenario.snapshot
    begins = (
        "The run begins with the queue of a snapshot; what it leaves out is drawn."
        if snapshot is not None
        else "The run begins empty: no call is queued, all ports are free, token buckets are full."
    )
    return Told(
        (
            "The system is terminating: a run is a stretch of a certain day. There is no warm-up. "
            + begins,
        )
    )


def _run_length(subject: Subject) -> Told:
    clock = subject.scenario.clock
    planned = (clock.ends - clock.begins).total_seconds()
    return Told(
        (
            f"From {clock.begins:%Y-%m-%d %H:%M} to {clock.ends:%Y-%m-%d %H:%M} {clock.zone}, "
            f"{format_duration(round(planned * 1_000_000))}. A run whose campaign under study is "
            f"not over then goes on by whole hours, to {clock.latest_end:%Y-%m-%d %H:%M} at most.",
            "Simulated time is counted in whole microseconds.",
        )
    )


def _estimation(_: Subject) -> Told:
    return Told(
        (
            "Independent replications, each with random numbers of its own. A comparison takes "
            f"{USUAL} of them if nothing is said; `--precision` runs as many as an interval of "
            "that width takes, on a schedule that is fixed beforehand.",
            f"Intervals are Student's t over replications, {LEVEL:.0%}. A quantile is the mean "
            "over replications of each run's quantile; a probability is one over runs (Wilson). "
            "Scenarios share their random numbers; their differences are paired, and hold "
            "together where there are several (Bonferroni).",
        )
    )


# 5 Implementation


def _software(_: Subject) -> Told:
    return Told(
        (
            f"outsim {version('outsim')}, in Python {platform.python_version()} "
            f"({platform.python_implementation()}), on {platform.platform()}.",
            f"Libraries: {', '.join(f'{name} {version(name)}' for name in LIBRARIES)}.",
        )
    )


def _sampling(subject: Subject) -> Told:
    return Told(
        (
            "PCG64 of numpy, seeded by numpy's SeedSequence: one stream for each (seed, "
            "replication, tenant, campaign, purpose, attempt number), and one uniform number for "
            "each call in it. Durations come from uniform numbers by quantile functions.",
            "So a change of capacity, of a start or of another campaign changes no draw of "
            "anybody else's: scenarios have common random numbers by construction. Engines draw "
            "nothing.",
            f"The scenario's seed is {subject.scenario.seed}.",
        )
    )


def _execution(_: Subject) -> Told:
    order = ", ".join(each.name.lower().replace("_", " ") for each in EventClass)
    return Told(
        (
            "Process interaction, on SimPy; a compiled engine of the same rules gives the same "
            "records, bit for bit.",
            f"Events at the same instant have an order: by class ({order}), then by tenant, "
            "campaign, place in the campaign and attempt.",
            referred(3, 5),
            "A run is sequential. Replications run in threads, in processes, or on Dask's "
            "workers; who runs them changes no figure.",
        )
    )


def _system(_: Subject) -> Told:
    machine = platform.machine() or "an unknown processor"
    return Told(
        (f"Described on {machine} with {os.cpu_count()} cores, {sys.platform}.",),
        ("only the author can say how long the study took, and on which machine it was run.",),
    )


# 6 Code access


def _sharing(subject: Subject) -> Told:
    said, gaps = said_of(subject, "sharing", "how others can get the scenario and its data")
    licence = metadata("outsim")["License-Expression"]
    return Told(
        (*said, f"The model is outsim {version('outsim')}, under the {licence} licence."), gaps
    )


TEXTS: dict[str, Callable[[Subject], Told]] = {
    "3.1": _data_sources,
    "3.2": _preprocessing,
    "3.3": _parameters,
    "3.4": _assumptions,
    "4.1": _initialisation,
    "4.2": _run_length,
    "4.3": _estimation,
    "5.1": _software,
    "5.2": _sampling,
    "5.3": _execution,
    "5.4": _system,
    "6.1": _sharing,
}
"""What is told of each item, by its number."""
