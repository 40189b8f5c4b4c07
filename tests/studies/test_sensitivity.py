"""Sensitivity indices, held against functions whose indices a formula gives."""

from __future__ import annotations

import math

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from outsim.errors import StudyError
from outsim.studies.sensitivity import KINDS, Design, Sensitivity, analyse, make_design

mpl.use("Agg")

Array = NDArray[np.float64]


def ishigami(positions: Array) -> Array:
    """Ishigami and Homma 1990, with a = 7 and b = 0.1, over the whole range of -pi to pi."""
    x = -np.pi + 2 * np.pi * positions
    return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


FIRST_ORDER = (0.3139, 0.4424, 0.0)
TOTAL = (0.5576, 0.4424, 0.2437)
"""Ishigami's indices in closed form: 1/2 (1 + b pi^4 / 5)^2, a^2 / 8, 8 b^2 pi^8 / 225, over
the sum of the three."""


def measured(design: Design, values: Array, replications: int = 5) -> Array:
    """Values at the points of a design in replications that are luckier than others."""
    luck = np.linspace(-3, 3, replications)
    return values[:, np.newaxis] + luck[np.newaxis, :]


def means(found: Sensitivity, index: str) -> list[float]:
    return [each.mean for each in found.indices[index]]


# Ishigami


def test_sobols_design_finds_first_and_total_indices_within_their_intervals():
    design = make_design("sobol", "abc", size=1024, seed=3)
    found = analyse(design, measured(design, ishigami(design.positions)))
    for index, truth in (("first_order", FIRST_ORDER), ("total", TOTAL)):
        assert means(found, index) == pytest.approx(truth, abs=0.04)
        assert all(
            each.low <= value <= each.high
            for each, value in zip(found.indices[index], truth, strict=True)
        )
    assert found.ranked == ("a", "b", "c")


def test_a_grid_has_the_indices_of_its_points():
    design = make_design("grid", "abc", levels=(24, 24, 24))
    found = analyse(design, measured(design, ishigami(design.positions)))
    assert means(found, "first_order") == pytest.approx(FIRST_ORDER, abs=0.01)
    assert means(found, "total") == pytest.approx(TOTAL, abs=0.01)


def test_a_latin_hypercube_finds_what_each_does_alone():
    design = make_design("lhs", "abc", size=2000, seed=3)
    found = analyse(design, measured(design, ishigami(design.positions)))
    assert means(found, "first_order") == pytest.approx(FIRST_ORDER, abs=0.05)


# A linear model


