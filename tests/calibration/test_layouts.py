"""Logs of other makers, without a header, in JSON or packed; what is no log is named."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import tarfile
import unicodedata
import zipfile

import pandas as pd
import pyarrow as pa
import pytest

from outsim.calibration import mapping_of, read_call_log, sources
from outsim.errors import ScenarioError
from tests.calibration.test_reading import read_text

COLUMNS = {"started": "Start", "talk_s": "Talk", "outcome": "Result"}
OWN = mapping_of(COLUMNS)
HEADER = "Start,Talk,Result"
ROWS = ["2026-03-10 09:00:00,40,answered", "2026-03-10 09:01:00,,busy"]
TEXT = "\n".join([HEADER, *ROWS, ""])


def rows_of(log):
    table = log.table
    return list(
        zip(
            table["started"].dt.tz_convert("America/Chicago").dt.strftime("%H:%M"),
            table["talk_s"].fillna(-1),
            table["outcome"],
            strict=True,
        )
    )


EXPECTED = [("09:00", 40, "answered"), ("09:01", -1, "busy")]


# Quotes, delimiters, ends of lines


@pytest.mark.parametrize(
    "note",
    [
        '"two\nlines"',
        '"\nbegins with one"',
        '"\n- <i class=""a b"" title=""x"">one</i>\n- <i class=""c"">two</i>\n"',
        '"said ""call\nlater"""',
        '"a ""b"" c\nd ""e"" f"',
        '"a, b\n\n\nc"',
        '""Clinic" <6175550100>"',
        '""Clinic, Inc." <6175550100>"',
        r'"\"Clinic, Inc.\" <6175550100>"',
        r'"C:\dir\"',
        '5" x 7"',
        '"never closed',
        '"a"b',
        "\0",
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_note_costs_no_row_however_it_is_quoted(note, end):
    first, second = ROWS
    lines = [f"Note,{HEADER}", f"x,{first}", f"{note},{first}", f"x,{second}", ""]
    log = read_text("\n".join(lines).replace("\n", end), mapping=OWN)
    assert rows_of(log) == [EXPECTED[0], EXPECTED[0], EXPECTED[1]]
    assert (log.rows, log.unreadable, dict(log.left_out)) == (3, (), {})


def test_lines_that_are_no_rows_by_themselves_are_put_together():
    lines = [f"{HEADER},Note,End", f'{ROWS[0]},""Clinic', 'Desk" <6175550100>",x', f"{ROWS[1]},,x"]
    log = read_text("\n".join(lines), mapping=OWN)
    assert rows_of(log) == EXPECTED
    assert log.unreadable == ()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("said", ["", "sep={}\n", '"sep={}"\n'])
@pytest.mark.parametrize("trailing", ["", "{0}", "{0}{0}"])
def test_any_delimiter_said_or_not_and_also_at_the_end_of_rows(delimiter, said, trailing):
    text = said.format(delimiter) + TEXT.replace("\n", trailing.format(delimiter) + "\n").replace(
        ",", delimiter
    )
    assert rows_of(read_text(text, mapping=OWN)) == EXPECTED


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_any_encoding_of_unicode_is_read(encoding):
    assert rows_of(read_text(TEXT.encode(encoding), mapping=OWN)) == EXPECTED


def test_a_line_in_the_code_page_of_windows_is_read():
    text = TEXT.encode() + "2026-03-10 09:02:00,,besetzt (schön)\n".encode("cp1252")
    text += "2026-03-10 09:03:00,,besetzt (schön)\n".encode()
    log = read_text(text, mapping=mapping_of(COLUMNS, {"besetzt (schön)": "busy"}))
    assert log.table["outcome"].tolist() == ["answered", "busy", "busy", "busy"]


def test_lines_before_the_header_and_its_case_do_not_matter():
    text = "Calls of March\n\nmade by nobody\n" + TEXT.replace(HEADER, " START ,TALK,result")
    log = read_text(text, mapping=OWN)
    assert rows_of(log) == EXPECTED
    assert log.rows == 2


