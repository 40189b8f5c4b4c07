"""`outsim start-map`: over which regimes a start after the full hour helps."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from outsim.cli.options import ScenarioFile, Shown, StudyFlags, numbers, with_options


def _several(kind: type, text: str) -> Any:
    return typer.Option(metavar="A,B,...", parser=numbers(kind), help=text)


@with_options
def start_map(
    *,
    scenario: ScenarioFile,
    loads: Annotated[
        Any,
        _several(float, "Factors on the background campaigns that start at :00; six by default."),
    ] = None,
    carriers: Annotated[
        Any, _several(float, "Factors on the carrier's rate and channels; six by default.")
    ] = None,
    retries: Annotated[
        Any, _several(int, "Retries of the campaign under study; few and many by default.")
    ] = None,
    minutes: Annotated[
        Any, _several(int, "Minutes of the hour to compare with :00; default: 15,30,45.")
    ] = None,
    study: StudyFlags,
    shown: Shown,
) -> None:
    """Map over which regimes a start at :15, :30 or :45 beats one at :00."""
    from outsim.cli.output import load_with_advice, present
    from outsim.questions.start_map import start_map as ask

    axes = {"loads": loads, "carriers": carriers, "retries": retries, "minutes": minutes}
    chosen_axes = {name: values for name, values in axes.items() if values is not None}
    present(ask(load_with_advice(scenario), **chosen_axes, **study.given()).run(), shown)
