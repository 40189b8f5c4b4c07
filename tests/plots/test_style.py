"""What all pictures share: clocks, units, legends, and names that lead to functions."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matplotlib import dates, pyplot

import outsim.plots
from outsim.errors import StudyError
from outsim.plots.style import (
    COLOURS,
    DASHES,
    HATCHES,
    clock_axis,
    legend_above,
    scale_axis,
)
from outsim.questions.question import Question

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.mark.parametrize("name", outsim.plots.__all__)
def test_every_public_name_is_a_function_that_draws(name):
    draw = getattr(outsim.plots, name)
    assert draw.__name__ == name
    assert {"ax", "axes"} & set(draw.__annotations__) or name == "live"
    assert draw.__doc__


@pytest.mark.parametrize("name", outsim.plots.__all__)
@pytest.mark.parametrize("wrong", [None, "result", [None], Question("stop", lambda _: None)])
def test_a_picture_of_the_wrong_thing_says_what_it_takes(name, wrong):
    draw = getattr(outsim.plots, name)
    kind = next(iter(draw.__annotations__.values())).removesuffix("]").rpartition("[")[2]
    kind = kind.replace(" | ", " or ")
    with pytest.raises(StudyError, match=rf"plots\.{name}: .*{kind}; found") as raised:
        draw(wrong)
    assert ("call run()" in str(raised.value)) is isinstance(wrong, Question)


def test_a_sequence_of_results_is_not_one_result():
    with pytest.raises(StudyError, match="must be of type Result; found"):
        outsim.plots.ports([])


def test_an_unknown_picture_is_an_error_that_names_it():
    with pytest.raises(AttributeError, match=r"'outsim\.plots' has no attribute 'queu'"):
        _ = outsim.plots.queu
    assert dir(outsim.plots) == outsim.plots.__all__


def test_the_package_does_not_import_matplotlib_before_something_is_drawn():
    code = (
        "import sys, outsim; outsim.plots.queue; outsim.plots.start_map; outsim.plots.capacity\n"
        "assert 'matplotlib' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_there_are_as_many_lines_and_hatches_as_colours():
    for looks in (COLOURS, DASHES, HATCHES):
        assert len(set(looks)) == len(COLOURS)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    minutes=st.integers(3, 60 * 24 * 40),
    width=st.sampled_from([3.0, 4.0, 7.0, 14.0]),
    zone=st.sampled_from(["UTC", "America/New_York", "Asia/Kathmandu"]),
)
def test_a_clock_has_a_few_marks_whatever_it_spans(minutes, width, zone):
    """And the picture comes without a warning."""
    begins = datetime(2026, 3, 7, 8, tzinfo=ZoneInfo(zone))
    figure, ax = pyplot.subplots(figsize=(width, 3), layout="constrained")
    clock_axis(ax.xaxis, begins, ends=begins.astimezone(UTC) + timedelta(minutes=minutes))
    figure.canvas.draw()
    low, high = ax.get_xlim()
    assert 2 <= sum(low <= tick <= high for tick in ax.get_xticks()) <= 12
    boxes = [label.get_window_extent() for label in ax.get_xticklabels() if label.get_text()]
    assert not any(a.x1 > b.x0 for a, b in pairwise(boxes))
    pyplot.close(figure)


@pytest.mark.parametrize(
    ("kind", "longest_s", "label", "shown"),
    [
        ("share", 0.0, "reached (%)", 50.0),
        ("seconds", 100.0, "reached (s)", 0.5),
        ("seconds", 1_000.0, "reached (min)", 0.5 / 60),
        ("seconds", 100_000.0, "reached (h)", 0.5 / 3600),
        ("number", 0.0, "reached", 0.5),
    ],
)
def test_figures_stand_in_the_unit_that_people_think_in(ax, kind, longest_s, label, shown):
    scale = scale_axis(ax.xaxis, kind, "reached", NOON, longest_s)
    assert ax.get_xlabel() == label
    assert scale.at(0.5) == pytest.approx(shown)


def test_clock_figures_count_from_where_the_run_begins(ax):
    scale = scale_axis(ax.xaxis, "clock", "finished at", NOON, 0.0)
    at = dates.num2date(scale.at(90.0), tz=UTC)
    assert abs(at - (NOON + timedelta(seconds=90))) < timedelta(milliseconds=1)


@pytest.mark.parametrize("width", [3, 7])
@pytest.mark.parametrize("count", [1, 4, 7])
def test_a_legend_above_covers_nothing(width, count):
    figure, ax = pyplot.subplots(figsize=(width, 3), layout="constrained")
    for place in range(count):
        ax.plot([0, 1], [10, 10], label=f"a tenant, number {place}")
    legend_above(ax, 10)
    figure.canvas.draw()
    lowest = ax.get_legend().get_window_extent().y0
    assert lowest > ax.transData.transform((0, 10))[1]