def test_blank_lines_are_counted_and_lines_keep_their_numbers():
    log = read_text(f"{HEADER}\n\n\n{ROWS[0]}\n\n{ROWS[1]}\nx,y\n\n", mapping=OWN)
    assert rows_of(log) == EXPECTED
    assert log.left_out == {"empty row": 4}
    assert [bad.line for bad in log.unreadable] == [7]
    assert log.rows == 7


def test_a_field_may_go_on_past_the_end_of_a_block(monkeypatch):
    monkeypatch.setattr("outsim.calibration.reading.BLOCK", 300)
    note = '"several\nlines, ""quoted""\nand more"'
    lines = [f"{ROWS[k % 2]},{note if k % 3 else 'plain'}" for k in range(60)]
    log = read_text("\n".join([f"{HEADER},Note", *lines, "x"]), mapping=OWN)
    assert len(log) == 60
    assert [bad.line for bad in log.unreadable] == [
        2 + sum(1 + each.count("\n") for each in lines)
    ]


# Without a header, and by position


def cdr(k: int, answered: bool) -> list[str]:
    start, answer, end = (f"2026-03-10 09:{k:02d}:{second:02d}" for second in (0, 15, 55))
    if answered:
        return [start, answer, end, "55", "40", "ANSWERED"]
    return [start, "", start, "0", "0", "BUSY"]


def quoted(fields: list[str]) -> str:
    return ",".join(f'"{each}"' for each in fields)


def test_asterisk_logs_that_grow_midway_are_read_whole():
    before = ["", "6175550100", "13125550100", "out", "me", "PJSIP/a", "PJSIP/b", "Dial", "x"]
    rows = [
        [*before, *cdr(k, k % 2 == 0), "DOCUMENTATION", *(["1773036000.1", ""] if k > 3 else [])]
        for k in range(10)
    ]
    log = read_text("\n".join(map(quoted, rows)))
    assert (len(log), log.unreadable) == (10, ())
    assert log.table["outcome"].tolist() == ["answered", "busy"] * 5


def test_asterisk_custom_and_freeswitch_are_known_by_where_their_times_stand():
    custom = ["me", "6175550100", "13125550100", "out", "PJSIP/a", "PJSIP/b", "Dial", "x"]
    rows = [[*custom, *cdr(k, k % 2 == 0), "3", "", f"1773133200.{k}", ""] for k in range(4)]
    log = read_text("\n".join(map(quoted, rows)))
    assert log.files[0].format == "asterisk"
    assert log.table["outcome"].tolist() == ["answered", "busy"] * 2
    assert log.table["ring_s"].tolist()[0] == 15
    freeswitch = ["me", "6175550100", "13125550100", "default"]
    rows = [
        [*freeswitch, *cdr(k, k % 2 == 0)[:-1], cause, f"{k}-aaaa", "", "acct", "", ""]
        for k, cause in enumerate(["NORMAL_CLEARING", "USER_BUSY"] * 2)
    ]
    for text in (rows, [list(NAMES), *rows]):
        log = read_text("\n".join(map(quoted, text)))
        assert log.files[0].format == "freeswitch"
        assert log.table["outcome"].tolist() == ["answered", "busy"] * 2


NAMES = (
    *("caller_id_name", "caller_id_number", "destination_number", "context", "start_stamp"),
    *("answer_stamp", "end_stamp", "duration", "billsec", "hangup_cause", "uuid", "bleg_uuid"),
    *("accountcode", "read_codec", "write_codec"),
)


