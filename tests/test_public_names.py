"""What `import outsim` gives, and what it leaves alone until it is asked for."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import outsim

HEAVY = {"matplotlib", "numba", "numpy", "pandas", "pyarrow", "pydantic", "scipy", "simpy"}


def imported_by(code: str) -> set[str]:
    """Top-level modules that a fresh interpreter has after running this code."""
    ended = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport json, sys\nprint(json.dumps(list(sys.modules)))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in json.loads(ended.stdout.splitlines()[-1])}


@pytest.mark.parametrize("name", outsim.__all__)
def test_every_public_name_is_there(name):
    assert getattr(outsim, name).__name__.removeprefix("outsim.") == name


def test_type_checkers_see_what_is_there():
    """The stub exports what it imports; each module that it names has that name itself."""
    stub = ast.parse(Path(outsim.__file__).with_suffix(".pyi").read_text())
    exported = [
        alias
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name == alias.asname
    ]
    assert sorted(alias.name for alias in exported) == sorted(dir(outsim))


@pytest.mark.parametrize("name", outsim.__all__)
def test_every_public_name_says_what_it_is(name):
    assert getattr(outsim, name).__doc__


def test_dir_lists_the_public_names_and_the_version():
    assert dir(outsim) == sorted([*outsim.__all__, "__version__"])


def test_the_version_is_that_of_the_installed_package():
    assert outsim.__version__.split(".")[0].isdigit()


def test_an_unknown_name_is_an_error_that_names_it():
    with pytest.raises(AttributeError, match="module 'outsim' has no attribute 'simulat'"):
        _ = outsim.simulat


def test_every_error_can_be_caught_as_one_of_outsim():
    errors = [getattr(outsim, name) for name in outsim.__all__ if name.endswith("Error")]
    assert errors
    assert all(issubclass(error, outsim.OutsimError) for error in errors)


def test_importing_outsim_imports_no_other_package():
    assert imported_by("import outsim") & HEAVY == set()


def test_the_list_of_commands_imports_nothing_that_simulates():
    """`outsim --help` is there at once: what a command works with comes with the command."""
    modules = imported_by(
        "import sys\n"
        "sys.argv = ['outsim', '--help']\n"
        "from outsim.cli import main\n"
        "try:\n"
        "    main()\n"
        "except SystemExit as ended:\n"
        "    assert ended.code == 0\n"
    )
    assert "typer" in modules
    assert modules & HEAVY == set()
