"""Compiled code is kept on disk, and a machine that can't keep it works all the same."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from outsim.engine.compiled import cache
from tests.test_layers import PACKAGE, imports_of

RUN = """
import outsim
from outsim.scenario import load
clock = {"zone": "UTC", "date": "2026-03-10", "begins": "09:00", "ends": "09:10"}
campaign = {"name": "list", "tenant": "acme", "start": "09:00", "contacts": 5}
scenario = load({"clock": clock, "campaign": [campaign]})
print(len(outsim.simulate(scenario, engine="compiled").attempts))
"""


def start_in(directory: Path | str, **more: str) -> subprocess.Popen[str]:
    """A process of its own that keeps compiled code there."""
    return subprocess.Popen(
        [sys.executable, "-c", RUN],
        env=os.environ | {cache.VARIABLE: str(directory)} | more,
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
    # Flipped bits of machine code would end the process that runs it.
    (directory,) = tmp_path.iterdir()
    assert cache._fault(directory) is None
    (code,) = directory.rglob("*.nbc")
    code.write_bytes(bytes(byte ^ 1 for byte in code.read_bytes()))
    assert "its checksum is" in str(cache._fault(directory))


class _Dispatcher:
    """Stands for numba's: it compiles by keeping two files, unless they are there."""

    def __init__(self) -> None:
        self.compiled = 0
        self.overloads: list[object] = []
        self.stats = SimpleNamespace(cache_hits={})

    def compile(self, signature: object) -> None:
        index, code = (cache.directory() / "below" / name for name in ("a.nbi", "a.1.nbc"))
        self.stats.cache_hits = {signature: int(index.exists() and code.exists())}
        self.overloads = [signature]
        if not self.stats.cache_hits[signature]:
            self.compiled += 1
            code.parent.mkdir(exist_ok=True)
            index.write_bytes(b"index")
            code.write_bytes(bytes(100))


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
            _Dispatcher().compile(None)
            cache._seal(cache.directory())
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


def load_again(monkeypatch: pytest.MonkeyPatch) -> object:
    """Load as a process would that begins now."""
    monkeypatch.setattr(cache, "_compiled", [])
    return cache.load(len, None)


def test_what_is_kept_is_for_its_owner_alone(dispatcher):
    cache.load(len, None)
    modes = {
        path.relative_to(cache.directory()).as_posix(): stat.S_IMODE(path.stat().st_mode)
        for path in cache.directory().rglob("*")
    }
    assert stat.S_IMODE(cache.directory().stat().st_mode) == 0o700
    assert modes == {
        "below": 0o700,
        "below/a.nbi": 0o600,
        "below/a.1.nbc": 0o600,
        "checksums.json": 0o600,
        "compiling": 0o600,
    }


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _directory_instead(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "file").touch()


DAMAGE = {
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-9]),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"x"),
    "garbage": lambda path: path.write_bytes(os.urandom(100)),
    "a flipped bit": _flip,
    "gone": Path.unlink,
    "a directory": _directory_instead,
    "a link": lambda path: path.symlink_to(path.rename(path.with_name("elsewhere"))),
    "for all to write": lambda path: path.chmod(0o666),
}


