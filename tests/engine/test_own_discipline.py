"""A discipline of one's own on the readable engine (rule 20), and what holds all the same."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from typing_extensions import override

import outsim
from outsim import Discipline, EngineError, PortsInUse, QueuedCall
from outsim.clock import SECOND, after
from outsim.engine import execute
from outsim.engine.records import Records
from outsim.plan import build_plan
from outsim.results.checkpoint import simulate
from outsim.results.invariants import check_invariants, violations
from outsim.results.result import Result
from outsim.scenario import Scenario
from outsim.scenario.loading import load
from outsim.tape import Tape
from tests.both_engines import first_difference
from tests.strategies import mappings

from .scenarios import campaign, dispatched, order_of_dispatch, part, recorded, scenario


class FirstAttemptsFirst(Discipline):
    @override
    def order(self, call: QueuedCall) -> Any:
        return call.attempt > 1, call.entry

    @override
    def choose(self, heads: Sequence[QueuedCall], ports: PortsInUse) -> QueuedCall:
        return min(heads, key=self.order)


class Priority(Discipline):
    @override
    def choose(self, heads: Sequence[QueuedCall], ports: PortsInUse) -> QueuedCall:
        return min(heads, key=lambda call: (call.priority, call.entry))


class EarliestExpiry(Discipline):
    @override
    def order(self, call: QueuedCall) -> Any:
        return (float("inf") if call.expires_us is None else call.expires_us), call.entry

    @override
    def choose(self, heads: Sequence[QueuedCall], ports: PortsInUse) -> QueuedCall:
        return min(heads, key=self.order)


class Quarters(Discipline):
    """A quarter of the ports in service is guaranteed to each of these tenants."""

    tenants = ("acme", "zulu")

    @override
    def choose(self, heads: Sequence[QueuedCall], ports: PortsInUse) -> QueuedCall:
        def place(call: QueuedCall) -> tuple[bool, Fraction, int]:
            guaranteed = Fraction(ports.in_service, 4) * (call.tenant in self.tenants)
            held = ports.busy[call.tenant]
            is_below = held < guaranteed
            return not is_below, held / guaranteed if is_below else Fraction(), call.entry

        return min(heads, key=place)


def in_own_words(asked: Scenario, own: Discipline | None) -> Records:
    return execute(build_plan(asked, Tape(asked.seed)), "simpy", discipline=own)[0]


@pytest.mark.parametrize(
    ("queue", "own"),
    [
        ("fifo", Discipline),
        ("priority", Priority),
        ("earliest_expiry", EarliestExpiry),
        ("guaranteed", Quarters),
    ],
)
def test_what_the_model_has_can_be_said_in_python(queue: str, own: type[Discipline]) -> None:
    """The records of random scenarios are those of the queue that is built in."""
    reordered = Counter[bool]()

    @settings(max_examples=60)
    @given(mappings(3))
    def equal(mapping: dict[str, Any]) -> None:
        mapping["platform"]["queue"] = queue
        mapping["platform"] |= {"ports": 2, "dial_burst": 1}
        for place, each in enumerate(mapping["campaign"]):
            each["priority"] = 9 - place
            if place % 2:
                each["expires_at"] = after(mapping["clock"]["latest"], (9 - place) * SECOND)
        mapping["tenant"] = [
            {"name": name, "guaranteed_share": 0.25 * (name in Quarters.tenants)}
            for name in sorted({each["tenant"] for each in mapping["campaign"]})
        ]
        asked = load(mapping)
        built_in, mine = in_own_words(asked, None), in_own_words(asked, own())
        plan = build_plan(asked, Tape(asked.seed))
        difference = first_difference(plan, built_in, mine, ("built in", "own"))
        assert not difference, difference
        plain = in_own_words(asked, Discipline())
        reordered[bool(first_difference(plan, plain, mine))] += 1

    equal()
    assert reordered[True] >= 3 * (queue != "fifo")


LISTS = (
    campaign("again", contacts=1, max_retry=1),
    campaign("first", tenant="zeta", start=50, contacts=2),
    campaign("later", tenant="zeta", start=65, contacts=2),
)


def run(discipline: Any, *campaigns: dict[str, Any], **parts: Any) -> Result:
    platform = {"ports": 1} | parts.pop("platform", {})
    asked = scenario(*(campaigns or LISTS), platform=platform, **parts)
    tape = recorded(again=["busy"]) if not campaigns else None
    return simulate(asked, engine="simpy", discipline=discipline, tape=tape)


def test_only_the_order_of_the_queue_is_its_own() -> None:
    """The invariants of the queue's order are for the queues that are built in; others hold."""
    result = run(FirstAttemptsFirst)
    assert order_of_dispatch(result) == ["again", *["first"] * 2, *["later"] * 2, "again"]
    check_invariants(result)
    again = run(None)
    object.__setattr__(result.arrays, "plan", again.arrays.plan)  # as if it had been FIFO
    assert {broken.invariant for broken in violations(result)} == {"queue order is kept"}


