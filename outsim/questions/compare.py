"""Two or more scenarios, paired."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from outsim.errors import StudyError
from outsim.scenario.model import Scenario
from outsim.studies.comparable import asked_about
from outsim.studies.default_replications import COMPARE, check_replications
from outsim.studies.study import run_of
from outsim.studies.study_result import StudyResult


async def compare(
    *scenarios: Scenario,
    replications: int | range | None = None,
    campaign: str | Sequence[str] | None = None,
    deadline: str | Sequence[str] | None = None,
    across_zones: bool = False,
    **options: Any,
) -> StudyResult:
    """Compare scenarios over paired replications.

    Parameters
    ----------
    *scenarios : Scenario
        Two or more; the first is the baseline.
    replications : int or range
        How many, at least 2; the more, the narrower the intervals. Default: 40, unless a
        precision or a time decides.
    campaign : str or sequence of str, optional
        Campaign that is asked about, ``name`` or ``tenant/name``: one in all scenarios, or one for
        each, to compare different campaigns. Default: the one under study, the same in all.
    deadline : str or sequence of str, optional
        Clock time by which completed calls are counted: one in all scenarios, or one for each.
        Default: what the scenarios say, the same in all.
    across_zones : bool
        Whether scenarios of different time zones are compared, each by its local time.
    **options
        As for `Study`.

    Returns
    -------
    Findings
        Of all scenarios, over the same replications.

    Raises
    ------
    StudyError
        If there are too few scenarios or replications, or a scenario has no
        campaign to compare, or their campaigns under study, deadlines or time zones differ and
        that was not asked for.
    """
    if len(scenarios) < 2:
        raise StudyError(f"{len(scenarios)} scenario given: a comparison needs two or more")
    check_replications(replications)
    if replications is None and not (options.get("precision") or options.get("timeout")):
        replications = COMPARE
    asked, unlike = asked_about(scenarios, campaign, deadline, across_zones=across_zones)
    return await run_of(asked, replications=replications, unlike=unlike, **options)
