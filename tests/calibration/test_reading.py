"""Every kind of call log is read into one table, and no row of it is lost without a word."""

from __future__ import annotations

import gzip
import json
import tempfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outsim.calibration import CallLog, Mapping, mapping_of, read_call_log
from outsim.calibration.calls import WINDOW_S, dials
from outsim.calibration.lines import Shape, blocks, parse
from outsim.errors import ScenarioError
from outsim.results.checkpoint import simulate
from outsim.scenario import load
from outsim.vocabulary import OUTCOMES as RUN_OUTCOMES
from tests.calibration import logs
from tests.calibration.logs import WRITERS, ZONE, Attempt, attempts

fewer = settings(max_examples=settings().max_examples // 3)
"""Of the tests that are made once for each format."""

OWN = mapping_of(logs.COLUMNS, logs.OUTCOMES, logs.TIME_FORMAT)


def read_text(text: str | bytes, kind: str = "", **options: object) -> CallLog:
    mapping = OWN if kind == "csv" else Mapping()
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "log"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_call_log([file], **{"mapping": mapping, "zone": ZONE, **options})


def rows_of(log: CallLog) -> list[tuple[object, ...]]:
    """Attempts of a log, as `Attempt` writes them; numbers as codes by first appearance."""
    table = log.table
    columns = [
        table[name] if name in table else pd.Series([None] * len(table), dtype=object)
        for name in ("started", "outcome", "ring_s", "talk_s")
    ]
    codes = pd.factorize(table["number"])[0].tolist()
    return [
        tuple(None if pd.isna(value) else value for value in row)
        for row in zip(*columns, codes, strict=True)
    ]


def expected(rows: list[Attempt]) -> list[tuple[object, ...]]:
    codes: dict[str, int] = {}
    return [
        (
            pd.Timestamp(each.started),
            each.outcome,
            each.ring_s,
            each.talk_s,
            codes.setdefault(each.number, len(codes)),
        )
        for each in rows
    ]


@pytest.mark.parametrize("kind", WRITERS)
@fewer
@given(rows=attempts)
def test_a_log_in_any_format_reads_back_as_the_same_attempts(kind, rows):
    text, truth = WRITERS[kind](rows)
    log = read_text(text, kind)
    assert rows_of(log) == expected(truth)
    assert (log.rows, log.unreadable, log.left_out) == (len(rows), (), {})


GARBAGE = (
    "garbage",
    '"a quote that nobody closes',
    "a,b,c",
    '{"half": ',
    "=====",
    '","',
    "\x00\x01\x02",
    "ünï©ödé \ufffd",
    'x"y"z',
)


@pytest.mark.parametrize("kind", ["asterisk", "twilio", "result_url as forms", "csv"])
@fewer
@given(
    rows=attempts,
    junk=st.lists(st.tuples(st.integers(0, 40), st.sampled_from(GARBAGE)), max_size=4),
)
def test_lines_that_are_no_rows_are_listed_those_and_no_others(kind, rows, junk):
    text, truth = WRITERS[kind](rows)
    lines = text.splitlines()
    header = int(kind in ("twilio", "csv"))
    places = []
    for place, garbage in sorted(junk, reverse=True):
        at = header + place % (len(lines) - header + 1)
        lines.insert(at, garbage)
        places = [at + 1, *(each + 1 if each > at else each for each in places)]
    log = read_text("\n".join(lines) + "\n", kind)
    assert [each.line for each in log.unreadable] == sorted(places)
    assert rows_of(log) == expected(truth)
    assert log.rows == len(rows) + len(junk)


@given(rows=attempts, size=st.integers(300, 3000), at=st.integers(0, 40))
def test_blocks_cut_a_file_anywhere_and_lines_keep_their_numbers(rows, size, at):
    lines = logs.asterisk(rows)[0].splitlines()
    bad = at % (len(lines) + 1)
    lines.insert(bad, '"open,1,2')
    names = tuple(str(k) for k in range(18))
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "log"
        file.write_text("\n".join(lines))
        parsed = [parse(b, k, Shape(names), ["16"]) for k, b in blocks(file, size)]
    numbers = [line for each in parsed for line in each.lines.tolist()]
    texts = [text for each in parsed for text in each.table["16"].to_pylist()]
    assert [line for each in parsed for line, _ in each.broken] == [bad + 1]
    assert numbers == [k for k in range(1, len(lines) + 1) if k != bad + 1]
    assert texts == [f"1773036000.{k}" for k in range(len(rows))]


def test_a_field_over_several_lines_is_one_row():
    text = 'when,what,remark\n1773036000,busy,"two\nlines, ""quoted"""\n1773036060,busy,plain\nx\n'
    log = read_text(text, mapping=mapping_of({"started": "when", "outcome": "what"}))
    assert len(log) == 2
    assert [each.line for each in log.unreadable] == [5]


@fewer
@given(rows=attempts)
def test_compressed_rotated_and_marked_files_read_the_same(rows):
    text, truth = logs.asterisk(rows)
    lines = text.splitlines(keepends=True)
    half = len(lines) // 2
    with tempfile.TemporaryDirectory() as directory:
        late, early = Path(directory) / "Master.csv", Path(directory) / "Master.csv.1.gz"
        late.write_bytes(b"\xef\xbb\xbf" + "".join(lines[half:]).replace("\n", "\r\n").encode())
        early.write_bytes(gzip.compress("".join(lines[:half] or lines[:1]).encode()))
        log = read_call_log([late, early], zone=ZONE)
    assert rows_of(log) == expected(truth)
    assert log.left_out == ({"duplicate": 1} if half == 0 else {})


def test_a_row_is_a_duplicate_only_if_it_agrees_in_all():
    rows = [Attempt(0, "2125550100", "human", 5, 10), Attempt(60, "2125550101", "busy")]
    lines = logs.asterisk(rows)[0].splitlines()
    fork = lines[0].replace("PJSIP/b-0", "PJSIP/c-0")
    log = read_text("\n".join([*lines, lines[1], fork]))
    assert log.left_out == {"duplicate": 1, "further leg of a call": 1}
    assert len(log) == 2


# Which dial of a call it is


def counted_one_by_one(rows: list[tuple[int, int, bool]]) -> list[tuple[int, float | None]]:
    """Attempt and gap by going through the log, as the rule says it."""
    last: dict[int, tuple[int, int, bool]] = {}
    found = []
    for number, at, answered in rows:
        before = last.get(number)
        goes_on = before is not None and not before[2] and at - before[1] <= WINDOW_S
        attempt = before[0] + 1 if before is not None and goes_on else 1
        found.append((attempt, float(at - before[1]) if before is not None and goes_on else None))
        last[number] = (attempt, at, answered)
    return found


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 20 * 86_400), st.booleans()), max_size=40
    ).map(lambda rows: sorted(rows, key=lambda row: row[1]))
)
def test_attempts_are_counted_by_number_until_one_is_answered(rows):
    frame = pd.DataFrame(rows, columns=["number", "at", "answered"])
    codes = frame["answered"].map(
        {True: RUN_OUTCOMES.index("human"), False: RUN_OUTCOMES.index("busy")}
    )
    numbers = frame["number"].to_numpy("int32")
    started = frame["at"].to_numpy("int64") * 1_000_000
    attempt, gap_s = dials(numbers, started, codes.to_numpy("int8"))
    gaps = [None if pd.isna(gap) else gap for gap in gap_s.tolist()]
    assert list(zip(attempt.tolist(), gaps, strict=True)) == counted_one_by_one(rows)


