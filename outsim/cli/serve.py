"""`outsim serve`: the sandbox, a platform that lives."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from outsim.cli.first_picture import FirstPicture
from outsim.cli.options import Json, Seed, Shown, count, named, separated

if TYPE_CHECKING:
    from outsim.results.result import Result

_DAYS, _INTERFACE = "Many days", "Interface"
"""Headings in the help."""


def _speed(text: str) -> float:
    from outsim.live.clock import FASTEST, SLOWEST

    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not SLOWEST <= speed <= FASTEST:
        raise typer.BadParameter(f"{text}: write a number from {SLOWEST:g} to {FASTEST:g}")
    return speed


def _duration_s(text: str) -> float:
    from outsim.clock import SECOND, parse_duration_us

    try:
        return parse_duration_us(text) / SECOND
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def serve(
    context: typer.Context,
    scenario: Annotated[
        str,
        typer.Argument(
            metavar="SCENARIO",
            help="Scenario file (TOML); or, to look at it, a directory that outsim run --out or "
            "outsim serve --state wrote.",
        ),
    ],
    other: Annotated[
        str | None,
        typer.Argument(
            metavar="OTHER",
            help="Scenario file that its page compares it with.",
            show_default=False,
        ),
    ] = None,
    *,
    port: Annotated[
        int,
        typer.Option(
            rich_help_panel=_INTERFACE,
            metavar="N",
            parser=count(0, 65_535),
            help="Port; 0 is any free one.",
        ),
    ] = 8900,
    host: Annotated[
        str,
        typer.Option(
            rich_help_panel=_INTERFACE,
            metavar="ADDRESS",
            help="Address to listen at; others than this machine's are open.",
        ),
    ] = "127.0.0.1",
    speed: Annotated[
        float | None,
        typer.Option(
            metavar="TIMES",
            parser=_speed,
            help="Simulated time over wall-clock time; default: 1, held with --futures, and as it "
            "was for a session that is gone on with.",
        ),
    ] = None,
    held: Annotated[
        bool, typer.Option("--held", help="Hold the clock until it is told to advance.")
    ] = False,
    begins: Annotated[
        Literal["scenario", "now"] | None,
        typer.Option(
            help="When it is at first: the scenario's date and time, or this moment; default: "
            "scenario."
        ),
    ] = None,
    seed: Seed = None,
    state: Annotated[
        str | None,
        typer.Option(
            metavar="DIR",
            help="Directory of the session: begun there, or gone on with. With --futures, where "
            "the smallest failing day is kept; default: failing-day.",
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
        Literal["real", "scenario"] | None,
        typer.Option(
            metavar="real|scenario",
            help="Whose time a real handler takes: its own, or the scenario's endpoint; default: "
            "real.",
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            rich_help_panel=_INTERFACE,
            metavar="HOST",
            help="Host that results may be posted to, beside this machine.",
        ),
    ] = None,
    pacing_api: Annotated[
        bool,
        typer.Option(
            "--pacing-api",
            rich_help_panel=_INTERFACE,
            help="Scheduling and pacing too; what it says is ours.",
        ),
    ] = False,
    start_method: Annotated[
        Literal["POST", "GET"],
        typer.Option(rich_help_panel=_INTERFACE, help="How start_url is fetched."),
    ] = "POST",
    failed_as_200: Annotated[
        bool,
        typer.Option(
            "--failed-as-200",
            rich_help_panel=_INTERFACE,
            help='Answer DEV requests that "failed" with status 200.',
        ),
    ] = False,
    futures: Annotated[
        int | None,
        typer.Option(
            rich_help_panel=_DAYS,
            metavar="N",
            parser=count(1, 1_000_000),
            help="Run --command on so many days, one for each seed; on how many does it fail?",
        ),
    ] = None,
    command: Annotated[
        str | None,
        typer.Option(
            rich_help_panel=_DAYS,
            metavar="COMMAND",
            help="What is run each day, with the URL and logins in its environment: OUTSIM_URL, "
            "OUTSIM_TENANT, OUTSIM_LOGIN, OUTSIM_PIN ...",
        ),
    ] = None,
    vary: Annotated[
        list[str] | None,
        typer.Option(
            rich_help_panel=_DAYS,
            metavar="WHAT",
            help="What is varied from day to day, with commas between; default: lag, loss, order, "
            "outages.",
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            rich_help_panel=_DAYS,
            metavar="N",
            parser=count(1, 1_000),
            help="Days side by side; default: one a core. 1, where the command listens at a port "
            "that it can have once only.",
        ),
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(
            rich_help_panel=_DAYS,
            metavar="TIME",
            parser=_duration_s,
            help="When a command that has not ended has failed the day; default: 10 min.",
        ),
    ] = None,
    export: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Serve nothing: run the scenario once and write how it moves to one HTML file, "
            "which needs no server and no network.",
            callback=named,
            show_default=False,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Serve a scenario as a platform that lives, with the platform's HTTP interface.

    The first line on standard output is JSON: the URL, and the logins. Ctrl-C ends it. With
    --futures it serves one day after the other to a command, and says on how many that failed.
    """
    from outsim.cli.output import load_with_advice, note, present
    from outsim.errors import OutsimError

    if export is not None:
        _check_export(context)
        _export(scenario, seed, export)
        return
    # What is loaded stays: collections would look through it again and again, and find nothing.
    gc.set_threshold(50_000, 20, 100)
    first = None
    if futures is None and state is None and begins != "now" and not Path(scenario).is_dir():
        # While the sandbox is loaded and started, another processor has nothing to do.
        first = FirstPicture(scenario, seed)
    try:
        from outsim.live.http.context import Settings
        from outsim.live.http.main import run

        if find_spec("nicegui") is None:
            raise ModuleNotFoundError(name="nicegui")
    except ImportError as error:
        raise OutsimError(
            f"the sandbox needs {error.name}; install outsim with its extra: "
            "pip install 'outsim[live]'"
        ) from None
    _check_together(
        futures,
        {
            "--command": command,
            "--vary": vary or None,
            "--jobs": jobs,
            "--timeout": timeout,
            "--json": json or None,
        },
        save,
    )
    options: dict[str, Any] = {
        "host": host,
        "seed": seed,
        "begins": begins,
        "handler_time": handler_time,
        "allow_hosts": tuple(each.lower() for each in allow_host or ()),
        "settings": Settings(
            pacing_api=pacing_api,
            start_method=start_method,
            failed_status=200 if failed_as_200 else None,
        ),
    }
    if futures is None or command is None:
        made = _made_run(scenario)
        if made is not None:
            options["seed"] = made.seed if seed is None else seed
        run(
            load_with_advice(scenario, is_served=True) if made is None else made.scenario,
            None if other is None else load_with_advice(other),
            made=made,
            scenario_file=Path(scenario) if made is None else None,
            other_file=None if other is None else Path(other),
            first_picture=None if first is None else first.data,
            port=port,
            state=None if state is None else Path(state),
            save=None if save is None else Path(save),
            speed=speed,
            held=held or (made is not None and speed is None),
            note=note,
            **options,
        )
        return
    from asyncio import run as run_loop

    from outsim.live.futures import run_futures
    from outsim.live.variations import KINDS
    from outsim.progress import bar
    from outsim.studies.executors import workers

    with bar("days") as progress:
        found = run_loop(
            run_futures(
                load_with_advice(scenario, is_served=True),
                command,
                futures,
                kinds=separated(vary) or tuple(KINDS),
                keep=Path(state or "failing-day"),
                timeout_s=timeout or 600.0,
                jobs=jobs or workers(futures),
                progress=progress,
                speed=speed,
                held=held,
                **options,
            )
        )
    if found.interrupted_of is None:
        present(found, Shown(json=json))
        return
    with suppress(typer.Exit):
        present(found, Shown(json=json))
    raise KeyboardInterrupt


