"""What scenario and code say for each item of STRESS-DES; see `outsim.report.stress_des`."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import metadata, version

from outsim.clock import format_duration
from outsim.engine.order import EventClass
from outsim.engine.records import MODEL_VERSION
from outsim.engine.rules import RULES, Rule
from outsim.estimates import LEVEL
from outsim.outcomes import OUTCOMES, STATUSES
from outsim.scenario.background import Background
from outsim.scenario.campaigns import Campaign
from outsim.scenario.defaults import GRADES
from outsim.scenario.difference import differences
from outsim.scenario.ledger import AUTHOR, Entry, Ledger
from outsim.scenario.model import Scenario
from outsim.study.comparison import USUAL
from outsim.tables.measures import MEASURES

LIBRARIES = ("simpy", "numba", "numpy", "scipy", "pandas", "pydantic", "pyarrow", "SALib")
"""Packages whose versions a description names: what runs, draws, estimates and keeps."""


@dataclass(frozen=True)
class Subject:
    """What is described."""

    scenario: Scenario
    others: tuple[Scenario, ...]
    ledger: Ledger


@dataclass(frozen=True)
class Table:
    """A table of text in an item."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Told:
    """What is told of an item."""

    paragraphs: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
    diagram: str = ""
    table: Table | None = None


def _said(subject: Subject, key: str, what: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the author says under a key of [about]; or the gap that is left without it."""
    about = subject.scenario.about
    text = getattr(about, key) if about is not None else None
    if text is not None:
        return (text,), ()
    return (), (f"only the author can say {what}; write it under [about] as {key}.",)


def _rules(*numbers: int) -> tuple[str, ...]:
    return tuple(_rule(RULES[number - 1]) for number in numbers)


def _refer(*numbers: int) -> str:
    named = "; ".join(f"{RULES[number - 1].name} (rule {number})" for number in numbers)
    return f"As told in 2.2: {named}."


def _rule(rule: Rule) -> str:
    return f"Rule {rule.number}, {rule.name}: {rule.text}"


def _called(campaign: Campaign) -> str:
    return f"{campaign.tenant}/{campaign.name}"


def _value(subject: Subject, key: str) -> str:
    return next(each.value for each in subject.ledger if each.key == key)


# 1 Objectives


def _purpose(subject: Subject) -> Told:
    said, gaps = _said(subject, "purpose", "why this scenario was made and what is decided by it")
    return Told(
        (
            *said,
            "The model is outsim's: a shared, multi-tenant outbound calling platform. It tells "
            "what happens to every call of every campaign, and what the customer sees of it and "
            "when. It is for planning capacity, for analysis, and for tests of queue behaviour.",
        ),
        gaps,
    )


def _outputs(subject: Subject) -> Told:
    study = subject.scenario.campaign_under_study
    of = f"of the campaign under study, {_called(study)}" if study else "of all calls"
    rows = tuple(
        (
            each.label_at(subject.scenario.deadline),
            each.name,
            (each.compute.__doc__ or "").partition("\n\n")[0].rstrip("."),
        )
        for each in MEASURES
    )
    return Told(
        (
            f"Figures {of}, from the records of the whole run, after it has ended. A figure that "
            "the run was too short for is missing, never guessed.",
            f"Each is given as its mean over replications with a {LEVEL:.0%} confidence interval; "
            "see 4.3.",
        ),
        table=Table(("figure", "name", "definition"), rows),
    )


def _aims(subject: Subject) -> Told:
    said, gaps = _said(subject, "aims", "what is tried out, and why these scenarios were chosen")
    scenarios = (subject.scenario, *subject.others)
    names = "; ".join(each.name for each in scenarios)
    return Told((*said, f"Scenarios described here: {names}."), gaps)


# 2 Logic

_DIAGRAM = """\
campaigns of the scenario     background tenants
list, count or requests       drawn in each replication
        |                              |
        +---------------+--------------+
                        v
   scheduled; loader {loader}, pacing
                        |
                        v
+---> outbound queue ({queue})
|                       |
|                       v
|  dispatch: {ports} ports, {rate}, burst {burst}
|                       |
|                       v
|  dial work {dial}, {workers} workers
|                       |
|                       v
|  carrier: {carrier}, {channels} channels
|       | refuses                 | admits
|       v                         v
|  congestion             ring, answer, talk
|       |                         |
+-------+--- retry interval ------+
  attempts left, unless answered  |
                                  v
          completed, failed, canceled, expired

every change of status
        |
        v
backlog of updates, first in, first out
        |
        v
workers, while no dial work waits: {status} each
        |
        v
visible to the customer, then POST to result_url"""


def _overview(subject: Subject) -> Told:
    diagram = _DIAGRAM.format(
        loader=_value(subject, "platform.loader_rate"),
        queue=_value(subject, "platform.queue"),
        ports=_value(subject, "platform.ports"),
        rate=_value(subject, "platform.dial_rate"),
        burst=_value(subject, "platform.dial_burst"),
        dial=_value(subject, "platform.dial_work"),
        status=_value(subject, "platform.status_work"),
        workers=_value(subject, "platform.workers"),
        carrier=_value(subject, "carrier.rate"),
        channels=_value(subject, "carrier.channels"),
    )
    return Told(
        ("The way of a call through the platform, with this scenario's values.",), (), diagram
    )


def _logic(_: Subject) -> Told:
    return Told(
        (
            f"The model (version {MODEL_VERSION}) has {len(RULES)} rules. They are carried out by "
            "two engines, a readable one and a quick one, whose records are equal.",
            *(_rule(rule) for rule in RULES),
        )
    )


def _scenario_logic(subject: Subject) -> Told:
    if not subject.others:
        return Told(
            (
                "One scenario is described, so that there is none to differ from it. Given "
                "others, a description lists every key in which they differ.",
            )
        )
    rows = tuple(
        (other.name, each.key, each.left, each.right)
        for other in subject.others
        for each in differences(subject.scenario, other)
    )
    return Told(
        (
            f"Differences from the base case, {subject.scenario.name}, in what the "
            "scenarios mean. The rules are the same in all of them.",
        ),
        table=Table(("scenario", "key", "base case", "here"), rows),
    )


def _algorithms(subject: Subject) -> Told:
    queue = subject.scenario.platform.queue
    fair = {
        "fifo": "Dispatch takes the oldest entry that is eligible; lanes of entries that are held "
        "back together are left out while they are.",
        "fair": "Tenants take turns by start-time fair queueing: each as often as its weight "
        "says, oldest first within a tenant.",
        "first_attempts_first": "First attempts go before retries; oldest first among each.",
    }
    return Told(
        (
            fair[queue],
            "Rates are token buckets in integers, full at the start; pacing is one of a single "
            "token.",
            _refer(7, 14),
        )
    )


def _components(_: Subject) -> Told:
    return Told(("In five parts.",))


def _entities(subject: Subject) -> Told:
    rows = [_campaign_row(each) for each in subject.scenario.campaign]
    if subject.scenario.background is not None:
        rows.append(_background_row(subject.scenario.background))
    return Told(
        (
            "A tenant is a customer of the platform. A campaign is a tenant's list of contacts. A "
            "call is one contact's place in a campaign. An attempt is one dial of a call. An "
            "update is one change of a call's status. A delivery is one POST to a result_url.",
            f"Statuses of a call: {', '.join(STATUSES)}. Outcomes of an attempt: "
            f"{', '.join(OUTCOMES)}.",
        ),
        table=Table(("campaign", "start", "calls", "most retries"), tuple(rows)),
    )


def _campaign_row(campaign: Campaign) -> tuple[str, str, str, str]:
    size = "by request"
    if campaign.contact_list is not None:
        size = f"{len(campaign.contact_list):,} rows of a list"
    elif campaign.contacts is not None:
        size = f"{campaign.contacts:,}"
    return _called(campaign), f"{campaign.start:%H:%M}", size, str(campaign.max_retry)


def _background_row(background: Background) -> tuple[str, str, str, str]:
    return (
        f"background: {background.campaigns_per_hour} campaigns an hour of "
        f"{background.tenants} tenants",
        "drawn",
        f"lognormal, median {background.median_size:,}",
        str(background.max_retry),
    )


def _activities(_: Subject) -> Told:
    return Told((_refer(2, 4, 6, 7, 8, 10, 11),))


def _resources(subject: Subject) -> Told:
    used = {
        "platform.ports": "an attempt holds one from dispatch to its end",
        "platform.dial_rate": "each dispatch takes a token",
        "platform.workers": "dial work of attempts, and status updates",
        "carrier.rate": "each attempt that the carrier admits takes a token",
        "carrier.channels": "an attempt holds one from admission to its end",
        "platform.delivery_pool": "a post to a result_url holds one until it is answered",
    }
    rows = tuple((key, _value(subject, key), use) for key, use in used.items())
    return Told(table=Table(("resource", "here", "used by"), rows))


def _queues(_: Subject) -> Told:
    return Told(
        (
            *_rules(3, 5),
            "Status updates and posts wait first in, first out. No queue has a limit. Calls leave "
            "the outbound queue undialled only by expiry, or by a stop that reaches it.",
        )
    )


def _entry_exit(_: Subject) -> Told:
    return Told(
        (
            *_rules(1, 14),
            "A call leaves with its final status: completed, failed, canceled, expired, or "
            "rejected on entry. A wedged call never leaves.",
        )
    )


# 3 Data


def _data_sources(subject: Subject) -> Told:
    said, gaps = _said(
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
    said, gaps = _said(subject, "preprocessing", "what was done to data before they came in")
    lists = [each for each in subject.scenario.campaign if each.contact_list is not None]
    told = tuple(
        f"Contact list of {_called(each)}: {len(each.contact_list)} rows are read, "
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
            _refer(3, 5),
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
    said, gaps = _said(subject, "sharing", "how others can get the scenario and its data")
    licence = metadata("outsim")["License-Expression"]
    return Told(
        (*said, f"The model is outsim {version('outsim')}, under the {licence} licence."), gaps
    )


TEXTS: dict[str, Callable[[Subject], Told]] = {
    "1.1": _purpose,
    "1.2": _outputs,
    "1.3": _aims,
    "2.1": _overview,
    "2.2": _logic,
    "2.3": _scenario_logic,
    "2.4": _algorithms,
    "2.5": _components,
    "2.5.1": _entities,
    "2.5.2": _activities,
    "2.5.3": _resources,
    "2.5.4": _queues,
    "2.5.5": _entry_exit,
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
