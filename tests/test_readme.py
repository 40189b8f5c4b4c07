"""The figures of the README are those that commands print today, or that kept results have."""

from __future__ import annotations

import json
import os
import re

import pytest

from tests import readme
from tests.readme import COMMAND, DEAR, KEPT, SENTENCES, blocks, printed, shown


@pytest.fixture(scope="module", autouse=True)
def _renew_if_asked() -> None:
    if os.environ.get("OUTSIM_KEEP") == "readme":
        readme.renew()


@pytest.mark.parametrize("place", range(len(blocks())))
def test_a_block_that_shows_a_command_is_what_it_prints(place):
    command, output = blocks()[place]
    assert output == shown(printed(command)), f"renew it: {COMMAND}"


@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda each: each.text[:40])
def test_a_figure_of_a_sentence_is_what_a_command_or_a_kept_result_gives(sentence):
    assert sentence.stated() == sentence.figures(), f"renew it: {COMMAND}"


def test_a_figure_that_differs_is_found_and_renewed(monkeypatch, tmp_path):
    page = tmp_path / "README.md"
    page.write_text("It takes 3 s, and 4 GB.\n")
    monkeypatch.setattr(readme, "README", page)
    sentence = readme.Sentence("takes {} s, and {} GB", lambda: ["5", "4"])
    assert sentence.stated() == ["3", "4"]
    assert sentence.renewed(page.read_text()) == "It takes 5 s, and 4 GB.\n"


@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda each: each.text[:40])
def test_a_figure_stands_between_words_that_find_it(sentence):
    assert not sentence.text.startswith("{}")
    assert not sentence.text.endswith("{}")
    assert len(sentence.stated()) == sentence.text.count("{}")


def test_a_figure_with_an_interval_stands_in_no_other_sentence():
    """Figures of runs have one: each is in a block or in a sentence that is looked after."""
    text = readme.README.read_text()
    spans = [match.span() for match in readme.BLOCK.finditer(text)]
    spans += [match.span() for each in SENTENCES for match in each.pattern.finditer(text)]
    found = [match.start() for match in re.finditer("±", text)]
    assert len(found) > 30
    left = [at for at in found if not any(begin <= at < end for begin, end in spans)]
    assert [text[at - 40 : at + 20] for at in left] == []


def test_what_is_dear_is_kept():
    assert json.loads(KEPT.read_text()).keys() == DEAR.keys()


@pytest.mark.deep
@pytest.mark.parametrize("name", DEAR)
def test_what_is_kept_is_what_the_commands_print(name):
    assert json.loads(KEPT.read_text())[name] == DEAR[name](), f"renew it: {COMMAND}"
