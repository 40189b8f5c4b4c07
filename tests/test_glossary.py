"""Users meet the words of the glossary, and none that it retires."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
GLOSSARY = ROOT / "docs" / "glossary.md"


def rows() -> Iterator[tuple[str, str, str]]:
    """Term, meaning and words that are not used for it."""
    for line in GLOSSARY.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and len(cells) == 3 and cells[0] not in ("term", "---"):
            yield cells[0], cells[1], cells[2]


RETIRED = sorted({word.strip() for *_, retired in rows() for word in retired.split(",")} - {""})


def pages() -> Iterator[tuple[str, str]]:
    """What is written for users: documents, notebooks and scenario files."""
    for name in ("README.md", "CONTRIBUTING.md"):
        yield name, (ROOT / name).read_text()
    for file in sorted((ROOT / "scenarios").glob("*.toml")):
        yield file.name, file.read_text()
    for file in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = json.loads(file.read_text())["cells"]
        yield file.name, "\n".join("".join(cell["source"]) for cell in cells)


def texts() -> Iterator[tuple[str, str]]:
    """Every string of the package: messages, help, labels and docstrings."""
    for file in sorted((ROOT / "outsim").rglob("*")):
        if file.suffix in (".html", ".j2", ".md"):
            yield file.relative_to(ROOT).as_posix(), file.read_text()
        elif file.suffix == ".py":
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield f"{file.relative_to(ROOT).as_posix()}:{node.lineno}", node.value


def test_every_term_has_a_meaning():
    terms = [term for term, *_ in rows()]
    assert len(terms) == len(set(terms))
    assert all(meaning.endswith(".") for _, meaning, _ in rows())


@pytest.mark.parametrize("word", RETIRED)
def test_no_retired_word_is_shown(word: str):
    pattern = re.compile(rf"\b{re.escape(word)}\b", re.IGNORECASE)
    found = [place for place, text in [*pages(), *texts()] if pattern.search(text)]
    assert found == []