@pytest.mark.parametrize("time_format", [None, "%m/%d/%Y %H:%M"])
def test_a_log_that_a_spreadsheet_saved_again_is_known(time_format):
    before = ["", "6175550100", "1.31256E+10", "out", "me", "PJSIP/a", "PJSIP/b", "Dial", "x"]
    rows = []
    for k in range(12):
        start, answer = f"3/10/2026 9:{k:02d}", f"3/10/2026 9:{k:02d}"
        rows.append([*before, start, answer, start, "55", "40", "ANSWERED", "DOCUMENTATION"])
    mapping = mapping_of(time_format=time_format)
    log = read_text("\n".join(",".join(row) for row in rows), mapping=mapping)
    assert log.files[0].format == "asterisk"
    assert len(log) == 12
    assert log.table["ring_s"].tolist() == [15] * 12


def test_a_format_of_times_counts_in_finding_the_format():
    before = ["", "6175550100", "13125550100", "out", "me", "PJSIP/a", "PJSIP/b", "Dial", "x"]
    rows = [
        [*before, "2026~03~10 09:00", "", "2026~03~10 09:01", "55", "0", "BUSY", "DOCUMENTATION"]
    ]
    text = "\n".join(",".join(row) for row in rows)
    log = read_text(text, mapping=mapping_of(time_format="%Y~%m~%d %H:%M"))
    assert log.files[0].format == "asterisk"
    with pytest.raises(ScenarioError, match="in no format that is known"):
        read_text(text)


@pytest.mark.parametrize("header", ["", f"{HEADER}\n"])
def test_columns_may_be_given_by_their_position(header):
    by_place = mapping_of({"started": "1", "talk_s": "2", "outcome": "3"})
    log = read_text(header + "\n".join(ROWS), mapping=by_place)
    assert rows_of(log) == EXPECTED
    assert log.rows == 2


@pytest.mark.parametrize("quote", ["'", ' "'])
def test_quotes_that_are_none_of_csvs_are_no_part_of_a_value(quote):
    lines = [
        ",".join(f"{quote}{each}{quote.strip()}" for each in line.split(","))
        for line in (HEADER, *ROWS)
    ]
    assert rows_of(read_text("\n".join(lines), mapping=OWN)) == EXPECTED


def test_accents_may_be_composed_or_not():
    text = "D\u00e9but,Fin\n2026-03-10 09:00:00,R\u00e9pondu\n"
    mapping = mapping_of({"started": "D\u00e9but", "outcome": "Fin"}, {"r\u00e9pondu": "answered"})
    log = read_text(unicodedata.normalize("NFD", text), mapping=mapping)
    assert log.table["outcome"].tolist() == ["answered"]


def test_quotes_that_a_database_leaves_as_they_are_hide_no_delimiter():
    row = '2026-03-10 09:00:00\t"Clinic" <6175550100>\t40\tbusy\t\\N\n'
    by_place = mapping_of({"started": "1", "talk_s": "3", "outcome": "4"})
    assert len(read_text(row * 3, mapping=by_place).table) == 3


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"started": "9", "outcome": "3"}, "has no column '9'"),
        ({"started": "0", "outcome": "3"}, "has no column '0'"),
        ({"started": "Beginning"}, "has no column 'Beginning'; found Start, Talk, Result"),
    ],
)
def test_a_column_that_is_not_there_is_an_error(columns, message):
    with pytest.raises(ScenarioError, match=message):
        read_text(TEXT, mapping=mapping_of(columns))


def test_of_two_columns_of_one_name_the_position_says_which():
    text = "a,o,o\n1773036000,x,busy\n"
    with pytest.raises(ScenarioError, match="has two columns 'o'; say which by its position"):
        read_text(text, mapping=mapping_of({"started": "a", "outcome": "o"}))
    log = read_text(text, mapping=mapping_of({"started": "a", "outcome": "3"}))
    assert log.table["outcome"].tolist() == ["busy"]


def test_many_columns_are_no_matter():
    names = ",".join(f"c{k}" for k in range(30_000))
    rows = "\n".join(row + "," * 30_000 for row in ROWS)
    assert rows_of(read_text(f"{HEADER},{names}\n{rows}", mapping=OWN)) == EXPECTED


