"""`outsim failed`: why calls fail, and what became of pending ones."""

from __future__ import annotations

from outsim.cli.options import CampaignName, Json, OneRun, ScenarioFile, Shown, with_options


@with_options
def failed(
    *, scenario: ScenarioFile, campaign: CampaignName = None, run: OneRun, json: Json = False
) -> None:
    """Show failures by cause, attempt and hour, and match pending calls against the call log."""
    from outsim.cli.output import load_with_advice, present, simulate_with_bar
    from outsim.questions.failed import failed as ask
    from outsim.questions.one_run import campaign_or_all

    loaded = load_with_advice(scenario)
    chosen = campaign_or_all(loaded, campaign)
    result = simulate_with_bar(loaded, **vars(run))
    present(ask(result, chosen).run(), Shown(json=json))
