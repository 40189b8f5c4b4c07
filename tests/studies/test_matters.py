"""A difference has to matter to be called better, and people say from where on it does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outsim.errors import StudyError
from outsim.questions.compare import Comparison
from outsim.results.measures import MEASURES, measure_named
from outsim.studies.matters import matters_from, read_matters, split_matters
from outsim.studies.run_array import RunArray
from outsim.studies.runs import RunMeasures
from outsim.studies.study_result import StudyResult

from .scenarios import chancy


def shorter_by(seconds: float, name: str = "wait_p90_s", noise: float = 1e-3) -> StudyResult:
    """Two scenarios, of which the second has less of a measure by so much, clearly."""
    away = np.random.default_rng(1).normal(0, noise, size=(2, 20))
    runs = tuple(
        RunMeasures(
            place,
            k,
            dict.fromkeys((measure.name for measure in MEASURES), 0.0)
            | {name: 600 - place * seconds + away[place, k]},
            10,
            0.0,
        )
        for place in range(2)
        for k in range(20)
    )
    return StudyResult((chancy("a"), chancy("b")), 1, RunArray.of(runs))


def test_words_units_and_names_are_read() -> None:
    least = read_matters(split_matters(["wait=1min", "completed=0.5points", "wait_p50_s=90 s"]))
    assert least["wait_p90_s"] == 60
    assert least["wait_p50_s"] == 90
    assert least["completed_share"] == least["completed_by_deadline"] == pytest.approx(0.005)
    assert read_matters({"finished": "2 min"}) == {"finish_time_s": 120}
    assert set(read_matters({"status lag": 3})) == {"status_lag_p90_s"}
    assert read_matters({"attempts per call": 0.1}) == {"attempts_per_call": 0.1}
    assert read_matters(None) == {}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"wiat": "1min"}, "did you mean 'wait'"),
        ({"": "1min"}, "matters: found ''"),
        ({"wait": "long"}, "wait"),
        ({"wait": -1}, "found -1; write a duration"),
        ({"completed": "half"}, "write points such as 0.5points"),
        ({"completed": "150points"}, "found '150points'"),
        ({"completed": 1.5}, "write points"),
    ],
)
def test_what_can_not_be_read_is_named(asked: dict[str, str | float], message: str) -> None:
    with pytest.raises(StudyError, match=message):
        read_matters(asked)


def test_a_text_without_a_difference_is_named() -> None:
    with pytest.raises(StudyError, match="write MEASURE=DIFFERENCE"):
        split_matters(["wait"])


@given(st.floats(0.1, 300), st.floats(1, 200))
def test_a_clear_difference_is_better_only_from_the_least_on(seconds: float, least: float) -> None:
    found = replace(shorter_by(seconds), matters={"wait_p90_s": least})
    if seconds > least + 0.01:
        assert found.verdict(1, "wait_p90_s") == "better"
    elif seconds < least - 0.01:
        assert found.verdict(1, "wait_p90_s") == "small"


def test_intervals_do_not_depend_on_what_matters() -> None:
    found = shorter_by(100, noise=20)
    asked = replace(found, matters={"wait_p90_s": 500.0})
    assert asked.difference(1, "wait_p90_s") == found.difference(1, "wait_p90_s")


def test_the_sentence_and_the_figures_say_the_same() -> None:
    found = replace(shorter_by(30, noise=20), matters=read_matters({"wait": "1min"}))
    document = Comparison.of(found).document()
    assert "different by too little to matter" in document.answer
    assert any("p90 wait" in text and "(less than" in text for text in document.more)
    wait = found.to_dict()["measures"]["wait_p90_s"]
    assert wait["matters_from"] == 60
    assert wait["differences"][0]["verdict"] == "small"
    assert "is better: p90 wait" in Comparison.of(shorter_by(30)).document().answer


def test_without_a_word_a_few_milliseconds_by_the_clock_are_small() -> None:
    found = shorter_by(0.0044, "finish_time_s", noise=1e-4)
    assert found.difference(1, "finish_time_s").is_clear
    assert found.verdict(1, "finish_time_s") == "small"
    finish = measure_named("finish_time_s")
    assert matters_from(finish, {}) == finish.matters_from() == 10
