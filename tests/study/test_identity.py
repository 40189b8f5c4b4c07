"""What a directory keeps of a scenario is the scenario, whatever it says."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from hypothesis import given, settings

from outsim.scenario import Scenario
from outsim.scenario.difference import differences
from outsim.study.identity import identity_of, lists_of, read_identity, scenarios_of, settle
from outsim.tables.measures import MEASURES
from tests.strategies import scenarios


@settings(max_examples=40)
@given(scenarios())
def test_a_scenario_that_is_kept_means_the_same_when_it_is_made_again(scenario: Scenario):
    with tempfile.TemporaryDirectory() as name:
        settle(Path(name), identity_of((scenario,), 1, MEASURES), lists_of((scenario,)))
        identity = read_identity(Path(name))
        (again,) = scenarios_of(Path(name), identity)
    assert differences(scenario, again) == []
    assert json.loads(json.dumps(identity)) == identity_of((again,), 1, MEASURES)
