"""Dependencies point one way: what is said of a layer may be read without the ones above it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import outsim

PACKAGE = Path(outsim.__file__).parent
SOURCES = sorted(PACKAGE.rglob("*.py"))

LAYERS = (
    {
        "errors",
        "clock",
        "units",
        "vocabulary",
        "estimates",
        "display",
        "distributions",
        "progress",
        "reuse",
        "directories",
        "disk",
        "text",
        "inside",
        "rooms",
        "checksums",
        "document",
    },
    {"scenario"},
    {"calibration"},
    {"tape"},
    {"plan"},
    {"engine"},
    {"results"},
    {"export"},
    {"studies"},
    {"theory"},
    {"questions"},
    {"plots"},
    {"present"},
    {"cli", "testing", "__main__"},
)
"""From the bottom to the top. A module may import from its own layer and from those below."""

FACADE = "outsim"
"""`outsim` itself names what is public and imports it when it is first used; only the version
may be taken from it."""


def part(source: Path) -> str:
    """The module or package of outsim that a file belongs to."""
    return source.relative_to(PACKAGE).parts[0].removesuffix(".py")


def is_in(source: Path, *layers: set[str]) -> bool:
    return part(source) in set().union(*layers)


def is_for_types_only(node: ast.AST) -> bool:
    """Whether a block is read by type checkers and never run."""
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def imports(node: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, module) of every import that may run, wherever it stands.

    Imports for type checkers alone are left out: nothing runs them, so they bind no layer to
    another at run time.
    """
    for child in ast.iter_child_nodes(node):
        if is_for_types_only(child):
            continue
        if isinstance(child, ast.Import):
            yield from ((child.lineno, alias.name) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            module = child.module or ""
            yield child.lineno, module
            yield from ((child.lineno, f"{module}.{alias.name}") for alias in child.names)
        else:
            yield from imports(child)


def imports_of(source: Path) -> list[tuple[int, str]]:
    return list(imports(ast.parse(source.read_text())))


def places(source: Path, *forbidden: str) -> list[str]:
    """Where a file imports one of these modules or something in them."""
    return [
        f"{source.relative_to(PACKAGE.parent)}:{line} imports {module}"
        for line, module in imports_of(source)
        if any(module == name or module.startswith(f"{name}.") for name in forbidden)
    ]


def test_every_module_has_its_layer():
    assert {part(source) for source in SOURCES} - {"__init__"} == set().union(*LAYERS)


@pytest.mark.parametrize("lower", range(len(LAYERS) - 1))
def test_no_layer_imports_one_above_it(lower):
    above = [f"outsim.{name}" for names in LAYERS[lower + 1 :] for name in names]
    upwards = [
        place
        for source in SOURCES
        if is_in(source, LAYERS[lower])
        for place in places(source, *above)
    ]
    assert upwards == []


def test_answers_know_nothing_of_how_they_are_drawn():
    """Not even for types."""
    above = LAYERS[next(k for k, layer in enumerate(LAYERS) if "plots" in layer) :]
    drawing = [
        f"{source.relative_to(PACKAGE.parent)}:{node.lineno}"
        for source in SOURCES
        if part(source) != "__init__" and not is_in(source, *above)
        for node in ast.walk(ast.parse(source.read_text()))
        if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith("outsim.plots.")
    ]
    assert drawing == []


def test_imports_are_written_in_full():
    """So that a reader, and the test above, can tell where they lead."""
    relative = [
        f"{source.relative_to(PACKAGE.parent)}:{node.lineno}"
        for source in SOURCES
        for node in ast.walk(ast.parse(source.read_text()))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []


def test_modules_import_what_they_use_from_where_it_is_defined():
    """Not from the package itself: it would import every layer for a single name."""
    facade = [
        f"{source.relative_to(PACKAGE.parent)}:{line} imports {module}"
        for source in SOURCES
        for line, module in imports_of(source)
        if module.rpartition(".")[0] == FACADE
        and module.rpartition(".")[2] in set(outsim.__all__) - {"plots"}
    ]
    assert facade == []


def test_engines_contain_no_randomness():
    drawn = [
        place
        for source in SOURCES
        if part(source) == "engine"
        for place in places(source, "random", "numpy.random", "secrets", "uuid", "scipy")
    ]
    assert drawn == []
    used = [
        str(source)
        for source in SOURCES
        if part(source) == "engine" and re.search(r"\b(np|numpy)\.random\b", source.read_text())
    ]
    assert used == []


def test_only_the_tape_draws_random_numbers():
    drawing = {
        part(source)
        for source in SOURCES
        if re.search(r"\b(np|numpy)\.random\b", source.read_text()) or places(source, "random")
    }
    assert drawing == {"tape"}


def test_a_run_reads_no_wall_clock():
    """Simulated time is the only time below the studies."""
    clocks = r"\b(datetime\.(now|today|utcnow)|date\.today|time\.(time|monotonic|perf_counter))\("
    reading = [
        str(source)
        for source in SOURCES
        if is_in(
            source, *LAYERS[: next(k for k, layer in enumerate(LAYERS) if "studies" in layer)]
        )
        and re.search(clocks, source.read_text())
    ]
    assert reading == []


def test_nothing_in_the_package_lies_outside_of_it():
    """No file of the package names a path of one machine, or one beside the checkout.

    What the kernel tells of itself has the same path on every machine that has it.
    """
    found = [
        f"{file.relative_to(PACKAGE.parent)}: {match}"
        for file in sorted(PACKAGE.rglob("*"))
        if file.suffix in (".py", ".toml", ".csv", ".css", ".html")
        for match in re.findall(
            r"\.\./|[\"'](?!/proc/|/sys/)(?:/[a-z]\w*){2,}|/(?:home|root|Users)/|\b[A-Z]:\\\\",
            file.read_text(),
        )
    ]
    assert found == []
