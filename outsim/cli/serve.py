"""`outsim serve`: the sandbox, a platform that lives."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from outsim.cli.options import ScenarioFile, Seed, count, named

SLOWEST, FASTEST = 0.1, 1000.0


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not SLOWEST <= speed <= FASTEST:
        raise typer.BadParameter(f"{text}: write a number from {SLOWEST:g} to {FASTEST:g}")
    return speed


def serve(
    scenario: ScenarioFile,
    port: Annotated[
        int, typer.Option(metavar="N", parser=count(0, 65_535), help="Port; 0 is any free one.")
    ] = 8900,
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS", help="Address to listen at; others than this machine's are open."
        ),
    ] = "127.0.0.1",
    speed: Annotated[
        float,
        typer.Option(metavar="TIMES", parser=_speed, help="Simulated time over wall-clock time."),
    ] = 1.0,
    held: Annotated[
        bool, typer.Option("--held", help="Hold the clock until it is told to advance.")
    ] = False,
    begins: Annotated[
        Literal["scenario", "now"],
        typer.Option(help="When it is at first: the scenario's date and time, or this moment."),
    ] = "scenario",
    seed: Seed = None,
    state: Annotated[
        str | None,
        typer.Option(
            metavar="DIR",
            help="Directory of the session: begun there, or gone on with.",
            callback=named,
            show_default=False,
        ),
    ] = None,
    save: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="At the end, write the session as a scenario, with contact lists.",
            callback=named,
            show_default=False,
        ),
    ] = None,
    handler_time: Annotated[
        Literal["real", "scenario"],
        typer.Option(help="Whose time a real handler takes: its own, or the scenario's endpoint."),
    ] = "real",
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOST", help="Host that results may be posted to, beside this machine."
        ),
    ] = None,
    pacing_api: Annotated[
        bool,
        typer.Option("--pacing-api", help="Scheduling and pacing too; what it says is ours."),
    ] = False,
    start_method: Annotated[
        Literal["POST", "GET"], typer.Option(help="How start_url is fetched.")
    ] = "POST",
    failed_as_200: Annotated[
        bool,
        typer.Option("--failed-as-200", help='Answer DEV requests that "failed" with status 200.'),
    ] = False,
) -> None:
    """Serve a scenario as a platform that lives, with the platform's HTTP interface.

    The first line on standard output is JSON: the URL, and the logins. Ctrl-C ends it.
    """
    from outsim.cli.output import load_with_advice, note
    from outsim.errors import OutsimError

    try:
        from outsim.live.http.context import Settings
        from outsim.live.http.main import run
    except ImportError as error:
        raise OutsimError(
            f"the sandbox needs {error.name}; install outsim with its extra: "
            "pip install 'outsim[live]'"
        ) from None
    run(
        load_with_advice(scenario),
        host=host,
        port=port,
        seed=seed,
        state=None if state is None else Path(state),
        save=None if save is None else Path(save),
        speed=None if held else speed,
        begins="now" if begins == "now" else None,
        handler_time=handler_time,
        allow_hosts=tuple(each.lower() for each in allow_host or ()),
        settings=Settings(
            pacing_api=pacing_api,
            start_method=start_method,
            failed_status=200 if failed_as_200 else None,
        ),
        note=note,
    )
