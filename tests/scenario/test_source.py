"""Scenario files: TOML laid over what it extends, with the line of every key."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outsim import units as quantities
from outsim.errors import ScenarioError
from outsim.scenario import load
from outsim.scenario.files import LINE_LIMIT
from outsim.scenario.positions import KeyPath, key_lines
from outsim.scenario.source import SIZE_LIMIT, Source, read_source

from .conftest import CAMPAIGN, CLOCK, OWN, Problems, Write


def refused(path: str | Path) -> str:
    with pytest.raises(ScenarioError) as caught:
        read_source(Path(path))
    return str(caught.value)


def paths(value: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    """Every key path of a value."""
    if path:
        yield path
    if isinstance(value, dict):
        for key, below in value.items():
            yield from paths(below, (*path, key))
    if isinstance(value, list):
        for index, below in enumerate(value):
            yield from paths(below, (*path, index))


TRICKY = '''\
# a comment with [brackets] and = signs
name = "a [name] # not a comment"   # a comment
"quoted.key" = { inner = [1, 2,
   3], other = """
x = 5
[not.a.table]
""" }
'single' = 'C:\\'
[tab . "le"] # [x]
dotted.deep = 1
dotted.er = \'\'\'it\'s "fine"\'\'\'
when = 2026-03-10 08:00:00
escaped = "\\"]\\""
[[entry]]
key = 1
[entry.part]
key = 2
[[entry.sub]]
[[entry]]
list = [ { a = 1 }, # ]
  { a = 2, b = [ [ ], [ 3 ] ] },
]
last = true'''


class TestLines:
    def test_each_key_has_the_line_on_which_it_stands(self) -> None:
        lines = key_lines(TRICKY)
        assert lines["name",] == 2
        assert lines["quoted.key", "inner", 2] == 4
        assert lines["quoted.key", "other"] == 4
        assert lines["single",] == 8
        assert lines["tab", "le"] == 9
        assert lines["tab", "le", "dotted", "deep"] == 10
        assert lines["tab", "le", "when"] == 12
        assert lines["entry", 0, "key"] == 15
        assert lines["entry", 0, "part", "key"] == 17
        assert lines["entry", 1, "list", 1, "b", 1, 0] == 21
        assert lines["entry", 1, "last"] == 23

    def test_the_scanner_and_the_parser_find_the_same_keys(self) -> None:
        assert set(key_lines(TRICKY)) == set(paths(tomllib.loads(TRICKY)))

    @given(
        st.recursive(
            st.integers() | st.booleans() | st.text(st.characters(codec="ascii"), max_size=8),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.text(st.characters(codec="ascii"), max_size=4), inner)
            ),
            max_leaves=12,
        ).filter(lambda value: isinstance(value, dict)),
        st.integers(0, 3),
    )
    def test_any_nest_of_tables_lists_and_quotes_is_scanned(
        self, tables: dict[str, Any], comments: int
    ) -> None:
        text = "# [x] = '\n" * comments
        text += "".join(f"{quoted(key)} = {inline(value)}\n" for key, value in tables.items())
        assert tomllib.loads(text) == tables
        lines = key_lines(text)
        assert set(lines) == set(paths(tables))
        assert [lines[key,] for key in tables] == [
            comments + 1 + index for index in range(len(tables))
        ]


def quoted(text: str) -> str:
    """TOML's basic string of a text."""
    return '"' + "".join(c if c.isalnum() else f"\\u{ord(c):04x}" for c in text) + '"'


