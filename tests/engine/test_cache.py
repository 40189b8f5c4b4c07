"""Compiled code is kept on disk, and a machine that can't keep it works all the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from outsim.engine.compiled import cache
from tests.test_layers import PACKAGE, imports_of

RUN = """
import outsim
from outsim.scenario import from_mapping
clock = {"zone": "UTC", "date": "2026-03-10", "begins": "09:00", "ends": "09:10"}
campaign = {"name": "list", "tenant": "acme", "start": "09:00", "contacts": 5}
scenario = from_mapping({"clock": clock, "campaign": [campaign]})
print(len(outsim.simulate(scenario, engine="compiled").attempts))
"""


def run_in(directory: Path | str) -> subprocess.CompletedProcess[str]:
    """A process of its own that keeps compiled code there."""
    return subprocess.run(
        [sys.executable, "-c", RUN],
        env=os.environ | {cache.VARIABLE: str(directory)},
        capture_output=True,
        text=True,
        check=True,
    )


def test_only_the_first_process_compiles_and_says_so(tmp_path):
    first, second = run_in(tmp_path), run_in(tmp_path)
    assert "compiling the engine" in first.stderr
    assert second.stderr == ""
    assert first.stdout == second.stdout


def test_where_nothing_can_be_kept_the_engine_works_and_says_so_once(tmp_path):
    (tmp_path / "file").write_text("")
    ran = run_in(tmp_path / "file" / "below")
    assert int(ran.stdout) > 0
    assert ran.stderr.count("outsim: ") == 1
    assert "can't be kept" in ran.stderr
    assert cache.VARIABLE in ran.stderr


def test_an_import_compiles_nothing():
    code = "import outsim, sys; outsim.simulate; print('numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_change_of_any_source_that_is_compiled_is_noticed():
    """Whatever the kernel's modules import is hashed: its numbers are part of the code."""
    hashed = {path for pattern in cache.SOURCES for path in PACKAGE.glob(pattern)}
    kernel = [
        path
        for path in (PACKAGE / "engine" / "compiled").glob("*.py")
        if "@kernel" in path.read_text() or "kernel(" in path.read_text()
    ]
    assert len(kernel) > 10
    for path in kernel:
        for _, module in imports_of(path):
            name = module.removeprefix("outsim.").replace(".", "/")
            source = PACKAGE / f"{name}.py"
            if module.startswith("outsim.") and source.exists():
                assert source in hashed, f"{path.name} imports {module}"


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Environment variables of the test run don't reach the processes that are started."""
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
