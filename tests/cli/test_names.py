"""A question has one name, and its options have one, in Python and on the command line."""

from __future__ import annotations

import inspect

import pytest
import typer

import outsim
from outsim.cli import app

COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]

FUNCTIONS = {"run": "simulate", "assumptions": "assumption_effects"}
"""Commands that are not called as their functions are."""

SHOWN = {"json", "plot", "markdown"}
"""How a command shows its answer; in Python one asks the answer."""

IN_PROGRAMS = {"progress", "min_replications", "max_replications", "keep_series", "cache"}
"""What is said in programs alone: it is about their memory, and who is told."""

OF_COMMANDS = {
    **{key: {"campaign_by_scenario"} for key in ("compare", "sweep")},  # a list in Python
    "run": {"out", "verify"},  # what a program does with the result that it has
    "assumptions": {"effect"},  # the list is a question of its own in Python
    "schedule": {"promise", "latest", "confidence"},  # latest_start in Python
    "stop": {"promise", "latest", "confidence"},  # latest_stop in Python
    "report": {"output"},  # a program saves the page that it has
}
"""What a command has that its function lacks, and why."""

OF_FUNCTIONS = {
    "run": {"discipline", "tape", "until"},  # what they give are objects of a program
    # --campaign, given several times
    **{key: {"campaigns"} for key in ("capacity", "compare", "sweep")},
    "diff": {"names"},  # the command calls scenarios by their files
    "calibrate": {"fitted_on"},  # the command says the day on which it is run
}
"""What a function has that its command lacks, and why."""


@pytest.mark.parametrize("command", sorted(COMMANDS.keys() - {"replay", "serve"}))
def test_a_command_has_the_options_of_its_function(command):
    function = getattr(outsim, FUNCTIONS.get(command, command.replace("-", "_")))
    parameters = inspect.signature(function).parameters
    options = {
        max(option.opts, key=len).lstrip("-").replace("-", "_")
        for option in COMMANDS[command].params
        if option.param_type_name == "option"
    } - SHOWN
    written_out = {name for name, each in parameters.items() if each.kind == each.KEYWORD_ONLY}
    assert options - parameters.keys() == OF_COMMANDS.get(command, set())
    assert written_out - options - IN_PROGRAMS == OF_FUNCTIONS.get(command, set())
