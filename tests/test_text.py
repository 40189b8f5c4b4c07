"""Names and words from outside are shown as text: nothing in them gives orders to anybody."""

from __future__ import annotations

import json
import pickle
import tomllib
import unicodedata
import warnings
import xml.dom.minidom
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import outsim
from outsim import plots
from outsim.calibration.log import CallLog, LogFile
from outsim.calibration.profile import toml
from outsim.cli import app
from outsim.errors import OutsimError, Problem, ScenarioError
from outsim.questions.compare import compare
from outsim.scenario.loading import load
from outsim.text import LONGEST_TITLE, shortened, visible, visible_lines
from tests.results.runs import full

HOSTILE = (
    "\x1b]0;t\x07\x1b[31mred\x1b[2J\x9b31m \u202eevil\u2066 \u2028[red]x[/] $x^$ <b>&\x7f\x00\t"
)
SHOWN = (
    r"\x1b]0;t\x07\x1b[31mred\x1b[2J\x9b31m \u202eevil\u2066 \u2028[red]x[/] $x^$ <b>&\x7f\x00\t"
)


def is_hidden(character: str) -> bool:
    """Whether a character gives orders, turns the direction of writing, or is none."""
    category = unicodedata.category(character)
    return (
        category in ("Cc", "Cs", "Zl", "Zp")
        or unicodedata.bidirectional(character) in ("LRE", "RLE", "LRO", "RLO", "PDF")
        or unicodedata.bidirectional(character) in ("LRI", "RLI", "FSI", "PDI")
        or character in "\u200e\u200f\u061c\ufeff\ufffe\uffff"
    )


def hidden(text: str) -> list[str]:
    return [character for character in text if character != "\n" and is_hidden(character)]


@given(st.text(st.characters(categories=("L", "N", "C", "Z", "P"))))
def test_whatever_does_not_show_itself_becomes_an_escape(text: str) -> None:
    shown = visible(text)
    assert not hidden(shown)
    assert "\n" not in shown
    assert visible(shown) == shown
    assert [c for c in text if not is_hidden(c)] == [
        *"".join(part for part in _unescaped(text, shown))
    ]
    assert not [c for c in hidden(visible_lines(text)) if c != "\t"]
    assert visible_lines(text).count("\n") == text.count("\n")


def _unescaped(text: str, shown: str) -> list[str]:
    """Parts of a shown text that are no escapes, going by the text that it was made of."""
    parts, place = [], 0
    for character in text:
        length = len(visible(character))
        if not is_hidden(character):
            parts.append(shown[place : place + length])
        place += length
    assert place == len(shown)
    return parts


def test_escapes_are_those_that_programs_know():
    assert visible(HOSTILE) == SHOWN
    assert visible("\r\n\ud800\ufeff") == r"\r\n\ud800\ufeff"
    assert visible_lines("one\r\ntwo\tthree\r") == "one\ntwo\tthree\\r"
    assert visible("Zürich 東京 مرحبا 👩‍👩‍👧 e\u0301") == "Zürich 東京 مرحبا 👩‍👩‍👧 e\u0301"


def test_a_text_is_shortened_only_where_it_is_longer():
    assert shortened("four", 4) == "four"
    assert shortened("fours", 4) == "four..."


def test_errors_show_text_also_after_a_journey():
    error = ScenarioError([Problem(f"{HOSTILE}.toml", 3, "name", f"found {HOSTILE}")])
    for each in (error, pickle.loads(pickle.dumps(error)), OutsimError(HOSTILE)):
        assert not [c for c in hidden(str(each)) if c != "\t"]
        assert r"\x1b[31mred" in str(each)


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    file = tmp_path / "hostile.toml"
    name = json.dumps(HOSTILE)
    file.write_text(
        f"""name = {name}
[clock]
zone = "UTC"
date = 2026-03-10
begins = "09:00"
ends = "09:30"
[[campaign]]
name = "_first"
tenant = "acme"
start = "09:01"
contacts = 20
[about]
purpose = {name}
author = {name}
[sources."platform.ports"]
grade = "vendor"
source = {name}
range = "10:30"
details = {{ {name} = {name} }}
"""
    )
    return file


