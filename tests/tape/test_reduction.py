"""Tapes of antithetic and stratified runs: each as good as any, together a balanced set."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from outsim.errors import TapeError
from outsim.plan import build_plan
from outsim.tape import STRATA, Purpose, Tape
from outsim.tape.streams import as_uniforms, in_stratum
from tests.engine import scenarios

WORDS = st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=50)
PURPOSES = st.sampled_from(Purpose)
COUNTS = st.integers(0, 60)
MEMBERS = [(stratum, mirrored) for stratum in range(STRATA) for mirrored in (False, True)]


def member(tape: Tape, stratum: int, mirrored: bool) -> Tape:
    tape = tape.in_stratum(stratum)
    return tape.mirrored() if mirrored else tape


def drawn(tape: Tape, purpose: int = Purpose.OUTCOME, count: int = 1000) -> np.ndarray:
    return tape.uniforms("acme", "list", purpose, attempt=1, count=count)


# Mirrored


@given(words=WORDS)
def test_a_mirrored_word_stands_for_1_less_the_uniform_exactly(words: list[int]) -> None:
    array = np.array([0, 2**64 - 1, *words], dtype=np.uint64)
    plain, mirrored = as_uniforms(array), as_uniforms(~array)
    assert (plain + mirrored == 1).all()
    assert (1 - plain == mirrored).all()
    assert mirrored.min() > 0
    assert mirrored.max() < 1


@given(purpose=PURPOSES, count=COUNTS, stratum=st.integers(0, STRATA - 1))
def test_the_two_tapes_of_a_pair_add_up_to_1(purpose: Purpose, count: int, stratum: int) -> None:
    tape = Tape(3, 1).in_stratum(stratum)
    assert (drawn(tape, purpose, count) + drawn(tape.mirrored(), purpose, count) == 1).all()


def test_mirrored_twice_is_as_it_was() -> None:
    assert drawn(Tape(3).mirrored().mirrored()).tolist() == drawn(Tape(3)).tolist()


def test_flags_and_values_come_from_the_same_words() -> None:
    """A flag compares words and a value reads uniforms: both are those of the run's own tape."""
    scenario = scenarios.scenario(
        scenarios.campaign(contacts=40_000), platform={"wedged_calls": 0.2}
    )
    for tape in (member(Tape(3), *each) for each in MEMBERS):
        (campaign,) = build_plan(scenario, tape).campaigns
        uniforms = tape.uniforms("acme", "list", Purpose.WEDGED, count=40_000)
        assert campaign.contacts.wedged.tolist() == (uniforms < 0.2).tolist()
        outcome = tape.uniforms("acme", "list", Purpose.OUTCOME, attempt=1, count=40_000)
        assert campaign.attempts(1).outcome.tolist() == outcome.tolist()


# Stratified


@given(purpose=PURPOSES, count=COUNTS, mirrored=st.booleans())
def test_each_uniform_is_once_in_each_stratum(
    purpose: Purpose, count: int, mirrored: bool
) -> None:
    tapes = [member(Tape(5, 2), stratum, mirrored) for stratum in range(STRATA)]
    strata = np.floor(np.array([drawn(tape, purpose, count) for tape in tapes]) * STRATA)
    assert (np.sort(strata, axis=0) == np.arange(STRATA)[:, np.newaxis]).all()


@given(words=WORDS, places=WORDS)
def test_any_word_has_all_strata(words: list[int], places: list[int]) -> None:
    count = min(len(words), len(places))
    plain = np.array(words[:count], dtype=np.uint64)
    own = np.array(places[:count], dtype=np.uint64)
    found = [plain, *(in_stratum(plain, own, stratum) for stratum in range(1, STRATA))]
    quarters = np.sort([(each >> np.uint64(62)).astype(int) for each in found], axis=0)
    assert (quarters == np.arange(STRATA)[:, np.newaxis]).all()
    for each in found[1:]:
        assert ((each << np.uint64(2)) >> np.uint64(2) == own >> np.uint64(2)).all()


