"""`outsim compare`: two or more scenarios, paired."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from outsim.cli.options import EngineName, Json, Seed
from outsim.cli.studies import (
    AcrossZones,
    Antithetic,
    ComparedCampaigns,
    ComparedDeadlines,
    Controls,
    ExecutorName,
    InputUncertainty,
    KeepTables,
    Out,
    Precision,
    Replications,
    Stratified,
    Within,
    say_precisions,
    say_savings,
    say_uncertainty,
    study_options,
)

if TYPE_CHECKING:
    from outsim.studies.study_result import StudyResult

Verbose = Annotated[
    bool, typer.Option("--verbose", help="Say as well what pairing the replications saved.")
]


def compare(
    scenarios: Annotated[list[str], typer.Argument(metavar="A B ...", help="Scenario files.")],
    replications: Replications = None,
    precision: Precision = None,
    within: Within = None,
    out: Out = None,
    keep_tables: KeepTables = False,
    executor: ExecutorName = None,
    antithetic: Antithetic = False,
    stratified: Stratified = False,
    controls: Controls = False,
    input_uncertainty: InputUncertainty = False,
    campaign: ComparedCampaigns = None,
    deadline: ComparedDeadlines = None,
    across_zones: AcrossZones = False,
    seed: Seed = None,
    engine: EngineName = "auto",
    json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Compare scenarios over paired replications, with confidence intervals."""
    from outsim.cli.output import load_with_advice, print_json
    from outsim.questions.compare import compare as compare_scenarios
    from outsim.studies.default_replications import COMPARE
    from outsim.studies.synchronous import run_sync

    options = study_options(
        replications, precision, within, out, keep_tables, executor, usual=COMPARE
    )
    switches: dict[str, Any] = {
        "antithetic": antithetic,
        "stratified": stratified,
        "controls": controls,
        "input_uncertainty": input_uncertainty,
    }
    loaded = [load_with_advice(path) for path in scenarios]
    switches |= {"campaign": campaign, "deadline": deadline, "across_zones": across_zones}
    findings = run_sync(
        compare_scenarios(*loaded, seed=seed, engine=engine, **switches, **options)
    )
    if json:
        print_json(findings.to_json())
        return
    _print(findings, verbose=verbose)


def _print(findings: StudyResult, *, verbose: bool) -> None:
    from outsim.cli.output import say, show, table
    from outsim.display import INTERVALS, format_estimate

    count, (fewest, most) = findings.replications, findings.attempts
    study = findings.scenarios[0].campaign_under_study
    assert study is not None
    say(" against ".join(findings.labels))
    say(
        f"{count} paired replications, seed {findings.seed}; {fewest:,} to {most:,} attempts "
        "a run"
        + ("" if "campaign" in findings.unlike else f"; campaign under study: {study.name}")
    )
    for told in findings.unlike_texts:
        say(told)
    if any(scenario.background for scenario in findings.scenarios):
        share = format_estimate("share", findings.background_share, study.start)
        say(f"background tenants make {share} of all attempts")
    text = findings.text_table()
    show(table(list(text.columns), text.to_numpy().tolist()))
    say(f"{INTERVALS}; differences are paired.")
    if findings.missing_intervals:
        say(findings.missing_intervals)
    others = len(findings.scenarios) - 1
    if others > 1:
        say(
            f"The {others} differences of one figure hold together with 95 %: each interval is "
            "the wider for it (Bonferroni)."
        )
    say_precisions(findings)
    for place in range(1, len(findings.scenarios)):
        _tell(findings, place)
        if verbose:
            _tell_pairing(findings, place)
    say_savings(findings)
    say_uncertainty(findings)


def _tell(findings: StudyResult, place: int) -> None:
    """Say in words what is clear about a scenario, and where its figures disagree."""
    from outsim.cli.output import say
    from outsim.questions.compare_texts import DISAGREE, better_and_worse, nothing_clear

    say()
    nothing = nothing_clear(findings, place)
    if nothing:
        say(nothing)
        return
    say(f"{findings.labels[place]}, held against {findings.labels[0]}:")
    for heading, named in better_and_worse(findings, place):
        say(f"  {heading}: {'; '.join(named)}")
    if findings.conflicts(place):
        say(f"  {DISAGREE}")


def _tell_pairing(findings: StudyResult, place: int) -> None:
    """Say what pairing saved for the figures that clearly differ."""
    from outsim.cli.output import say
    from outsim.studies.pairing import in_words

    clear = [each for each, _ in findings.changes(place)]
    if not clear:
        return
    savings = [
        (findings.label(each), findings.saved_by_pairing(place, each.name)) for each in clear
    ]
    say(f"  pairing: {in_words(savings)}")
