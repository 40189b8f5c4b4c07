"""Callees drawn for a replication, out of what the data of a calibration leave open."""

from __future__ import annotations

from collections.abc import Sequence

from outsim.errors import StudyError
from outsim.scenario.model import Scenario
from outsim.tape import Purpose, Tape


def paired_replication(replication: int) -> int:
    """The replication that another one shares its callees with: 0 with 1, 2 with 3 ..."""
    return replication ^ 1


def with_drawn_callees(scenario: Scenario, seed: int, replication: int) -> Scenario:
    """Scenario with the callees of one replication.

    They depend on seed and replication alone: all scenarios of a study that rest on one
    calibration have the same ones, whoever runs them. Their stream is nobody else's, so the rest
    of the tape is as without them.

    Raises
    ------
    StudyError
        If the scenario does not say what its callees rest on.
    """
    if scenario.uncertainty is None:
        raise StudyError(_unsaid(scenario))
    # Fitting takes most of a second to load, and most studies draw no callees.
    from outsim.calibration.profile import draw_profile, uniforms_needed

    count = uniforms_needed(scenario.uncertainty)
    uniforms = Tape(seed, replication).uniforms("", "", Purpose.CALLEES, count=count)
    return draw_profile(scenario, uniforms)


def check_drawable(scenarios: Sequence[Scenario]) -> None:
    """Refuse scenarios of which one does not say what its callees rest on.

    Raises
    ------
    StudyError
        If there is one.
    """
    for scenario in scenarios:
        if scenario.uncertainty is None:
            raise StudyError(_unsaid(scenario))


def _unsaid(scenario: Scenario) -> str:
    return (
        f"input uncertainty: scenario {scenario.name!r} has no [uncertainty] of its callees; let "
        "it extend what outsim calibrate LOG --out FILE wrote, or leave input uncertainty out"
    )
