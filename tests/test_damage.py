"""Whatever is kept is read as it was written, or refused by name: no damage passes for data."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

import outsim
from outsim.directories import REQUEST
from outsim.errors import OutsimError
from outsim.scenario import Scenario
from outsim.studies.identity import read_request, write_request
from outsim.studies.storage import merge
from outsim.studies.study import run_of
from outsim.tape import Tape
from tests.damage import flipped
from tests.engine.scenarios import campaign, contact_list, scenario

READ = Callable[[Path], str]


def _scenario(directory: Path, contacts: int = 9) -> Scenario:
    rows = [f"21255501{k:02},4155550100" for k in range(contacts)]
    return scenario(campaign("list", contact_list=contact_list(directory, *rows), max_retry=1))


def _result(directory: Path, seed: int = 1) -> Path:
    """A run of a contact list with a recorded tape: every kind of file that a result has."""
    said = {"campaign": "list", "index": [0, 1], "attempt": 1, "outcome": ["busy", "human"]}
    tape = Tape.from_table(pd.DataFrame(said), seed=seed)
    result = outsim.simulate(_scenario(directory, 9 + seed), tape=tape, engine="simpy")
    return result.save(directory / "kept")


def _study(directory: Path, seed: int = 1) -> Path:
    """A study with series and tables, and what was asked of its directory."""
    asked = (_scenario(directory),)
    kept = directory / "kept"
    study = run_of(
        asked,
        replications=2,
        seed=seed,
        directory=kept,
        keep_tables=True,
        engine="simpy",
        executor="threads",
        progress=None,
    )
    study.run()
    write_request(kept, "sweep", asked, seed, {"replications": 2}, is_finished=True)
    return kept


def _read_result(directory: Path) -> str:
    read = outsim.load_result(directory)
    tables = [table.to_csv() for table in read.tables.values()]
    return repr((tables, read.provenance(), read.tape.recorded_table))


def _read_study(directory: Path) -> str:
    kept = outsim.load_study(directory)
    tables = [
        table.to_csv()
        for replication in kept.replications
        for table in kept.tables(replication).values()
    ]
    runs = [_read_result(path.parent) for path in sorted(directory.rglob("run.json"))]
    asked = read_request(directory)
    findings = kept.result.to_dict()
    return repr((findings, kept.series().to_csv(), tables, runs, asked.options))


KINDS: dict[str, tuple[Callable[..., Path], READ]] = {
    "result": (_result, _read_result),
    "study": (_study, _read_study),
}
DEPTHS = ("quick", pytest.param("deep", marks=pytest.mark.deep))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, int], Path]:
    """Directory of a kind and seed, which is made once; nobody changes it."""

    @cache
    def make(kind: str, seed: int = 1) -> Path:
        return KINDS[kind][0](tmp_path_factory.mktemp(kind), seed=seed)

    return make


@pytest.fixture
def copied(made: Callable[[str, int], Path], tmp_path: Path) -> Callable[..., Path]:
    """A copy of such a directory, to change."""

    def copy(kind: str, seed: int = 1) -> Path:
        there: Path = shutil.copytree(made(kind, seed), tmp_path / f"{kind} {seed}")
        return there

    return copy


def files_of(directory: Path, depth: str = "deep") -> list[Path]:
    """Files that are kept; the quick ones have one replication of a study, as all are alike."""
    found = sorted(path for path in directory.rglob("*") if path.is_file())
    return [path for path in found if depth == "deep" or "000000" not in path.parts]


def refusal(read: READ, directory: Path) -> str | None:
    """Why a directory is refused; None if it is read."""
    try:
        read(directory)
    except OutsimError as error:
        return str(error)
    return None


def names(message: str, path: Path, directory: Path) -> bool:
    """Whether a message names a file, or that the one with its checksum is beside it."""
    place = str(path.relative_to(directory))
    return place in message or (path.name == "checksums.json" and path.name in message)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_flipped_bit_is_refused_by_name_or_changes_nothing(kind, depth, copied):
    _, read = KINDS[kind]
    kept = copied(kind)
    written = read(kept)
    refused = 0
    flips = 5 if depth == "deep" else 1
    for path in files_of(kept, depth):
        whole = path.read_bytes()
        for data in flipped(whole, flips):
            path.write_bytes(data)
            message = refusal(read, kept)
            if message is None:
                assert read(kept) == written, path
            else:
                assert names(message, path, kept), (path, message)
                refused += 1
        path.write_bytes(whole)
    # A flip in the layout of a document changes nothing.
    assert refused >= 0.8 * flips * len(files_of(kept, depth))
    assert read(kept) == written


def _other_shape(path: Path) -> None:
    if path.suffix == ".parquet":
        pd.DataFrame({"a": [1]}).to_parquet(path)
    else:
        path.write_text('{"a": [[1]]}')


def _instead(make: Callable[[Path], object]) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        path.unlink()
        make(path)

    return change


DAMAGE: dict[str, Callable[[Path], object]] = {
    "cut": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "empty": lambda path: path.write_bytes(b""),
    "grown": lambda path: path.write_bytes(path.read_bytes() + b"}"),
    "gone": Path.unlink,
    "garbage": lambda path: path.write_bytes(b"\xff\x00" * 100),
    "of another shape": _other_shape,
    "nested too deeply": lambda path: path.write_text("[" * 100_000),
    "a directory": _instead(Path.mkdir),
    "a pipe": _instead(os.mkfifo),
    "a link that leads nowhere": _instead(lambda path: path.symlink_to("nowhere")),
}


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_other_damage_is_refused_by_name(kind, depth, copied, tmp_path):
    """In the quick test each file meets two damages, and each damage some of the files."""
    _, read = KINDS[kind]
    kept = copied(kind)
    for k, path in enumerate(files_of(kept, depth)):
        chosen = (
            [*DAMAGE] if depth == "deep" else [[*DAMAGE][(k + j) % len(DAMAGE)] for j in (0, 5)]
        )
        for damage in chosen:
            change = DAMAGE[damage]
            path.rename(tmp_path / "whole")
            shutil.copy(tmp_path / "whole", path)
            change(path)
            message = refusal(read, kept) or ""
            # Without the one that says what it is, a directory is none of its kind.
            assert names(message, path, kept) or "holds no" in message, (path, damage, message)
            if path.is_dir():
                path.rmdir()
            (tmp_path / "whole").rename(path)
    assert refusal(read, kept) is None


@pytest.mark.parametrize("kind", KINDS)
def test_files_of_another_one_are_refused(kind, copied):
    _, read = KINDS[kind]
    one, other = copied(kind), copied(kind, 2)
    for path in files_of(one, "quick"):
        counterpart = other / path.relative_to(one)
        if path.name == REQUEST or not counterpart.exists():
            continue  # what was asked is a thing of its own: asked again, it finds another study
        whole, theirs = path.read_bytes(), counterpart.read_bytes()
        if theirs == whole:
            continue
        path.write_bytes(theirs)
        assert refusal(read, one) is not None, path
        path.write_bytes(whole)
    assert refusal(read, one) is None


def test_replications_are_those_of_their_study_and_their_number(copied, tmp_path):
    one, other = copied("study"), copied("study", 2)
    first, second = (one / "replications" / name for name in ("000000", "000001"))
    second.rename(tmp_path / "second")
    shutil.copytree(other / "replications" / "000001", second)
    assert "checksums.json beside it is of study" in (refusal(_read_study, one) or "")
    shutil.rmtree(second)
    shutil.copytree(first, second)
    assert "is of replication 0, and not 1" in (refusal(_read_study, one) or "")
    shutil.rmtree(second / "tables")
    shutil.copytree(tmp_path / "second" / "tables", second / "tables")
    shutil.rmtree(second)
    (tmp_path / "second").rename(second)
    assert refusal(_read_study, one) is None


def test_damage_of_a_part_is_not_merged(copied, tmp_path):
    part = copied("study")
    for name in ("series.parquet", "tables/0/updates.parquet", "tables/0/run.json"):
        path = part / "replications" / "000001" / name
        whole = path.read_bytes()
        path.write_bytes(next(flipped(whole, 1)))
        with pytest.raises(OutsimError, match=name):
            merge(tmp_path / "out", [part])
        path.write_bytes(whole)
    merge(tmp_path / "out", [part])
    (part / REQUEST).rename(tmp_path / "out" / REQUEST)
    assert refusal(_read_study, tmp_path / "out") is None


@pytest.mark.parametrize("kind", KINDS)
def test_what_may_not_be_read_is_told(kind, copied, monkeypatch):
    _, read = KINDS[kind]
    kept = copied(kind)
    opened = os.open
    for path in files_of(kept, "quick"):

        def denied(place, *arguments, path: Path = path, **options) -> int:
            if Path(place) == path:
                raise PermissionError(13, "Permission denied", str(place))
            return opened(place, *arguments, **options)

        with monkeypatch.context() as patch:
            patch.setattr(os, "open", denied)
            message = refusal(read, kept) or ""
        assert names(message, path, kept), (path, message)
        assert "Permission denied" in message
