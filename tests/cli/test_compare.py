"""`outsim compare` as a study: how many replications, kept where, by whom, and what is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import outsim as package
from outsim.results.measures import MEASURES

from .stored import run, stored

COMPARE = ("compare", "small.toml", "later.toml")

OTHERS = {
    "one-port.toml": 'extends = "small.toml"\nname = "one port"\n[platform]\nports = 1\n',
    "two-ports.toml": 'extends = "small.toml"\nname = "two ports"\n[platform]\nports = 2\n',
}


@pytest.fixture
def document(outsim):
    """The JSON document of a comparison with some options."""

    def compared(*options: str, scenarios=COMPARE) -> dict:
        ended = outsim(*scenarios, *options, "--json")
        assert ended.code == 0, ended.message
        return json.loads(ended.out)

    return compared


@pytest.fixture
def ports(files: Path) -> tuple[str, ...]:
    """Small, with one port and with two: there is something to tell."""
    for name, text in OTHERS.items():
        (files / name).write_text(text)
    return ("compare", "small.toml", *OTHERS)


def kept(files: Path, directory: str = "kept") -> list[str]:
    return sorted(path.name for path in (files / directory / "replications").iterdir())


# How many


def test_a_part_of_a_study_has_the_replications_of_the_whole(document):
    whole, part = document("--replications", "5"), document("--replications", "2:5")
    assert (part["first_replication"], part["replications"]) == (2, 3)
    assert part["runs"] == [run for run in whole["runs"] if run["replication"] >= 2]


def test_it_runs_until_every_precision_is_reached_and_says_so(files):
    options = ("--precision", "attempts_per_call=8%", "--precision", "wait_p90_s=1min")
    made = run((*COMPARE, *options))
    found, text = made.facts, made.words
    assert found["replications"] == 20
    assert [(each["asked"], each["reached"]) for each in found["precision"]] == [
        ("attempts_per_call=8.000%", True),
        ("wait_p90_s=60", True),
    ]
    width = found["precision"][1]["half_width"]
    assert f"precision wait_p90_s=60: reached with 20 replications; mean ± {width:.1f} s" in text


def test_a_precision_of_the_difference_is_reached_at_once_where_nothing_differs(document):
    found = document("--precision", "difference:completed_share=0.001")
    assert (found["replications"], found["precision"][0]["half_width"]) == (20, 0.0)


def test_a_time_bounds_a_search_for_precision_and_the_count_repeats_the_answer(document):
    """It is precise enough long before an hour is over."""
    found = document("--timeout", "1 h", "--precision", "wait_p90_s=1h")
    assert found["replications"] == 20
    assert found["measures"] == document("--replications", "20")["measures"]


# Where they are kept


def test_what_a_directory_holds_is_not_run_again(outsim, document, files, monkeypatch):
    first = document("--replications", "3", "--directory", "kept")
    assert kept(files) == ["000000", "000001", "000002"]
    grown = document("--replications", "5", "--directory", "kept")
    assert grown["runs"][:3] == first["runs"][:3]
    assert grown == document("--replications", "5")
    monkeypatch.setattr("outsim.studies.runs.run_job", None)
    assert document("--replications", "5", "--directory", "kept") == grown


def test_the_tables_of_every_run_are_kept_if_asked(document, files):
    document("--replications", "2", "--directory", "without")
    document("--replications", "2", "--directory", "with", "--keep-tables")
    assert not [*files.glob("without/**/tables")]
    tables = files / "with" / "replications" / "000001" / "tables"
    assert sorted(path.name for path in tables.iterdir()) == ["0", "1", "checksums.json"]
    assert any((tables / "1").glob("calls*"))


def test_the_directory_of_another_study_is_refused_with_the_difference(outsim, files):
    outsim(*COMPARE, "--replications", "2", "--directory", "kept")
    for options, difference in (
        (("small.toml", "small.toml"), "names: "),
        (("small.toml", "later.toml", "--seed", "5"), "seed: 1, and not 5"),
    ):
        ended = outsim("compare", *options, "--replications", "2", "--directory", "kept")
        assert (ended.code, ended.out) == (2, "")
        assert "kept: holds another study" in ended.message
        assert difference in ended.message
    assert kept(files) == ["000000", "000001"]


# Who works


@pytest.mark.parametrize("executor", ["threads", "processes"])
@pytest.mark.parametrize("engine", ["simpy", "compiled"])
def test_neither_executor_nor_engine_changes_a_figure(document, executor, engine):
    found = document("--replications", "3", "--executor", executor, "--engine", engine)
    assert found == stored("compare").facts


# What it says


def test_it_says_what_pairing_saved_for_what_is_clear(ports):
    made = run((*ports, "--replications", "6", "--verbose"))
    text = made.words
    assert "pairing" not in stored("compare").words
    saved = {
        name: measure["differences"][0]["saved_by_pairing"]
        for name, measure in made.facts["measures"].items()
    }
    assert saved["wait_p90_s"]["low"] < saved["wait_p90_s"]["times"] < saved["wait_p90_s"]["high"]
    told = text[text.index("one port, pairing:") :]
    assert "pairing: as good as " in told
    assert " times more replications (" in told
    labels = [each.label for each in MEASURES]
    assert any(f"({label})" in told for label in labels)


def test_where_all_pairs_differ_alike_it_says_that(outsim):
    """Ten minutes later, on an empty platform, everything happens ten minutes later."""
    text = outsim(*COMPARE, "--replications", "4", "--verbose").out
    assert "pairing: all pairs differ alike" in " ".join(text.split())


def test_intervals_of_several_scenarios_hold_together_and_it_says_so(outsim, ports):
    several = outsim(*ports, "--replications", "2")
    assert "The 2 differences of one measure hold together with 95 %" in several.out
    assert "Bonferroni" not in stored("compare").words


def test_its_json_is_that_of_the_python_interface(document, files):
    scenarios = [package.load(path) for path in COMPARE[1:]]
    options = {"precision": {"wait_p90_s": "1h"}, "min_replications": 20}
    found = package.compare(*scenarios, executor="threads", **options).run().to_dict()
    assert document("--precision", "wait_p90_s=1h") == json.loads(json.dumps(found))


# Mistakes


MISTAKES = {
    "no count": (("--replications", "many"), "replications 'many': give a count such as 30, or"),
    "an empty part": (("--replications", "9:9"), "replications '9:9': give a count such as 30"),
    "a count and a precision": (
        ("--replications", "9", "--precision", "wait_p90_s=1s"),
        "give one or the other",
    ),
    "a precision without a width": (
        ("--precision", "wait_p90_s"),
        "precision 'wait_p90_s': write MEASURE=WIDTH, such as wait_p90_s=30s",
    ),
    "a precision of nothing": (
        ("--precision", "wait=30s"),
        "precision of measure 'wait': there is no such measure; did you mean 'wait_p50_s'?",
    ),
    "a width that is none": (
        ("--precision", "wait_p90_s=narrow"),
        "precision wait_p90_s=narrow: allowed is a share of the mean such as 5%",
    ),
    "a share of a clock time": (
        ("--precision", "finish_time_s=2%"),
        "a clock time has no per cent",
    ),
    "two widths of one figure": (
        ("--precision", "wait_p90_s=1s", "--precision", "wait_p90_s=2s"),
        "wait_p90_s has one already, 1s",
    ),
    "a time that is none": (("--timeout", "soon"), "timeout 'soon': found 'soon'; write a number"),
    "tables to keep nowhere": (
        ("--keep-tables",),
        "--keep-tables: say where, with --directory DIR",
    ),
    "an unknown executor": (
        ("--replications", "2", "--executor", "friends"),
        "executor 'friends': there is no such executor; allowed: threads, processes, cores, dask://",
    ),
    "a file as directory": (
        ("--replications", "2", "--directory", "a file"),
        "a file: can't be written to",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_before_anything_is_run(outsim, mistake):
    options, message = MISTAKES[mistake]
    ended = outsim(*COMPARE, *options)
    assert (ended.code, ended.out) == (2, "")
    assert message in ended.message
    assert "Traceback" not in ended.err


# Scenarios whose figures mean different things

NOTICES = {
    "about-notices.toml": 'extends = "small.toml"\nname = "about notices"\n'
    '[study]\ncampaign = "notices"\n'
}


@pytest.mark.parametrize("command", ["compare", "sweep"])
def test_scenarios_about_different_campaigns_are_refused(outsim, files, command):
    for name, text in NOTICES.items():
        (files / name).write_text(text)
    more = ("--vary", "platform.ports=8:12:2") if command == "sweep" else ()
    ended = outsim(command, "small.toml", "about-notices.toml", "--replications", "2", *more)
    assert (ended.code, ended.out) == (2, "")
    assert "clinic/appointment reminders (small), utility/notices (about notices)" in ended.message
    assert "give --campaign NAME" in ended.message


@pytest.mark.parametrize("command", ["compare", "sweep"])
def test_they_are_compared_and_labelled_where_it_is_asked_for(outsim, files, command):
    for name, text in NOTICES.items():
        (files / name).write_text(text)
    asked = ("small.toml", "about-notices.toml", "--replications", "2")
    more = ("--vary", "platform.ports=8:12:2") if command == "sweep" else ()
    each = "--campaign-by-scenario"
    both = (each, "appointment reminders", each, "notices")
    said = " ".join(outsim(command, *asked, *more, *both).out.split())
    assert "Different campaigns under study, as asked for: clinic/appointment reminders" in said
    one = outsim(command, *asked, *more, "--campaign", "notices", "--json")
    assert one.code == 0
    assert json.loads(one.out)["unlike"] == {}


def test_who_gains_and_who_loses_is_one_command(outsim, files):
    (files / "fair.toml").write_text(
        'extends = "small.toml"\nname = "fair"\n[platform]\nqueue = "fair"'
    )
    asked = ("compare", "small.toml", "fair.toml", "--replications", "3")
    said = outsim(*asked, "--all-tenants").out
    assert said.startswith("fair, compared with small: ")
    assert max(map(len, said.splitlines())) <= 80
    both = ("--campaign", "notices", "--campaign", "appointment reminders", "--json")
    subjects = json.loads(outsim(*asked, *both).out)["everybody"]["subjects"]
    assert [*subjects] == ["notices", "appointment reminders"]
