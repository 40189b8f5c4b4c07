"""What a directory keeps of a scenario is the scenario, whatever it says."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings

import outsim
from outsim.errors import StudyError
from outsim.results.measures import MEASURES
from outsim.scenario import Scenario
from outsim.scenario.difference import differences
from outsim.scenario.loading import lists_of
from outsim.studies.identity import identity_of, read_identity, scenarios_of, settle
from outsim.studies.study import run_of
from tests.strategies import scenarios

from .scenarios import chancy

MAP = Path(__file__).parents[2] / "scenarios" / "quarter-map.toml"


@settings(max_examples=40)
@given(scenarios())
def test_a_scenario_that_is_kept_means_the_same_when_it_is_made_again(scenario: Scenario):
    with tempfile.TemporaryDirectory() as name:
        settle(Path(name), identity_of((scenario,), 1, MEASURES), lists_of((scenario,)))
        identity = read_identity(Path(name))
        (again,) = scenarios_of(Path(name), identity)
    assert differences(scenario, again) == []
    found = identity_of((again,), 1, MEASURES)
    assert {key: identity[key] for key in found} == found


@pytest.mark.parametrize(
    "ask",
    [
        lambda directory: outsim.sweep(
            chancy(), vary=["platform.ports=5:10:2"], replications=2, directory=directory
        ),
        lambda directory: outsim.capacity(
            chancy(), "platform.ports=5:10", ["p90 wait <= 1 h"], directory=directory
        ),
        lambda directory: outsim.start_map(outsim.load(MAP), replications=2, directory=directory),
    ],
    ids=["sweep", "plan", "map"],
)
def test_a_directory_of_one_study_is_no_place_for_several(ask, tmp_path):
    run_of(chancy(), replications=2, directory=tmp_path, progress=None, executor="threads").run()
    with pytest.raises(StudyError, match=r"holds a study \(study\.json\) already"):
        ask(tmp_path).run()


def test_a_directory_of_one_run_is_no_place_for_a_study(tmp_path):
    outsim.simulate(chancy(), engine="simpy").save(tmp_path)
    with pytest.raises(StudyError, match=r"holds the result of one run \(run\.json\) already"):
        run_of(chancy(), replications=2, directory=tmp_path, progress=None, executor="threads")
    assert outsim.load_result(tmp_path).seed == chancy().seed
