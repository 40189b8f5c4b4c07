"""A trace is small, and gives back every record that was kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from outsim.engine import rules as model
from outsim.engine.records import Records
from outsim.results.checkpoint import simulate
from outsim.scenario import Scenario, load
from outsim.testing.attribution import moved, named
from outsim.testing.differences import same
from outsim.testing.traces import TraceError, kept_at, read, sealed, trace_of, write
from tests.damage import flipped
from tests.test_determinism import SCENARIO
from tests.testing.examples import CALLS


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    """A plain trace, and a compressed one of everything that can happen."""
    for mapping, ending in ((CALLS, ".trace"), (SCENARIO, ".xz")):
        result = simulate(load(mapping), seed=4, engine="simpy")
        trace = trace_of(result)
        path = write(trace, tmp_path / "run.trace")
        assert path.suffix == ending
        assert kept_at(tmp_path / "run.trace") == path
        kept = read(path)
        assert same(kept.records, trace.records)
        assert (kept.run, kept.campaigns) == (trace.run, trace.campaigns)
        assert moved(result.arrays.plan, kept, trace) is None


def test_a_trace_of_some_hundred_calls_takes_few_bytes_an_attempt(tmp_path: Path) -> None:
    result = simulate(load(SCENARIO), seed=4, engine="simpy")
    assert len(result.calls) > 200
    size = write(trace_of(result), tmp_path / "run.trace").stat().st_size
    assert size / len(result.attempts) < 50


def test_both_engines_have_one_trace() -> None:
    traces = [
        trace_of(simulate(load(CALLS), seed=4, engine=engine)) for engine in ("simpy", "compiled")
    ]
    records: list[Records] = [trace.records for trace in traces]
    assert same(*records)
    assert traces[0].campaigns == traces[1].campaigns


def test_line_ends_are_no_damage(tmp_path: Path) -> None:
    """As version control changes them on Windows."""
    trace = trace_of(simulate(load(CALLS), seed=4, engine="simpy"))
    path = write(trace, tmp_path / "run.trace")
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert same(read(path).records, trace.records)


@pytest.mark.parametrize("mapping", [CALLS, SCENARIO], ids=["plain", "compressed"])
def test_no_flipped_bit_is_read_as_another_trace(mapping: Any, tmp_path: Path) -> None:
    trace = trace_of(simulate(load(mapping), seed=4, engine="simpy"))
    path = write(trace, tmp_path / "run.trace")
    messages = []
    for data in flipped(path.read_bytes(), 300):
        path.write_bytes(data)
        try:
            kept = read(path)
        except TraceError as error:
            messages.append(str(error))
        else:
            assert same(kept.records, trace.records)
            assert (kept.run, kept.campaigns) == (trace.run, trace.campaigns)
    assert len(messages) > 250
    assert all(f"{path}: holds no trace that can be read (" in each for each in messages)


def test_a_trace_without_a_checksum_is_refused(tmp_path: Path) -> None:
    trace = trace_of(simulate(load(CALLS), seed=4, engine="simpy"))
    path = write(trace, tmp_path / "run.trace")
    path.write_text("\n".join(path.read_text().split("\n")[:-2]) + "\n")
    with pytest.raises(TraceError, match=r"run\.trace: .*no checksum.*--update-golden"):
        read(path)


def test_a_trace_that_does_not_say_which_rules_acted_is_refused(tmp_path: Path) -> None:
    trace = trace_of(simulate(load(CALLS), seed=4, engine="simpy"))
    path = write(trace, tmp_path / "run.trace")
    lines = path.read_text().split("\n")
    notes = next(k for k, line in enumerate(lines) if line.startswith("notes "))
    path.write_text(sealed("\n".join(lines[:notes])))
    with pytest.raises(TraceError, match=r"which rules acted: an earlier.*--update-golden"):
        read(path)


def test_notes_are_read_as_they_were_written(tmp_path: Path) -> None:
    trace = trace_of(simulate(load(SCENARIO), seed=4, engine="compiled"), notes=True)
    assert {note.rule for note in trace.notes} >= {*range(2, 12)}
    assert read(write(trace, tmp_path / "run.trace")).notes == trace.notes


def test_a_trace_that_finds_no_room_leaves_the_one_that_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = trace_of(simulate(load(CALLS), seed=4, engine="simpy"))
    large = trace_of(simulate(load(SCENARIO), seed=4, engine="simpy"))
    path = write(small, tmp_path / "run.trace")

    def full(_: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        write(large, path)
    assert [*tmp_path.iterdir()] == [path]
    assert same(read(path).records, small.records)


@pytest.mark.parametrize("text", ["", "run {}", "run 5\nattempts", 'run {"ended": 1}\nnothing 3'])
def test_a_file_that_holds_no_trace_is_named(text: str, tmp_path: Path) -> None:
    file = tmp_path / "broken.trace"
    for said in (text, sealed(text)):
        file.write_text(said)
        with pytest.raises(TraceError, match=r"broken\.trace: holds no trace"):
            read(file)


def with_a_list(directory: Path, text: str) -> Scenario:
    """The calls of a contact list in a directory of its own."""
    directory.mkdir()
    directory.joinpath("list.csv").write_bytes(text.encode())
    campaign = {k: v for k, v in CALLS["campaign"][0].items() if k != "contacts"}
    campaign["contact_list"] = "list.csv"
    return load(CALLS | {"campaign": [campaign]}, directory=directory)


LIST = "destination\n2025550100\n2025550101\n"


def run_of(scenario: Scenario) -> dict[str, int | str]:
    return trace_of(simulate(scenario, seed=4, engine="simpy")).run


def test_a_contact_list_counts_by_its_rows_and_not_by_its_place(tmp_path: Path) -> None:
    here = run_of(with_a_list(tmp_path / "here", LIST))
    assert run_of(with_a_list(tmp_path / "there", LIST)) == here
    assert run_of(with_a_list(tmp_path / "line ends", LIST.replace("\n", "\r\n"))) == here
    other = run_of(with_a_list(tmp_path / "other", LIST.replace("0101", "0102")))
    assert {key for key in here if here[key] != other[key]} == {"scenario", "with_defaults"}


def test_a_contact_list_whose_file_is_gone_counts_by_what_was_read(tmp_path: Path) -> None:
    runs = []
    for name, text in (("one", LIST), ("same", LIST), ("other", LIST.replace("0101", "0102"))):
        scenario = with_a_list(tmp_path / name, text)
        (tmp_path / name / "list.csv").unlink()
        runs.append(run_of(scenario))
    assert runs[0] == runs[1]
    assert runs[0]["scenario"] != runs[2]["scenario"]


def test_rules_have_the_names_of_the_model() -> None:
    for rule in model.RULES:
        assert named(rule.number).casefold() == f"rule {rule.number}, {rule.name}".casefold()
    assert named(2) == "rule 2, Schedule, loading and pacing"
    assert named(5) == "rule 5, Workers"
    assert named(11) == "rule 11, result_url"