# JSON

RECORDS = [
    {"Start": "2026-03-10 09:00:00", "Talk": 40, "Result": "answered"},
    {"Start": "2026-03-10 09:01:00", "Talk": None, "Result": "busy"},
]


ORIENTS = ("columns", "index", "split", "table", "records")


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(map(json.dumps, RECORDS)),
        "".join(map(json.dumps, RECORDS)),
        "\n".join(json.dumps(each, indent=1) for each in RECORDS),
        json.dumps(RECORDS),
        json.dumps(RECORDS, indent=2),
        json.dumps({"page": 0, "calls": RECORDS}),
        json.dumps({"page": 0, "calls": RECORDS}, indent=2),
        json.dumps({"calls": RECORDS[:1]}) + "\n" + json.dumps({"calls": RECORDS[1:]}),
        "\ufeff" + json.dumps(RECORDS),
        json.dumps({"api_id": "1", "meta": {"next": None}, "objects": RECORDS}),
        json.dumps({"count": 2, "_embedded": {"calls": RECORDS}}),
        json.dumps({"took": 3, "hits": {"total": {"value": 2}, "hits": RECORDS}}),
        json.dumps({"data": {"calls": {"edges": RECORDS, "pageInfo": {"more": False}}}}),
        *(pd.DataFrame(RECORDS).to_json(orient=each) for each in ORIENTS),
        json.dumps([list(RECORDS[0]), *(list(each.values()) for each in RECORDS)]),
        json.dumps({"values": [list(RECORDS[0]), *(list(each.values()) for each in RECORDS)]}),
    ],
)
def test_records_in_json_are_read_however_they_are_put_together(text):
    log = read_text(text, mapping=OWN)
    assert rows_of(log) == EXPECTED
    assert log.rows == 2


def test_a_row_that_is_longer_than_its_table_is_listed():
    rows = [["Start", "Talk", "Result"], ["2026-03-10 09:00:00", 40, "busy"], [1, 2, 3, 4]]
    log = read_text(json.dumps(rows), mapping=OWN)
    assert (len(log.table), len(log.unreadable)) == (1, 1)


def test_fields_of_records_are_named_by_the_path_to_them():
    records = [{"call": {"Start": each["Start"]}, **each} for each in RECORDS]
    mapping = mapping_of({**COLUMNS, "started": "call.Start"})
    assert rows_of(read_text(json.dumps(records), mapping=mapping)) == EXPECTED


def test_twilio_pages_and_lines_are_known():
    calls = [
        {"sid": f"CA{k}", "to": "+13125550100", "from": "+16175550100", "status": status}
        | {"start_time": f"2026-03-10T14:0{k}:00Z", "duration": 40, "phone_number_sid": "PN0"}
        | {"direction": "outbound-api", "answered_by": by}
        for k, (status, by) in enumerate((("completed", "human"), ("busy", None)))
    ]
    for text in (
        json.dumps({"page": 0, "calls": calls}, indent=1),
        "\n".join(map(json.dumps, calls)),
    ):
        log = read_text(text, zone=None)
        assert log.files[0].format == "twilio"
        assert log.table["outcome"].tolist() == ["human", "busy"]


