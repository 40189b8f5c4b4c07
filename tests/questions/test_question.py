"""What every question has in common."""

from __future__ import annotations

import inspect
import re

import pytest

import outsim
from outsim.errors import StudyError
from outsim.questions.question import StudyOptions
from outsim.studies.default_replications import COMPARE
from outsim.studies.study import Study
from tests.engine import scenarios

OF_STUDIES = {
    name: parameter.default
    for function in (Study, Study.stream)
    for name, parameter in inspect.signature(function).parameters.items()
}


@pytest.mark.parametrize("name", ["compare", "schedule", "stop", "eta", "explain", "start_map"])
def test_options_of_a_study_stand_in_the_signature_with_its_defaults(name):
    parameters = inspect.signature(getattr(outsim, name)).parameters
    written = {option: parameters[option] for option in StudyOptions.__annotations__}
    assert {option: parameter.default for option, parameter in written.items()} == {
        option: OF_STUDIES[option] for option in written
    }
    assert all(parameter.annotation != parameter.empty for parameter in written.values())


@pytest.mark.parametrize("name", ["schedule", "start_map", "status"])
def test_shared_parameters_are_described_where_they_are_taken(name):
    """In the order of the signature; a question's own words go before the shared ones."""
    documentation = inspect.getdoc(getattr(outsim, name))
    described = re.findall(r"^(\w+(?:, \w+)*) : ", documentation, re.MULTILINE)
    names = [each for group in described for each in group.split(", ")]
    assert names == list(inspect.signature(getattr(outsim, name)).parameters)
    assert ("Time for the whole map" in documentation) == (name == "start_map")
    assert "Time after which the study ends" not in documentation or name == "schedule"


def test_the_usual_number_of_replications_is_said():
    assert f"default: {COMPARE}" in inspect.getdoc(outsim.compare)


def test_a_parameter_that_there_is_not_is_named_with_the_nearest():
    with pytest.raises(TypeError, match=r"stop\(replication=\.\.\.\).*replications"):
        outsim.stop(None, replication=3)


def test_no_replications_are_not_the_usual_number_of_them():
    scenario = scenarios.scenario(scenarios.campaign(contacts=1))
    with pytest.raises(StudyError, match="replications"):
        outsim.compare(scenario, scenario, replications=0)
