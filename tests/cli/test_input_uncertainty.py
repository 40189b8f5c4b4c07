"""`--input-uncertainty`: what commands say of answers that rest on a call log."""

from __future__ import annotations

import json

import pytest

import outsim as package
from outsim.studies.synchronous import run_sync

from .conftest import SMALL
from .stored import run, stored


@pytest.fixture
def calibrated(outsim, files):
    """`outsim` beside scenarios whose callees are fitted to a log."""
    outsim("calibrate", "Master.csv", "--out", "callees.toml", "--zone", "UTC")
    (files / "fitted.toml").write_text('extends = "callees.toml"\n' + SMALL)
    (files / "ports.toml").write_text('extends = "fitted.toml"\n[platform]\nports = 3\n')
    return outsim


COMMANDS = {
    "compare": ("compare", "fitted.toml", "ports.toml", "--replications", "4"),
    "schedule": (
        *("schedule", "fitted.toml", "--every", "10min", "--between", "09:05", "09:15"),
        *("--replications", "4"),
    ),
    "stop": ("stop", "fitted.toml", "--after", "0s,1min", "--replications", "4"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_commands_say_how_much_of_an_interval_is_input_uncertainty(calibrated, name):
    assert "input uncertainty" not in stored(name).words
    made = run((*COMMANDS[name], "--input-uncertainty"))
    assert "input uncertainty, and its 95 % interval" in made.words
    assert "only more calls in the log narrow the share" in made.words
    for columns in (80, 60):
        assert max(map(len, made.at(columns).splitlines())) <= columns


def test_compare_prints_what_the_api_gives(calibrated):
    document = json.loads(calibrated(*COMMANDS["compare"], "--input-uncertainty", "--json").out)
    loaded = [package.load(name) for name in ("fitted.toml", "ports.toml")]
    found = run_sync(
        package.compare(*loaded, replications=4, input_uncertainty=True, progress=None)
    )
    assert document == json.loads(json.dumps(found.to_dict()))
    parts = document["input_uncertainty"]["completed_share"]
    assert len(parts["means"]) == 2
    assert parts["means"][0]["pairs"] == 2
    assert 0 <= parts["means"][0]["input_share"] <= 1


def test_a_forecast_says_that_its_bands_are_over_callees_too(calibrated):
    plain, drawn = (
        calibrated("eta", "fitted.toml", "--replications", "4", *more).out
        for more in ((), ("--input-uncertainty",))
    )
    assert "callees of its own" in drawn
    assert "callees of its own" not in plain


def test_a_plan_takes_probabilities(calibrated):
    plan = ("capacity", "fitted.toml", "--vary", "platform.ports=1:30", "--replications", "12")
    told = calibrated(*plan, "--target", "p90 wait <= 5 min", "--input-uncertainty")
    assert told.code == 2
    assert "write a probability" in told.message
    done = calibrated(
        *plan, "--target", "P(p90 wait <= 5 min) >= 0.7", "--input-uncertainty", "--json"
    )
    assert json.loads(done.out)["input_uncertainty"] is True


def test_callees_that_rest_on_nothing_are_refused(outsim):
    told = outsim("compare", "small.toml", "later.toml", "--input-uncertainty")
    assert told.code == 2
    assert "'small' has no [uncertainty] of its callees" in told.message
    assert "outsim calibrate LOG --out FILE" in told.message