def test_contact_records_of_amazon_connect_are_known_whatever_else_is_in_them():
    records = [
        {"ContactId": str(k), "InitiationMethod": method, "InitiationTimestamp": at}
        | {"ConnectedToSystemTimestamp": connected, "DisconnectTimestamp": "2026-03-10T14:00:55Z"}
        | {"CustomerEndpoint": {"Type": "TELEPHONE_NUMBER", "Address": "+13125550100"}}
        | {"AnsweringMachineDetectionStatus": status, "Attributes": {"status": "x", "attempts": 1}}
        for k, (method, at, connected, status) in enumerate(
            [
                ("API", "2026-03-10T14:00:00Z", "2026-03-10T14:00:15Z", "HUMAN_ANSWERED"),
                ("OUTBOUND", "2026-03-10T14:00:00Z", "2026-03-10T14:00:15Z", "VOICEMAIL_BEEP"),
                ("API", "2026-03-10T14:00:00Z", None, "AMD_UNANSWERED"),
                ("INBOUND", "2026-03-10T14:00:00Z", None, None),
            ]
        )
    ]
    log = read_text("\n".join(map(json.dumps, records)), zone=None)
    assert log.files[0].format == "connect"
    assert log.table["outcome"].tolist() == ["human", "voicemail", "no_answer"]
    assert log.table["ring_s"].tolist()[:2] == [15, 15]


def test_lines_that_hold_no_record_are_counted():
    lines = ["[]", json.dumps(RECORDS[0]), "{}", "null", "3", json.dumps(RECORDS[1])]
    log = read_text("\n".join(lines), mapping=OWN)
    assert rows_of(log) == EXPECTED
    assert log.rows == 6
    assert log.left_out == {"empty row": 2}
    assert [bad.line for bad in log.unreadable] == [4, 5]


@pytest.mark.parametrize("value", ["9" * 5000, "1e999", "NaN", "-Infinity", '"\\ud800"', "1e-400"])
def test_no_number_or_text_of_a_record_is_too_much(value):
    good = json.dumps(RECORDS[0])
    record = good.replace("40", value)
    log = read_text(f"{good}\n{record}\n", mapping=OWN)
    assert len(log) == 2
    platform = '{"log_id":X,"dest":"2125550100","start":"1773036000","end":X,"type":"outbound"}'
    log = read_text(platform.replace("X", value))
    assert log.rows == len(log) == 1


@pytest.mark.parametrize("at", ["1" + "0" * 400, "NaN", "1e400"])
def test_an_event_at_no_time_is_listed_with_what_it_says(at):
    details = {"status": "completed", "attempts": 1, "call_id": 1}
    text = json.dumps({"call_details": {**details, "events": [{"event": "dialing"}]}})
    text = text.replace('"dialing"', f'"dialing", "timestamp": {at}')
    with pytest.raises(ScenarioError, match="found started '"):
        read_text(text)


def test_a_record_of_too_many_levels_is_listed():
    deep = '{"a":' * 1500 + "1" + "}" * 1500
    good = json.dumps(RECORDS[0])
    log = read_text(f"{good}\n{deep}\n", mapping=OWN)
    assert (len(log), [bad.line for bad in log.unreadable]) == (1, [2])
    with pytest.raises(ScenarioError, match="no record that can be read"):
        read_text(deep, mapping=OWN)


# Packed files, and files that are no logs


def zipped(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, TEXT)
    return out.getvalue()


def tarred() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        member = tarfile.TarInfo("a.csv")
        member.size = len(TEXT)
        archive.addfile(member, io.BytesIO(TEXT.encode()))
    return out.getvalue()


PACKED = {
    "gzip": gzip.compress(TEXT.encode()),
    "two gzips": gzip.compress(TEXT[:30].encode()) + gzip.compress(TEXT[30:].encode()),
    "bzip2": bz2.compress(TEXT.encode()),
    "xz": lzma.compress(TEXT.encode()),
    "zstd": pa.compress(TEXT.encode(), "zstd", asbytes=True),
    "zip": zipped("logs/", "logs/a.csv", "__MACOSX/logs/a.csv"),
}


@pytest.mark.parametrize("kind", PACKED)
def test_packed_logs_are_read_as_they_are(kind):
    assert rows_of(read_text(PACKED[kind], mapping=OWN)) == EXPECTED


