"""Nothing that a study finished is lost, run twice or mixed with another study."""

from __future__ import annotations

import json
import multiprocessing
import random
import runpy
import shutil
import signal
from concurrent.futures import Future
from dataclasses import replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import outsim
from outsim.directories import STUDY
from outsim.disk import temporary_directory
from outsim.errors import StudyError
from outsim.results.measures import MEASURES
from outsim.studies import identity
from outsim.studies.runs import RunMeasures
from tests.engine import scenarios
from tests.sealing import change_table, edit_sealed, seal_files

from .kept import (
    PAIR,
    SEED,
    Here,
    assert_same_content,
    files,
    finished,
    resumed,
    study,
)
from .killed import Given, Made
from .scenarios import chancy

SCRIPT = Path(__file__).with_name("killed.py")
OPTIONS = {"scenarios": PAIR, "engine": "simpy", "seed": SEED}
PRELOADED = [
    "outsim.studies.study",
    "outsim.engine.readable",
    "outsim.results.checkpoint",
    "pandas",
]


def begun(name: str, *arguments: Any) -> BaseProcess:
    """A process that calls a function of killed.py."""
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload([*PRELOADED, "pyarrow.parquet"])
    call = {"call": (name, *arguments)}
    process = server.Process(target=runpy.run_path, args=(str(SCRIPT), call, "killed"))
    process.start()
    return process


def ended(name: str, *arguments: Any) -> int | None:
    """Exit code of such a process; minus the signal that killed it."""
    process = begun(name, *arguments)
    process.join()
    return process.exitcode


