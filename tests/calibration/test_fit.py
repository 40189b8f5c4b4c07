"""Fits to logs whose truth is known: shares, factors, intervals, what is kept, what is written."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import outsim
import outsim.scenario
from outsim.calibration import CalleeFit, draw_profile, fit, uniforms_needed
from outsim.calibration.outcomes import with_earlier_attempts
from outsim.distributions import Quantiles
from outsim.errors import ScenarioError
from outsim.scenario import Scenario
from outsim.scenario.callees import Callees
from outsim.scenario.defaults import DEFAULTS
from tests.calibration_logs import call_log, dials

SCENARIO = """
extends = "callees.toml"
[clock]
date = 2026-03-10
begins = "09:00"
ends = "10:00"
[[campaign]]
name = "reminders"
tenant = "clinic"
contacts = 300
start = "09:00"
"""


def with_times(table: pd.DataFrame, seed: int = 1) -> pd.DataFrame:
    """Attempts with ring and talk times in whole seconds."""
    generator = np.random.default_rng(seed)
    size = len(table)
    rings = np.select(
        [table["outcome"] == "human", table["outcome"] == "voicemail"],
        [
            stats.lognorm(0.45, scale=8).rvs(size, random_state=generator),
            generator.normal(21, 3, size),
        ],
        60.0,
    )
    talks = stats.lognorm(0.9, scale=60).rvs(size, random_state=generator)
    return table.assign(
        ring_s=np.rint(np.where(table["outcome"] == "busy", np.nan, np.minimum(rings, 60))),
        talk_s=np.where(table["outcome"] == "human", np.rint(talks), np.nan),
    )


@pytest.fixture(scope="module")
def calibration() -> CalleeFit:
    table = with_times(dials(1, 4000, morning=0.7, redial=(1.0, 0.6)))
    return fit(call_log(table))


@pytest.fixture
def extending(calibration: CalleeFit, tmp_path: Path) -> Scenario:
    calibration.save(tmp_path / "callees.toml")
    file = tmp_path / "scenario.toml"
    file.write_text(SCENARIO)
    return outsim.load(file)


def test_intervals_cover_the_truth_at_their_stated_rate() -> None:
    truth = {
        "profiles.known_list.human": 34.0,
        "profiles.known_list.voicemail": 29.0,
        "profiles.known_list.busy": 5.0,
        "callees.redial_factors[1]": 0.6,
    }
    covered = dict.fromkeys(truth, 0)
    for seed in range(120):
        table = fit(call_log(dials(seed, 1200, redial=(1.0, 0.6)))).table()
        for key, value in truth.items():
            covered[key] += int(table.loc[key, "low"] <= value <= table.loc[key, "high"])
    # Of 120 at 95 %, fewer than 105 cover with a chance below 1 in 500.
    assert all(hits >= 105 for hits in covered.values()), covered
    assert sum(covered.values()) < 4 * 120


def test_factors_are_found_with_their_intervals() -> None:
    """Three hours in 24 at 0.7: relative to the mean of all hours."""
    table = fit(call_log(dials(7, 40_000, morning=0.7, redial=(1.0, 0.6)))).table()
    mean = (3 * 0.7 + 21) / 24
    truth = {
        "hour_factors.morning": 0.7 / mean,
        "hour_factors.afternoon": 1 / mean,
        "hour_factors.night": 1 / mean,
        "weekday_factors[2]": 1.0,
        "redial_factors[1]": 0.6,
    }
    for key, value in truth.items():
        row = table.loc[f"callees.{key}"]
        error = np.log(row["high"] / row["low"]) / 3.92
        assert abs(np.log(row["value"] / value)) < 3.5 * error, key
        assert error < 0.035, key


def test_weights_count_as_rows() -> None:
    table = dials(2, 500)
    doubled = fit(call_log(pd.concat([table, table]).sort_values("started", kind="stable")))
    weighted = fit(call_log(table.assign(weight=2.0)))
    pd.testing.assert_frame_equal(doubled.table(), weighted.table())


def test_a_log_of_last_attempts_has_the_earlier_ones_counted() -> None:
    """Three calls in four answered at once, one at the second dial: four in five dials."""
    table = pd.DataFrame(
        {"outcome": ["human"] * 400, "attempt": np.tile([1, 1, 1, 2], 100)},
    )
    found = fit(call_log(table, None, last_only=True)).outcomes
    assert found is not None
    assert found.dials == 500
    assert found.counts["human"] == 400


@given(last=st.lists(st.tuples(st.integers(0, 12), st.integers(1, 5)), min_size=1, max_size=20))
def test_earlier_attempts_are_those_below_each_last_one(last: list[tuple[int, int]]) -> None:
    table = pd.DataFrame(
        {"outcome": "busy", "attempt": [k for k, _ in last], "weight": [w for _, w in last]}
    )
    found = with_earlier_attempts(table)
    before = found[found["outcome"] == "unanswered"].set_index("attempt")["weight"]
    expected: Counter[int] = Counter()
    for attempt, weight in last:
        expected.update(dict.fromkeys(range(1, attempt), weight))
    assert before.to_dict() == expected
    assert found["weight"].sum() == sum(expected.values()) + table["weight"].sum()


def test_more_attempts_than_a_call_can_have_are_refused() -> None:
    table = pd.DataFrame({"outcome": ["human"] * 400, "attempt": 2_125_550_100})
    with pytest.raises(ScenarioError, match="attempt: found 2125550100; must be 1 to 1000"):
        fit(call_log(table, None, last_only=True))


def of_outcomes(**counts: int) -> pd.DataFrame:
    """Attempts with as many of each outcome, shuffled."""
    words = pd.Series(np.repeat([*counts], [*counts.values()]), name="outcome")
    return words.sample(frac=1, random_state=1, ignore_index=True).to_frame()


@given(
    human=st.integers(50, 400),
    voicemail=st.integers(0, 400),
    missed=st.integers(50, 400),
    answered=st.integers(0, 400),
)
@settings(max_examples=25)
def test_unnamed_answers_are_divided_as_the_named_ones(
    human: int, voicemail: int, missed: int, answered: int
) -> None:
    table = of_outcomes(human=human, voicemail=voicemail, no_answer=missed, answered=answered)
    found = fit(call_log(table, None)).outcomes
    assert found is not None
    persons = human * (1 + answered / (human + voicemail))
    assert found.counts["human"] == pytest.approx(persons)
    assert found.shares["human"] == pytest.approx(persons / len(table))
    assert found.shares["no_answer"] == pytest.approx(missed / len(table))
    low, high = found.interval("human")
    assert low < persons / len(table) < high


def test_unnamed_answers_leave_factors_and_intervals_right() -> None:
    """Half of the answered dials unnamed, by chance: factors stay, intervals cover."""
    truth = {"profiles.known_list.human": 34.0, "callees.redial_factors[1]": 0.6}
    covered = dict.fromkeys(truth, 0)
    for seed in range(120):
        table = dials(seed, 1200, redial=(1.0, 0.6))
        unnamed = np.random.default_rng(seed).uniform(size=len(table)) < 0.5
        is_answered = table["outcome"].isin(["human", "voicemail"])
        table["outcome"] = table["outcome"].mask(is_answered & unnamed, "answered")
        found = fit(call_log(table)).table()
        for key, value in truth.items():
            covered[key] += int(found.loc[key, "low"] <= value <= found.loc[key, "high"])
    # Of 120 at 95 %, fewer than 105 cover with a chance below 1 in 500.
    assert all(hits >= 105 for hits in covered.values()), covered
    assert sum(covered.values()) < 2 * 120


def test_where_machines_alone_are_named_the_others_are_people() -> None:
    calibration = fit(call_log(of_outcomes(answered=1000, voicemail=500, no_answer=500), None))
    found = calibration.outcomes
    assert found is not None
    assert found.shares["human"] == pytest.approx(0.5)
    assert found.shares["voicemail"] == pytest.approx(0.25)
    assert found.counts["human"] == 1000
    assert any("names machines alone" in note for note in calibration.notes)


def test_where_nobody_is_named_answers_are_divided_as_by_default() -> None:
    found = fit(call_log(of_outcomes(answered=1000, no_answer=1000), None)).outcomes
    assert found is not None
    default = DEFAULTS["profiles.known_list"].value
    divided = default["human"] / (default["human"] + default["voicemail"])
    assert found.shares["human"] == pytest.approx(divided / 2)


def test_thin_data_keep_the_default_and_say_so() -> None:
    thin = fit(call_log(with_times(dials(3, 40))))
    assert thin.callees == Callees()
    assert thin.profile is None
    assert set(thin.table()["source"]) == {"default"}
    assert sum("kept at its default" in note for note in thin.notes) == 4


def test_missing_columns_keep_the_default_and_say_so() -> None:
    talks = fit(call_log(pd.DataFrame({"talk_s": np.arange(400) % 90 + 1.0}), None))
    assert set(talks.to_mapping()["callees"]) == {"message", "early_hang_up"}
    assert any("does not tell outcomes" in note for note in talks.notes)


def test_a_few_answers_after_the_others_were_given_up_stand_for_nobody() -> None:
    """Two late answers don't make late ones of the thousand calls that were given up at 30 s."""
    table = dials(8, 3_000, human=0.4, voicemail=0.0, busy=0.0)
    answered = table["outcome"].eq("human").to_numpy()
    rings_s = np.rint(np.random.default_rng(8).lognormal(np.log(8), 0.4, len(table)))
    table["ring_s"] = np.where(answered, np.minimum(rings_s, 29), 30.0)
    plain = fit(call_log(table))
    late = np.flatnonzero(answered)[[100, 900]]
    table.loc[late, "ring_s"] = 38.0
    found = fit(call_log(table))
    for share in (0.5, 0.9, 0.99):
        of_both = [
            float(
                each.duration("callees.ring_human").distribution.quantile_s(np.array([share]))[0]
            )
            for each in (plain, found)
        ]
        assert of_both[1] == pytest.approx(of_both[0], rel=0.05)
    assert any("2 answers after" in note for note in found.notes)