@pytest.mark.parametrize("kind", PACKED)
def test_a_packed_log_that_is_cut_off_is_said_to_be_broken(kind):
    with pytest.raises(ScenarioError, match=r"broken packed file; get it again"):
        read_text(PACKED[kind][:-20], mapping=OWN)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_what_a_small_file_unpacks_to_is_bounded_and_the_bound_is_named(pack, monkeypatch):
    monkeypatch.setattr(sources, "UNPACKED_LEAST", 2**20)
    with pytest.raises(ScenarioError, match=r"unpacks to more than 1 MiB.* 100 times its size"):
        read_text(pack((TEXT + "x,y,z\n" * 400_000).encode()), mapping=OWN)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (zipped("a.csv", "b.csv"), "zip .*2 files: 'a.csv', 'b.csv'.*unpack"),
        (zipped(), "zip .*0 files"),
        (zipped("[Content_Types].xml", "xl/workbook.xml"), "Excel.*CSV"),
        (zipped("mimetype", "content.xml"), "OpenOffice.*CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Excel.*xls.*CSV"),
        (b"%PDF-1.7\n", "PDF"),
        (b"<!DOCTYPE html>\n<html><table>", "HTML"),
        (b"<table><tr><td>Start", "HTML"),
        (b'<?xml version="1.0"?>\n<cdr/>', "XML"),
        (b"-- MySQL dump 10.13\n--\n\nDROP TABLE IF EXISTS `cdr`;\n", "SQL dump"),
        (b"INSERT INTO cdr VALUES (1, 2);\n", "SQL dump"),
        (b"SQLite format 3\0", "SQLite"),
        (tarred(), "tar archive.*unpack"),
        (gzip.compress(gzip.compress(b"x")), "a packed file in a packed file"),
        (bytes(range(32)) * 10, "program"),
        (b"PAR1 and no more", "Parquet"),
    ],
    ids=lambda value: value if isinstance(value, str) else "file",
)
def test_what_is_no_log_is_named_and_what_to_do_is_said(content, message):
    with pytest.raises(ScenarioError, match=message):
        read_text(content, mapping=OWN)
    with pytest.raises(ScenarioError, match=message):
        read_text(content)


def test_a_directory_is_named(tmp_path):
    with pytest.raises(ScenarioError, match="is a directory; name the logs in it"):
        read_call_log([tmp_path], mapping=OWN)


def test_a_line_without_an_end_is_left_at_the_limit(monkeypatch):
    monkeypatch.setattr("outsim.calibration.lines.BLOCK", 2**20)
    monkeypatch.setattr("outsim.calibration.reading.BLOCK", 2**18)
    with pytest.raises(ScenarioError, match="line of more than 8 MiB, the limit"):
        read_text(f"{HEADER}\n" + "x" * 9 * 2**20, mapping=OWN)


def test_a_document_of_too_many_parts_is_refused_before_it_is_read(monkeypatch):
    monkeypatch.setattr("outsim.calibration.records.MOST_PARTS", 1000)
    text = json.dumps(RECORDS * 600, indent=1)
    with pytest.raises(ScenarioError, match="more than 1,000 parts; write one record a line"):
        read_text(text, mapping=OWN)


def test_parquet_tables_are_read(tmp_path, monkeypatch):
    frame = pd.DataFrame(RECORDS)
    frame["Start"] = pd.to_datetime(frame["Start"])
    frame.to_parquet(tmp_path / "log.parquet")
    log = read_call_log([tmp_path / "log.parquet"], mapping=OWN, zone="America/Chicago")
    assert rows_of(log) == EXPECTED
    one = pd.DataFrame({"Start": [1773036000] * 100_000, "Talk": 1, "Result": "busy"})
    one.to_parquet(tmp_path / "many.parquet")
    monkeypatch.setattr(sources, "UNPACKED_LEAST", 2**16)
    with pytest.raises(ScenarioError, match=r"100,000 rows in .* bytes"):
        read_call_log([tmp_path / "many.parquet"], mapping=OWN, zone="America/Chicago")
