"""Contact lists: every row is either dialed or rejected with a reason."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outsim.errors import ScenarioError
from outsim.scenario import contacts as contact_lists
from outsim.scenario.contacts import (
    ContactList,
    InvalidNumberError,
    RejectedRow,
    parse_destination,
)
from outsim.scenario.files import LINE_LIMIT
from outsim.scenario.lint_settings import headers
from outsim.units import is_zone

NUMBER = 2125550100

national_numbers = st.integers(200, 999).map(lambda area: area * 10**7 + 5550100)
forms = st.sampled_from(
    ["{0}", "1{0}", "+1{0}", "tel:{0}", "tel:1{0}", "tel:+1{0}", "TEL:+1{0}", " 1{0} "]
)
ani_forms = st.sampled_from(["{0}", "1{0}", "+1{0}"])


def read(text: str, path: Path) -> ContactList:
    path.write_text(text, encoding="utf-8")
    return ContactList.read(path)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "list.csv"


def reasons(contacts: ContactList) -> list[tuple[int, str]]:
    return [(row.row, row.reason) for row in contacts.rejected]


class TestNumberForms:
    @given(number=national_numbers, form=forms)
    def test_every_form_of_a_number_is_the_same_national_number(
        self, number: int, form: str
    ) -> None:
        assert parse_destination(form.format(number)) == (number, 0)

    @given(
        number=national_numbers,
        ani=national_numbers,
        form=forms,
        ani_form=ani_forms,
        postd=st.none() | st.text("0123456789*#", min_size=1, max_size=8),
        ani_first=st.booleans(),
    )
    def test_parameters_may_stand_in_either_order(
        self, number: int, ani: int, form: str, ani_form: str, postd: str | None, ani_first: bool
    ) -> None:
        parameters = [f"ani={ani_form.format(ani)}"]
        if postd is not None:
            parameters.insert(1 if ani_first else 0, f"postd={postd}")
        text = ";".join([form.format(number), *parameters])
        assert parse_destination(text) == (number, ani)

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("", "empty"),
            ("   ", "empty"),
            (";ani=2125550101", "empty"),
            ("call me", "not a number"),
            ("212-555-0100", "not a number"),
            ("(212) 555 0100", "not a number"),
            ("sip:2125550100", "not a number"),
            ("٢١٢٥٥٥٠١٠٠", "not a number"),
            ("+", "not a number"),
            ("555010", "wrong length"),
            ("121255501000", "wrong length"),
            ("+1212555010", "wrong length"),
            ("22125550100", "country code"),
            ("+442079460000", "country code"),
            ("1125550100", "area code"),
            ("0125550100", "area code"),
            ("11125550100", "area code"),
            ("2121550100", "exchange"),
            ("2125550100;ani=", "bad ani"),
            ("2125550100;ani=555", "bad ani"),
            ("2125550100;ani=me", "bad ani"),
            ("2125550100;postd=", "bad postd"),
            ("2125550100;postd=12a", "bad postd"),
            ("2125550100;isub=1", "unknown parameter"),
            ("2125550100;", "unknown parameter"),
            ("2125550100;postd=1;postd=2", "unknown parameter"),
        ],
    )
    def test_what_cannot_be_dialed_has_a_reason(self, text: str, reason: str) -> None:
        with pytest.raises(InvalidNumberError, match=f"^{reason}$"):
            parse_destination(text)


class TestRows:
    def test_the_header_of_the_first_column_is_the_only_hard_rule(self, file: Path) -> None:
        contacts = read("destination\n2125550100\n", file)
        assert contacts.numbers.tolist() == [NUMBER]
        assert contacts.anis.tolist() == [0]
        assert contacts.zone_index.tolist() == [-1]
        assert contacts.variables == ()

    def test_other_columns_are_variables_of_the_call(self, file: Path) -> None:
        contacts = read(
            '"destination","first_name","last_name"\n"2125550100","Ann","O""Hara, jr."\n', file
        )
        assert contacts.variables == ("first_name", "last_name")
        assert len(contacts) == 1

    def test_a_caller_id_comes_from_its_column_or_from_the_number(self, file: Path) -> None:
        contacts = read(
            "destination,ani\n"
            "2125550100,3125550101\n"
            "2125550102;ani=4155550103,3125550101\n"
            "2125550104,\n",
            file,
        )
        assert contacts.anis.tolist() == [3125550101, 4155550103, 0]
        assert contacts.without_ani == 1

    def test_time_zones_are_listed_once(self, file: Path) -> None:
        contacts = read(
            "destination,time_zone\n"
            "2125550100,America/New_York\n"
            "3125550101,America/Chicago\n"
            "2125550102,America/New_York\n"
            "2125550103,\n",
            file,
        )
        assert contacts.zones == ("America/New_York", "America/Chicago")
        assert contacts.zone_index.tolist() == [0, 1, 0, -1]

    def test_a_row_that_cannot_be_dialed_keeps_its_place(self, file: Path) -> None:
        contacts = read(
            "destination,ani,time_zone\n"
            "2125550100,,\n"
            "555-0101,,\n"
            "2125550102,12,\n"
            "2125550103,,Mars/Base\n"
            "2125550104\n"
            "2125550105,,,\n"
            ",,\n"
            "2125550106,,\n",
            file,
        )
        assert reasons(contacts) == [
            (1, "not a number"),
            (2, "bad ani"),
            (3, "unknown time zone"),
            (4, "too few fields"),
            (5, "too many fields"),
            (6, "empty"),
        ]
        assert contacts.rejected[0] == RejectedRow(1, 3, "555-0101", "not a number")
        assert np.flatnonzero(contacts.numbers).tolist() == [0, 7]

    def test_rejections_are_counted_by_reason(self, file: Path) -> None:
        contacts = read("destination\nx\n12\ny\n", file)
        assert contacts.rejections == {"not a number": 2, "wrong length": 1}

    def test_a_number_that_stands_again_is_a_duplicate_in_whatever_form(self, file: Path) -> None:
        contacts = read(
            "destination\n2125550100\nx\ntel:+12125550100\n2125550101\n12125550100\n", file
        )
        assert contacts.duplicates.tolist() == [False, False, True, False, True]

    def test_blank_lines_are_rows_unless_they_end_the_file(self, file: Path) -> None:
        contacts = read("destination\n2125550100\n\n2125550101\n\n\n", file)
        assert len(contacts) == 3
        assert contacts.rejected == (RejectedRow(1, 3, "", "empty"),)

    def test_a_quoted_field_may_hold_line_ends(self, file: Path) -> None:
        contacts = read('destination,address\n2125550100,"1 A St\nTown"\nx,\n', file)
        assert contacts.numbers.tolist() == [NUMBER, 0]
        assert contacts.rejected[0].line == 4

    def test_rows_with_broken_quotes_are_rejected_line_by_line(self, file: Path) -> None:
        contacts = read('destination,name\n2125550100,"Al\n"2125550101,Bo\n2125550102,Cy\n', file)
        assert [(row.line, row.reason) for row in contacts.rejected] == [
            (2, "bad quoting"),
            (3, "bad quoting"),
        ]
        assert contacts.numbers.tolist() == [0, 0, 2125550102]

    def test_a_quote_that_is_never_closed_costs_its_own_line_alone(self, file: Path) -> None:
        more = "2125550100\n" * 9000
        contacts = read(f'destination\nx\n"2125550100\n{more}', file)
        assert reasons(contacts) == [(0, "not a number"), (1, "bad quoting")]
        assert int((contacts.numbers == NUMBER).sum()) == 9000

    @pytest.mark.parametrize(
        ("rows", "rejected"),
        [
            ('2125550100,y\n""\n', [(1, 3, "too few fields")]),
            ('2125550100,y\n\n2125550101,"a"b\n', [(1, 3, "empty"), (2, 4, "bad quoting")]),
            ('\n"\n2125550100,y\n', [(0, 2, "empty"), (1, 3, "bad quoting")]),
            ('2125550100,y\n"', [(1, 3, "bad quoting")]),
            ("2125550100,y\n\0", [(1, 3, "too few fields")]),
            ('"",\n2125550100,y\n', [(0, 2, "empty")]),
        ],
    )
    def test_a_row_keeps_its_place_whatever_ends_it(
        self, rows: str, rejected: list[tuple[int, int, str]], file: Path
    ) -> None:
        contacts = read(f"destination,name\n{rows}", file)
        assert [(row.row, row.line, row.reason) for row in contacts.rejected] == rejected
        assert np.count_nonzero(contacts.numbers) == len(contacts) - len(rejected)
        assert np.count_nonzero(contacts.numbers) == rows.count("2125550100,y")

    def test_a_quoted_empty_field_is_a_row_also_where_it_ends_the_file(self, file: Path) -> None:
        contacts = read('destination\n2125550100\n""\n\n', file)
        assert contacts.rejected == (RejectedRow(1, 3, "", "empty"),)

    @pytest.mark.parametrize(
        "encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
    )
    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_lists_of_other_programs_are_read(self, encoding: str, end: str, file: Path) -> None:
        text = 'destination,name\n2125550100,"Zoë, A.\nB"\n212\x005550101,x\n2125550102,y\n'
        file.write_bytes(text.replace("\n", end).encode(encoding))
        contacts = ContactList.read(file)
        assert contacts.numbers.tolist() == [NUMBER, 0, 2125550102]
        assert [(row.line, row.reason) for row in contacts.rejected] == [(4, "not a number")]

    def test_a_long_text_is_shortened(self, file: Path) -> None:
        contacts = read(f"destination\n{'x' * 500}\n", file)
        assert contacts.rejected[0].text == "x" * 80 + "..."

    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    def test_line_ends_of_any_system_and_a_byte_order_mark_are_read(
        self, end: str, file: Path
    ) -> None:
        file.write_bytes(b"\xef\xbb\xbf" + f"destination{end}2125550100{end}".encode())
        assert ContactList.read(file).numbers.tolist() == [NUMBER]

    @given(
        rows=st.lists(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
        )
    )
    def test_no_row_disappears(
        self, rows: list[str], tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        import csv

        path = tmp_path_factory.mktemp("lists") / "list.csv"
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
            writer.writerow(["destination", "name"])
            writer.writerows([row, "x"] for row in rows)
        contacts = ContactList.read(path)
        assert len(contacts) == len(rows)
        assert (contacts.numbers != 0).sum() + len(contacts.rejected) == len(rows)


class TestLists:
    def test_lists_are_equal_if_they_say_the_same(self, tmp_path: Path) -> None:
        text = "destination\n2125550100\nx\n"
        one, two = (read(text, tmp_path / name) for name in ("a.csv", "b.csv"))
        assert one == two
        assert hash(one) == hash(two)
        assert one != read(text.replace("0100", "0101"), tmp_path / "c.csv")

    def test_a_list_goes_to_other_processes(self, file: Path) -> None:
        contacts = read("destination,time_zone\n2125550100,UTC\nx,\n", file)
        assert pickle.loads(pickle.dumps(contacts)) == contacts

    def test_a_list_of_200000_rows_is_small_in_memory(self, file: Path) -> None:
        rows = "".join(f"{200 + i % 700}555{i % 10000:04d}\n" for i in range(200_000))
        contacts = read(f"destination\n{rows}", file)
        arrays = (contacts.numbers, contacts.anis, contacts.zone_index)
        assert sum(array.nbytes for array in arrays) / len(contacts) == 18
        assert int(contacts.duplicates.sum()) == 200_000 - len(set(contacts.numbers.tolist()))


class TestFilesThatCannotBeUsed:
    def refused(self, path: Path) -> str:
        with pytest.raises(ScenarioError) as caught:
            ContactList.read(path)
        (problem,) = caught.value.problems
        assert problem.file == str(path)
        return f"{problem.line}: {problem.message}"

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "None: found an empty file; the first line must begin with 'destination'"),
            (b"\n", "1: found '' as the first header; must be 'destination'"),
            (b"number\n2125550100\n", "1: found 'number' as the first header; must be"),
            (b"Destination\n", "1: found 'Destination' as the first header; must be"),
            (b"name,destination\n", "1: found 'name' as the first header; must be 'destination'"),
            (
                b"destination;name\n",
                "1: found 'destination;name' as the first header; must be 'destination'; "
                "commas part columns",
            ),
            (b"destination,ani,ani\n", "1: the header 'ani' stands 2 times"),
            (
                b"destination\n2125550100\n\xff\xfe\n",
                "3: found byte 0xff at byte 1 of the line, "
                "which is not UTF-8; save the file as UTF-8",
            ),
            ("destination\n2125550100".encode("utf-16")[:-1], "None: is not UTF-16 throughout"),
            (b"destination\n" + b"1" * LINE_LIMIT + b"\n", "2: found a line longer than 64 KiB"),
            (b'"destination\n', "1: the header can't be read"),
        ],
    )
    def test_the_message_names_the_line_and_what_was_found(
        self, content: bytes, message: str, file: Path
    ) -> None:
        file.write_bytes(content)
        assert self.refused(file).startswith(message)

    def test_a_line_of_just_64_kib_is_read(self, file: Path) -> None:
        file.write_bytes(b"destination\n" + b"1" * (LINE_LIMIT - 1) + b"\n")
        assert reasons(ContactList.read(file)) == [(0, "wrong length")]

    def test_a_file_that_is_not_there(self, file: Path) -> None:
        assert self.refused(file) == "None: no such file"

    def test_a_directory(self, tmp_path: Path) -> None:
        assert self.refused(tmp_path) == "None: found a directory; must be a regular file"

    def test_a_pipe_is_refused_without_waiting_for_it(self, tmp_path: Path) -> None:
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        assert self.refused(pipe) == "None: found a pipe; must be a regular file"

    def test_an_endless_device_is_refused_without_reading_it(self) -> None:
        assert self.refused(Path("/dev/zero")) == "None: found a device; must be a regular file"

    def test_a_sparse_file_of_one_endless_line_is_left_at_the_limit(self, file: Path) -> None:
        with file.open("wb") as stream:
            stream.truncate(1 << 40)
        assert self.refused(file).startswith("1: found a line longer than 64 KiB")


class TestColumnsAndZones:
    def test_a_rejected_row_shows_what_can_not_be_used_of_it(self, file: Path) -> None:
        contacts = read("destination,ani,time_zone\n2125550100,,CST\n2125550101,911,\n", file)
        assert [row.text for row in contacts.rejected] == ["CST", "911"]

    def test_thousands_of_unknown_zones_are_looked_up_in_one_list(
        self, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked = []
        monkeypatch.setattr(
            contact_lists, "is_zone", lambda name: asked.append(name) or is_zone(name)
        )
        rows = "".join(f"2125550100,Zone/X{k}\n" for k in range(5000))
        contacts = read(f"destination,time_zone\n{rows}2125550100,UTC\n", file)
        assert contacts.rejections == {"unknown time zone": 5000}
        assert len(asked) < 100

    @pytest.mark.parametrize("header", ["timezone", "Time Zone", "tz", "TIME_ZONE", "time_zon"])
    def test_a_header_nearly_that_of_the_zone_is_told(self, header: str, file: Path) -> None:
        contacts = read(f"destination,{header}\n2125550100,UTC\n", file)
        assert [*headers(contacts)] == [
            f"the column {header!r} is taken as a variable of the call; did you mean time_zone?"
        ]

    @pytest.mark.parametrize("header", ["ANI", "caller_id", "Caller ID", "a n i"])
    def test_a_header_nearly_that_of_the_caller_is_told(self, header: str, file: Path) -> None:
        contacts = read(f"destination,{header}\n2125550100,\n", file)
        assert "did you mean ani?" in "".join(headers(contacts))

    def test_other_variables_are_not(self, file: Path) -> None:
        contacts = read("destination,ani,time_zone,name,due,time\n2125550100,,,Ann,1,2\n", file)
        assert [*headers(contacts)] == []

    @pytest.mark.parametrize("first", ["Destination", "phone", "DESTINATION", "number"])
    def test_the_first_header_is_named_where_it_is_another(self, first: str, file: Path) -> None:
        with pytest.raises(ScenarioError, match=f"found '{first}' as the first header; must be"):
            read(f"{first}\n2125550100\n", file)


MUTATIONS = st.sampled_from(['"', '""', '"a"b', "\0", "\ufffd", ";", "\t", "\\", "'"])


@given(
    count=st.integers(1, 8),
    row=st.integers(0, 7),
    place=st.integers(0, 40),
    what=MUTATIONS,
    instead=st.booleans(),
    end=st.sampled_from(["\n", "\r\n"]),
    last=st.booleans(),
)
def test_a_mutated_list_keeps_all_its_rows(
    count: int,
    row: int,
    place: int,
    what: str,
    instead: bool,
    end: str,
    last: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """What is put into one row costs that row at most; the others are dialed as they were."""
    rows = [f"21255501{k:02d},due {k}" for k in range(count)]
    row %= count
    rows[row] = what if instead and what.strip() else rows[row][:place] + what + rows[row][place:]
    text = end.join(["destination,note", *rows]) + (end if last else "")
    file = tmp_path_factory.getbasetemp() / "mutated.csv"
    file.write_bytes(text.encode())
    contacts = ContactList.read(file)
    assert len(contacts) == count == np.count_nonzero(contacts.numbers) + len(contacts.rejected)
    others = [k for k in range(count) if k != row]
    assert contacts.numbers[others].tolist() == [2125550100 + k for k in others]
    assert {each.row for each in contacts.rejected} <= {row}
