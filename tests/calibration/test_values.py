"""Values of logs as people and programs write them; what can be read in two ways is told."""

from __future__ import annotations

import itertools

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outsim.calibration import mapping_of
from outsim.calibration.times import is_time_format
from outsim.calibration.values import NOTHING, Style, bare, seconds
from outsim.errors import ScenarioError
from tests.calibration.test_reading import read_text

PLAIN = Style()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *((text, 40) for text in ("40", " 40 ", "+40", "40.0", "40,00", "\u00a040", "'40'")),
        *((text, 40) for text in ('="40"', "0:40", "00:00:40", "0 days 00:00:40", "40s")),
        *((text, 40) for text in ("40 sec", "40 Seconds", "PT40S", "40000 ms", "4e1")),
        *(
            (text, 65)
            for text in ("1:05", "1m 5s", "1min5s", "PT1M5S", "1'05\"", "65.", "0.01.05")
        ),
        *((text, 65) for text in ("12:01:05 AM", "1899-12-30 00:01:05", "1/0/1900 0:01:05")),
        ("2 minutes, 5 seconds", 125),
        ("1:02:03", 3723),
        ("1 day, 0:00:01", 86_401),
        ("00:00:40.250", 40.25),
        ("1.5 min", 90),
        *((text, 1600) for text in ("1,600", "1 600", "1'600", "1\u202f600")),
        *((text, 1600.5) for text in ("1,600.5", "1.600,5", "1 600,5")),
        ("1,234,567", 1_234_567),
        ("12,5", 12.5),
        ("0,400", 0.4),
        ("-1", -1),
    ],
)
def test_durations_are_read_however_they_are_written(text, expected):
    assert seconds(text, "talk_s", PLAIN) == pytest.approx(expected)


@pytest.mark.parametrize(
    "text",
    [
        *("", "abc", "0:75", "1,2,3", "12,34.5", "1:2:3:4", "p", "pt", "5 apples", "inf"),
        *("9" * 5000, "1" * 5000 + " s", "1.2.3", "--5", "1e999", "0x10"),
    ],
)
def test_what_is_no_duration_is_none(text):
    found = seconds(text, "talk_s", PLAIN)
    assert not 0 <= found < float("inf")


@given(st.integers(0, 10**9), st.integers(1, 59), st.integers(0, 59))
def test_a_clock_counts_minutes_by_sixty(hours, minutes, rest):
    hours %= 1000
    assert seconds(f"{minutes}:{rest:02d}", "talk_s", PLAIN) == minutes * 60 + rest
    whole = hours * 3600 + minutes * 60 + rest
    assert seconds(f"{hours}:{minutes:02d}:{rest:02d}", "talk_s", PLAIN) == whole


@given(st.text(max_size=40))
def test_any_text_is_a_number_or_none(text):
    found = seconds(text, "talk_s", PLAIN)
    assert isinstance(found, float)


def talks(texts: list[str], delimiter: str = ";"):
    lines = [
        f"2026-03-10 09:{k // 60:02d}:{k % 60:02d}{delimiter}human{delimiter}{text}"
        for k, text in enumerate(texts)
    ]
    columns = {"started": "t", "outcome": "o", "talk_s": "d"}
    header = delimiter.join(("t", "o", "d"))
    return read_text("\n".join([header, *lines]), mapping=mapping_of(columns))


@pytest.mark.parametrize(
    ("texts", "expected", "note"),
    [
        # Three digits after a comma are thousands, unless the column has decimal commas.
        (["1,600", "40"], [1600, 40], "d '1,600' is read as 1600"),
        (["1,600", "40,5"], [1.6, 40.5], "d '1,600' is read as 1.6"),
        (["1,600", "0,400"], [1.6, 0.4], "d '1,600' is read as 1.6"),
        (["1,600", "1,234.5"], [1600, 1234.5], "d '1,600' is read as 1600"),
        # Three digits after a dot are decimals, unless whole numbers stand beside them.
        (["1.600", "40.5"], [1.6, 40.5], None),
        (["1.600", "22.250"], [1.6, 22.25], None),
        (["1.600", "40"], [1600, 40], "d '1.600' is read as 1600"),
        (["1.600", "1.600,5"], [1600, 1600.5], "d '1.600' is read as 1600"),
        (["0:40", "1:05"], [40, 65], " is read as minutes and seconds"),
        (["00:40:00"], [2400], None),
    ],
)
def test_what_can_be_read_in_two_ways_is_resolved_by_the_column(texts, expected, note):
    for order in itertools.permutations(range(len(texts))):
        log = talks([texts[k] for k in order])
        assert log.table["talk_s"].tolist() == [expected[k] for k in order]
        assert (note is None) == (not any("is read as" in each for each in log.notes))
        assert note is None or any(note in each for each in log.notes)


