"""The notebooks answer the questions, with public names, and hold what they give.

That each of them runs from a clean kernel is shown by `make test`, which runs them all.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import outsim

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "notebooks").glob("*.ipynb"))
NOTEBOOKS = {file.stem: nbformat.read(file, as_version=4) for file in FILES}
OTHERS = {"matplotlib", "numpy", "pandas"}
"""Packages that a notebook may use beside outsim and what comes with Python."""
EXAMPLES = {file.stem for file in (ROOT / "examples").rglob("*.py")}
"""Modules that are there to be read and copied, as notebooks are."""
TEXTS = ("text/plain", "text/html")
WIDGET = "application/vnd.jupyter.widget-view+json"

each_notebook = pytest.mark.parametrize("name", NOTEBOOKS)


def code_of(name: str) -> Iterator[ast.AST]:
    """Everything in the code cells of a notebook."""
    for cell in NOTEBOOKS[name].cells:
        if cell.cell_type == "code":
            flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
            yield from ast.walk(compile(cell.source, name, "exec", flags))


def imports_of(name: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each module that is imported, and the names that are taken from it."""
    for node in code_of(name):
        if isinstance(node, ast.Import):
            yield from ((each.name, ()) for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "", tuple(each.name for each in node.names)


def dotted(node: ast.AST) -> str:
    """A name with its attributes, such as ``outsim.plots.queue``; empty if it is none."""
    if isinstance(node, ast.Attribute):
        whose = dotted(node.value)
        return f"{whose}.{node.attr}" if whose else ""
    return node.id if isinstance(node, ast.Name) else ""


def outputs_of(notebook: nbformat.NotebookNode) -> list[list[nbformat.NotebookNode]]:
    return [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]


def texts_of(notebook: nbformat.NotebookNode) -> list[list[str]]:
    """What can be read in the outputs of each cell."""
    return [
        [
            text
            for output in outputs
            for text in (
                [output.text]
                if output.output_type == "stream"
                else [output.data[kind] for kind in TEXTS if kind in output.get("data", {})]
            )
        ]
        for outputs in outputs_of(notebook)
    ]


def test_each_question_of_the_readme_has_a_notebook_in_their_order():
    questions = re.findall(r"^\d\. \*\*(.*)\*\*$", (ROOT / "README.md").read_text(), re.MULTILINE)
    titles = [book.cells[0].source.splitlines()[0] for book in NOTEBOOKS.values()]
    assert len(questions) == 5
    assert titles[:5] == [f"# {question}" for question in questions]


@each_notebook
def test_a_notebook_imports_public_names_only(name):
    for module, taken in imports_of(name):
        package = module.partition(".")[0]
        if package == "outsim":
            assert module == "outsim"
            assert set(taken) <= set(outsim.__all__)
        else:
            assert package in OTHERS | EXAMPLES | sys.stdlib_module_names


@each_notebook
def test_a_notebook_uses_public_names_only(name):
    used = {dotted(node) for node in code_of(name) if isinstance(node, ast.Attribute)}
    of_outsim = {each.split(".")[1] for each in used if each.startswith("outsim.")}
    of_plots = {each.split(".")[2] for each in used if each.startswith("outsim.plots.")}
    assert of_outsim
    assert of_outsim <= set(outsim.__all__)
    assert of_plots <= set(outsim.plots.__all__)
    private = {
        node.attr
        for node in code_of(name)
        if isinstance(node, ast.Attribute) and node.attr.startswith("_")
    }
    assert private == set()


@each_notebook
def test_a_notebook_was_run_from_its_first_cell_to_its_last(name):
    counts = [cell.execution_count for cell in NOTEBOOKS[name].cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))


@each_notebook
def test_a_notebook_holds_pictures_and_no_error_warning_or_bar(name):
    outputs = [output for cell in outputs_of(NOTEBOOKS[name]) for output in cell]
    assert all(output.output_type != "error" for output in outputs)
    assert all(output.get("name") != "stderr" for output in outputs)
    kinds = {kind for output in outputs for kind in output.get("data", {})}
    assert "image/png" in kinds
    assert WIDGET not in kinds


@each_notebook
def test_a_notebook_says_nothing_of_when_and_where_it_was_run(name):
    book = NOTEBOOKS[name]
    assert all("execution" not in cell.metadata for cell in book.cells)
    assert "widgets" not in book.metadata
    said = json.dumps(texts_of(book))
    assert str(ROOT) not in said
    assert re.search(r"/(home|root|tmp|Users)/", said) is None


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_notebook_is_smaller_than_a_megabyte(file):
    assert file.stat().st_size < 1_000_000


@pytest.mark.deep
@each_notebook
def test_a_notebook_run_anew_says_what_it_holds(name, monkeypatch):
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    anew = nbformat.from_dict(NOTEBOOKS[name])
    resources = {"metadata": {"path": str(ROOT / "notebooks")}}
    NotebookClient(anew, timeout=600, resources=resources).execute()
    held = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
    assert texts_of(anew) == texts_of(held)