@settings(deadline=None, max_examples=15)
@given(st.lists(st.floats(0.5, 9), min_size=2, max_size=5), st.sampled_from(KINDS))
def test_a_linear_model_is_the_sum_of_its_slopes(slopes, kind):
    """Morris's effects are the slopes themselves; shares of variance go by their squares."""
    names = [f"x{k}" for k in range(len(slopes))]
    design = make_design(kind, names, size={"sobol": 512, "lhs": 1000}.get(kind))
    found = analyse(design, measured(design, design.positions @ np.array(slopes)))
    shares = np.square(slopes) / np.square(slopes).sum()
    if kind == "morris":
        assert means(found, "mu_star") == pytest.approx(slopes)
        assert means(found, "sigma") == pytest.approx([0] * len(slopes), abs=1e-6)
    else:
        for index in found.indices:
            assert means(found, index) == pytest.approx(shares, abs=0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_what_has_no_effect_matters_least(kind):
    design = make_design(kind, ["idle", "strong", "weak"])
    values = design.positions @ np.array([0.0, 3.0, 1.0])
    assert analyse(design, measured(design, values)).ranked == ("strong", "weak", "idle")


# Replications


@pytest.mark.parametrize("kind", ["grid", "morris"])
def test_luck_that_all_points_share_widens_no_interval(kind):
    """Points are paired: what a replication adds to each of them is no effect of anything."""
    design = make_design(kind, "ab")
    values = design.positions @ np.array([2.0, 1.0])
    found = analyse(design, measured(design, values, replications=4))
    alone = analyse(design, np.stack([values, values], axis=1))
    for index in found.indices:
        for with_luck, without in zip(found.indices[index], alone.indices[index], strict=True):
            assert with_luck.mean == pytest.approx(without.mean)
            assert with_luck.half_width == pytest.approx(without.half_width, abs=1e-9)


def test_replications_that_disagree_about_an_effect_widen_its_interval():
    """Slopes of 6, 7 and 8 in three replications: the mean is 7 +- t x 1 / sqrt(3)."""
    design = make_design("morris", ["x", "y"])
    x = design.positions[:, 0]
    effect = analyse(design, np.stack([6 * x, 7 * x, 8 * x], axis=1)).of("mu_star", "x")
    assert effect.mean == pytest.approx(7)
    assert effect.half_width == pytest.approx(4.303 / np.sqrt(3), rel=1e-3)


def test_the_size_of_an_effect_is_never_below_0():
    """Slopes of 1, 2 and 3: half of the interval would be 2.5."""
    design = make_design("morris", ["x", "y"])
    x = design.positions[:, 0]
    effect = analyse(design, np.stack([x, 2 * x, 3 * x], axis=1)).of("mu_star", "x")
    assert effect.low == 0
    assert effect.high == pytest.approx(2 + 4.303 / np.sqrt(3), rel=1e-3)


@pytest.mark.parametrize(("kind", "points"), [("sobol", 8), ("lhs", 65), ("grid", None)])
def test_a_share_of_the_variance_lies_between_0_and_1(kind, points):
    """Whatever few points of pure noise say; and where it may be any share, there is none."""
    for seed in range(20):
        design = make_design(kind, "abc", levels=[3] * 3, size=points, seed=seed)
        random = np.random.default_rng(seed)
        found = analyse(design, random.normal(size=(design.points, 4)), seed)
        for estimates in found.indices.values():
            for each in estimates:
                assert 0 <= each.mean <= 1
                assert math.isnan(each.half_width) or 0 <= each.low <= each.high <= 1


def test_intervals_of_morriss_design_cover_the_truth():
    """30 studies of 8 replications that disagree about all three slopes: 90 intervals."""
    slopes = np.array([3.0, 2.0, 1.0])
    random = np.random.default_rng(5)
    covered = []
    for seed in range(30):
        design = make_design("morris", "abc", seed=seed)
        luck = slopes + 0.3 * random.normal(size=(8, 3))
        found = analyse(design, design.positions @ luck.T + random.normal(size=(1, 8)), seed)
        covered += [
            each.low <= slope <= each.high
            for each, slope in zip(found.indices["mu_star"], slopes, strict=True)
        ]
    assert sum(covered) >= 0.88 * len(covered)


def test_one_replication_has_no_interval():
    design = make_design("grid", "ab")
    found = analyse(design, design.positions @ np.array([[2.0], [1.0]]))
    assert np.isnan(found.of("total", "a").half_width)


def test_a_replication_that_is_short_somewhere_is_left_out_and_counted():
    design = make_design("grid", "ab")
    figures = measured(design, design.positions[:, 0], replications=4)
    figures[2, 1] = np.nan
    found = analyse(design, figures)
    assert (found.replications, found.n_missing) == (3, 1)
    assert means(found, "total") == pytest.approx([1, 0])


@pytest.mark.parametrize(
    ("value", "why"),
    [(1.0, "the same at every point"), (np.nan, "no replication has it at every point")],
)
@pytest.mark.parametrize("kind", KINDS)
def test_where_there_is_nothing_to_analyse_that_is_said(kind, value, why):
    design = make_design(kind, "ab")
    found = analyse(design, np.full((design.points, 3), value))
    assert why in found.nothing
    assert found.ranked == ()


# Designs


@pytest.mark.parametrize("kind", ["lhs", "sobol", "morris"])
def test_a_random_design_repeats_with_its_seed(kind):
    positions = [make_design(kind, "abc", seed=seed).positions.tolist() for seed in (1, 1, 2)]
    assert positions[0] == positions[1] != positions[2]


@pytest.mark.parametrize(
    ("kind", "size", "points"), [("lhs", 70, 70), ("sobol", 16, 80), ("morris", 7, 28)]
)
def test_a_design_has_as_many_points_as_its_rule_says(kind, size, points):
    design = make_design(kind, "abc", size=size)
    assert design.positions.shape == (points, 3)
    assert ((design.positions >= 0) & (design.positions <= 1)).all()


def test_a_grid_is_every_combination_once():
    design = make_design("grid", "ab", levels=(4, None))
    assert design.points == len({tuple(row) for row in design.positions.tolist()}) == 12


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("star", {}, "design 'star': there is no such design; allowed: grid, lhs, sobol, morris"),
        ("sobol", {"size": 100}, "takes a power of two, such as 64 or 128"),
        ("lhs", {"size": 20}, "needs 64 or more"),
        ("morris", {"size": 2}, "needs 4 or more"),
        ("grid", {"size": 20}, "a grid has as many as its levels make"),
        ("grid", {"levels": (100, 100, 100)}, "grid of 1,000,000 points, at most 20,000"),
        ("sobol", {"size": 8192}, "of 40,960 points, at most 20,000"),
    ],
)
def test_a_design_that_cannot_be_made_is_refused(kind, options, message):
    with pytest.raises(StudyError, match=message):
        make_design(kind, "abc", **options)


def test_nothing_to_vary_is_no_design():
    with pytest.raises(StudyError, match="nothing to vary"):
        make_design("grid", [])
