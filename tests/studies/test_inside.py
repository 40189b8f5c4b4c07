"""What somebody else's directory names outside of itself is not opened."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import outsim
from outsim.directories import FILES, OutsideError, checksums_of, inside, with_checksum
from outsim.errors import OutsimError, ResultError, StudyError
from outsim.scenario.loading import load
from outsim.studies.storage import merge
from tests.results.runs import full

from .kept import Here

SCENARIO = {
    "clock": {"zone": "UTC", "date": "2026-03-10", "begins": "09:00", "ends": "09:20"},
    "campaign": [
        {"name": "a", "tenant": "b", "start": "09:01", "contact_list": "list.csv"},
    ],
}
ROWS = "destination\n2125550100\n2125550101\n"


@pytest.fixture
def scenario(tmp_path: Path) -> outsim.Scenario:
    (tmp_path / "list.csv").write_text(ROWS)
    return load(SCENARIO, directory=tmp_path)


def rewrite(file: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change a document as somebody would who wants it to be read."""
    said = json.loads(file.read_text())
    change(said)
    file.write_text(with_checksum(said))


def name_list(said: dict[str, Any], name: str) -> None:
    for tables in (said.get("scenario"), *said.get("written", ())):
        if tables is not None:
            tables["campaign"][0]["contact_list"] = name


OUTSIDE = ("../list.csv", "contacts/../../list.csv", "{}/list.csv", "contacts/x/../a.csv")


@pytest.mark.parametrize("named", OUTSIDE)
def test_a_contact_list_elsewhere_is_not_opened(named, scenario, tmp_path):
    kept = outsim.simulate(scenario).save(tmp_path / "kept")
    rewrite(kept / "run.json", lambda said: name_list(said, named.format(tmp_path)))
    with pytest.raises(ResultError, match=r"run.json: campaign\[.*\].contact_list: found"):
        outsim.load_result(kept)


def test_a_base_is_not_opened(scenario, tmp_path):
    kept = outsim.simulate(scenario).save(tmp_path / "kept")
    (tmp_path / "base.toml").write_text('name = "base"\n')
    rewrite(kept / "run.json", lambda said: said["scenario"].update(extends="../base.toml"))
    with pytest.raises(ResultError, match=r"extends: found '\.\./base\.toml'; what is kept"):
        outsim.load_result(kept)


@pytest.mark.parametrize("file", ["run.json", "calls.parquet", "updates.parquet", "contacts"])
def test_links_to_elsewhere_are_not_followed(file, scenario, tmp_path):
    kept = outsim.simulate(scenario).save(tmp_path / "kept")
    (kept / file).rename(tmp_path / file)
    (kept / file).symlink_to(tmp_path / file)
    with pytest.raises(ResultError, match="leads out of"):
        outsim.load_result(kept)


def test_a_contact_list_that_is_a_link_to_elsewhere_is_not_opened(scenario, tmp_path):
    kept = outsim.simulate(scenario).save(tmp_path / "kept")
    (copy,) = (kept / "contacts").glob("*.csv")
    copy.unlink()
    copy.symlink_to(tmp_path / "list.csv")
    with pytest.raises(ResultError, match="leads out of"):
        outsim.load_result(kept)


def test_checksums_of_files_elsewhere_are_not_looked_at(scenario, tmp_path):
    kept = outsim.simulate(scenario).save(tmp_path / "kept")
    name = "contacts/../../list.csv"
    rewrite(kept / "run.json", lambda said: said[FILES].update(checksums_of(kept, [name])))
    with pytest.raises(ResultError, match="leads out of"):
        outsim.load_result(kept)


@pytest.mark.parametrize("file", ["run.json", "calls.parquet"])
def test_pipes_are_not_waited_for(file, tmp_path):
    kept = full().save(tmp_path / "kept")
    (kept / file).unlink()
    os.mkfifo(kept / file)
    with pytest.raises(ResultError, match="no regular file"):
        outsim.load_result(kept)


def test_links_within_the_directory_and_to_it_are_followed(scenario, tmp_path):
    kept = outsim.simulate(scenario).save(tmp_path / "kept")
    (kept / "calls.parquet").rename(kept / "calls.kept")
    (kept / "calls.parquet").symlink_to("calls.kept")
    (tmp_path / "link").symlink_to(kept)
    assert len(outsim.load_result(tmp_path / "link").calls) == 2


@pytest.fixture
def study(scenario, tmp_path) -> Path:
    directory = tmp_path / "study"
    stream = outsim.Study([scenario]).stream
    stream(replications=2, directory=directory, engine="simpy", executor=Here()).run()
    return directory


@pytest.mark.parametrize("named", OUTSIDE)
def test_a_contact_list_outside_a_study_is_not_opened(named, study, tmp_path):
    rewrite(study / "study.json", lambda said: name_list(said, named.format(tmp_path)))
    with pytest.raises(StudyError, match=r"campaign\[.*\].contact_list: found"):
        _ = outsim.load_study(study).scenarios


def test_a_merge_copies_nothing_from_elsewhere(study, tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_text("nobody's business\n")
    for place in (study / "contacts" / "secret.csv", study / "replications" / "000001" / "more"):
        place.symlink_to(secret)
        with suppress(OutsimError):
            merge(tmp_path / "merged", [study])
        found = [path for path in (tmp_path / "merged").rglob("*") if not path.is_symlink()]
        assert not [path for path in found if path.is_file() and "nobody" in _text(path)]
        shutil.rmtree(tmp_path / "merged", ignore_errors=True)
        place.unlink()


def _text(path: Path) -> str:
    return path.read_text(errors="replace")


def test_replications_elsewhere_are_not_read(study, tmp_path):
    place = study / "replications" / "000001" / "measures.parquet"
    place.rename(tmp_path / "measures.parquet")
    place.symlink_to(tmp_path / "measures.parquet")
    with pytest.raises(StudyError, match="leads out of"):
        _ = outsim.load_study(study).result


@pytest.mark.parametrize("name", ["../a", "/etc/passwd", "s/../../a", "out", "out/a", "a\0b"])
def test_names_that_lead_out_are_refused(name, tmp_path):
    directory = tmp_path / "here"
    directory.mkdir()
    (directory / "out").symlink_to(tmp_path)
    with pytest.raises(OutsideError, match="leads out of"):
        inside(directory, name)


@pytest.mark.parametrize("name", ["a", "sub/a", "sub/../a", "..a", "in"])
def test_names_within_are_places(name, tmp_path):
    (tmp_path / "in").symlink_to("elsewhere-within")
    assert inside(tmp_path, name) == tmp_path / name