def test_attempts_that_a_log_numbers_are_taken_as_they_are():
    text = "t,n,o,k\n1773036000,1,busy,3\n1773036060,1,busy,7\n"
    columns = {"started": "t", "number": "n", "outcome": "o", "attempt": "k"}
    log = read_text(text, mapping=mapping_of(columns))
    assert log.table["attempt"].tolist() == [3, 7]
    assert not log.attempts_derived


# What a row tells


def test_the_log_of_a_run_reads_back_its_truth(tmp_path):
    scenario = load(
        {
            "name": "truth",
            "clock": {"zone": ZONE, "date": "2026-03-10", "begins": "09:00", "ends": "11:00"},
            "campaign": [
                {"name": "list", "tenant": "acme", "start": "09:00", "contacts": 300}
                | {"max_retry": 2, "retry_interval": "5 min"}
            ],
        }
    )
    result = simulate(scenario, seed=3)
    log = read_call_log([result.save(tmp_path / "run")])
    truth = result.attempts.dropna(subset=["dialed_at", "ended_at"]).sort_values(
        "dialed_at", kind="stable"
    )
    assert log.zone == ZONE
    assert log.table["outcome"].astype(str).tolist() == truth["outcome"].astype(str).tolist()
    assert log.table["attempt"].tolist() == truth["attempt"].tolist()
    talk = (truth["ended_at"] - truth["answered_at"]).dt.total_seconds()
    pd.testing.assert_series_equal(
        log.table["talk_s"], talk.reset_index(drop=True), check_names=False
    )


