"""`outsim failed`: why calls fail, and what became of pending ones."""

from __future__ import annotations

from outsim.cli.options import CampaignName, Json, OneRun, ScenarioOrResult, Shown, with_options


@with_options
def failed(
    *, asked: ScenarioOrResult, campaign: CampaignName = None, run: OneRun, json: Json = False
) -> None:
    """Show failures by cause, attempt and hour, and match pending calls against the call log."""
    from outsim.cli.output import load_asked, present
    from outsim.questions.failed import failed as ask

    present(ask(load_asked(asked), campaign, **vars(run)).run(), Shown(json=json))
