"""What questions about one run share: a result that is there, or a scenario that is run for it."""

from __future__ import annotations

from outsim.engine import Engine
from outsim.errors import StudyError
from outsim.results.checkpoint import simulate
from outsim.results.result import Result
from outsim.scenario.campaigns import Campaign
from outsim.scenario.model import Scenario
from outsim.studies.comparable import campaign_of

ONE_DAY = "One run is one day that could be."


def scenario_of(asked: Scenario | Result) -> Scenario:
    """The scenario that is asked about."""
    return asked.scenario if isinstance(asked, Result) else asked


def one_run(
    asked: Scenario | Result, seed: int | None, replication: int, engine: Engine
) -> Result:
    """The result that is asked about, or a run of the scenario."""
    if isinstance(asked, Result):
        return asked
    return simulate(asked, seed=seed, replication=replication, engine=engine)


def campaign_or_all(
    asked: Scenario | Result, campaign: str | Campaign | None = None
) -> Campaign | None:
    """The campaign that is asked about; None, for all calls, if the scenario has none."""
    scenario = scenario_of(asked)
    return campaign_of(scenario, campaign) if campaign or scenario.campaigns else None


def ten_digits(number: str | None) -> str | None:
    """National number of ten digits, without what people write between them.

    Raises
    ------
    StudyError
        If there are not ten.
    """
    if number is None:
        return None
    digits = "".join(each for each in number if each.isdigit())
    if len(digits) == 11 and digits.startswith("1"):
        digits = digits[1:]
    if len(digits) != 10:
        raise StudyError(f"number {number}: write a number of ten digits")
    return digits
