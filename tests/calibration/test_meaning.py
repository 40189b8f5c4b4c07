"""What rows of a call log mean: legs, kinds of calls, numbers, words, zones, units.

The logs are made up: `dialed` gives dials whose outcomes are known, and each test writes them
with one fault of real logs. Whatever the fault, the fit is that of the dials.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outsim.calibration import CalleeFit, CallLog, fit, mapping_of, read_call_log
from outsim.calibration.calls import callees_of, connected, legs
from outsim.calibration.evidence import (
    ANSWERED_CODES,
    EITHER,
    settled,
    unit_of,
)
from outsim.calibration.fitting import billed_step_s, lumps
from outsim.calibration.mapping import WORDS
from outsim.calibration.times import changes, resolve_repeated_hours
from outsim.clock import HOUR, SECOND

NEW_YORK = "America/New_York"
COUNT = 240
Row = dict[str, Any]
COLUMNS = {name: name for name in ("started", "number", "ring_s", "talk_s", "outcome")}


def dialed(count: int = COUNT, seed: int = 1, every_s: int = 31) -> list[Row]:
    """Dials to numbers of their own, 5 in 8 answered."""
    generator = np.random.default_rng(seed)
    rows = []
    for k in range(count):
        outcome = ("answered",) * 5 + ("no_answer",) * 2 + ("busy",)
        word = outcome[generator.integers(8)]
        ring_s = int(generator.integers(8, 28)) if word == "answered" else 30
        talk_s = int(generator.integers(10, 60)) if word == "answered" else 0
        started = datetime(2026, 3, 10, 9) + timedelta(seconds=every_s * k)
        number = f"1312555{k:04d}"
        row = {"started": started, "number": number, "outcome": word}
        rows.append(row | {"ring_s": 0 if word == "busy" else ring_s, "talk_s": talk_s})
    return rows


def text_of(rows: Iterable[Row]) -> str:
    rows = list(rows)
    out = io.StringIO()
    table = csv.DictWriter(out, list(rows[0]), restval="")
    table.writeheader()
    table.writerows(rows)
    return out.getvalue()


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., CallLog]:
    def read(*texts: str, columns: dict[str, str] | None = COLUMNS, **options: Any) -> CallLog:
        files = []
        for k, text in enumerate(texts):
            files.append(tmp_path / f"log{k}.csv")
            files[-1].write_text(text)
        mapping = mapping_of(
            columns, options.pop("outcomes", None), where=options.pop("where", None)
        )
        return read_call_log(files, **{"zone": NEW_YORK, "mapping": mapping, **options})

    return read


def answered_share(log: CallLog) -> float:
    return float(log.table["outcome"].isin(["answered", "human", "voicemail"]).mean())


def share_of(rows: Sequence[Row]) -> float:
    return sum(row["outcome"] == "answered" for row in rows) / len(rows)


def has_note(source: CallLog | CalleeFit, *words: str) -> bool:
    return any(all(word in note for word in words) for note in source.notes)


def asterisk(rows: Iterable[Row], **changes: Any) -> str:
    """Lines of cdr-csv; `changes` give fields by position."""
    words = {"no_answer": "NO ANSWER", "busy": "BUSY", "answered": "ANSWERED"}
    out = io.StringIO()
    table = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC)
    for k, row in enumerate(rows):
        start, held = row["started"], row["ring_s"] + row["talk_s"]
        answer = start + timedelta(seconds=row["ring_s"]) if row["talk_s"] else ""
        fields = ["", "6175550100", row["number"], row.get("context", "outbound"), "clid"]
        fields += [f"PJSIP/t-{k}", row.get("leg", f"PJSIP/c-{k}"), "Dial", "x,30", str(start)]
        fields += [str(answer), str(start + timedelta(seconds=held)), held, row["talk_s"]]
        unique = row.get("id", f"switch-{row.get('epoch', 0)}.{k}")
        fields += [words[row["outcome"]], "DOCUMENTATION", unique, ""]
        if "linkedid" in row:
            fields += ["", row["linkedid"], k]
        table.writerow(fields)
    return out.getvalue()


# Records of one call


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("by", ["id", "linkedid"])
def test_legs_of_a_call_are_one_dial_with_the_outcome_of_the_leg_that_answered(
    by: str, order: int, read: Callable[..., CallLog]
) -> None:
    rows = dialed()
    written = []
    for k, row in enumerate(rows):
        group = {by: f"1773147600.{k}", "leg": "PJSIP/a"}
        other = {"outcome": "no_answer", "talk_s": 0, "ring_s": min(row["ring_s"], 9)}
        other = {} if row["outcome"] == "busy" else other
        legs_of_call = [
            row | group,
            *(row | group | other | {"leg": f"b{i}"} for i in range(k % 4)),
        ]
        written += legs_of_call[::order]
    log = read(asterisk(written), columns=None)
    assert len(log) == len(rows)
    assert log.left_out == {"further leg of a call": len(written) - len(rows)}
    assert answered_share(log) == share_of(rows)
    assert set(log.table["attempt"]) == {1}
    rings = log.table["ring_s"].dropna().tolist()
    assert rings == [row["ring_s"] for row in rows if row["outcome"] != "busy"]


def test_legs_that_begin_while_a_call_lasts_belong_to_it(read: Callable[..., CallLog]) -> None:
    rows = dialed()
    written = []
    for k, row in enumerate(rows):
        written.append(row | {"linkedid": f"1773147600.{k}", "id": f"1773147600.{k}"})
        if row["talk_s"]:
            later = row["started"] + timedelta(seconds=row["ring_s"] + 3)
            agent = {"started": later, "number": "16175550199", "id": f"1773147600.{k}b"}
            written.append(written[-1] | agent | {"ring_s": 2, "talk_s": 5})
    log = read(asterisk(written), columns=None)
    assert len(log) == len(rows)
    assert answered_share(log) == share_of(rows)


def test_redials_under_one_id_stay_dials(read: Callable[..., CallLog]) -> None:
    """An id of a call that is dialed three times: each begins after the one before is over."""
    rows = dialed(90)
    for k, row in enumerate(rows):
        row["id"] = k // 3
        row["number"] = f"131255501{k // 3:02d}"
        row["started"] += timedelta(minutes=5 * k)
    log = read(text_of(rows), columns=COLUMNS | {"id": "id"})
    assert (len(log), log.left_out) == (90, {})


def test_an_id_of_many_calls_joins_none(read: Callable[..., CallLog]) -> None:
    rows = [row | {"id": "1.77315E+09"} for row in dialed()]
    log = read(text_of(rows), columns=COLUMNS | {"id": "id"})
    assert len(log) == COUNT
    assert has_note(log, "id", "does not tell calls apart")


@pytest.mark.parametrize("with_numbers", [True, False])
@pytest.mark.parametrize("how", ["copied file", "overlapping files"])
def test_rows_that_came_twice_count_once(
    how: str, with_numbers: bool, read: Callable[..., CallLog]
) -> None:
    rows = dialed()
    first, second = (rows, rows) if how == "copied file" else (rows[:160], rows[100:])
    columns = {name: name for name in COLUMNS if with_numbers or name != "number"}
    texts = [
        text_of({name: row[name] for name in columns} for row in part) for part in (first, second)
    ]
    log = read(*texts, columns=columns)
    assert len(log) == COUNT
    assert log.left_out == {"duplicate": len(first) + len(second) - COUNT}
    assert answered_share(log) == share_of(rows)


def test_a_log_written_twice_into_one_file_counts_once(read: Callable[..., CallLog]) -> None:
    log = read(text_of([*dialed(), *dialed()]))
    assert (len(log), log.left_out) == (COUNT, {"duplicate": COUNT})


def test_dials_of_one_second_without_number_or_id_are_all_kept(
    read: Callable[..., CallLog],
) -> None:
    rows = [{"started": "2026-03-10 09:00:00", "outcome": "busy"}] * 30
    log = read(text_of(rows), columns={"started": "started", "outcome": "outcome"})
    assert (len(log), log.left_out) == (30, {})


def test_two_legs_of_a_bridge_are_one_dial(read: Callable[..., CallLog]) -> None:
    rows = []
    for k, row in enumerate(dialed()):
        rows.append(row | {"uuid": f"a{k}", "bleg_uuid": f"b{k}" if row["talk_s"] else ""})
        if row["talk_s"]:
            begins = row["started"] + timedelta(seconds=row["ring_s"])
            later = {"started": begins, "number": "16175550111", "ring_s": 1, "talk_s": 2}
            rows.append(row | later | {"uuid": f"b{k}", "bleg_uuid": ""})
    log = read(text_of(rows))
    assert len(log) == COUNT
    assert answered_share(log) == share_of(dialed())


def test_ids_of_connected_legs() -> None:
    keys, others = np.array([0, 1, 2, 3, -1]), np.array([1, -1, 3, 2, -1])
    assert connected(keys.astype(np.int32), others.astype(np.int32)).tolist() == [0, 0, 2, 3, -1]


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 200), st.integers(0, 40), st.booleans()),
        min_size=1,
        max_size=30,
    )
)
def test_joined_legs_keep_every_call_and_lose_no_answer(
    rows: list[tuple[int, int, int, bool]],
) -> None:
    keys, at, held, answered = (np.array(column) for column in zip(*rows, strict=True))
    codes = np.where(answered, WORDS.index("answered"), WORDS.index("no_answer"))
    found = legs(
        keys.astype(np.int32), None, at * SECOND, held.astype(float), codes.astype(np.int8),
        held.astype(float), any_number=True,
    )  # fmt: skip
    assert set(keys[found.evidence]) == set(keys)
    assert len(set(found.evidence.tolist())) == len(found.evidence)
    spoken = codes[found.evidence] == WORDS.index("answered")
    for key in set(keys[answered].tolist()):
        assert spoken[keys[found.evidence] == key].any()


# Numbers


@pytest.mark.parametrize(
    ("written", "why"),
    [
        (lambda number: f"{float(number):.5E}", "rounded by a spreadsheet"),
        (lambda number: f"{float(number):.5E}".replace(".", ","), "rounded by a spreadsheet"),
        (lambda number: f"+{number[:4]}***{number[-1:]}", "masked"),
        (lambda number: number[:7] + "XXXX", "masked"),
        (lambda _: "anonymous", "without a digit"),
        (lambda _: "13125550100", "dialed more often"),
        (lambda _: "212", "dialed more often"),
        (lambda number: number[:7], "dialed more often"),
        (lambda number: "1312555" + number[-1], "dialed more often"),
    ],
)
def test_no_attempts_are_counted_by_what_is_no_callees_number(
    written: Callable[[str], str], why: str, read: Callable[..., CallLog]
) -> None:
    rows = dialed()
    text = text_of(row | {"number": written(row["number"])} for row in rows)
    log = read(text)
    assert len(log) == COUNT
    assert not log.attempts_derived
    assert has_note(log, why)
    assert not {"redial_factors", "gap_factors"} & set(fit(log).callee_values)
    assert answered_share(log) == share_of(rows)


def test_redials_after_no_answer_have_their_attempts_counted(read: Callable[..., CallLog]) -> None:
    rows = dialed()
    again = [
        row | {"started": row["started"] + timedelta(hours=h)}
        for h in (2, 30)
        for row in rows
        if row["outcome"] != "answered"
    ]
    log = read(text_of([*rows, *again]))
    assert log.attempts_derived
    assert log.table["attempt"].max() == 3
    assert not has_note(log, "more often")


@pytest.mark.parametrize(
    ("text", "read_as"),
    [
        ("13125550100.0", "3125550100"),
        ("+1 (312) 555-0100", "3125550100"),
        ("tel:+13125550100;ext=1", "3125550100"),
        ("sip:+13125550100@carrier.example;user=phone", "3125550100"),
        ("13125550100@carrier", "3125550100"),
        ("0013125550100", "3125550100"),
        ("00493055501000", "493055501000"),
        ("1.31256E+10", None),
        ("unknown", None),
        ("312555****", None),
        ("a3f5c0de", "a3f5c0de"),
        ("3125550100x123", "3125550100x123"),
    ],
)
def test_a_number_is_read_however_it_is_written(text: str, read_as: str | None) -> None:
    import pyarrow as pa

    assert callees_of(pa.array([text]))[0].to_pylist() == [read_as]


# Rows that are no outbound dials


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"context": "from-trunk"}, "inbound"),
        ({"context": "from-pstn"}, "inbound"),
        ({"context": "ext-queues"}, "queue leg"),
        ({"context": "from-internal-xfer"}, "transfer"),
        ({"Direction": "Inbound"}, "inbound"),
        ({"Direction": "incoming call"}, "inbound"),
        ({"Call Direction": "INTERNAL"}, "internal"),
        ({"Direction": "outbound-dial"}, "child leg"),
        ({"Initiation Method": "QUEUE_TRANSFER"}, "transfer"),
        ({"Direction": "conference"}, "conference"),
        ({"Parent Call SID": "CA1"}, "child leg"),
        ({"Direction": "terminating"}, "inbound"),
        ({"number": "101"}, "dialed an extension or a short code"),
        ({"number": "s"}, "dialed an extension or a short code"),
    ],
)
def test_rows_that_are_no_outbound_dials_are_left_out_and_said(
    fields: Row, kind: str, read: Callable[..., CallLog]
) -> None:
    rows = dialed()
    plain: Row = {"number": ""} if "number" in fields else dict.fromkeys(fields, "")
    others = [
        row | {"started": row["started"] + timedelta(seconds=7)} | {"talk_s": 400} | fields
        for row in rows[::2]
    ]
    plain.pop("number", None)
    log = read(text_of([row | plain for row in rows] + others))
    assert log.left_out == {kind: len(others)}
    assert answered_share(log) == share_of(rows)
    assert log.table["talk_s"].max() < 60


def test_asterisks_inbound_contexts_are_left_out(read: Callable[..., CallLog]) -> None:
    rows = dialed()
    inbound = [row | {"context": "from-trunk", "number": "101"} for row in rows[::2]]
    log = read(asterisk([*rows, *inbound]), columns=None)
    assert log.left_out == {"inbound": len(inbound)}
    assert answered_share(log) == share_of(rows)


def test_where_contexts_do_not_tell_they_are_asked_about(read: Callable[..., CallLog]) -> None:
    rows = [row | {"context": "day" if k % 3 else "front-desk"} for k, row in enumerate(dialed())]
    log = read(asterisk(rows), columns=None)
    assert len(log) == COUNT
    assert has_note(log, "several contexts", "day 160", "front-desk 80", "--where 'dcontext=day'")
    chosen = read(asterisk(rows), columns=None, where={"dcontext": "front-desk"})
    assert len(chosen) == 80
    assert not has_note(chosen, "several contexts")


def test_rows_that_the_user_chooses_are_used_whatever_they_are(
    read: Callable[..., CallLog],
) -> None:
    rows = [row | {"Direction": "outbound-dial"} for row in dialed()]
    log = read(text_of(rows), where={"Direction": "outbound-dial"})
    assert (len(log), log.left_out) == (COUNT, {})


# Words against evidence


@pytest.mark.parametrize(
    ("word", "answer", "talk_s", "read_as"),
    [
        ("answered", "", 0, "no_answer"),
        ("answered", "", "", "no_answer"),
        ("human", "", 0, "no_answer"),
        ("answered", "2026-03-10 09:00:10", 0, "answered"),
        ("answered", "", 12, "answered"),
        ("no_answer", "2026-03-10 09:00:10", 12, "answered"),
        ("busy", "2026-03-10 09:00:10", 12, "answered"),
        ("invalid", "2026-03-10 09:00:10", 12, "answered"),
        ("busy", "2026-03-10 09:00:10", 0, "busy"),
        ("no_answer", "", 30, "no_answer"),
        ("NORMAL_CLEARING", "", 0, "no_answer"),
        ("NORMAL_CLEARING", "2026-03-10 09:00:10", 12, "answered"),
        ("USER_BUSY", "", 0, "busy"),
        ("ORIGINATOR_CANCEL", "", 0, "no_answer"),
        ("UNALLOCATED_NUMBER", "", 0, "invalid"),
    ],
)
def test_a_word_gives_way_only_where_all_evidence_speaks_against_it(
    word: str, answer: str, talk_s: object, read_as: str, read: Callable[..., CallLog]
) -> None:
    row = {"started": "2026-03-10 09:00:00", "answered": answer, "talk_s": talk_s, "outcome": word}
    log = read(text_of([row]), columns={name: name for name in row})
    assert log.table["outcome"].tolist() == [read_as]
    words_change = read_as != word.lower() and word != "NORMAL_CLEARING"
    silent = word in ("NORMAL_CLEARING", "answered") and not answer and not talk_s
    one_sign = word in ("busy", "no_answer") and bool(answer) != bool(talk_s)
    causes = ("USER_BUSY", "ORIGINATOR_CANCEL", "UNALLOCATED_NUMBER")
    assert has_note(log, "1 rows say") == (
        word not in causes and (words_change or silent or one_sign)
    )


def test_notes_tell_how_many_words_gave_way(read: Callable[..., CallLog]) -> None:
    rows = []
    for row in dialed():
        at = row["started"] + timedelta(seconds=row["ring_s"])
        cause = {"busy": "USER_BUSY"}.get(row["outcome"], "NORMAL_CLEARING")
        rows.append(row | {"answer": at if row["talk_s"] else "", "outcome": cause})
    columns = COLUMNS | {"answered": "answer"}
    missed = sum(row["outcome"] == "no_answer" for row in dialed())
    for outcomes in (None, {"NORMAL_CLEARING": "answered", "USER_BUSY": "busy"}):
        log = read(text_of(rows), columns=columns, outcomes=outcomes)
        assert answered_share(log) == share_of(dialed())
        assert has_note(log, f"{missed} rows say", "neither a time of answer nor talk")


def test_talk_of_rows_that_nobody_answered_is_asked_about(read: Callable[..., CallLog]) -> None:
    """A column of whole durations taken for the talk changes no outcome."""
    rows = [row | {"talk_s": row["ring_s"] + row["talk_s"]} for row in dialed()]
    log = read(text_of(rows))
    assert answered_share(log) == share_of(dialed())
    assert has_note(log, "say that nobody answered, and have talk", "duration_s")


@given(
    st.lists(
        st.tuples(
            st.sampled_from([*range(len(WORDS)), -1, EITHER]), st.booleans(), st.integers(0, 2)
        )
    )
)
def test_words_are_settled_row_by_row(rows: list[tuple[int, bool, int]]) -> None:
    codes = np.array([code for code, *_ in rows], dtype=np.int8)
    answer = np.array([each for _, each, _ in rows], dtype=np.bool_)
    talk_s = np.array([each for *_, each in rows], dtype=np.float64)
    found, counts = settled(codes, answer, talk_s, np.ones(len(rows), dtype=np.bool_))
    assert not (found == EITHER).any()
    spoken = np.isin(found, ANSWERED_CODES)
    assert not (spoken & ~answer & (talk_s == 0)).any()
    assert spoken[answer & (talk_s > 0) & (codes != -1)].all()
    changed = (found != codes) & (codes != EITHER)
    assert counts["never answered"] + counts["spoke"] == changed.sum()


# Zones and hours


def in_hours(rows: Sequence[Row], log: CallLog) -> pd.DataFrame:
    """Share answered by part of the day of a fit."""
    return fit(log).table().filter(like="hour_factors", axis=0)


def evening_rows() -> list[Row]:
    """Two weeks in which two thirds answer between 17 and 21, else a third."""
    rows = dialed(1400, every_s=14 * 24 * 36)
    generator = np.random.default_rng(5)
    kept = []
    for row in rows:
        hour = row["started"].hour
        if not 9 <= hour < 21:
            continue
        spoke = generator.uniform() < (0.67 if hour >= 17 else 0.33)
        talk = (
            {"outcome": "answered", "talk_s": 20}
            if spoke
            else {"outcome": "no_answer", "talk_s": 0}
        )
        kept.append(row | talk | {"ring_s": 9 if spoke else 30})
    return kept


def test_hours_are_those_of_the_callees(read: Callable[..., CallLog]) -> None:
    rows = evening_rows()
    universal = [
        row
        | {
            "started": pd.Timestamp(row["started"], tz=NEW_YORK)
            .tz_convert("UTC")
            .tz_localize(None)
        }
        for row in rows
    ]
    local = in_hours(rows, read(text_of(rows)))
    assert local.loc["callees.hour_factors.evening", "value"] > 1.3
    in_callee_zone = read(text_of(universal), zone="UTC", callee_zone=NEW_YORK)
    pd.testing.assert_frame_equal(in_hours(rows, in_callee_zone), local)
    assert in_callee_zone.zone == NEW_YORK
    in_utc = read(text_of(universal), zone="UTC")
    assert has_note(in_utc, "hours and weekdays are those of UTC", "--callee-zone")


def test_an_unknown_callee_zone_is_an_error(read: Callable[..., CallLog]) -> None:
    with pytest.raises(Exception, match=r"--callee-zone: .*did you mean 'America/Chicago'"):
        read(text_of(dialed(3)), callee_zone="America/Chicgo")


def test_times_of_which_some_say_a_zone_are_told(read: Callable[..., CallLog]) -> None:
    rows = [
        row | {"started": row["started"].isoformat() + ("Z" if row["talk_s"] else "")}
        for row in dialed()
    ]
    unzoned = sum(not row["talk_s"] for row in dialed())
    assert has_note(read(text_of(rows)), f"{unzoned} of {COUNT} times say no zone", NEW_YORK)
    assert not has_note(read(text_of(dialed())), "say no zone")


def fallen_back(rows: Sequence[Row]) -> tuple[list[Row], list[pd.Timestamp]]:
    """Dials over the hour that clocks repeat, with wall times; and their instants."""
    begin = pd.Timestamp("2026-11-01 04:20", tz="UTC")
    instants = [begin + pd.Timedelta(seconds=40 * k) for k in range(len(rows))]
    walls = [each.tz_convert(NEW_YORK).tz_localize(None) for each in instants]
    found = [row | {"started": wall} for row, wall in zip(rows, walls, strict=True)]
    return found, instants


@pytest.mark.parametrize("order", [1, -1])
def test_the_order_of_rows_tells_the_pass_of_a_repeated_hour(
    order: int, read: Callable[..., CallLog]
) -> None:
    rows, instants = fallen_back(dialed(300))
    log = read(text_of(rows[::order]))
    assert log.table["started"].tolist() == instants
    repeated = sum(1 for each in rows if each["started"].hour == 1)
    assert has_note(log, f"{repeated} dials lie in the hour that clocks repeat")


def test_ids_of_seconds_tell_the_pass_of_a_repeated_hour(read: Callable[..., CallLog]) -> None:
    rows, instants = fallen_back(dialed(300))
    for row, at in zip(rows, instants, strict=True):
        row["epoch"] = int(at.timestamp())
    shuffled = [rows[k] for k in np.random.default_rng(3).permutation(len(rows))]
    log = read(asterisk(shuffled), columns=None)
    assert log.table["started"].tolist() == instants


def test_redials_over_a_repeated_hour_are_counted_in_order(read: Callable[..., CallLog]) -> None:
    """Each number is dialed in vain, and an hour later answers: never the other way round."""
    first = [
        row | {"outcome": "no_answer", "talk_s": 0, "ring_s": 30} for row in dialed(90, every_s=40)
    ]
    rows, _ = fallen_back(first)
    again = [
        row | {"outcome": "answered", "talk_s": 20, "ring_s": 9} for row in dialed(90, every_s=40)
    ]
    both, _ = fallen_back([*rows, *again])
    log = read(text_of(both))
    outcomes = log.table["outcome"].astype(str)
    attempts = outcomes.groupby(log.table["attempt"]).agg(["min", "max", "size"])
    assert attempts.loc[1].tolist() == ["no_answer", "no_answer", 90]
    assert attempts.loc[2].tolist() == ["answered", "answered", 90]


def test_times_of_an_hour_that_clocks_skip_are_told(read: Callable[..., CallLog]) -> None:
    rows = [row | {"started": f"2026-03-08 02:{k:02d}:00"} for k, row in enumerate(dialed(40))]
    assert has_note(read(text_of(rows)), "40 dials lie in the hour", "skip", NEW_YORK)


def test_ids_that_say_the_log_is_written_in_universal_time(read: Callable[..., CallLog]) -> None:
    rows = dialed(60)
    for row in rows:
        row["epoch"] = int(pd.Timestamp(row["started"], tz="UTC").timestamp())
    assert has_note(read(asterisk(rows), columns=None), "UTC, not America/New_York")
    for row in rows:
        row["epoch"] = int(pd.Timestamp(row["started"], tz=NEW_YORK).timestamp())
    assert not has_note(read(asterisk(rows), columns=None), "UTC, not")


@pytest.mark.parametrize(
    "zone", [NEW_YORK, "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata"]
)
def test_instants_are_told_apart_as_their_order_says(zone: str) -> None:
    begin = pd.Timestamp("2026-01-01", tz="UTC").value // 1000
    end = pd.Timestamp("2027-01-01", tz="UTC").value // 1000
    moved = changes(np.array([begin, end]), zone)
    assert len(moved) == (0 if zone == "Asia/Kolkata" else 2)
    for change, by in moved:
        assert by % (HOUR // 2) == 0
        if by > 0:
            continue
        truth = np.arange(change - 2 * HOUR, change + 2 * HOUR, 60 * SECOND)
        first_pass = np.where((truth >= change) & (truth < change - by), truth + by, truth)
        found, repeated, _ = resolve_repeated_hours(
            first_pass, np.ones(len(truth), dtype=np.bool_), None, zone
        )
        np.testing.assert_array_equal(found, truth)
        assert repeated == 2 * -by // (60 * SECOND)


# Units and lumps


@pytest.mark.parametrize("names", [{}, {"ring_s": "ring_ms", "talk_s": "talk (ms)"}])
def test_milliseconds_are_read_as_such_and_said(
    names: dict[str, str], read: Callable[..., CallLog]
) -> None:
    rows = [
        {name: value for name, value in row.items() if name not in ("ring_s", "talk_s")}
        | {
            names.get("ring_s", "ring_s"): 1000 * row["ring_s"],
            names.get("talk_s", "talk_s"): 1000 * row["talk_s"],
        }
        for row in dialed()
    ]
    log = read(text_of(rows), columns=COLUMNS | names)
    expected = read(text_of(dialed()))
    pd.testing.assert_frame_equal(log.table, expected.table)
    assert has_note(log, "milliseconds")
    assert not has_note(expected, "milliseconds")


def test_attempts_may_be_counted_from_zero(read: Callable[..., CallLog]) -> None:
    rows = [row | {"attempt": 1 + (k % 5 == 0)} for k, row in enumerate(dialed())]
    from_zero = [row | {"attempt": row["attempt"] - 1} for row in rows]
    columns = COLUMNS | {"attempt": "attempt"}
    expected, log = (read(text_of(each), columns=columns) for each in (rows, from_zero))
    pd.testing.assert_frame_equal(log.table, expected.table)
    assert has_note(log, "attempt is read as counted from 0")
    assert not has_note(expected, "counted from 0")


def test_a_stray_attempt_of_zero_is_listed(read: Callable[..., CallLog]) -> None:
    rows = [row | {"attempt": min(k, 1)} for k, row in enumerate(dialed())]
    log = read(text_of(rows), columns=COLUMNS | {"attempt": "attempt"})
    assert len(log.unreadable) == 1


def test_parts_of_a_day_are_read_as_such_and_said(read: Callable[..., CallLog]) -> None:
    rows = [row | {"talk_s": f"{row['talk_s'] / 86_400:.12g}"} for row in dialed()]
    log = read(text_of(rows))
    pd.testing.assert_frame_equal(log.table, read(text_of(dialed())).table)
    assert has_note(log, "talk times are read as a spreadsheet's parts of a day")


@pytest.mark.parametrize(
    ("column", "factor", "words"),
    [
        ("ring_s", 20, ("ring times: half of them are over", "networks give up")),
        ("talk_s", 150, ("talk times: half of them are over", "another unit")),
        ("talk_s", 100, ("talk times: half of them are over", "another unit")),
        ("talk_s", 1 / 60, ("are they minutes?",)),
    ],
)
def test_durations_that_nobody_has_are_doubted(
    column: str, factor: float, words: tuple[str, ...], read: Callable[..., CallLog]
) -> None:
    rows = [row | {column: round(row[column] * factor, 2)} for row in dialed()]
    assert has_note(read(text_of(rows)), *words)


@pytest.mark.parametrize(
    ("step", "fitted"),
    [(60, False), (30, False), (6, True), (10, True)],
)
def test_billed_durations_are_fitted_as_rounded_up_or_not_at_all(
    step: int, fitted: bool, read: Callable[..., CallLog]
) -> None:
    """Of talks between 10 and 60 s whole minutes tell nothing, steps of 6 s tell the median."""
    rows = [row | {"talk_s": -(-row["talk_s"] // step) * step} for row in dialed(600)]
    found = fit(read(text_of(rows)))
    assert has_note(found, "callees.message", f"whole steps of {step} s", "billed")
    assert ("message" in found.callee_values) == fitted
    if fitted:
        truth = np.median([row["talk_s"] for row in dialed(600) if row["talk_s"]])
        row = found.table().loc["callees.message p50"]
        assert row["low"] <= truth <= row["high"]
        assert row["value"] == pytest.approx(truth, abs=step / 2)
    else:
        assert has_note(found, "kept at its default", "name a column that has seconds")


def test_a_limit_of_talks_is_said(read: Callable[..., CallLog]) -> None:
    rows = [row | {"talk_s": min(row["talk_s"], 50)} for row in dialed(600)]
    at = sum(row["talk_s"] == 50 for row in rows)
    assert has_note(fit(read(text_of(rows))), f"{at} of", "are 50 s, the longest: a limit")
    assert not has_note(fit(read(text_of(dialed(600)))), "limit")


def test_answers_without_any_ring_fit_no_ring_times(read: Callable[..., CallLog]) -> None:
    rows = [row | {"ring_s": 0 if row["talk_s"] else 30} for row in dialed()]
    found = fit(read(text_of(rows)))
    assert has_note(found, "callees.ring_human: kept at its default", "ring_s of 0 s")
    assert "ring_human" not in found.callee_values


@given(st.lists(st.integers(1, 3000), min_size=50, max_size=80, unique=True))
def test_steps_are_found_in_billed_durations_alone(seconds: list[int]) -> None:
    values = np.array(seconds, dtype=np.float64)
    step = billed_step_s(values)
    assert step is None or np.mean(values % step == 0) >= 0.99
    assert billed_step_s(np.ceil(values / 6) * 6) in (60.0, 30.0, 12.0, 6.0)


def test_smooth_durations_have_no_lumps() -> None:
    for seed in range(20):
        generator = np.random.default_rng(seed)
        talks = np.rint(generator.lognormal(4, 0.9, 2000))
        assert lumps(talks, 1.0) == []
        assert billed_step_s(talks) is None


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("duration", "seconds"),
        ("billsec", "seconds"),
        ("items", "seconds"),
        ("duration_ms", "milliseconds"),
        ("Talk (ms)", "milliseconds"),
        ("billmsec", "milliseconds"),
        ("uduration", "microseconds"),
        ("Minutes", "minutes"),
        ("talk (min)", "minutes"),
    ],
)
def test_a_column_may_say_its_unit(name: str, unit: str) -> None:
    assert unit_of([name])[0] == unit


# Rows that are lost


def test_lost_rows_with_other_outcomes_are_a_bias_that_is_said(
    read: Callable[..., CallLog],
) -> None:
    rows = [
        row | ({"started": "soon"} if row["talk_s"] and k % 2 else {})
        for k, row in enumerate(dialed())
    ]
    lost = sum(row["started"] == "soon" for row in rows)
    assert has_note(read(text_of(rows)), "may be biased", f"of {lost} rows", "100.0 %")
    evenly = [row | ({"started": "soon"} if k % 2 else {}) for k, row in enumerate(dialed())]
    assert not has_note(read(text_of(evenly)), "may be biased")
