"""`outsim map`: over which regimes a start after the full hour helps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from outsim.cli.options import EngineName, Json, Picture, ScenarioFile, Seed
from outsim.cli.studies import ExecutorName, Out, Precision, Replications, Within, study_options

if TYPE_CHECKING:
    from outsim.questions.start_map import StartMap

_SIGNS = {1: "+", 0: ".", -1: "-"}


def start_map(
    scenario: ScenarioFile,
    load: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,...",
            help="Factors on the background campaigns that start at :00; six by default.",
            show_default=False,
        ),
    ] = None,
    carrier: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,...",
            help="Factors on the carrier's rate and channels; six by default.",
            show_default=False,
        ),
    ] = None,
    retries: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,...",
            help="Retries of the campaign under study; few and many by default.",
            show_default=False,
        ),
    ] = None,
    starts: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,...",
            help="Minutes of the hour to hold against :00; default: 15,30,45.",
            show_default=False,
        ),
    ] = None,
    plot: Picture = None,
    replications: Replications = None,
    precision: Precision = None,
    within: Within = None,
    out: Out = None,
    executor: ExecutorName = None,
    seed: Seed = None,
    engine: EngineName = "auto",
    json: Json = False,
) -> None:
    """Map over which regimes a start at :15, :30 or :45 beats one at :00."""
    from outsim.cli.output import load_with_advice, picture_file, print_json, write_picture
    from outsim.plots import start_map as draw
    from outsim.questions.start_map import CARRIERS, LOADS, MINUTES, RETRIES
    from outsim.questions.start_map import start_map as make
    from outsim.studies.stopping import LEAST
    from outsim.studies.synchronous import run_sync

    file = picture_file(plot)
    options = study_options(replications, precision, within, out, executor=executor, usual=LEAST)
    del options["keep_tables"]
    found = run_sync(
        make(
            load_with_advice(scenario),
            loads=_numbers("--load", load, LOADS),
            carriers=_numbers("--carrier", carrier, CARRIERS),
            retries=_counts("--retries", retries, RETRIES),
            minutes=_counts("--starts", starts, MINUTES),
            seed=seed,
            engine=engine,
            **options,
        )
    )
    write_picture(lambda: draw(found), file)
    if json:
        print_json(found.to_json())
    else:
        _print(found)


def _numbers(option: str, text: str | None, usual: tuple[float, ...]) -> tuple[float, ...]:
    try:
        return usual if text is None else tuple(float(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"{option} {text}: write numbers, such as 0.5,1,2") from None


def _counts(option: str, text: str | None, usual: tuple[int, ...]) -> tuple[int, ...]:
    try:
        return usual if text is None else tuple(int(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"{option} {text}: write whole numbers, such as 1,4") from None


def _print(found: StartMap) -> None:
    from outsim.cli.output import say, show, table
    from outsim.estimates import LEVEL

    document = found.to_json()
    counts = sorted({each.replications for each in found.findings})
    few, most = document["attempts"]
    study = found.scenario.campaign_under_study
    assert study is not None
    say(f"{found.scenario.name}: starts after :00 held against :00")
    say(
        f"{len(found.regimes)} regimes, {_span(counts)} replications each, seed "
        f"{document['seed']}; {few:,} to {most:,} attempts a run; campaign under study: "
        f"{study.name}"
    )
    starts = [f":{minute:02d}" for minute in found.minutes]
    for max_retry in found.retries:
        places = found.places(max_retry)
        loads = sorted({found.regimes[k].load for k in places})
        carriers = sorted({found.regimes[k].carrier for k in places}, reverse=True)
        say()
        say(f"completed in the end, {max_retry} {'retry' if max_retry == 1 else 'retries'}:")
        rows = []
        for carrier in carriers:
            row = [k for k in places if found.regimes[k].carrier == carrier]
            signs = [
                "".join(_SIGNS[found.verdict(k, minute)] for k in row) for minute in found.minutes
            ]
            rows.append([_percents([found.headroom(k).mean for k in row]), *signs])
        show(table(["carrier's headroom", *starts], rows))
        drains = [
            _minutes([found.drain_s(k).mean for k in places if found.regimes[k].load == load])
            for load in loads
        ]
        say(f"from left to right, the backlog of :00 is drained after {'; '.join(drains)} min.")
    say()
    say("regimes in which a start is better / worse than :00, of all:")
    counted: list[list[str]] = []
    for name, each in found.measures.items():
        for max_retry in found.retries:
            line = [f"{each.label_at(found.scenario.deadline)}, retries {max_retry}"]
            for minute in found.minutes:
                verdicts = [found.verdict(k, minute, name) for k in found.places(max_retry)]
                line.append(f"{verdicts.count(1)} / {verdicts.count(-1)} of {len(verdicts)}")
            counted.append(line)
    show(table(["", *starts], counted))
    say(
        f"+ better, - worse, . not clear: the interval of the paired difference covers zero. For "
        f"each figure, all {found.comparisons} intervals of the map hold together with "
        f"{LEVEL:.0%} confidence (Bonferroni)."
    )
    missing = sum(found.drain_s(k).missing for k in range(len(found.regimes)))
    if missing:
        say(f"in {missing} runs the backlog of :00 never drained; they are in no drain time.")


def _span(values: list[int]) -> str:
    return f"{values[0]}" if values[0] == values[-1] else f"{values[0]} to {values[-1]}"


def _percents(shares: list[float]) -> str:
    low, high = (f"{100 * share:+.0f}" for share in (min(shares), max(shares)))
    return f"{low} %" if low == high else f"{low} to {high} %"


def _minutes(seconds: list[float]) -> str:
    low, high = (f"{value / 60:.0f}" for value in (min(seconds), max(seconds)))
    return low if low == high else f"{low} to {high}"