def commands(file: Path, out: Path) -> list[list[str]]:
    name = str(file)
    return [
        ["run", name],
        ["run", name, "--out", str(out / "run")],
        ["check", name],
        ["describe", name],
        ["describe", name, "--markdown"],
        ["assumptions", name],
        ["diff", name, "scenarios/stop-race.toml"],
        ["status", name, "--at", "09:02"],
        ["failed", name],
        ["export", name, "--format", "xes", "--out", str(out / "log.xes")],
        ["export", name, "--format", "ocel", "--out", str(out / "log.json")],
        ["export", name, "--format", "csv", "--out", str(out / "csv")],
        ["run", str(out / f"{HOSTILE.replace(chr(0), '')}.toml")],
        ["run", name, "--engine", HOSTILE],
        ["run", name, f"--{HOSTILE}"],
        ["run", name, HOSTILE],
        [f"--{HOSTILE}", "run", name],
        [HOSTILE, name],
        ["status", name, "--at", HOSTILE],
        ["status", name, "--at", "09:02", "--campaign", HOSTILE],
        ["export", str(out / "\x1b[31m"), "--format", "xes", "--out", str(out / "none.xes")],
        ["report", str(out / "\x1b[31m"), "-o", str(out / "none.html")],
        ["merge", str(out / "new"), str(out / "\x1b[31m")],
        ["calibrate", str(out / "\x1b[31m")],
    ]


def test_terminals_exports_and_messages_have_text(hostile, tmp_path):
    runner = CliRunner()
    for command in commands(hostile, tmp_path):
        done = runner.invoke(app, command)
        assert done.exception is None or isinstance(done.exception, SystemExit | OutsimError)
        said = done.output + str(done.exception)
        assert not hidden(said.replace("\t", "")), command
        if command[1] == str(hostile) and command[0] in ("run", "check") and len(command) == 2:
            assert r"\x1b[31mred" in said
            assert "[red]x[/]" in said
    xml.dom.minidom.parse(str(tmp_path / "log.xes"))
    json.loads((tmp_path / "log.json").read_text())
    for file in [*(tmp_path / "csv").glob("*.csv"), tmp_path / "log.xes", tmp_path / "log.json"]:
        assert not hidden(file.read_text(encoding="utf-8-sig"))


def test_keys_that_are_refused_are_shown_as_text(hostile, tmp_path):
    hostile.write_text(hostile.read_text() + f"[profiles.{json.dumps(HOSTILE)}]\nhuman = 1\n")
    with pytest.raises(ScenarioError) as refused:
        outsim.load(hostile)
    assert not hidden(str(refused.value).replace("\t", ""))


def test_an_xes_log_is_xml_whatever_a_scenario_made_in_python_is_called(tmp_path, monkeypatch):
    from outsim.formats import write as export

    result = full()
    named = result.scenario.model_copy(update={"name": HOSTILE})
    monkeypatch.setattr(type(result), "scenario", named)
    export(result, "xes", tmp_path / "log.xes")
    log = xml.dom.minidom.parse(str(tmp_path / "log.xes")).documentElement
    assert log.getElementsByTagName("string")[0].parentNode.nodeName == "global"
    assert SHOWN in log.toxml().replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")


def test_pages_and_descriptions_have_text(hostile):
    from outsim.present.report import report

    scenario = outsim.load(hostile)
    markdown = outsim.describe(scenario).run().to_markdown()
    result = outsim.simulate(scenario)
    page = report(result, replications=2).run().html()
    for text in (markdown, result._repr_html_(), repr(result), page):
        assert not hidden(text.replace("\t", ""))
    assert not [text for text in (result._repr_html_(), page) if "<b>&" in text]
    assert r"\\x1b\[31mred" in markdown


def test_pictures_have_names_as_they_are(hostile, tmp_path):
    other = load({"extends": str(hostile), "name": "_b $x^$"})
    found = compare(outsim.load(hostile), other, replications=2).run()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ax = plots.compare(found, "completed_share")
        ax.figure.savefig(tmp_path / "picture.svg")
    plt.close(ax.figure)
    xml.dom.minidom.parse(str(tmp_path / "picture.svg"))
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == [SHOWN.replace("$", r"\$"), r" _b \$x^\$"]