@pytest.mark.parametrize("name", ["below/a.nbi", "below/a.1.nbc", "checksums.json"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_what_is_damaged_is_compiled_anew_and_kept(dispatcher, monkeypatch, caplog, damage, name):
    cache.load(len, None)
    DAMAGE[damage](cache.directory() / name)
    caplog.clear()
    assert load_again(monkeypatch) is dispatcher
    assert dispatcher.compiled == 2
    assert "compiling the engine" in caplog.text
    load_again(monkeypatch)
    assert dispatcher.compiled == 2


def test_code_that_is_not_among_the_checksums_is_not_used(dispatcher, monkeypatch, caplog):
    cache.load(len, None)
    (cache.directory() / "below" / "b.nbi").write_bytes(b"index")
    load_again(monkeypatch)
    assert dispatcher.compiled == 2
    assert "is not used (it has no checksum" in caplog.text


def test_code_that_can_not_be_loaded_is_compiled_anew(dispatcher, monkeypatch, caplog):
    """As after an update of a library that it was made with."""
    cache.load(len, None)
    compile_ = dispatcher.compile

    def outdated(signature: object) -> None:
        if (cache.directory() / "below").exists():
            raise ModuleNotFoundError("No module named 'numpy.core'")
        compile_(signature)

    monkeypatch.setattr(dispatcher, "compile", outdated)
    load_again(monkeypatch)
    assert dispatcher.compiled == 2
    assert "No module named 'numpy.core'" in caplog.text


@pytest.mark.parametrize("compiled", [True, False])
def test_a_disk_that_is_full_costs_the_keeping_alone(dispatcher, monkeypatch, caplog, compiled):
    def full(signature: object) -> None:
        dispatcher.compiled += compiled
        dispatcher.overloads = [signature] * compiled
        monkeypatch.setattr(dispatcher, "compile", done)
        raise OSError(errno.ENOSPC, "No space left on device")

    def done(_: object) -> None:
        dispatcher.compiled += 1

    monkeypatch.setattr(dispatcher, "compile", full)
    assert load_again(monkeypatch) is dispatcher
    assert dispatcher.compiled == 1
    assert "can't be kept in" in caplog.text
    assert "(No space left on device)" in caplog.text


# Other users


@pytest.fixture
def another(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Makes a path another user's: in truth for root, and else by what the system says of it."""
    theirs: set[tuple[int, int]] = set()
    lstat = Path.lstat

    def told(path: Path) -> os.stat_result:
        found = lstat(path)
        if (found.st_dev, found.st_ino) not in theirs:
            return found
        return os.stat_result((*found[:4], 12345, *found[5:]))

    def give(path: Path) -> None:
        if os.geteuid() == 0:
            os.chown(path, 12345, 12345)
        else:
            theirs.add((lstat(path).st_dev, lstat(path).st_ino))

    monkeypatch.setattr(Path, "lstat", told)
    return give


UNSAFE: dict[str, tuple[Callable[[Path, Callable[[Path], None]], object], str]] = {
    "of another user": (lambda path, give: give(path), "belongs to another user"),
    "for all to write": (lambda path, _: path.chmod(0o777), "every user can write to"),
    "for a group to write": (lambda path, _: path.chmod(0o770), "every user of its group"),
}


@pytest.mark.parametrize("where", ["kernel", "root", "above"])
@pytest.mark.parametrize("unsafe", UNSAFE)
def test_code_is_not_fetched_from_where_others_could_have_put_it(
    dispatcher, another, monkeypatch, caplog, tmp_path, unsafe, where
):
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "above" / "root"))
    cache.load(len, None)
    kernel = cache.directory()
    places = {"kernel": kernel, "root": kernel.parent, "above": kernel.parent.parent}
    change, why = UNSAFE[unsafe]
    change(places[where], another)
    monkeypatch.setattr("outsim.engine.compiled.cache._is_alone_in", lambda _: False)
    caplog.clear()
    before = {path: path.stat().st_mtime_ns for path in kernel.rglob("*")}
    fetched = SimpleNamespace(compile=lambda _: None)
    monkeypatch.setattr(cache, "njit", lambda **_: lambda _: fetched)
    monkeypatch.setattr(cache, "_keeping", lambda *_: pytest.fail("fetched from there"))
    assert load_again(monkeypatch) is fetched
    assert f"{why}" in caplog.text
    assert str(places[where]) in caplog.text
    assert cache.VARIABLE in caplog.text
    assert {path: path.stat().st_mtime_ns for path in kernel.rglob("*")} == before


def test_a_link_in_place_of_the_directory_is_not_followed(dispatcher, monkeypatch, caplog):
    cache.load(len, None)
    kernel = cache.directory()
    kernel.symlink_to(kernel.rename(kernel.with_name("elsewhere")))
    load_again(monkeypatch)
    assert "is no directory" in caplog.text


def test_a_file_of_another_user_is_not_fetched(dispatcher, another, monkeypatch, caplog):
    cache.load(len, None)
    another(cache.directory() / "below" / "a.nbi")
    load_again(monkeypatch)
    assert dispatcher.compiled == 2
    assert "a.nbi belongs to another user" in caplog.text


def test_a_directory_for_all_whose_entries_are_their_owners_will_do(dispatcher, tmp_path, caplog):
    tmp_path.chmod(0o1777)
    cache.load(len, None)
    assert "neither kept" not in caplog.text
    assert cache.is_at_hand()


def test_a_group_that_a_user_is_alone_in_is_the_user():
    import grp
    import pwd

    user = pwd.struct_passwd(("ann", "x", 1000, 1000, "", "/home/ann", "/bin/sh"))
    for members, alone in (([], True), (["ann"], True), (["ann", "bob"], False)):
        group = grp.struct_group(("ann", "x", 1000, members))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "geteuid", lambda: 1000)
            patch.setattr(pwd, "getpwuid", lambda _: user)
            patch.setattr(grp, "getgrgid", lambda _, group=group: group)
            assert cache._is_alone_in(1000) is alone


def test_where_nothing_can_be_kept_the_engine_works_and_says_so_once(tmp_path):
    (tmp_path / "file").write_text("")
    stdout, stderr = output_of(start_in(tmp_path / "file" / "below", NUMBA_OPT="0"))
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