def test_the_longest_ring_of_a_log_with_fractions_of_seconds_counts() -> None:
    """It is recorded in steps, and may be longer than the step that it is counted in."""
    table = dials(9, 2_000, human=0.4, voicemail=0.0, busy=0.0)
    answered = table["outcome"].eq("human").to_numpy()
    rings_s = np.random.default_rng(9).uniform(2, 20, len(table)).round(2)
    rings_s[np.flatnonzero(answered)[0]] = 20.04
    table["ring_s"] = np.where(answered, rings_s, 30.0)
    found = fit(call_log(table))
    assert found.duration("callees.ring_human").calls == answered.sum()
    assert not any("left out" in note for note in found.notes)


def test_a_log_that_drifts_is_reported() -> None:
    table = pd.concat(
        [with_times(dials(1, 3000)), with_times(dials(2, 1000, human=0.2))], ignore_index=True
    )
    table.loc[3000:, "talk_s"] *= 2
    notes = fit(call_log(table)).notes
    assert any(note.startswith("callees.message: the later 25 %") for note in notes)
    assert any(note.startswith("human: its share") for note in notes)
    assert not any("moved" in note for note in fit(call_log(dials(4, 4000))).notes)


@pytest.mark.parametrize("holdout", [0, 0.9, "half", "60 %"])
def test_a_holdout_that_is_none(holdout: float | str) -> None:
    with pytest.raises(ScenarioError, match=r"holdout: found .* must be '5 %' to '50 %'"):
        fit(call_log(dials(1, 200)), holdout)