def test_a_table_of_findings_has_text(hostile):
    scenario = outsim.load(hostile)
    assert scenario.name == SHOWN
    assert not hidden(scenario.about.purpose.replace("\t", ""))
    html = pd.DataFrame(columns=[scenario.name]).to_html()
    assert not hidden(html)


SECRET = "".join(f"{k:x}" for k in range(1000, 1400))
"""As of a key: nothing in it comes twice within 40 characters."""

WRONG_FILES = {
    "key": f"-----BEGIN {SECRET[:200]} KEY-----\n{SECRET[200:300]}\n{SECRET[300:400]}\n",
    "token": f"{SECRET}\n",
    "line": ",".join(SECRET[k : k + 60] for k in range(0, 600, 60)) + "\n1,2\n",
    "json": json.dumps({SECRET[:300]: SECRET[300:600]}),
    "toml": f'{SECRET[:300]} = "{SECRET[300:600]}"\n',
    "table": f'[{SECRET[:300]}]\n{SECRET[300:600]} = "{SECRET[600:900]}"\n',
}


def openers(file: Path) -> list[list[str]]:
    scenario = "scenarios/stop-race.toml"
    name = str(file)
    return [
        ["check", name],
        ["check", str(file.with_name("listing.toml"))],
        ["check", str(file.with_name("extending.toml"))],
        ["calibrate", name, "--zone", "UTC"],
        ["calibrate", name, "--zone", "UTC", "--columns", "started=a,outcome=b"],
        ["calibrate", name, "--zone", "UTC", "--columns", name],
        ["calibrate", name, "--zone", "UTC", "--format", "twilio"],
        ["eta", scenario, "--snapshot", name],
        ["diff", scenario, name],
        ["export", name, "--format", "csv", "--out", str(file.with_name("out"))],
    ]


@pytest.mark.parametrize("kind", WRONG_FILES)
def test_no_more_than_forty_characters_of_a_wrong_file_are_told(kind, tmp_path):
    file = tmp_path / "wrong"
    file.write_text(WRONG_FILES[kind])
    (tmp_path / "extending.toml").write_text('extends = "wrong"\n')
    (tmp_path / "listing.toml").write_text(
        """clock = { zone = "UTC", date = 2026-03-10, begins = "09:00", ends = "09:30" }
[[campaign]]
name = "a"
tenant = "b"
start = "09:10"
contact_list = "wrong"
"""
    )
    for command in openers(file):
        done = CliRunner().invoke(app, command)
        assert isinstance(done.exception, SystemExit | OutsimError), command
        said = "".join((done.output + str(done.exception)).split())
        told = [SECRET[k : k + 41] for k in range(len(SECRET) - 40) if SECRET[k : k + 41] in said]
        assert not told, command


def test_a_profile_can_be_read_whatever_its_log_is_called():
    log = LogFile(HOSTILE.replace("/", "") + ".csv", "csv", 1, "0" * 64)
    source = CallLog(pd.DataFrame(), None, (log,), (), {}, False, False).source
    values = {"sources": {HOSTILE: {"source": source.label, "words": [HOSTILE, "\ud800"]}}}
    written = toml(values, [source.label])
    assert not hidden(written.replace("\t", ""))
    assert SHOWN.replace("/", "") in source.label
    (read,) = tomllib.loads(written)["sources"].values()
    assert read["source"] == source.label


def test_a_scenario_with_a_name_as_long_as_may_be_can_be_kept_and_changed(tmp_path):
    from outsim.studies.variants import Variants

    named = {"name": "\x1b" * 200}
    given = load({"extends": "scenarios/stop-race.toml"} | named)
    assert len(given.name) == LONGEST_TITLE
    outsim.simulate(given).save(tmp_path / "kept")
    assert outsim.load_result(tmp_path / "kept").scenario.name == given.name
    (stopped,) = Variants(given, {f"{given.name}, stopped at 10:00": {}}).scenarios
    assert stopped.name.endswith(", stopped at 10:00")
    assert len(stopped.name) == LONGEST_TITLE
