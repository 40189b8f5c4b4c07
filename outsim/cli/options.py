"""Arguments and options that several commands share, each described once."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Literal, ParamSpec, get_type_hints

import typer

from outsim.text import visible

Given = ParamSpec("Given")

ScenarioFile = Annotated[str, typer.Argument(metavar="SCENARIO", help="Scenario file (TOML).")]


def count(least: int, most: int = 2**63 - 1) -> Callable[[str], int]:
    """Read a whole number of an option, at least this much."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise typer.BadParameter(f"{visible(text)} is not a whole number") from None
        if not least <= value <= most:
            bound = f"{least} or more" if value < least else f"{most} or less"
            raise typer.BadParameter(f"{value}: must be {bound}")
        return value

    return read


Seed = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        parser=count(0),
        help="Seed of the random draws; default: the scenario's.",
        show_default=False,
    ),
]
Replication = Annotated[
    int, typer.Option(metavar="N", parser=count(0), help="Which replication of the seed.")
]
EngineName = Annotated[
    Literal["auto", "simpy", "compiled"],
    typer.Option(
        "--engine",
        help="Readable engine, quick engine, or by size; the choice never changes a result.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]
CampaignName = Annotated[
    str | None,
    typer.Option(
        "--campaign", metavar="NAME", help="Campaign, as NAME or TENANT/NAME.", show_default=False
    ),
]


def _picture(plot: str | None) -> Path | None:
    """File of a picture, checked before any run is made for it."""
    from outsim.plots.style import check_picture

    return None if plot is None else check_picture(plot)


@dataclass(frozen=True)
class Shown:
    """How an answer is shown."""

    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot", metavar="FILE", parser=_picture, help="Write a picture, such as answer.png."
        ),
    ] = None
    json: Json = False


@dataclass(frozen=True)
class OneRun:
    """Which run of a scenario is made, and by which engine."""

    seed: Seed = None
    replication: Replication = 0
    engine: EngineName = "auto"


def with_options(command: Callable[Given, None]) -> Callable[Given, None]:
    """Decorate a command: a parameter that is a dataclass of options becomes these options."""
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, type[Any]] = {}
    parameters = []
    for name, parameter in inspect.signature(command).parameters.items():
        hint = hints[name]
        if isinstance(hint, type) and is_dataclass(hint):
            groups[name] = hint
            options = get_type_hints(hint, include_extras=True)
            parameters += [
                parameter.replace(
                    name=field.name, annotation=options[field.name], default=field.default
                )
                for field in fields(hint)
            ]
        else:
            parameters.append(parameter.replace(annotation=hint))

    @wraps(command)
    def flat(**options: Any) -> None:
        for name, group in groups.items():
            options[name] = group(**{each.name: options.pop(each.name) for each in fields(group)})
        command(**options)  # type: ignore[call-arg]

    del flat.__wrapped__
    flat.__annotations__ = {each.name: each.annotation for each in parameters}
    flat.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return flat  # type: ignore[return-value]


def numbers(kind: type) -> Callable[[str], list[Any]]:
    """Read numbers of an option with commas between."""

    def read(text: str) -> list[Any]:
        try:
            return [kind(part) for part in text.split(",")]
        except ValueError:
            example = "whole numbers, such as 1,4" if kind is int else "numbers, such as 0.5,1,2"
            raise typer.BadParameter(f"{visible(text)}: write {example}") from None

    return read


def separated(texts: list[str] | None) -> list[str] | None:
    """Values that were given with commas between, or the option several times; None for none."""
    return [part.strip() for text in texts or [] for part in text.split(",")] or None


def named(place: str | None) -> str | None:
    """Refuse a name that is empty, as that of a shell variable that is not set is.

    It would be taken for the current directory.
    """
    if place is not None and not place.strip():
        raise typer.BadParameter("the name is empty; . is the current directory")
    return place
