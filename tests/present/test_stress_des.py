"""The STRESS-DES description: every item is there, filled in, or a gap with a name."""

from __future__ import annotations

from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from markdown_it import MarkdownIt

import outsim
from outsim.engine.rules import RULES
from outsim.questions.describe import describe
from outsim.results.measures import MEASURES
from outsim.scenario import load
from tests.testing.planting import MUTANTS, read

FILES = sorted(Path("scenarios").glob("*.toml"))

ITEMS = {1: 3, 2: 5, 3: 4, 4: 3, 5: 4, 6: 1}
"""Items of each section of the checklist."""
NUMBERS = sorted(
    [f"{section}.{k}" for section, count in ITEMS.items() for k in range(1, count + 1)]
    + [f"2.5.{k}" for k in range(1, 6)]
)

ABOUT = {
    "purpose": "to choose a start",
    "aims": "two starts",
    "data": "calls of March",
    "preprocessing": "doubles taken out",
    "sharing": "on request",
}


def described(**parts):
    mapping = {
        "clock": {"date": "2026-03-10", "begins": "09:00", "ends": "11:00"},
        "campaign": [{"name": "calls", "tenant": "acme", "start": "09:00", "contacts": 3}],
    }
    return describe(load(mapping | parts)).run()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_item_of_the_checklist_is_filled_in_or_has_a_named_gap(path):
    told = describe(outsim.load(path)).run()
    assert [item.number for item in told] == NUMBERS
    for item in told:
        assert item.paragraphs or item.table or item.diagram or item.gaps, item.number
        assert all("only the author can say" in gap for gap in item.gaps)


def test_there_are_twenty_items_of_which_one_has_five_parts():
    told = described()
    assert len(told.items) == 20
    assert [len(item.parts) for item in told.items if item.parts] == [5]


@pytest.mark.parametrize("key", ABOUT)
def test_what_the_author_says_fills_its_gap_and_no_other(key):
    before, after = described(), described(about={key: ABOUT[key]})
    filled = {item.number for item in before.gaps} - {item.number for item in after.gaps}
    assert len(filled) == 1
    assert ABOUT[key] in after.item(filled.pop()).paragraphs


def test_with_all_that_the_author_can_write_only_the_machine_is_left_open():
    assert [item.number for item in described(about=ABOUT).gaps] == ["5.4"]


def test_every_number_that_the_scenario_uses_stands_in_it_with_its_grade():
    told = described()
    rows = told.item("3.3").table.rows
    assert [(row[0], row[3]) for row in rows] == [(each.key, each.grade) for each in told.ledger]


def test_every_figure_is_defined_in_it():
    rows = described().item("1.2").table.rows
    assert [row[1] for row in rows] == [each.name for each in MEASURES]
    assert all(row[2] for row in rows)


def test_every_rule_of_the_model_stands_in_it():
    told = " ".join(described().item("2.2").paragraphs)
    assert all(f"Rule {rule.number}, {rule.name}: {rule.text}" in told for rule in RULES)


def test_the_diagram_fits_a_narrow_terminal():
    assert max(map(len, described().item("2.1").diagram.splitlines())) < 60


def test_a_name_in_markdown_is_no_markup():
    told = described(
        campaign=[{"name": "a.b", "tenant": "c_d_e", "start": "09:00", "contacts": 1}]
    )
    assert "campaign\\[c\\_d\\_e/a.b].start" in told.to_markdown()


def test_every_rule_has_changes_that_the_example_suite_must_catch():
    assert {read(path).rule for path in MUTANTS.glob("*.toml")} == {rule.number for rule in RULES}


AUTHORS = (
    "# not a heading",
    "| a | b |",
    "two lines\nof text",
    "a\n\nb\n\n## 3 c",
    "\\ *a* `b` [c]",
)


@pytest.mark.parametrize("text", AUTHORS)
def test_what_the_author_says_is_taken_as_it_is_written(text):
    told = described(about={"purpose": text})
    assert told.item("1.1").paragraphs[0] == text
    assert [item.number for item in told] == NUMBERS


def test_markdown_and_json_say_the_same():
    """Read by another reader of Markdown, which knows nothing of the template."""
    page = MarkdownIt("commonmark").enable("table").render(described(about=ABOUT).to_markdown())
    shown = " ".join(BeautifulSoup(page, "html.parser").get_text().split())
    for item in described(about=ABOUT):
        cells = [cell for row in item.table.rows for cell in row] if item.table else []
        for text in (item.title, *item.paragraphs, *item.gaps, *cells):
            assert " ".join(text.replace("`", "").split()) in shown
