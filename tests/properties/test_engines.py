"""Both engines give the same records, bit for bit, in random scenarios full of ties."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outsim.plan import build_plan
from outsim.results.checkpoint import simulate
from outsim.results.invariants import check_invariants
from outsim.results.result import Result
from outsim.results.run_arrays import RunArrays
from outsim.results.tables.run_tables import RunTables
from outsim.scenario import Scenario
from outsim.scenario.loading import with_snapshot
from outsim.scenario.snapshot import STATES
from outsim.tape import Tape
from tests.both_engines import first_difference, on_both_engines
from tests.occurrences import occurrences
from tests.strategies import crowded_scenarios, scenarios, standing_scenarios
from tests.ties import ties

DEPTHS = ("quick", pytest.param("deep", marks=pytest.mark.deep))

OFTEN = 50
"""How often a rule and a tie occur at least over all scenarios of the test."""

SEVERAL = 5
"""How often calls stand in a state at least, over all cuts of the test."""

RARE = {
    "ties: dials that share an instant, not in the order of call_id": SEVERAL,
    "tie: a repair, an answer": SEVERAL,
    "tie: a request, an attempt ends": SEVERAL,
    "9 failed after the expiry": SEVERAL,
}
"""What few scenarios bring about, and how often it occurs at least."""

NO_OCCURRENCES = {
    "clock: minutes": "simulated minutes, not something that occurs",
}


@pytest.mark.parametrize("depth", DEPTHS)
def test_both_engines_give_the_same_records(depth: str) -> None:
    """And every rule and every kind of tie occurs often, or the test would mean nothing."""
    occurred: Counter[str] = Counter()

    @settings(max_examples=max(1_500, settings.default.max_examples))
    @given(st.one_of(scenarios(), crowded_scenarios(), crowded_scenarios(), standing_scenarios()))
    def agree(scenario: Scenario) -> None:
        plan = build_plan(scenario, Tape(scenario.seed))
        readable, compiled = on_both_engines(plan)
        difference = first_difference(plan, readable, compiled)
        assert not difference, difference
        occurred.update(ties(plan, readable))
        occurred.update(occurrences(RunArrays(scenario, plan, readable)))

    agree()
    for name, count in sorted(occurred.items(), key=lambda item: item[1]):
        print(f"{count:9,} {name}")  # noqa: T201
    seldom = {name: count for name, count in occurred.items() if count < RARE.get(name, OFTEN)}
    assert set(seldom) <= set(NO_OCCURRENCES), seldom


@pytest.mark.parametrize("depth", DEPTHS)
def test_both_engines_give_the_same_records_from_a_queue_as_it_stands(depth: str) -> None:
    """A random run is cut at a random moment, and goes on from there by the laws.

    Calls stand in every state, or the test would mean nothing.
    """
    stood: Counter[str] = Counter()

    @settings(max_examples=max(250, settings.default.max_examples // 4))
    @given(st.one_of(scenarios(), crowded_scenarios()), st.floats(0, 1))
    def agree(scenario: Scenario, place: float) -> None:
        run = simulate(scenario, engine="simpy")
        happened = run.updates["happened_at"]
        moment = scenario.clock.begins
        if len(happened):
            # Right after something happened: calls then stand in every state.
            moment = happened.iloc[int(place * (len(happened) - 1))].to_pydatetime()
        standing = with_snapshot(scenario, run.snapshot(moment))
        assert standing.snapshot is not None
        for campaign in standing.snapshot.campaign:
            stood.update({state: campaign.count(state) for state in STATES})
        plan = build_plan(standing, Tape(scenario.seed, 1))
        readable, compiled = on_both_engines(plan)
        difference = first_difference(plan, readable, compiled)
        assert not difference, difference
        frames = RunTables(RunArrays(standing, plan, readable))
        check_invariants(Result(frames, scenario.seed, 1, "simpy"))

    agree()
    assert min(stood[state] for state in STATES) >= SEVERAL, stood
