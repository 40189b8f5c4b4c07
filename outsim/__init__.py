"""outsim: simulator of a shared, multi-tenant outbound calling platform.

It answers five questions: when should I schedule my calls, when is my call
going out, what is the status of my campaign, why do I see failed calls, and
why do calls still go out after I stopped?
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from outsim._version import __version__ as __version__

if TYPE_CHECKING:
    from outsim import plots
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
    from outsim.questions.capacity import plan_capacity, plan_frontier
    from outsim.questions.capacity_answers import Capacity, Frontier
    from outsim.questions.compare import compare
    from outsim.questions.describe import Description, describe
    from outsim.questions.effects import Effects, assumption_effects
    from outsim.questions.eta import Forecast, eta
    from outsim.questions.explain import Explanation, explain
    from outsim.questions.schedule import schedule
    from outsim.questions.start_map import StartMap, start_map
    from outsim.questions.stop import stop_race
    from outsim.questions.sweep import sweep
    from outsim.questions.sweep_answers import Sweep
    from outsim.results.checkpoint import Checkpoint, run_until
    from outsim.results.result import Result, load_result, simulate
    from outsim.scenario import Campaign, Scenario, load
    from outsim.scenario.provenance import ParameterTable, assumptions
    from outsim.studies.saved import load_study
    from outsim.studies.study import Study
    from outsim.studies.study_result import StudyResult
    from outsim.studies.synchronous import run_sync
    from outsim.tape import Tape

_HOMES = {
    "load": "outsim.scenario",
    "Scenario": "outsim.scenario",
    "Campaign": "outsim.scenario",
    "Tape": "outsim.tape",
    "simulate": "outsim.results.result",
    "Result": "outsim.results.result",
    "load_result": "outsim.results.result",
    "calibrate": "outsim.calibration",
    "Calibration": "outsim.calibration",
    "run_until": "outsim.results.checkpoint",
    "Checkpoint": "outsim.results.checkpoint",
    "compare": "outsim.questions.compare",
    "plan_capacity": "outsim.questions.capacity",
    "plan_frontier": "outsim.questions.capacity",
    "Capacity": "outsim.questions.capacity_answers",
    "Frontier": "outsim.questions.capacity_answers",
    "Study": "outsim.studies.study",
    "StudyResult": "outsim.studies.study_result",
    "explain": "outsim.questions.explain",
    "Explanation": "outsim.questions.explain",
    "eta": "outsim.questions.eta",
    "Forecast": "outsim.questions.eta",
    "load_study": "outsim.studies.saved",
    "sweep": "outsim.questions.sweep",
    "schedule": "outsim.questions.schedule",
    "stop_race": "outsim.questions.stop",
    "start_map": "outsim.questions.start_map",
    "StartMap": "outsim.questions.start_map",
    "Sweep": "outsim.questions.sweep_answers",
    "run_sync": "outsim.studies.synchronous",
    "describe": "outsim.questions.describe",
    "Description": "outsim.questions.describe",
    "assumptions": "outsim.scenario.provenance",
    "ParameterTable": "outsim.scenario.provenance",
    "assumption_effects": "outsim.questions.effects",
    "Effects": "outsim.questions.effects",
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
    "Checkpoint",
    "Description",
    "Effects",
    "EngineError",
    "Explanation",
    "Forecast",
    "Frontier",
    "InvariantError",
    "OutsimError",
    "ParameterTable",
    "Result",
    "ResultError",
    "Scenario",
    "ScenarioError",
    "StartMap",
    "Study",
    "StudyError",
    "StudyResult",
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
    "load_result",
    "load_study",
    "plan_capacity",
    "plan_frontier",
    "plots",
    "run_sync",
    "run_until",
    "schedule",
    "simulate",
    "start_map",
    "stop_race",
    "sweep",
]


def __getattr__(name: str) -> Any:
    # Names are fetched when they are first used: `import outsim` stays quick.
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