class Recorder(Here):
    """Does each job at once, and keeps what it gave."""

    def __init__(self) -> None:
        super().__init__()
        self.figures: dict[int, tuple[RunMeasures, ...]] = {}

    def submit(self, work, job, /) -> Future:  # type: ignore[override]
        future = super().submit(work, job)
        self.figures[job.replication] = future.result()
        return future


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A study of three replications, with tables, that nobody disturbed."""
    directory, recorder = tmp_path_factory.mktemp("undisturbed") / "study", Recorder()
    study(directory, 3, keep_tables=True, executor=recorder).run()
    return recorder.figures, directory


@pytest.fixture
def undisturbed(made: Made) -> Path:
    """Its directory."""
    return made[1]


# Killed


def kill_at_every_step(tmp_path: Path, made: Made, times: int) -> list[int]:
    """How many replications were finished when a study was killed, step by step that writes.

    Each time, it is gone on with: it runs what it has not, and ends as one that nobody killed.
    """
    answer = resumed(made[1], 3)[0].to_dict()
    options = OPTIONS | {"replications": 3, "keep_tables": True}
    ours, theirs = multiprocessing.get_context("forkserver").Pipe()
    assert ended("steps_that_write", tmp_path / "whole", options, made, times, theirs) == 0
    had = []
    for step in ours.recv():
        directory = tmp_path / str(step)
        code = ended("killed_at_step", directory, options, made, times, step)
        assert code == -signal.SIGKILL, step
        had.append(len(finished(directory)))
        rest = Given(made)
        findings = study(directory, 3, keep_tables=True, executor=rest).run()
        assert rest.count == 3 - had[-1]
        assert_same_content(directory, made[1])
        assert findings.to_dict() == answer
    ours.close()
    theirs.close()
    return had


def test_a_study_killed_at_any_line_of_the_code_that_writes_goes_on(tmp_path, made):
    had = kill_at_every_step(tmp_path, made, times=2)
    assert {*had} >= {0, 1}
    assert had == sorted(had)


@pytest.mark.deep
def test_a_study_killed_whenever_a_line_of_that_code_is_come_to_goes_on(tmp_path, made):
    assert set(kill_at_every_step(tmp_path, made, times=4)) == {0, 1, 2, 3}


def test_a_study_killed_after_any_number_of_replications_goes_on(tmp_path):
    """Killed eight times over, in threads, while others are under way; then it ends in peace."""
    few = chancy("few", contacts=3)
    study(tmp_path / "undisturbed", 24, scenarios=few).run()
    chance, last = random.Random(4), 0
    options = OPTIONS | {"scenarios": few, "replications": 24, "executor": "threads"}
    for _ in range(8):
        runs = chance.randint(1, 4)
        assert ended("killed_after", tmp_path / "study", options, runs) == -signal.SIGKILL
        assert len(finished(tmp_path / "study")) >= last
        last = len(finished(tmp_path / "study"))
    assert 0 < last < 24
    findings, ran = resumed(tmp_path / "study", 24, scenarios=few)
    assert ran == 24 - last
    assert_same_content(tmp_path / "study", tmp_path / "undisturbed")
    assert findings.to_dict() == resumed(tmp_path / "undisturbed", 24, scenarios=few)[0].to_dict()


def test_a_study_that_is_killed_from_outside_leaves_what_was_finished(tmp_path):
    ours, theirs = multiprocessing.get_context("forkserver").Pipe()
    options = OPTIONS | {"replications": 9, "executor": "threads"}
    process = begun("waits_after", tmp_path / "study", options, 10, theirs)
    assert ours.recv() == 10
    process.kill()
    process.join()
    ours.close()
    theirs.close()
    assert len(finished(tmp_path / "study")) == 4, "the fifth was about to be written"
    assert resumed(tmp_path / "study", 9)[1] == 5


# At the same time


def test_what_a_killed_study_left_goes_and_what_others_are_writing_stays(tmp_path):
    ours, theirs = multiprocessing.get_context("forkserver").Pipe()
    options = OPTIONS | {"replications": 3, "executor": "threads", "keep_tables": True}
    (tmp_path / "study").mkdir()
    with temporary_directory(tmp_path / "study") as room:
        (room / "half").write_text("of something")
        process = begun("waits_after", tmp_path / "study", options, 2, theirs)
        ours.recv()
        rooms = [*(tmp_path / "study").glob(".outsim-writing-*")]
        assert len(rooms) == 2
        process.kill()
        process.join()
        assert len([*(tmp_path / "study").glob(".outsim-writing-*")]) == 2, (
            "it had no time to tidy up"
        )
        resumed(tmp_path / "study", 3)
        assert [*(tmp_path / "study").glob(".outsim-writing-*")] == [room]
        assert (room / "half").read_text() == "of something"
    ours.close()
    theirs.close()
    assert not [*(tmp_path / "study").glob(".*")]


def test_several_studies_at_once_share_one_directory(tmp_path):
    study(tmp_path / "undisturbed", 12).run()
    gate = multiprocessing.get_context("forkserver").Barrier(3)
    options = OPTIONS | {"replications": 12, "executor": "threads"}
    arguments = (tmp_path / "study", options, gate)
    processes = [begun("begins_with_others", *arguments) for _ in range(3)]
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert_same_content(tmp_path / "study", tmp_path / "undisturbed")
    assert files(tmp_path / "study") == files(tmp_path / "undisturbed")


def test_of_two_studies_that_begin_at_once_one_has_the_directory(tmp_path):
    """Never some of each: the other is refused."""
    gate = multiprocessing.get_context("forkserver").Barrier(2)
    processes = [
        begun(
            "begins_with_others",
            tmp_path / "study",
            OPTIONS | {"replications": 4, "executor": "threads", "seed": seed},
            gate,
        )
        for seed in (1, 2)
    ]
    for process in processes:
        process.join()
    assert sorted(process.exitcode == 0 for process in processes) == [False, True]
    seed = 1 if processes[0].exitcode == 0 else 2
    assert resumed(tmp_path / "study", 4, seed=seed)[1] == 0
    study(tmp_path / "alone", 4, seed=seed).run()
    assert_same_content(tmp_path / "study", tmp_path / "alone")


# Grown, in parts, and one by one


def test_twenty_replications_that_are_asked_up_to_fifty_run_thirty(tmp_path):
    assert resumed(tmp_path / "study", 20)[1] == 20
    findings, ran = resumed(tmp_path / "study", 50)
    assert ran == 30
    assert findings.to_dict() == study(None, 50).run().to_dict()


def test_a_part_that_is_asked_for_runs_what_of_it_is_missing(tmp_path):
    resumed(tmp_path / "study", 4)
    findings, ran = resumed(tmp_path / "study", range(2, 7))
    assert ran == 3
    assert findings.to_dict() == study(None, range(2, 7)).run().to_dict()


def test_any_replication_run_alone_equals_its_rows(undisturbed):
    runs = resumed(undisturbed, 3)[0].to_dataframe().set_index(["scenario", "replication"])
    for scenario in PAIR:
        for replication in range(3):
            alone = outsim.simulate(scenario, seed=SEED, replication=replication).measures()
            row = runs.loc[scenario.name, replication]
            assert {name: row[name] for name in alone} == pytest.approx(alone, rel=0, nan_ok=True)


def test_kept_tables_and_series_are_those_of_a_run_by_itself(undisturbed):
    for place, scenario in enumerate(PAIR):
        result = outsim.simulate(scenario, seed=SEED, replication=2)
        directory = undisturbed / "replications" / "000002"
        for name, table in result.tables.items():
            there = pd.read_parquet(directory / "tables" / str(place) / f"{name}.parquet")
            assert list(there.columns) == list(table.columns)
            for column in table:
                assert there[column].astype(object).equals(table[column].astype(object)), column
        series = pd.read_parquet(directory / "series.parquet")
        series = series[series["scenario"] == place].drop(columns="scenario").set_index("at")
        pd.testing.assert_frame_equal(
            series, result.timeline(), check_exact=True, check_freq=False
        )


def test_tables_that_are_asked_for_later_are_made_and_the_figures_stay(tmp_path, undisturbed):
    assert resumed(tmp_path / "study", 3)[1] == 3
    assert resumed(tmp_path / "study", 3, keep_tables=True)[1] == 3
    assert resumed(tmp_path / "study", 3, keep_tables=True)[1] == 0
    assert_same_content(tmp_path / "study", undisturbed)


def test_tables_of_more_scenarios_than_one_job_runs_come_together(tmp_path):
    many = tuple(chancy(f"s{k}", contacts=k + 1) for k in range(17))
    assert resumed(tmp_path, 1, scenarios=many, keep_tables=True)[1] == 2
    tables = tmp_path / "replications" / "000000" / "tables"
    assert len([*tables.glob("*/run.json")]) == 17


def test_a_precision_uses_what_is_there(tmp_path):
    resumed(tmp_path, 20)
    findings, ran = resumed(tmp_path, None, precision={"completed_share": 0.5})
    assert (findings.replications, ran) == (20, 0)


# Refused


OTHERS = {
    "another seed": ({"seed": 6}, "seed: 5, and not 6"),
    "another name": (
        {"scenarios": (chancy("a"), chancy("c", max_retry=0))},
        "names: a, b, and not a, c",
    ),
    "one scenario less": ({"scenarios": PAIR[:1]}, "names: a, b, and not a"),
    "another rule": (
        {"scenarios": (chancy("a"), chancy("b", max_retry=2))},
        r"b: campaign\[acme/list\]\.max_retry: 0, and not 2",
    ),
    "another measure": (
        {"measures": MEASURES[:2]},
        "measures: .*, and not completed_by_deadline,",
    ),
}


@pytest.mark.parametrize("other", OTHERS)
def test_a_directory_of_another_study_is_refused_with_the_difference(undisturbed, other):
    options, message = OTHERS[other]
    with pytest.raises(StudyError, match=message):
        study(undisturbed, 3, **options)


def test_a_directory_of_another_model_is_refused(undisturbed, monkeypatch):
    monkeypatch.setattr(identity, "MODEL_VERSION", identity.MODEL_VERSION + 1)
    with pytest.raises(StudyError, match=r"model_version: \d+, and not \d+"):
        study(undisturbed, 3)


def test_a_directory_of_figures_that_were_defined_otherwise_is_refused(undisturbed, tmp_path):
    place = shutil.copytree(undisturbed, tmp_path / "defined otherwise")
    edit_sealed(place / STUDY, definitions=1)
    with pytest.raises(StudyError, match=r"definitions: 1, and not \d+"):
        study(place, 3)
    with pytest.raises(StudyError, match="version 1 of what its figures mean"):
        outsim.load_study(place)


def test_the_seed_of_a_file_does_not_matter_where_the_study_has_its_own(undisturbed):
    seeded = tuple(scenario.model_copy(update={"seed": 77}) for scenario in PAIR)
    assert resumed(undisturbed, 3, scenarios=seeded)[1] == 0


def test_a_contact_list_that_was_changed_is_another_study(tmp_path):
    """Under the same name, with as many rows."""

    def listed(number: str) -> Any:
        path = scenarios.contact_list(tmp_path, number)
        return scenarios.scenario(scenarios.campaign(contact_list=path))

    resumed(tmp_path / "study", 2, scenarios=listed("6175550101"))
    with pytest.raises(StudyError, match=r"contact_list: .*, and not"):
        study(tmp_path / "study", 2, scenarios=listed("6175550102"))


def test_replications_that_nobody_says_of_what_are_refused(tmp_path):
    resumed(tmp_path, 2)
    (tmp_path / "study.json").unlink()
    with pytest.raises(StudyError, match=r"has replications and no study\.json"):
        study(tmp_path, 2)


def test_a_run_that_comes_out_otherwise_than_what_is_kept_is_an_error(tmp_path):
    """As where a file was changed by hand, and the tables are asked for later."""
    resumed(tmp_path, 1)
    path = tmp_path / "replications" / "000000" / "measures.parquet"
    change_table(path, attempts=1)
    with pytest.raises(StudyError, match=r"000000: attempts of scenario 0 is 1 there, and \d+ in"):
        study(tmp_path, 1, keep_tables=True).run()


def test_tables_that_a_worker_writes_elsewhere_are_missed(tmp_path):
    class Elsewhere(Here):
        def submit(self, work, job, /):  # type: ignore[override]
            return super().submit(work, replace(job, tables=tmp_path / "elsewhere"))

    with pytest.raises(StudyError, match="did not write their tables"):
        study(tmp_path / "study", 1, executor=Elsewhere(), keep_tables=True).run()


# Damaged


DAMAGES = {
    "cut": lambda place: _cut(place / "measures.parquet"),
    "empty": lambda place: (place / "measures.parquet").write_bytes(b""),
    "missing": lambda place: (place / "measures.parquet").unlink(),
    "of other columns": lambda place: _sealed(place, pd.DataFrame({"a": [1]})),
    "without a checksum": lambda place: (place / "checksums.json").unlink(),
    "with the checksums of another": lambda place: shutil.copy(
        place.with_name("000002") / "checksums.json", place
    ),
    "of words": lambda place: _changed(place, measure=lambda _: "many"),
    "of one scenario": lambda place: _changed(place, rows=1),
    "of another replication": lambda place: _changed(place, replication=7),
}


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def _changed(place: Path, *, rows: int = 2, measure: Any = None, replication: int = 1) -> None:
    table = pd.read_parquet(place / "measures.parquet").head(rows)
    table = table.assign(replication=replication)
    if measure is not None:
        table["answered_by_person_share"] = table["answered_by_person_share"].map(measure)
    _sealed(place, table)


def _sealed(place: Path, table: pd.DataFrame) -> None:
    table.to_parquet(place / "measures.parquet", index=False)
    seal_files(place / "checksums.json")


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_figures_are_named_with_what_to_remove_and_that_helps(tmp_path, damage):
    resumed(tmp_path, 3)
    place = tmp_path / "replications" / "000001"
    DAMAGES[damage](place)
    with pytest.raises(StudyError, match=r"can't be read .*000001"):
        study(tmp_path, 3).run()
    for path in place.iterdir():
        path.unlink()
    place.rmdir()
    findings, ran = resumed(tmp_path, 3)
    assert ran == 1
    assert findings.to_dict() == study(None, 3).run().to_dict()


GARBAGE = {
    "no JSON": b"{",
    "no text": b"\xff\xfe\x00",
    "a list": b"[]",
    "an empty table": b"{}",
    "other kinds": json.dumps({"model_version": "1"}).encode(),
}


@pytest.mark.parametrize("garbage", GARBAGE)
def test_a_damaged_description_is_named(tmp_path, garbage):
    resumed(tmp_path, 1)
    (tmp_path / "study.json").write_bytes(GARBAGE[garbage])
    with pytest.raises(StudyError, match=r"study\.json: can't be read"):
        study(tmp_path, 1)
    assert finished(tmp_path) == {0}


def test_what_is_no_replication_is_left_alone(tmp_path):
    resumed(tmp_path, 1)
    (tmp_path / "replications" / "000000 (copy)").mkdir()
    assert resumed(tmp_path, 2)[1] == 1
