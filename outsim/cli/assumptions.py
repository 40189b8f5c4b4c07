"""`outsim assumptions`: every number that a scenario uses, and how far it moves the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from outsim.cli.options import EngineName, Json, Picture, ScenarioFile, Seed
from outsim.cli.studies import ExecutorName, Out, Replications, study_options

if TYPE_CHECKING:
    from outsim.questions.effects import Effects
    from outsim.scenario.provenance import Parameter, ParameterTable


def assumptions(
    scenario: ScenarioFile,
    effect: Annotated[
        bool,
        typer.Option(
            "--effect",
            help="Run both ends of each range, and tell how far they move the answer.",
        ),
    ] = False,
    figure: Annotated[
        str | None,
        typer.Option(
            metavar="FIGURE",
            help="Figure that the answer is about; default: completed_by_deadline.",
            show_default=False,
        ),
    ] = None,
    replications: Replications = None,
    plot: Picture = None,
    out: Out = None,
    executor: ExecutorName = None,
    seed: Seed = None,
    engine: EngineName = "auto",
    json: Json = False,
) -> None:
    """List every number that a scenario uses, with its source, grade and plausible range."""
    from outsim.cli.output import load_with_advice, picture_file, print_json, write_picture
    from outsim.errors import StudyError
    from outsim.plots import effects as draw
    from outsim.questions.effects import assumption_effects
    from outsim.results.measures import measure_named
    from outsim.scenario.provenance import assumptions as ledger_of
    from outsim.studies.default_replications import SWEEP
    from outsim.studies.synchronous import run_sync

    if figure is not None:
        measure_named(figure)
    about_effect = {
        "--figure": figure,
        "--plot": plot,
        "--out": out,
        "--replications": replications,
        "--executor": executor,
        "--seed": seed,
    }
    for option, given in about_effect.items():
        if given is not None and not effect:
            raise StudyError(f"{option}: it is about the effect; ask for that too, with --effect")
    picture = picture_file(plot)
    options = study_options(replications, out=out, executor=executor, usual=SWEEP)
    count = options["replications"]
    if isinstance(count, range):
        raise StudyError(f"--replications {replications}: effects take a count, such as 20")
    loaded = load_with_advice(scenario)
    if not effect:
        ledger = ledger_of(loaded)
        if json:
            print_json({"scenario": loaded.name, "assumptions": ledger.to_json()})
        else:
            _print_ledger(ledger)
        return
    found = run_sync(
        assumption_effects(
            loaded,
            figure=figure or "completed_by_deadline",
            replications=count,
            seed=seed,
            engine=engine,
            executor=executor,
            directory=out,
        )
    )
    write_picture(lambda: draw(found), picture)
    if json:
        print_json(found.to_json() | {"assumptions": found.ledger.to_json()})
        return
    _print_effects(found)
    _print_ledger(found.ledger)


def _print_ledger(ledger: ParameterTable) -> None:
    from outsim.cli.output import say

    say(f"{ledger.scenario.name}: {len(ledger)} numbers and words, by grade")
    for grade, count in ledger.by_grade.items():
        say()
        say(f"{grade.upper()} ({count})")
        for each in ledger:
            if each.grade == grade:
                say(_line(each))


def _line(entry: Parameter) -> str:
    """An entry in a line: value, range, source, and the file where one holds it."""
    from outsim.scenario.provenance import DEFAULT

    text = f"- {entry.key} = {entry.value}"
    if entry.range:
        text += f" ({entry.range}; {entry.range_source})"
    if entry.source:
        text += f": {entry.source}"
    return text if entry.written_in == DEFAULT else f"{text} [{entry.written_in}]"


def _print_effects(found: Effects) -> None:
    from outsim.cli.output import say, show, table
    from outsim.display import explain_missing, format_estimate, format_matters, unit_of

    scenario, measure = found.ledger.scenario, found.measure
    begins = scenario.clock.begins
    label = measure.label_at(scenario.deadline)

    say(scenario.name)
    say(
        f"{label} as it stands: {format_estimate(measure.kind, found.base, begins)}; "
        f"{found.replications} paired replications, seed {found.findings.seed}"
    )
    effects = found.of()
    by_verdict = {
        verdict: [each.factor.name for each in effects if each.verdict == verdict]
        for verdict in ("moves", "small", "unclear", "none")
    }
    say(_moving(by_verdict["moves"], label))
    shown = [each for each in effects if each.verdict in ("moves", "unclear")]
    every = [value for each in shown for value in (each.low, each.high, each.move)]
    unit = unit_of(measure.kind, every, signed=True)
    rows = [
        [
            f"{each.factor.name}: {each.factor.ends}",
            *(
                format_estimate(measure.kind, value, begins, signed=True, unit=unit)
                for value in (each.low, each.high, each.move)
            ),
        ]
        for each in shown
    ]
    if rows:
        show(table(["number: range", "low end", "high end", "low to high"], rows))
        say(
            "change of the figure from the scenario as it stands, and from the low end to the "
            "high one; mean ± half of the interval over replications, paired. The intervals of a "
            "column hold together with 95 % (Bonferroni). One number is moved at a time."
        )
        if missing := explain_missing(value for value in every if not value.is_zero):
            say(missing)
    if unclear := by_verdict["unclear"]:
        say(f"Not clear, which more replications may change: {', '.join(unclear)}.")
    if small := by_verdict["small"]:
        least = format_matters(measure.kind, effects[0].matters_from)
        say(f"Too small to matter, under {least}: {', '.join(small)}.")
    if still := by_verdict["none"]:
        say(f"Without any effect on {label}, in every replication: {', '.join(still)}.")
    say()


def _moving(names: list[str], label: str) -> str:
    """The answer in a sentence."""
    if not names:
        return f"No number is shown to move {label} by so much that it matters."
    return (
        f"Within their ranges these move {label} by so much that it matters: {', '.join(names)}."
    )
