"""The file of a report: whole or not there, whatever becomes of the one who writes it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from outsim.errors import OutsimError
from outsim.present.report import write

KILLED = """
import os, signal, sys
from pathlib import Path
from outsim.present.report import write

Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
write("later", Path(sys.argv[1]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_a_report_killed_on_its_way_leaves_the_earlier_one_and_then_nothing_else(tmp_path):
    path = tmp_path / "report.html"
    write("earlier", path)
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, str(path)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert path.read_text() == "earlier"
    assert [*tmp_path.glob(".*")], "it had no time to tidy up"
    write("later", path)
    assert path.read_text() == "later"
    assert [*tmp_path.iterdir()] == [path]


def test_a_report_that_finds_no_place_says_what_to_name(tmp_path):
    with pytest.raises(OutsimError, match="name a file in a directory that can be written to"):
        write("page", tmp_path / "nowhere" / "report.html")
