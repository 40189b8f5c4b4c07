"""Dependencies point one way: what is said of a layer may be read without the ones above it."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import outsim

PACKAGE = Path(outsim.__file__).parent
SOURCES = sorted(PACKAGE.rglob("*.py"))

LAYERS = (
    {
        "_version",
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
        "document",
    },
    {"scenario"},
    {"calibration"},
    {"tape"},
    {"plan"},
    {"engine"},
    {"results"},
    {"formats"},
    {"studies"},
    {"theory"},
    {"questions"},
    {"plots"},
    {"present"},
    {"live"},
    {"cli", "testing", "__main__"},
)
"""From the bottom to the top. A module may import from its own layer and from those below."""

ROUND = {}
"""Imports that close a circle, to be taken out: none may be added, and one that is gone is not
listed."""

FACADE = "outsim"
"""`outsim` itself names what is public and imports it when it is first used; only the version
may be taken from it."""


def part(source: Path) -> str:
    """The module or package of outsim that a file belongs to."""
    return source.relative_to(PACKAGE).parts[0].removesuffix(".py")


def is_in(source: Path, *layers: set[str]) -> bool:
    return part(source) in set().union(*layers)


def name_of(source: Path) -> str:
    """What the module of a file is imported as."""
    parts = source.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imports_of(source: Path) -> list[tuple[int, str]]:
    """(line, module) of every import, wherever it stands: in functions and for types too.

    What is imported from a module is named with it: it may be a module itself.
    """
    found = []
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
    return found


def arrows() -> dict[str, set[str]]:
    """Modules of the package that each of its modules imports, the facade left out."""
    modules = {name_of(source): source for source in SOURCES}

    def imported(name: str) -> str:
        return name if name in modules else name.rpartition(".")[0]

    return {
        module: {imported(name) for _, name in imports_of(source)} & modules.keys() - {FACADE}
        for module, source in modules.items()
        if module != FACADE
    }


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Modules that import each other by some way round: Tarjan's strongly connected components."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    path: list[str] = []
    found: list[list[str]] = []

    def visit(module: str) -> None:
        number[module] = lowest[module] = len(number)
        path.append(module)
        for other in graph[module]:
            if other not in number:
                visit(other)
            if other in path:
                lowest[module] = min(lowest[module], lowest[other])
        if lowest[module] == number[module]:
            place = path.index(module)
            if len(path) > place + 1:
                found.append(sorted(path[place:]))
            del path[place:]

    for module in graph:
        if module not in number:
            visit(module)
    return found


def places(source: Path, *forbidden: str) -> list[str]:
    """Where a file imports one of these modules or something in them."""
    return [
        f"{source.relative_to(PACKAGE.parent)}:{line} imports {module}"
        for line, module in imports_of(source)
        if any(module == name or module.startswith(f"{name}.") for name in forbidden)
    ]


def test_every_module_has_its_layer():
    assert {part(source) for source in SOURCES} - {"__init__"} == set().union(*LAYERS)


def test_no_module_imports_one_of_a_layer_above_it():
    layer = {name: k for k, names in enumerate(LAYERS) for name in names}

    def rank(module: str) -> int:
        return layer[module.split(".")[1]]

    upwards = [
        (module, other)
        for module, others in arrows().items()
        for other in others
        if rank(other) > rank(module)
    ]
    assert upwards == []


def test_no_modules_import_each_other():
    def left(*listed: tuple[str, str]) -> list[list[str]]:
        """Circles once the listed imports are gone."""
        return circles(
            {m: {o for o in others if (m, o) not in listed} for m, others in arrows().items()}
        )

    assert left(*ROUND) == []
    assert [arrow for arrow in ROUND if not left(*(ROUND - {arrow}))] == []


def test_a_circle_is_found():
    graph = {"a": {"b"}, "b": {"c", "d"}, "c": {"a"}, "d": {"e"}, "e": set()}
    assert circles(graph) == [["a", "b", "c"]]


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


def test_engines_take_nothing_of_what_may_draw():
    """Other sources of random numbers are banned by the linter, as the wall clock is."""
    drawn = [
        place
        for source in SOURCES
        if part(source) == "engine"
        for place in places(source, "scipy")
    ]
    assert drawn == []


def test_nothing_in_the_package_lies_outside_of_it():
    """No file of the package names a path of one machine, or one beside the checkout.

    What the kernel tells of itself has the same path on every machine that has it. What an
    interface answers at is a path of URLs.
    """
    found = [
        f"{file.relative_to(PACKAGE.parent)}: {match}"
        for file in sorted(PACKAGE.rglob("*"))
        if file.suffix in (".py", ".toml", ".csv", ".css", ".html")
        for match in re.findall(
            r"\.\./|/(?:home|root|Users)/|\b[A-Z]:\\\\"
            + (
                ""
                if file.parent.name in ("http", "page")
                else r"|[\"'](?!/proc/|/sys/)(?:/[a-z]\w*){2,}"
            ),
            file.read_text(),
        )
    ]
    assert found == []
