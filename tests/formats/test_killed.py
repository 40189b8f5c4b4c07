"""An export that is killed on its way: the earlier one stays, and what it left behind goes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from outsim.errors import ResultError
from outsim.formats import write as export
from outsim.formats.selection import tables_directory
from tests.results.runs import full

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")

IN_THE_MIDDLE = """
import os, signal, sys
from outsim.formats import write as export
from outsim.results.result import load_result

kept, form, path = sys.argv[1:]
export(load_result(kept), form, path, progress=lambda *_: os.kill(os.getpid(), signal.SIGKILL))
"""

WHILE_NOTHING_IS_IN_PLACE = """
import os, signal, sys
from pathlib import Path
from outsim.formats.selection import tables_directory

def rename(self, target):
    os.rename(self, target)
    os.kill(os.getpid(), signal.SIGKILL)

Path.rename = rename
with tables_directory(Path(sys.argv[1]), lambda _: True) as directory:
    (directory / "later").touch()
"""


def killed(script: str, *arguments: str) -> None:
    """Run a script that kills itself."""
    ended = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr


def content(path: Path) -> dict[str, bytes]:
    files = [path] if path.is_file() else sorted(path.iterdir())
    return {each.name: each.read_bytes() for each in files}


def hidden(directory: Path) -> list[Path]:
    return [*directory.glob(".*")]


@pytest.mark.parametrize("form", ["csv", "xes"])
def test_an_export_killed_in_the_middle_costs_nothing(form, tmp_path, tmp_path_factory):
    """Of a directory and of a file."""
    path = export(full(), form, tmp_path / "out")
    before = content(path)
    kept = full().save(tmp_path_factory.mktemp("kept"))
    killed(IN_THE_MIDDLE, str(kept), form, str(path))
    assert content(path) == before
    assert hidden(tmp_path), "it had no time to tidy up"
    export(full(), form, path)
    assert content(path) == before
    assert [*tmp_path.iterdir()] == [path]


def test_an_earlier_export_that_stood_aside_comes_back_with_the_next_export(tmp_path):
    """Of whatever, and even if that does not come to its end."""
    path = tmp_path / "out"
    path.mkdir()
    (path / "earlier").write_text("whole")
    killed(WHILE_NOTHING_IS_IN_PLACE, str(path))
    assert not path.exists()
    with pytest.raises(KeyboardInterrupt), tables_directory(tmp_path / "other", lambda _: True):
        raise KeyboardInterrupt
    assert content(path) == {"earlier": b"whole"}
    assert [*tmp_path.iterdir()] == [path]


def test_an_earlier_export_stays_if_the_new_one_finds_no_place(tmp_path, monkeypatch):
    path = tmp_path / "out"
    path.mkdir()
    (path / "earlier").write_text("whole")
    rename = Path.rename

    def refused(self: Path, target: Path) -> Path:
        if target == path and (self / "later").exists():
            raise PermissionError(13, "Permission denied")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refused)
    with (
        pytest.raises(ResultError, match=r"can't be written to \(Permission denied\)"),
        tables_directory(path, lambda _: True) as directory,
    ):
        (directory / "later").touch()
    assert content(path) == {"earlier": b"whole"}
    assert [*tmp_path.iterdir()] == [path]


def test_a_directory_of_somebody_else_s_is_no_leftover(tmp_path):
    (tmp_path / ".writing-a-novel").mkdir()
    with tables_directory(tmp_path / "out", lambda _: True):
        pass
    assert hidden(tmp_path) == [tmp_path / ".writing-a-novel"]