def test_the_whole_file_tells_how_values_are_written_and_not_its_first_part(monkeypatch):
    monkeypatch.setattr("outsim.calibration.reading.BLOCK", 400)
    log = talks(["1,600"] * 50 + ["40,5"])
    assert log.table["talk_s"].tolist() == [1.6] * 50 + [40.5]
    assert log.rows == 51


WORDS = ("NULL", "null", "(null)", "\\N", "-", "--", "N/A", "NA", "n/a", "None", "nil", "NaN", "")


@pytest.mark.parametrize("nothing", [*WORDS, "0000-00-00 00:00:00", "1970-01-01 00:00:00", "0"])
def test_words_for_nothing_are_missing_values(nothing):
    number = nothing if nothing.lower() in NOTHING else "2125550101"
    text = (
        "t,a,d,o,n\n"
        "2026-03-10 09:00:00,2026-03-10 09:00:15,40,answered,2125550100\n"
        f"2026-03-10 09:01:00,{nothing},{nothing if len(nothing) < 8 else 0},busy,{number}\n"
    )
    columns = {"started": "t", "answered": "a", "talk_s": "d", "outcome": "o", "number": "n"}
    log = read_text(text, mapping=mapping_of(columns))
    assert log.table["outcome"].tolist() == ["answered", "busy"]
    assert log.table["ring_s"].tolist()[0] == 15
    assert log.table["talk_s"].isna().tolist() == [False, True]
    assert not any("can't be read" in note for note in log.notes)
    assert log.table["number"].tolist() == [0, -1 if number == nothing else 1]


@pytest.mark.parametrize("nothing", ["NULL", "-", "None"])
def test_a_word_for_nothing_that_the_user_explains_is_a_word(nothing):
    mapping = mapping_of({"outcome": "o"}, {nothing: "no_answer"})
    log = read_text(f"t,o\n1,busy\n2,{nothing}\n", mapping=mapping)
    assert log.table["outcome"].tolist() == ["busy", "no_answer"]
    log = read_text(f"t,o\n1,busy\n2,{nothing}\n", mapping=mapping_of({"outcome": "o"}))
    assert log.table["outcome"].isna().tolist() == [False, True]


@pytest.mark.parametrize("field", ["ring_s", "talk_s", "duration_s", "answered", "ended", "gap_s"])
def test_an_optional_value_that_cannot_be_read_costs_no_outcome(field):
    text = "t,o,x\n" + "".join(
        f"2026-03-10 09:00:{k:02d},answered,{'rubbish' if k % 2 else ''}\n" for k in range(10)
    )
    log = read_text(text, mapping=mapping_of({"started": "t", "outcome": "o", field: "x"}))
    assert len(log) == 10
    assert log.unreadable == ()
    (note,) = [note for note in log.notes if "can't be read" in note]
    assert note.startswith("5 values of x can't be read and are taken as missing")
    assert "line 3: found 'rubbish'" in note


def test_a_talk_that_is_all_there_is_to_tell_an_outcome_by_is_needed():
    log = read_text("d\n20\nrubbish\n", mapping=mapping_of({"talk_s": "d"}))
    assert [bad.line for bad in log.unreadable] == [3]


# Times


@pytest.mark.parametrize(
    "text",
    [
        *("3/10/2026 9:00", "03/10/2026 09:00:00", "3/10/2026, 9:00:00 AM", "3-10-2026 09:00"),
        *("2026/03/10 09:00", "10.03.2026 09:00:00", "3/10/26 9:00"),
    ],
)
def test_days_are_read_however_their_parts_are_parted(text):
    log = read_text(f't,o\n"{text}",busy\n', mapping=mapping_of({"started": "t", "outcome": "o"}))
    assert log.table["started"].tolist() == [pd.Timestamp("2026-03-10 14:00", tz="UTC")]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "2026-03-10 14:00:00+00",
            "2026-03-10 09:00:00.000000-05",
            "2026-03-10 14:00:00 +0000 UTC",
        ),
        *("2026-03-10 09:00:00 CDT", "09:00:00 CDT 2026-03-10", "3/10/2026 10:00 AM EDT"),
        *("20260310T090000", "20260310T140000Z", "20260310090000", "20260310 09:00:00"),
        *("Tue, 10 Mar 2026 09:00:00", "Tue 03/10/2026 09:00 AM", "Tue Mar 10 09:00:00 2026"),
        *("Tue Mar 10 09:00:00 CDT 2026", "Tue Mar 10 2026 09:00:00 GMT-0500 (CDT)"),
        *("10-MAR-26 09.00.00.000000 AM", "2026-03-10-09.00.00.000000", "10-Mar-2026 09:00"),
        *(
            "Mar 10, 2026 9:00:00 AM",
            "March 10th, 2026 at 9:00 am",
            "10. M\u00e4rz 2026 um 09:00 Uhr",
        ),
        *("10 mars 2026 \u00e0 9h00", "10.03.26 09:00 Uhr", "2026-03-10%2009%3A00%3A00"),
        *("2026-03-10T09:00:00-05:00[America/Chicago]", "46091.375", "1773151200000000"),
    ],
)
def test_times_are_read_as_programs_and_people_write_them(text):
    log = read_text(f't,o\n"{text}",busy\n', mapping=mapping_of({"started": "t", "outcome": "o"}))
    assert log.table["started"].tolist() == [pd.Timestamp("2026-03-10 14:00", tz="UTC")]


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2026-03-10 09:00:00 IST", "Asia/Kolkata", "03:30"),
        ("2026-03-10 09:00:00 IST", "Asia/Jerusalem", "07:00"),
        ("2026-11-01 01:30:00 EST", "America/New_York", "06:30"),
        ("2026-11-01 01:30:00 EDT", "America/New_York", "05:30"),
        ("2026-03-10 09:00:00 CST", "Asia/Shanghai", "01:00"),
    ],
)
def test_an_abbreviation_of_a_zone_is_that_of_the_logs_own(text, zone, expected):
    mapping = mapping_of({"started": "t", "outcome": "o"})
    log = read_text(f"t,o\n{text},busy\n", mapping=mapping, zone=zone)
    assert f"{log.table['started'][0].tz_convert('UTC'):%H:%M}" == expected