def test_rows_that_are_no_dials_of_ours_are_counted_by_reason():
    text = (
        "sid,from,to,direction,status,start_time,duration\n"
        "1,+1,+12125550100,inbound,completed,2026-03-10T09:00:00Z,20\n"
        "2,+1,client:agent,outbound-api,completed,2026-03-10T09:00:01Z,20\n"
        "5,+1,+12125550101,outbound-dial,completed,2026-03-10T09:00:01Z,20\n"
        "3,+1,+12125550100,outbound-api,canceled,2026-03-10T09:00:02Z,\n"
        "4,+1,+12125550100,outbound-api,completed,2026-03-10T09:00:03Z,20\n"
    )
    log = read_text(text, zone=None)
    assert len(log) == 1
    assert log.left_out == {
        "inbound": 1,
        "dialed no phone number": 1,
        "child leg": 1,
        "status canceled": 1,
    }
    assert log.files[0].format == "twilio"
    assert log.zone is None


def test_who_answered_may_stand_in_a_column_of_its_own():
    rows = [Attempt(0, "2125550100", "human", 5, 10), Attempt(60, "2125550101", "human", 5, 9)]
    text = logs.asterisk(rows)[0].replace('"1773036000.1",""', '"1773036000.1","MACHINE"')
    log = read_text(text, mapping=mapping_of({"answered_by": "userfield"}))
    assert log.table["outcome"].tolist() == ["answered", "voicemail"]


@pytest.mark.parametrize(("columns", "logged"), [(16, "neither"), (17, "one"), (21, "all")])
def test_asterisk_logs_a_few_columns_only_if_it_is_told_to(columns, logged):
    row = logs.asterisk([Attempt(0, "2125550100", "busy")])[0].strip()
    more = row + ',"","linked",7'
    text = ",".join(more.rsplit(",", 21 - columns)[:1]) if columns < 21 else more
    log = read_text(text)
    assert log.table["outcome"].tolist() == ["busy"], logged


@pytest.mark.parametrize(
    ("start", "answer", "end"),
    [
        # From summer time to winter time.
        ("01:59:50", "01:00:05", "01:00:25"),
        ("01:59:30", "01:59:45", "01:00:05"),
        # Out of the hour's second pass.
        ("01:59:50", "02:00:05", "02:00:25"),
        ("01:59:30", "01:59:45", "02:00:05"),
    ],
)
@pytest.mark.parametrize("durations", [("duration_s", "talk_s"), ("duration_s",)])
def test_clocks_put_back_change_neither_rings_nor_talks(start, answer, end, durations):
    times = ("started", "answered", "ended")
    header = "started,answered,ended,duration_s,talk_s,outcome\n"
    row = ",".join(f"2026-11-01 {at}" for at in (start, answer, end)) + ",35,20,answered\n"
    columns = {name: name for name in (*times, *durations, "outcome")}
    table = read_text(header + row, mapping=mapping_of(columns)).table
    assert (table["ring_s"].tolist(), table["talk_s"].tolist()) == ([15.0], [20.0])


def test_a_log_of_answered_calls_alone_tells_no_outcomes():
    talks = {"talk_s": "d"}
    log = read_text("d\n20\n30\n", mapping=mapping_of(talks))
    assert "outcome" not in log.table
    log = read_text("d\n20\n\n-1\n", mapping=mapping_of({**talks, "outcome": "d"}, {"*": "human"}))
    assert log.left_out == {"empty row": 1}
    assert log.table["outcome"].tolist() == ["human", "human"]
    assert "1 value of d can't be read" in log.notes[0]


def test_a_talk_of_no_seconds_is_none_where_no_column_says_the_outcome():
    log = read_text("d\n20\n0\n0.0\n\n1\n", mapping=mapping_of({"talk_s": "d"}))
    assert log.table["outcome"].tolist() == ["answered", "unanswered", "unanswered", "answered"]
    assert log.table["talk_s"].dropna().tolist() == [20, 1]


