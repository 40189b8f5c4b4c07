"""What is on the screen as a file, and as the command that gives it again."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from outsim.errors import SandboxError
from outsim.live.page.what_if.keeping import command, file_name, keep_file
from outsim.scenario.difference import differences
from outsim.scenario.loading import load

from .pages import START, what_if_of, write_scenarios


@pytest.fixture
def what_if(tmp_path):
    made = what_if_of(write_scenarios(tmp_path)[0])
    made.set({START: "09:15", "platform.ports": "8"})
    return made


def test_the_file_is_what_is_on_the_screen(what_if):
    place = keep_file(what_if, file_name(what_if))
    assert place == what_if.file.with_name("served-start-09-15-ports-8.toml")
    assert differences(load(place), what_if.changed) == []
    assert load(place).name == what_if.changed.name


def test_no_file_is_overwritten(what_if):
    with pytest.raises(SandboxError, match=r"served.toml: is there already; give another name"):
        keep_file(what_if, "served.toml")
    assert load(what_if.file).name == "a small morning"


@pytest.mark.parametrize("name", ["../kept.toml", "/kept.toml", "kept", "a/b.toml", ".toml", ""])
def test_a_file_stands_beside_the_scenarios_own(what_if, name):
    before = sorted(what_if.file.parent.rglob("*"))
    with pytest.raises(SandboxError, match="found the file name"):
        keep_file(what_if, name)
    assert sorted(what_if.file.parent.rglob("*")) == before


def test_the_command_says_base_file_replications_and_seed(what_if):
    assert shlex.split(command(what_if, "kept.toml", 40)) == [
        *("outsim", "compare", str(what_if.file), str(what_if.file.with_name("kept.toml"))),
        *("--replications", "40", "--seed", "7"),
    ]


def test_the_command_compares_with_the_first_scenario(tmp_path):
    first, second = write_scenarios(tmp_path)
    what_if = what_if_of(first, second)
    assert shlex.split(command(what_if, "kept.toml", 20))[2:4] == [str(first), str(second)]
    what_if.set({"platform.ports": "8"})
    kept = Path(shlex.split(command(what_if, "kept.toml", 20))[3])
    assert kept == second.with_name("kept.toml")
    keep_file(what_if, "kept.toml")
    assert differences(load(kept), what_if.changed) == []
