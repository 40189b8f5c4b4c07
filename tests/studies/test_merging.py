"""Parts of a study, made here and there, are one study again; nothing else is mixed in."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import outsim
from outsim.errors import StudyError
from outsim.results.measures import MEASURES, Measure
from outsim.studies.runs import PLAIN_RUN
from outsim.studies.storage import merge
from tests.engine import scenarios
from tests.sealing import change_table, seal_files

from .kept import PAIR, SEED, assert_same_content, content, finished, resumed, study
from .scenarios import chancy


@pytest.fixture
def parts(tmp_path: Path) -> tuple[Path, Path]:
    """Directories of replications 0 to 3, and of 3 to 5 with tables."""
    study(tmp_path / "first", 4).run()
    study(tmp_path / "second", range(3, 6), keep_tables=True).run()
    return tmp_path / "first", tmp_path / "second"


def test_parts_make_the_whole(tmp_path, parts):
    study(tmp_path / "whole", 6).run()
    before = [content(part) for part in parts]
    joined = merge(tmp_path / "out", parts)
    assert [(part.taken, part.there) for part in joined] == [((0, 1, 2, 3), ()), ((4, 5), (3,))]
    findings, ran = resumed(tmp_path / "out", 6)
    assert ran == 0
    assert findings.to_dict() == resumed(tmp_path / "whole", 6)[0].to_dict()
    assert [content(part) for part in parts] == before


def test_tables_that_one_part_has_are_in_the_whole(tmp_path, parts):
    merge(tmp_path / "out", parts)
    places = [tmp_path / "out" / "replications" / f"{k:06d}" / "tables" for k in range(6)]
    assert [place.exists() for place in places] == [False] * 3 + [True] * 3
    assert_same_content(places[3], parts[1] / "replications" / "000003" / "tables")


def test_a_part_can_be_merged_into_another_and_again(tmp_path, parts):
    merge(parts[0], parts[1:])
    assert finished(parts[0]) == {0, 1, 2, 3, 4, 5}
    (again,) = merge(parts[0], parts[1:])
    assert (again.taken, again.there) == ((), (3, 4, 5))


OTHERS: dict[str, tuple[dict[str, Any], str]] = {
    "seed": ({"seed": 6}, "seed: 6, and not 5"),
    "scenario": (
        {"scenarios": (PAIR[0], chancy("b", max_retry=3))},
        r"b: campaign\[acme/list\]\.max_retry: 3, and not 0",
    ),
}


@pytest.mark.parametrize("other", OTHERS)
def test_a_part_of_another_study_is_refused_before_anything_is_copied(tmp_path, parts, other):
    options, message = OTHERS[other]
    study(tmp_path / "other", 1, **options).run()
    with pytest.raises(StudyError, match=message):
        merge(tmp_path / "out", [*parts, tmp_path / "other"])
    assert not (tmp_path / "out").exists()
    with pytest.raises(StudyError, match="holds another study"):
        merge(tmp_path / "other", parts)
    assert finished(tmp_path / "other") == {0}


def test_a_replication_that_two_parts_have_must_be_the_same(tmp_path, parts):
    path = parts[1] / "replications" / "000003" / "measures.parquet"
    change_table(path, completed_share=0.0)
    with pytest.raises(
        StudyError, match=r"completed_share of scenario 0 is .* there, and 0\.0 in"
    ):
        merge(tmp_path / "out", parts)
    assert finished(tmp_path / "out") == {0, 1, 2, 3}, "what was joined before stays, whole"


def test_what_holds_no_study_is_refused(tmp_path, parts):
    with pytest.raises(StudyError, match="nowhere: holds no study"):
        merge(tmp_path / "out", [*parts, tmp_path / "nowhere"])


# A kept study, looked into


def test_a_kept_study_says_what_it_found(tmp_path):
    findings, _ = resumed(tmp_path, 4)
    kept = outsim.load_study(tmp_path)
    assert kept.result.to_dict() == findings.to_dict()
    assert kept.result.text_table().equals(findings.text_table())
    assert repr(kept).endswith(f"a against b; 4 replications, seed {SEED})")


def test_its_series_are_one_table(tmp_path):
    resumed(tmp_path, 3)
    series = outsim.load_study(tmp_path).series()
    assert list(series.columns[:3]) == ["scenario", "replication", "at"]
    for scenario in PAIR:
        for replication in range(3):
            chosen = (series["scenario"] == scenario.name) & (series["replication"] == replication)
            there = series[chosen].drop(columns=["scenario", "replication"]).set_index("at")
            timeline = outsim.simulate(scenario, seed=SEED, replication=replication).timeline()
            pd.testing.assert_frame_equal(there, timeline, check_exact=True, check_freq=False)
    one = outsim.load_study(tmp_path).series([1])
    assert set(one["replication"]) == {1}


def test_a_study_in_memory_has_series_where_they_are_asked_for():
    kept = study(None, 3, keep_series=True)
    kept.run()
    series = kept.study.series()
    timeline = outsim.simulate(PAIR[1], seed=SEED, replication=2).timeline()
    last = series[(series["scenario"] == "b") & (series["replication"] == 2)]
    assert last["queue"].tolist() == timeline["queue"].tolist()
    bands = kept.study.bands("busy_ports", share=0.5)
    at = series["at"].iloc[1]
    there = sorted(series[(series["at"] == at) & (series["scenario"] == "a")]["busy_ports"])
    assert bands.loc[("a", at)].tolist() == [*there, 3]
    with pytest.raises(StudyError, match="column 'busy'"):
        kept.study.bands("busy")
    plain = study(None, 1)
    plain.run()
    with pytest.raises(StudyError, match="keep_series=True"):
        plain.study.series()


def test_every_run_of_a_study_is_a_row_of_one_table():
    run = study(None, 3, antithetic=True)
    found = run.run()
    table = run.study.to_dataframe()
    assert table.index.names == ["scenario", "replication", "stratum", "mirrored", "swapped"]
    assert len(table) == 2 * 3 * 2
    plain = table.xs((0, False), level=("stratum", "mirrored")).loc["b", "completed_share"]
    assert plain.tolist() == found.data.only((PLAIN_RUN,)).values(1, "completed_share").tolist()


def test_any_of_its_runs_can_be_made_again_whole(tmp_path, parts):
    kept = outsim.load_study(parts[1])
    result = kept.simulate(4, "b")
    there = kept.tables(4, "b")
    assert sorted(there) == sorted(result.tables)
    assert there["attempts"]["dispatched_at"].equals(result.attempts["dispatched_at"])
    row = kept.result.to_dataframe().set_index(["scenario", "replication"]).loc["b", 4]
    assert row["completed_share"] == result.measures()["completed_share"]
    with pytest.raises(StudyError, match="000000: has no tables"):
        outsim.load_study(parts[0]).tables(0)
    with pytest.raises(StudyError, match="scenario 'c'"):
        kept.simulate(4, "c")


@pytest.mark.parametrize("path", sorted(Path("scenarios").glob("*.toml")), ids=lambda p: p.stem)
def test_every_scenario_is_there_again_even_without_its_files(tmp_path, monkeypatch, path):
    scenario = outsim.load(path)
    study(tmp_path / "study", 1, scenarios=scenario)
    shutil.move(tmp_path / "study", tmp_path / "elsewhere")
    monkeypatch.chdir(tmp_path)
    (again,) = outsim.load_study(tmp_path / "elsewhere").scenarios
    assert again.campaign == scenario.campaign
    assert again.campaign_under_study == scenario.campaign_under_study
    assert again.deadline == scenario.deadline


def test_a_contact_list_that_was_changed_in_the_directory_is_told(tmp_path):
    listed = scenarios.contact_list(tmp_path, "6175550101", "6175550102")
    study(
        tmp_path / "study",
        1,
        scenarios=scenarios.scenario(scenarios.campaign(contact_list=listed)),
    ).run()
    (copy,) = (tmp_path / "study" / "contacts").iterdir()
    copy.write_text("destination,ani\n6175550103\n")
    with pytest.raises(StudyError, match=r"contacts/\w+\.csv: can't be read \(it has 27 bytes"):
        _ = outsim.load_study(tmp_path / "study").scenarios
    seal_files(tmp_path / "study" / "study.json")
    with pytest.raises(StudyError, match="contact_list"):
        _ = outsim.load_study(tmp_path / "study").scenarios


def test_figures_of_ones_own_are_to_be_said_again(tmp_path):
    own = Measure("answers", "answers", "number", lambda view: float(len(view.calls)), None)
    study(tmp_path, 2, measures=(*MEASURES, own)).run()
    with pytest.raises(StudyError, match="measure answers"):
        outsim.load_study(tmp_path)
    kept = outsim.load_study(tmp_path, measures=(*MEASURES, own))
    assert kept.result.mean(0, "answers").mean == 30


def test_a_gap_between_replications_is_told(tmp_path):
    study(tmp_path, range(2)).run()
    study(tmp_path, range(3, 5)).run()
    with pytest.raises(StudyError, match="replication 2 is missing"):
        _ = outsim.load_study(tmp_path).result