def test_words_may_be_read_otherwise_and_rows_chosen():
    rows = [Attempt(60 * k, "2125550100", "invalid") for k in range(3)]
    text = logs.asterisk(rows)[0].replace('"outbound"', '"test"', 1)
    mapping = mapping_of(
        outcomes={"FAILED": "congestion"}, where={"dcontext": "outbound|campaign"}
    )
    log = read_text(text, mapping=mapping)
    assert log.table["outcome"].tolist() == ["congestion"] * 2
    assert log.left_out == {"dcontext is not campaign or outbound": 1}


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("2026-13-10 09:00:00", "started"),
        ("soon", "started"),
        ("", "started"),
        ("9999-01-01 00:00:00", "started"),
    ],
)
def test_a_time_that_is_none_is_listed_with_what_is_allowed(value, why):
    text = f"t,o\n2026-03-10 09:00:00,busy\n{value},busy\n"
    log = read_text(text, mapping=mapping_of({why: "t", "outcome": "o"}))
    (bad,) = log.unreadable
    assert bad.line == 3
    assert "2026-03-10 09:00:00" in bad.allowed
    assert (value or "no t") in bad.found


def test_times_are_read_however_they_are_written():
    times = (
        "2026-03-10 09:00:00",
        "2026-03-10T14:00:00Z",
        "2026-03-10 14:00:00 UTC",
        "2026-03-10T10:00:00.000-04:00",
        "Tue, 10 Mar 2026 14:00:00 +0000",
        "1773151200",
        "1773151200000",
    )
    text = "t,o\n" + "".join(f'"{time}",busy\n' for time in times)
    log = read_text(text, mapping=mapping_of({"started": "t", "outcome": "o"}))
    assert log.unreadable == ()
    assert set(log.table["started"]) == {pd.Timestamp("2026-03-10 14:00:00", tz="UTC")}


def test_a_failed_call_of_many_attempts_tells_of_its_last(tmp_path):
    record = {"result": "failed", "attempts": 4, "last_attempt_timestamp": 1773151200}
    never = {"result": "expired", "attempts": 0, "last_attempt_timestamp": ""}
    stopped = {"result": "canceled", "attempts": 2, "last_attempt_timestamp": 1773151300}
    lines = [
        json.dumps({"phone_number": "2125550100", **each}) for each in (record, never, stopped)
    ]
    log = read_text("\n".join(lines))
    assert log.last_only
    assert log.table["attempt"].tolist() == [4, 2]
    assert log.table["outcome"].tolist() == ["unanswered"] * 2
    assert log.left_out == {"outcome never dialed": 1}


# Mistakes


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("", {}, "is empty"),
        ("t,o\n", {"mapping": mapping_of({"outcome": "o"})}, "holds no rows"),
        ("a,b,c\n1,2,3\n", {}, "format.* a, b, c"),
        ("a,b\n1,2\n", {"format": "asterisk"}, "Asterisk"),
        ("a,b\n1,2\n", {"format": "twilio"}, "Twilio"),
        ("Start,b\n1,2\n", {"mapping": mapping_of({"started": "strat"})}, "did you mean 'Start'"),
        ("t,o\nx,busy\n", {"mapping": mapping_of({"started": "t"})}, "row .* found t 'x'"),
        ("a,b\n1,2\n", {"zone": "America/Chicgo"}, "did you mean 'America/Chicago'"),
        (
            "Phone,o\n2125550100,busy\n",
            {"mapping": mapping_of({"attempt": "Phone", "outcome": "o"}, last_only=True)},
            "Phone '2125550100'.* 1 to 1000",
        ),
        (
            "x,x,o,t,o\n1,1,busy,1,busy\n",
            {"mapping": mapping_of({"started": "t", "outcome": "o"})},
            "columns 'o'",
        ),
        (b"\x1f\x8bbroken", {}, "broken packed file"),
        (
            "t,o\n2026-03-10 09:00:00,busy\n",
            {"zone": None, "mapping": mapping_of({"started": "t", "outcome": "o"})},
            "time zone",
        ),
    ],
)
def test_a_log_that_cannot_be_read_is_an_error_that_says_what_to_do(text, options, message):
    with pytest.raises(ScenarioError, match=message):
        read_text(text, **options)


def test_an_unknown_word_is_listed_with_the_words_that_are_known():
    log = read_text("t,o\n1,busy\n2,ENGAGED\n", mapping=mapping_of({"outcome": "o"}))
    (bad,) = log.unreadable
    assert "ENGAGED" in bad.found
    assert "no_answer" in bad.allowed


@pytest.mark.parametrize(
    ("columns", "outcomes", "message"),
    [({"begun": "a"}, {}, "field 'begun'"), ({}, {"A": "humann"}, "did you mean 'human'")],
)
def test_a_mapping_knows_its_fields_and_outcomes(columns, outcomes, message):
    with pytest.raises(ScenarioError, match=message):
        mapping_of(columns, outcomes)
