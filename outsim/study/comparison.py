"""Two or more scenarios, paired."""

from __future__ import annotations

from typing import Any

from outsim.errors import StudyError
from outsim.scenario.model import Scenario
from outsim.study.findings import Findings
from outsim.study.study import Study

USUAL = 40
"""Replications if neither a count nor a precision nor a time is given."""


async def compare(
    *scenarios: Scenario, replications: int | range | None = None, **options: Any
) -> Findings:
    """Compare scenarios over paired replications.

    Parameters
    ----------
    *scenarios : Scenario
        Two or more; the first is the baseline.
    replications : int or range
        How many, at least 2; the more, the narrower the intervals. Default: 40, unless a
        precision or a time decides.
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
        campaign to compare.
    """
    if len(scenarios) < 2:
        raise StudyError(f"{len(scenarios)} scenario given: a comparison needs two or more")
    if isinstance(replications, int) and replications < 2:
        raise StudyError(
            f"replications = {replications}: must be 2 or more, or there is no interval"
        )
    if replications is None and not (options.get("precision") or options.get("within")):
        replications = USUAL
    return await Study(scenarios, replications=replications, **options)
