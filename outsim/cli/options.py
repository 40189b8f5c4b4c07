"""Arguments and options that several commands share, each described once."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

ScenarioFile = Annotated[str, typer.Argument(metavar="SCENARIO", help="Scenario file (TOML).")]
Seed = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=2**63 - 1,
        help="Seed of the random draws; default: the scenario's.",
        show_default=False,
    ),
]
EngineName = Annotated[
    Literal["auto", "simpy", "compiled"],
    typer.Option(
        "--engine",
        help="Readable engine, quick engine, or by size; the choice never changes a result.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]
Picture = Annotated[
    str | None,
    typer.Option("--plot", metavar="FILE", help="Write a picture, such as answer.png."),
]
CampaignName = Annotated[
    str | None,
    typer.Option(
        "--campaign", metavar="NAME", help="Campaign, as NAME or TENANT/NAME.", show_default=False
    ),
]


def named(place: str | None) -> str | None:
    """Refuse a name that is empty, as that of a shell variable that is not set is.

    It would be taken for the current directory.
    """
    if place is not None and not place.strip():
        raise typer.BadParameter("the name is empty; . is the current directory")
    return place