def _made_run(name: str) -> Result | None:
    """The run that a directory holds: a result, or a session run again."""
    place = Path(name)
    if not place.is_dir():
        return None
    from outsim.live.replay import replay
    from outsim.live.state import SESSION
    from outsim.results.result import load_result

    return replay(place) if (place / SESSION).exists() else load_result(place)


def _check_export(context: typer.Context) -> None:
    """Refuse what is about serving beside an export."""
    for parameter in context.command.params:
        source = context.get_parameter_source(str(parameter.name))
        is_given = source is not None and source.name == "COMMANDLINE"
        if is_given and parameter.name not in ("scenario", "seed", "export"):
            name = parameter.opts[-1] if parameter.param_type_name == "option" else "OTHER"
            raise typer.BadParameter(
                f"{name} is about serving, and --export serves nothing: leave one of them out"
            )


def _export(scenario: str, seed: int | None, file: str) -> None:
    from outsim.cli.output import load_with_advice, note
    from outsim.present.animation_page import save_animation
    from outsim.present.html_file import check_file
    from outsim.questions.one_run import one_run

    loaded = load_with_advice(scenario)
    target = check_file(file, "animation")
    size = save_animation(one_run(loaded, seed, engine="compiled"), target)
    note(f"animation written to {file} ({size / 1e6:.1f} MB)")


def _check_together(
    futures: int | None, of_futures: Mapping[str, object], save: str | None
) -> None:
    """Refuse options that say nothing without others, or beside them."""
    if futures is None:
        for name, given in of_futures.items():
            if given is not None:
                raise typer.BadParameter(f"{name} is about days: give --futures N as well")
    elif of_futures["--command"] is None:
        raise typer.BadParameter(
            "--futures: say with --command what is tried, such as 'pytest tests/test_handler.py'"
        )
    elif save is not None:
        raise typer.BadParameter("--save is about one session, and --futures makes many")