@pytest.mark.parametrize(
    "text", ["9:00", "2026-03-10 09:00 XYZT", "10 Foo 2026 09:00", "2026-03-10 25:00", "x" * 99]
)
def test_what_is_no_time_is_listed_with_what_to_do(text):
    mapping = mapping_of({"started": "t", "outcome": "o"})
    with pytest.raises(ScenarioError, match=r"can't be read.*--time-format"):
        read_text(f"t,o\n{text},busy\n", mapping=mapping)


def test_days_and_times_in_two_columns_are_joined():
    mapping = mapping_of({"started": "Date+Time", "outcome": "o"})
    log = read_text("Date,Time,o\n2026-03-10,09:00:00,busy\n", mapping=mapping)
    assert log.table["started"].tolist() == [pd.Timestamp("2026-03-10 14:00", tz="UTC")]


@pytest.mark.parametrize(
    ("days", "zone", "first"),
    [
        (["3/10/2026", "3/13/2026"], "Europe/Berlin", "2026-03-10"),
        (["10/3/2026", "13/3/2026"], "America/Chicago", "2026-03-10"),
        (["3/10/2026", "3/11/2026"], "Europe/Berlin", "2026-03-10"),
        (["10/3/2026", "11/3/2026"], "America/Chicago", "2026-03-10"),
        (["3/10/2026"], "America/Chicago", "2026-03-10"),
        (["3/10/2026"], "Europe/Berlin", "2026-10-03"),
    ],
)
def test_whether_the_day_stands_first_is_told_by_all_days_and_said(days, zone, first):
    rows = "".join(f"{day} 12:00,busy\n" for day in days)
    mapping = mapping_of({"started": "t", "outcome": "o"})
    log = read_text(f"t,o\n{rows}", mapping=mapping, zone=zone)
    assert str(log.table["started"].min().date()) == first
    assert any(f"'{days[0]} 12:00' is read with the" in note for note in log.notes)


def test_times_to_whole_minutes_tell_less_than_durations():
    rows = "".join(
        f"3/10/2026 9:{k:02d},3/10/2026 9:{k + 1:02d},55,40,answered\n" for k in range(12)
    )
    columns = {"started": "t", "answered": "a", "duration_s": "w", "talk_s": "d", "outcome": "o"}
    log = read_text(f"t,a,w,d,o\n{rows}", mapping=mapping_of(columns))
    assert log.table["ring_s"].tolist() == [15] * 12


@pytest.mark.parametrize("time_format", ["%d.%m.%Y %H:%M", "%m/%d/%y %I:%M %p", "%Y%m%d%H%M%S"])
def test_a_format_with_a_day_can_be_used(time_format):
    assert is_time_format(time_format)


@pytest.mark.parametrize(
    "time_format", ["", "%", "%Q", "%H:%M", "%d%d", "%Y", "day", "%s", "\0%", "\ud800"]
)
def test_a_format_that_tells_no_day_is_refused(time_format):
    with pytest.raises(ScenarioError, match="write one that has year, month, day"):
        mapping_of({"started": "t"}, time_format=time_format)


def test_what_spreadsheets_put_around_a_value_is_no_part_of_it():
    assert bare('="13125550100"') == "13125550100"
    log = read_text(
        't,o,n\n1773036000,busy,"=""2125550100"""\n1773036060,busy,2125550100\n',
        mapping=mapping_of({"started": "t", "outcome": "o", "number": "n"}),
    )
    assert log.table["number"].tolist() == [0, 0]
