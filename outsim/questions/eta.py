"""A forecast of when a campaign's calls go out: the study, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outsim.clock import SECOND, after
from outsim.estimates import Estimate
from outsim.questions.eta_measures import (
    CAMPAIGN_MEASURES,
    FORECAST_MEASURES,
    Quantiles,
    of_findings,
    studying,
)
from outsim.questions.question import Question, StudyQuestion
from outsim.scenario.campaigns import Campaign
from outsim.scenario.loading import with_snapshot
from outsim.scenario.model import Scenario
from outsim.studies.comparable import campaign_of
from outsim.studies.default_replications import ETA
from outsim.studies.study import run_of
from outsim.studies.study_result import StudyResult
from outsim.text import brief

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Forecast:
    """When a campaign's calls go out, over replications."""

    __repr__ = brief

    campaign: Campaign
    findings: StudyResult

    def quantiles(self, name: str) -> Quantiles:
        """Median and band of one of `eta_measures.CAMPAIGN_MEASURES`, by its name.

        Raises
        ------
        StudyError
            If there is no such figure.
        """
        return of_findings(self.findings, self.findings.measure(name))

    @property
    def canceled(self) -> Estimate:
        """Share of the calls that are canceled before they go out: the times are of the others."""
        return self.findings.mean(0, "canceled_before_out")

    def table(self) -> pd.DataFrame:
        """One row a figure: median, its 95 % interval, and the 90 % band, as local clock times.

        Missing where the runs don't come to it; ``never`` is the share of those.
        """
        import pandas as pd

        begins = self.findings.scenarios[0].clock.begins
        rows = {}
        for measure in CAMPAIGN_MEASURES:
            found = vars(of_findings(self.findings, measure)).copy()
            never = found.pop("never")
            rows[measure.label] = {
                name: after(begins, round(seconds * SECOND)) if abs(seconds) < 1e12 else pd.NaT
                for name, seconds in found.items()
            } | {"never": never}
        return pd.DataFrame.from_dict(rows, orient="index")


def eta(
    scenario: Scenario,
    campaign: str | None = None,
    *,
    snapshot: str | Path | None = None,
    **options: Any,
) -> Question[Forecast]:
    """Forecast when a campaign's calls go out, and when it is finished.

    Parameters
    ----------
    scenario : Scenario
        What `outsim.load` gives.
    campaign : str, optional
        ``name`` or ``tenant/name``; default: the campaign under study.
    snapshot : path, optional
        The live queue to forecast from (JSON; `outsim schema --snapshot` says what is in it);
        default: from the scenario's begin.
    **options
        As for `Study`; 39 replications if nothing is said. With input uncertainty the bands are
        over days and over callees that a calibration's data would bear out.

    Returns
    -------
    Question of Forecast
        To be awaited, or `run` in a script.

    Raises
    ------
    StudyError
        If there is no such campaign.
    ScenarioError
        If the snapshot can't be used.

    Examples
    --------
    >>> forecast = await outsim.eta(scenario, snapshot="queue.json")  # doctest: +SKIP
    >>> forecast.table()  # doctest: +SKIP
    """
    chosen = campaign_of(scenario, campaign)
    if snapshot is not None:
        scenario = with_snapshot(scenario, snapshot)
    if not {"replications", "precision", "timeout"} & set(options):
        options["replications"] = ETA
    if options.get("input_uncertainty"):
        options["input_uncertainty"] = "drawn"  # bands are of runs: partners would add nothing
    run = run_of(studying(scenario, chosen), measures=FORECAST_MEASURES, **options)
    return StudyQuestion("eta", run, lambda findings: Forecast(chosen, findings))
