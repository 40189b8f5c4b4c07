"""Docstrings of everything public say what goes in, what comes out and what is refused."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import re
import textwrap
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import pytest

import outsim
from outsim import errors

SECTION = re.compile(r"^(\w[\w ]*)\n-{3,}$", re.MULTILINE)
ERRORS = {name for name in vars(errors) if name.endswith("Error")}


def inner(value):
    """The function that a method, property or cached property stands for."""
    if isinstance(value, property):
        return value.fget
    if isinstance(value, cached_property):
        return value.func
    return getattr(value, "__func__", value)


def public_functions() -> Iterator[tuple[str, object]]:
    """Every public function, and every public method and property of public classes."""
    for name in outsim.__all__:
        value = getattr(outsim, name)
        if inspect.isfunction(value):
            yield name, value
        if not inspect.isclass(value) or not value.__module__.startswith("outsim"):
            continue
        for method, member in vars(value).items():
            function = inner(member)
            own = inspect.isfunction(function) and function.__module__.startswith("outsim")
            if own and not method.startswith("_"):
                yield f"{name}.{method}", member


FUNCTIONS = dict(public_functions())
NAMED = [name for name in outsim.__all__ if hasattr(getattr(outsim, name), "__module__")]


def doc_of(value) -> str:
    return inspect.getdoc(inner(value)) or ""


def sections(value) -> dict[str, str]:
    """Text of each section of a docstring; what comes before the first one under ''."""
    parts = SECTION.split(doc_of(value))
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def described(section: str) -> set[str]:
    """Names that a section describes, alone or several in a line."""
    heads = re.findall(r"^(?! )([*\w, ]+?)(?: :.*)?$", section, re.MULTILINE)
    return {name.strip().lstrip("*") for head in heads for name in head.split(",")}


def parameters(value) -> list[str]:
    if isinstance(value, property | cached_property):
        return []
    names = list(inspect.signature(inner(value)).parameters)
    return [name for name in names if name not in ("self", "cls")]


def raises(value) -> set[str]:
    """Errors of outsim's that a function raises itself."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(inner(value))))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            found.add(ast.unparse(node.exc.func).rpartition(".")[2])
    return found & ERRORS


@pytest.mark.parametrize("name", NAMED)
def test_everything_public_has_a_docstring(name):
    assert inspect.getdoc(getattr(outsim, name))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_docstring_begins_with_one_sentence(name):
    first = sections(FUNCTIONS[name])[""].strip().partition("\n\n")[0]
    assert first.endswith((".", ":")), first


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if parameters(FUNCTIONS[name])])
def test_every_parameter_is_spoken_of(name):
    """In a section of its own where a function of the package has any; else in the text."""
    value = FUNCTIONS[name]
    found = sections(value)
    if "." not in name:
        assert "Parameters" in found
    if "Parameters" in found:
        assert set(parameters(value)) == described(found["Parameters"])
    else:
        text = doc_of(value)
        missing = [each for each in parameters(value) if not re.search(rf"\b{each}\b", text)]
        assert not missing


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if "." not in name])
def test_a_function_says_what_it_gives(name):
    assert "Returns" in sections(FUNCTIONS[name])


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if raises(FUNCTIONS[name])])
def test_what_a_function_refuses_is_said(name):
    value = FUNCTIONS[name]
    assert raises(value) <= described(sections(value).get("Raises", ""))


def modules() -> list[str]:
    """Modules whose docstrings have examples."""
    package = Path(outsim.__file__).parent
    return [
        ".".join(file.relative_to(package.parent).with_suffix("").parts).removesuffix(".__init__")
        for file in sorted(package.rglob("*.py"))
        if ">>>" in file.read_text()
    ]


@pytest.mark.parametrize("module", modules())
def test_examples_in_docstrings_give_what_they_say(module):
    found = doctest.testmod(importlib.import_module(module), optionflags=doctest.ELLIPSIS)
    assert found.failed == 0
