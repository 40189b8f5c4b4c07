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

SHOWN = {"json", "plot"}
"""How a command shows its answer; in Python one asks the answer."""

IN_PYTHON = {"progress", "min_replications", "max_replications", "keep_series"}
"""What is said in programs alone."""

OTHER_NAMES: dict[str, dict[str, str]] = {
    "assumptions": {"out": "directory"},
    "calibrate": {"outcome": "outcomes"},
    "capacity": {"out": "directory"},
    "compare": {"out": "directory"},
    "eta": {"out": "directory"},
    "export": {"out": "path", "format": "form"},
    "schedule": {"out": "directory"},
    "start-map": {"out": "directory"},
    "stop": {"out": "directory"},
    "sweep": {"out": "directory"},
}
"""Options that are parameters of another name."""

OF_FILES = {
    "run": {"out", "verify"},
    "assumptions": {"effect"},
    "compare": {"verbose"},
    "status": {"scenario", "calls"},
    "failed": {"scenario"},
    "export": {"seed", "replication", "engine"},
    "report": {"output"},
    "describe": {"scenarios", "markdown"},
}
"""What a command has since it is given files and writes some, or answers two questions."""

OF_OBJECTS = {
    "run": {"tape", "until"},
    "status": {"asked"},
    "failed": {"asked"},
    "diff": {"names"},
    "describe": {"scenario", "others"},
    "calibrate": {"fitted_on", "profile"},
    "explain": {"directory", "input_uncertainty", "keep_tables", "precision"},
}
"""What a function has that its command lacks."""


@pytest.mark.parametrize("command", sorted(COMMANDS.keys()))
def test_a_command_has_the_options_of_its_function(command):
    function = getattr(outsim, FUNCTIONS.get(command, command.replace("-", "_")))
    parameters = inspect.signature(function).parameters.keys() - IN_PYTHON
    other_names = OTHER_NAMES.get(command, {})
    options = {
        max(option.opts, key=len).lstrip("-").replace("-", "_")
        for option in COMMANDS[command].params
    } - SHOWN
    assert other_names.keys() <= options
    named = {other_names.get(option, option) for option in options}
    assert named - parameters == OF_FILES.get(command, set())
    assert parameters - named == OF_OBJECTS.get(command, set())
