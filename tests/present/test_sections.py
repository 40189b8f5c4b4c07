"""What a report says is what the studies and tables say, and nothing is left out in silence."""

from __future__ import annotations

import pytest

from outsim.errors import OutsimError
from outsim.present.context import ReportContext
from outsim.present.pictures import data_uri
from outsim.present.report import Report, check_file, write
from outsim.present.sources import read_context
from outsim.questions.describe import describe
from outsim.questions.status import furthest_behind
from outsim.results.checkpoint import simulate
from outsim.scenario import load
from outsim.scenario.difference import differences
from outsim.scenario.provenance import assumptions

from .reports import QUESTIONS, kept, parsed, scenario, section, words

COMMAND = "outsim report 'a place' --output report.html"

pytestmark = pytest.mark.usefixtures("undrawn")


@pytest.fixture(scope="module")
def subject(tmp_path_factory) -> ReportContext:
    place = simulate(scenario(), engine="simpy").save(tmp_path_factory.mktemp("run") / "run")
    return read_context(place, replications=3, engine="simpy")


@pytest.fixture(scope="module")
def text(subject, undrawn) -> str:
    return Report(subject, COMMAND).html()


@pytest.fixture(scope="module")
def page(text):
    return parsed(text)


@pytest.fixture(scope="module", params=["compare", "schedule", "stop", "eta"])
def study_page(request, tmp_path_factory, undrawn):
    place = kept(request.param, tmp_path_factory.mktemp("study") / "study")
    return parsed(Report(read_context(place), COMMAND).html())


def test_every_question_is_answered_for_a_run(page):
    for name in QUESTIONS:
        answer = section(page, name).find(class_="answer")
        assert answer is not None
        told = words(answer)
        assert any(
            word in told for word in ("±", " runs)", " runs: ", " of 3 ", "(all ", "best", "clear")
        ), told


def test_what_a_study_does_not_tell_it_gives_the_command_for(study_page):
    for name in QUESTIONS:
        part = section(study_page, name)
        assert part.find(class_="answer") is not None or f"outsim {name} " in words(part)


def test_means_are_those_of_the_findings(subject, page):
    found = subject.means.get("completed_share")
    assert found.text in words(section(page, "failed").find(class_="answer"))
    rows = [words(row) for row in section(page, "schedule").find_all("tr")]
    for row in subject.schedule.document().tables[0].rows:
        assert " ".join(row) in rows
    rows = [words(row) for row in section(page, "stop").find_all("tr")]
    tables = subject.race.document().tables
    assert tables
    for row in (row for table in tables for row in table.rows):
        assert " ".join(row) in rows


def test_it_says_how_many_replications_it_rests_on(page):
    for name in ("schedule", "eta", "stop"):
        assert "3 replications" in words(section(page, name).find(class_="asked"))


def test_the_page_is_compared_when_most_changes_wait():
    result = simulate(scenario(), engine="simpy")
    updates = result.view(result.scenario.campaign_under_study).updates
    moment = furthest_behind(result, result.scenario.campaign_under_study)
    happened, visible = updates["happened_at"], updates["visible_at"]

    def waiting(at):
        return ((happened <= at) & ~(visible <= at)).sum()

    assert waiting(moment) == max(waiting(at) for at in happened)


def test_every_item_of_the_checklist_is_there(page):
    part = section(page, "stress-des")
    headings = {words(each) for each in part.find_all(["h4", "h5"])}
    items = [*describe(scenario()).run()]
    assert headings == {f"{item.number} {item.title}" for item in items}
    for number in (item.number for item in items):
        shown = section(page, f"item-{number.replace('.', '-')}")
        assert shown.find(["p", "td", "section"]) is not None


def test_every_number_stands_with_grade_and_source(subject, page):
    rows = {
        words(row.find("th")): [words(cell) for cell in row.find_all("td")]
        for row in section(page, "assumptions").find("tbody").find_all("tr")
    }
    for each in assumptions(subject.scenario):
        value, grade, source, *_ = rows[" ".join(each.key.split())]
        assert (grade, source) == (each.grade, " ".join(each.source.split()))
        assert value == " ".join(each.value.split())


def test_the_scenario_in_it_is_the_one_that_was_run(subject, page, tmp_path):
    code = section(page, "again").find_all("code")
    assert code[0].get_text() == COMMAND
    file = tmp_path / "again.toml"
    file.write_text(code[1].get_text())
    assert differences(load(file), subject.scenario) == []


def test_tables_have_headers_with_scope(page):
    for table in page.find_all("table"):
        assert table.find("caption") is not None
        assert {each["scope"] for each in table.find_all("th")} <= {"col", "row"}
        widths = {len(row.find_all(["th", "td"])) for row in table.find_all("tr")}
        assert len(widths) == 1


def test_it_is_the_same_each_time(subject, text):
    assert Report(subject, COMMAND).html() == text
    pictures = [each.pictures[0] for each in Report(subject, COMMAND).sections if each.pictures]
    assert pictures
    for picture in pictures:
        assert data_uri(picture) == data_uri(picture)


def test_names_are_text_and_never_markup(tmp_path):
    named = scenario('<script>alert("x")</script>')
    place = simulate(named, engine="simpy").save(tmp_path)
    subject = read_context(place, replications=2, engine="simpy")
    page = parsed(Report(subject, COMMAND).html())
    assert page.find("script") is None
    assert page.title is not None
    assert '<script>alert("x")</script>' in page.title.get_text()


def test_a_page_is_written_whole_or_not_at_all(tmp_path):
    file = check_file(tmp_path / "report.html")
    write("whole", file)
    assert [each.name for each in tmp_path.iterdir()] == ["report.html"]
    assert file.read_text() == "whole"


@pytest.mark.parametrize("name", ["report.pdf", "not there/report.html", "a directory.html"])
def test_a_file_that_can_not_be_written_is_told_before_anything_is_run(tmp_path, name):
    (tmp_path / "a directory.html").mkdir()
    with pytest.raises(OutsimError, match=r"report .*; name|must end in"):
        check_file(tmp_path / name)
