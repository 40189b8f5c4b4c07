"""What a report can be made of, and what is said of anything else."""

from __future__ import annotations

import shutil

import pytest

from outsim.directories import REQUEST, STUDY
from outsim.engine.records import MODEL_VERSION
from outsim.errors import OutsimError, StudyError
from outsim.present.report import Report
from outsim.present.sources import read_context
from outsim.questions.sweep import sweep
from outsim.results.checkpoint import simulate
from outsim.studies.synchronous import run_sync
from tests.sealing import edit_sealed

from .reports import OPTIONS, REPLICATIONS, Here, kept, scenario


@pytest.mark.parametrize(
    ("kind", "answers"),
    [
        ("compare", {"comparison"}),
        ("starts", {"comparison", "schedule"}),
        ("schedule", {"schedule"}),
        ("stop", {"race"}),
        ("eta", {"forecast"}),
    ],
)
def test_a_study_answers_what_was_asked_of_it(tmp_path, kind, answers):
    subject = read_context(kept(kind, tmp_path / kind))
    asked = {"comparison", "schedule", "race", "forecast"}
    assert {each for each in asked if getattr(subject, each) is not None} == answers
    assert subject.means.findings.replications == REPLICATIONS


def test_a_run_and_its_scenario_answer_the_same(tmp_path):
    result = simulate(scenario(), engine="simpy", replication=1)
    subject = read_context(result.save(tmp_path / "run"), replications=2, engine="simpy")
    assert subject.result.calls.equals(result.calls)
    assert subject.result.replication == 1
    assert None not in (subject.schedule, subject.race, subject.forecast)
    assert subject.means.findings.replications == 2


def test_another_campaign_of_a_run_may_be_asked_about(tmp_path):
    place = simulate(scenario(), engine="simpy").save(tmp_path / "run")
    subject = read_context(place, "notices", replications=2, engine="simpy")
    assert subject.campaign.name == "notices"
    assert subject.schedule is not None
    assert subject.schedule.campaign.name == "notices"


def test_a_study_that_is_not_finished_tells_what_there_is(tmp_path):
    place = kept("compare", tmp_path, replications=5)
    shutil.rmtree(place / "replications" / "000003")
    subject = read_context(place)
    assert subject.means.findings.replications == 3
    (notice,) = subject.notices
    assert "not finished" in notice
    assert "replication 3 is missing" in notice


def test_a_study_without_a_replication_is_refused(tmp_path):
    place = kept("compare", tmp_path)
    shutil.rmtree(place / "replications")
    with pytest.raises(StudyError, match="no replication is there yet"):
        read_context(place)


@pytest.mark.parametrize("what", ["study", "run"])
def test_another_version_of_the_model_is_refused(tmp_path, what):
    if what == "study":
        file = kept("compare", tmp_path) / STUDY
    else:
        file = simulate(scenario(), engine="simpy").save(tmp_path) / "run.json"
    edit_sealed(file, model_version=MODEL_VERSION + 1)
    with pytest.raises(OutsimError, match=f"version {MODEL_VERSION + 1} of the model"):
        read_context(tmp_path)


def test_a_study_whose_figures_were_defined_otherwise_is_refused(tmp_path):
    file = kept("compare", tmp_path) / STUDY
    edit_sealed(file, definitions=1)
    with pytest.raises(OutsimError, match="version 1 of what its figures mean"):
        read_context(tmp_path)


def test_a_directory_of_something_else_is_refused(tmp_path):
    with pytest.raises(StudyError, match=r"neither a run .* nor a study"):
        read_context(tmp_path)


def test_a_directory_of_several_studies_names_them(tmp_path):
    kept("compare", tmp_path / "one")
    kept("eta", tmp_path / "two")
    with pytest.raises(StudyError, match=r"holds 2 studies \(one, two\)"):
        read_context(tmp_path)


def test_a_run_that_was_not_finished_is_refused(tmp_path):
    place = simulate(scenario(), engine="simpy").save(tmp_path)
    (place / "run.json").unlink()
    with pytest.raises(OutsimError, match="run the scenario again"):
        read_context(place)


@pytest.mark.parametrize("given", [{"campaign": "notices"}, {"seed": 3}])
def test_a_study_has_its_campaign_and_seed(tmp_path, given):
    with pytest.raises(StudyError, match=f"leave out --{next(iter(given))}"):
        read_context(kept("compare", tmp_path), **given)


def test_one_replication_gives_no_interval(tmp_path):
    place = simulate(scenario(), engine="simpy").save(tmp_path)
    with pytest.raises(StudyError, match="2 or more"):
        read_context(place, replications=1)


def swept(directory, *others):
    """A sweep that is kept in a directory."""
    options = OPTIONS | {"executor": Here(), "replications": 2, "directory": directory}
    return run_sync(sweep(scenario(), *others, vary=["platform.ports=5:20:2"], **options))


def test_a_sweep_is_told_from_what_it_kept(tmp_path):
    found = swept(tmp_path)
    there = sorted(tmp_path.rglob("measures.parquet"))
    subject = read_context(tmp_path)
    assert subject.sweep is not None
    assert subject.sweep.table().equals(found.table())
    assert sorted(tmp_path.rglob("measures.parquet")) == there


def test_a_sweep_of_two_scenarios_tells_what_flips(tmp_path):
    found = swept(tmp_path, scenario("many calls", contacts=90))
    subject = read_context(tmp_path)
    assert subject.sweep is not None
    assert [each.verdict for each in subject.sweep.flips] == [each.verdict for each in found.flips]
    assert subject.comparison is not None
    section = next(each for each in Report(subject, "").sections if each.id == "sensitivity")
    assert section.tables[0].rows == found.document().tables[0].rows


def test_a_sweep_that_is_not_finished_says_how_to_finish_it(tmp_path):
    swept(tmp_path)
    edit_sealed(tmp_path / REQUEST, is_finished=False)
    with pytest.raises(StudyError, match=f"outsim sweep with --directory {tmp_path}"):
        read_context(tmp_path)
