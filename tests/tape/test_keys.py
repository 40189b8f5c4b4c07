"""Common random numbers by construction: what changes elsewhere changes no draw here."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import astuple
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outsim.plan import build_plan
from outsim.plan.campaigns import CampaignPlan
from outsim.results.checkpoint import simulate
from outsim.scenario import Scenario, load
from outsim.tape import Purpose, Tape
from tests.tape.digest import SCENARIO, SEED, attempt_arrays

BASE: dict[str, Any] = deepcopy(SCENARIO)
BASE["clock"]["ends"] = "13:00"
BASE["platform"] |= {"lost_updates": 0.1, "ports": 40, "start_jitter": "5 s"}
BASE["campaign"] = [
    {
        "name": name,
        "tenant": tenant,
        "start": "09:00",
        "contacts": 400,
        "missing_ani_share": 0.1,
        "retry_interval": "10 min",
        "asks_for_key": True,
        "result_url": "url",
    }
    for tenant, name in (("acme", "study"), ("bolt", "other"))
]
del BASE["background"]
# The human share then depends on nothing but the draw, so an outcome is one in any run.
FLAT = {"morning": 1.0, "afternoon": 1.0, "evening": 1.0, "night": 1.0}
BASE["callees"] = {"hour_factors": FLAT, "redial_factors": [1.0]}


def platform(**values: Any) -> Callable[[Any], None]:
    return lambda mapping: mapping["platform"].update(values)


def carrier(**values: Any) -> Callable[[Any], None]:
    return lambda mapping: mapping.update(carrier=values)


def study(**values: Any) -> Callable[[Any], None]:
    return lambda mapping: mapping["campaign"][0].update(values)


def add_a_campaign(mapping: Any) -> None:
    new = mapping["campaign"][1] | {"name": "a new one", "tenant": "aardvark"}
    mapping["campaign"].insert(0, new)


def remove_the_other(mapping: Any) -> None:
    del mapping["campaign"][1]


def rename_the_other(mapping: Any) -> None:
    mapping["campaign"][1] |= {"name": "renamed", "tenant": "zebra"}


def add_background(mapping: Any) -> None:
    mapping["background"] = {"campaigns_per_hour": 3, "median_size": 50}


CHANGES: dict[str, Callable[[Any], None]] = {
    "ports": platform(ports=7),
    "dial rate": platform(dial_rate="2/s"),
    "workers": platform(workers=9),
    "queue": platform(queue="fair"),
    "carrier": carrier(rate="5/s", burst=5, channels=60),
    "start": study(start="09:15"),
    "max_retry": study(max_retry=6),
    "a longer list": study(contacts=900),
    "pacing": study(pacing="30/min"),
    "stop": study(stop_at="09:30"),
    "another campaign added": add_a_campaign,
    "another campaign removed": remove_the_other,
    "another campaign renamed": rename_the_other,
    "background": add_background,
}


def changed(change: Callable[[Any], None]) -> Scenario:
    mapping = deepcopy(BASE)
    change(mapping)
    return load(mapping)


def of_study(scenario: Scenario, tape: Tape) -> CampaignPlan:
    plan = build_plan(scenario, tape)
    return next(c for c in plan.campaigns if c.key == ("acme", "study"))


def draws(campaign: CampaignPlan, calls: int) -> list[np.ndarray]:
    """Everything that the tape says about the first calls of a campaign."""
    jitter = np.array([campaign.loading_us - campaign.start_us])
    found = [jitter, *(array[:calls] for array in astuple(campaign.contacts))]
    for number in (1, 2, 3):
        found += [array[:calls] for array in attempt_arrays(campaign.attempts(number))]
        found += [array[:calls] for array in astuple(campaign.posts(number))]
    for number in (0, 1, 2, 3):
        updates = campaign.updates(number)
        found += [updates.lost[:calls], updates.status_work_us[:, :calls]]
    return found


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_elsewhere_leaves_every_draw_as_it_was(change: Callable[[Any], None]) -> None:
    before = draws(of_study(load(BASE), Tape(SEED)), 400)
    after = draws(of_study(changed(change), Tape(SEED)), 400)
    for one, two in zip(before, after, strict=True):
        assert one.dtype == two.dtype
        assert one.tobytes() == two.tobytes()


def dialed(scenario: Scenario) -> pd.DataFrame:
    """Attempts of the campaign under study that reached the callee, by call and attempt."""
    result = simulate(scenario, seed=SEED)
    attempts = result.attempts.merge(result.calls[["call_id", "index"]], on="call_id")
    mine = attempts[attempts["campaign"].eq("study") & attempts["outcome"].ne("congestion")]
    mine = mine[mine["ended_at"].notna()].copy()
    for begin, end in (("dialed", "ended"), ("dialed", "ringing"), ("ringing", "answered")):
        mine[f"{begin} to {end}"] = mine[f"{end}_at"] - mine[f"{begin}_at"]
    columns = [name for name in mine if " to " in name]
    return mine.set_index(["index", "attempt"])[["outcome", "callee_type", *columns]]


@pytest.fixture(scope="module")
def base_run() -> pd.DataFrame:
    return dialed(load(BASE))


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_whole_run_has_the_same_outcome_for_the_same_attempt(
    change: Callable[[Any], None], base_run: pd.DataFrame
) -> None:
    after = dialed(changed(change))
    common = base_run.index.intersection(after.index)
    assert len(common) > 100
    pd.testing.assert_frame_equal(base_run.loc[common], after.loc[common])


def test_the_seed_the_replication_and_every_name_count() -> None:
    def first(tape: Tape, tenant: str = "acme", name: str = "study", attempt: int = 1) -> bytes:
        stream = tape.uniforms(tenant, name, Purpose.OUTCOME, attempt=attempt, count=8)
        return stream.tobytes()

    streams = [
        first(Tape(1)),
        first(Tape(2)),
        first(Tape(1, 1)),
        first(Tape(1 + 2**32)),
        first(Tape(2**63 - 1)),
        first(Tape(1), "acmes"),
        first(Tape(1), "acm", "estudy"),
        first(Tape(1), "study", "acme"),
        first(Tape(1), "", "acmestudy"),
        first(Tape(1), attempt=2),
    ]
    assert len(set(streams)) == len(streams)


def test_no_two_purposes_share_a_stream() -> None:
    """Nor do the kinds of update, whose streams follow their purpose's."""
    numbers = {int(purpose) for purpose in Purpose}
    for first in (Purpose.LOST_UPDATE, Purpose.STATUS_WORK):
        kinds = {first + kind for kind in range(1, 5)}
        assert not kinds & numbers
        numbers |= kinds
    streams = {Tape(1).uniforms("a", "b", n, count=4).tobytes() for n in numbers}
    assert len(streams) == len(numbers)


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**63 - 1),
    replication=st.integers(0, 10_000),
    attempt=st.integers(0, 11),
    counts=st.lists(st.integers(0, 3_000), min_size=2, max_size=4).map(sorted),
)
def test_a_longer_draw_begins_with_the_shorter_one(
    seed: int, replication: int, attempt: int, counts: list[int]
) -> None:
    tape = Tape(seed, replication)
    streams = [
        tape.uniforms("acme", "study", Purpose.TALK, attempt=attempt, count=n) for n in counts
    ]
    for shorter, longer in pairwise(streams):
        assert longer[: len(shorter)].tobytes() == shorter.tobytes()