def test_any_two_runs_have_any_two_strata_equally_often() -> None:
    """So that products of uniforms are not kept from evening out: chi-square, by pair of runs."""
    strata = [np.floor(drawn(Tape(7).in_stratum(k), count=60_000) * STRATA) for k in range(STRATA)]
    for one, other in permutations(range(STRATA), 2):
        table = np.zeros((STRATA, STRATA))
        np.add.at(table, (strata[one].astype(int), strata[other].astype(int)), 1)
        assert (np.diag(table) == 0).all()
        assert stats.chisquare(table[~np.eye(STRATA, dtype=bool)]).pvalue > 1e-4


@pytest.mark.parametrize(("stratum", "mirrored"), MEMBERS)
def test_each_run_by_itself_is_drawn_like_any_other(stratum: int, mirrored: bool) -> None:
    """Uniform over calls and over replications, and no call says anything of the next one."""
    tapes = [member(Tape(11, k), stratum, mirrored) for k in range(2_000)]
    calls = drawn(tapes[0], count=50_000)
    assert stats.kstest(calls, "uniform").pvalue > 1e-4
    assert abs(stats.spearmanr(calls[:-1], calls[1:]).statistic) < 4 / np.sqrt(len(calls))
    firsts = np.array([drawn(tape, count=1)[0] for tape in tapes])
    assert stats.kstest(firsts, "uniform").pvalue > 1e-4


@pytest.mark.parametrize(("stratum", "mirrored"), MEMBERS)
@given(count=st.integers(0, 50), more=st.integers(0, 50))
def test_more_calls_change_no_draw(stratum: int, mirrored: bool, count: int, more: int) -> None:
    tape = member(Tape(3), stratum, mirrored)
    assert drawn(tape, count=count + more)[:count].tolist() == drawn(tape, count=count).tolist()


@pytest.mark.parametrize(("stratum", "mirrored"), MEMBERS)
def test_blocks_go_on_where_the_last_one_ended(stratum: int, mirrored: bool) -> None:
    """A campaign of several blocks has the draws of the stream read in one piece."""
    tape = member(Tape(3), stratum, mirrored)
    scenario = scenarios.scenario(scenarios.campaign(contacts=40_000))
    (campaign,) = build_plan(scenario, tape).campaigns
    assert campaign.attempts(1).outcome.tolist() == drawn(tape, count=40_000).tolist()


@pytest.mark.parametrize("stratum", [-1, STRATA])
def test_there_are_no_other_strata(stratum: int) -> None:
    with pytest.raises(TapeError, match=f"stratum {stratum}: must be 0 to {STRATA - 1}"):
        Tape(1).in_stratum(stratum)


# Memory and records


def test_a_tape_that_remembers_does_not_mix_up_its_twins() -> None:
    scenario = scenarios.scenario(scenarios.campaign(contacts=100))
    tape = Tape(3).remembering()
    found = {}
    for each in MEMBERS:
        twin, alone = member(tape, *each), member(Tape(3), *each)
        mine, other = (build_plan(scenario, t).campaigns[0].attempts(1) for t in (twin, alone))
        assert mine.rows.tobytes() == other.rows.tobytes()
        assert build_plan(scenario, twin).campaigns[0].attempts(1) is mine, "it does remember"
        found[each] = mine.outcome.tobytes()
    assert len(set(found.values())) == len(MEMBERS)


def test_what_is_recorded_happens_in_every_run_and_the_rest_is_drawn_by_its_own_tape() -> None:
    table = pd.DataFrame({"campaign": ["list"] * 2, "index": [0, 3], "outcome": ["busy"] * 2})
    scenario = scenarios.scenario(scenarios.campaign(contacts=6))
    tape = Tape.from_table(table, seed=3)
    for each in MEMBERS:
        draws = build_plan(scenario, member(tape, *each)).campaigns[0].attempts(1)
        assert (draws.recorded_outcome >= 0).tolist() == [True, False, False, True, False, False]
        assert draws.outcome.tolist() == drawn(member(Tape(3), *each), count=6).tolist()


def test_a_tape_says_which_of_its_replication_it_is() -> None:
    assert repr(Tape(3, 1).in_stratum(2).mirrored()) == (
        "Tape(seed=3, replication=1, stratum=2, mirrored)"
    )
    assert repr(Tape(3, 1).in_stratum(0)) == repr(Tape(3, 1))
