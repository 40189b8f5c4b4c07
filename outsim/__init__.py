"""outsim: simulator of a shared, multi-tenant outbound calling platform.

It answers five questions: when should I schedule my calls, when is my call
going out, what is the status of my campaign, why do I see failed calls, and
why do calls still go out after I stopped?
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from outsim import plots
    from outsim.branching import Past, run_until
    from outsim.calibration import Calibration, calibrate
    from outsim.errors import (
        EngineError,
        InvariantError,
        OutsimError,
        ResultError,
        ScenarioError,
        StudyError,
        TapeError,
    )
    from outsim.report.stress_des import Description, describe
    from outsim.result import Result, simulate
    from outsim.saving import read_result
    from outsim.scenario import Campaign, Scenario, load
    from outsim.scenario.ledger import Ledger, assumptions
    from outsim.study.capacity import plan_capacity, plan_frontier
    from outsim.study.capacity_answers import Capacity, Frontier
    from outsim.study.comparison import compare
    from outsim.study.effects import Effects, assumption_effects
    from outsim.study.explanation import Explanation, explain
    from outsim.study.findings import Findings
    from outsim.study.forecast import Forecast, eta
    from outsim.study.kept import read_study
    from outsim.study.quarter_map import QuarterMap, quarter_map
    from outsim.study.schedule import schedule
    from outsim.study.stop_race import stop_race
    from outsim.study.study import Study
    from outsim.study.sweep import sweep
    from outsim.study.sweep_findings import Sweep
    from outsim.study.synchronous import run_sync
    from outsim.tape import Tape

    __version__: str

_HOMES = {
    "load": "outsim.scenario",
    "Scenario": "outsim.scenario",
    "Campaign": "outsim.scenario",
    "Tape": "outsim.tape",
    "simulate": "outsim.result",
    "Result": "outsim.result",
    "read_result": "outsim.saving",
    "calibrate": "outsim.calibration",
    "Calibration": "outsim.calibration",
    "run_until": "outsim.branching",
    "Past": "outsim.branching",
    "compare": "outsim.study.comparison",
    "plan_capacity": "outsim.study.capacity",
    "plan_frontier": "outsim.study.capacity",
    "Capacity": "outsim.study.capacity_answers",
    "Frontier": "outsim.study.capacity_answers",
    "Study": "outsim.study.study",
    "Findings": "outsim.study.findings",
    "explain": "outsim.study.explanation",
    "Explanation": "outsim.study.explanation",
    "eta": "outsim.study.forecast",
    "Forecast": "outsim.study.forecast",
    "read_study": "outsim.study.kept",
    "sweep": "outsim.study.sweep",
    "schedule": "outsim.study.schedule",
    "stop_race": "outsim.study.stop_race",
    "quarter_map": "outsim.study.quarter_map",
    "QuarterMap": "outsim.study.quarter_map",
    "Sweep": "outsim.study.sweep_findings",
    "run_sync": "outsim.study.synchronous",
    "describe": "outsim.report.stress_des",
    "Description": "outsim.report.stress_des",
    "assumptions": "outsim.scenario.ledger",
    "Ledger": "outsim.scenario.ledger",
    "assumption_effects": "outsim.study.effects",
    "Effects": "outsim.study.effects",
    "OutsimError": "outsim.errors",
    "ScenarioError": "outsim.errors",
    "TapeError": "outsim.errors",
    "EngineError": "outsim.errors",
    "InvariantError": "outsim.errors",
    "ResultError": "outsim.errors",
    "StudyError": "outsim.errors",
}

__all__ = [
    "Calibration",
    "Campaign",
    "Capacity",
    "Description",
    "Effects",
    "EngineError",
    "Explanation",
    "Findings",
    "Forecast",
    "Frontier",
    "InvariantError",
    "Ledger",
    "OutsimError",
    "Past",
    "QuarterMap",
    "Result",
    "ResultError",
    "Scenario",
    "ScenarioError",
    "Study",
    "StudyError",
    "Sweep",
    "Tape",
    "TapeError",
    "assumption_effects",
    "assumptions",
    "calibrate",
    "compare",
    "describe",
    "eta",
    "explain",
    "load",
    "plan_capacity",
    "plan_frontier",
    "plots",
    "quarter_map",
    "read_result",
    "read_study",
    "run_sync",
    "run_until",
    "schedule",
    "simulate",
    "stop_race",
    "sweep",
]


def __getattr__(name: str) -> Any:
    # Names are fetched when they are first used: `import outsim` stays quick.
    if name == "__version__":
        from importlib.metadata import version

        globals()[name] = version("outsim")
        return globals()[name]
    if name == "plots":
        return import_module("outsim.plots")
    if name not in _HOMES:
        raise AttributeError(
            f"module 'outsim' has no attribute {name!r}", name=name, obj=sys.modules[__name__]
        )
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
