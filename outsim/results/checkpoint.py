"""A run that stands at a moment and is continued in several ways, each equal to a whole run.

The compiled engine's state is plain arrays: it can be copied, and the past is paid once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, overload

from outsim.clock import NEVER, after, format_duration
from outsim.engine import Engine, Records, execute
from outsim.engine.discipline import Discipline
from outsim.errors import EngineError
from outsim.plan import Plan, build_plan, of_own_discipline
from outsim.progress import Progress, unseen
from outsim.results.result import Result
from outsim.results.run_arrays import RunArrays, in_run
from outsim.results.tables.run_tables import RunTables
from outsim.scenario.difference import Difference, differences
from outsim.scenario.model import Scenario
from outsim.tape import Tape
from outsim.text import bounded

TO_COME = re.compile(
    r"campaign\[.*\]\.(start|submitted_at|stop_at|stop_reaches|stop_cancels_retries|stop_mode"
    r"|cancel_rate|cancel_order|expires_at)"
    r"|(suspension|pause|outage)\[.*|study(\..*)?|clock\.ends|seed"
)
"""Keys of a scenario that a branch may change: they have their effect at a known instant, or
after the run."""


class Checkpoint:
    """A run up to a moment; `resume` continues it, as often as wanted, also in several threads.

    What `outsim.simulate` gives with ``until``.
    """

    def __init__(
        self, scenario: Scenario, tape: Tape, at: datetime, progress: Progress = unseen
    ) -> None:
        from outsim.engine.compiled.run import Run

        self.scenario = scenario
        self.tape = tape.remembering()
        self.at = at
        """The moment: everything before it has happened."""
        self._plan = build_plan(scenario, self.tape)
        self._run = Run(self._plan, progress)
        self._run.advance(scenario.instant_us(at))

    def resume(self, scenario: Scenario | None = None) -> Result:
        """Continue to the end, as the scenario says or another one with the same past.

        `scenario` may change starts, stops, expiries, suspensions, pauses and outages from the
        moment on, and the end of the run. The result is the same, to the last bit, as
        `outsim.simulate` gives for it.

        Raises
        ------
        EngineError
            If the scenario's past is another one; the message says in what.
        """
        changed = scenario or self.scenario
        plan = self._plan
        if scenario is not None:
            plan = build_plan(scenario, self.tape)
            self._check(scenario, plan)
        frames = RunTables(RunArrays(changed, plan, self._run.branch(plan).finish()))
        return Result(frames, self.tape.seed, self.tape.replication, "compiled")

    def _check(self, scenario: Scenario, plan: Plan) -> None:
        """Refuse a scenario with another past."""
        for difference in differences(self.scenario, scenario):
            if not TO_COME.fullmatch(difference.key):
                raise EngineError(
                    f"{_in_words(difference)}: a branch has the same past. It can change starts, "
                    "stops, expiries, suspensions, pauses, outages and the end of the run, from "
                    f"{self.at:%H:%M:%S} on"
                )
        # With another end at the latest there may be more of them, which is refused below.
        for ours, theirs in zip(self._plan.campaigns, plan.campaigns, strict=False):
            if ours.loading_us != theirs.loading_us and ours.requests_us is not None:
                raise EngineError(
                    f"campaign {ours.full_name}: a branch can't change the start of a "
                    "campaign of single requests; run each start by itself"
                )
        from_us = self.scenario.instant_us(self.at)
        for what, at_us in sorted(_apart(self._plan, plan), key=str):
            if at_us < from_us:
                when = after(self.scenario.clock.begins, at_us)
                raise EngineError(
                    f"{what} at {when:%H:%M:%S}: that is before {self.at:%H:%M:%S}, where the "
                    "branches part; let the run stop earlier, or change only what comes later"
                )
        if plan.ends_us < from_us or plan.latest_us != self._plan.latest_us:
            raise EngineError(
                f"clock.ends: a branch ends after {self.at:%H:%M:%S}, and at the latest when "
                "its past would have: give both the same clock.latest"
            )

    def __repr__(self) -> str:
        return bounded(
            f"Checkpoint({self.scenario.name!r}, up to {self.at:%Y-%m-%d %H:%M:%S}, {self.tape!r})"
        )


def _in_words(difference: Difference) -> str:
    return f"{difference.key} ({difference.left}, then {difference.right})"


def _apart(plan: Plan, other: Plan) -> set[tuple[str, int]]:
    """What is done to the platform from outside in one of two runs only: what, and when."""
    return set(_happened(plan)) ^ set(_happened(other))


def _happened(plan: Plan) -> Iterator[tuple[str, int]]:
    """Everything that is done to the platform from outside: what it is, and when."""
    by_expiry = plan.platform.discipline.by_expiry
    for campaign in plan.campaigns:
        if campaign.background:
            continue  # its tape says when it starts, and nothing else is done to it
        rules, name = campaign.rules, campaign.full_name
        yield f"the start of {name}", campaign.loading_us
        yield f"the submission of {name}", campaign.submitted_us
        how = ", reaching the queue" if rules.stop_reaches_queue else ""
        how += "" if rules.stop_cancels_retries else ", sparing retries"
        if rules.cancel_rate:
            order = "newest" if rules.cancels_newest_first else "oldest"
            how += f", call by call ({rules.cancel_rate}, {order} first)"
        yield f"the stop of {name}{how}", rules.stop_effect_us
        yield f"the expiry of {name}", rules.expires_us
        if by_expiry and rules.expires_us < NEVER:
            # From its first call on, the order of the queue rests on it.
            expires = format_duration(rules.expires_us)
            yield (
                f"the queueing of {name}, which expires {expires} into the run",
                campaign.loading_us,
            )
    for suspension in plan.suspensions:
        yield f"a {suspension.label}", suspension.begins_us
        yield f"the end of a {suspension.label}", suspension.ends_us
    for outage in plan.outages:
        what: Any = outage.count or "all"
        where = f"{outage.of} ({what}{', dropping calls' if outage.drop else ''})"
        if outage.endpoint >= 0:
            where = f"endpoint {plan.endpoints[outage.endpoint].name}"
        yield f"an outage of {where}", outage.begins_us
        yield f"the end of an outage of {where}", outage.ends_us


def is_family(scenarios: Sequence[Scenario]) -> bool:
    """Whether scenarios differ only in what a branch may change, so that they share a past."""
    first, *others = scenarios
    if any(campaign.requests is not None for campaign in first.campaign):
        return False
    if any(scenario.snapshot is not None for scenario in scenarios):
        return False
    return all(
        other.clock.latest_end == first.clock.latest_end
        and all(TO_COME.fullmatch(difference.key) for difference in differences(first, other))
        for other in others
    )


def run_family(
    plans: Sequence[Plan], progress: Progress = unseen
) -> Iterator[tuple[int, Records]]:
    """Run plans of one family and one tape, their common past once, in the order they part."""
    from outsim.engine.compiled.run import Run

    def parts_us(place: int) -> int:
        apart = min((at_us for _, at_us in happened[last] ^ happened[place]), default=NEVER)
        return max(0, min(apart, plans[place].ends_us, plans[last].ends_us))

    # The others part from the one in which what differs comes last.
    happened = [set(_happened(plan)) for plan in plans]
    last = max(range(len(plans)), key=lambda k: sorted(at_us for _, at_us in happened[k]))
    past = Run(plans[last], progress)
    others = sorted((parts_us(place), place) for place in range(len(plans)) if place != last)
    for at_us, place in others:
        past.advance(at_us)
        records = past.branch(plans[place]).finish()
        past.make_ready(records)
        yield place, records
        del records  # whoever asked for them may be done with them by now
    yield last, past.finish()


@overload
def simulate(
    scenario: Scenario,
    *,
    seed: int | None = None,
    replication: int = 0,
    engine: Engine = "auto",
    tape: Tape | None = None,
    until: None = None,
    discipline: Callable[[], Discipline] | None = None,
    progress: Progress | None = None,
) -> Result: ...


@overload
def simulate(
    scenario: Scenario,
    *,
    seed: int | None = None,
    replication: int = 0,
    tape: Tape | None = None,
    until: datetime | str,
    progress: Progress | None = None,
) -> Checkpoint: ...


def simulate(
    scenario: Scenario,
    *,
    seed: int | None = None,
    replication: int = 0,
    engine: Engine = "auto",
    tape: Tape | None = None,
    until: datetime | str | None = None,
    discipline: Callable[[], Discipline] | None = None,
    progress: Progress | None = None,
) -> Result | Checkpoint:
    """Run a scenario once, to its end or up to a moment.

    Parameters
    ----------
    scenario : Scenario
        What `outsim.load` gives.
    seed : int, optional
        Seed of the tape; default: the scenario's.
    replication : int
        Which replication of this seed, from 0.
    engine : "auto", "simpy" or "compiled"
        Which engine runs it: the readable one, the quick one, or by size; the choice never
        changes a result.
    tape : Tape, optional
        Random inputs to use instead of those of seed and replication, for
        example recorded ones.
    until : datetime or str, optional
        Moment at which the run stands still, to be continued in several ways: an aware datetime,
        or a local clock time such as ``"10:05"``. Such a run is the compiled engine's.
    discipline : class made from Discipline, optional
        Who goes next in the queue, of your own making, instead of ``platform.queue``. Such a run
        is the readable engine's; see `outsim.Discipline`.
    progress : callable, optional
        Told a few times a second (microseconds simulated, microseconds in all); what it raises
        ends the run.

    Returns
    -------
    Result or Checkpoint
        Tables of calls, attempts, updates and deliveries, and where they come from; with `until`,
        the run up to that moment: `Checkpoint.resume` gives a whole result.

    Raises
    ------
    EngineError
        If there is no such engine, or a run that is to stand still asks for the readable one, or
        one with a discipline of its own for the compiled one.
    MomentError
        If `until` is no moment, or lies outside the run.
    TapeError
        If seed or replication is negative, or too large.

    Examples
    --------
    >>> import outsim
    >>> result = outsim.simulate(outsim.load("scenarios/stop-race.toml"), seed=1)
    >>> result.calls["campaign"].value_counts().to_dict()
    {'paced offer': 5000, 'unpaced offer': 5000, 'steady notices': 3000}
    >>> checkpoint = outsim.simulate(result.scenario, seed=1, until="09:31")
    >>> checkpoint.resume().calls.equals(result.calls)
    True
    """
    if tape is None:
        tape = Tape(scenario.seed if seed is None else seed, replication)
    if until is not None:
        if discipline is not None:
            raise EngineError("discipline: a run up to a moment takes none; leave out until")
        if engine == "simpy":
            raise EngineError("until: only the compiled engine stands still; leave engine out")
        latest_us = scenario.instant_us(scenario.clock.latest_end)
        return Checkpoint(scenario, tape, in_run(scenario, until, latest_us), progress or unseen)
    plan, own = build_plan(scenario, tape), None
    if discipline is not None:
        own = _made(discipline)
        plan = of_own_discipline(plan, type(own).__name__)
    records, ran_on = execute(plan, engine, progress or unseen, own)
    frames = RunTables(RunArrays(scenario, plan, records))
    return Result(frames, tape.seed, tape.replication, ran_on)


def _made(discipline: object) -> Discipline:
    """A discipline for one run, of the class that was given."""
    made = discipline() if callable(discipline) else None
    if not isinstance(made, Discipline):
        raise EngineError(
            f"discipline: found {discipline!r}; give a class made from outsim.Discipline"
        )
    return made