def test_what_is_held_back_is_not_to_choose_from() -> None:
    seen: list[set[str]] = []

    class Watching(Discipline):
        @override
        def choose(self, heads: Sequence[QueuedCall], ports: PortsInUse) -> QueuedCall:
            seen.append({call.campaign for call in heads})
            return heads[-1]

    result = run(
        Watching,
        campaign("held", contacts=2),
        campaign("free", tenant="zeta", contacts=2),
        suspension=[part(tenant="acme", begins=0, ends=25)],
    )
    assert dispatched(result, "held") == [40.0, 60.0]
    assert {"held"} in seen
    assert {"free"} in seen
    check_invariants(result)


def test_it_may_remember_who_went() -> None:
    """Each campaign in turn: what `dispatched` is told decides."""

    class InTurn(Discipline):
        def __init__(self) -> None:
            self.made: Counter[str] = Counter()

        @override
        def choose(self, heads: Sequence[QueuedCall], ports: PortsInUse) -> QueuedCall:
            return min(heads, key=lambda call: (self.made[call.campaign], call.entry))

        @override
        def dispatched(self, call: QueuedCall) -> None:
            self.made[call.campaign] += 1

    lists = campaign("one", contacts=4), campaign("two", tenant="zeta", start=1, contacts=3)
    for _ in range(2):  # made anew for each run
        assert order_of_dispatch(run(InTurn, *lists)) == [*["one", "two"] * 3, "one"]


def test_a_saved_result_knows_that_the_queue_went_its_own_way(tmp_path: Path) -> None:
    result = run(FirstAttemptsFirst)
    result.save(tmp_path / "own")
    loaded = outsim.load_result(tmp_path / "own")
    assert loaded.attempts.equals(result.attempts)
    check_invariants(loaded)


class ChoosesOthers(Discipline):
    @override
    def choose(self, heads: Sequence[QueuedCall], ports: PortsInUse) -> QueuedCall:
        return None  # type: ignore[return-value]


class OrdersByNothing(Discipline):
    @override
    def order(self, call: QueuedCall) -> Any:
        return None


class OrdersByNotANumber(Discipline):
    @override
    def order(self, call: QueuedCall) -> Any:
        return float("nan")


class OrdersByThisAndThat(Discipline):
    @override
    def order(self, call: QueuedCall) -> Any:
        return call.entry if call.entry % 2 else str(call.entry)


@pytest.mark.parametrize(
    ("discipline", "message"),
    [
        (ChoosesOthers, r"ChoosesOthers\.choose: found None; must be one of the calls"),
        (OrdersByNothing, r"OrdersByNothing\.order: found None, which can't be compared"),
        (OrdersByNotANumber, r"OrdersByNotANumber\.order: found nan, which can't be compared"),
        (OrdersByThisAndThat, r"order: found 1, which can't be compared with '0'; give numbers"),
        (Priority(), "give a class made from outsim.Discipline"),
        (dict, "give a class made from outsim.Discipline"),
        ("fifo", "discipline: found 'fifo'; give a class made from outsim.Discipline"),
    ],
)
def test_what_is_no_discipline_is_refused(discipline: Any, message: str) -> None:
    with pytest.raises(EngineError, match=message):
        run(discipline)


def test_the_compiled_engine_takes_none() -> None:
    asked = scenario(*LISTS)
    with pytest.raises(EngineError, match="discipline: the compiled engine takes none"):
        simulate(asked, engine="compiled", discipline=Priority)
    with pytest.raises(EngineError, match="discipline: a run up to a moment takes none"):
        simulate(asked, until="09:01", discipline=Priority)  # type: ignore[call-overload]
    assert simulate(asked, discipline=Priority).engine == "simpy"


def test_the_one_in_the_documents_does_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a small version of its scenario nobody gets more than half while others wait."""
    text = (Path(outsim.__file__).parents[1] / "docs" / "queue.md").read_text()
    (block,) = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    small = scenario(
        campaign("long", contacts=30),
        campaign("short", tenant="zeta", start=5, contacts=8),
        campaign("soon", tenant="bolt", start=6, contacts=4, expires_at=3000),
        platform={"ports": 4},
    )
    monkeypatch.setattr(outsim, "load", lambda _: small)
    names: dict[str, Any] = {}
    exec(block, names)
    order = order_of_dispatch(names["result"])
    assert order[:4] == ["long"] * 4
    assert order[4:8] == ["soon", "soon", "long", "long"]
    check_invariants(names["result"])
