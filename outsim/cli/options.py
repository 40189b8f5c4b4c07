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
ScenarioOrResult = Annotated[
    str,
    typer.Argument(
        metavar="SCENARIO|RESULT",
        help="Scenario file (TOML), or a directory that outsim run --out wrote.",
    ),
]


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


def named(place: str | None) -> str | None:
    """Refuse a name that is empty (as that of an unset shell variable is): it would mean ``.``."""
    if place is not None and not place.strip():
        raise typer.BadParameter("the name is empty; . is the current directory")
    return place


Seed = Annotated[
    int | None,
    typer.Option(
        metavar="N", parser=count(0), help="Seed of the random draws; default: the scenario's."
    ),
]
EngineName = Annotated[
    Literal["auto", "simpy", "compiled"],
    typer.Option(
        "--engine",
        help="Readable engine, quick engine, or by size; the choice never changes a result.",
    ),
]
OutDirectory = Annotated[
    str | None,
    typer.Option(
        "--out",
        metavar="DIR",
        help="Directory to write the tables to (Parquet).",
        callback=named,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]
CampaignName = Annotated[
    str | None,
    typer.Option("--campaign", metavar="NAME", help="Campaign, as NAME or TENANT/NAME."),
]
Confidence = Annotated[
    str | None,
    typer.Option(
        "--confidence",
        metavar="SHARE",
        help="With --promise: how sure the answer must be; default: 95%.",
    ),
]
CallId = Annotated[
    int | None, typer.Option("--call", metavar="ID", parser=count(0), help="One call, by its id.")
]
CallNumber = Annotated[
    str | None, typer.Option("--number", metavar="N", help="One call, by its ten-digit number.")
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
    replication: Annotated[
        int, typer.Option(metavar="N", parser=count(0), help="Which replication of the seed.")
    ] = 0
    engine: EngineName = "auto"


@dataclass(frozen=True)
class SizeFlags:
    """How many runs are made, by whom, and where they are kept."""

    replications: Annotated[
        str | None,
        typer.Option(
            metavar="N|A:B",
            help="How many runs of each scenario; or which, for a part of a larger study.",
        ),
    ] = None
    precision: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MEASURE=WIDTH",
            help="Run until the interval's half-width is at most this, such as wait_p90_s=30s or "
            "difference:completed_share=0.005 or duration_s=2%; may be given several times.",
        ),
    ] = None
    timeout: Annotated[
        str | None,
        typer.Option("--timeout", metavar="TIME", help="End after this time with what there is."),
    ] = None
    directory: Annotated[
        str | None,
        typer.Option(
            metavar="DIR",
            help="Directory that keeps every replication; what is there is not run again.",
            callback=named,
        ),
    ] = None
    executor: Annotated[
        str | None,
        typer.Option(
            metavar="WHO",
            help="Who does the work: threads, processes, cores, or dask://HOST:PORT.",
        ),
    ] = None
    seed: Seed = None
    engine: EngineName = "auto"

    def given(self, *, counts: bool = False) -> dict[str, Any]:
        """Keyword parameters of the question; `counts` where there are no parts of a study."""
        from outsim.errors import StudyError
        from outsim.studies.stopping import read_replications, split_precisions

        options = {name: value for name, value in vars(self).items() if value is not None}
        if self.replications is not None:
            options["replications"] = read_replications(self.replications)
            if counts and isinstance(options["replications"], range):
                raise StudyError(
                    f"--replications {self.replications}: give a count here, such as 20"
                )
        if options.get("keep_tables") and self.directory is None:
            raise StudyError("--keep-tables: say where, with --directory DIR")
        return options | {"precision": split_precisions(self.precision or [])}


@dataclass(frozen=True)
class StudyFlags(SizeFlags):
    """Options of every question that is one study."""

    keep_tables: Annotated[
        bool, typer.Option("--keep-tables", help="Keep the tables of every run in that directory.")
    ] = False
    input_uncertainty: Annotated[
        bool,
        typer.Option(
            "--input-uncertainty",
            help="Draw the callees anew for each replication, out of what the call log that they "
            "were calibrated to leaves open, and say how much of an interval that is.",
        ),
    ] = False


@dataclass(frozen=True)
class EverybodyFlags:
    """Whose calls are asked about."""

    campaign: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Campaign that is asked about, as NAME or TENANT/NAME; may be given several "
            "times: then each of them is. Default: the one under study.",
        ),
    ] = None
    all_tenants: Annotated[
        bool,
        typer.Option(
            "--all-tenants",
            help="Ask about every tenant, and about background tenants as a class.",
        ),
    ] = False

    def given(self) -> dict[str, Any]:
        """Keyword parameters of the question."""
        several = self.campaign is not None and len(self.campaign) > 1
        return {
            "campaign": self.campaign[0] if self.campaign and not several else None,
            "campaigns": self.campaign if several else (),
            "all_tenants": self.all_tenants,
        }


@dataclass(frozen=True)
class ComparedFlags(EverybodyFlags):
    """What is compared in several scenarios."""

    campaign_by_scenario: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Given once for each scenario: different campaigns are compared.",
        ),
    ] = None
    deadline: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TIME",
            help="Clock time by which completed calls are counted; given once for each scenario, "
            "different deadlines are compared. Default: the scenarios' own, the same in all.",
        ),
    ] = None
    across_zones: Annotated[
        bool,
        typer.Option(
            "--across-zones",
            help="Compare scenarios of different time zones, each by its local time.",
        ),
    ] = False

    def given(self) -> dict[str, Any]:
        """Keyword parameters of the question."""
        options = super().given()
        if self.campaign_by_scenario is not None:
            if options["campaign"] is not None:
                from outsim.errors import StudyError

                raise StudyError("--campaign and --campaign-by-scenario: give one or the other")
            options["campaign"] = self.campaign_by_scenario
        return options | {"deadline": self.deadline, "across_zones": self.across_zones}


@dataclass(frozen=True)
class MattersFlags:
    """Which difference matters."""

    matters: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MEASURE=LEAST",
            help="Least difference that is called better or worse, with commas between, such as "
            "wait=1min,completed=0.5points; default: half a point, 5 s, or 10 s by the clock.",
        ),
    ] = None

    def given(self) -> dict[str, Any]:
        """Keyword parameters of the question."""
        from outsim.studies.matters import split_matters

        return {"matters": split_matters(separated(self.matters) or [])}


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
            options[name] = group(**{f.name: options.pop(f.name) for f in fields(group)})
        command(**options)  # type: ignore[call-arg]

    del flat.__wrapped__
    flat.__annotations__ = {option.name: option.annotation for option in parameters}
    flat.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return flat  # type: ignore[return-value]


def certainty(confidence: str | None) -> dict[str, str]:
    """Keyword parameters of a search for what keeps promises."""
    return {} if confidence is None else {"confidence": confidence}


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