def test_a_scenario_that_extends_the_fit_has_it(
    calibration: CalleeFit, extending: Scenario
) -> None:
    assert extending.callees == calibration.callees
    assert extending.profiles == {"known_list": calibration.profile}
    assert extending.uncertainty == calibration.uncertainty
    assert extending.sources["callees.message"].grade == "calibrated"
    assert "made.csv" in extending.sources["profiles.known_list"].source


def test_both_engines_agree_on_a_fitted_profile(extending: Scenario) -> None:
    campaign = extending.campaign[0].model_copy(update={"contacts": 60})
    small = extending.model_copy(update={"campaign": [campaign]})
    one, other = (outsim.simulate(small, engine=engine) for engine in ("simpy", "compiled"))
    pd.testing.assert_frame_equal(one.attempts, other.attempts)
    pd.testing.assert_frame_equal(one.updates, other.updates)


def test_a_run_of_the_fit_has_the_log_s_outcomes_and_times(
    calibration: CalleeFit, extending: Scenario
) -> None:
    campaign = extending.campaign[0].model_copy(update={"contacts": 6000, "max_retry": 0})
    attempts = outsim.simulate(extending.model_copy(update={"campaign": [campaign]})).attempts
    shares = attempts["outcome"].value_counts(normalize=True)
    assert calibration.profile is not None
    factor = calibration.callees.hour_factors.morning * calibration.callees.weekday_factors[1]
    assert shares["human"] == pytest.approx(calibration.profile.human / 100 * factor, abs=0.02)
    people = attempts[attempts["outcome"] == "human"]
    talked_s = (people["ended_at"] - people["answered_at"]).dt.total_seconds()
    assert talked_s.median() == pytest.approx(60, rel=0.15)