def inline(value: Any) -> str:
    """TOML of a value, on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(k)} = {inline(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[ " + "".join(f"{inline(each)}, " for each in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return quoted(value) if isinstance(value, str) else str(value)


def extend(write: Write, base: str, over: str) -> Source:
    write("base.toml", base)
    return read_source(write("over.toml", f'extends = "base.toml"\n{over}'))


class TestExtends:
    def test_tables_are_merged_key_by_key(self, write: Write) -> None:
        source = extend(
            write,
            "[platform]\nports = 300\nworkers = 2\n[carrier]\nburst = 1\n",
            "[platform]\nports = 600\n",
        )
        assert source.values == {"platform": {"ports": 600, "workers": 2}, "carrier": {"burst": 1}}

    def test_each_key_remembers_its_file_and_line(self, write: Write) -> None:
        source = extend(
            write, "[platform]\nports = 300\nworkers = 2\n", "\n\n[platform]\nports = 600\n"
        )
        assert source.origin(("platform", "ports")) == ("over.toml", 5)
        assert source.origin(("platform", "workers")) == ("base.toml", 3)

    @given(
        base=st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 9)),
        over=st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 9)),
    )
    def test_every_merged_key_stands_where_its_origin_says(
        self, base: dict[str, int], over: dict[str, int], tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        directory = tmp_path_factory.mktemp("merged")
        texts = {
            "base.toml": "[carrier]\n" + "".join(f"{k} = {v}\n" for k, v in base.items()),
            "over.toml": 'extends = "base.toml"\n[carrier]\n'
            + "".join(f"{k} = {v}\n" for k, v in over.items()),
        }
        for name, text in texts.items():
            (directory / name).write_text(text)
        source = read_source(directory / "over.toml")
        assert source.values["carrier"] == base | over
        for key, value in source.values["carrier"].items():
            file, line = source.origin(("carrier", key))
            assert line is not None
            assert Path(file).read_text().splitlines()[line - 1] == f"{key} = {value}"

    def test_a_key_that_is_missing_belongs_to_its_table(self, write: Write) -> None:
        source = read_source(write("a.toml", "\n[platform]\nports = 1\n"))
        assert source.origin(("platform", "workers")) == ("a.toml", 2)
        assert source.origin(("carrier", "rate")) == ("a.toml", None)

    def test_campaigns_are_matched_by_name(self, write: Write) -> None:
        source = extend(
            write,
            '[[campaign]]\nname = "a"\ntenant = "t"\nstart = "09:00"\n'
            '[[campaign]]\nname = "b"\ntenant = "t"\n',
            '[[campaign]]\nname = "a"\nstart = "09:15"\n[[campaign]]\nname = "c"\ntenant = "t"\n',
        )
        assert source.values["campaign"] == [
            {"name": "a", "tenant": "t", "start": "09:15"},
            {"name": "b", "tenant": "t"},
            {"name": "c", "tenant": "t"},
        ]
        assert source.origin(("campaign", 0, "start")) == ("over.toml", 4)
        assert source.origin(("campaign", 0, "tenant")) == ("base.toml", 3)

    def test_campaigns_of_the_same_name_are_told_apart_by_tenant(self, write: Write) -> None:
        base = '[[campaign]]\nname = "a"\ntenant = "t"\n[[campaign]]\nname = "a"\ntenant = "u"\n'
        source = extend(write, base, '[[campaign]]\nname = "a"\ntenant = "u"\ncontacts = 5\n')
        assert [campaign.get("contacts") for campaign in source.values["campaign"]] == [None, 5]
        write("over.toml", 'extends = "base.toml"\n[[campaign]]\nname = "a"\ncontacts = 5\n')
        assert refused("over.toml") == (
            "over.toml:3: campaign.name: found 'a', which several tenants have (t, u); "
            "name the tenant"
        )

    def test_tenants_and_endpoints_are_matched_by_name(self, write: Write) -> None:
        source = extend(
            write,
            '[[tenant]]\nname = "t"\nweight = 1\n[[endpoint]]\nname = "e"\n',
            '[[tenant]]\nname = "t"\nweight = 2\n[[endpoint]]\nname = "f"\n',
        )
        assert source.values["tenant"] == [{"name": "t", "weight": 2}]
        assert source.values["endpoint"] == [{"name": "e"}, {"name": "f"}]

    def test_suspensions_and_outages_are_added(self, write: Write) -> None:
        source = extend(
            write, '[[outage]]\nof = "ports"\n', '[[outage]]\nof = "ports"\n[[suspension]]\n'
        )
        assert source.values["outage"] == [{"of": "ports"}, {"of": "ports"}]
        assert source.values["suspension"] == [{}]

    def test_other_lists_are_replaced(self, write: Write) -> None:
        source = extend(
            write,
            "[callees]\nredial_factors = [1.0, 0.5]\n",
            "[callees]\nredial_factors = [1.0]\n",
        )
        assert source.values["callees"]["redial_factors"] == [1.0]

    def test_another_distribution_replaces_the_inherited_one(self, write: Write) -> None:
        base = '[callees]\nmessage = { distribution = "lognormal", median = "9 s", log_sd = 1 }\n'
        exponential = {"distribution": "exponential", "mean": "20 s"}
        source = extend(
            write, base, '[callees]\nmessage = { distribution = "exponential", mean = "20 s" }\n'
        )
        assert source.values["callees"]["message"] == exponential
        source = extend(write, base, '[callees.message]\nmedian = "7 s"\n')
        assert source.values["callees"]["message"]["log_sd"] == 1

    def test_a_list_takes_the_place_of_an_inherited_count(self, write: Write) -> None:
        source = extend(
            write,
            '[[campaign]]\nname = "a"\ntenant = "t"\ncontacts = 100\n',
            '[[campaign]]\nname = "a"\ncontact_list = "a.csv"\n',
        )
        assert "contacts" not in source.values["campaign"][0]

    def test_files_are_found_from_the_file_that_names_them(self, write: Write) -> None:
        write("common/base.toml", "seed = 1\n[platform]\nports = 1\n")
        write("common/middle.toml", 'extends = "base.toml"\n[platform]\nworkers = 1\n')
        source = read_source(
            write("own/top.toml", 'extends = "../common/middle.toml"\nseed = 2\n')
        )
        assert source.values == {"seed": 2, "platform": {"ports": 1, "workers": 1}}
        assert source.origin(("platform", "ports")).file == "own/../common/base.toml"

    def test_a_circle_is_named(self, write: Write) -> None:
        write("a.toml", 'name = "a"\nextends = "b.toml"\n')
        write("b.toml", 'extends = "c.toml"\n')
        write("c.toml", 'extends = "b.toml"\n')
        assert refused("a.toml") == (
            "c.toml:1: extends: leads in a circle: b.toml extends c.toml extends b.toml"
        )
        write("self.toml", 'extends = "self.toml"\n')
        assert "self.toml extends self.toml" in refused("self.toml")

    def test_a_chain_has_a_limit(self, write: Write) -> None:
        for i in range(40):
            write(f"{i}.toml", f'extends = "{i + 1}.toml"\n')
        assert "found a chain of more than 20 files, the limit" in refused("0.toml")

    @pytest.mark.parametrize(
        ("extends", "message"),
        [
            ('"nix.toml"', "found 'nix.toml'; there is no file nix.toml"),
            ("5", "found 5; write the path of a scenario file"),
            ('""', "found ''; write the path of a scenario file"),
            ('"a\\u0000b"', "found"),
        ],
    )
    def test_a_base_that_cannot_be_read(self, extends: str, message: str, write: Write) -> None:
        text = refused(write("a.toml", f"\nextends = {extends}\n"))
        assert text.startswith(f"a.toml:2: extends: {message}")


class TestFilesThatCannotBeUsed:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("[clock\n", "a.toml:1: is not valid TOML: "),
            ("a = 1\nb = \n", "a.toml:2: is not valid TOML: Invalid value"),
            ('a = 1\nb = """\n\n', "a.toml:3: is not valid TOML: "),
            ("a = 1\na = 2\n", "a.toml:2: is not valid TOML: Cannot overwrite a value"),
            ("[t]\n[t]\n", "a.toml:2: is not valid TOML: Cannot declare"),
            ("a = 2026-02-30\n", "a.toml:1: is not valid TOML: Invalid date"),
            ("a = 09:00\n", "a.toml:1: is not valid TOML: "),
            (f"a = {'9' * 5000}\n", "a.toml: found a number of more than 4300 digits"),
            (f"a = '{'x' * LINE_LIMIT}'\n", "a.toml:1: found a line longer than 64 KiB"),
            ("a = 1\nb = '\0'\n", "a.toml:2: found a NUL byte"),
        ],
    )
    def test_the_message_names_the_line(self, text: str, message: str, write: Write) -> None:
        assert refused(write("a.toml", text)).startswith(message)

    def test_lists_without_end_in_each_other(self, write: Write) -> None:
        assert "nested" in refused(write("a.toml", f"a = {'[' * 20000}\n"))

    def test_another_encoding(self, write: Write) -> None:
        path = write("a.toml", "")
        path.write_bytes('name = "ok"\nseed = 1 # Zürich\n'.encode("latin-1"))
        assert refused(path).startswith("a.toml:2: found byte 0xfc at byte 13 of the line")

    def test_a_byte_order_mark_is_no_part_of_the_text(self, write: Write) -> None:
        assert read_source(write("a.toml", "\ufeffseed = 1\n")).values == {"seed": 1}

    def test_files_that_are_no_files(self, write: Write, tmp_path: Path) -> None:
        write("a.toml", "")
        os.mkfifo("pipe.toml")
        assert refused("nix.toml") == "nix.toml: no such file"
        assert refused(tmp_path).endswith("found a directory; must be a regular file")
        assert refused("pipe.toml") == "pipe.toml: found a pipe; must be a regular file"
        assert refused("/dev/zero") == "/dev/zero: found a device; must be a regular file"
        assert "can't be read" in refused("a" * 5000)

    def test_a_file_has_a_limit(self, write: Write) -> None:
        line = f"#{'x' * 60_000}\n"
        path = write("a.toml", line * (SIZE_LIMIT // len(line) + 1))
        assert refused(path) == "a.toml: found more than 16 MiB, the limit for a scenario file"


class TestWhatWouldCostTime:
    def test_a_key_of_thousands_of_parts_is_refused_unread(
        self, write: Write, problems: Problems
    ) -> None:
        write("a.toml", CLOCK + "a" + ".a" * 20_000 + " = 1\n")
        assert problems("a.toml") == ["a.toml:6: found a key of more than 16 parts, the limit"]

    def test_a_path_that_is_too_long_is_no_file(self, write: Write, problems: Problems) -> None:
        write("a.toml", f'extends = "{"x" * 300}"\n')
        (message,) = problems("a.toml")
        assert message.startswith("a.toml:1: extends: found 'xxx")
        assert message.endswith("can't be read: File name too long")

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            ('"/dev/null"', "found '/dev/null'; found a device; must be a regular file"),
            ('"."', "found '.'; found a directory; must be a regular file"),
            ('"pipe"', "found 'pipe'; found a pipe; must be a regular file"),
            ("{ a = 1 }", "found a table; write the path of a scenario file"),
            ("[{ a = 1 }]", "found a list; write the path of a scenario file"),
            ('"a\\u0000b"', "can't be read: embedded null byte"),
        ],
    )
    def test_what_is_no_file_is_not_opened(
        self, value: str, message: str, write: Write, problems: Problems
    ) -> None:
        write("a.toml", f"extends = {value}\n")
        os.mkfifo("pipe")
        assert message in problems("a.toml")[0]

    def test_names_of_several_tenants_are_shown_as_they_stand(
        self, write: Write, problems: Problems
    ) -> None:
        two = CAMPAIGN + CAMPAIGN.replace("clinic", "bank")
        write("base.toml", CLOCK + two)
        write("a.toml", 'extends = "base.toml"\n[[campaign]]\nname = "reminders"\n')
        assert "_Node" not in problems("a.toml")[0]

    def test_a_list_of_thousands_of_times_keeps_its_line(
        self, write: Write, problems: Problems
    ) -> None:
        times = ",\n".join(["1.5"] * 5000)
        start = CAMPAIGN.replace("contacts = 100", f"requests.times_s = [{times}, -1]")
        write("a.toml", CLOCK + start)
        (message,) = problems("a.toml")
        assert message == f"a.toml:10: {OWN}.requests.times_s[5000]: found -1; must be at least 0"

    def test_of_many_mistakes_the_first_are_listed_and_all_counted(self, write: Write) -> None:
        write("a.toml", CLOCK + "[platform]\n" + "".join(f"portz{k} = 1\n" for k in range(5000)))
        with pytest.raises(ScenarioError) as caught:
            load("a.toml")
        lines = caught.value.shown.splitlines()
        assert len(caught.value.problems) == len(caught.value.message.splitlines()) == 5000
        assert (len(lines), lines[-1]) == (21, "and 4,980 more")

    def test_only_the_first_of_many_unknown_names_are_looked_for(
        self, write: Write, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[str] = []
        monkeypatch.setattr(quantities, "near_zone", lambda name: asked.append(name))
        each = "".join(
            CAMPAIGN.replace("reminders", f"c{k}") + f'callee_zone = "Zone/{k}"\n'
            for k in range(500)
        )
        write("a.toml", CLOCK + each)
        with pytest.raises(ScenarioError):
            load("a.toml")
        assert 0 < len(asked) < 250
