"""Compiled code is kept on disk, and a machine that can't keep it works all the same."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
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


def start_in(directory: Path | str) -> subprocess.Popen[str]:
    """A process of its own that keeps compiled code there."""
    return subprocess.Popen(
        [sys.executable, "-c", RUN],
        env=os.environ | {cache.VARIABLE: str(directory)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def output_of(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What a process has written, once it has ended well."""
    stdout, stderr = process.communicate()
    assert process.returncode == 0, stderr
    return stdout, stderr


def test_of_processes_that_begin_together_one_compiles_and_says_so(tmp_path):
    together = [start_in(tmp_path), start_in(tmp_path)]
    ran = [output_of(process) for process in together]
    ran.append(output_of(start_in(tmp_path)))
    assert len({stdout for stdout, _ in ran}) == 1
    said = [stderr for _, stderr in ran if stderr]
    assert len(said) == 1
    assert "compiling the engine" in said[0]
    assert said[0].count("outsim: ") == 1


class _Dispatcher:
    """Stands for numba's: it compiles by keeping a file, unless there is one."""

    def __init__(self) -> None:
        self.compiled = 0

    def compile(self, _: object) -> None:
        if not cache.is_at_hand():
            self.compiled += 1
            (cache.directory() / "advance.1.nbc").write_bytes(b"")


@pytest.fixture
def dispatcher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> _Dispatcher:
    """What `load` compiles with, where nothing is kept yet."""
    instead = _Dispatcher()
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path))
    monkeypatch.setattr(cache, "_compiled", [])
    monkeypatch.setattr(cache, "njit", lambda **_: lambda _: instead)
    return instead


def test_a_process_waits_for_another_that_compiles_and_fetches_what_it_kept(
    dispatcher, monkeypatch, caplog
):
    cache.directory().mkdir(parents=True)
    with (cache.directory() / "compiling").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)

        def other_is_done(_: float) -> None:
            (cache.directory() / "advance.1.nbc").write_bytes(b"")
            fcntl.flock(other, fcntl.LOCK_UN)

        monkeypatch.setattr(time, "sleep", other_is_done)
        cache.load(len, None)
    assert dispatcher.compiled == 0
    assert caplog.text == ""


def test_a_process_compiles_itself_where_the_other_was_killed(dispatcher, monkeypatch, caplog):
    cache.directory().mkdir(parents=True)
    hold = f"""
import fcntl, os, signal
lock = open({str(cache.directory() / "compiling")!r}, "w")
fcntl.flock(lock, fcntl.LOCK_EX)
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", hold], check=False).returncode < 0
    monkeypatch.setattr(time, "sleep", lambda _: pytest.fail("waits for one that is gone"))
    cache.load(len, None)
    assert dispatcher.compiled == 1
    assert "compiling the engine" in caplog.text


def test_a_process_does_not_wait_for_ever_for_one_that_is_halted(dispatcher, monkeypatch, caplog):
    cache.directory().mkdir(parents=True)
    monkeypatch.setattr(cache, "PATIENCE_S", 0.0)
    with (cache.directory() / "compiling").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        cache.load(len, None)
    assert dispatcher.compiled == 1
    assert "compiling the engine" in caplog.text


def test_where_nothing_can_be_kept_the_engine_works_and_says_so_once(tmp_path):
    (tmp_path / "file").write_text("")
    stdout, stderr = output_of(start_in(tmp_path / "file" / "below"))
    assert int(stdout) > 0
    assert stderr.count("outsim: ") == 1
    assert "can't be kept" in stderr
    assert cache.VARIABLE in stderr


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