def test_a_profile_drawn_at_the_middle_is_nearly_the_fit(extending: Scenario) -> None:
    assert extending.uncertainty is not None
    middle = draw_profile(extending, np.full(uniforms_needed(extending.uncertainty), 0.5))
    fitted, drawn = extending.all_profiles["known_list"], middle.all_profiles["known_list"]
    assert drawn.human == pytest.approx(fitted.human, rel=0.01)
    at = np.array([0.1, 0.5, 0.9])
    np.testing.assert_allclose(
        middle.callees.message.quantile_s(at), extending.callees.message.quantile_s(at), rtol=0.05
    )


def test_drawn_profiles_spread_as_their_intervals_say(
    calibration: CalleeFit, extending: Scenario
) -> None:
    assert extending.uncertainty is not None
    generator = np.random.default_rng(8)
    size = uniforms_needed(extending.uncertainty)
    drawn = [draw_profile(extending, generator.uniform(size=size)) for _ in range(400)]
    found = {
        "profiles.known_list.human": [each.profiles["known_list"].human for each in drawn],
        "profiles.known_list.busy": [each.profiles["known_list"].busy for each in drawn],
        "callees.redial_factors[1]": [each.callees.redial_factors[1] for each in drawn],
        "callees.message p50": [
            float(each.callees.message.quantile_s(np.array([0.5]))[0]) for each in drawn
        ],
    }
    for key, values in found.items():
        row = calibration.table().loc[key]
        width = float(np.subtract(*np.quantile(values, [0.975, 0.025])))
        assert width == pytest.approx(row["high"] - row["low"], rel=0.3), key


@given(seed=st.integers(0, 10_000))
@settings(max_examples=25)
def test_every_drawn_profile_can_be_used(seed: int) -> None:
    calibration = _thin()
    scenario = outsim.scenario.load(
        {
            **calibration.to_mapping(),
            "clock": {"date": "2026-03-10", "begins": "09:00", "ends": "10:00"},
        }
    )
    uniforms = np.random.default_rng(seed).uniform(
        1e-12, 1 - 1e-12, uniforms_needed(calibration.uncertainty)
    )
    drawn = draw_profile(scenario, uniforms)
    assert drawn == draw_profile(scenario, uniforms)
    assert isinstance(drawn.callees.message, Quantiles)
    Callees.model_validate(drawn.callees.model_dump(mode="json"), context={})
    assert drawn.callees.message.quantile_s(np.array([0.999999]))[0] < 1e6


def _thin() -> CalleeFit:
    if not _KEPT:
        _KEPT.append(fit(call_log(with_times(dials(5, 420)))))
    return _KEPT[0]


_KEPT: list[CalleeFit] = []


def test_wrong_number_of_uniforms(extending: Scenario) -> None:
    with pytest.raises(ValueError, match="uniforms: found shape"):
        draw_profile(extending, np.full(3, 0.5))
